"""What may be written in a user's e-mail address, password, full name, or a key's name."""

from __future__ import annotations

import re
import unicodedata

from byname.domain.errors import Unprocessable

EMAIL_LENGTH_MAX = 254
PASSWORD_LENGTH_MIN = 12
PASSWORD_LENGTH_MAX = 1024
LINE_LENGTH_MAX = 128

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+")
_UNSHOWN = ("Cc", "Cs", "Zl", "Zp")


def check_line(text: str, what: str, *, length_max: int = LINE_LENGTH_MAX) -> str:
    """The text in NFC without outer spaces, fit to be shown in one line; it may be empty.

    Raises:
        Unprocessable: too long, or holding control characters, line breaks or lone surrogates.
    """
    text = unicodedata.normalize("NFC", text).strip()
    if len(text) > length_max:
        raise Unprocessable(
            f"{what} has {len(text)} characters; at most {length_max} are allowed", field=what
        )
    for character in text:
        if unicodedata.category(character) in _UNSHOWN:
            raise Unprocessable(
                f"{what} must not contain control characters (found {character!a})", field=what
            )
    return text


def check_email(text: str) -> str:
    """The e-mail address, fit to be kept. Whether somebody reads mail there is not asked.

    Raises:
        Unprocessable: not of the form `name@host`, or over 254 characters.
    """
    text = check_line(text, "The e-mail address", length_max=EMAIL_LENGTH_MAX)
    if not _EMAIL.fullmatch(text):
        raise Unprocessable(
            f"{text!r} is no e-mail address; it must look like name@example.org", field="email"
        )
    return text


def check_password(text: str) -> str:
    """The password, fit to be hashed (A7).

    Raises:
        Unprocessable: shorter than 12 or longer than 1024 characters, or holding lone surrogates.
    """
    if not PASSWORD_LENGTH_MIN <= len(text) <= PASSWORD_LENGTH_MAX:
        raise Unprocessable(
            f"A password must have {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters",
            field="password",
        )
    if any(unicodedata.category(character) == "Cs" for character in text):
        raise Unprocessable("The password holds characters that cannot be sent", field="password")
    return text
