"""Who somebody is to a provider of log-ins (OpenID Connect), and what is believed of what it says."""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from byname.domain.errors import Forbidden, Unauthenticated
from byname.domain.user import EMAIL_LENGTH_MAX, LINE_LENGTH_MAX

SUBJECT_LENGTH_MAX = 255
LEEWAY_SECONDS = 60
"""How far the clocks of two servers may differ."""

AGE_SECONDS_MAX = 600
"""A log-in is told of within ten minutes, or begun anew."""

USERNAME_LENGTH_MAX = 40
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Identity:
    """What a provider says of somebody who has just logged in there."""

    issuer: str
    subject: str
    email: str | None = None
    email_verified: bool = False
    full_name: str = ""
    username: str = ""


def refused(why: str) -> Unauthenticated:
    """The one kind of answer for whatever a provider said that is not believed."""
    return Unauthenticated(
        f"The provider's answer cannot be trusted: {why}. Try to log in again", code="oidc_refused"
    )


def read_claims(
    claims: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str, now: float
) -> Identity:
    """Who an ID token speaks of, its signature being checked already (OpenID Connect Core, 3.1.3.7).

    - It comes from the issuer that was set, letter by letter.
    - It is meant for this server; where it is meant for others too, this server was given it.
    - It belongs to the log-in that this browser began: the nonce is the one made for it.
    - Its time is not over, and it was made lately.

    Raises:
        Unauthenticated: one of these does not hold.
    """
    if claims.get("iss") != issuer:
        raise refused("it is of another issuer")
    audience = claims.get("aud")
    meant_for = audience if isinstance(audience, list) else [audience]
    if client_id not in meant_for:
        raise refused("it is meant for another server")
    if (len(meant_for) > 1 or "azp" in claims) and claims.get("azp") != client_id:
        raise refused("it was given to another server")
    said = claims.get("nonce")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
        raise refused("it belongs to another log-in")
    until, made = _number(claims.get("exp")), _number(claims.get("iat"))
    if until is None or made is None:
        raise refused("it does not say how long it is good")
    if until + LEEWAY_SECONDS <= now:
        raise refused("it has expired")
    if not now - AGE_SECONDS_MAX - LEEWAY_SECONDS <= made <= now + LEEWAY_SECONDS:
        raise refused("it is not of now")
    return identity_of(claims, issuer)


def identity_of(claims: Mapping[str, Any], issuer: str) -> Identity:
    """Who claims of the provider speak of.

    Raises:
        Unauthenticated: they do not say whom.
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_LENGTH_MAX:
        raise refused("it does not say whom it speaks of")
    return Identity(
        issuer=issuer,
        subject=_clean(subject, SUBJECT_LENGTH_MAX),
        email=_clean(claims.get("email"), EMAIL_LENGTH_MAX) or None,
        # Some providers say it as text. The number 1, which equals True, says nothing.
        email_verified=claims.get("email_verified") is True
        or claims.get("email_verified") == "true",
        full_name=_clean(claims.get("name"), LINE_LENGTH_MAX),
        username=_clean(claims.get("preferred_username"), LINE_LENGTH_MAX),
    )


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if -1e12 < value < 1e12 else None


def _clean(value: Any, length_max: int) -> str:
    if not isinstance(value, str):
        return ""
    text = "".join(
        sign for sign in value if unicodedata.category(sign) not in ("Cc", "Cs", "Zl", "Zp")
    )
    return unicodedata.normalize("NFC", text).strip()[:length_max]


def suggest_username(identity: Identity) -> str:
    """A user name for a new person: as the provider has it, else of the address; never empty.

    Names are letters, digits, `_`, `.` and `-`; whether it is free is not asked here.
    """
    for text in (identity.username.partition("@")[0], (identity.email or "").partition("@")[0]):
        plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
        name = _UNFIT.sub("-", plain).strip("-.")[:USERNAME_LENGTH_MAX]
        if name:
            return name
    return "user"


def check_verified(identity: Identity) -> str:
    """The e-mail address, of which the provider says that it belongs to the person.

    Raises:
        Forbidden: it does not. Anybody may write anybody's address into a profile.
    """
    if identity.email is None or not identity.email_verified:
        raise Forbidden(
            "Your provider does not say that your e-mail address is verified, so that it cannot be "
            "matched with an account here. Verify it there, or ask an administrator of this server",
            code="email_unverified",
        )
    return identity.email
