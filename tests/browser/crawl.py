"""Which pages lead to which: a walk over all that an administrator can reach by links.

Lists lead to a thousand pages that are made in the same way: of each way of asking some are looked at.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from urllib.parse import parse_qsl, urlsplit

NOT_PAGES = re.compile(r"^/(api/docs|api/openapi|content/|static/|orgs/[^/]+/audit\.csv)")


def kind_of(path: str) -> str:
    """The way in which a page is asked for: its path without names, and which questions it has."""
    parts = urlsplit(path)
    segments = parts.path.split("/")[1:]
    known = {
        "orgs", "registry", "members", "teams", "storage", "trash", "audit", "server", "people",
        "organizations", "runs", "artifacts", "account", "projects", "search", "new-registry",
        "login", "authorize", "settings", "automations", "lineage", "compare", "link", "files",
    }  # fmt: skip
    shape = "/".join(each if each in known else "*" for each in segments)
    asked = sorted(
        f"{name}={value}" if name in ("tab", "view", "do", "confirm", "order", "sort") else name
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    return shape + "?" + "&".join(asked)


def walk(
    starts: Iterable[str],
    look: Callable[[str], list[str]],
    *,
    each_kind: int = 2,
    most: int = 400,
) -> list[str]:
    """The paths looked at, all of the starts among them. `look` returns what a page links to."""
    waiting = list(dict.fromkeys(starts))
    seen, begun, counts = set(waiting), set(waiting), Counter[str]()
    looked: list[str] = []
    while waiting and len(looked) < most:
        path = waiting.pop(0)
        kind = kind_of(path)
        if counts[kind] >= each_kind and path not in begun:
            continue
        counts[kind] += 1
        looked.append(path)
        for link in (each.partition("#")[0] for each in look(path)):
            if link.startswith("/") and link not in seen and not NOT_PAGES.match(link):
                seen.add(link)
                waiting.append(link)
    return looked
