"""Under which status a refusal reaches the client, so that it shows it at once (protocol 5)."""

from __future__ import annotations

import json

import pytest

from byname.domain.errors import Kind
from byname.graphql.errors import status_for
from byname.http.errors import STATUS_BY_KIND
from tests.support.site import Site

ALIAS = """mutation ($input: AddAliasesInput!) { addAliases(input: $input) { success } }"""
BAD = {"artifactID": "QXJ0aWZhY3Q6MQ==", "aliases": []}


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
