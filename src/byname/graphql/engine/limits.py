"""How much may a document ask for?

Everything here is counted before the document is validated, because some of the validation grows
with the square of what was sent (reliability L4). Counting itself is linear: a fragment is measured
once, however often it is spread, and nothing is spread out before the sum is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Never

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_location,
    parse,
)
from graphql.language import Node

from byname.domain.errors import Invalid, TooLarge


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one document. The defaults leave every known client far more than twice its need.

    Values travel in variables, so even the largest document of a client has some 2,000 characters.
    """

    characters: int = 100_000
    tokens: int = 10_000
    comments: int = 1_000
    depth: int = 25
    """Fields below one another, counted through fragments."""
    nesting: int = 40
    """Selection sets below one another, fragments that spread fragments included."""
    root_fields: int = 100
    selections: int = 2_000
    """Fields and spreads of all definitions together, each spread of a fragment counted anew."""
    overlaps: int = 2_000
    """Pairs of fields that answer under the same name at the same place, and must be compared."""
    definitions: int = 60
    """Operations and fragments of a document."""
    variables: int = 200
    literal_characters: int = 10_000
    """One value written into the document; longer ones belong into variables."""
    directives: int = 4
    """Directives on one field, fragment or operation."""
    introspections: int = 20
    """Root fields that ask for a description of the schema."""
    kept_tokens: int = 40_000
    """Tokens of all documents that are remembered together, about 1 kB each."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What an operation asks for, through its fragments."""

    depth: int
    selections: int
    root_fields: tuple[str, ...]
    """Their names in the schema, each once, in the order of the document."""


def parse_document(text: str, limits: Limits) -> DocumentNode:
    """The document that the text stands for.

    Raises:
        Invalid: the text is no GraphQL document; the message says where.
        TooLarge: it has more characters, tokens or comments than allowed.
    """
    if len(text) > limits.characters:
        raise TooLarge(
            f"The document has {len(text)} characters; {limits.characters} are allowed",
            limit=limits.characters,
        )
    try:
        return parse(text, max_lexical_tokens=limits.tokens, max_comments=limits.comments)
    except GraphQLSyntaxError as error:
        message = error.message
        for place in error.locations or ():
            message += f" (line {place.line}, column {place.column})"
        if "Parsing aborted" in message:
            raise TooLarge(message) from error
        raise Invalid(message, code="invalid_document") from error
    except RecursionError as error:
        raise TooLarge("The document is nested too deeply") from error


def measure_operation(
    document: DocumentNode, operation: OperationDefinitionNode, limits: Limits
) -> Measure:
    """What the operation asks for.

    Raises:
        Invalid: fragments spread one another in a circle.
        TooLarge: one of the limits is passed; the message says which, and where.
    """
    return _Survey(document, limits).measure(operation)


@dataclass(frozen=True, slots=True)
class _Share:
    """What a selection set adds to the set it stands in."""

    depth: int
    height: int
    selections: int


_NOTHING = _Share(0, 0, 0)


