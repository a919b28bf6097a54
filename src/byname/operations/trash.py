"""The trash: seeing what was deleted within the last 7 days, and taking it back (R164)."""

from __future__ import annotations

from itertools import groupby

from byname.domain import trash as rules
from byname.domain.alias import Holder
from byname.domain.collection import Membership
from byname.domain.entity import EntityKind
from byname.domain.errors import Conflict, Forbidden, missing
from byname.domain.names import LATEST
from byname.domain.page import Page, decode_id, encode_cursor, page_of, parse_first
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.domain.trash import DeletedKind, Deletion
from byname.operations import access, alias, automation_fate, deletion, history
from byname.operations import version as version_operations
from byname.operations.collection import resolve_reference
from byname.operations.context import Context
from byname.store import collection as collection_rows
from byname.store import entity as entity_rows
from byname.store import project as project_rows
from byname.store import trash as rows
from byname.store import version as version_rows
from byname.store.database import Transaction
from byname.store.moment import microseconds

ROUNDS_MAX = 20
"""How often a page that is not full of what the actor may see is filled up from further back."""
CHANGES_AT_ONCE = 500

_RIGHT = {
    DeletedKind.COLLECTION: Permission.DELETE_COLLECTION,
    DeletedKind.LINK: Permission.UNLINK,
    DeletedKind.VERSION: Permission.DELETE_VERSION,
}


def delete_version(
    ctx: Context, ref: str, *, delete_aliases: bool = False, unlink: bool = False
) -> None:
    """The version that the reference names is deleted where it was made, as by `version.delete`.

    Raises:
        NotFound, Forbidden, Conflict: as `version.delete`.
        Conflict: the reference names a link.
    """
    with ctx.database.write():
        found = resolve_reference(ctx, ref)
        if not found.collection.is_sequence:
            raise Conflict(
                f"{found.project.place}/{found.collection.name} is a collection of links; unlink "
                "the version there, or name it where it was made",
                code="is_link",
            )
        version_operations.delete(
            ctx, found.version.id, delete_aliases=delete_aliases, unlink=unlink
        )


def list_page(
    ctx: Context, entity_name: str, *, after: str | None = None, first: int | None = None
) -> Page[Deletion]:
    """What was deleted within 7 days and can be restored, newest first, where the actor may see it.

    Of an organization with its registries and teams; or of one team or person.

    Raises:
        NotFound: there is no such entity, or the actor has nothing to do with it.
    """
    limit = parse_first(first, 50)
    before = decode_id("trash", after) if after else None
    with ctx.database.read() as tx:
        homes = _homes(tx, entity_name)
        entity = entity_rows.find(tx, homes[0]) if homes else None
        if entity is None or not (
            ctx.who.belongs_to(entity.id) or access.may_read_entity(ctx, entity)
        ):
            raise missing(f"Organization {entity_name[:80]!r}")
        found: list[Deletion] = []
        since = ctx.now() - rules.TRASH_MICROSECONDS
        for _ in range(ROUNDS_MAX):
            some = rows.list_of_entities(tx, homes, since=since, before=before, limit=limit + 1)
            places = rows.find_projects(tx, list({each.project_id for each in some}))
            roles = access.roles_in(tx, ctx.who, [project for project, _ in places.values()])
            found += [each for each in some if roles.get(each.project_id) is not None]
            if len(found) > limit or len(some) <= limit:
                break
            before = some[-1].id
    return page_of(found[: limit + 1], limit, lambda each: encode_cursor("trash", each.id))


def _homes(tx: Transaction, entity_name: str) -> list[int]:
    """The ids of the entity of that name and, of an organization, of its teams."""
    if entity_rows.lookup_key(entity_name) is None:
        return []
    entity = entity_rows.find_by_name(tx, entity_name)
    if entity is None:
        return []
    if entity.kind is not EntityKind.ORGANIZATION:
        return [entity.id]
    return [entity.id, *(team.id for team in entity_rows.list_teams(tx, entity.id))]


def restore(ctx: Context, deletion_id: int, *, of: str | None = None) -> Deletion:
    """What was deleted is there again, with numbers, tags and members; the deletion it was.

    Aliases come back unless they were given to others meanwhile; `latest` by its own rules. Links
    come back where their collection is still there and the version was not linked anew; those of
    versions that were deleted meanwhile do not. It needs the right that deleting needed. `of` is
    the organization, team or person in whose trash it must be.

    Raises:
        NotFound: no such deletion, over 7 days ago, restored already, or hidden.
        Forbidden: the actor may not delete this, here or where links would come back.
        Conflict: its name was taken meanwhile, or what it belongs to is deleted itself.
    """
    with ctx.database.write() as tx:
        found = rows.find(tx, deletion_id)
        what = missing("This deletion")
        if found is None or found.restored or rules.is_over(microseconds(found.at), ctx.now()):
            raise what
        places = rows.find_projects(tx, [found.project_id])
        if found.project_id not in places:
            raise what
        project, gone = places[found.project_id]
        if of is not None and project.entity_id not in _homes(tx, of):
            raise what
        role = access.role_in(tx, ctx.who, project)
        if role is None:
            raise what
        if found.kind in _RIGHT:
            access.require(ctx, tx, project, _RIGHT[found.kind])
        else:
            deletion.check_may_delete(ctx, tx, project)
        if found.kind in (DeletedKind.REGISTRY, DeletedKind.PROJECT):
            _restore_project(ctx, tx, project)
        elif gone:
            raise Conflict(
                f"{project.place}, to which this belongs, is deleted itself; restore it first",
                code="home_deleted",
            )
        _restore_inside(ctx, tx, found, project)
        if found.kind in (DeletedKind.REGISTRY, DeletedKind.PROJECT):
            automation_fate.come_back(tx, project, None)
        elif found.kind is DeletedKind.COLLECTION:
            automation_fate.come_back(tx, project, rows.items(tx, found.id, "collection"))
        rows.close(tx, found.id, ctx.now())
        history.record(ctx, tx, f"{found.kind}:restore", found.name, project=project)
        return found


