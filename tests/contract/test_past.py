"""The unmodified client reads the past of a name, and Admins alone move a protected one."""

from __future__ import annotations

import json
import urllib.request
from datetime import UTC, datetime

from tests.support.sdk import Sdk


def ask(sdk: Sdk, path: str) -> dict[str, list[dict[str, str]]]:
    request = urllib.request.Request(
        f"{sdk.url}/api/v1{path}", headers={"Authorization": f"Bearer {sdk.api_key}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, list[dict[str, str]]] = json.loads(answer.read())
        return found


def test_as_of_a_time_and_so_many_holders_ago(sdk: Sdk) -> None:
    """R189."""
    project = sdk.name("past")
    sdk.result("past.py", project, "make")
    place = f"/registries/smle-reg/Model/collections/{project}/aliases/production/history"
    holders = ask(sdk, place)["holders"]
    first = datetime.fromisoformat(holders[-1]["since"]).astimezone(UTC)
    told = sdk.result("past.py", project, "read", f"{first:%Y%m%dT%H%M%S.%f}Z")
    for call in ("used", "used_at", "api", "api_at", "latest"):
        assert told[call] == "v0", call
    assert told["now"] == "v1"
    assert "production~2" in told["too_far"]
    assert "must not contain @" in told["refused"]
