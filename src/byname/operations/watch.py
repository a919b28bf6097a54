"""What happens, as it happens: which events somebody may hear of, and reading them in order."""

from __future__ import annotations

from byname.domain.collection import Collection
from byname.domain.errors import Unprocessable
from byname.domain.history import Cursor, Entry
from byname.domain.project import Project
from byname.domain.watch import Wanted
from byname.operations import access, collection, registry
from byname.operations.context import Context
from byname.store import history as rows
from byname.store.database import Database


def find_wanted(
    ctx: Context,
    *,
    registry_place: str | None,
    collection_name: str | None,
    alias: str | None,
    kinds: tuple[str, ...],
) -> Wanted:
    """What is wanted, by the ids of what was named, so that it holds over a change of names.

    `registry_place` is `ORGANIZATION/REGISTRY`.

    Raises:
        NotFound: the registry or collection is absent or hidden.
        Unprocessable: the place is none, or a collection was named without its registry.
    """
    project: Project | None = None
    found: Collection | None = None
    if registry_place is not None:
        organization, slash, name = registry_place.partition("/")
        if not slash or not organization or not name or "/" in name:
            raise Unprocessable("registry must be ORGANIZATION/REGISTRY", field="registry")
        project = registry.get_by_name(ctx, organization, name)
    if collection_name is not None:
        if project is None:
            raise Unprocessable("A collection is named with its registry", field="registry")
        found = collection.get_in(ctx, project, collection_name)
    return Wanted(
        None if project is None else project.id, None if found is None else found.id, alias, kinds
    )


def end(database: Database) -> Cursor:
    """The place behind everything that has happened."""
    with database.read() as tx:
        return rows.end(tx)


def check_place(ctx: Context, place: Cursor | None) -> None:
    """Return when one can go on from the place.

    Raises:
        Unprocessable: it lies behind everything that has happened, as after a backup was restored:
            nothing would be told until there is as much again, and that would be missed.
    """
    if place is None:
        return
    with ctx.database.read() as tx:
        last = rows.end(tx)
    if (place.ledger_id, place.id) > (last.ledger_id, last.id):
        raise Unprocessable(
            f"{place.text} lies behind all that has happened here, which ends at {last.text}: an "
            "older state of this server may have been restored. Begin anew, without a place",
            field="after",
        )


def read_on(database: Database, wanted: Wanted, after: Cursor, limit: int) -> list[Entry]:
    """What happened next where it is wanted, oldest first, in the order of commits.

    Of some other alias or kind too, so that the last one's place is where to go on. Nobody was asked
    for here: whoever tells an event asks `may_hear` first.
    """
    with database.read() as tx:
        return rows.oldest(
            tx,
            project_id=wanted.project_id,
            collection_id=wanted.collection_id,
            after=after,
            limit=limit,
        )


def may_hear(ctx: Context, project_id: int) -> bool:
    """Whether the actor may see, now, what happens in that project or registry."""
    return project_id in access.visible_projects(ctx, [project_id])
