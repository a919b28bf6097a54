"""Registries: creating, editing, renaming and deleting them (R13 to R25, R170, R171)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from byname.domain import icon as icons
from byname.domain import names
from byname.domain.entity import Entity, EntityKind
from byname.domain.errors import Conflict, Forbidden, NotFound, Unprocessable, missing
from byname.domain.policy import GroupRole, Permission, Role
from byname.domain.project import Project
from byname.domain.version import check_description
from byname.operations import access, automation_fate, deletion, history, member
from byname.operations.context import Context
from byname.store import entity as entity_rows
from byname.store import member as member_rows
from byname.store import project as project_rows
from byname.store import registry as rows
from byname.store.database import Transaction

TYPES_MAX = 1_000


@dataclass(frozen=True, slots=True)
class NewRegistry:
    """What a new registry is to be like."""

    organization: str
    name: str
    """With or without the prefix (R6)."""
    description: str | None = None
    restricted: bool = False
    all_types: bool | None = None
    """None: all types, unless some are listed."""
    types: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class RegistryEdit:
    """What to change of a registry; None leaves a thing as it is."""

    description: str | None = None
    restricted: bool | None = None
    all_types: bool | None = None
    add_types: Sequence[str] = ()
    default_role: Role | None = None
    icon: str | None = None
    """A name such as `hexagon-teal`; or `generated`, for the icon it began with (R29)."""
    owner_id: int | None = None
    """The member who answers for it from now on (R27)."""
    confirm: bool = False
    """Widening publishes everything inside, so that it must be confirmed (R19)."""


def full_name(name: str) -> str:
    """The registry's name with its prefix, without outer spaces (R6, R14, R15).

    Raises:
        Unprocessable: empty, over 113 characters without the prefix, or with forbidden characters.
    """
    bare = name.strip().removeprefix(names.REGISTRY_PREFIX).strip()
    if not bare:
        raise Unprocessable("The registry name must not be empty", field="name")
    return names.check_project(names.REGISTRY_PREFIX + bare)


def create(ctx: Context, new: NewRegistry) -> Project:
    """A new registry of the organization. Who creates it is its Admin (R17).

    Raises:
        NotFound: there is no such organization, or the actor is not in it.
        Forbidden: the actor is only a Viewer in the organization (R18).
        Conflict: the name is taken, whatever its case (R15).
        Unprocessable: a name is not allowed; or types are listed although all are accepted (R23).
    """
    actor = ctx.who
    name = full_name(new.name)
    description = check_description(new.description)
    types = _check_types(new.types)
    all_types = not types if new.all_types is None else new.all_types
    with ctx.database.write() as tx:
        organization = entity_rows.find_by_name(tx, new.organization, EntityKind.ORGANIZATION)
        if organization is None or not actor.belongs_to(organization.id):
            raise missing(f"Organization {new.organization[:80]!r}")
        _check_may_create(ctx, organization)
        if types and all_types:
            raise _all_types_on(name)
        _check_free(tx, organization.name, name)
        project_id = project_rows.add(
            tx,
            entity_id=organization.id,
            name=name,
            description=description,
            restricted=new.restricted,
            all_types=all_types,
            created_by=actor.user_id,
            at=ctx.now(),
        )
        member_rows.put_user(tx, project_id, actor.user_id, Role.ADMIN, at=ctx.now())
        for each in types:
            project_rows.add_type(tx, project_id, each, accepted=True, at=ctx.now())
        made = _reread(tx, project_id)
        history.record(ctx, tx, "registry:create", name, project=made, after=_told(tx, made))
        return made


def _told(tx: Transaction, project: Project) -> dict[str, object]:
    """What of a registry can be edited, as its history tells it."""
    return {
        "description": project.description,
        "visibility": "restricted" if project.restricted else "organization",
        "default_role": project.default_role.word,
        "icon": project.icon.name,
        "types": None if project.all_types else project_rows.list_accepted_types(tx, project.id),
    }


def _check_may_create(ctx: Context, organization: Entity) -> None:
    role = ctx.who.organizations.get(organization.id)
    if not ctx.who.administers(organization.id) and role is GroupRole.VIEWER:
        raise Forbidden(
            f"You may not create a registry in organization {organization.name}: "
            "it needs the role member, yours is viewer",
            role=GroupRole.MEMBER.value,
        )


def _check_types(given: Sequence[str]) -> list[str]:
    types = list(dict.fromkeys(names.check_type(name) for name in given))
    if len(types) > TYPES_MAX:
        raise Unprocessable(f"At most {TYPES_MAX} types can be listed", field="artifactTypes")
    return types


def _all_types_on(name: str) -> Unprocessable:
    return Unprocessable(
        f"Registry {name.removeprefix(names.REGISTRY_PREFIX)!r} accepts all artifact types; "
        "to list some, set allow_all_artifact_types to false first",
        code="all_types",
        field="artifactTypes",
    )


def _check_free(tx: Transaction, organization: str, name: str, *, but: int = 0) -> None:
    taken = project_rows.find_by_name(tx, organization, name)
    if taken is not None and taken.id != but:
        raise name_taken(organization, name)


def name_taken(organization: str, name: str) -> Conflict:
    """The answer to who wants a name that another registry has; it may be one they cannot see."""
    return Conflict(
        f"Registry {name.removeprefix(names.REGISTRY_PREFIX)!r} already exists in organization "
        f"{organization}; use a different name",
        code="name_taken",
    )


def _reread(tx: Transaction, project_id: int) -> Project:
    project = project_rows.find(tx, project_id)
    if project is None:
        raise missing("This registry")
    return project


def edit(ctx: Context, project_id: int, change: RegistryEdit) -> Project:
    """The registry is as given; each thing needs its own permission only where it changes.

    - Switching from all types to a list puts every type in use on the list (R24).
    - A type on the list stays there for ever (R22).

    Raises:
        NotFound: absent or hidden.
        Forbidden: the role is too low for one of the changes; nothing is changed.
        Conflict: it would become visible to the whole organization, unconfirmed (R19).
        Unprocessable: types are added although all are accepted (R23), or a value is not allowed.
    """
    description = check_description(change.description)
    types = _check_types(change.add_types)
    chosen = None if change.icon is None else icons.parse(change.icon)
    with ctx.database.write() as tx:
        project = find_visible(ctx, tx, project_id)
        accepted = set(project_rows.list_accepted_types(tx, project.id))
        new_types = [name for name in types if name not in accepted]
        new_description = project.description if description is None else description
        restricted = project.restricted if change.restricted is None else change.restricted
        all_types = project.all_types if change.all_types is None else change.all_types
        default_role = change.default_role or project.default_role
        icon = project.chosen_icon if change.icon is None else chosen
        if default_role is Role.ADMIN:
            raise Unprocessable("The default role cannot be admin", field="defaultRole")
        if new_types and all_types:
            raise _all_types_on(project.name)
        for differs, permission in (
            (new_description != project.description, Permission.EDIT_PROJECT),
            (bool(new_types), Permission.ADD_TYPE),
            (all_types != project.all_types, Permission.SET_ALL_TYPES),
            (restricted != project.restricted, Permission.SET_VISIBILITY),
            (default_role is not project.default_role, Permission.SET_VISIBILITY),
            (icon != project.chosen_icon, Permission.SET_ICON),
        ):
            if differs:
                access.require(ctx, tx, project, permission)
        if project.restricted and not restricted and not change.confirm:
            raise Conflict(
                f"Everything in {project.place} would become visible to all of "
                f"{project.entity_name}; confirm this to go on",
                code="confirm_needed",
            )
        told = _told(tx, project)
        if project.all_types and not all_types:
            rows.accept_used_types(tx, project.id)
        for name in new_types:
            project_rows.add_type(tx, project.id, name, accepted=True, at=ctx.now())
        wanted = (new_description, restricted, all_types, default_role, icon)
        if new_types or wanted != (
            project.description,
            project.restricted,
            project.all_types,
            project.default_role,
            project.chosen_icon,
        ):
            rows.edit(
                tx,
                project.id,
                description=new_description,
                restricted=restricted,
                all_types=all_types,
                default_role=default_role,
                at=ctx.now(),
            )
            if icon != project.chosen_icon:
                rows.set_icon(tx, project.id, icon, at=ctx.now())
            after = _told(tx, _reread(tx, project.id))
            changed = [key for key in told if told[key] != after[key]]
            history.record(
                ctx,
                tx,
                "registry:update",
                project.name,
                project=project,
                before={key: told[key] for key in changed},
                after={key: after[key] for key in changed},
            )
        if change.owner_id is not None:
            member.make_owner(ctx, project.id, change.owner_id)
        return _reread(tx, project.id)


def find_visible(ctx: Context, tx: Transaction, project_id: int) -> Project:
    """The registry, which the actor may see.

    Raises:
        NotFound: absent or hidden, or no registry.
    """
    project = project_rows.find(tx, project_id)
    if project is None:
        raise missing("This registry")
    access.require(ctx, tx, project, Permission.SEE, "This registry")
    if not project.is_registry:
        raise NotFound(f"{project.place} is no registry")
    return project


def rename(ctx: Context, project_id: int, name: str) -> Project:
    """The registry has that name; the old one is free at once, all else stays (R25).

    Raises:
        NotFound: absent or hidden.
        Forbidden: the role is below Member (P21).
        Conflict: the name is taken, whatever its case.
        Unprocessable: the name is not allowed.
    """
    name = full_name(name)
    with ctx.database.write() as tx:
        project = find_visible(ctx, tx, project_id)
        if name != project.name:
            access.require(ctx, tx, project, Permission.EDIT_PROJECT)
            _check_free(tx, project.entity_name, name, but=project.id)
            rows.rename(tx, project.id, name, at=ctx.now())
            history.record(
                ctx, tx, "registry:rename", name, project=project, before=project.name, after=name
            )
        return _reread(tx, project.id)


def get_by_name(ctx: Context, organization: str, name: str) -> Project:
    """The registry of that name, with or without its prefix and in whatever case.

    Raises:
        Unauthenticated: nobody is logged in.
        NotFound: absent or hidden, in the same words.
    """
    bare = name.strip().removeprefix(names.REGISTRY_PREFIX)
    what = f"Registry {organization[:80]}/{bare[:200]}"
    actor = ctx.who
    if entity_rows.lookup_key(organization) is None or entity_rows.lookup_key(bare) is None:
        raise missing(what)
    with ctx.database.read() as tx:
        project = project_rows.find_by_name(tx, organization, names.REGISTRY_PREFIX + bare)
        if project is not None:
            ctx.attempt.reach(project.organization_id, project.id)
        if project is None or not project.is_registry or access.role_in(tx, actor, project) is None:
            raise missing(what)
        return project


def change(ctx: Context, project_id: int, change: RegistryEdit, name: str | None) -> Project:
    """The registry is as given and has that name, if one is given: all of it or nothing.

    Raises:
        NotFound, Forbidden, Conflict, Unprocessable: as `edit` and `rename` do.
    """
    with ctx.database.write():
        project = edit(ctx, project_id, change)
        return project if name is None else rename(ctx, project.id, name)


def list_accepted_types(ctx: Context, registries: Sequence[Project]) -> dict[int, list[str]]:
    """The accepted types of registries the actor was shown, oldest first, by registry id."""
    with ctx.database.read() as tx:
        return {each.id: project_rows.list_accepted_types(tx, each.id) for each in registries}


def roles_in(ctx: Context, registries: Sequence[Project]) -> dict[int, Role | None]:
    """The actor's role in each of these registries, by registry id."""
    with ctx.database.read() as tx:
        return {each.id: access.role_in(tx, ctx.who, each) for each in registries}


def delete(ctx: Context, project_id: int) -> Project:
    """The registry is gone with its collections and links; the linked versions stay (R170).

    All is hidden at once, and the name is free; it can be restored for 7 days (R164). The answer
    is what it was.

    Raises:
        NotFound: absent or hidden.
        Forbidden: neither an admin of the organization, nor an Admin who created it (R171).
    """
    with ctx.database.write() as tx:
        project = find_visible(ctx, tx, project_id)
        deletion.check_may_delete(ctx, tx, project)
        deletion.remember_project(ctx, tx, project)
        automation_fate.end_project(ctx, tx, project)
        rows.remove(tx, project.id, at=ctx.now())
        history.record(ctx, tx, "registry:delete", project.name, project=project)
        return project