def _restore_project(ctx: Context, tx: Transaction, project: Project) -> None:
    if project_rows.find_by_name(tx, project.entity_name, project.name) is not None:
        raise rules.taken(project.place)
    if not rows.revive_project(tx, project.id, ctx.now()):
        raise missing("This deletion")


def _restore_inside(ctx: Context, tx: Transaction, found: Deletion, project: Project) -> None:
    collection_ids = rows.items(tx, found.id, "collection")
    if found.kind is DeletedKind.COLLECTION:
        _check_names_free(tx, project, collection_ids)
    whole = set(collection_ids)
    rows.revive_collections(tx, found.id, ctx.now())
    version_ids = rows.items(tx, found.id, "version")
    if found.kind is DeletedKind.VERSION:
        _check_collection_there(tx, version_ids)
    revived = rows.revive_versions(tx, found.id, ctx.now())
    if found.kind is DeletedKind.VERSION and not revived:
        raise missing("This deletion")
    if found.kind is DeletedKind.LINK:
        _check_link_fits(tx, rows.items(tx, found.id, "membership"))
    _check_may_link(ctx, tx, found, project)
    returning = rows.list_returning(tx, found.id)
    holding = rows.aliases(tx, found.id)
    highest = {
        collection_id: collection_rows.highest_membership(tx, collection_id)
        for collection_id in {each.collection_id for each in returning}
    }
    rows.revive_memberships(tx, found.id, ctx.now())
    for collection_id, group in groupby(returning, key=lambda each: each.collection_id):
        _return_aliases(
            ctx,
            tx,
            collection_id,
            [(Holder(each.id, each.number), holding.get(each.id, [])) for each in group],
            highest[collection_id],
            whole=collection_id in whole,
        )


def _check_names_free(tx: Transaction, project: Project, collection_ids: list[int]) -> None:
    for collection in collection_rows.find_many(tx, collection_ids).values():
        if collection_rows.find_by_name(tx, project.id, collection.name) is not None:
            raise rules.taken(f"{project.place}/{collection.name}")


def _check_collection_there(tx: Transaction, version_ids: list[int]) -> None:
    """The sequence of a version that comes back must be there."""
    for collection_id in rows.sequences_of(tx, version_ids):
        collection = collection_rows.find_many(tx, [collection_id])[collection_id]
        if collection.deleted:
            raise Conflict(
                f"Collection {collection.name}, to which this belongs, is deleted itself; "
                "restore it first",
                code="home_deleted",
            )


def _check_link_fits(tx: Transaction, membership_ids: list[int]) -> None:
    """A single link must be able to come back, or the reason why it cannot is said."""
    for membership_id in membership_ids:
        link = rows.find_membership(tx, membership_id)
        if link is None:
            raise missing("This deletion")
        collection = collection_rows.find(tx, link.collection_id)
        if collection is None:
            raise Conflict(
                "The collection of this link is deleted itself; restore it first",
                code="home_deleted",
            )
        present = collection_rows.membership_of(tx, collection.id, link.version_id)
        if present is not None:
            raise Conflict(
                f"The version was linked in {collection.name} anew meanwhile, as "
                f"v{present.number}; unlink it there, then restore",
                code="linked_anew",
            )
        if version_rows.find(tx, link.version_id) is None:
            raise Conflict(
                "The version of this link is deleted itself; restore it first",
                code="home_deleted",
            )


def _check_may_link(ctx: Context, tx: Transaction, found: Deletion, project: Project) -> None:
    """Links into other projects come back only by who might have taken them away."""
    elsewhere = [each for each in rows.projects_of_links(tx, found.id) if each != project.id]
    places = project_rows.find_many(tx, elsewhere)
    roles = access.roles_in(tx, ctx.who, places.values())
    for place in places.values():
        role = roles[place.id]
        if role is None or role < Permission.UNLINK.least:
            raise Forbidden(
                "Links of this would come back where you may not link or unlink"
                + ("" if role is None else f" ({place.place})"),
                role=Permission.UNLINK.least.word,
            )


def _return_aliases(
    ctx: Context,
    tx: Transaction,
    collection_id: int,
    returning: list[tuple[Holder, list[str]]],
    highest_other: Membership | None,
    *,
    whole: bool,
) -> None:
    """The aliases of the memberships that came back into one collection, by number."""
    names = sorted({LATEST}.union(*(held for _, held in returning)))
    highest = None if highest_other is None else Holder(highest_other.id, highest_other.number)
    changes = rules.plan_return(
        returning, rows.all_holders(tx, collection_id, names), highest, whole=whole
    )
    for start in range(0, len(changes), CHANGES_AT_ONCE):
        alias.write(ctx, tx, collection_id, changes[start : start + CHANGES_AT_ONCE])
