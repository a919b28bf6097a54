"""What an API key looks like, and what is kept of it. Randomness comes from outside."""

from __future__ import annotations

import hashlib
import re

PREFIX = "bn-"
"""By this, people and secret scanners recognise a key of ours."""

LENGTH = 40
"""Letters and digits after the prefix. `wandb login` of releases up to 0.21 takes 40, no more and no
fewer; later ones take 40 at the least (protocol 3).
"""

LENGTHS = (LENGTH, 48)
"""What a key may have. Servers up to 0.1 made longer ones, which stay good."""

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
"""No `-` or `_`: the client looks for the first dash, and a double click selects the whole key.

40 of 62 signs are 238 bits; A6 asks for 192.
"""

START_LENGTH = 8
KEYS_MAX = 100
"""Keys for one person or service account (R193)."""

NAME_LENGTH_MAX = 128

_FORM = re.compile(PREFIX + "(?:" + "|".join(f"[A-Za-z0-9]{{{n}}}" for n in LENGTHS) + ")")


def is_key(text: str) -> bool:
    """Whether the text has the form of a key. Only then is it worth a look into the database."""
    return _FORM.fullmatch(text) is not None


def fingerprint(secret: str) -> str:
    """The SHA-256 of a key, in hex: the only form in which it is kept (A6).

    A key is too long to be guessed, so that a slow password hash would add nothing.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def start_of(secret: str) -> str:
    """The beginning that is shown afterwards, to recognise the key by."""
    return secret[:START_LENGTH]
