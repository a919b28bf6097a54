"""Every route with odd input: a refusal that says why, and never an error of ours.

Walks the OpenAPI document, so that a new route is covered by being there.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from byname.http.addresses import Addresses
from byname.http.links import Signer
from byname.rest.api import make_api
from tests.faces.rest.conftest import Office
from tests.support.world import ORGANIZATION, TEAM, World, link_version, log_version

METHODS = ("get", "post", "put", "patch", "delete")
ODD_SEGMENTS = [
    "%00",
    "%FF%FE",
    "%ED%A0%80",
    "%2e%2e",
    "a%2Fb",
    "a%0Ab",
    quote("\u202eevil\u0301\U0001f600"),
    "v99999999999999999999999",
    "x" * 3000,
    "%20",
]
ODD_VALUES: list[Any] = [
    None,
    True,
    -1,
    2**70,
    1.5,
    "",
    " ",
    "a\u0000b",
    "\ud800",
    "x" * 5000,
    "v1",
    "a/b:c@~1",
    "\u202e\u0301",
    [],
    [None],
    ["\ud800", "x" * 200],
    ["a"] * 1001,
    {},
    {"$regex": "(a+)+$"},
    {"a": {"b": {"c": [1, 2, {"d": None}]}}},
]
ODD_QUERIES = ["", "-1", "0", "2000000000", "9" * 400, "a\x00b", "x" * 9000, '{"$or": [', "[]", "é"]
ODD_BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"x"',
    b"\xff\xfe",
    b'{"a":' * 2000 + b"1" + b"}" * 2000,
    b'{"name": NaN}',
    b'{"name": "\\ud800"}',
    b'{"name": "a", "name": "b"}',
    b'{"__proto__": 1, "role": "admin", "extra": 1}',
    b'{"first": ' + b"9" * 5000 + b"}",
]
GOOD = {
    "organization": ORGANIZATION,
    "registry": "Model",
    "collection": "Zoo",
    "version": "v0",
    "alias": "production",
    "team": TEAM,
    "username": "nobody",
    "tag": "tag",
    "key_id": "999999",
}


@pytest.fixture
def walker(world: World) -> Iterator[tuple[TestClient, dict[str, Any], dict[str, str]]]:
    link_version(world.admin, log_version(world.admin), aliases=["production"])
    app = make_api(world.nobody, addresses=Addresses("http://testserver", Signer(b"x" * 32)))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client, app.openapi(), Office(world, client).by("admin").headers


def calls(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        if path in ("/api/v1/resolve", "/api/v1/events"):
            continue  # Answered before the framework; tests of its own.
        for method in METHODS:
            if method in methods:
                yield method, path, methods[method]


def filled(path: str, odd: str | None = None, value: str = "") -> str:
    """The path with good values, but for one parameter."""
    for piece in path.split("/"):
        if piece.startswith("{"):
            name = piece[1:-1]
            path = path.replace(piece, value if name == odd else GOOD.get(name, "1"))
    return path


def parameters(path: str) -> list[str]:
    return [piece[1:-1] for piece in path.split("/") if piece.startswith("{")]


def ours(path: str, status: int) -> bool:
    """Whether it is an answer, and no fault. Trials are sent by a running server only, not here."""
    return 200 <= status < 500 or (path.endswith("/test") and status == 503)


def test_odd_segments(walker: tuple[TestClient, dict[str, Any], dict[str, str]]) -> None:
    """Bad input: names of no form, in odd Unicode, huge."""
    client, document, headers = walker
    tried = 0
    for method, path, call in calls(document):
        body: dict[str, Any] | None = {} if "requestBody" in call else None
        # Each value once a route, in one parameter after the other.
        names = itertools.cycle(parameters(path) or [""])
        for value, name in zip(ODD_SEGMENTS, names, strict=False):
            if not name:
                break
            answer = client.request(method, filled(path, name, value), json=body, headers=headers)
            assert ours(path, answer.status_code), (method, path, name, value, answer.text)
            if answer.status_code >= 400:
                assert answer.json()["error"]["message"], (method, path, name, value)
            tried += 1
    assert tried > 200


def test_odd_queries(walker: tuple[TestClient, dict[str, Any], dict[str, str]]) -> None:
    """Bad input: filters, orders, cursors and page sizes that cannot be used."""
    client, document, headers = walker
    tried = 0
    for method, path, call in calls(document):
        for each in call.get("parameters", []):
            if each["in"] != "query":
                continue
            for value in ODD_QUERIES:
                query = {"q": "zoo", each["name"]: value}
                answer = client.request(method, filled(path), params=query, headers=headers)
                assert ours(path, answer.status_code), (
                    method,
                    path,
                    each["name"],
                    value,
                    answer.text,
                )
                tried += 1
    assert tried > 100


def test_odd_bodies(walker: tuple[TestClient, dict[str, Any], dict[str, str]]) -> None:
    """Bad input: bodies that are no JSON, of another form, or hold values of another kind."""
    client, document, headers = walker
    as_json = {**headers, "content-type": "application/json"}
    tried = 0
    for method, path, call in calls(document):
        if "requestBody" not in call:
            continue
        for body in ODD_BODIES:
            answer = client.request(method, filled(path), content=body, headers=as_json)
            assert ours(path, answer.status_code), (method, path, body[:50], answer.text)
            tried += 1
        schema = call["requestBody"]["content"]["application/json"]["schema"]
        shape = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        good = dict(shape.get("examples", [{}])[0])
        for name, value in itertools.product(shape["properties"], ODD_VALUES):
            text = json.dumps({**good, name: value}).encode()
            answer = client.request(method, filled(path), content=text, headers=as_json)
            assert ours(path, answer.status_code), (method, path, name, value, answer.text)
            tried += 1
    assert tried > 300


def test_every_call_is_described(
    walker: tuple[TestClient, dict[str, Any], dict[str, str]],
) -> None:
    """The OpenAPI document is whole: each call and parameter has words, each body an example."""
    _, document, _ = walker
    for method, path, call in calls(document):
        place = f"{method} {path}"
        assert call.get("summary"), place
        assert call.get("description"), place
        assert call.get("tags"), place
        for each in call.get("parameters", []):
            assert each.get("description"), f"{place}: describe {each['name']}"
        if "requestBody" in call:
            schema = call["requestBody"]["content"]["application/json"]["schema"]
            shape = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            assert shape.get("examples"), f"{place}: give an example of its body"
