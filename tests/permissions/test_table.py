"""The permission table holds: every operation, asked for by everybody, everywhere (A1, A2, R106).

Each cell is one request, through the face itself, inside a transaction that is undone afterwards, so
that every cell finds the same state.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.routing import APIRoute

from byname import wiring
from byname.domain import policy
from byname.domain.policy import GroupRole, Permission, Role
from byname.graphql.nouns import make_schema
from byname.http.errors import STATUS_BY_KIND
from byname.http.links import Signer
from byname.http.router import Router
from byname.operations import key
from byname.rest.api import make_api
from byname.rest.provisioning import make_scim
from byname.settings import Settings
from tests.permissions import role_table
from tests.permissions.operations import ELSEWHERE, ROWS, Mutation, Query, Rest, Row, Scope
from tests.permissions.people import (
    ASKERS,
    FOREIGN,
    MISSING,
    NOBODY,
    OPEN,
    SECRET,
    Asker,
    Target,
    Town,
    make_town,
)
from tests.support.graphql import ask
from tests.support.site import cached_schema
from tests.support.world import make_world

PLACES = (SECRET, OPEN, FOREIGN, MISSING)
ROOT = Path(__file__).parents[2]
LAYERS = {"viewer": 1, "member": 2, "admin": 3}


class Undo(Exception):
    """Ends a cell's transaction without a trace."""


