"""How a receiver tells that a delivery is ours, by the published library and by hand."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from byname.automations.signature import headers

SECRET = "correct horse battery staple"
BODY = '{"event_author": "ann", "alias": "größe"}'


def made(
    body: str = BODY, *, at: datetime | None = None, secret: str | None = SECRET
) -> dict[str, str]:
    return headers(
        body,
        delivery_id="0f3c",
        event="LINK_ARTIFACT",
        at=datetime.now(UTC) if at is None else at,
        secret=secret,
    )


class TestSignatureOfTheReference:
    """R134: `X-Wandb-Signature: <base64(HMAC-SHA256(secret, raw body))>` if a secret is set."""

    def test_it_is_made_of_the_exact_bytes(self) -> None:
        digest = hmac.new(SECRET.encode(), BODY.encode("utf-8"), hashlib.sha256).digest()
        expected = base64.b64encode(digest).decode()
        assert made()["X-Wandb-Signature"] == expected
        assert made()["X-Registry-Signature"] == expected

    def test_a_known_one(self) -> None:
        # Reckoned with `printf ... | openssl dgst -sha256 -hmac key -binary | base64`.
        found = made("The quick brown fox jumps over the lazy dog", secret="key")
        assert found["X-Wandb-Signature"] == "97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg="

    def test_without_a_secret_there_is_none(self) -> None:
        assert not [name for name in made(secret=None) if "signature" in name.lower()]
        assert not [name for name in made(secret="") if "signature" in name.lower()]

    def test_event_delivery_and_time_are_told_always(self) -> None:
        found = made(at=datetime.fromtimestamp(1_700_000_000.9, UTC), secret=None)
        assert found["X-Registry-Event"] == "LINK_ARTIFACT"
        assert found["X-Registry-Delivery"] == found["webhook-id"] == "0f3c"
        assert found["X-Registry-Timestamp"] == found["webhook-timestamp"] == "1700000000"


class TestStandardWebhooks:
    """S5: a replayed, altered, or > 5 min old delivery is refused by the published library."""

    receiver = Webhook("whsec_" + base64.b64encode(SECRET.encode()).decode())

    def test_the_library_takes_it(self) -> None:
        assert self.receiver.verify(BODY, made()) == {"event_author": "ann", "alias": "größe"}

    def test_a_secret_in_the_librarys_own_form_is_taken_as_it_is(self) -> None:
        secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        assert Webhook(secret).verify(BODY, made(secret=secret))

    @pytest.mark.parametrize("secret", ["whsec_", "whsec_ü", "whsec_a", "x"])
    def test_any_secret_signs(self, secret: str) -> None:
        assert made(secret=secret)["webhook-signature"].startswith("v1,")

    def test_an_altered_body_is_refused(self) -> None:
        with pytest.raises(WebhookVerificationError):
            self.receiver.verify(BODY.replace("ann", "bob"), made())

    @pytest.mark.parametrize("minutes", [-6, 6])
    def test_an_old_one_is_refused(self, minutes: int) -> None:
        old = made(at=datetime.now(UTC) + timedelta(minutes=minutes))
        with pytest.raises(WebhookVerificationError):
            self.receiver.verify(BODY, old)

    def test_the_time_is_signed(self) -> None:
        old = made(at=datetime.now(UTC) - timedelta(minutes=6))
        now = str(int(datetime.now(UTC).timestamp()))
        with pytest.raises(WebhookVerificationError):
            self.receiver.verify(BODY, old | {"webhook-timestamp": now})

    def test_the_id_is_signed(self) -> None:
        """A replay under another id, as if it were another delivery."""
        with pytest.raises(WebhookVerificationError):
            self.receiver.verify(BODY, made() | {"webhook-id": "0f3d"})

    def test_another_secret_is_refused(self) -> None:
        with pytest.raises(WebhookVerificationError):
            self.receiver.verify(BODY, made(secret="another"))
