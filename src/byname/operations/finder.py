"""Search for people: names of registries, collections, tags and aliases by a part of them.

What the actor may see is settled first and is a condition of every statement, so that nothing hidden
is found or counted (R114).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from byname.domain import names
from byname.domain.errors import Unprocessable, missing
from byname.domain.finder import Found, Rank, Sort, check_text
from byname.domain.page import Page, decode_cursor, encode_cursor, page_of, parse_first
from byname.domain.project import Project
from byname.operations.context import Context
from byname.operations.organization import get_organization
from byname.operations.search import visible_registries
from byname.store import finder as rows
from byname.store.database import Transaction

SECONDS_MAX = 10.0
AT_FIRST = 10
"""How many of each sort are shown at once (R115)."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for."""

    text: str
    organization: str | None = None
    """None: in all organizations of the actor."""
    registry: str | None = None
    """With or without the prefix; only there (R116)."""
    sort: Sort | None = None
    """None: the first of every sort."""
    after: str | None = None
    first: int | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found, by sort, and the registries it lies in, by id."""

    pages: dict[Sort, Page[Found]]
    registries: dict[int, Project]


def find(ctx: Context, search: Search) -> Findings:
    """Names that hold the text, whatever its case: exact ones, then by their start, then by a part.

    Inside each of these the newest name comes first. A text of one or two letters is found at the
    start of names only.

    Raises:
        NotFound: the organization or registry is absent or hidden.
        Unprocessable: the text or the cursor cannot be used, or a cursor came without a sort.
    """
    text = check_text(search.text)
    size = parse_first(search.first, AT_FIRST)
    if search.after and search.sort is None:
        raise Unprocessable("A cursor goes on in one kind; say which, as kind=", field="after")
    who = ctx.who
    with ctx.database.read() as tx, tx.within(SECONDS_MAX):
        if search.organization is None:
            ids = sorted(who.organizations)
        else:
            ids = [get_organization(ctx, tx, search.organization).id]
        shown = [each for one in ids for each in visible_registries(ctx, tx, one)]
        if search.registry is not None:
            shown = _narrowed(shown, search.registry)
        sorts = list(Sort) if search.sort is None else [search.sort]
        pages = {
            sort: _page(tx, sort, text, [each.id for each in shown], search.after, size)
            for sort in sorts
        }
    return Findings(pages, {project.id: project for project in shown})


def _narrowed(shown: Sequence[Project], name: str) -> list[Project]:
    wanted = names.fold(names.REGISTRY_PREFIX + name.strip().removeprefix(names.REGISTRY_PREFIX))
    found = [project for project in shown if names.fold(project.name) == wanted]
    if not found:
        raise missing(f"Registry {name[:200]!r}")
    return found


def _page(
    tx: Transaction, sort: Sort, text: str, project_ids: list[int], after: str | None, size: int
) -> Page[Found]:
    kind = f"search {sort} {text}"
    rank, place = _place(kind, after)
    found: list[Found] = []
    while rank is not None and len(found) <= size:
        found += rows.list_found(
            tx, sort, rank, text, project_ids, after=place, limit=size + 1 - len(found)
        )
        rank, place = (None if rank is Rank.PART else Rank(rank + 1)), None
    return page_of(
        found,
        size,
        lambda item: encode_cursor(kind, int(item.rank), item.finding_id, item.membership_id or 0),
    )


def _place(kind: str, after: str | None) -> tuple[Rank | None, tuple[int, int] | None]:
    if not after:
        return Rank.EXACT, None
    values = decode_cursor(kind, after)
    match values:
        case [int(rank), int(finding), int(member)] if 0 <= rank <= Rank.PART:
            return Rank(rank), (finding, member)
        case _:
            raise Unprocessable(
                "This cursor is not one of ours; start again without it", field="after"
            )
