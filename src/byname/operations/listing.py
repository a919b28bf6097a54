"""Parts of what the actor was already shown, many at a time: what lists are put together from.

Nothing here is a door of its own: ids come from objects whose permission was decided before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from byname.domain.alias import LedgerRow
from byname.domain.collection import Collection, Membership
from byname.domain.history import Entry
from byname.domain.project import ArtifactType, Project
from byname.domain.version import Version
from byname.operations import access
from byname.operations.collection import resolve_in
from byname.operations.context import Context
from byname.store import alias as alias_rows
from byname.store import collection as collection_rows
from byname.store import entity as entity_rows
from byname.store import execution as execution_rows
from byname.store import history as history_rows
from byname.store import ledger as ledger_rows
from byname.store import lineage as lineage_rows
from byname.store import project as project_rows
from byname.store import version as version_rows
from byname.store.database import Transaction

K = TypeVar("K")
T = TypeVar("T")
AT_ONCE = 500
"""How many ids one statement carries."""


def _in_portions(
    ctx: Context, ids: Sequence[K], load: Callable[[Transaction, list[K]], dict[K, T]]
) -> dict[K, T]:
    found: dict[K, T] = {}
    with ctx.database.read() as tx:
        for start in range(0, len(ids), AT_ONCE):
            found.update(load(tx, list(ids[start : start + AT_ONCE])))
    return found


def versions(ctx: Context, ids: Sequence[int]) -> dict[int, Version]:
    """Versions by id."""
    return _in_portions(ctx, ids, version_rows.find_many)


def projects(ctx: Context, ids: Sequence[int]) -> dict[int, Project]:
    """Projects and registries that are there, by id."""
    return _in_portions(ctx, ids, project_rows.find_many)


def collections(ctx: Context, ids: Sequence[int]) -> dict[int, Collection]:
    """Collections by id."""
    return _in_portions(ctx, ids, collection_rows.find_many)


def types(ctx: Context, ids: Sequence[int]) -> dict[int, ArtifactType]:
    """Artifact types by id."""
    return _in_portions(ctx, ids, project_rows.find_types)


def aliases_of_memberships(ctx: Context, ids: Sequence[int]) -> dict[int, list[str]]:
    """Aliases by membership id."""
    return _in_portions(ctx, ids, alias_rows.held_by_many)


def aliases_of_versions(ctx: Context, ids: Sequence[int]) -> dict[int, list[tuple[int, str]]]:
    """Pairs of collection id and number or alias there, by version id."""
    return _in_portions(ctx, ids, alias_rows.of_versions)


def aliases_of_versions_in(
    ctx: Context, places: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], list[tuple[int, str]]]:
    """The same for pairs of version and collection: in the version's own sequence and there."""
    return _in_portions(ctx, places, alias_rows.of_versions_in)


def version_tags(ctx: Context, ids: Sequence[int]) -> dict[int, list[str]]:
    """Tags by version id."""
    return _in_portions(ctx, ids, version_rows.tags_of_many)


def collection_tags(ctx: Context, ids: Sequence[int]) -> dict[int, list[str]]:
    """Tags by collection id."""
    return _in_portions(ctx, ids, collection_rows.tags_of_many)


def executions_of_collections(ctx: Context, ids: Sequence[int]) -> dict[int, int]:
    """How often automations ran for what happened in them (up to 10,000), by collection id (R40)."""
    return _in_portions(ctx, ids, execution_rows.counts_of_collections)


def holders_of_aliases(ctx: Context, collection_id: int, names: Sequence[str]) -> dict[str, int]:
    """On which number each of these aliases is; those that nobody holds are left out."""
    known = [each for each in dict.fromkeys(names) if entity_rows.lookup_key(each) is not None]
    with ctx.database.read() as tx:
        found = alias_rows.holders(tx, collection_id, known[:AT_ONCE])
    return {name: holder.number for name, holder in found.items()}


def last_changes_of_collections(ctx: Context, ids: Sequence[int]) -> dict[int, Entry]:
    """What happened last in each collection, by its id."""
    return _in_portions(ctx, ids, history_rows.last_of_collections)


def last_names_of_memberships(ctx: Context, ids: Sequence[int]) -> dict[int, LedgerRow]:
    """The last of the aliases that each place holds, and who put it there, by its id."""
    return _in_portions(ctx, ids, ledger_rows.last_of_memberships)


def collections_of_project(
    ctx: Context, project_id: int, *, type_name: str | None, after: int, limit: int
) -> tuple[list[Collection], int]:
    """Some of a project's collections (of one type), oldest first, and how many there are."""
    with ctx.database.read() as tx:
        page = collection_rows.list_of_project(
            tx, project_id, type_name=type_name, after=after, limit=limit
        )
        return page, collection_rows.count_of_project(tx, project_id, type_name=type_name)


def memberships_of_collection(
    ctx: Context, collection_id: int, *, below: int | None, limit: int
) -> list[Membership]:
    """Some of a collection's memberships, newest first, from below a number."""
    with ctx.database.read() as tx:
        return collection_rows.list_memberships(tx, collection_id, below=below, limit=limit)


def numbers_there(ctx: Context, collection_id: int, numbers: Sequence[int]) -> set[int]:
    """Of these numbers those under which a version is in the collection now."""
    with ctx.database.read() as tx:
        return collection_rows.live_numbers(tx, collection_id, numbers)


def memberships_of_version(
    ctx: Context, version_id: int, *, after: int, limit: int
) -> list[Membership]:
    """Some of a version's memberships that the actor may see, from behind the id `after`."""
    with ctx.database.read() as tx:
        places = lineage_rows.projects_of_versions(tx, [version_id])[version_id]
        shown = sorted(access.visible_projects(ctx, places))
        return collection_rows.memberships_in_projects(
            tx, version_id, shown, after=after, limit=limit
        )


def membership_by_ref(ctx: Context, collection_id: int, ref: str) -> Membership | None:
    """What the words behind the colon name in a collection the actor was shown."""
    with ctx.database.read() as tx:
        return resolve_in(tx, collection_id, ref)


def aliases_of_collection(ctx: Context, collection_id: int, *, after: str, limit: int) -> list[str]:
    """Some of a collection's aliases by name, from behind a name."""
    with ctx.database.read() as tx:
        page = alias_rows.list_of_collection(tx, collection_id, after=after, limit=limit)
    return [each.name for each in page]
