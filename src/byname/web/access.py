"""Registry access: who is in a registry and in which role; adding and removing (R108)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from byname.domain.errors import DomainError, Unprocessable, missing
from byname.domain.member import parse_role
from byname.domain.policy import Permission, Role
from byname.domain.project import Project
from byname.http.router import Router
from byname.operations import member, registry_access
from byname.operations import project as projects
from byname.web import registry
from byname.web.looks import plural, project_path, why_not
from byname.web.page import Site
from byname.web.visitor import Answer, Ask, Moved, Shown, form_for, page_for

PATH = registry.PATH + "/access"


def add_page(router: Router, site: Site) -> None:
    """The page at `.../access` where users and teams are looked for and added."""
    router.add("GET", PATH, page_for(site, read))
    router.add("POST", PATH, form_for(site, add))


def read(ask: Ask) -> Answer:
    """Who could be added, of those whose name or address holds the text."""
    return _shown(ask, registry.find(ask))


def _shown(ask: Ask, home: Project, error: DomainError | None = None) -> Shown:
    reason = why_not(projects.role_in(ask.ctx, home), Permission.MANAGE_MEMBERS)
    text = (ask.query("who") or "").strip()
    found = (
        registry_access.Candidates([], [])
        if reason
        else registry_access.find_candidates(ask.ctx, home.id, text)
    )
    here = ask.root + project_path(home)
    return Shown(
        "registry_access.html",
        {
            "registry": home,
            "here": here,
            "settings": here + "/settings",
            "text": text,
            "found": found,
            "why_not": reason,
            "roles": list(Role),
            "given": ask.form,
        },
        error,
    )


def add(ask: Ask) -> Answer:
    """Those who were chosen are in the registry in the role chosen; all of them or none."""
    home = registry.find(ask)
    try:
        users, teams = _chosen(ask.form)
        word = ask.text("role")
        member.add(
            ask.ctx,
            home.id,
            user_ids=users,
            team_ids=teams,
            role=parse_role(word) if word else None,
        )
    except DomainError as error:
        return _shown(ask, home, error)
    said = f"{plural(len(users) + len(teams), 'was', 'were')} given access."
    return _moved(ask, home, said)


def _chosen(form: Mapping[str, str]) -> tuple[list[int], list[int]]:
    """The ids of the users and teams whose boxes are ticked."""
    users: list[int] = []
    teams: list[int] = []
    for name, value in form.items():
        kind, _, number = name.partition("-")
        if kind in ("user", "team") and value == "on" and number.isdecimal() and len(number) < 19:
            (users if kind == "user" else teams).append(int(number))
    if not users and not teams:
        raise Unprocessable("Choose who is to have access", field="user")
    return users, teams


# ---- forms and questions on the settings page --------------------------------------------------


def ask_remove(ask: Ask, home: Project) -> Shown:
    """The page that asks whether somebody is really to be removed."""
    kind, name = ask.query("kind") or "", ask.query("name") or ""
    here = ask.root + project_path(home)
    if kind not in ("user", "team"):
        raise missing("This member")
    return Shown(
        "settings_confirm.html",
        {
            "registry": home,
            "here": here,
            "settings": here + "/settings",
            "given": ask.form,
            "wish": "remove",
            "kind": kind,
            "name": name,
            "uses": 0,
        },
    )


def _set_role(ask: Ask, home: Project) -> Answer:
    name, role = ask.text("name"), parse_role(ask.text("role"))
    had = parse_role(ask.text("had")) if ask.text("had") else None
    put = member.put_named_team if ask.text("kind") == "team" else member.put_named_user
    put(ask.ctx, home.id, name, role, expected=had)
    return _moved(ask, home, f"{name} is {role.word.replace('_', ' ')} here now.")


def _remove(ask: Ask, home: Project) -> Answer:
    name = ask.text("name")
    if ask.text("kind") == "team":
        member.remove_named_team(ask.ctx, home.id, name)
    else:
        member.remove_named_user(ask.ctx, home.id, name)
    return _moved(ask, home, f"{name} was removed.")


def _make_owner(ask: Ask, home: Project) -> Answer:
    owner = member.make_named_owner(ask.ctx, home.id, ask.text("name"))
    return _moved(ask, home, f"{owner.username} is the owner now.")


def _moved(ask: Ask, home: Project, notice: str) -> Moved:
    return Moved(f"{ask.root}{project_path(home)}/settings#access", notice=notice)


FORMS: dict[str, Callable[[Ask, Project], Answer]] = {
    "set-role": _set_role,
    "remove": _remove,
    "owner": _make_owner,
}
"""What the settings page's forms about access do, by their word."""
