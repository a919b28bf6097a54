"""What every deletion has in common: who may do it, and that it is remembered (R162, R164, R171)."""

from __future__ import annotations

from collections.abc import Sequence

from byname.domain.collection import Collection, Membership
from byname.domain.errors import Forbidden, missing
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.domain.trash import DeletedKind
from byname.domain.version import Version
from byname.operations import access, alias, history
from byname.operations.context import Context
from byname.store import collection as collection_rows
from byname.store import project as project_rows
from byname.store import trash as rows
from byname.store.database import Transaction


def check_may_delete(ctx: Context, tx: Transaction, project: Project) -> None:
    """Return when the actor may delete the project, or the registry (R171).

    Raises:
        NotFound: it is hidden.
        Forbidden: the role is too low; or of a registry, neither an admin of the organization nor
            an Admin who created it.
    """
    access.require(ctx, tx, project, Permission.DELETE_PROJECT)
    actor = ctx.who
    if (
        project.is_registry
        and not actor.administers(project.organization_id)
        and project.created_by != actor.user_id
    ):
        raise Forbidden(
            f"You may not delete {project.place}: you did not create it. "
            f"It needs an admin of organization {project.entity_name}",
            role="organization_admin",
        )


def unlink_everywhere(
    ctx: Context,
    tx: Transaction,
    links: Sequence[Membership],
    what: str,
    *,
    allowed_in: int | None = None,
) -> None:
    """These links of something that is about to be deleted are gone: all or none (R162).

    `allowed_in` is the id of a project in which the actor was found to have the right already.

    Raises:
        Forbidden: the actor may not unlink where one of them is.
    """
    for link in links:
        place, where = holder_of(tx, link)
        if place.id != allowed_in:
            role = access.role_in(tx, ctx.who, place)
            if role is None or role < Permission.UNLINK.least:
                raise Forbidden(
                    f"{what} is linked where you may not unlink it"
                    + ("" if role is None else f" ({place.place}/{where.name})"),
                    role=Permission.UNLINK.least.word,
                )
        held = alias.take_all(ctx, tx, link, cause="delete")
        collection_rows.remove_membership(tx, link, ctx.now())
        history.record(
            ctx,
            tx,
            "link:delete",
            f"{where.name}:v{link.number}",
            project=place,
            collection_id=where.id,
            version_id=link.version_id,
            number=link.number,
            aliases=held,
        )


def holder_of(tx: Transaction, link: Membership) -> tuple[Project, Collection]:
    """Where a link is.

    Raises:
        NotFound: its collection is gone.
    """
    collection = collection_rows.find(tx, link.collection_id)
    project = None if collection is None else project_rows.find(tx, collection.project_id)
    if collection is None or project is None:
        raise missing("This collection")
    return project, collection


# ---- remembering: called before the deletion, in its transaction -------------------------------


def remember_project(ctx: Context, tx: Transaction, project: Project) -> None:
    """The deletion of this registry or project can be undone for 7 days."""
    kind = DeletedKind.REGISTRY if project.is_registry else DeletedKind.PROJECT
    deletion_id = _remember(ctx, tx, kind, project, project.place)
    rows.add_collections_of_project(tx, deletion_id, project.id)


def remember_collection(
    ctx: Context, tx: Transaction, project: Project, collection: Collection
) -> None:
    """The deletion of this collection can be undone for 7 days."""
    name = f"{project.place}/{collection.name}"
    deletion_id = _remember(ctx, tx, DeletedKind.COLLECTION, project, name)
    rows.add_collection(tx, deletion_id, collection.id)


def remember_link(
    ctx: Context, tx: Transaction, project: Project, collection: Collection, link: Membership
) -> None:
    """The unlinking can be undone for 7 days."""
    name = f"{project.place}/{collection.name}:v{link.number}"
    deletion_id = _remember(ctx, tx, DeletedKind.LINK, project, name)
    rows.add_membership(tx, deletion_id, link.id)


def remember_version(ctx: Context, tx: Transaction, project: Project, version: Version) -> None:
    """The deletion of this committed version, and of its links, can be undone for 7 days."""
    name = f"{project.place}/{version.collection_name}:v{version.number}"
    deletion_id = _remember(ctx, tx, DeletedKind.VERSION, project, name)
    rows.add_version(tx, deletion_id, version.id)


def _remember(ctx: Context, tx: Transaction, kind: DeletedKind, project: Project, name: str) -> int:
    return rows.add(
        tx,
        kind=kind,
        project_id=project.id,
        name=name,
        actor_id=ctx.who.row_id,
        actor_name=ctx.who.username,
        face=ctx.face,
        at=ctx.now(),
    )
