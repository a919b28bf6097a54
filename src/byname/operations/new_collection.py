"""A new collection with its first version in it (R32)."""

from __future__ import annotations

from byname.domain.collection import Collection
from byname.domain.errors import missing
from byname.operations import collection
from byname.operations.context import Context
from byname.store import project as project_rows


def create(
    ctx: Context, project_id: int, new: collection.NewCollection, first: str | None = None
) -> Collection:
    """The registry has the collection; with the name of a version, with that one in it: all or nothing.

    Raises:
        NotFound: the registry or version is absent or hidden.
        Forbidden: the role is below Member, or the version may not be read (R44).
        Conflict: the name is taken, or the version is of another type (R35).
        Unprocessable: a name, tag or type is not allowed, or the version's source is elsewhere (R45).
    """
    with ctx.database.write() as tx:
        made = collection.create(ctx, project_id, new)
        if first is None:
            return made
        registry = project_rows.find(tx, project_id)
        if registry is None:
            raise missing("This registry")
        found = collection.resolve_reference(ctx, first)
        made, _ = collection.link(
            ctx,
            collection.NewLink(
                entity=registry.entity_name,
                project=registry.name,
                collection=made.name,
                version_id=found.version.id,
            ),
        )
        return made
