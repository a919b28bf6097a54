"""How people write a filter of versions into a line of text: `tag:night accuracy>=0.9 prod` (R177).

Words are read into the same tree that the filters of programs become (`filter_text.py`).
"""

from __future__ import annotations

import json
import re
from typing import Any

from byname.domain import names
from byname.domain.errors import Unprocessable
from byname.domain.filter import VERSION_FIELDS, Node
from byname.domain.filter_text import parse

LENGTH_MAX = 500
WORDS_MAX = 20
HELP = (
    "v3, a part of an alias or tag, alias:NAME, tag:NAME, or a metadata key with a value: "
    'accuracy>=0.9, task=detect, note:"two words"'
)

_WORD = re.compile(r'(?:[^\s"]|"[^"]*")+')
_TEST = re.compile(r'([^\s"<>=!:]+)\s*(!=|>=|<=|=|>|<|:)(.*)', re.DOTALL)
_OPERATORS = {"!=": "$ne", ">=": "$gte", "<=": "$lte", "=": "$eq", ":": "$eq", ">": "$gt"}
_NAMES = ("alias", "tag")


def parse_words(text: str | None) -> Node | None:
    """What the line asks for: all of its words; None when it is empty.

    - `v3`: the version of that number.
    - `alias:NAME`, `tag:NAME`: who has exactly that one.
    - `KEY=VALUE`, and `!=`, `>`, `>=`, `<`, `<=`: what stands in the metadata at that key. A value
      that can be read as a number, true, false or null is one; in quotes it is a text.
    - Anything else: a part of an alias or of a tag.

    Raises:
        Unprocessable: it is too long, or a word cannot be understood.
    """
    if text is None or not text.strip():
        return None
    if len(text) > LENGTH_MAX:
        raise _bad(f"It has {len(text)} characters; at most {LENGTH_MAX} are allowed")
    if text.count('"') % 2:
        raise _bad("A quotation mark is missing")
    words = _WORD.findall(text)
    if len(words) > WORDS_MAX:
        raise _bad(f"It has {len(words)} words; at most {WORDS_MAX} are allowed")
    wanted = {"$and": [_condition(word) for word in words]}
    return parse(json.dumps(wanted), VERSION_FIELDS)


def _bad(message: str) -> Unprocessable:
    return Unprocessable(f"{message}. A filter is written {HELP}", code="filter", field="filter")


def _condition(word: str) -> dict[str, Any]:
    found = _TEST.fullmatch(word)
    if found is None:
        plain = word.replace('"', "")
        if names.is_number(plain) and len(plain) < 19:
            return {"version": plain}
        return {"$or": [{"alias": {"$contains": plain}}, {"tag": {"$contains": plain}}]}
    key, sign, value = found.groups()
    if not value:
        raise _bad(f"There is no value behind {key}{sign}")
    operator = _OPERATORS.get(sign, "$lt")
    if key in _NAMES and sign in ("=", ":", "!="):
        return {key: {operator: value.replace('"', "")}}
    return {f"metadata.{key}": {operator: _value(value)}}


def _value(text: str) -> Any:
    if '"' in text:
        return text.replace('"', "")
    try:
        found = json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return text
    return text if isinstance(found, list | dict) else found
