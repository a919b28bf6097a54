"""What the client can ask for, and this server leaves out on purpose (R199).

The client's documents for it name fields and types that the schema does not have. Whoever calls
`wandb.sweep` should read that there are no sweeps, and not which field of GraphQL is missing.
"""

from __future__ import annotations

from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    visit,
)
from graphql.language import FieldNode

LEFT_OUT: dict[str, frozenset[str]] = {
    "sweeps": frozenset(
        {
            "Sweep",
            "agentHeartbeat",
            "createAgent",
            "enqueueSweepRun",
            "sweep",
            "sweeps",
            "totalSweeps",
            "upsertSweep",
        }
    ),
    "launch queues and jobs": frozenset(
        {
            "ackRunQueueItem",
            "createDefaultResourceConfig",
            "createLaunchAgent",
            "createRunQueue",
            "defaultResourceConfig",
            "deleteFromRunQueue",
            "deleteRunQueues",
            "failRunQueueItem",
            "launchAgent",
            "popFromRunQueue",
            "pushToRunQueue",
            "pushToRunQueueByName",
            "runQueue",
            "runQueues",
            "updateLaunchAgent",
            "updateRunQueueItemWarning",
            "upsertRunQueue",
        }
    ),
    "reports": frozenset({"allViews", "deleteView", "upsertView"}),
    "custom charts": frozenset({"createCustomChart"}),
}
"""Names that the schema does not have, by what they stand for."""


def find_left_out(schema: GraphQLSchema, document: DocumentNode) -> str | None:
    """What the document asks for that is left out on purpose; None where it is nothing of that."""
    unknown = _Unknown(schema, document).names
    for what, names in LEFT_OUT.items():
        if not names.isdisjoint(unknown):
            return what
    return None


class _Unknown(Visitor):
    """The fields and types of a document that the schema does not have."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        super().__init__()
        self.names: set[str] = set()
        self._schema = schema
        self._types = TypeInfo(schema)
        visit(document, TypeInfoVisitor(self._types, self))

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        if self._types.get_field_def() is None:
            self.names.add(node.name.value)

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: Any) -> None:
        name = node.type_condition.name.value
        if self._schema.get_type(name) is None:
            self.names.add(name)
