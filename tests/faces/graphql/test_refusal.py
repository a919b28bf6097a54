"""Under which status a refusal reaches the client, so that it shows it at once (protocol 5)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from byname.domain.errors import Kind
from byname.graphql.errors import status_for
from byname.http.errors import STATUS_BY_KIND
from tests.support.site import Site
from tests.support.world import PROJECT, TEAM

ALIAS = """mutation ($input: AddAliasesInput!) { addAliases(input: $input) { success } }"""
BAD = {"artifactID": "QXJ0aWZhY3Q6MQ==", "aliases": []}


CREATE = """mutation ($input: CreateArtifactInput!) { createArtifact(input: $input) {
  artifact { id } } }"""
MESSAGE = "The alias 'v3' is a version number"


def create(site: Site, **headers: str) -> tuple[int, dict[str, Any]]:
    """The answer to a version with an alias that nobody can give."""
    variables = {
        "entityName": TEAM,
        "projectName": PROJECT,
        "artifactTypeName": "model",
        "artifactCollectionNames": ["net"],
        "digest": "0" * 32,
        "digestAlgorithm": "MANIFEST_MD5",
        "aliases": [{"artifactCollectionName": "net", "alias": "v3"}],
    }
    status, answer = site.ask(
        "POST",
        "/graphql",
        json.dumps({"query": CREATE, "variables": {"input": variables}}),
        {**site.login, "Content-Type": "application/json", **headers},
    )
    return status, json.loads(answer)


class TestARefusalIsReadable:
    """R10: while it brings a version, the core shows the body of any status but 200 as it is."""

    def test_the_core_is_told_in_the_body(self, site: Site) -> None:
        status, answer = create(site, **{"User-Agent": "wandb-core"})
        assert status == 200
        (error,) = answer["errors"]
        assert error["message"].startswith(MESSAGE)
        assert error.keys() == {"message", "extensions"}
        assert answer["data"] == {"createArtifact": None}

    def test_everybody_else_by_the_status(self, site: Site) -> None:
        for headers in (
            {"User-Agent": "curl"},
            {"User-Agent": "wandb-core", "Use-Admin-Privileges": "true"},
        ):
            status, answer = create(site, **headers)
            assert (status, answer["errors"][0]["path"]) == (422, ["createArtifact"])


class TestARefusalIsShownAtOnce:
    """R10 and protocol 5: what will not change is answered so that no client repeats it."""

    @pytest.mark.parametrize(
        ("agent", "status"),
        [
            ("wandb-core", 422),
            ("", 422),
            ("W&B Internal Client 0.22.3", 400),
            ("W&B Public Client 0.28.2", 400),
        ],
    )
    def test_an_alias_that_breaks_a_rule(self, site: Site, agent: str, status: int) -> None:
        place = {"entityName": "x", "projectName": "y", "artifactCollectionName": "z"}
        variables = {"input": {**BAD, "aliases": [{**place, "alias": "a/b"}]}}
        found, answer = site.ask(
            "POST",
            "/graphql",
            json.dumps({"query": ALIAS, "variables": variables}),
            {**site.login, "Content-Type": "application/json", "User-Agent": agent},
        )
        assert found == status
        assert "must not contain /" in json.loads(answer)["errors"][0]["message"]

    @pytest.mark.parametrize("kind", Kind)
    def test_what_may_pass_keeps_its_status(self, kind: Kind) -> None:
        plain = STATUS_BY_KIND.get(kind, 500)
        told = status_for(plain, b"W&B Internal Client 0.28.2")
        if kind in (Kind.THROTTLED, Kind.UNAVAILABLE, Kind.STORAGE_FULL) or plain == 500:
            assert told == plain
        else:
            assert told in {400, 401, 403, 404, 409}
        assert status_for(plain, b"wandb-core") == plain
        assert status_for(200, b"W&B Internal Client 0.28.2") == 200
