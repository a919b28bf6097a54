"""Every call of REST keeps to its OpenAPI document, whatever is sent and whoever sends it.

schemathesis makes the requests from the document: some that it allows and some that it does not. Each
goes through the whole router as every role, inside a transaction that is undone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from byname.domain.errors import Kind
from byname.http.errors import STATUS_BY_KIND
from byname.operations import key
from byname.operations import registry as registries
from byname.rest.api import make_api
from tests.permissions.people import OPEN, SECRET, Town, make_town
from tests.support.faces import URL, Faces, open_faces
from tests.support.world import make_world

ROLES = {
    "server administrator": "admin",
    "admin": "direct_admin",
    "member": "direct_member",
    "viewer": "direct_viewer",
    "restricted viewer": "direct_restricted_viewer",
    "outsider": "outsider",
    "anonymous": "",
}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 5
"""Requests made for each call, each sent as every role."""
LEFT_OUT = {"GET /api/v1/events": "the answer is a stream that does not end"}
WAITING = "wait"
"""A parameter that holds the answer back, up to a minute; it is never sent."""
SENDING = "/test"
"""Calls that end so send a request to another server; they are not told the names of any."""


class Undo(Exception):
    """Ends a transaction without a trace."""


def all_calls() -> dict[str, Any]:
    """The calls of the document."""
    api = make_api(None)  # type: ignore[arg-type]  # The document needs no database.
    schema = schemathesis.openapi.from_dict(api.openapi())
    found: list[Any] = [result.ok() for result in schema.get_all_operations()]  # type: ignore[union-attr]
    return {each.label: each for each in found}


CALLS = all_calls()


class Party:
    """A town, its faces, and a key for each role."""

    def __init__(self, town: Town, faces: Faces) -> None:
        self.town = town
        self.faces = faces
        self.keys = {
            role: key.create_key(town.world.reload(name)).secret if name else ""
            for role, name in ROLES.items()
        }
        self.words = [self._furnish(place) for place in (SECRET, OPEN)]
        """Names of what there is, by the names that parameters and fields have."""

    def _furnish(self, place: str) -> dict[str, Any]:
        words = self.town.targets[place].words
        admin, team = self.keys["server administrator"], words["team"]
        for noun, body in (
            ("secrets", {"name": f"KEY_{place}", "value": "x"}),
            ("webhooks", {"name": f"hook-{place}", "url": "https://ci.example.org/hook"}),
            ("slack-channels", {"name": f"c-{place}", "url": "https://hooks.slack.com/services/T"}),
        ):
            made = self.faces.rest(admin, "POST", f"/teams/{team}/{noun}", body)
            assert made.code == 201, made
        return {
            **words,
            "collection": "Zoo",
            "version": "v0",
            "from": "v0",
            "to": "v1",
            "alias": "production",
            "tag": "t",
            "automation": words["of_registry"],
            "secret": f"KEY_{place}",
            "webhook": f"hook-{place}",
            "channel": f"c-{place}",
            "ref": f"wandb-registry-{place}/Zoo:production",
            "entity": words["team_home"],
        }

    def send(self, case: Any, role: str) -> Response:
        """The answer to the request. Nothing of it remains."""
        headers = {"Authorization": f"Bearer {self.keys[role]}"} if self.keys[role] else {}
        given = case.as_transport_kwargs(base_url=URL, headers=headers)
        for name in ("timeout", "verify", "allow_redirects"):
            given.pop(name, None)
        request = requests.Request(**given).prepare()
        if not self.keys[role]:
            request.headers.pop("Authorization", None)
        body: Any = request.body or b""
        content = body if isinstance(body, bytes) else body.encode()
        sent = {
            name: value if isinstance(value, str) else value.decode("latin-1")
            for name, value in request.headers.items()
        }
        path = str(request.url).removeprefix(URL)
        answers: list[tuple[int, dict[str, str], bytes]] = []
        with pytest.raises(Undo), self.town.world.nobody.database.write():
            answers.append(self.faces.http(str(request.method), path, content, sent))
            raise Undo
        status, told, text = answers[0]
        return Response(
            status_code=status,
            headers={name: [value] for name, value in told.items()},
            content=text,
            request=request,
            elapsed=0.0,
            verify=False,
            http_version="1.1",
        )


def put_words(case: Any, words: Mapping[str, Any]) -> None:
    """The request names what there is, wherever it names anything of that kind."""
    for values in (case.path_parameters, case.query, case.body):
        if isinstance(values, dict):
            values.update({name: words[name] for name in values if name in words})
    if isinstance(case.query, dict):
        case.query.pop(WAITING, None)


def ask_as_everybody(party: Party, label: str) -> set[int]:
    """Make requests for the call, send each as every role, and check each answer; the statuses."""
    call = CALLS[label]
    furnished = [] if label.endswith(SENDING) else party.words
    statuses: set[int] = set()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=st.one_of(
            call.as_strategy(), call.as_strategy(generation_mode=GenerationMode.NEGATIVE)
        ),
        words=st.sampled_from([*furnished, *furnished, {}]),
    )
    def ask(case: Any, words: dict[str, Any]) -> None:
        put_words(case, words)
        for role in ROLES:
            response = party.send(case, role)
            statuses.add(response.status_code)
            try:
                case.validate_response(response, checks=CHECKS)
            except FailureGroup as failures:
                failures.add_note(f"Sent as {role}")
                raise

    ask()
    return statuses


@pytest.fixture(scope="module")
def party(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Party]:
    folder = tmp_path_factory.mktemp("party")
    world = make_world(folder)
    town = make_town(world)
    with open_faces(world.nobody, folder) as faces:
        yield Party(town, faces)
    world.nobody.blobs.close()
    world.nobody.database.close()


class TestTheDocumentIsKept:
    """R10: what is refused has a status and a shape that the document names, as every role."""

    @pytest.mark.parametrize("label", [each for each in CALLS if each not in LEFT_OUT])
    def test_every_call_as_everybody(self, party: Party, label: str) -> None:
        statuses = ask_as_everybody(party, label)
        assert 401 in statuses, "The anonymous are told to log in"

    def test_what_is_left_out_does_not_end(self) -> None:
        endless = {
            label
            for label, call in CALLS.items()
            if "text/event-stream" in str(call.definition.raw["responses"])
        }
        assert endless == set(LEFT_OUT)


class TestThisWouldBeSeen:
    """The checks above can fail."""

    LABEL = "GET /api/v1/registries/{organization}/{registry}"

    def test_a_status_that_the_document_lacks(
        self, party: Party, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(STATUS_BY_KIND, Kind.NOT_FOUND, 418)
        with pytest.raises(FailureGroup, match="418"):
            ask_as_everybody(party, self.LABEL)

    def test_our_own_fault(self, party: Party, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: Any) -> None:
            raise RuntimeError("planted")

        monkeypatch.setattr(registries, "get_by_name", fail)
        with pytest.raises(FailureGroup, match="Server error"):
            ask_as_everybody(party, self.LABEL)
