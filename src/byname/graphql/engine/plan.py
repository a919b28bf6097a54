"""How is a validated operation answered quickly?

Once per document its selections are turned into closures: which fields stand side by side in an
answer of which type, what their arguments are, how their values leave. An answer then costs little
beyond its resolvers. It equals that of graphql-core, field by field and error by error; the tests
hold both side by side. What a plan cannot do says so when it is made, and is left to graphql-core.

A plan belongs to one combination of the variables that `@skip` and `@include` ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    located_error,
)
from graphql.execution.values import VariableValues
from graphql.language import BooleanValueNode, OperationType, SelectionNode, VariableNode

from byname.graphql.engine.arguments import ArgumentReader, compile_arguments
from byname.graphql.engine.below import collect
from byname.graphql.engine.completion import (
    PLAIN_CLASSES,
    Complete,
    Fail,
    Path,
    PlacedError,
    abstract_value,
    leaf_value,
    list_value,
    object_value,
    required_value,
)
from byname.graphql.engine.results import Failure, Info, Result, to_failure
from byname.graphql.engine.schema import Attribute

FieldRunner = Callable[[Any, "Run", Path], Any]


class NotPlannable(Exception):
    """The operation asks for something that only graphql-core can do."""


class Run:
    """One execution of a plan."""

    __slots__ = ("context", "exactly", "failures", "variables")

    def __init__(
        self, context: Any, variables: dict[str, Any], exactly: Callable[[], VariableValues]
    ) -> None:
        self.context = context
        self.variables = variables
        self.exactly = exactly
        self.failures: list[Failure] = []


class Plan:
    """An operation as closures."""

    __slots__ = ("_answer",)

    def __init__(self, compiler: Compiler) -> None:
        self._answer = compiler.compile_root()

    def execute(
        self, variables: dict[str, Any], exactly: Callable[[], VariableValues], context: Any
    ) -> Result:
        """The answer, for variables that are read already."""
        run = Run(context, variables, exactly)
        try:
            data = self._answer(None, run, None)
        except PlacedError as error:
            run.failures.append(error.failure)
            data = None
        return Result(data, run.failures)


class Compiler:
    """Turns one operation into closures, for one combination of its conditions."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        conditions: Mapping[str, bool],
    ) -> None:
        self.schema = schema
        self.operation = operation
        self.conditions = conditions
        self.fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }

    def compile_root(self) -> Complete:
        """The closure that answers the operation.

        Raises:
            NotPlannable: it is a subscription, asks for the schema, or has directives of its own.
        """
        operation = self.operation
        root = self.schema.get_root_type(operation.operation)
        if operation.operation is OperationType.SUBSCRIPTION or root is None:
            raise NotPlannable("Subscriptions are not planned")
        if operation.directives:
            raise NotPlannable("Directives on an operation are not planned")
        return self.fields_of(root, [operation.selection_set])

    def fields_of(
        self, parent: GraphQLObjectType, selection_sets: Iterable[SelectionSetNode]
    ) -> Complete:
        """The closure that answers all fields which the sets select on this type."""
        if parent.is_type_of is not None:
            raise NotPlannable("Types that recognise their values are not planned")
        groups: dict[str, list[FieldNode]] = {}
        spread: set[str] = set()
        for selection_set in selection_sets:
            self.collect(parent, selection_set, groups, spread)
        runners = [(key, self.field(parent, key, nodes)) for key, nodes in groups.items()]

        def complete(source: Any, run: Run, path: Path) -> dict[str, Any]:
            return {key: runner(source, run, path) for key, runner in runners}

        return complete

    def collect(
        self,
        parent: GraphQLObjectType,
        selection_set: SelectionSetNode,
        groups: dict[str, list[FieldNode]],
        spread: set[str],
    ) -> None:
        """Group the selected fields by the key they answer under; each fragment counts once."""
        for selection in selection_set.selections:
            if not self.is_included(selection):
                continue
            if isinstance(selection, FieldNode):
                groups.setdefault((selection.alias or selection.name).value, []).append(selection)
            elif isinstance(selection, InlineFragmentNode):
                if self.applies(selection, parent):
                    self.collect(parent, selection.selection_set, groups, spread)
            elif isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                fragment = self.fragments[name]
                if name not in spread and self.applies(fragment, parent):
                    spread.add(name)
                    self.collect(parent, fragment.selection_set, groups, spread)

    def is_included(self, selection: SelectionNode) -> bool:
        """Whether `@skip` and `@include` leave the selection in."""
        for directive in selection.directives or ():
            name = directive.name.value
            if name not in {"skip", "include"}:
                raise NotPlannable(f"The directive {name!r} is not planned")
            value = (directive.arguments or ())[0].value
            if isinstance(value, VariableNode):
                condition = self.conditions[value.name.value]
            elif isinstance(value, BooleanValueNode):
                condition = value.value
            else:
                raise NotPlannable("The condition is neither a variable nor a truth value")
            if condition == (name == "skip"):
                return False
        return True

    def applies(
        self, fragment: InlineFragmentNode | FragmentDefinitionNode, parent: GraphQLObjectType
    ) -> bool:
        """Whether a fragment speaks of this type."""
        if fragment.type_condition is None:
            return True
        condition = self.schema.get_type(fragment.type_condition.name.value)
        return condition is parent or (
            is_abstract_type(condition) and self.schema.is_sub_type(condition, parent)
        )

    def field(self, parent: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> FieldRunner:
        """The closure that answers one field; the key is the one it answers under."""
        name = nodes[0].name.value
        if name == "__typename":
            type_name = parent.name
            return lambda _source, _run, _path: type_name
        field = parent.fields.get(name)
        if field is None:
            raise NotPlannable(f"{name!r} is not planned")
        complete = self.value(field.type, f"{parent.name}.{name}", nodes)
        arguments = compile_arguments(field, nodes[0])
        fail = _fail_at(nodes, key, required=is_non_null_type(field.type))
        if not isinstance(field.resolve, Attribute):
            resolver: Any = field.resolve
            below = collect(nodes, self.fragments)
            return _resolved(key, name, resolver, arguments, below, complete=complete, fail=fail)
        attribute = field.resolve.name
        if arguments is None and is_leaf_type(get_named_type(field.type)):
            return _leaf_attribute(
                attribute, key, name, of_type=field.type, complete=complete, fail=fail
            )
        return _attribute(attribute, key, name, arguments, complete=complete, fail=fail)

    def value(self, of_type: GraphQLOutputType, place: str, nodes: list[FieldNode]) -> Complete:
        """The closure that completes a value of the type."""
        if is_non_null_type(of_type):
            return required_value(self.value(of_type.of_type, place, nodes), place)
        if is_list_type(of_type):
            item = of_type.of_type
            fail = _fail_at(nodes, None, required=is_non_null_type(item))
            return list_value(self.value(item, place, nodes), place, fail)
        if is_leaf_type(of_type):
            return leaf_value(of_type)
        selection_sets = [node.selection_set for node in nodes if node.selection_set is not None]
        if is_abstract_type(of_type):
            return self.abstract(of_type, place, nodes, selection_sets)
        if is_object_type(of_type):
            return object_value(self.fields_of(of_type, selection_sets))
        raise NotPlannable(f"{of_type} is not planned")

    def abstract(
        self,
        of_type: GraphQLAbstractType,
        place: str,
        nodes: list[FieldNode],
        selection_sets: list[SelectionSetNode],
    ) -> Complete:
        """The closure that first finds out which type a value has."""
        if of_type.resolve_type is None:
            raise NotPlannable("An interface or union without a type resolver is not planned")
        by_name = {
            each.name: self.fields_of(each, selection_sets)
            for each in self.schema.get_possible_types(of_type)
        }
        return abstract_value(of_type, by_name, place, nodes[0].name.value)


def _fail_at(nodes: list[FieldNode], key: str | None, *, required: bool) -> Fail:
    """The closure that places an error: noted where null may stand, raised further elsewhere.

    Without a key the path given is already the one of the value itself.
    """

    def fail(error: Exception, run: Run, path: Path) -> None:
        if not isinstance(error, PlacedError):
            keys: list[str | int] = [] if key is None else [key]
            while path is not None:
                path, last = path
                keys.append(last)
            error = PlacedError(to_failure(located_error(error, nodes, keys[::-1])))
        if required:
            raise error
        run.failures.append(error.failure)

    return fail


def _leaf_attribute(
    attribute: str,
    key: str,
    name: str,
    *,
    of_type: GraphQLOutputType,
    complete: Complete,
    fail: Fail,
) -> FieldRunner:
    """A leaf that its source holds: the most frequent field, and the cheapest."""
    plain = None if is_list_type(of_type) else PLAIN_CLASSES.get(get_named_type(of_type).name)
    if is_non_null_type(of_type) and is_list_type(of_type.of_type):
        plain = None

    def run_field(source: Any, run: Run, path: Path) -> Any:
        try:
            if isinstance(source, dict):
                value = source.get(attribute)
            else:
                value = getattr(source, attribute, None)
            if value.__class__ is plain:
                return value
            if callable(value):
                value = value(Info(run.context, name))
            return complete(value, run, (path, key))
        except Exception as error:  # noqa: BLE001 - Whatever a source does is an error of its field.
            return fail(error, run, path)

    return run_field


def _attribute(
    attribute: str,
    key: str,
    name: str,
    arguments: ArgumentReader | None,
    *,
    complete: Complete,
    fail: Fail,
) -> FieldRunner:
    """A field that its source holds."""

    def run_field(source: Any, run: Run, path: Path) -> Any:
        try:
            given = {} if arguments is None else arguments(run.variables, run.exactly)
            if isinstance(source, dict):
                value = source.get(attribute)
            else:
                value = getattr(source, attribute, None)
            if callable(value):
                value = value(Info(run.context, name), **given)
            return complete(value, run, (path, key))
        except Exception as error:  # noqa: BLE001 - Whatever a source does is an error of its field.
            return fail(error, run, path)

    return run_field


def _resolved(
    key: str,
    name: str,
    resolver: Callable[..., Any],
    arguments: ArgumentReader | None,
    below: frozenset[str],
    *,
    complete: Complete,
    fail: Fail,
) -> FieldRunner:
    """A field with a resolver of its own."""

    def run_field(source: Any, run: Run, path: Path) -> Any:
        try:
            info = Info(run.context, name, below)
            if arguments is None:
                value = resolver(source, info)
            else:
                value = resolver(source, info, **arguments(run.variables, run.exactly))
            return complete(value, run, (path, key))
        except Exception as error:  # noqa: BLE001 - Whatever a resolver raises is an error of its field.
            return fail(error, run, path)

    return run_field
