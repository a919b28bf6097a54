"""`byname automation`: when this happens here, do that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from byname.cli.client import DEFAULT_URL, LIMIT, ApiKey, Limit, Url, call, gather, path
from byname.cli.output import AsJson, Refused, in_columns, tell, telling
from byname.cli.scope import Organization, Project, Registry, Team, scope_of
from byname.cli.words import Group

app = typer.Typer(
    cls=Group, no_args_is_help=True, help="Automations: when this happens here, do that."
)

Id = Annotated[int, typer.Argument(help="The number that `ls` shows.")]
Event = Annotated[str | None, typer.Option("--event", help="For example ADD_ARTIFACT_ALIAS.")]
Alias = Annotated[str | None, typer.Option("--alias", help="This alias, exactly.")]
AliasRegex = Annotated[
    str | None, typer.Option("--alias-regex", help="Aliases in which this is found.")
]
Tag = Annotated[str | None, typer.Option("--tag", help="This tag, exactly.")]
TagRegex = Annotated[str | None, typer.Option("--tag-regex", help="Tags in which this is found.")]
Filter = Annotated[
    str | None, typer.Option("--filter", help="The filter as JSON, for example of run events.")
]
Webhook = Annotated[str | None, typer.Option("--webhook", help="Call this one: TEAM/WEBHOOK.")]
Slack = Annotated[str | None, typer.Option("--slack", help="Write there: TEAM/CHANNEL.")]
Nothing = Annotated[bool, typer.Option("--nothing", help="Only be recorded.")]
Payload = Annotated[
    str | None, typer.Option("--payload", help="What a webhook is sent: JSON, or @FILE.")
]
Template = Annotated[
    str | None, typer.Option("--template", help="Instead of a payload: default or cloudevents.")
]
Title = Annotated[str | None, typer.Option("--title", help="Of a Slack message.")]
Message = Annotated[str | None, typer.Option("--message", help="Of a Slack message: its text.")]
Severity = Annotated[str | None, typer.Option("--severity", help="INFO, WARN or ERROR.")]
Description = Annotated[str | None, typer.Option("--description", help="What it is for.")]


def _action(
    webhook: str | None,
    slack: str | None,
    *,
    nothing: bool,
    payload: str | None,
    template: str | None,
    title: str | None,
    message: str | None,
    severity: str | None,
) -> dict[str, Any] | None:
    """The action in the words of REST; None when none is given.

    Raises:
        Refused: more than one is given, or the payload's file cannot be read.
    """
    if (webhook is not None) + (slack is not None) + nothing > 1:
        raise Refused("invalid", "Of --webhook, --slack and --nothing only one can be said", 2)
    if nothing:
        return {"kind": "nothing"}
    target = webhook if webhook is not None else slack
    if target is None:
        return None
    team, _, name = target.partition("/")
    if not team or not name:
        raise Refused("invalid", f"{target!r} is no webhook or channel: write TEAM/NAME", 2)
    text = payload
    if payload is not None and payload.startswith("@"):
        try:
            text = Path(payload[1:]).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise Refused("invalid", f"{payload[1:]} cannot be read: {error}", 2) from None
    told = {
        "kind": "webhook" if webhook is not None else "slack",
        "team": team,
        "integration": name,
        "payload": text,
        "template": template,
        "title": title,
        "message": message,
        "severity": severity,
    }
    return {key: value for key, value in told.items() if value is not None}


def _filter(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise Refused("invalid", f"--filter is not JSON: {error}", 2) from None


def _line(each: dict[str, Any]) -> list[str]:
    target = each["action"]["kind"]
    if each["action"]["integration"]:
        target += f" {each['action']['team']}/{each['action']['integration']}"
    state = "on" if each["enabled"] else f"off {each['disabled_reason'] or ''}".rstrip()
    return [str(each["id"]), each["name"], each["event"], each["scope"]["name"], target, state]


def _shown(each: dict[str, Any]) -> str:
    lines = [["number", str(each["id"])], ["name", each["name"]]]
    lines += [
        ["event", each["event"]],
        ["where", f"{each['scope']['kind']} {each['scope']['name']}"],
    ]
    lines += [["filter", json.dumps(each["filter"])], ["action", " ".join(_line(each)[4:5])]]
    if each["action"]["payload"] is not None:
        lines.append(["payload", json.dumps(each["action"]["payload"])])
    for word in ("title", "message"):
        if each["action"][word]:
            lines.append([word, each["action"][word]])
    lines.append(["state", _line(each)[5]])
    lines.append(["made by", f"{each['created_by']} at {each['created_at']}"])
    lines.append(["last run", each["last_run_at"] or "never"])
    return in_columns(lines, "")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="The automation's name.")],
    event: Event,
    organization: Organization = None,
    registry: Registry = None,
    team: Team = None,
    project: Project = None,
    alias: Alias = None,
    alias_regex: AliasRegex = None,
    tag: Tag = None,
    tag_regex: TagRegex = None,
    filter_text: Filter = None,
    webhook: Webhook = None,
    slack: Slack = None,
    nothing: Nothing = False,
    payload: Payload = None,
    template: Template = None,
    title: Title = None,
    message: Message = None,
    severity: Severity = None,
    description: Description = None,
    disabled: Annotated[bool, typer.Option("--disabled", help="Make it switched off.")] = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Make an automation, for what happens from now on."""
    with telling(as_json):
        action = _action(
            webhook,
            slack,
            nothing=nothing,
            payload=payload,
            template=template,
            title=title,
            message=message,
            severity=severity,
        )
        if action is None:
            raise Refused("invalid", "Say what is done: --webhook, --slack or --nothing", 2)
        body = {
            "name": name,
            "description": description,
            "enabled": not disabled,
            "scope": scope_of(organization, registry, team, project),
            "event": event,
            "alias": alias,
            "alias_regex": alias_regex,
            "tag": tag,
            "tag_regex": tag_regex,
            "filter": _filter(filter_text),
            "action": action,
        }
        given = {key: value for key, value in body.items() if value is not None}
        made = call(url, api_key, "POST", path("automations"), given)
        tell(as_json, made, f"Automation {made['id']} watches {made['scope']['name']}.")


