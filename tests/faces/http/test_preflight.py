"""Who may fetch and bring files from a script in a browser: our own pages alone."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.site import Site, serving
from tests.support.world import World

ALLOWED = "Access-Control-Allow-Origin"


@pytest.fixture
def whole(world: World, tmp_path: Path) -> Iterator[Site]:
    with serving(world, tmp_path) as made:
        yield made


def asked(site: Site, method: str, path: str, origin: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(urlsplit(site.address).netloc, timeout=30)
    try:
        connection.request(method, path, headers={"Origin": origin})
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()


class TestAddressesOfFiles:
    """Protocol 2: `wandb verify` asks whether its own server may get and put."""

    @pytest.mark.parametrize(
        "path",
        [
            "/content/version-file/x",
            "/content/version-file-upload/x",
            "/content/run-file/x",
            "/files/team/project/run/some%20file.txt",
        ],
    )
    def test_our_own_origin_may(self, whole: Site, path: str) -> None:
        answer = asked(whole, "OPTIONS", path, whole.address)
        assert (answer.status, answer.headers[ALLOWED]) == (204, whole.address)
        assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
        assert answer.headers["Vary"] == "origin"

    @pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", ""])
    def test_no_other_may(self, whole: Site, origin: str) -> None:
        answer = asked(whole, "OPTIONS", "/content/version-file/x", origin)
        assert answer.status == 204
        assert answer.headers[ALLOWED] is None

    def test_nowhere_else(self, whole: Site) -> None:
        for path in ("/graphql", "/api/v1/registries/x", "/content/nothing/x", "/login"):
            answer = asked(whole, "OPTIONS", path, whole.address)
            assert answer.headers[ALLOWED] is None
            assert answer.status in {404, 405}
