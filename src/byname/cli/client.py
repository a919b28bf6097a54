"""How the commands speak to a running server: its REST interface, by the standard library."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Annotated, Any
from urllib.parse import quote, urlencode, urlsplit

import typer

from byname.cli.output import EXIT_BY_KIND, EXIT_INTERNAL, Refused
from byname.client import Client
from byname.client.errors import ERROR_BY_STATUS, why
from byname.domain.errors import DomainError, Kind

TIMEOUT_SECONDS = 60
ANSWER_BYTES_MAX = 10_000_000

Url = Annotated[
    str,
    typer.Option(
        "--url", envvar=["BYNAME_URL", "WANDB_BASE_URL"], help="The address of the server."
    ),
]
ApiKey = Annotated[
    str,
    typer.Option(
        "--api-key",
        envvar=["BYNAME_API_KEY", "WANDB_API_KEY"],
        help="Your API key. The environment is a safer place for it than the command line.",
        show_default=False,
    ),
]
Limit = Annotated[int, typer.Option("--limit", min=1, help="How many at most.")]
Filter = Annotated[
    str | None,
    typer.Option("--filter", help='JSON, such as \'{"name": {"$regex": "zoo"}}\'.'),
]
Text = Annotated[str | None, typer.Option("--text", help="Part of a name or e-mail address.")]
LIMIT = 1_000
PAGE_MAX = 1_000
DEFAULT_URL = "http://127.0.0.1:8080"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The key goes to the server that was named, and to no other."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def path(*segments: str) -> str:
    """The path below `/api/v1` with these segments, whatever they hold."""
    return "/api/v1/" + "/".join(quote(segment, safe="") for segment in segments)


def registry_path(place: str, *more: str) -> str:
    """The path of `ORGANIZATION/REGISTRY`, and what is below it.

    Raises:
        Refused: it is no such place.
    """
    pieces = place.split("/")
    if len(pieces) != 2 or not all(pieces):
        raise Refused("invalid", f"{place!r} is no registry: write ORGANIZATION/REGISTRY", 2)
    return path("registries", *pieces, *more)


def collection_path(place: str, *more: str) -> str:
    """The path of `ORGANIZATION/REGISTRY/COLLECTION`, and what is below it.

    Raises:
        Refused: it is no such place.
    """
    registry, _, collection = place.rpartition("/")
    if registry.count("/") != 1 or not collection or ":" in place:
        raise Refused(
            "invalid", f"{place!r} is no collection: write ORGANIZATION/REGISTRY/COLLECTION", 2
        )
    return registry_path(registry, "collections", collection, *more)


def project_path(*segments: str) -> str:
    """The path below the projects of a team or person."""
    return path("projects", *segments)


def version_path(place: str, *more: str) -> str:
    """The path of `ORGANIZATION/REGISTRY/COLLECTION:VERSION`, and what is below it.

    Raises:
        Refused: it is no such place.
    """
    collection, _, version = place.partition(":")
    if not version:
        raise Refused(
            "invalid", f"{place!r} is no version: write ORGANIZATION/REGISTRY/COLLECTION:VERSION", 2
        )
    return collection_path(collection, "versions", version, *more)


def gather(
    url: str, api_key: str, where: str, field: str, limit: int, **query: str | None
) -> list[dict[str, Any]]:
    """The first items of a list that the server hands out in pages.

    Raises:
        Refused: as `call`.
    """
    found: list[dict[str, Any]] = []
    asked = {name: value for name, value in query.items() if value is not None}
    while len(found) < limit:
        asked["first"] = str(min(limit - len(found), PAGE_MAX))
        page = call(url, api_key, "GET", f"{where}?{urlencode(asked)}")
        found += page[field]
        if page["next"] is None:
            break
        asked["after"] = page["next"]
    return found


def call(
    url: str, api_key: str, method: str, where: str, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The server's JSON answer; empty when it has none.

    Raises:
        Refused: the server refused, answered something else, or cannot be reached.
    """
    content, _ = fetch(url, api_key, method, where, body)
    try:
        return _read(content)
    except ValueError as error:
        raise _unreachable(url, error) from None


def call_for_lines(
    url: str, api_key: str, where: str
) -> tuple[list[dict[str, Any]], Mapping[str, str]]:
    """The JSON objects of an answer that has one a line, and its headers.

    Raises:
        Refused: as `call`.
    """
    content, headers = fetch(url, api_key, "GET", where)
    try:
        return [_read(line) for line in content.splitlines()], headers
    except ValueError as error:
        raise _unreachable(url, error) from None


def by_reference(
    url: str,
    api_key: str,
    method: str,
    where: str,
    ref: str,
    *,
    body: dict[str, Any] | None = None,
    query: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """As `call`, about the version that a reference names: of a registry, or where it was made.

    Raises:
        Refused: as `call`.
    """
    missing: Refused | None = None
    try:
        texts = Client(url, api_key).readings(ref)
    except DomainError as error:
        raise Refused(error.code, error.message, EXIT_BY_KIND[error.kind]) from None
    for text in texts:
        try:
            return call(
                url, api_key, method, f"{where}?{urlencode({'ref': text, **(query or {})})}", body
            )
        except Refused as refused:
            if refused.exit_code != EXIT_BY_KIND[Kind.NOT_FOUND]:
                raise
            missing = missing or refused
    raise missing or Refused("invalid", f"{ref!r} is no reference to a version", 2)


def fetch(
    url: str, api_key: str, method: str, where: str, body: dict[str, Any] | None = None
) -> tuple[bytes, Mapping[str, str]]:
    """What the server answered, and the headers of it.

    Raises:
        Refused: the server refused, or cannot be reached.
    """
    try:
        readable = urlsplit(url).scheme in ("http", "https")
    except ValueError:
        readable = False
    if not readable:
        raise Refused("invalid", f"{url!r} is no address of a server: write http://HOST:PORT", 2)
    headers = {"Accept": "application/json", "User-Agent": "byname-cli"}
    if api_key:
        headers["Authorization"] = f"Bearer {api_key.strip()}"
    content = None
    if body is not None:
        content = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    try:
        request = urllib.request.Request(  # noqa: S310  The scheme was looked at.
            url.rstrip("/") + where, data=content, headers=headers, method=method
        )
        with _OPENER.open(request, timeout=TIMEOUT_SECONDS) as answer:
            return answer.read(ANSWER_BYTES_MAX), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            raise _refused(error.code, error.read(ANSWER_BYTES_MAX)) from None
    except (OSError, HTTPException, ValueError) as error:
        raise _unreachable(url, error) from None


def _unreachable(url: str, error: Exception) -> Refused:
    return Refused("unreachable", f"{url} does not answer: {why(error)}", EXIT_INTERNAL)


def _read(content: bytes) -> dict[str, Any]:
    if not content:
        return {}
    answer = json.loads(content)
    if not isinstance(answer, dict):
        raise ValueError("its answer is no JSON object; is it a Byname server?")  # noqa: TRY004
    return answer


def _refused(status: int, content: bytes) -> Refused:
    exits = {number: EXIT_BY_KIND[error.kind] for number, error in ERROR_BY_STATUS.items()}
    exits |= {405: 2, 410: 7}
    try:
        error = json.loads(content)["error"]
        code, message = str(error["code"]), str(error["message"])
    except (ValueError, KeyError, TypeError):
        code, message = "unexpected", f"The server answered with HTTP status {status}"
    return Refused(code, message, exits.get(status, EXIT_INTERNAL))
