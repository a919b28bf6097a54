"""`/account`: one's password and API keys (R193)."""

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
    """The person, whether they have a password, and their keys without secrets."""
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
            "made": made,
            "where": where,
            "confirm": ask.query("delete") or "",
        },
        error,
    )


def change(ask: Ask) -> Answer:
    """Make or delete a key, or set the password. A new key is shown in the answer, this once."""
    wish = ask.text("do")
    try:
        if wish == "make-key":
            return _shown(ask, made=keys.create_key(ask.ctx, name=ask.text("name")))
        if wish == "delete-key":
            number = ask.text("key")
            keys.delete_key(ask.ctx, int(number) if number.isdecimal() and len(number) < 20 else 0)
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
