"""A refusal is in Python the error of its kind, whichever face of the server said it."""

from __future__ import annotations

import json

from byname.client.errors import refusal
from byname.domain import errors
from byname.graphql.errors import FINAL


def test_a_full_disk_is_one_through_the_sdk_s_face_too() -> None:
    """Its status there is that of what is too large, so that the SDK does not try for minutes."""
    status = FINAL[errors.StorageFull.kind]
    body = {"errors": [{"message": "There is no room", "extensions": {"code": "storage_full"}}]}
    told = refusal(status, json.dumps(body).encode())
    assert isinstance(told, errors.StorageFull)
    assert told.message == "There is no room"
    large = {"errors": [{"message": "Too long", "extensions": {"code": "too_large"}}]}
    assert isinstance(refusal(status, json.dumps(large).encode()), errors.TooLarge)
