"""The settings of a registry: what it is, what it takes, what it protects, and deleting it (R176)."""

from __future__ import annotations

from typing import Any

from byname.domain import icon as icons
from byname.domain.errors import Conflict, DomainError, Invalid, Unprocessable
from byname.domain.member import parse_role
from byname.domain.policy import Permission, Role
from byname.domain.project import Project
from byname.http.router import Router
from byname.operations import meanwhile as saving
from byname.operations import member, registry_access
from byname.operations import project as projects
from byname.operations import protected_alias as protected_aliases
from byname.operations import registry as registries
from byname.web import access, meanwhile, registry
from byname.web.account import number_in
from byname.web.looks import plural, project_path, why_not, with_query
from byname.web.page import Site
from byname.web.pager import pager_of
from byname.web.visitor import Answer, Ask, Moved, Shown, form_for, page_for

PEOPLE, NAMES = 50, 100
PATH = registry.PATH + "/settings"
LABELS = {
    "name": "Name",
    "description": "Description",
    "visibility": "Visibility",
    "default_role": "Role of everyone",
}
DEFAULT_ROLES = (Role.RESTRICTED_VIEWER, Role.VIEWER, Role.MEMBER)


def add_page(router: Router, site: Site) -> None:
    """The page at `.../settings`, and the forms on it."""
    router.add("GET", PATH, page_for(site, read))
    router.add("POST", PATH, form_for(site, change))


def read(ask: Ask) -> Answer:
    """The settings; or the page that asks whether something is really meant."""
    home = registry.find(ask)
    wish = ask.query("confirm")
    if wish == "unprotect":
        return _ask_unprotect(ask, home)
    if wish == "delete":
        return _ask_delete(ask, home)
    if wish == "remove":
        return access.ask_remove(ask, home)
    if ask.query("uses") is not None:
        return _uses(ask, home)
    return shown(ask, home)


def shown(ask: Ask, home: Project, error: DomainError | None = None, where: str = "") -> Shown:
    """The settings, with what was wrong beside the form it was wrong in."""
    values = registry.head(ask, home, "settings")
    role = values["role"]
    text = (ask.query("person") or "").strip()
    here = values["here"] + "/settings"
    people = registry_access.list_people(
        ask.ctx, home, text, after=ask.query("after"), first=PEOPLE
    )
    names = protected_aliases.list_page(
        ask.ctx, home.id, after=ask.query("names-after"), first=NAMES
    )
    teams = member.list_some_teams(ask.ctx, home, after=ask.query("teams-after"), first=PEOPLE)
    return Shown(
        "registry_settings.html",
        {
            **values,
            "settings": here,
            "types": registries.list_accepted_types(ask.ctx, [home])[home.id],
            "names": names.items,
            "names_total": names.count(),
            "names_pager": pager_of(
                ask.query, here, names.end_cursor if names.has_next else None, "names-"
            ),
            "people": people.items,
            "person": text,
            "pager": pager_of(
                ask.query,
                with_query(here, person=text),
                people.end_cursor if people.has_next else None,
            ),
            "given_teams": teams.items,
            "teams_pager": pager_of(
                ask.query, here, teams.end_cursor if teams.has_next else None, "teams-"
            ),
            "roles": list(Role),
            "default_roles": DEFAULT_ROLES,
            "shapes": list(icons.SHAPES),
            "colours": list(icons.COLOURS),
            "pictures": {
                **{shape: icons.Icon(shape, home.icon.colour).svg for shape in icons.SHAPES},
                **{colour: icons.Icon("circle", colour).svg for colour in icons.COLOURS},
            },
            "may_edit": why_not(role, Permission.EDIT_PROJECT),
            "may_type": why_not(role, Permission.ADD_TYPE),
            "may_all_types": why_not(role, Permission.SET_ALL_TYPES),
            "may_visibility": why_not(role, Permission.SET_VISIBILITY),
            "may_icon": why_not(role, Permission.SET_ICON),
            "may_protect": why_not(role, Permission.MANAGE_PROTECTED),
            "may_manage": why_not(role, Permission.MANAGE_MEMBERS),
            "may_delete": _why_not_delete(ask, home, role),
            "where": where,
            "given": ask.form,
            "meanwhile": meanwhile.told(
                ask,
                error,
                {name: (LABELS[name], text) for name, text in _state(home).items()},
                lambda: meanwhile.last_change(ask, home, ("registry:update", "registry:rename")),
            ),
        },
        error,
    )


