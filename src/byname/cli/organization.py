"""`byname organization`: organizations and who is in them."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from byname.cli.client import (
    DEFAULT_URL,
    LIMIT,
    PAGE_MAX,
    ApiKey,
    Limit,
    Text,
    Url,
    call,
    gather,
    path,
)
from byname.cli.output import AsJson, counted, in_columns, member_lines, tell, telling
from byname.cli.words import Group
from byname.domain.policy import GroupRole

app = typer.Typer(
    cls=Group, no_args_is_help=True, help="List, create and delete organizations; their members."
)
member = typer.Typer(cls=Group, no_args_is_help=True, help="Who is in an organization.")
app.add_typer(member, name="member")


@app.command("ls")
def list_organizations(
    limit: Limit = LIMIT, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """List the organizations that you are in; administrators of the server list all."""
    with telling(as_json):
        found = gather(url, api_key, path("organizations"), "organizations", limit)
        lines = [
            [
                each["name"],
                each["role"] or "",
                counted(each["members"], "member"),
                counted(each["teams"], "team"),
            ]
            for each in found
        ]
        tell(as_json, {"organizations": found}, in_columns(lines, "You are in no organization."))


@app.command()
def show(name: str, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False) -> None:
    """Show an organization."""
    with telling(as_json):
        found = call(url, api_key, "GET", path("organizations", name))
        rows = [
            ["Name", found["name"]],
            ["Your role", found["role"] or "none"],
            ["Members", str(found["members"])],
            ["Teams", str(found["teams"])],
            ["Created", found["created_at"]],
        ]
        tell(as_json, found, in_columns(rows, ""))


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Letters, digits, _ . and -.")],
    owner: Annotated[str, typer.Option(help="The person who becomes its first admin.")],
    starter_registries: Annotated[
        bool, typer.Option("--starter-registries", help="With the registries Model and Dataset.")
    ] = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Create an organization. For server administrators."""
    body = {"name": name, "owner": owner, "starter_registries": starter_registries}
    with telling(as_json):
        made = call(url, api_key, "POST", path("organizations"), body)
        tell(as_json, made, f"Created organization {made['name']}.")


@app.command("rm")
def delete(
    name: str, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Delete an organization with its teams, service accounts, registries and artifacts."""
    with telling(as_json):
        call(url, api_key, "DELETE", path("organizations", name))
        tell(as_json, {"deleted": name}, f"Deleted organization {name}.")


@app.command()
def storage(
    name: str,
    limit: Limit = LIMIT,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Show how many bytes an organization keeps, by team, and what its registries link."""
    with telling(as_json):
        found = _storage(url, api_key, path("organizations", name, "storage"), limit)
        rows = [["In all", counted(found["size_bytes"], "byte"), ""]]
        keeping = found["teams"]
        rows += [
            [f"Team {each['team']}", counted(each["size_bytes"], "byte"), ""] for each in keeping
        ]
        rows += [
            [
                f"Registry {each['registry']}",
                counted(each["linked_bytes"], "byte"),
                f"behind {counted(each['links'], 'link')}",
            ]
            for each in found["registries"]
        ]
        tell(as_json, found, in_columns(rows, ""))


def _storage(url: str, api_key: str, where: str, limit: int) -> dict[str, Any]:
    """The first teams and registries, of as many pages as are wanted."""
    whole: dict[str, Any] = {"teams": [], "registries": []}
    places: dict[str, str | None] = {"teams": "", "registries": ""}
    while wanted := [
        each for each, after in places.items() if after is not None and len(whole[each]) < limit
    ]:
        asked = {f"{each}_after": after for each, after in places.items() if after}
        asked["first"] = str(min(limit, PAGE_MAX))
        page = call(url, api_key, "GET", f"{where}?{urlencode(asked)}")
        whole["size_bytes"] = page["size_bytes"]
        for each in wanted:
            whole[each] = (whole[each] + page[each])[:limit]
            places[each] = page[f"next_{each}"]
    return whole


@member.command("ls")
def list_members(
    organization: str,
    text: Text = None,
    limit: Limit = LIMIT,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """List who is in an organization; its admins also see who is deactivated."""
    where = path("organizations", organization, "members")
    with telling(as_json):
        found = gather(url, api_key, where, "members", limit, q=text)
        tell(as_json, {"members": found}, in_columns(member_lines(found), "Nobody is called that."))


@member.command("set")
def set_member(
    organization: str,
    username: str,
    role: GroupRole,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Put a person into an organization in a role, or change their role."""
    where = path("organizations", organization, "members", username)
    with telling(as_json):
        answer = call(url, api_key, "PUT", where, {"role": role.value})
        tell(as_json, answer, f"{answer['username']} is {answer['role']} in {organization}.")


@member.command("rm")
def remove_member(
    organization: str,
    username: str,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Take a person out of an organization, its teams and its registries."""
    with telling(as_json):
        call(url, api_key, "DELETE", path("organizations", organization, "members", username))
        tell(as_json, {"removed": username}, f"{username} is out of {organization}.")


@member.command("deactivate")
def deactivate_member(
    organization: str,
    username: str,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Take a person out of an organization for a while; what they had there is remembered."""
    where = path("organizations", organization, "members", username, "deactivation")
    with telling(as_json):
        answer = call(url, api_key, "PUT", where)
        tell(as_json, answer, f"{answer['username']} is deactivated in {organization}.")


@member.command("activate")
def activate_member(
    organization: str,
    username: str,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Let a person back into an organization, with the roles they had."""
    where = path("organizations", organization, "members", username, "deactivation")
    with telling(as_json):
        answer = call(url, api_key, "DELETE", where)
        tell(as_json, answer, f"{answer['username']} is {answer['role']} in {organization} again.")


@member.command("deactivated")
def list_deactivated(
    organization: str,
    limit: Limit = LIMIT,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """List who is deactivated in an organization, with the role they come back in."""
    where = path("organizations", organization, "deactivations")
    with telling(as_json):
        found = gather(url, api_key, where, "members", limit)
        lines = [[each["username"], each["role"]] for each in found]
        tell(as_json, {"members": found}, in_columns(lines, "Nobody is deactivated."))
