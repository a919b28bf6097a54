"""Which headers a delivery carries, so that its receiver can tell that it is ours (R134, S5)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

from standardwebhooks import Webhook

STANDARD_PREFIX = "whsec_"


def headers(
    body: str, *, delivery_id: str, event: str, at: datetime, secret: str | None
) -> dict[str, str]:
    """What tells a delivery: its id, event and time; with a secret the signatures of its body.

    The id is the same in every attempt; the time is that of the attempt.

    - `X-Wandb-Signature` and `X-Registry-Signature`: base64 of the HMAC-SHA256 of the exact bytes of
      the body, under the secret.
    - `webhook-id`, `webhook-timestamp`, `webhook-signature`: as Standard Webhooks 1.0 has them. Its
      libraries take the secret as `whsec_` and the base64 of its bytes; a secret that is written
      like that already is taken as it is.
    """
    timestamp = str(int(at.timestamp()))
    found = {
        "X-Registry-Event": event,
        "X-Registry-Delivery": delivery_id,
        "X-Registry-Timestamp": timestamp,
        "webhook-id": delivery_id,
        "webhook-timestamp": timestamp,
    }
    if secret:
        digest = hmac.new(secret.encode(), body.encode(), hashlib.sha256).digest()
        signature = base64.b64encode(digest).decode()
        found["X-Wandb-Signature"] = signature
        found["X-Registry-Signature"] = signature
        found["webhook-signature"] = _standard(secret).sign(delivery_id, at.astimezone(UTC), body)
    return found


def _standard(secret: str) -> Webhook:
    if secret.startswith(STANDARD_PREFIX):
        try:
            key = base64.b64decode(secret.removeprefix(STANDARD_PREFIX) + "==")
        except ValueError:
            key = b""
        if key:
            return Webhook(key)
    return Webhook(secret.encode())
