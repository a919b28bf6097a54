"""Aliases: what holds them, and moving them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ariadne import MutationType, ObjectType

from byname.domain.collection import Collection
from byname.domain.ids import from_id
from byname.graphql import loaders
from byname.graphql.context import Info
from byname.operations import alias as operations

mutation = MutationType()
artifact_alias = ObjectType("ArtifactAlias")


@dataclass(frozen=True, slots=True)
class AliasNode:
    """An alias in a collection."""

    collection_id: int
    alias: str


@artifact_alias.field("id")
def resolve_id(source: AliasNode, _info: Info) -> str:
    """A word for it that lasts: the collection and the name."""
    return f"ArtifactAlias:{source.collection_id}:{source.alias}"


@artifact_alias.field("artifactCollection")
def resolve_collection(source: AliasNode, info: Info) -> Collection | None:
    """The collection the alias belongs to."""
    return loaders.collections(info.context).get(source.collection_id)


@artifact_alias.field("artifactCollectionName")
def resolve_collection_name(source: AliasNode, info: Info) -> str | None:
    """Its name."""
    collection = resolve_collection(source, info)
    return None if collection is None else collection.name


def _places(given: list[dict[str, str]]) -> list[tuple[operations.Place, str]]:
    return [
        (
            operations.Place(
                each["entity_name"], each["project_name"], each["artifact_collection_name"]
            ),
            each["alias"],
        )
        for each in given
    ]


@mutation.field("addAliases")
def add_aliases(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The version holds the aliases, all of them or none."""
    operations.edit(
        info.context.ctx,
        from_id(input["artifact_id"], "Artifact"),
        add=_places(input["aliases"]),
    )
    info.context.loaders.clear()
    return {"success": True, "client_mutation_id": input.get("client_mutation_id")}


@mutation.field("deleteAliases")
def delete_aliases(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The version does not hold the aliases any more, none of them or all as before."""
    operations.edit(
        info.context.ctx,
        from_id(input["artifact_id"], "Artifact"),
        remove=_places(input["aliases"]),
    )
    info.context.loaders.clear()
    return {"success": True, "client_mutation_id": input.get("client_mutation_id")}


bindables = [mutation, artifact_alias]
