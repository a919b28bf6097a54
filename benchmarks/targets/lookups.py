"""What do people and programs look up in a large registry? Names, filtered lists, and the past.

In a registry of any size each of these finds as much: so a difference of cost is one of size.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from benchmarks import documents, fill
from benchmarks.load import Request, request

PAGE = 50
FOUND = 100
"""About so many versions lie in the narrow range."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A request, and what only a right answer to it contains."""

    asked: Request
    expect: bytes


def by_operation(
    versions: int,
    document: str,
    client_headers: Mapping[str, str],
    bearer: Mapping[str, str],
) -> dict[str, Lookup]:
    """All lookups in a registry of so many versions; `document` is the client's filtered list."""
    return {**_searches(bearer), **_filters(versions, document, client_headers), **_past(bearer)}


def _get(path: str, headers: Mapping[str, str]) -> Request:
    return request("GET", path, dict(headers))


def _searches(headers: Mapping[str, str]) -> dict[str, Lookup]:
    """Names by a part of them, ten of each kind: every tenth version has an alias `build-...`."""
    return {
        f"search-{name}": Lookup(_get(f"/api/v1/search?{urlencode({'q': word})}", headers), expect)
        for name, word, expect in (
            ("rare", "classifier", f'"name":"{fill.COLLECTION}","match":"part"'.encode()),
            ("common", "build", b'"name":"build-'),
            ("part", "uild", b'"match":"part"'),
            ("absent", "nowhere", b'"items":[],"next":null}]}'),
        )
    }


def _filters(versions: int, document: str, headers: Mapping[str, str]) -> dict[str, Lookup]:
    """The newest fifty that fulfil a filter, as the client's `versions(filter=...)` asks."""
    batch = versions // 2 // fill.BATCH
    last = min((batch + 1) * fill.BATCH, versions) - 1
    many = b'"hasNextPage":true'
    wanted: tuple[tuple[str, dict[str, Any], bytes], ...] = (
        ("alias", {"alias": "build-0"}, b'"versionIndex":0'),
        ("tag", {"tag": fill.TAG}, many),
        ("equal", {"metadata.batch": batch}, f'"versionIndex":{last}'.encode()),
        ("range", {"metadata.accuracy": {"$gt": round(1 - FOUND / versions, 6)}}, many),
        ("half", {"metadata.accuracy": {"$gt": 0.5}}, many),
    )
    return {
        f"filter-{name}": Lookup(
            documents.graphql(document, _variables(asked), dict(headers)), expect
        )
        for name, asked, expect in wanted
    }


def _variables(wanted: dict[str, Any]) -> dict[str, Any]:
    def text(value: dict[str, Any]) -> str:
        return json.dumps(value, separators=(",", ":"))

    return {
        "organization": fill.ORGANIZATION,
        "perPage": PAGE,
        "registryFilter": text({"name": fill.REGISTRY}),
        "collectionFilter": text({"name": fill.COLLECTION}),
        "artifactFilter": text(wanted),
        "cursor": None,
    }


def _past(headers: Mapping[str, str]) -> dict[str, Lookup]:
    """The first page of what happened: to all of a collection, and to the alias that moves most."""
    path = f"/api/v1/registries/{fill.ORGANIZATION}/{fill.REGISTRY}/collections/{fill.COLLECTION}"
    return {
        "history-collection": Lookup(_get(f"{path}/history", headers), b'"kind":"alias:move"'),
        "history-alias": Lookup(
            _get(f"{path}/aliases/{fill.LATEST}/history", headers), b'"holders":[{"version":"v'
        ),
    }
