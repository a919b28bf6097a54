"""Every operation of the SDK's face, with values of the right type and the wrong sense.

The documents are made from the schema, so that a new field is tried without anybody thinking of it.
A refusal is fine, an answer is fine; our own fault never is, and neither is a broken promise.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    is_leaf_type,
)

from byname.domain.errors import DomainError
from byname.domain.ids import to_id
from byname.graphql.context import RequestContext
from byname.http.addresses import Addresses
from byname.http.links import Signer
from byname.operations.context import Context
from byname.store import alias as alias_rows
from tests.support.graphql import engine
from tests.support.world import (
    ORGANIZATION,
    PROJECT,
    REGISTRY,
    TEAM,
    World,
    link_version,
    log_version,
)

ROUNDS = 60
TEXTS = (
    "",
    " ",
    "a",
    "Zoo",
    "Zoo:production",
    "model:latest",
    "v0",
    "v99999999999999999999999999",
    "latest",
    ORGANIZATION,
    TEAM,
    PROJECT,
    REGISTRY,
    "wandb-registry-",
    "../../etc/passwd",
    "/etc/passwd",
    "..\\..\\x",
    "%2e%2e%2f",
    "file:///etc/passwd",
    "a\x00b",
    "a\nb",
    "\u202eright\u202c",
    "ｆｕｌｌ",  # noqa: RUF001  Full width on purpose.
    "é",
    "💥" * 50,
    "x" * 129,
    "x" * 5000,
    "'; DROP TABLE alias; --",
    "{}",
    '{"$or": [{"$and": []}]}',
    '{"name": {"$regex": "(a+)+$"}}',
    '{"name": {"$regex": "("}}',
    '{"tag": ' * 200,
    "[" * 500,
    '{"a": NaN, "b": 1e999}',
    "null",
    "1",
    "=" * 8,
    "QXJ0aWZhY3Q6MQ==",
    "QXJ0aWZhY3Q6OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5",
    "QXJ0aWZhY3Q6LTE=",
    "0" * 32,
    "1B2M2Y8AsgTpgAmY7PhCfg==",
    "<script>alert(1)</script>",
    "2026-13-45T99:99:99Z",
)
RIGHT: dict[str, tuple[Any, ...]] = {
    "entityName": (TEAM, ORGANIZATION, "out"),
    "entity": (TEAM, ORGANIZATION, "out"),
    "teamName": (TEAM,),
    "organizationName": (ORGANIZATION,),
    "projectName": (PROJECT, REGISTRY),
    "modelName": (PROJECT, REGISTRY),
    "oldProjectName": (REGISTRY, PROJECT),
    "artifactCollectionName": ("model", "Zoo"),
    "artifactPortfolioName": ("Zoo", "New"),
    "artifactTypeName": ("model",),
    "runName": ("abcd1234", ""),
    "alias": ("production", "latest", "best", "v0"),
    "tagName": ("good", "very good"),
    "role": ("admin", "member"),
    "digest": ("0" * 32, "1B2M2Y8AsgTpgAmY7PhCfg=="),
    "md5": ("1B2M2Y8AsgTpgAmY7PhCfg==",),
    "hexMD5": ("0" * 32,),
    "partNumber": (1,),
    "metadata": ('{"a": 1}', "{}"),
    "artifactID": (to_id("Artifact", 1), to_id("Artifact", 2)),
    "baseArtifactID": (to_id("Artifact", 1),),
    "artifactManifestID": (to_id("ArtifactManifest", 1),),
    "artifactPortfolioID": (to_id("ArtifactCollection", 2),),
    "artifactSequenceID": (to_id("ArtifactCollection", 1),),
    "projectId": (to_id("Project", 1), to_id("Project", 2), 1),
    "userIds": (to_id("User", 1), to_id("User", 2)),
    "userId": (to_id("User", 1), to_id("User", 2)),
    "teamIds": (to_id("Entity", 3),),
    "teamId": (to_id("Entity", 3),),
    "userProjectRole": ("admin", "viewer"),
    "teamProjectRole": ("admin", "viewer"),
    "digestAlgorithm": ("MANIFEST_MD5",),
    "name": ("model", "Zoo", REGISTRY, PROJECT, "new one"),
    "id": (to_id("Artifact", 1), to_id("Project", 1), to_id("Run", 1)),
    "filters": ('{"state": "COMMITTED"}', '{"name": "Zoo"}', '{"alias": {"$in": ["latest"]}}'),
}
"""Values that make sense for a field of that name: they lead a call further in."""
NUMBERS = (-1, 0, 1, 2, 100, 2**31 - 1)
LONG_NUMBERS = (*NUMBERS, -(2**63), 2**63 - 1, 2**63, 10**30)


def kinds() -> list[str]:
    """Ids of every kind, right and wrong."""
    words = (
        *("Artifact", "ArtifactCollection", "ArtifactManifest", "Project", "User", "Entity"),
        *("Run", "RunFile", "ProjectInternalId", "Nothing"),
    )
    return [to_id(word, number) for word in words for number in (1, 2, 3, 2**62)]


def some_value(source: random.Random, kind: Any, depth: int = 0, name: str = "") -> Any:
    """A value that the schema takes for this type."""
    if isinstance(kind, GraphQLNonNull):
        value = some_value(source, kind.of_type, depth, name)
        while value is None:
            value = some_value(source, kind.of_type, depth, name)
        return value
    if source.random() < 0.15 and depth:
        return None
    if isinstance(kind, GraphQLList):
        inner = kind.of_type
        count = source.choice((0, 1, 1, 2, 3))
        made = [some_value(source, inner, depth + 1, name) for _ in range(count)]
        return [each for each in made if each is not None or not isinstance(inner, GraphQLNonNull)]
    if isinstance(kind, GraphQLInputObjectType):
        found = {}
        for each, field in kind.fields.items():
            if isinstance(field.type, GraphQLNonNull) or source.random() < 0.6:
                found[each] = some_value(source, field.type, depth + 1, each)
        return found
    if name in RIGHT and source.random() < 0.75:
        return source.choice(RIGHT[name])
    if isinstance(kind, GraphQLEnumType):
        return source.choice(list(kind.values))
    return _leaf(source, kind.name)


def _leaf(source: random.Random, name: str) -> Any:
    match name:
        case "Int":
            return source.choice(NUMBERS)
        case "Int64":
            return source.choice(LONG_NUMBERS)
        case "Float":
            return source.choice((0.0, -1.5, 1e308))
        case "Boolean":
            return source.random() < 0.5
        case "ID":
            return source.choice((*kinds(), *TEXTS))
        case "JSON":
            return source.choice(({}, [], 1, "x", None))
        case _:
            return source.choice(TEXTS)


def selection(kind: Any, depth: int = 3) -> str:
    """All plain fields of the type, and of what it leads to, without arguments."""
    while isinstance(kind, GraphQLNonNull | GraphQLList):
        kind = kind.of_type
    if is_leaf_type(kind):
        return ""
    parts = ["__typename"]
    if isinstance(kind, GraphQLObjectType) and depth:
        for name, field in kind.fields.items():
            if any(isinstance(a.type, GraphQLNonNull) for a in field.args.values()):
                continue
            inner = selection(field.type, depth - 1)
            leaf = field.type
            while isinstance(leaf, GraphQLNonNull | GraphQLList):
                leaf = leaf.of_type
            if inner or is_leaf_type(leaf):
                parts.append(name + inner)
    return " { " + " ".join(parts) + " }"


def document(kind: str, name: str, field: GraphQLField) -> str:
    """An operation that calls one root field with all its arguments."""
    given = ", ".join(f"${each}: {a.type}" for each, a in field.args.items())
    passed = ", ".join(f"{each}: ${each}" for each in field.args)
    head = f"{kind} Try({given})" if given else f"{kind} Try"
    call = f"{name}({passed})" if passed else name
    return f"{head} {{ {call}{selection(field.type, 2)} }}"


def root_fields() -> list[tuple[str, str]]:
    """Every root field there is."""
    schema = engine().schema
    found = []
    for kind, root in (("query", schema.query_type), ("mutation", schema.mutation_type)):
        assert root is not None
        found += [(kind, name) for name in root.fields]
    return found


def try_one(ctx: Context, text: str, arguments: dict[str, GraphQLArgument], seed: str) -> None:
    """One call; whatever it answers, it is not our fault."""
    source = random.Random(seed)
    variables = {}
    for name, argument in arguments.items():
        value = some_value(source, argument.type, name=name)
        if value is not None:
            variables[name] = value
    request = RequestContext(ctx, Addresses("http://localhost", Signer(b"x" * 32)))
    running = engine()
    result = running.execute(running.prepare(text), variables, request)
    for failure in result.errors:
        assert isinstance(failure.original, DomainError), (
            f"{text}\nwith {variables!r}\nfailed at {failure.path}: {failure.original!r}"
        )


@pytest.fixture
def busy_world(world: World) -> World:
    """A world with a linked version, and an outsider."""
    version = log_version(world.admin)
    link_version(world.admin, version, aliases=["production"])
    world.add_person("out")
    return world


@pytest.mark.parametrize(("kind", "name"), root_fields())
def test_no_value_is_our_fault(busy_world: World, kind: str, name: str) -> None:
    schema = engine().schema
    root = schema.query_type if kind == "query" else schema.mutation_type
    assert root is not None
    field = root.fields[name]
    text = document(kind, name, field)
    for who in ("admin", "out"):
        for number in range(ROUNDS):
            ctx = busy_world.people[who]
            try_one(ctx, text, field.args, f"{name} {who} {number}")
    with busy_world.nobody.database.read() as tx:
        assert alias_rows.disagreements(tx) == []
    assert busy_world.nobody.database.problems() == []


def test_an_outsider_changed_nothing_of_others(busy_world: World) -> None:
    """A3: no id, whatever its kind, opens what is not the asker's."""
    schema = engine().schema
    assert schema.mutation_type is not None

    def others() -> list[tuple[Any, ...]]:
        with busy_world.nobody.database.read() as tx:
            owner = tx.one("SELECT entity_id FROM users WHERE username = 'out'")
            assert owner is not None
            return [
                tuple(row)
                for sql in (
                    "SELECT * FROM project WHERE entity_id <> :own",
                    "SELECT c.* FROM collection c JOIN project p ON p.id = c.project_id"
                    " WHERE p.entity_id <> :own",
                    "SELECT v.* FROM version v JOIN collection c ON c.id = v.collection_id"
                    " JOIN project p ON p.id = c.project_id WHERE p.entity_id <> :own",
                    "SELECT m.* FROM membership m JOIN collection c ON c.id = m.collection_id"
                    " JOIN project p ON p.id = c.project_id WHERE p.entity_id <> :own",
                    "SELECT a.* FROM alias a JOIN collection c ON c.id = a.collection_id"
                    " JOIN project p ON p.id = c.project_id WHERE p.entity_id <> :own",
                    "SELECT * FROM organization_member UNION ALL SELECT * FROM team_member",
                    "SELECT * FROM users WHERE username <> 'out'",
                )
                for row in tx.all(sql, {"own": owner["entity_id"]} if ":own" in sql else ())
            ]

    before = others()
    for name, field in schema.mutation_type.fields.items():
        text = document("mutation", name, field)
        for number in range(ROUNDS):
            try_one(busy_world.people["out"], text, field.args, f"{name} steal {number}")
    assert others() == before