class _Survey:
    """One walk over the definitions of a document.

    Validation looks at every definition, so each is counted, also those that nothing uses.
    """

    def __init__(self, document: DocumentNode, limits: Limits) -> None:
        self.limits = limits
        self.fragments: dict[str, FragmentDefinitionNode] = {}
        self.shares: dict[str, _Share | None] = {}
        self.pairs = 0
        definitions = [
            definition
            for definition in document.definitions
            if isinstance(definition, (OperationDefinitionNode, FragmentDefinitionNode))
        ]
        if len(document.definitions) > limits.definitions:
            self.refuse(
                f"The document has {len(document.definitions)} operations and fragments",
                limits.definitions,
                document.definitions[limits.definitions],
            )
        for definition in definitions:
            if isinstance(definition, FragmentDefinitionNode):
                self.fragments[definition.name.value] = definition
        selections = 0
        for definition in definitions:
            self.check_directives(definition)
            selections += self.share(definition.selection_set, 1).selections
            if selections > limits.selections:
                self.refuse_selections(definition)
        # Only now is it safe to spread the fragments out.
        for definition in definitions:
            self.count_overlaps(definition.selection_set)
            if isinstance(definition, OperationDefinitionNode):
                self.check_operation(definition)

    def measure(self, operation: OperationDefinitionNode) -> Measure:
        share = self.share(operation.selection_set, 1)
        roots = [field.name.value for field in self.expand([operation.selection_set])]
        return Measure(share.depth, share.selections, tuple(dict.fromkeys(roots)))

    def check_operation(self, operation: OperationDefinitionNode) -> None:
        limits = self.limits
        variables = operation.variable_definitions or ()
        if len(variables) > limits.variables:
            self.refuse(f"There are {len(variables)} variables", limits.variables, operation)
        roots = self.expand([operation.selection_set])
        if len(roots) > limits.root_fields:
            self.refuse(f"There are {len(roots)} root fields", limits.root_fields, operation)
        asking = [field for field in roots if field.name.value in {"__schema", "__type"}]
        whole = [field for field in asking if field.name.value == "__schema"]
        if len(whole) > 1:
            self.refuse("The operation asks for the whole schema too often", 1, whole[-1])
        if len(asking) > limits.introspections:
            self.refuse(
                "The operation asks for the schema too often", limits.introspections, asking[-1]
            )

    def share(self, selection_set: SelectionSetNode, nesting: int) -> _Share:
        """What the set adds; refused as soon as a limit is passed."""
        limits = self.limits
        depth = selections = height = 0
        for selection in selection_set.selections:
            self.check_directives(selection)
            if isinstance(selection, FieldNode):
                self.check_literals(selection)
            selections += 1
            inner = self.share_of(selection, nesting)
            below = inner.depth + isinstance(selection, FieldNode)
            depth = max(depth, below)
            height = max(height, inner.height + 1)
            selections += inner.selections
            if depth > limits.depth:
                self.refuse(f"Fields are nested {depth} deep", limits.depth, selection)
            if height > limits.nesting or nesting > limits.nesting:
                self.refuse("Selections are nested too deeply", limits.nesting, selection)
            if selections > limits.selections:
                self.refuse_selections(selection)
        return _Share(depth, height, selections)

    def share_of(self, selection: Node, nesting: int) -> _Share:
        """What stands below one field, inline fragment or spread."""
        if nesting > self.limits.nesting:
            return _NOTHING  # The caller refuses; there is no need to look further.
        if not isinstance(selection, FragmentSpreadNode):
            inner: SelectionSetNode | None = getattr(selection, "selection_set", None)
            return _NOTHING if inner is None else self.share(inner, nesting + 1)
        name = selection.name.value
        if name not in self.fragments:
            return _NOTHING  # Validation says that it is missing.
        if name not in self.shares:
            self.shares[name] = None
            self.shares[name] = self.share(self.fragments[name].selection_set, nesting + 1)
        share = self.shares[name]
        if share is None:
            raise Invalid(
                f"The fragment {name!r} spreads itself{_where(selection)}", code="invalid_document"
            )
        return share

    def expand(self, selection_sets: list[SelectionSetNode]) -> list[FieldNode]:
        """The fields that stand side by side in these sets, those of fragments among them."""
        fields: list[FieldNode] = []
        waiting = selection_sets[::-1]
        while waiting:
            for selection in waiting.pop().selections:
                if isinstance(selection, FieldNode):
                    fields.append(selection)
                elif isinstance(selection, InlineFragmentNode):
                    waiting.append(selection.selection_set)
                elif isinstance(selection, FragmentSpreadNode):
                    fragment = self.fragments.get(selection.name.value)
                    if fragment is not None:
                        waiting.append(fragment.selection_set)
        return fields

    def count_overlaps(self, selection_set: SelectionSetNode) -> None:
        """Count the pairs that validation has to compare, place by place in the answer."""
        waiting = [[selection_set]]
        while waiting:
            groups: dict[str, list[FieldNode]] = {}
            for field in self.expand(waiting.pop()):
                groups.setdefault((field.alias or field.name).value, []).append(field)
            for group in groups.values():
                self.pairs += len(group) * (len(group) - 1) // 2
                if self.pairs > self.limits.overlaps:
                    self.refuse(
                        "Too many fields answer under the same name", self.limits.overlaps, group[0]
                    )
                below = [field.selection_set for field in group if field.selection_set is not None]
                if below:
                    waiting.append(below)

    def check_literals(self, field: FieldNode) -> None:
        for argument in field.arguments or ():
            place = argument.value.loc
            if place is not None and place.end - place.start > self.limits.literal_characters:
                self.refuse(
                    "A value in the document is too long for one that is no variable",
                    self.limits.literal_characters,
                    field,
                )

    def check_directives(self, node: Node) -> None:
        directives = getattr(node, "directives", None) or ()
        if len(directives) > self.limits.directives:
            self.refuse("Too many directives stand in one place", self.limits.directives, node)

    def refuse_selections(self, node: Node) -> Never:
        self.refuse("The document selects too much", self.limits.selections, node)

    def refuse(self, what: str, limit: int, node: Node) -> Never:
        raise TooLarge(f"{what}; {limit} are allowed{_where(node)}", limit=limit)


def _where(node: Node) -> str:
    if node.loc is None:
        return ""
    place = get_location(node.loc.source, node.loc.start)
    return f" (line {place.line}, column {place.column})"
