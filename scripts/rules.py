"""The rules that Byname follows, each with the tests that name it: `docs/rules.md` is made from this.

A test names a rule by its number, such as R48, in its own text: the docstring of its class or of
itself, or a comment inside it. A rule without a test has a reason here why not.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests"
SHOWN_MAX = 4
RULE = re.compile(r"\bR(\d{1,3})\b")
PAGE = ROOT / "docs" / "rules.md"
HEAD = """# The rules

What Byname promises, each rule with tests that name it. This page is made by `make docs` from
`scripts/rules.py` and the text of the tests. Pages (R172 to R181) and automations (R125 to R145) have
tests of their own.

| rule | what it says | where it is tested |
|---|---|---|
"""

SECTIONS: dict[str, dict[int, str]] = {
    "Terms, paths, errors": {
        1: "A registry belongs to an organization, an artifact to a team's project",
        2: "A version is immutable; the same content again makes no new version",
        3: "A link points to one version; no bytes are copied",
        4: "Number, aliases and time of linking belong to the link, all else to the version",
        5: "The full name is `organization/wandb-registry-name/collection:version`",
        6: "The prefix `wandb-registry-` may be left out where it is clear",
        7: "Who is in several organizations names one",
        8: "What follows the first `:` is the version or alias; without it, `latest`",
        9: "`v` and digits is a number, anything else an alias of that collection",
        10: "Refusals have a code, a readable text, and the role that is needed",
        11: "Times are UTC, RFC 3339, with fractions of a second",
        12: "A change and its history are one transaction",
    },
    "Registries": {
        13: "A registry is made with name, description, visibility and types",
        14: "Names have 1 to 113 characters without `/ \\ # ? % :`",
        15: "Names keep their case and are compared without it",
        16: "Visibility is `organization` or `restricted`",
        17: "Who creates a registry is its Admin and first owner",
        18: "Members of the organization may create registries, its Viewers may not",
        19: "Visibility goes both ways; widening must be confirmed",
        20: "A registry accepts all types or those on its list",
        21: "A type has at most 128 characters, without `/` and `:`",
        22: "A type on the list stays for ever",
        23: "Types cannot be added while all are accepted",
        24: "Switching to a list puts types in use on it",
        25: "A rename keeps everything; the old name is free",
        26: "Starter registries are ordinary, and made where asked",
        27: "Any member may be made the owner; it allows nothing",
        28: "Everybody stars registries for themselves; those come first",
        29: "An icon is generated, and changed by an Admin",
        30: "How a registry is deleted is told by R169 to R171",
    },
    "Collections": {
        31: "A collection holds one type, for ever, which the registry accepts",
        32: "Linking makes a missing collection, never a registry",
        33: "Creating by linking is one step; a refused link leaves no collection",
        34: "Names have 1 to 128 characters without `/` and `:`",
        35: "An artifact of another type is refused, naming both",
        36: "A description is Markdown",
        37: "A rename keeps versions, aliases and history",
        38: "Collections have tags",
        39: "An empty collection is legal",
        40: "A collection shows how often automations ran",
    },
    "Linking and versions": {
        41: "Linking works in a run and without one, and returns the link",
        42: "What is not logged yet is logged first",
        43: "Linking on a page",
        44: "Linking needs Member there, and reading at the source",
        45: "The source lives in a team of the same organization",
        46: "Each link gets the collection's next number",
        47: "Numbers have no gaps and are never reused",
        48: "`latest` goes to what was linked last",
        49: "Linking again changes nothing but the aliases given",
        50: "Linking a link links its source",
        51: "Aliases given at linking are made, or move",
        52: "A request is done whole or not at all",
        53: "The client refuses to link offline, before it asks a server; the sync brings all else",
        54: "Rights come from the registry through which a version is read",
        55: "A reader of a registry learns nothing of a hidden source",
        56: "Metadata: 100 keys, no infinite numbers, NaN becomes null",
        57: "Editing through a link edits the source",
        58: "Members edit description and tags through a link, metadata at the source",
        59: "Two versions are compared side by side",
    },
    "Default aliases": {
        60: "The server gives `latest` and the number",
        61: "Three links are v0, v1, v2, and v2 is `latest`",
        62: "A number cannot be given, moved, removed or protected",
        63: "The number is no editable alias",
        64: "`latest` can be taken off and put elsewhere",
        65: "`latest` passes to the highest number that is left",
        66: "`latest` cannot be protected",
    },
    "Custom aliases": {
        67: "An alias is on one version of a collection at the most",
        68: "Collections have their own aliases",
        69: "Members change aliases, Viewers do not",
        70: "An alias moves in one step, with an expectation where wanted",
        71: "Putting it where it is changes nothing",
        72: "Names have 1 to 128 characters without `/` and `:`, at most 100 a version",
        73: "Aliases on a page",
        74: "The client sends what was added and removed",
        75: "Aliases need no right at the source",
        76: "A refusal names the aliases it is about",
        77: "Adds and removes of one request are one step",
    },
    "Protected aliases": {
        78: "A protected alias marks what must not be changed",
        79: "The list belongs to a registry, for all its collections",
        80: "Only Admins create, delete, put on and take off",
        81: "Protecting on a page",
        82: "Protecting over REST and as a command",
        83: "An Admin puts one on while linking",
        84: "Others cannot unlink its holder nor delete its collection",
        85: "Admins can",
        86: "The source of its holder cannot be deleted by anybody",
        87: "Others cannot edit its holder",
        88: "Moving one is one step",
        89: "Protecting a name in use protects its uses at once",
        90: "No name that differs only by case",
        91: "A Member's link with one is refused whole",
        92: "The role counts when the change is committed",
    },
    "Tags": {
        93: "An alias names one version, a tag groups many",
        94: "Collections and versions have tags",
        95: "A tag is words of letters, digits, `_` and `-`",
        96: "Members change tags",
        97: "A version's tags show on every link",
        98: "Tags on a page",
        99: "The client sets tags, and asks for versions with all of some",
    },
    "Roles and permissions": {
        100: "Restricted Viewer, Viewer, Member, Admin",
        101: "A role is given to a user, team or service account, per registry",
        102: "The highest role counts",
        103: "A registry's default role is Viewer at first",
        104: "The role of who is added without one",
        105: "Service accounts are Members or Admins",
        106: "Who may do what, in one table",
        107: "A Restricted Viewer sees everything but file contents",
        108: "Members on a page",
        109: "Leaving a team ends what came with it",
        110: "Adding and removing twice is no error",
        111: "One Admin always remains",
        112: "To who has no role a restricted registry does not exist",
    },
    "Search and queries": {
        113: "Search finds registries, collections, tags and aliases",
        114: "Only what one may see is found",
        115: "Any part of a name, best matches first, ten of a kind",
        116: "A registry's own search is of that registry",
        117: "`registries().collections().versions()` are lazy",
        118: "The fields of filters; unknown ones are refused with the list",
        119: "The operators of filters",
        120: "Dates as people write them, UTC",
        121: "Filters see the registry's name with its prefix",
        122: "Order, page size, and cursors that resume",
        123: "Regular expressions in linear time; queries of 10 seconds",
        124: "A version is found once",
    },
    "Secrets": {
        146: "Secrets belong to a team; its admins keep them",
        147: "A value is never shown again",
        148: "Encrypted, with a key of the server's",
    },
    "Lineage and use": {
        149: "Which runs made and used which versions",
        150: "How the graph is drawn",
        151: "Use through a registry is use of the source",
        152: "What one may not see is drawn without a name",
        153: "`use_artifact` and `artifact`, then `download`",
        154: "What a download does with files that are there",
        155: "The page shows the code for a version",
        156: "Every file is verified by its SHA-256; a download resumes",
        157: "What a name resolved to is written down",
    },
    "Unlink, delete, time to live": {
        158: "Unlinking removes the link only",
        159: "Deleting a link unlinks it",
        160: "Its aliases go, its number is not reused",
        161: "Deleting a version with aliases must be said",
        162: "Deleting a linked version must be said",
        163: "Deleted is hidden; bytes go when nothing needs them",
        164: "Within 7 days all of it can be restored",
        165: "A time to live counts from creation; a team may have a default",
        166: "Linking switches it off for good",
        167: "A linked version takes none",
        168: "System types take none",
        169: "Deleting a collection removes its links",
        170: "Deleting a registry removes its collections",
        171: "Who may delete a registry",
    },
    "Client and command line": {
        182: "The client's whole surface for registries",
        183: "What artifacts may be called",
        184: "Errors of the client say what to do",
        185: "Everything is a command, with `--json` and exit codes",
        186: "The client's environment variables count",
    },
    "History, audit, administration": {
        187: "What happened to a collection",
        188: "All else that happens, with who, when, before, after",
        189: "Who held a name when",
        190: "The audit log of an organization",
        191: "It has registries, collections, links, aliases, members",
        192: "Users, teams, organizations, service accounts",
        193: "API keys are shown once, kept hashed, 100 a person",
        194: "A provider of identities keeps people and teams in step (SCIM)",
    },
}

WITHOUT: dict[int, str] = {
    30: "says where to look: R169 to R171",
}
"""Rules that no test names, each with the reason."""


def places() -> dict[int, list[str]]:
    """For each rule the tests that name it, as `path::Class::test`."""
    found: dict[int, set[str]] = defaultdict(set)
    for file in sorted(TESTS.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        name = file.relative_to(ROOT).as_posix()
        if file.parent.name == "scripts":
            # What the real client runs; the test beside it starts it whole.
            for number in RULE.findall(text):
                found[int(number)].add(name)
            continue
        for node in ast.parse(text).body:
            _look(text, node, name, found)
    return {number: sorted(where) for number, where in found.items()}


def _look(text: str, node: ast.stmt, name: str, found: dict[int, set[str]]) -> None:
    if isinstance(node, ast.ClassDef):
        for number in RULE.findall(ast.get_docstring(node) or ""):
            found[int(number)].add(f"{name}::{node.name}")
        for inner in node.body:
            _look(text, inner, f"{name}::{node.name}", found)
    elif isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
        for number in RULE.findall(ast.get_source_segment(text, node) or ""):
            found[int(number)].add(f"{name}::{node.name}")


def rules() -> dict[int, str]:
    """All rules, by number."""
    return {number: title for section in SECTIONS.values() for number, title in section.items()}


def rules_page() -> str:
    """The text of `docs/rules.md`."""
    where = places()
    rows = []
    for section, titles in SECTIONS.items():
        rows.append(f"| | **{section}** | |")
        for number, title in titles.items():
            rows.append(f"| R{number} | {title} | {_told(number, where.get(number, []))} |")
    return HEAD + "\n".join(rows) + "\n"


def _told(number: int, where: list[str]) -> str:
    if not where:
        return WITHOUT.get(number, "nowhere yet")
    # A class stands for its tests.
    short = [each for each in where if not any(each.startswith(f"{o}::") for o in where)]
    told = [f"`{each.removeprefix('tests/')}`" for each in short[:SHOWN_MAX]]
    if len(short) > SHOWN_MAX:
        told.append(f"{len(short) - SHOWN_MAX} more")
    return ", ".join(told)
