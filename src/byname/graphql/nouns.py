"""All resolvers of the SDK's face, noun by noun, bound to the schema."""

from __future__ import annotations

from graphql import GraphQLSchema

from byname.graphql import (
    alias,
    automation,
    collection,
    entity,
    file,
    integration,
    lineage,
    manifest,
    member,
    project,
    registry,
    run,
    server,
    tag,
    version,
)
from byname.graphql.engine.schema import load_schema

NOUNS = (
    alias,
    automation,
    collection,
    entity,
    file,
    integration,
    lineage,
    manifest,
    member,
    project,
    registry,
    run,
    server,
    tag,
    version,
)


def make_schema() -> GraphQLSchema:
    """The schema with every resolver in its place.

    Raises:
        ValueError: a resolver stands for what the schema does not have.
    """
    return load_schema(*(bindable for noun in NOUNS for bindable in noun.bindables))
