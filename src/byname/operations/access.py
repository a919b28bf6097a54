"""Which role the actor has in a project, and whether it is enough: asked by every operation."""

from __future__ import annotations

from collections.abc import Iterable

from byname.domain.entity import Entity
from byname.domain.errors import Forbidden, missing
from byname.domain.policy import Actor, Permission, Role, check, registry_role, team_project_role
from byname.domain.project import Project
from byname.operations.context import Context
from byname.store import member
from byname.store import project as project_rows
from byname.store.database import Transaction


def require_server_admin(ctx: Context, wish: str) -> None:
    """Return when the actor is a server administrator; `wish` says what they asked for.

    Raises:
        Unauthenticated: nobody is logged in.
        Forbidden: they are not.
    """
    if not ctx.who.server_admin:
        raise Forbidden(f"You may not {wish}: it needs the role server_admin", role="server_admin")


def role_in(tx: Transaction, actor: Actor, project: Project) -> Role | None:
    """The actor's effective role in the project or registry; None when it is hidden from them."""
    if not project.is_registry or project.organization_id is None:
        return team_project_role(
            actor, entity_id=project.entity_id, organization_id=project.organization_id
        )
    organization_id = project.organization_id
    if not actor.belongs_to(organization_id):
        return None
    if actor.administers(organization_id):
        return Role.ADMIN
    direct, of_teams = member.roles_of(tx, project.id, actor.user_id, list(actor.teams))
    return registry_role(
        actor,
        organization_id=organization_id,
        restricted=project.restricted,
        default_role=project.default_role,
        direct=direct,
        of_teams=of_teams,
    )


def may(ctx: Context, tx: Transaction, project: Project, permission: Permission) -> bool:
    """Whether the actor has the permission in the project."""
    if ctx.actor is None:
        return False
    role = role_in(tx, ctx.actor, project)
    return role is not None and role >= permission.least


def require(
    ctx: Context, tx: Transaction, project: Project, permission: Permission, what: str = ""
) -> Role:
    """The actor's role, which has the permission.

    Raises:
        NotFound: the project is hidden from the actor; `what` names what they asked for.
        Forbidden: the role is too low.
    """
    ctx.attempt.reach(project.organization_id, project.id)
    role = role_in(tx, ctx.who, project)
    if role is None:
        raise missing(what or f"Project {project.place}")
    check(role, permission, project.place)
    return role


def roles_in(
    tx: Transaction, actor: Actor | None, projects: Iterable[Project]
) -> dict[int, Role | None]:
    """The actor's role in each of these projects, by project id, with one statement for all."""
    wanted = list(projects)
    if actor is None:
        return {project.id: None for project in wanted}
    asked = [project.id for project in wanted if project.is_registry]
    rows = member.roles_of_many(tx, asked, actor.user_id, list(actor.teams)) if asked else {}
    found: dict[int, Role | None] = {}
    for project in wanted:
        if project.is_registry and project.organization_id is not None:
            direct, of_teams = rows.get(project.id, (None, []))
            found[project.id] = registry_role(
                actor,
                organization_id=project.organization_id,
                restricted=project.restricted,
                default_role=project.default_role,
                direct=direct,
                of_teams=of_teams,
            )
        else:
            found[project.id] = team_project_role(
                actor, entity_id=project.entity_id, organization_id=project.organization_id
            )
    return found


def visible_projects(ctx: Context, ids: Iterable[int]) -> dict[int, Project]:
    """Of these projects those the actor may see, by id."""
    with ctx.database.read() as tx:
        projects = project_rows.find_many(tx, list(ids))
        roles = roles_in(tx, ctx.actor, projects.values())
    return {each: project for each, project in projects.items() if roles[each] is not None}


def may_read_entity(ctx: Context, entity: Entity) -> bool:
    """Whether the actor may read what lies in that team's or person's projects."""
    role = (
        None
        if ctx.actor is None
        else team_project_role(
            ctx.actor, entity_id=entity.id, organization_id=entity.organization_id
        )
    )
    return role is not None and role >= Permission.DOWNLOAD.least
