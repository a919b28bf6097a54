"""Service accounts of a team or an organization: a list, making one, its keys, deleting it (R192)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byname.domain.entity import Entity, EntityKind
from byname.domain.errors import DomainError, Invalid
from byname.operations import group as groups
from byname.operations import key as keys
from byname.operations import service_account as operations
from byname.operations import team as teams
from byname.web.account import number_in
from byname.web.looks import with_query
from byname.web.pager import pager_of
from byname.web.visitor import Answer, Ask, Moved, Shown

PAGE = 50


def read(ask: Ask, home: Entity, place: Mapping[str, Any]) -> Shown:
    """The accounts, the keys of one with `?account=`, or with `?remove=` whether one is to go.

    `place` is what the page of the team or organization shows around it: its `head`, and `here`.
    """
    return _shown(ask, home, place)


def _shown(
    ask: Ask,
    home: Entity,
    place: Mapping[str, Any],
    error: DomainError | None = None,
    secret: tuple[str, str] | None = None,
) -> Shown:
    leaving = ask.query("remove") or (
        ask.text("username") if ask.text("do") == "delete-account" else ""
    )
    if leaving:
        return Shown("service_account_delete.html", {**place, "username": leaving}, error)
    page = groups.members(ask.ctx, home, service=True, after=ask.query("after"), first=PAGE)
    following = page.end_cursor if page.has_next else None
    name = ask.query("account") or ask.text("username")
    chosen = operations.find(ask.ctx, home, name) if name and not place["why_not"] else None
    known = [] if chosen is None else keys.list_keys(ask.ctx, username=chosen.username)
    asked = next((each for each in known if str(each.id) == ask.query("key")), None)
    if chosen is not None and asked is not None:
        back = with_query(str(place["here"]), account=chosen.username)
        values = {**place, "key": asked, "owner": chosen.username, "back": back}
        return Shown("key_delete.html", {**values, "wish": "delete-account-key"}, error)
    return Shown(
        "service_accounts.html",
        {
            **place,
            "home": home,
            "is_team": home.kind is EntityKind.TEAM,
            "accounts": page.items,
            "total": page.count(),
            "pager": pager_of(ask.query, place["here"], following),
            "chosen": None if chosen is None else chosen.username,
            "keys": known,
            "secret": secret,
            "given": ask.form,
        },
        error,
        once=secret is not None,
    )


def change(ask: Ask, home: Entity, place: Mapping[str, Any]) -> Answer:
    """A form of the list; the operation decides who may. A new key is shown this one time."""
    wish, name, here = ask.text("do"), ask.text("username"), str(place["here"])
    is_team = home.kind is EntityKind.TEAM
    try:
        if wish == "make-account":
            wanted = ask.text("name").strip()
            if is_team:
                made = teams.create_service_account(ask.ctx, team=home.name, name=wanted)
            else:
                made = operations.create(ask.ctx, organization=home.name, name=wanted)
            return _shown(ask, home, place, secret=(made.user.username, made.api_key))
        if wish == "make-account-key":
            key = keys.create_key(ask.ctx, name=ask.text("name"), username=name)
            return _shown(ask, home, place, secret=(key.username, key.secret))
        if wish == "delete-account-key":
            keys.delete_key(ask.ctx, number_in(ask.text("key")))
            return Moved(with_query(here, account=name), notice="The key opens nothing any more.")
        if wish != "delete-account":
            raise Invalid("This form is not one of this page")
        (teams.remove_member if is_team else operations.delete)(ask.ctx, home.name, name)
    except DomainError as error:
        return _shown(ask, home, place, error)
    return Moved(here, notice=f"{name} is gone, and so are its keys.")
