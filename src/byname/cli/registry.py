"""`byname registry`: registries of an organization."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from byname.cli.client import (
    DEFAULT_URL,
    LIMIT,
    ApiKey,
    Filter,
    Limit,
    Url,
    call,
    gather,
    path,
    registry_path,
)
from byname.cli.output import AsJson, Refused, in_columns, tell, telling
from byname.cli.words import Group

app = typer.Typer(cls=Group, no_args_is_help=True, help="List, create, edit and delete registries.")

Place = Annotated[str, typer.Argument(help="ORGANIZATION/REGISTRY")]


class Visibility(StrEnum):
    """Who may see a registry."""

    ORGANIZATION = "organization"
    RESTRICTED = "restricted"


@app.command("ls")
def list_registries(
    organization: str,
    filters: Filter = None,
    limit: Limit = LIMIT,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """List the registries that you may see, those you starred first."""
    with telling(as_json):
        where = path("registries", organization)
        found = gather(url, api_key, where, "registries", limit, filters=filters, order="starred")
        rows = [
            ["*" if each["starred"] else "", each["name"], each["visibility"], each["role"]]
            for each in found
        ]
        tell(as_json, {"registries": found}, in_columns(rows, "No registries."))


@app.command()
def create(
    place: Place,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    visibility: Annotated[
        Visibility, typer.Option(help="Who may see it.")
    ] = Visibility.ORGANIZATION,
    artifact_type: Annotated[
        list[str] | None,
        typer.Option("--type", help="A type it accepts; may be repeated. None is all types."),
    ] = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Create a registry; you become its admin."""
    organization, _, name = place.partition("/")
    body = {
        "name": name,
        "description": description,
        "visibility": visibility.value,
        "artifact_types": artifact_type or [],
    }
    with telling(as_json):
        if not organization or not name:
            raise Refused("invalid", f"{place!r} is no registry: write ORGANIZATION/REGISTRY", 2)
        made = call(url, api_key, "POST", path("registries", organization), body)
        tell(as_json, made, f"Created registry {made['full_name']}.")


@app.command()
def show(
    place: Place, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Show a registry's settings."""
    with telling(as_json):
        found = call(url, api_key, "GET", registry_path(place))
        types = "all" if found["allow_all_artifact_types"] else ", ".join(found["artifact_types"])
        rows = [
            ["Name", found["full_name"]],
            ["Description", found["description"] or ""],
            ["Visibility", found["visibility"]],
            ["Types", types],
            ["Default role", found["default_role"]],
            ["Your role", found["role"]],
            ["Owner", found["owner"] or ""],
            ["Icon", found["icon"]],
            ["Starred", "yes" if found["starred"] else "no"],
            ["Created", found["created_at"]],
        ]
        tell(as_json, found, in_columns(rows, ""))


@app.command()
def edit(
    place: Place,
    name: Annotated[str | None, typer.Option(help="Its new name.")] = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    visibility: Annotated[Visibility | None, typer.Option(help="Who may see it.")] = None,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Yes, show all of it to the organization.")
    ] = False,
    all_types: Annotated[
        bool | None, typer.Option("--all-types/--listed-types", help="Which types it accepts.")
    ] = None,
    add_type: Annotated[
        list[str] | None, typer.Option(help="A type to accept, for ever; may be repeated.")
    ] = None,
    default_role: Annotated[
        str | None, typer.Option(help="Of everybody: restricted_viewer, viewer or member.")
    ] = None,
    icon: Annotated[
        str | None, typer.Option(help="SHAPE-COLOUR, such as hexagon-teal; or generated.")
    ] = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Change some of a registry's settings, all or none."""
    given: dict[str, Any] = {
        "name": name,
        "description": description,
        "visibility": None if visibility is None else visibility.value,
        "allow_all_artifact_types": all_types,
        "default_role": default_role,
        "icon": icon,
    }
    body = {key: value for key, value in given.items() if value is not None}
    body |= {"confirm": confirm, "add_artifact_types": add_type or []}
    with telling(as_json):
        edited = call(url, api_key, "PATCH", registry_path(place), body)
        tell(as_json, edited, f"Changed registry {edited['full_name']}.")


@app.command()
def owner(
    place: Place,
    username: Annotated[str, typer.Argument(help="A member of the registry.")],
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Say which member answers for a registry. It allows them nothing."""
    with telling(as_json):
        body = {"username": username}
        answer = call(url, api_key, "PUT", registry_path(place, "owner"), body)
        tell(as_json, answer, f"{answer['owner']} is the owner of {place}.")


@app.command()
def star(
    place: Place, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """See a registry first in your lists."""
    with telling(as_json):
        call(url, api_key, "PUT", registry_path(place, "star"))
        tell(as_json, {"starred": place}, f"Starred {place}.")


@app.command()
def unstar(
    place: Place, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Take your star from a registry."""
    with telling(as_json):
        call(url, api_key, "DELETE", registry_path(place, "star"))
        tell(as_json, {"unstarred": place}, f"Took your star from {place}.")


@app.command("rm")
def remove(
    place: Place, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Delete a registry with its collections and links; the linked versions stay."""
    with telling(as_json):
        call(url, api_key, "DELETE", registry_path(place))
        tell(as_json, {"deleted": place}, f"Deleted registry {place}.")