@app.command()
def edit(
    number: Id,
    rename: Annotated[str | None, typer.Option("--rename", help="A new name.")] = None,
    event: Event = None,
    organization: Organization = None,
    registry: Registry = None,
    team: Team = None,
    project: Project = None,
    alias: Alias = None,
    alias_regex: AliasRegex = None,
    tag: Tag = None,
    tag_regex: TagRegex = None,
    filter_text: Filter = None,
    webhook: Webhook = None,
    slack: Slack = None,
    nothing: Nothing = False,
    payload: Payload = None,
    template: Template = None,
    title: Title = None,
    message: Message = None,
    severity: Severity = None,
    description: Description = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Change what is given of an automation. A new payload or message needs its target, too."""
    with telling(as_json):
        action = _action(
            webhook,
            slack,
            nothing=nothing,
            payload=payload,
            template=template,
            title=title,
            message=message,
            severity=severity,
        )
        if action is None and any((payload, template, title, message, severity)):
            raise Refused("invalid", "Say for which --webhook or --slack that is", 2)
        body = {
            "name": rename,
            "description": description,
            "scope": scope_of(organization, registry, team, project) or None,
            "event": event,
            "alias": alias,
            "alias_regex": alias_regex,
            "tag": tag,
            "tag_regex": tag_regex,
            "filter": _filter(filter_text),
            "action": action,
        }
        given = {key: value for key, value in body.items() if value is not None}
        made = call(url, api_key, "PATCH", path("automations", str(number)), given)
        tell(as_json, made, _shown(made))


@app.command("ls")
def list_all(
    organization: Organization = None,
    registry: Registry = None,
    team: Team = None,
    project: Project = None,
    name: Annotated[str | None, typer.Option("--name", help="Only that of this name.")] = None,
    limit: Limit = LIMIT,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """List the automations of a place and of all that lies in it."""
    with telling(as_json):
        scope = scope_of(organization, registry, team, project)
        found = gather(url, api_key, path("automations"), "automations", limit, name=name, **scope)
        rows = [_line(each) for each in found]
        tell(as_json, {"automations": found}, in_columns(rows, "There is no automation."))


@app.command()
def show(number: Id, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False) -> None:
    """Show an automation."""
    with telling(as_json):
        found = call(url, api_key, "GET", path("automations", str(number)))
        tell(as_json, found, _shown(found))


def _switch(number: int, url: str, api_key: str, *, on: bool, as_json: bool) -> None:
    with telling(as_json):
        made = call(url, api_key, "PATCH", path("automations", str(number)), {"enabled": on})
        tell(as_json, made, f"{made['name']} is {'on' if made['enabled'] else 'off'}.")


@app.command()
def enable(
    number: Id, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Switch an automation on, for what happens from now on."""
    _switch(number, url, api_key, on=True, as_json=as_json)


@app.command()
def disable(
    number: Id, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Switch an automation off."""
    _switch(number, url, api_key, on=False, as_json=as_json)


@app.command("rm")
def remove(
    number: Id, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Delete an automation."""
    with telling(as_json):
        call(url, api_key, "DELETE", path("automations", str(number)))
        tell(as_json, {"deleted": number}, f"Automation {number} is gone.")
