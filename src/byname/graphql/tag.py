"""Tags of collections and versions."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType

from byname.graphql.context import Info
from byname.operations import collection as operations
from byname.operations.alias import Place

mutation = MutationType()


def tag_nodes(kind: str, owner: int, names: list[str]) -> list[dict[str, str]]:
    """The tags of one object as answers show them."""
    return [{"id": f"Tag:{kind}:{owner}:{name}", "name": name} for name in names]


def _place(given: dict[str, Any]) -> Place:
    return Place(given["entity_name"], given["project_name"], given["artifact_collection_name"])


@mutation.field("createArtifactCollectionTagAssignments")
def add_tags(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The collection has these tags too."""
    collection, tags = operations.edit_tags(
        info.context.ctx, _place(input), add=[tag["tag_name"] for tag in input["tags"]]
    )
    info.context.loaders.clear()
    return {"tags": tag_nodes("Collection", collection.id, tags)}


@mutation.field("deleteArtifactCollectionTagAssignments")
def delete_tags(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The collection has none of these tags."""
    operations.edit_tags(
        info.context.ctx, _place(input), remove=[tag["tag_name"] for tag in input["tags"]]
    )
    info.context.loaders.clear()
    return {"success": True}


bindables = [mutation]