def _state(home: Project) -> dict[str, str]:
    """What of the registry its forms change, as they show it."""
    return {
        "name": home.registry_name,
        "description": home.description or "",
        "visibility": "restricted" if home.restricted else "organization",
        "default_role": home.default_role.word,
    }


def _why_not_delete(ask: Ask, home: Project, role: Role | None) -> str | None:
    """Why this person may not delete the registry (R171)."""
    reason = why_not(role, Permission.DELETE_PROJECT)
    who = ask.ctx.who
    if reason or who.administers(home.organization_id) or home.created_by == who.user_id:
        return reason
    return f"Only who created it, or an admin of {home.entity_name}, may delete it."


# ---- what asks first ---------------------------------------------------------------------------


def _confirm(ask: Ask, home: Project, error: DomainError | None, **values: Any) -> Shown:
    here = ask.root + project_path(home)
    given = {"registry": home, "here": here, "settings": here + "/settings", "given": ask.form}
    return Shown("settings_confirm.html", {**given, **values}, error)


def _ask_protect(ask: Ask, home: Project, name: str, uses: int) -> Shown:
    return _confirm(ask, home, None, wish="protect", name=name, uses=uses)


def _ask_unprotect(ask: Ask, home: Project, error: DomainError | None = None) -> Shown:
    name = ask.text("name") or ask.query("name") or ""
    known = protected_aliases.find(ask.ctx, home.id, name)
    if known is None and error is None:
        error = Unprocessable(f"{home.registry_name} does not protect {name[:200]!r}")
    uses = 0 if known is None else known.uses
    return _confirm(ask, home, error, wish="unprotect", name=name, uses=uses)


def _ask_widen(ask: Ask, home: Project) -> Shown:
    return _confirm(ask, home, None, wish="visibility", name="", uses=0)


def _ask_delete(ask: Ask, home: Project, error: DomainError | None = None) -> Shown:
    sizes = registry.head(ask, home, "settings")["sizes"]
    role = projects.role_in(ask.ctx, home)
    reason = _why_not_delete(ask, home, role)
    return _confirm(ask, home, error, wish="delete", name="", uses=0, sizes=sizes, why_not=reason)


def _uses(ask: Ask, home: Project) -> Shown:
    """While one types a name: how many uses protecting it would lock (R89)."""
    name = (ask.query("name") or "").strip()
    told = ""
    try:
        if name:
            told = _told_uses(protected_aliases.count_uses(ask.ctx, home.id, name))
    except DomainError as error:
        told = error.message
    return Shown("settings_uses.html", {"told": told})


def _told_uses(uses: int) -> str:
    if uses == 0:
        return "No version here holds that alias now."
    return f"{plural(uses, 'version holds', 'versions hold')} it now and will be locked at once."


# ---- what the forms do -------------------------------------------------------------------------


def change(ask: Ask) -> Answer:
    """Do what the form asks; the operation decides who may (R92, R179)."""
    home = _find(ask)
    wish = ask.text("do")
    doers = {
        "describe": _describe,
        "icon": _set_icon,
        "visibility": _set_visibility,
        "types": _set_types,
        "add-type": _add_type,
        "protect": _protect,
        "unprotect": _unprotect,
        "delete": _delete,
        **access.FORMS,
    }
    do = doers.get(wish)
    if do is None:
        raise Invalid("This form is not one of this page")
    try:
        return do(ask, home)
    except DomainError as error:
        if wish == "delete":
            return _ask_delete(ask, home, error)
        if wish == "unprotect":
            return _ask_unprotect(ask, home, error)
        return shown(ask, home, error, wish)


def _find(ask: Ask) -> Project:
    """The registry on whose page the form stood, however it is called by now."""
    number = number_in(ask.text("place"))
    if not number:
        return registry.find(ask)
    found = projects.get(ask.ctx, number)
    return found if found.is_registry else registry.find(ask)


