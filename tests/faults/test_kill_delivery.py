"""No event is lost when the server is killed between a change and its delivery (edge case 16)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import secrets
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.receiver import Connection, Delivered, Receiver
from tests.support.rig import ORGANIZATION, TEAM, Rig, make_rig, reserved_port
from tests.support.wire import Wire

SECRET = "canary-signing-77b0"
REGISTRY = "wandb-registry-Model"
ARRIVAL_SECONDS = 240.0
"""Much longer than a killed server's lease of 15 seconds, or a first wait of 10, and a slow start."""


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A server that may send to this machine, with two versions in a collection."""
    made = make_rig(tmp_path_factory.mktemp("delivering"))
    made.settings["BYNAME_WEBHOOK_ALLOW"] = "127.0.0.0/8"
    made.start()
    wire = Wire(made.url, made.api_key)
    for body in (b"first", b"second"):
        logged = wire.log(TEAM, "kill", "net", {"w": body}, client_id=secrets.token_hex(32))
        wire.link(logged["id"], ORGANIZATION, REGISTRY, "Zoo")
    wire.close()
    yield made
    made.kill()
    log = made.log.read_text()
    assert "Traceback" not in log, log[-5000:]
    assert "canary" not in log


names = (f"n{count}" for count in itertools.count())


def automate(rig: Rig, url: str) -> tuple[str, str]:
    """An automation that calls the address when an alias is put on a version; both are new."""
    name = next(names)
    rig.ask("POST", f"/teams/{TEAM}/webhooks", {"name": name, "url": url, "secret": SECRET})
    rig.ask(
        "POST",
        "/automations",
        {
            "name": name,
            "event": "ADD_ARTIFACT_ALIAS",
            "alias": f"of-{name}",
            "scope": {"organization": ORGANIZATION, "registry": "Model", "collection": "Zoo"},
            "action": {
                "kind": "webhook",
                "team": TEAM,
                "integration": name,
                "payload": {"alias": "${alias}", "ref": "${artifact_version_string}"},
            },
        },
    )
    return name, f"of-{name}"


def move(rig: Rig, alias: str, version: str) -> None:
    """The alias is on that version; the server has acknowledged it."""
    path = f"/registries/{ORGANIZATION}/Model/collections/Zoo/aliases/{alias}"
    rig.ask("PUT", path, {"version": version})


def history_of(rig: Rig, name: str) -> list[dict[str, Any]]:
    """What the automation did."""
    found: dict[str, list[dict[str, Any]]] = rig.ask(
        "GET", f"/registries/{ORGANIZATION}/Model/executions?name={name}", {}
    )
    return [each for each in found["executions"] if each["automation_name"] == name]


def check(rig: Rig, name: str, alias: str, requests: list[Delivered]) -> None:
    """The event arrived under one id, signed, and is settled; nothing else arrived."""
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while any(each["state"] != "finished" for each in history_of(rig, name)):
        assert time.monotonic() < deadline, history_of(rig, name)
        time.sleep(0.2)
    (done,) = history_of(rig, name)
    assert done["event"] == "ADD_ARTIFACT_ALIAS"
    assert {each.headers["x-registry-delivery"] for each in requests} == {done["delivery_id"]}
    assert len({each.body for each in requests}) == 1
    for each in requests:
        digest = hmac.new(SECRET.encode(), each.body, hashlib.sha256).digest()
        assert each.headers["x-wandb-signature"] == base64.b64encode(digest).decode()
        assert each.headers["webhook-id"] == each.headers["x-registry-delivery"]
        assert json.loads(each.body) == {
            "alias": alias,
            "ref": f"{ORGANIZATION}/{REGISTRY}/Zoo:{alias}",
        }


@pytest.mark.timeout(900)
@pytest.mark.parametrize("pause", [0.0, 0.03, 0.3])
def test_killed_right_after_the_change_while_the_receiver_is_down(rig: Rig, pause: float) -> None:
    """Edge case 16: what was acknowledged is delivered after a restart."""
    with reserved_port() as port:
        name, alias = automate(rig, f"http://127.0.0.1:{port}/hook")
        move(rig, alias, "v0")
        time.sleep(pause)
        rig.kill()
        with Receiver(port=port) as receiver:
            rig.start()
            receiver.wait_for(1, ARRIVAL_SECONDS)
            check(rig, name, alias, receiver.requests)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("moment", ["at once", "during an attempt", "between attempts"])
def test_killed_while_the_receiver_answers_500(rig: Rig, moment: str) -> None:
    """Edge case 16: every attempt has the same id and body, whichever server makes it."""
    well = threading.Event()

    def answer(connection: Connection, _: Delivered) -> None:
        if well.is_set():
            connection.reply(200)
        elif moment == "during an attempt":
            connection.hang()
        else:
            connection.reply(500, b"broken")

    with Receiver(answer) as receiver:
        name, alias = automate(rig, receiver.url)
        move(rig, alias, "v0")
        if moment != "at once":
            receiver.wait_for(1, ARRIVAL_SECONDS)
        if moment == "between attempts":
            deadline = time.monotonic() + ARRIVAL_SECONDS
            while history_of(rig, name)[0]["attempts"] == 0:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        rig.kill()
        before = len(receiver.requests)
        well.set()
        rig.start()
        receiver.wait_for(before + 1, ARRIVAL_SECONDS)
        check(rig, name, alias, receiver.requests)
