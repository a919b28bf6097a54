"""Which names are allowed, and how a reference to a version is read."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from byname.domain.errors import Unprocessable

REGISTRY_PREFIX = "wandb-registry-"
LATEST = "latest"
NAME_LENGTH_MAX = 128
TAGS_MAX = 100
ALIASES_MAX = 100

_NUMBER = re.compile(r"v[0-9]+")
_TAG = re.compile(r"[-\w]+( +[-\w]+)*")
_ENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_ARTIFACT = re.compile(r"[A-Za-z0-9_.-]+")
_FORBIDDEN_IN_PROJECT = set("/\\#?%:")
RESERVED_ENTITIES = frozenset(
    {
        "api", "artifacts", "artifactsv2", "authorize", "content", "files", "graphql", "invitation",
        "live", "login", "logout", "metrics", "oidc", "orgs", "projects",
        "ready", "scim", "sdk", "server",
        "settings", "setup", "signup", "static", "search", "account",
    }
)  # fmt: skip
"""First path segments of the server's own addresses, which an entity must not shadow."""


def fold(name: str) -> str:
    """The form in which names without case are compared (R15)."""
    return composed(name).casefold()


def composed(name: str) -> str:
    """The form in which names are kept and compared: NFC, one for all ways to write a sign (R72)."""
    return unicodedata.normalize("NFC", name)


def _name(value: str, what: str, *, length_max: int = NAME_LENGTH_MAX) -> str:
    """The value in NFC, when it can be told from every other name by looking, and stand in a path.

    Signs without a shape of their own (zero width, direction) would let `production` be written
    twice; browsers and proxies take `.` and `..` out of addresses.

    Raises:
        Unprocessable: as `_printable`; holding signs that cannot be seen; or `.` or `..`.
    """
    value = _printable(value, what, length_max=length_max)
    for character in value:
        if unicodedata.category(character) in ("Cf", "Zl", "Zp"):
            raise Unprocessable(
                f"{what} must not contain signs that cannot be seen (found {character!a})",
                field=what,
            )
    if value.strip() in (".", ".."):
        raise Unprocessable(f"{what} must not be {value.strip()!r}", field=what)
    return value


def _printable(value: str, what: str, *, length_max: int = NAME_LENGTH_MAX) -> str:
    """The value in NFC, when it can be shown, sent and stored.

    Raises:
        Unprocessable: empty, too long, or holding control characters or lone surrogates.
    """
    value = composed(value)
    if not value:
        raise Unprocessable(f"{what} must not be empty", field=what)
    if len(value) > length_max:
        raise Unprocessable(
            f"{what} has {len(value)} characters; at most {length_max} are allowed", field=what
        )
    for character in value:
        if unicodedata.category(character) in ("Cc", "Cs"):
            raise Unprocessable(
                f"{what} must not contain control characters (found {character!a})", field=what
            )
    return value


def _without(value: str, forbidden: set[str] | str, what: str) -> None:
    found = sorted(set(value) & set(forbidden))
    if found:
        shown = " ".join(found)
        raise Unprocessable(f"{what} {value!r} must not contain {shown}", field=what)


def check_entity(name: str) -> str:
    """The name, fit for a user, team or organization: it stands in paths and addresses.

    Raises:
        Unprocessable: not letters, digits, `_`, `.`, `-`; too long; or a word of the server's own.
    """
    name = _name(name, "The name", length_max=64)
    if not _ENTITY.fullmatch(name):
        raise Unprocessable(
            f"The name {name!r} may hold letters, digits, '_', '.' and '-' only, "
            "and must begin with a letter or digit",
            field="name",
        )
    if name.casefold() in RESERVED_ENTITIES:
        raise Unprocessable(f"The name {name!r} is kept for the server's own pages", field="name")
    return name


def check_project(name: str) -> str:
    r"""The name, fit for a project or registry (R14; protocol 8.1).

    Raises:
        Unprocessable: empty, over 128 characters, or holding `/ \ # ? % :` or control characters.
    """
    name = _name(name, "The project name").strip()
    if not name or name == REGISTRY_PREFIX:
        raise Unprocessable("The project name must not be empty", field="name")
    _without(name, _FORBIDDEN_IN_PROJECT, "The project name")
    return name


def check_collection(name: str) -> str:
    """The name, fit for a collection of links (R34).

    Raises:
        Unprocessable: empty, over 128 characters, with `/`, `:`, control characters or outer spaces.
    """
    name = _name(name, "The collection name")
    _without(name, "/:", "The collection name")
    if name != name.strip():
        raise Unprocessable(
            f"The collection name {name!r} must not begin or end with a space", field="name"
        )
    return name


