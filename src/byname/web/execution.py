"""The automations history of a registry: every execution, with what was sent and answered (R140)."""

from __future__ import annotations

from byname.domain.delivery import State
from byname.domain.errors import DomainError, Invalid, Unprocessable, missing
from byname.domain.execution import Wanted
from byname.domain.policy import Permission
from byname.http.router import Router
from byname.operations import automation as automations
from byname.operations import collection as collections
from byname.operations import execution as operations
from byname.web import registry
from byname.web.looks import project_path, why_not, with_query
from byname.web.page import Site
from byname.web.visitor import Answer, Ask, Moved, Shown, form_for, page_for

PAGE = 50
PATH = registry.PATH + "/automations-history"
STATES = {State.FINISHED: "good", State.FAILED: "bad", State.PENDING: ""}


def add_page(router: Router, site: Site) -> None:
    """The list at `.../automations-history`, and the forms on it."""
    router.add("GET", PATH, page_for(site, read))
    router.add("POST", PATH, form_for(site, change))


def read(ask: Ask) -> Answer:
    """The executions, newest first; one of them open, when asked."""
    return _shown(ask)


def _shown(ask: Ask, error: DomainError | None = None) -> Shown:
    home = registry.find(ask)
    values = registry.head(ask, home, "automations-history")
    here = values["here"] + "/automations-history"
    text = (ask.query("q") or "").strip()
    word = ask.query("state") or ""
    state = next((each for each in State if each.value == word), None)
    place = (ask.query("collection") or "").strip()
    inside = collections.find(ask.ctx, home.id, place) if place else None
    if place and inside is None:
        raise missing(f"Collection {place[:80]!r} in {home.place}")
    asked = {"q": text, "state": word, "collection": place}
    found = operations.list_within(
        ask.ctx,
        "project" if inside is None else "collection",
        home.id if inside is None else inside.id,
        wanted=Wanted(automation=text or None, state=state),
        after=ask.query("after"),
        first=PAGE,
    )
    opened = _number(ask.query("open"))
    more = with_query(here, **asked, after=found.end_cursor) if found.has_next else None
    return Shown(
        "executions.html",
        {
            **values,
            "history_path": here,
            "asked": lambda **more: with_query(here, **(asked | more)),
            "collection_name": place,
            "listed": found.items,
            "opened": None if opened is None else operations.get(ask.ctx, opened, within=home),
            "text": text,
            "state": word if state is not None else "",
            "states": STATES,
            "more": more,
            "later": ask.query("after") is not None,
            "denied": why_not(values["role"], Permission.AUTOMATE_COLLECTION),
        },
        error,
    )


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Unprocessable("This is the number of no execution")
    return int(text)


def change(ask: Ask) -> Answer:
    """Retry, or switch the automation off; the operation decides whether the person may."""
    home = registry.find(ask)
    here = f"{ask.root}{project_path(home)}/automations-history"
    wish = ask.text("do")
    try:
        number = _number(ask.text("execution"))
        if wish == "retry" and number is not None:
            made = operations.retry(ask.ctx, number, within=home)
            said = f"{made.automation_name} is sent again."
        elif wish == "disable" and number is not None:
            found, _ = operations.get(ask.ctx, number, within=home)
            edit = automations.AutomationEdit(enabled=False)
            automations.edit(ask.ctx, found.automation_id, edit)
            said = f"{found.automation_name} is off; what waits is sent once it is on again."
        else:
            raise Invalid("This form is not one of this page")
    except DomainError as error:
        return _shown(ask, error)
    return Moved(here, notice=said)
