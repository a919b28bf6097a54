"""What automations did: the history of `byname automation`, and doing a part of it again."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from byname.cli.client import (
    DEFAULT_URL,
    ApiKey,
    Limit,
    Url,
    call,
    gather,
    path,
)
from byname.cli.output import EXIT_INTERNAL, AsJson, Refused, counted, in_columns, tell, telling
from byname.cli.scope import Organization, Project, Registry, Team, scope_of


def _executed(each: dict[str, Any]) -> list[str]:
    answer = each["error"] or ("" if each["status"] is None else f"HTTP {each['status']}")
    attempts = counted(each["attempts"], "attempt")
    told = [str(each["id"]), each["event_at"], each["automation_name"], each["event"]]
    return [*told, each["subject"], each["state"], attempts, answer]


def history(
    number: Annotated[int | None, typer.Argument(help="The number that `ls` shows.")] = None,
    organization: Organization = None,
    registry: Registry = None,
    team: Team = None,
    project: Project = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Only with this in the automation's name.")
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", help="Only with this in the version's name.")
    ] = None,
    state: Annotated[
        str | None, typer.Option("--state", help="Only pending, finished or failed.")
    ] = None,
    event: Annotated[str | None, typer.Option("--event", help="Only of this event.")] = None,
    limit: Limit = 100,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """List what an automation did, or those of a place, newest first.

    Of a registry, project or collection: what any automation did because of what happened there.
    """
    with telling(as_json):
        scope = scope_of(organization, registry, team, project)
        if (number is None) is not bool(scope):
            raise Refused(
                "invalid",
                "Say one: the number of an automation, --organization, --registry, --team or "
                "--project",
                2,
            )
        where = path("executions") if scope else path("automations", str(number), "executions")
        asked = {"name": name, "text": text, "state": state, "event": event}
        found = gather(url, api_key, where, "executions", limit, **asked, **scope)
        rows = [_executed(each) for each in found]
        tell(as_json, {"executions": found}, in_columns(rows, "Nothing was done yet."))


def show(
    execution: Annotated[int, typer.Argument(help="The number that `history` shows.")],
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Show what an automation did once: what was sent, each attempt, and what was answered."""
    with telling(as_json):
        found = call(url, api_key, "GET", path("executions", str(execution)))
        rows = [
            ["Automation", f"{found['automation_name']} ({found['automation']})"],
            ["Event", f"{found['event']} of {found['subject']}"],
            ["At", found["event_at"]],
            ["Action", " ".join(filter(None, [found["action"], found["target"]]))],
            ["Delivery", found["delivery_id"]],
            ["State", found["state"]],
            ["Next attempt", found["next_at"] or "none"],
            ["Payload", found["payload"]],
        ]
        for each in found["made"]:
            said = each["error"] or f"HTTP {each['status']}: {each['answer']}".rstrip(": ")
            rows.append([f"Attempt {each['number']}", f"{each['at']}  {said}"])
        tell(as_json, found, in_columns(rows, ""))


def retry(
    execution: Annotated[int, typer.Argument(help="The number that `history` shows.")],
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Deliver at once what failed or waits, under the same delivery id."""
    with telling(as_json):
        made = call(url, api_key, "POST", path("executions", str(execution), "retry"))
        tell(as_json, made, f"{made['automation_name']} is sent again ({made['delivery_id']}).")


def replay(
    number: Annotated[int, typer.Argument(help="The number that `ls` shows.")],
    after: Annotated[
        str,
        typer.Option("--after", help="A place of the history, for example 120.0; 0.0: its begin."),
    ],
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Have what happened behind a place of the history fire an automation once more."""
    with telling(as_json):
        count, place = 0, after
        while True:
            made = call(
                url, api_key, "POST", path("automations", str(number), "replay"), {"after": place}
            )
            count += made["executions"]
            if made["next"] is None:
                break
            place = made["next"]
        tell(as_json, {"executions": count}, _told_made(count))


def _told_made(count: int) -> str:
    return "1 execution is made." if count == 1 else f"{count} executions are made."


def try_out(
    url: str, api_key: str, where: str, payload: str | None, name: str, *, as_json: bool
) -> None:
    """Send a test to a webhook or channel, and tell what was answered.

    Raises:
        Refused: what the receiver answered is no success, or the server refused to send.
    """
    body = {} if payload is None else {"payload": payload}
    made = call(url, api_key, "POST", where, body)
    status = made["status"]
    if made["error"] is not None or status is None or not 200 <= status < 300:
        said = made["error"] or f"it answered HTTP {status}: {made['answer']}".rstrip(": ")
        raise Refused("undelivered", f"{name} did not take the test: {said}", EXIT_INTERNAL)
    text = f"{name} answered HTTP {status} in {made['milliseconds']} ms."
    tell(as_json, made, "\n".join(filter(None, [text, made["answer"]])))