def moved(ask: Ask, home: Project, notice: str) -> Moved:
    """Back to the settings, which say what was done."""
    return Moved(f"{ask.root}{project_path(home)}/settings", notice=notice)


def _describe(ask: Ask, home: Project) -> Answer:
    text = ask.text("description").replace("\r\n", "\n").strip()
    name = ask.text("name").strip()

    def save(merged: dict[str, str]) -> Project:
        edit = registries.RegistryEdit(description=merged["description"])
        called = projects.get(ask.ctx, home.id).registry_name
        return registries.change(
            ask.ctx, home.id, edit, merged["name"] if merged["name"] != called else None
        )

    after = saving.save(
        ask.ctx,
        ask.text("was"),
        lambda: _state(projects.get(ask.ctx, home.id)),
        {"name": name, "description": text},
        save,
    )
    return moved(ask, after, "Name and description were saved.")


def _set_icon(ask: Ask, home: Project) -> Answer:
    chosen = f"{ask.text('shape')}-{ask.text('colour')}"
    if ask.text("generated"):
        chosen = icons.GENERATED
    registries.edit(ask.ctx, home.id, registries.RegistryEdit(icon=chosen))
    return moved(ask, home, "The icon was changed.")


def _set_visibility(ask: Ask, home: Project) -> Answer:
    wanted = ask.text("visibility")
    if wanted not in ("organization", "restricted"):
        raise Unprocessable("Visibility is organization or restricted", field="visibility")
    role = ask.text("default_role")
    if role:
        parse_role(role)

    def save(merged: dict[str, str]) -> Project:
        return registries.edit(
            ask.ctx,
            home.id,
            registries.RegistryEdit(
                restricted=merged["visibility"] == "restricted",
                default_role=parse_role(merged["default_role"]) if role else None,
                confirm=ask.text("confirm") == "true",
            ),
        )

    try:
        saving.save(
            ask.ctx,
            ask.text("was"),
            lambda: _state(projects.get(ask.ctx, home.id)),
            {"visibility": wanted, "default_role": role} if role else {"visibility": wanted},
            save,
        )
    except Conflict as error:
        if error.code == "confirm_needed":
            return _ask_widen(ask, home)
        raise
    return moved(ask, home, "Visibility was saved.")


def _set_types(ask: Ask, home: Project) -> Answer:
    wanted = ask.text("all_types") == "true"
    registries.edit(ask.ctx, home.id, registries.RegistryEdit(all_types=wanted))
    said = "It accepts all types now." if wanted else "It accepts only the types on the list now."
    return moved(ask, home, said)


def _add_type(ask: Ask, home: Project) -> Answer:
    name = ask.text("type").strip()
    registries.edit(ask.ctx, home.id, registries.RegistryEdit(add_types=[name]))
    return moved(ask, home, f"Type {name} is accepted now.")


def _protect(ask: Ask, home: Project) -> Answer:
    name = ask.text("name").strip()
    if ask.text("confirm") != "true":
        uses = protected_aliases.count_uses(ask.ctx, home.id, name)
        role = projects.role_in(ask.ctx, home)
        if uses and why_not(role, Permission.MANAGE_PROTECTED) is None:
            return _ask_protect(ask, home, name, uses)
    made = protected_aliases.create(ask.ctx, home.id, name)
    said = f"{made.name} is protected now"
    return moved(ask, home, f"{said}; {plural(made.uses, 'version holds', 'versions hold')} it.")


def _unprotect(ask: Ask, home: Project) -> Answer:
    name = ask.text("name")
    if ask.text("typed").strip() != name:
        raise Invalid("Type the alias to confirm that it is to be protected no more", field="typed")
    protected_aliases.end(ask.ctx, home.id, name)
    return moved(ask, home, f"{name} is an ordinary alias now.")


def _delete(ask: Ask, home: Project) -> Answer:
    if ask.text("typed").strip() != home.registry_name:
        raise Invalid("Type the registry's name to confirm that it is to be deleted", field="typed")
    registries.delete(ask.ctx, home.id)
    said = f"Registry {home.registry_name} was deleted. It can be restored for 7 days."
    return Moved(ask.root, notice=said)
