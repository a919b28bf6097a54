"""What nobody foresaw in one event or delivery is its own failure, and holds up no other."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

logger = logging.getLogger("byname.automations")

KINDS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What odd values lead to. A database or disk that fails is none of it: that is tried again."""


def tell(what: str, error: BaseException) -> None:
    """The log says what failed, the kind of the error and the place in the code.

    Not the error's own text, which may hold a secret.
    """
    place = traceback.extract_tb(error.__traceback__)[-1]
    kind, file = type(error).__name__, Path(place.filename).name
    logger.error("%s: %s in %s, line %s", what, kind, file, place.lineno)
