"""Automations made with the client reach a receiver, with the right body and signature (R126, R134)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from tests.support.receiver import Delivered, Receiver
from tests.support.rig import TEAM, Rig, make_rig
from tests.support.sdk import RELEASES, Sdk

SECRET, TOKEN = "canary-signing-5e21", "canary-token-90fe"


@pytest.fixture(scope="module")
def sending(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A server that may send to this machine."""
    made = make_rig(tmp_path_factory.mktemp("sending"))
    made.settings["BYNAME_WEBHOOK_ALLOW"] = "127.0.0.0/8"
    made.start()
    yield made
    made.kill()
    log = made.log.read_text()
    assert "Traceback" not in log, log[-5000:]
    assert "canary" not in log


def check(request: Delivered, event: str) -> dict[str, str]:
    """The request is what a receiver may rely on; its payload."""
    digest = hmac.new(SECRET.encode(), request.body, hashlib.sha256).digest()
    signature = base64.b64encode(digest).decode()
    assert request.headers["x-wandb-signature"] == signature
    assert request.headers["x-registry-signature"] == signature
    assert request.headers["x-registry-event"] == event
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["content-type"] == "application/json"
    key = "whsec_" + base64.b64encode(SECRET.encode()).decode()
    told: dict[str, str] = Webhook(key).verify(request.body, request.headers)
    assert told["event"] == event
    assert told["who"] == "ann"
    assert told["token"] == TOKEN
    return told


@pytest.mark.parametrize("release", RELEASES)
def test_link_alias_and_tag_fire(release: str, sending: Rig, tmp_path: Path) -> None:
    """R126, R129, R134, R136: with the right body and signature."""
    sdk = Sdk(release, sending.url, sending.api_key, tmp_path)
    project = sdk.name("firing")
    with Receiver() as receiver:
        hook = {"name": project, "url": receiver.url, "access_token": TOKEN, "secret": SECRET}
        sending.ask("POST", f"/teams/{TEAM}/webhooks", hook)
        sdk.result("firing.py", project, project, "make")
        assert not receiver.requests
        sdk.result("firing.py", project, project, "alias")
        alias = check(receiver.wait_for(1)[0], "ADD_ARTIFACT_ALIAS")
        sdk.result("firing.py", project, project, "tag")
        tag = check(receiver.wait_for(2)[1], "ADD_ARTIFACT_TAG")
        sdk.result("firing.py", project, project, "link")
        linked = receiver.wait_for(5)[2:]
    place = f"smle-reg/wandb-registry-Model/{project}"
    assert (alias["alias"], alias["ref"]) == ("production", f"{place}:production")
    assert alias["note"] == 'a "quoted"\nnote'
    assert (tag["tag"], tag["alias"], tag["ref"]) == ("good", "", f"{place}:v0")
    told = [check(each, each.headers["x-registry-event"]) for each in linked]
    assert [(each["event"], each["alias"]) for each in told] == [
        ("LINK_ARTIFACT", ""),
        ("ADD_ARTIFACT_ALIAS", "staging"),
        ("ADD_ARTIFACT_ALIAS", "latest"),
    ]
    assert told[0]["ref"] == f"{place}:v1"
    assert len({each.headers["x-registry-delivery"] for each in receiver.requests}) == 5
