"""How pages are put together, and how values look on them: times, sizes, addresses, code."""

from __future__ import annotations

import hashlib
import json
import secrets
import shlex
from datetime import UTC, datetime
from importlib import resources
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from byname.domain.meanwhile import as_shown
from byname.domain.names import REGISTRY_PREFIX
from byname.domain.policy import Permission, Role
from byname.domain.project import Project
from byname.web import markdown


def bytes_text(size: int) -> str:
    """A size as people read it: `4.2 MB`, in steps of a thousand."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            return f"{size} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError


def time_html(moment: datetime | None) -> Markup:
    """A time in UTC, exact for programs, to the minute for people."""
    if moment is None:
        return Markup("never")
    exact = moment.isoformat().replace("+00:00", "Z")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        exact, exact, moment.strftime("%Y-%m-%d %H:%M UTC")
    )


def ago_html(moment: datetime | None) -> Markup:
    """How long ago a time was, for people; the exact time in UTC stands behind it."""
    if moment is None:
        return Markup("never")
    exact = moment.isoformat().replace("+00:00", "Z")
    shown = moment.strftime("%Y-%m-%d %H:%M:%S UTC")
    told = ago_text((datetime.now(UTC) - moment).total_seconds())
    return Markup('<time datetime="{}" title="{}">{}</time>').format(exact, shown, told)


def ago_text(seconds: float) -> str:
    """So many seconds ago, in the largest unit that fits."""
    for word, length in (
        ("year", 365 * 86_400), ("month", 30 * 86_400), ("day", 86_400), ("hour", 3_600),
        ("minute", 60),
    ):  # fmt: skip
        if seconds >= length:
            return f"{plural(int(seconds // length), word)} ago"
    return "just now"


def seconds_text(seconds: float) -> str:
    """A duration as people read it: `0.2 s`, `4 min`, `1 h 30 min`, `2 d 4 h`."""
    if seconds < 60:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        hours, rest = divmod(minutes, 60)
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, rest = divmod(round(minutes / 60), 24)
    return f"{days} d {rest} h" if rest else f"{days} d"


def number_text(value: int) -> str:
    """A number with commas between the thousands."""
    return f"{value:,}"


def python_text(text: str) -> str:
    """A text as Python code spells it."""
    return json.dumps(text, ensure_ascii=False)


def plural(count: int, one: str, many: str = "") -> str:
    """`1 version`, `2 versions`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def segment(text: str) -> str:
    """The text as one part of a path."""
    return quote(text, safe="")


def project_path(project: Project) -> str:
    """The page of a project or registry, below the root (protocol 2)."""
    if project.is_registry:
        return f"orgs/{segment(project.entity_name)}/registry/{segment(project.registry_name)}"
    return f"{segment(project.entity_name)}/{segment(project.name)}"


def collection_path(project: Project, collection: str, type_name: str = "") -> str:
    """The page of a collection, below the root.

    The type stands in the path for people only; `-` where it is not known.
    """
    if project.is_registry:
        return f"{project_path(project)}?{selection(project, collection)}"
    return f"{project_path(project)}/artifacts/{segment(type_name or '-')}/{segment(collection)}"


def version_path(project: Project, collection: str, number: int, type_name: str = "") -> str:
    """The page of a version in a collection, below the root: what the client prints."""
    if project.is_registry:
        chosen = selection(project, collection)
        return f"{project_path(project)}?{chosen}&view=membership&version=v{number}"
    return f"{collection_path(project, collection, type_name)}/v{number}"


def selection(project: Project, collection: str) -> str:
    """The part of a registry page's query that names a collection."""
    return urlencode(
        {"selectionPath": f"{project.entity_name}/{project.name}/{collection}"},
        quote_via=quote,
        safe="",
    )


def with_query(path: str, **values: Any) -> str:
    """The path with these values in its query too."""
    given = {name: value for name, value in values.items() if value not in (None, "")}
    if not given:
        return path
    sign = "&" if "?" in path else "?"
    return f"{path}{sign}{urlencode(given, quote_via=quote, safe='')}"


def full_name(project: Project, collection: str, ref: str) -> str:
    """The name by which code reaches a version (R5)."""
    return f"{project.entity_name}/{project.name}/{collection}:{ref}"


def why_not(role: Role | None, permission: Permission) -> str | None:
    """Why somebody with that role may not do it; None when they may (R179)."""
    if role is not None and role >= permission.least:
        return None
    needed = permission.least.word.replace("_", " ")
    yours = "none" if role is None else role.word.replace("_", " ")
    return f"To {permission.wording} you need the role {needed}; yours is {yours}."


def changed_pieces(value: Any, other: Any) -> list[tuple[str, str]]:
    """What an entry of a history says was so before or after, as people read it.

    Of several things those that differ from the other side, each with its name; where there is no
    other side, those that say something.
    """
    if value is None:
        return []
    if not isinstance(value, dict):
        return [("", _plain(value))]
    others = other if isinstance(other, dict) else {}
    return [
        (name.replace("_", " "), _plain(each))
        for name, each in value.items()
        if (name not in others or others[name] != each) and (other is not None or each)
    ]


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value or "empty"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, list):
        return ", ".join(_plain(each) for each in value) or "none"
    return json.dumps(value, ensure_ascii=False)


STATIC = {
    each.name: each.read_bytes()
    for each in resources.files("byname.web").joinpath("static").iterdir()
    if each.name.endswith((".css", ".js"))
}
"""The files that pages load, by name."""
_FINGERPRINTS = {name: hashlib.sha256(each).hexdigest()[:12] for name, each in STATIC.items()}


def static_path(name: str) -> str:
    """The address of a file that pages load, below the root; it changes with the content."""
    return f"static/{name}?v={_FINGERPRINTS[name]}"


TEMPLATES = Environment(
    loader=PackageLoader("byname.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def json_text(value: Any) -> str:
    """A value as JSON spells it."""
    return json.dumps(value, ensure_ascii=False)


TEMPLATES.filters |= {
    "json": json_text,
    "bytes": bytes_text,
    "time": time_html,
    "ago": ago_html,
    "number": number_text,
    "seconds": seconds_text,
    "python": python_text,
    "shell": shlex.quote,
}
TEMPLATES.globals |= {
    "markdown": markdown.render,
    "PREFIX": REGISTRY_PREFIX,
    "plural": plural,
    "static_path": static_path,
    "project_path": project_path,
    "collection_path": collection_path,
    "version_path": version_path,
    "with_query": with_query,
    "full_name": full_name,
    "changed_pieces": changed_pieces,
    "as_shown": as_shown,
    "nonce": lambda: secrets.token_urlsafe(9),
}