async def inline(function: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Run it here: what a thread of its own did could not be undone by this one."""
    return function(*args, **kwargs)


class City:
    """The town, with its whole server, and everybody's key."""

    def __init__(self, town: Town, router: Router) -> None:
        self.town = town
        self._router = router
        self._keys = {
            asker.name: key.create_key(town.ctx(asker)).secret
            for asker in ASKERS
            if asker.name != NOBODY
        }
        self._contexts = {asker.name: town.ctx(asker) for asker in ASKERS}

    def status(self, row: Row, asker: Asker, place: str) -> int:
        """What the asker is answered, as an HTTP status. Nothing of it remains."""
        found: list[int] = []
        target = self.town.targets[place]
        try:
            with self.town.world.nobody.database.write():
                found.append(self._status(row, asker, target))
                raise Undo  # noqa: TRY301  It is how a transaction is left without a trace.
        except Undo:
            return found[0]

    def _status(self, row: Row, asker: Asker, target: Target) -> int:
        match row.call:
            case Rest():
                return asyncio.run(self._request(row.call, asker, target))
            case Mutation(name, given):
                kind = name[0].upper() + name[1:]
                text = (
                    f"mutation ($input: {kind}Input!) {{ {name}(input: $input) {{ __typename }} }}"
                )
                return self._field(text, {"input": given(target)}, name, asker)
            case Query(name, arguments):
                values = arguments(target)
                marks = {"id": "ID!", "name": "String", "entityName": "String"}
                head = ", ".join(f"${each}: {marks[each]}" for each in values)
                inner = ", ".join(f"{each}: ${each}" for each in values)
                text = f"query ({head}) {{ {name}({inner}) {{ __typename }} }}"
                return self._field(text, values, name, asker)

    def _field(self, text: str, values: dict[str, Any], name: str, asker: Asker) -> int:
        answer = ask(self._contexts[asker.name], text, **values)
        if answer.errors:
            return STATUS_BY_KIND[answer.errors[0].kind]
        return 404 if answer.data[name] is None else 200

    async def _request(self, call: Rest, asker: Asker, target: Target) -> int:
        words = {**target.words, "collection": "Zoo", "version": "v0", "tag": "t"}
        words["alias"] = "guarded" if "/protected-aliases/" in call.path else "production"
        if call.path.endswith("/links"):
            words["collection"] = "New"
        path = call.whole_path.format(**words)
        body = b"" if call.body is None else json.dumps(_filled(call.body, words)).encode()
        headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
        if asker.name != NOBODY:
            headers.append((b"authorization", f"Bearer {self._keys[asker.name]}".encode()))
        scope = {
            "type": "http",
            "method": call.method,
            "path": path,
            "raw_path": quote(path).encode(),
            "query_string": quote(call.query.format(**words), safe="=&").encode(),
            "headers": headers,
            "scheme": "http",
            "http_version": "1.1",
            "server": ("localhost", 80),
            "client": ("127.0.0.1", 1),
            "root_path": "",
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._router(scope, receive, send)
        status = sent[0]["status"]
        assert status < 500, (call, asker.name, sent)
        return int(status)


def _filled(body: Any, words: dict[str, str]) -> Any:
    if isinstance(body, str):
        return body.format(**words)
    if isinstance(body, dict):
        return {name: _filled(value, words) for name, value in body.items()}
    return [_filled(value, words) for value in body] if isinstance(body, list) else body


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("city")
    town = make_town(make_world(folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "make_schema", cached_schema)
        patch.setattr("fastapi.routing.run_in_threadpool", inline)
        patch.setattr("fastapi.dependencies.utils.run_in_threadpool", inline)
        application = wiring.Application(
            town.world.nobody, Signer(b"x" * 32), Settings(data=folder)
        )
        application.open("http://localhost")
        yield City(town, application.router)
        application.close()


def expected(row: Row, asker: Asker, place: str) -> set[int]:
    """What the table says to that asker there."""
    if asker.name == NOBODY:
        # The SDK's face shuts its door before any field is asked.
        return {401} if isinstance(row.call, Rest) else {401, 404}
    match row.scope:
        case Scope.SERVER:
            return {403}
        case Scope.ORGANIZATION:
            group = asker.group_role_in(place)
            if group is None:
                return {404}
            assert isinstance(row.least, GroupRole)
            return set(row.done) if LAYERS[group] >= LAYERS[row.least] else {403}
        case Scope.TEAM:
            return _in_team(row, asker, place)
        case Scope.REGISTRY:
            return _in_registry(row, asker, place)


def _in_team(row: Row, asker: Asker, place: str) -> set[int]:
    role = asker.team if place in (SECRET, OPEN) else None
    if place == FOREIGN and asker.name == "outsider":
        role = Role.ADMIN
    if role is None:
        # Who is in the organization may be told that the team is there.
        known = place in (SECRET, OPEN) and asker.organization is not None
        return {403, 404} if known else {404}
    assert isinstance(row.least, Permission)
    return set(row.done) if role >= row.least.least else {403}


def _in_registry(row: Row, asker: Asker, place: str) -> set[int]:
    roles = [asker.role_in(place)]
    if row.source and (row.by_id or roles[0] is not None) and place in (SECRET, OPEN):
        roles.append(asker.team)
    role = max((each for each in roles if each is not None), default=None)
    if role is None:
        return {404}
    assert isinstance(row.least, Permission)
    if row.creator:
        owns = asker.name == ("outsider" if place == FOREIGN else "org_admin")
        return set(row.done) if owns else {403}
    return set(row.done) if role >= row.least.least else {403}


def wrong_cells(city: City, row: Row) -> list[str]:
    """The cells of the row in which the answer is not the table's."""
    wrong = []
    for place in PLACES:
        for asker in ASKERS:
            status = city.status(row, asker, place)
            if status not in expected(row, asker, place):
                want = " or ".join(map(str, sorted(expected(row, asker, place))))
                wrong.append(f"{asker.name} at {place}: {status}, should be {want}")
    return wrong


class TestEveryCell:
    """R106, R107, R112, R171: each operation, as each asker, on own, foreign and missing objects."""

    @pytest.mark.parametrize("row", ROWS, ids=lambda row: row.key)
    def test_row(self, city: City, row: Row) -> None:
        wrong = wrong_cells(city, row)
        assert not wrong, f"{row.key}:\n" + "\n".join(wrong)

    def test_a_cell_leaves_no_trace(self, city: City) -> None:
        """Without this, one cell would decide the next one."""
        (row,) = [row for row in ROWS if row.key == "mutation deleteArtifactPortfolio"]
        admin = ASKERS[-1]
        assert city.status(row, admin, SECRET) == 200
        assert city.status(row, admin, SECRET) == 200


class TestAHoleIsSeen:
    """The test can fail: with one check taken out, its cells turn red."""

    @pytest.mark.parametrize(
        ("key", "check"),
        [
            ("DELETE /api/v1/registries/{organization}/{registry}/collections/{collection}",
             "byname.operations.collection.access.require"),
            ("mutation createArtifactCollectionTagAssignments",
             "byname.operations.collection.access.require"),
            ("PUT /api/v1/registries/{organization}/{registry}/members/{username}",
             "byname.operations.member.access.require"),
            ("mutation upsertModel", "byname.operations.registry.access.require"),
        ],
    )  # fmt: skip
    def test_a_role_that_nobody_looks_at(
        self, city: City, key: str, check: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (row, *_) = [row for row in ROWS if row.key == key]
        assert not wrong_cells(city, row)
        monkeypatch.setattr(check, lambda *_args, **_more: Role.ADMIN)
        wrong = wrong_cells(city, row)
        assert any(line.startswith("direct_restricted_viewer at secret: 20") for line in wrong)

    def test_a_provider_that_nobody_looks_at(
        self, city: City, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (row,) = [row for row in ROWS if row.key.endswith("/Users") and row.key.startswith("GET")]
        assert not wrong_cells(city, row)
        monkeypatch.setattr("byname.domain.policy.Actor.administers", lambda *_args: True)
        wrong = wrong_cells(city, row)
        assert "org_member at secret: 200, should be 403" in wrong

    def test_a_registry_that_is_not_hidden(
        self, city: City, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (row, *_) = [
            row for row in ROWS if row.key.endswith("/registries/{organization}/{registry}")
        ]
        monkeypatch.setattr(
            "byname.operations.registry.access.role_in", lambda *_args: Role.RESTRICTED_VIEWER
        )
        wrong = wrong_cells(city, row)
        assert "outsider at secret: 200, should be 404" in wrong


def spelled(key: str) -> str:
    """The operation without the names of its parameters."""
    return re.sub(r"{[^}]*}", "{}", key)


HOLES: dict[str, tuple[str, Any]] = {
    "access.require": ("byname.operations.access.require", lambda *_, **__: Role.ADMIN),
    "access.role_in": ("byname.operations.access.role_in", lambda *_: Role.ADMIN),
    "access.roles_in": (
        "byname.operations.access.roles_in",
        lambda _tx, _actor, projects: {each.id: Role.ADMIN for each in projects},
    ),
    "team_project_role": ("byname.domain.policy.team_project_role", lambda *_, **__: Role.ADMIN),
    "policy.check": ("byname.domain.policy.check", lambda *_: None),
    "administers": ("byname.domain.policy.Actor.administers", lambda *_: True),
    "belongs_to": ("byname.domain.policy.Actor.belongs_to", lambda *_: True),
    "require_server_admin": ("byname.operations.access.require_server_admin", lambda *_: None),
}
"""The checks that all operations are made of, and what stands in the place of one that is gone."""


def plant(patch: pytest.MonkeyPatch, hole: str) -> None:
    """The check is gone, under whatever name a module has it."""
    path, wrong = HOLES[hole]
    where, _, name = path.rpartition(".")
    place: Any = sys.modules.get(where) or policy.Actor
    right = getattr(place, name)
    patch.setattr(place, name, wrong)
    for module in [each for at, each in sys.modules.items() if at.startswith("byname.")]:
        if getattr(module, name, None) is right:
            patch.setattr(module, name, wrong)


def seen_hole(city: City, row: Row) -> str | None:
    """A check without which the row turns red; None where there is none."""
    refused: dict[tuple[str, frozenset[int]], Asker] = {}
    for place in PLACES:
        for asker in ASKERS:
            wanted = frozenset(expected(row, asker, place))
            if asker.name != NOBODY and not wanted & row.done:
                # One of those who are refused there in the same way is enough.
                refused.setdefault((place, wanted), asker)
    for hole in HOLES:
        with pytest.MonkeyPatch.context() as patch:
            plant(patch, hole)
            for (place, wanted), asker in refused.items():
                if city.status(row, asker, place) not in wanted:
                    return hole
    return None


class TestEveryHoleIsSeen:
    """Whichever operation it is: with a check of it taken out, its row turns red."""

    @pytest.mark.parametrize("row", ROWS, ids=lambda row: row.key)
    def test_row(self, city: City, row: Row) -> None:
        assert seen_hole(city, row), f"Nothing that {row.key} checks is seen by its row"


class TestNothingIsForgotten:
    """A2: what can be asked for stands in the table, and what stands there can be asked for."""

    def test_every_operation_has_a_row(self, city: City) -> None:
        schema = make_schema()
        assert schema.query_type is not None
        assert schema.mutation_type is not None
        offered = {f"query {name}" for name in schema.query_type.fields}
        offered |= {f"mutation {name}" for name in schema.mutation_type.fields}
        offered |= {spelled(f"{method} {path}") for method, path in city._router.routes()}
        api = make_api(city.town.world.nobody)
        scim = make_scim(city.town.world.nobody)
        for path, methods in [*api.openapi()["paths"].items(), *scim.openapi()["paths"].items()]:
            offered |= {spelled(f"{method.upper()} {path}") for method in methods}
        shown = {f"{method} {spelled(path)}" for method, path in _unlisted(api)}
        offered |= shown - {"GET /api/docs", "GET /api/openapi.json"}
        rows = {spelled(row.key) for row in ROWS}
        known = rows | {spelled(key) for key in ELSEWHERE}
        forgotten = sorted(offered - known)
        assert not forgotten, (
            "Add a row to tests/permissions/operations.py that says who may do this: "
            + ", ".join(forgotten)
        )
        stale = sorted(known - offered)
        assert not stale, f"These are offered no more: {', '.join(stale)}"
        assert not rows & set(ELSEWHERE)

    def test_what_is_checked_elsewhere_is_there(self) -> None:
        for name, reason in ELSEWHERE.items():
            for path in re.findall(r"tests/[\w/.]+", reason):
                assert (ROOT / path.rstrip(".")).exists(), f"{name} is said to be in {path}"

    def test_every_permission_is_asked_for(self) -> None:
        asked = {row.least for row in ROWS}
        # What no row of ours asks for is asked for inside another operation.
        inside = {Permission.USE, Permission.ADD_TYPE, Permission.EDIT_PROTECTED_VERSION}
        unasked = {each for each in Permission if each not in asked} - inside
        assert not unasked, f"No operation asks for {unasked}"


def _unlisted(api: Any) -> Iterator[tuple[str, str]]:
    for route in api.routes:
        if isinstance(route, APIRoute):
            yield from ((method, route.path) for method in route.methods or ())


def test_the_written_table_is_the_one_in_the_code() -> None:
    """The role table is read in review: `python -m tests.permissions.role_table` writes it anew."""
    assert role_table.FILE.read_text(encoding="utf-8") == role_table.text()