def check_artifact(name: str) -> str:
    """The name, fit for an artifact that is logged (R183).

    Raises:
        Unprocessable: over 128 characters, or not letters, digits, `_`, `-`, `.`.
    """
    name = _name(name, "The artifact name")
    if not _ARTIFACT.fullmatch(name):
        raise Unprocessable(
            f"The artifact name {name!r} may hold letters, digits, '_', '-' and '.' only",
            field="name",
        )
    return name


def check_type(name: str) -> str:
    """The name, fit for an artifact type (R21).

    Raises:
        Unprocessable: empty, over 128 characters, or holding `/` or `:`.
    """
    name = _name(name, "The artifact type")
    _without(name, "/:", "The artifact type")
    return name


def check_alias(name: str) -> str:
    """The alias, trimmed and in NFC, fit to be put on a version (R62, R72).

    Raises:
        Unprocessable: empty, over 128 characters, holding `/`, `:`, `@`, `~` or control characters,
            or looking like a version number. `@` and `~` ask for the past of an alias (R189).
    """
    name = _name(name, "The alias").strip()
    if not name:
        raise Unprocessable("The alias must not be empty", field="alias")
    _without(name, "/:@~", "The alias")
    if is_number(name):
        raise Unprocessable(
            f"The alias {name!r} is a version number; those are permanent and cannot be given, "
            "moved or removed",
            field="alias",
        )
    return name


def check_tag(name: str) -> str:
    """The tag, fit for a version or collection (R95).

    Raises:
        Unprocessable: not words of letters, digits, `_`, `-` separated by spaces; or too long.
    """
    name = _name(name, "The tag")
    if not _TAG.fullmatch(name):
        raise Unprocessable(
            f"The tag {name!r} must be words of letters, digits, '_' and '-' separated by spaces",
            field="tag",
        )
    return name


def check_title(text: str, what: str, *, length_max: int) -> str:
    """A name that is only shown, not part of an address; in NFC.

    Raises:
        Unprocessable: empty, too long, or holding control characters.
    """
    return _printable(text, what, length_max=length_max)


def leads_outside(path: str) -> bool:
    r"""Whether a path leaves the folder it is joined to: it begins at a root, or holds `..`.

    As Windows reads it too, where `\` divides and `C:\` is a root: those who fetch may be there. A
    name such as `C:x` is left alone, for it is a plain one elsewhere.
    """
    parts = path.replace("\\", "/").split("/")
    first = parts[0]
    return not first or ".." in parts or (len(parts) > 1 and len(first) == 2 and first[1] == ":")


def is_number(ref: str) -> bool:
    """Whether the text has the form of a version number, `v` and digits (R62)."""
    return _NUMBER.fullmatch(ref) is not None


def is_registry(project_name: str) -> bool:
    """Whether a project of that name is a registry (protocol 8.1)."""
    return project_name.startswith(REGISTRY_PREFIX) and len(project_name) > len(REGISTRY_PREFIX)


@dataclass(frozen=True, slots=True)
class Reference:
    """A version of a collection, as somebody wrote it: `[entity/][project/]collection[:ref]`."""

    entity: str | None
    project: str | None
    collection: str
    ref: str

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read a reference (R5, R6, R8). No `:ref` means `:latest`.

        Raises:
            Unprocessable: more than three parts before the colon, or an empty part.
        """
        text = text.removeprefix("wandb-artifact://").removeprefix("registry:///")
        if any("\ud800" <= sign <= "\udfff" for sign in text):
            raise Unprocessable("The reference is not Unicode text", field="ref")
        unprefixed = text.startswith("registry://")
        path, _, ref = text.removeprefix("registry://").partition(":")
        parts = path.split("/")
        if len(parts) > 3 or not all(parts):
            raise Unprocessable(
                f"{text!r} is no reference to a version; write "
                f"[organization/]{REGISTRY_PREFIX}REGISTRY/COLLECTION:ALIAS, with one to three "
                "parts before the colon",
                field="ref",
            )
        project = parts[-2] if len(parts) > 1 else None
        if unprefixed and project is not None and not is_registry(project):
            project = REGISTRY_PREFIX + project
        return cls(
            entity=parts[-3] if len(parts) > 2 else None,
            project=project,
            collection=parts[-1],
            ref=ref or LATEST,
        )


def split_ref(name: str) -> tuple[str, str]:
    """`collection:ref` as its two halves; the first colon divides, and nothing behind it is `latest`."""
    collection, _, ref = name.partition(":")
    return collection, ref or LATEST
