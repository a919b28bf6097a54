"""A team's webhooks, Slack channels and secrets, managed by its admins (R132 to R148)."""

from __future__ import annotations

from dataclasses import replace

from byname.domain import payload
from byname.domain.delivery import Reply
from byname.domain.entity import Entity
from byname.domain.errors import Conflict, DomainError, Forbidden
from byname.domain.integration import Integration, IntegrationKind
from byname.operations import integration as operations
from byname.operations import meanwhile as saving
from byname.operations import secret as secrets
from byname.operations import trial
from byname.operations.integration import Wanted
from byname.web import meanwhile, team
from byname.web.looks import segment
from byname.web.visitor import Answer, Ask, Moved, Shown

SHOWN_MAX = 1_000
TAB = "integrations"
TEST = "test-integration"
WORDS = {IntegrationKind.WEBHOOK: "Webhook", IntegrationKind.SLACK: "Slack channel"}


def add_to_team() -> None:
    """The team's page has this tab and its forms."""
    team.TABS[TAB] = read
    for wish in ("make-webhook", "edit-webhook", "make-slack", "edit-slack"):
        team.FORMS[wish] = _put_integration
    team.FORMS["delete-integration"] = _delete_integration
    team.FORMS[TEST] = _test_integration
    team.FORMS["make-secret"] = team.FORMS["replace-secret"] = _put_secret
    team.FORMS["delete-secret"] = _delete_secret


def read(ask: Ask, home: Entity) -> Answer:
    """What the team has; or the form for one of them; or the question before deleting."""
    return _shown(ask, home)


def _shown(
    ask: Ask,
    home: Entity,
    error: DomainError | None = None,
    where: str = "",
    reply: Reply | None = None,
) -> Shown:
    place = team.place_of(ask, home, TAB)
    denied: str | None = None
    listed, known = [], []
    try:
        listed = operations.list_all(ask.ctx, home.name, limit=SHOWN_MAX)
        known = secrets.list_all(ask.ctx, home.name)
    except Forbidden as refusal:
        denied = refusal.message
    chosen = None
    kind, name = _read_kind(ask.query("kind") or ask.text("kind")), ask.query("name")
    if where == TEST:
        name = ask.text("name")
    if kind is not None and name and denied is None:
        chosen = next((each for each in listed if (each.kind, each.name) == (kind, name)), None)
    return Shown(
        "team_integrations.html",
        {
            **place,
            "where": where,
            "denied": denied,
            "webhooks": [each for each in listed if each.kind is IntegrationKind.WEBHOOK],
            "channels": [each for each in listed if each.kind is IntegrationKind.SLACK],
            "secrets": known,
            "chosen": chosen,
            "meanwhile": None if chosen is None else _meanwhile(ask, chosen, error),
            "testing": where == TEST or ask.query("test") is not None,
            "payload": ask.form.get("payload", payload.DEFAULT),
            "reply": reply,
            "words": WORDS,
            "confirm": ask.query("confirm") or ("secret" if where == "delete-secret" else ""),
            "asked": name or ask.text("name"),
        },
        error,
        once=reply is not None,
    )


def _meanwhile(
    ask: Ask, chosen: Integration, error: DomainError | None
) -> meanwhile.Meanwhile | None:
    fields = {"name": ("Name", chosen.name), "url": ("Address", chosen.url or "")}
    found = meanwhile.told(ask, error, fields, lambda: None)
    # Who it was stands in the audit log, which not every admin of a team may read.
    return None if found is None else replace(found, at=chosen.updated_at)


def _read_kind(text: str) -> IntegrationKind | None:
    return next((kind for kind in IntegrationKind if kind.value == text), None)


def _done(ask: Ask, home: Entity, notice: str) -> Moved:
    return Moved(f"{ask.root}{segment(home.name)}?tab={TAB}", notice=notice)


def _put_integration(ask: Ask, home: Entity) -> Answer:
    """One is made or changed. What is a secret already stays when its field is left empty."""
    wish = ask.text("do")
    kind = IntegrationKind.SLACK if wish.endswith("slack") else IntegrationKind.WEBHOOK
    name = ask.text("name").strip()
    given = {field: ask.text(field).strip() or None for field in ("url", "access_token", "secret")}
    try:
        if wish.startswith("make"):
            made = operations.create(ask.ctx, home.name, kind, Wanted(name=name, **given))
            return _done(ask, home, f"{WORDS[kind]} {made.name} was added.")
        for field in ("access_token", "secret"):
            if ask.text(f"no_{field}"):
                given[field] = ""
        called = ask.text("present")

        def present() -> dict[str, str]:
            found = operations.get(ask.ctx, home.name, kind, called)
            return {"name": found.name, "url": found.url or ""}

        def save(merged: dict[str, str]) -> Integration:
            fields = given | {"url": merged["url"] or None}
            return operations.edit(
                ask.ctx, home.name, kind, called, Wanted(name=merged["name"], **fields)
            )

        wanted = {"name": name, "url": given["url"] or ""}
        edited = saving.save(ask.ctx, ask.text("was"), present, wanted, save)
    except DomainError as error:
        return _shown(ask, home, error, wish)
    return _done(ask, home, f"{WORDS[kind]} {edited.name} was changed.")


def _delete_integration(ask: Ask, home: Entity) -> Answer:
    kind = _read_kind(ask.text("kind")) or IntegrationKind.WEBHOOK
    try:
        operations.delete(ask.ctx, home.name, kind, ask.text("name"))
    except DomainError as error:
        return _shown(ask, home, error, "delete-integration")
    return _done(ask, home, f"{WORDS[kind]} {ask.text('name')} was deleted.")


def _test_integration(ask: Ask, home: Entity) -> Answer:
    """One request is sent, and the page shows what was answered; nothing of it is kept (R139, S4)."""
    kind = _read_kind(ask.text("kind")) or IntegrationKind.WEBHOOK
    given = ask.form.get("payload" if kind is IntegrationKind.WEBHOOK else "message")
    text = None if given is None else given.replace("\r\n", "\n")
    try:
        reply = trial.send(ask.ctx, home.name, kind, ask.text("name"), text)
    except DomainError as error:
        return _shown(ask, home, error, TEST)
    return _shown(ask, home, where=TEST, reply=reply)


def _put_secret(ask: Ask, home: Entity) -> Answer:
    wish, name = ask.text("do"), ask.text("name").strip()
    act = secrets.create if wish == "make-secret" else secrets.replace
    try:
        act(ask.ctx, home.name, name, ask.text("value"))
    except DomainError as error:
        return _shown(ask, home, error, wish)
    word = "was added" if wish == "make-secret" else "has a new value"
    return _done(ask, home, f"Secret {name} {word}.")


def _delete_secret(ask: Ask, home: Entity) -> Answer:
    name = ask.text("name")
    try:
        secrets.delete(ask.ctx, home.name, name, force=ask.text("sure") == "yes")
    except Conflict as error:
        # It names the webhooks; the page asks again (R148).
        return _shown(ask, home, error, "delete-secret")
    except DomainError as error:
        return _shown(ask, home, error, "delete-secret")
    return _done(ask, home, f"Secret {name} was deleted.")
