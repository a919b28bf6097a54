"""The pages beside the other faces of a whole server: none stands in the way of another."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from tests.faces.web.conftest import token_on
from tests.support.site import Site, serving
from tests.support.world import World, link_version, log_version

BROWSER = {"Accept": "text/html"}


def ask(
    site: Site,
    method: str,
    path: str,
    body: str | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, dict[str, str], str]:
    """Status, headers and text of an answer."""
    connection = http.client.HTTPConnection(urlsplit(site.address).netloc, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()
    finally:
        connection.close()


def test_pages_and_programs_share_one_server(world: World, tmp_path: Path) -> None:
    """Protocol 2, A13: `/{entity}/{project}` is a page, and `/api/...` stays what it was."""
    link_version(world.admin, log_version(world.admin), aliases=("best",))
    with serving(world, tmp_path) as site:
        status, headers, _ = ask(site, "GET", "/api/docs", headers=BROWSER)
        assert (status, headers["content-type"][:9]) == (200, "text/html")
        for path in ("/api/none", "/api/v1/runs/x", "/api/v1/artifacts/a/b/c"):
            status, headers, body = ask(site, "GET", path, headers=site.login | BROWSER)
            assert (status, headers["content-type"]) == (404, "application/json"), path
            assert "error" in json.loads(body)
        # The client's own addresses take keys, and pages do not.
        status, headers, _ = ask(site, "GET", "/vision/training", headers=site.login | BROWSER)
        assert (status, headers["location"]) == (303, "/login?next=%2Fvision%2Ftraining")
        assert ask(site, "GET", "/vision/training", headers=site.login)[0] == 404
        token = token_on(ask(site, "GET", "/login", headers=BROWSER)[2])
        status, headers, _ = ask(
            site,
            "POST",
            "/login",
            urlencode({"token": token, "api_key": site.key, "next": "/"}),
            {"Content-Type": "application/x-www-form-urlencoded", "Origin": site.address},
        )
        assert status == 303
        cookie = {"Cookie": headers["set-cookie"].partition(";")[0]}
        model = "/orgs/acme/registry/Model?selectionPath=acme%2Fwandb-registry-Model%2FZoo"
        for path in ("/", "/vision/training", model, f"{model}&view=membership&version=v0"):
            status, headers, body = ask(site, "GET", path, headers=cookie | BROWSER)
            assert status == 200
            assert "admin" in body
            assert headers["x-content-type-options"] == "nosniff"
            assert "unsafe" not in headers["content-security-policy"]
        # A session is for pages only: other faces take no cookie, so none can be misused there (A9).
        for method, path in (("POST", "/graphql"), ("GET", "/api/v1/resolve?ref=acme/x/y:z")):
            question = (
                json.dumps({"query": "{ viewer { username } }"}) if method == "POST" else None
            )
            _, _, body = ask(
                site, method, path, question, cookie | {"Content-Type": "application/json"}
            )
            assert '"admin"' not in body
