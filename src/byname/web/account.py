"""`/account`: one's name, API keys, password and sessions (R193, A8)."""

from __future__ import annotations

from byname.domain.errors import DomainError, Invalid
from byname.http.router import Router
from byname.operations import key as keys
from byname.operations import session as sessions
from byname.operations import user as users
from byname.operations.key import NewKey
from byname.web.page import Site
from byname.web.visitor import Answer, Ask, Moved, Shown, form_for, page_for


def add_page(router: Router, site: Site) -> None:
    """The page at `/account` and its forms."""
    router.add("GET", "/account", page_for(site, read))
    router.add("POST", "/account", form_for(site, change))


def read(ask: Ask) -> Answer:
    """The person, whether they have a password, keys without secrets, and where they are logged in."""
    return _shown(ask)


def _shown(
    ask: Ask, made: NewKey | None = None, error: DomainError | None = None, where: str = ""
) -> Shown:
    return Shown(
        "account.html",
        {
            "user": users.get_viewer(ask.ctx),
            "has_password": sessions.has_password(ask.ctx),
            "keys": keys.list_keys(ask.ctx),
            "session": ask.session,
            "sessions": sessions.list_own(ask.ctx),
            "made": made,
            "where": where,
            "given": ask.form,
            "confirm": ask.query("delete") or "",
            "renaming": ask.query("rename") or (ask.text("key") if where == "rename-key" else ""),
        },
        error,
        once=made is not None,
    )


def number_in(text: str) -> int:
    """The number of a row that a form names; 0, which no row has, for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0


def change(ask: Ask) -> Answer:
    """A form of the page is done. A new key is shown in the answer, this once."""
    wish = ask.text("do")
    try:
        if wish == "make-key":
            return _shown(ask, made=keys.create_key(ask.ctx, name=ask.text("name")))
        if wish == "delete-key":
            keys.delete_key(ask.ctx, number_in(ask.text("key")))
        elif wish == "rename-key":
            keys.rename_key(ask.ctx, number_in(ask.text("key")), ask.text("name"))
        elif wish == "rename-self":
            users.rename_self(ask.ctx, ask.text("full_name"))
        elif wish == "end-session":
            sessions.end_own(ask.ctx, number_in(ask.text("session")))
        elif wish == "end-others":
            sessions.end_others(ask.ctx, ask.session)
        elif wish == "set-password":
            if ask.text("password") != ask.text("again"):
                raise Invalid("The two new passwords differ")
            sessions.set_password(
                ask.ctx,
                ask.site.guesses,
                current=ask.text("current"),
                password=ask.text("password"),
                address=ask.client,
                session=ask.session,
            )
        else:
            raise Invalid("This form is not one of this page")
    except DomainError as error:
        return _shown(ask, error=error, where=wish)
    return Moved(f"{ask.root}account")
