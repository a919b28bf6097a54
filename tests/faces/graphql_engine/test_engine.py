"""Does a request get its answer, and can the face tell what went wrong?"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar

import pytest
from ariadne import MutationType, ObjectType, QueryType, UnionType
from graphql import GraphQLError

from byname.domain.errors import Forbidden, Unsupported
from byname.graphql.engine import Engine, Info, Limits, bind_schema, load_schema


@dataclass(frozen=True, slots=True)
class Owner:
    """A value as the domain has them."""

    id: int
    name: str
    photo_url: str | None = None
    organizations: tuple[object, ...] = ()


query, mutation, user = QueryType(), MutationType(), ObjectType("User")
initiator = UnionType("Initiator")
SCALARS = "scalar DateTime scalar Duration scalar Int64 scalar JSON scalar JSONString "
FORBIDDEN = Forbidden("Only an admin may do that", role="admin")


@query.field("viewer")
def resolve_viewer(_source: object, info: Info, entity_name: str | None = None) -> Owner:
    return Owner(1, f"{info.context} asks {info.field_name} of {entity_name}", "/photo")


@query.field("entity")
def resolve_entity(_source: object, _info: Info, name: str | None = None) -> Owner:
    raise FORBIDDEN


@query.field("artifact")
def resolve_artifact(_source: object, _info: Info, id: str) -> dict[str, Any]:  # noqa: A002
    return {"created_by": Owner(1, "somebody"), "created_at": id}


@query.field("organization")
def resolve_organization(_source: object, _info: Info, name: str | None = None) -> Owner:
    raise GraphQLError("written by a resolver")


@mutation.field("deleteModel")
def resolve_delete_model(_source: object, _info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    return {"success": True}


@user.field("email")
def resolve_email(source: Owner, _info: Info) -> str:
    return f"{source.name}@example.org"


@initiator.type_resolver
def resolve_initiator_type(value: object, *_: object) -> str:
    return "User" if isinstance(value, Owner) else "Run"


SCHEMA = load_schema([query, mutation, user, initiator])


@pytest.fixture
def engine() -> Engine:
    return Engine(SCHEMA)


def ask(engine: Engine, text: str, variables: dict[str, Any] | None = None) -> Any:
    return engine.execute(engine.prepare(text), variables, "somebody")


class TestAnswers:
    """Resolvers get their arguments; everything else is read from the value."""

    def test_resolvers_and_attributes(self, engine: Engine) -> None:
        text = '{ me: viewer(entityName: "team") { name photoUrl teams { __typename } } }'
        result = ask(engine, text)
        assert result.errors == []
        assert result.data == {
            "me": {"name": "somebody asks viewer of team", "photoUrl": "/photo", "teams": None}
        }

    def test_unions_ask_their_resolver(self, engine: Engine) -> None:
        text = '{ artifact(id: "QQ==") { createdBy { __typename ...U ... on Run { state } } } }'
        text += " fragment U on User { email }"
        assert ask(engine, text).data == {
            "artifact": {"createdBy": {"__typename": "User", "email": "somebody@example.org"}}
        }

    def test_descriptions_of_the_schema_are_answered(self, engine: Engine) -> None:
        text = '{ __type(name: "ServerInfo") { name fields { name } } viewer { name } }'
        result = ask(engine, text)
        names = {field["name"] for field in result.data["__type"]["fields"]}
        assert {"features", "cliVersionInfo"} <= names
        assert result.data["viewer"] == {"name": "somebody asks viewer of None"}


class TestErrors:
    """What a resolver raises is kept with its place, and takes no more with it than it must."""

    def test_a_refusal_reaches_the_face_as_it_was_raised(self, engine: Engine) -> None:
        result = ask(engine, "{\n  viewer { id }\n  it: entity { id }\n}")
        assert result.data == {"viewer": {"id": "1"}, "it": None}
        (error,) = result.errors
        assert error.original is FORBIDDEN
        assert error.message == "Only an admin may do that"
        assert (error.path, error.locations) == (("it",), ((3, 3),))

    def test_also_without_a_plan(self, engine: Engine) -> None:
        result = ask(engine, "{ entity { id } __schema { queryType { name } } }")
        assert [error.original for error in result.errors] == [FORBIDDEN]

    def test_a_null_in_a_required_place_takes_its_object_with_it(self, engine: Engine) -> None:
        result = ask(engine, '{ viewer { id } artifact(id: "QQ==") { versionIndex digest } }')
        assert result.data == {"viewer": {"id": "1"}, "artifact": None}
        (error,) = result.errors
        assert error.path == ("artifact", "digest")
        assert isinstance(error.original, TypeError)

    def test_a_value_of_a_wrong_kind_is_an_error_of_its_field(self, engine: Engine) -> None:
        (error,) = ask(engine, '{ artifact(id: "QQ==") { createdAt } }').errors
        assert error.path == ("artifact", "createdAt")

    def test_an_error_of_the_library_is_kept(self, engine: Engine) -> None:
        (error,) = ask(engine, "{ organization { id } }").errors
        assert isinstance(error.original, GraphQLError)


class TestPrepare:
    """A document is understood once, and said what it is."""

    def test_an_empty_operation_name_is_none(self, engine: Engine) -> None:
        text = "query Viewer { viewer { id } }"
        assert engine.prepare(text, "") is engine.prepare(text, None)

    def test_the_operation_name_chooses(self, engine: Engine) -> None:
        text = "query A { viewer { id } } query B { serverInfo { __typename } }"
        assert engine.prepare(text, "B").root_fields == ("serverInfo",)
        with pytest.raises(Exception, match="no operation 'C'"):
            engine.prepare(text, "C")

    def test_the_same_document_is_prepared_once(self, engine: Engine) -> None:
        assert engine.prepare("{ viewer { id } }") is engine.prepare("{ viewer { id } }")

    def test_root_fields_are_told_by_their_names_in_the_schema(self, engine: Engine) -> None:
        text = "{ a: viewer { id } b: viewer { name } ...More }"
        text += " fragment More on Query { serverInfo { __typename } }"
        prepared = engine.prepare(text)
        assert (prepared.kind, prepared.root_fields) == ("query", ("viewer", "serverInfo"))
        text = 'mutation { x: deleteModel(input: {id: "1"}) { success } }'
        assert engine.prepare(text).kind == "mutation"

    @pytest.mark.parametrize(
        ("text", "quick"),
        [
            ("{ viewer { id } }", True),
            ('{ project(name: "p") { artifact(name: "a:b") { aliases { alias } } } }', True),
            ("{ viewer { teams { edges { node { id } } } } }", False),
            (
                '{ artifact(id: "a") { ...F } } fragment F on Artifact { usedBy { __typename } }',
                False,
            ),
            ('{ project(name: "p") { run(name: "r") { state } } }', True),
            ('{ project(name: "p") { run(name: "r") { x: history } } }', False),
            ('{ project(name: "p") { run(name: "r") { sampledHistory(specs: []) } } }', False),
            ('{ __type(name: "Run") { name } }', False),
            ('mutation { deleteModel(input: {id: "1"}) { success } }', False),
        ],
    )
    def test_quick_documents_read_a_bounded_number_of_rows(
        self, engine: Engine, text: str, quick: bool
    ) -> None:
        assert engine.prepare(text).quick is quick

    def test_subscriptions_are_not_offered(self) -> None:
        schema = bind_schema(SCALARS + "type Query { a: Int } type Subscription { b: Int }")
        with pytest.raises(Unsupported):
            Engine(schema).prepare("subscription { b }")

    def test_the_least_recently_used_document_is_forgotten(self) -> None:
        engine = Engine(SCHEMA, replace(Limits(), kept_tokens=15))
        first = engine.prepare("{ viewer { id } }")
        second = engine.prepare("{ viewer { name } }")
        assert engine.prepare("{ viewer { id } }") is first
        engine.prepare("{ viewer { email } }")
        assert engine.prepare("{ viewer { id } }") is first
        assert engine.prepare("{ viewer { name } }") is not second

    def test_many_threads_may_ask_at_once(self, engine: Engine) -> None:
        texts = [
            f"query ($yes: Boolean!) {{ viewer {{ a{i}: id @include(if: $yes) }} }}"
            for i in range(20)
        ]
        failures: list[object] = []

        def work() -> None:
            for number in range(200):
                yes = number % 2 == 0
                text = texts[number % len(texts)]
                data = engine.execute(engine.prepare(text), {"yes": yes}, None).data
                wanted = {"viewer": {f"a{number % len(texts)}": "1"} if yes else {}}
                if data != wanted:
                    failures.append(data)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert failures == []


class TestBinding:
    """A resolver for what is not there stops the start, not a user."""

    @pytest.mark.parametrize(("type_name", "field"), [("Run", "nothing"), ("Nothing", "id")])
    def test_a_resolver_without_a_field_is_refused(self, type_name: str, field: str) -> None:
        lost = ObjectType(type_name)
        lost.set_field(field, lambda *_: None)
        with pytest.raises(ValueError, match="is not defined"):
            load_schema(lost)

    def test_an_unbound_union_takes_the_name_of_the_class(self) -> None:
        class Cat:
            name = "Tom"

        sdl = SCALARS + "type Query { pets: [Pet] } union Pet = Cat | Dog"
        sdl += " type Cat { name: ID } type Dog { name: ID }"
        pets = QueryType()
        pets.set_field("pets", lambda *_: [Cat(), {"__typename": "Dog", "name": "Rex"}, object()])
        engine = Engine(bind_schema(sdl, pets))
        text = "{ pets { __typename ... on Cat { name } ... on Dog { name } } }"
        result = ask(engine, text)
        assert result.data == {
            "pets": [
                {"__typename": "Cat", "name": "Tom"},
                {"__typename": "Dog", "name": "Rex"},
                None,
            ]
        }
        assert [error.path for error in result.errors] == [("pets", 2)]


class TestScalars:
    """Values that GraphQL does not know by itself."""

    TYPES: ClassVar = {
        "moment": "DateTime",
        "number": "Int64",
        "text": "JSONString",
        "any": "JSON",
        "span": "Duration",
    }

    @pytest.fixture
    def echo(self) -> Any:
        every = QueryType()
        sdl = SCALARS + "type Query {"
        for name, of_type in self.TYPES.items():
            sdl += f" {name}(given: {of_type}): {of_type}"
            every.set_field(name, lambda _source, _info, given: given)
        engine = Engine(bind_schema(sdl + " }", every))

        def echo(name: str, value: object) -> Any:
            text = f"query ($v: {self.TYPES[name]}) {{ {name}(given: $v) }}"
            result = ask(engine, text, {"v": value})
            return result.data[name] if result.data else None

        return echo

    @pytest.mark.parametrize(
        ("name", "value", "wanted"),
        [
            ("moment", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"),
            ("moment", "2026-01-02T03:04:05.123456+02:00", "2026-01-02T01:04:05.123456Z"),
            ("moment", "2026-01-02T03:04:05", None),
            ("moment", "yesterday", None),
            ("moment", 3, None),
            ("number", 2**63 - 1, 2**63 - 1),
            ("number", 2**63, None),
            ("number", 5.0, 5),
            ("number", 5.5, None),
            ("number", float("inf"), None),
            ("number", True, None),
            ("number", "5", None),
            ("text", '{"a": [1, ', '{"a": [1, '),
            ("text", {"a": 1}, None),
            ("any", {"a": [1, None, {"b": 2.5}]}, {"a": [1, None, {"b": 2.5}]}),
            ("span", 60_000_000_000, 60_000_000_000),
        ],
    )
    def test_come_and_go(self, echo: Any, name: str, value: object, wanted: object) -> None:
        assert echo(name, value) == wanted

    def test_moments_leave_in_utc(self) -> None:
        sdl = SCALARS + "type Query { at: [DateTime] }"
        moments = QueryType()
        zone = timezone(timedelta(hours=2))
        at = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)
        moments.set_field("at", lambda *_: [at, at.astimezone(zone), at.replace(tzinfo=None)])
        assert ask(Engine(bind_schema(sdl, moments)), "{ at }").data == {
            "at": ["2026-01-02T03:04:05.000006Z"] * 3
        }
