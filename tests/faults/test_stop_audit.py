"""A server that is told to stop loses nothing of the audit log (R190, F7)."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.support.rig import Rig, make_rig


def lines(rig: Rig) -> list[dict[str, Any]]:
    request = urllib.request.Request(
        f"{rig.url}/admin/audit_logs", headers={"Authorization": f"Bearer {rig.api_key}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return [json.loads(line) for line in answer.read().splitlines()]


def test_what_was_refused_just_before_is_there_after(tmp_path: Path) -> None:
    """R190: a clean stop writes down what waits for the next batch."""
    rig = make_rig(tmp_path / "data")
    try:
        rig.start()
        bob = rig.add_person("bob", "member")
        refused = urllib.request.Request(
            f"{rig.url}/api/v1/users/ann",
            headers={"Authorization": f"Bearer {bob}"},
            method="DELETE",
        )
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(refused, timeout=30)
        assert rig.stop() == 0
        rig.start()
        (line,) = [each for each in lines(rig) if each["action"] == "user:delete"]
        assert (line["response_code"], line["actor_username"]) == (403, "bob")
        assert line["actor_ip"] == "127.0.0.1"
    finally:
        rig.kill()
