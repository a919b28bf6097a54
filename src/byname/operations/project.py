"""Ordinary projects: where runs and versions are logged. Registries are in `registry.py`."""

from __future__ import annotations

from byname.domain import names
from byname.domain.entity import Entity, EntityKind
from byname.domain.errors import Conflict, Forbidden, NotFound, Unprocessable, missing
from byname.domain.policy import Permission, Role, check, team_project_role
from byname.domain.project import ArtifactType, Project
from byname.domain.version import check_description
from byname.operations import access, automation_fate, deletion, history, protected_alias
from byname.operations.context import Context
from byname.store import entity as entity_rows
from byname.store import project as project_rows
from byname.store import registry as registry_rows
from byname.store.database import Transaction

DEFAULT_NAME = "uncategorized"
LINKS_SHOWN_MAX = 5


def ensure(
    ctx: Context,
    tx: Transaction,
    entity_name: str | None,
    project_name: str | None,
    permission: Permission,
) -> Project:
    """The ordinary project of that name, made when missing, in which the actor has the permission.

    No entity means the actor's own, no project `uncategorized` (protocol 8.1, pitfall 20).

    Raises:
        NotFound: the entity is absent or hidden.
        Forbidden: the actor's role in the team is too low, or they are not in it.
        Unprocessable: a registry or an organization, where nothing is logged; or a bad name.
    """
    actor = ctx.who
    entity_name = entity_name or actor.entity_name
    project_name = project_name or DEFAULT_NAME
    project = find_by_name(tx, entity_name, project_name)
    if project is None or project.is_registry:
        entity = find_home(ctx, tx, entity_name, permission)
        name = check_name(project_name)
        project = project_rows.find_by_name(tx, entity.name, name)
        if project is None:
            project_id = project_rows.add(
                tx, entity_id=entity.id, name=name, created_by=actor.user_id, at=ctx.now()
            )
            project = project_rows.find(tx, project_id)
            if project is None:
                raise missing(f"Project {entity_name}/{name}")
            return project
    role = access.role_in(tx, actor, project)
    if role is None:
        # Whether the project exists is not told: the same answer as for one that does not.
        find_home(ctx, tx, entity_name, permission)
        raise missing(f"Project {entity_name}/{project_name}")
    check(role, permission, project.place)
    return project


def find_by_name(tx: Transaction, entity_name: str, project_name: str) -> Project | None:
    """The live project of that name, whoever asks; names that no row can have find nothing."""
    if entity_rows.lookup_key(entity_name) is None or entity_rows.lookup_key(project_name) is None:
        return None
    return project_rows.find_by_name(tx, entity_name, project_name)


def find_home(ctx: Context, tx: Transaction, entity_name: str, permission: Permission) -> Entity:
    """The team or personal entity of that name, in whose projects the actor has the permission.

    Raises:
        NotFound: absent or hidden.
        Forbidden: the actor is not in the team, or their role there is too low.
        Unprocessable: an organization, which holds registries only.
    """
    actor = ctx.who
    entity = entity_rows.find_by_name(tx, entity_name)
    unknown = NotFound(f"entity {entity_name[:80]} not found", code="entity_not_found")
    if entity is None:
        raise unknown
    if entity.kind is EntityKind.ORGANIZATION:
        if not actor.belongs_to(entity.id):
            raise unknown
        raise Unprocessable(
            f"{entity.name} is an organization: it holds registries, and nothing is logged in "
            f"them. Log in a project of {_homes(ctx, tx, entity)}, then link the version",
            code="organization_entity",
            field="entity",
        )
    role = team_project_role(actor, entity_id=entity.id, organization_id=entity.organization_id)
    if role is None:
        if not actor.belongs_to(entity.organization_id):
            raise unknown
        raise Forbidden(
            f"You may not {permission.wording}: you are not in team {entity.name}",
            role=permission.least.word,
        )
    check(role, permission, f"team {entity.name}")
    return entity


def _homes(ctx: Context, tx: Transaction, organization: Entity) -> str:
    teams = [
        team.name
        for team in entity_rows.list_teams(tx, organization.id)
        if team.id in ctx.who.teams
    ]
    return f"your team {' or '.join(teams)}" if teams else f"a team of {organization.name}"


def check_name(name: str) -> str:
    """The name, fit for an ordinary project.

    Raises:
        Unprocessable: not allowed, or kept for registries.
    """
    name = names.check_project(name)
    if name.startswith(names.REGISTRY_PREFIX):
        raise Unprocessable(
            f"Names that begin with {names.REGISTRY_PREFIX!r} are kept for registries, which "
            "belong to an organization; choose another name for a project",
            field="name",
        )
    return name


def find(ctx: Context, entity_name: str | None, project_name: str | None) -> Project | None:
    """The project or registry of that name, when the actor may see it; None otherwise.

    No entity means the actor's own, no project `uncategorized`.
    """
    actor = ctx.actor
    if actor is None:
        return None
    with ctx.database.read() as tx:
        project = find_by_name(tx, entity_name or actor.entity_name, project_name or DEFAULT_NAME)
        if project is None or access.role_in(tx, actor, project) is None:
            return None
        return project


def get(ctx: Context, project_id: int) -> Project:
    """The project or registry of that id.

    Raises:
        NotFound: absent or hidden.
    """
    with ctx.database.read() as tx:
        project = project_rows.find(tx, project_id)
        if project is None:
            raise missing("This project")
        access.require(ctx, tx, project, Permission.SEE, "This project")
        return project


def upsert(
    ctx: Context, entity_name: str | None, project_name: str, *, description: str | None = None
) -> tuple[Project, bool]:
    """The ordinary project, with that description where one is given; and whether it is new.

    Raises:
        NotFound: the entity is absent or hidden.
        Forbidden: the role in the team is below Member.
        Unprocessable: an organization or registry, or a value that is not allowed.
    """
    description = check_description(description)
    with ctx.database.write() as tx:
        before = find_by_name(tx, entity_name or ctx.who.entity_name, check_name(project_name))
        project = ensure(ctx, tx, entity_name, project_name, Permission.EDIT_PROJECT)
        if description is not None and description != project.description:
            registry_rows.edit(
                tx,
                project.id,
                description=description,
                restricted=project.restricted,
                all_types=project.all_types,
                default_role=project.default_role,
                at=ctx.now(),
            )
            project = project_rows.find(tx, project.id) or project
        return project, before is None


def edit(
    ctx: Context, project_id: int, *, name: str | None = None, description: str | None = None
) -> Project:
    """The ordinary project has that name and description, where given; all or nothing.

    Raises:
        NotFound, Forbidden, Conflict, Unprocessable: as `rename` and `upsert`.
    """
    with ctx.database.write():
        project = get(ctx, project_id)
        if description is not None:
            project, _ = upsert(ctx, project.entity_name, project.name, description=description)
        return project if name is None else rename(ctx, project.id, name)


def rename(ctx: Context, project_id: int, name: str) -> Project:
    """The ordinary project has that name; all else stays.

    Raises:
        NotFound: absent or hidden.
        Forbidden: the role is below Member.
        Conflict: the name is taken.
        Unprocessable: the name is not allowed.
    """
    name = check_name(name)
    with ctx.database.write() as tx:
        project = get(ctx, project_id)
        access.require(ctx, tx, project, Permission.EDIT_PROJECT)
        if name != project.name:
            if project_rows.find_by_name(tx, project.entity_name, name) is not None:
                raise Conflict(
                    f"{project.entity_name} already has a project {name!r}; use a different name",
                    code="name_taken",
                )
            registry_rows.rename(tx, project.id, name, at=ctx.now())
            history.record(
                ctx, tx, "project:rename", name, project=project, before=project.name, after=name
            )
        return project_rows.find(tx, project.id) or project


def delete(ctx: Context, project_id: int) -> Project:
    """The ordinary project is gone with its runs, collections and versions. All is hidden at once.

    Raises:
        NotFound: absent or hidden.
        Forbidden: the actor is no admin there.
        Conflict: versions of it are linked elsewhere (R162); the message lists the first.
    """
    with ctx.database.write() as tx:
        project = get(ctx, project_id)
        deletion.check_may_delete(ctx, tx, project)
        protected_alias.check_project_may_go(ctx, tx, project.id)
        links = registry_rows.list_links_from(tx, project.id, limit=LINKS_SHOWN_MAX)
        if links:
            raise Conflict(
                f"Versions of {project.place} are linked elsewhere ({', '.join(links)}); "
                "unlink them first",
                code="linked",
                links=links,
            )
        deletion.remember_project(ctx, tx, project)
        automation_fate.end_project(ctx, tx, project)
        registry_rows.remove(tx, project.id, at=ctx.now())
        history.record(ctx, tx, "project:delete", project.name, project=project)
        return project


def list_types(
    ctx: Context, project: Project, *, include_all: bool, after: int, limit: int
) -> list[ArtifactType]:
    """Artifact types of a project the actor was shown, oldest first, from behind the id `after`.

    Those in use; with `include_all` of a registry also the accepted ones (R23), of a project all.
    """
    with ctx.database.read() as tx:
        return registry_rows.list_types(
            tx,
            project.id,
            accepted=include_all,
            unused=include_all and not project.is_registry,
            after=after,
            limit=limit,
        )


def find_type(ctx: Context, project: Project, name: str) -> ArtifactType | None:
    """The type of that name in a project the actor was shown."""
    with ctx.database.read() as tx:
        return project_rows.find_type(tx, project.id, name)


def create_type(
    ctx: Context, entity_name: str, project_name: str, name: str, *, description: str | None = None
) -> ArtifactType:
    """The ordinary project, made when missing, has a type of that name.

    Raises:
        NotFound: the entity is absent or hidden.
        Forbidden: the role in the team is below Member.
        Unprocessable: the name is not allowed, or it is a registry, whose types are its settings.
    """
    name = names.check_type(name)
    description = check_description(description)
    with ctx.database.write() as tx:
        project = ensure(ctx, tx, entity_name, project_name, Permission.LOG)
        type_id = project_rows.add_type(tx, project.id, name, at=ctx.now())
        if description is not None:
            registry_rows.describe_type(tx, type_id, description)
        found = project_rows.find_type(tx, project.id, name)
        if found is None:
            raise missing(f"Type {name}")
        return found


def role_in(ctx: Context, project: Project) -> Role | None:
    """The actor's role in the project or registry; None when it is hidden from them."""
    if ctx.actor is None:
        return None
    with ctx.database.read() as tx:
        return access.role_in(tx, ctx.actor, project)
