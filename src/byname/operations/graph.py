"""The lineage of a version or run as a graph, walked level by level (R149 to R152)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from byname.domain import lineage as rules
from byname.domain import names
from byname.domain.errors import Unprocessable, missing
from byname.domain.ids import find_number, to_id
from byname.domain.lineage import Arrow, Edge, Graph, More, Node, NodeKind
from byname.domain.lineage_fold import Side
from byname.domain.policy import Permission
from byname.operations import access
from byname.operations import run as run_operations
from byname.operations import version as version_operations
from byname.operations.collection import resolve_reference
from byname.operations.context import Context
from byname.store import graph as rows
from byname.store import run as run_rows
from byname.store import version as version_rows
from byname.store.database import Transaction

Key = tuple[NodeKind, int]
"""A node by its kind and row."""
FURTHER_MAX = 40
"""So many nodes are pulled out of clusters, and so many expanded, at the most."""
TABLES: tuple[tuple[str, Arrow], ...] = (("run_output", "made"), ("run_input", "used"))


@dataclass(frozen=True, slots=True)
class Further:
    """What somebody wants in a graph beyond its levels, by the ids of nodes.

    What they may not see, or what no arrow ties to the rest, does not come.
    """

    pulled: Sequence[str] = ()
    """These themselves."""
    expanded: Sequence[str] = ()
    """The neighbours of these."""


def around_version(
    ctx: Context,
    ref: str,
    *,
    depth: int | None = None,
    fan_out: int | None = None,
    further: Further | None = None,
) -> Graph:
    """The graph around the version that the reference names: `depth` levels both ways.

    Raises:
        NotFound: it names nothing that the actor may see.
        Unprocessable: the reference, depth or fan-out is not right.
    """
    depth, fan_out = _check(depth, fan_out)
    with ctx.database.read() as tx:
        found = resolve_reference(ctx, ref)
        root = (NodeKind.VERSION, found.version.id)
        return _walk(ctx, tx, root, depth, fan_out, further or Further())


def around_run(
    ctx: Context,
    entity: str,
    project: str,
    name: str,
    *,
    depth: int | None = None,
    fan_out: int | None = None,
    further: Further | None = None,
) -> Graph:
    """The graph around a run: `depth` levels both ways.

    Raises:
        NotFound: the run is absent or hidden.
        Unprocessable: the depth or fan-out is not right.
    """
    depth, fan_out = _check(depth, fan_out)
    with ctx.database.read() as tx:
        run, _ = run_operations.open_by_name(ctx, tx, entity, project, name, Permission.SEE)
        return _walk(ctx, tx, (NodeKind.RUN, run.id), depth, fan_out, further or Further())


def _check(depth: int | None, fan_out: int | None) -> tuple[int, int]:
    depth = rules.DEPTH_DEFAULT if depth is None else depth
    fan_out = rules.FAN_OUT_DEFAULT if fan_out is None else fan_out
    if not 1 <= depth <= rules.DEPTH_MAX:
        raise Unprocessable(f"The depth must be from 1 to {rules.DEPTH_MAX}", field="depth")
    if not 1 <= fan_out <= rules.FAN_OUT_MAX:
        raise Unprocessable(f"The fan-out must be from 1 to {rules.FAN_OUT_MAX}", field="fan_out")
    return depth, fan_out


@dataclass(slots=True)
class _Walk:
    """A graph that is being made."""

    nodes: dict[Key, Node] = field(default_factory=dict)
    totals: dict[tuple[Key, bool], int] = field(default_factory=dict)
    """How many neighbours a node has on the side of its sources (true) or results."""
    restricted: int = 0
    complete: bool = True


def _walk(
    ctx: Context, tx: Transaction, root: Key, depth: int, fan_out: int, further: Further
) -> Graph:
    walk = _Walk()
    frontier = _add(ctx, tx, walk, [root], 0)
    for level in range(1, depth + 1):
        frontier = _go_on(ctx, tx, walk, frontier, level, fan_out)
        if not frontier:
            break
    _go_further(ctx, tx, walk, depth, fan_out, further)
    arrows = _arrows(tx, walk)
    _keep_tied(walk, root, arrows)
    kept = [(one, other, word) for one, other, word in arrows if {one, other} <= set(walk.nodes)]
    _count_the_rest(walk, kept)
    edges = [Edge(walk.nodes[one].id, walk.nodes[other].id, word) for one, other, word in kept]
    return Graph(walk.nodes[root].id, list(walk.nodes.values()), edges, walk.complete)


def _go_on(
    ctx: Context, tx: Transaction, walk: _Walk, frontier: Sequence[Key], level: int, fan_out: int
) -> list[Key]:
    """The neighbours of these nodes are in the graph; those of them that are new and visible."""
    found: dict[Key, None] = {}
    for kind in NodeKind:
        ids = [each for node_kind, each in frontier if node_kind is kind]
        if ids:
            found.update(dict.fromkeys(_expand(tx, walk, kind, ids, fan_out)))
    new = [key for key in found if key not in walk.nodes]
    room = rules.NODES_MAX - len(walk.nodes)
    walk.complete = walk.complete and len(new) <= room
    return _add(ctx, tx, walk, new[: max(room, 0)], level)


def _go_further(
    ctx: Context, tx: Transaction, walk: _Walk, depth: int, fan_out: int, further: Further
) -> None:
    pulled = [key for key in map(_key, further.pulled[:FURTHER_MAX]) if key is not None]
    new = [key for key in dict.fromkeys(pulled) if key not in walk.nodes]
    seen = set(_add(ctx, tx, walk, new, depth + 1))
    for key in new:
        if key not in seen:
            del walk.nodes[key]
    waiting = [key for key in map(_key, further.expanded[:FURTHER_MAX]) if key is not None]
    for level in range(depth + 1, depth + 1 + FURTHER_MAX):
        # One that was expanded may be a neighbour of another that was.
        ready = [each for each in waiting if each in walk.nodes]
        ready = [each for each in ready if not walk.nodes[each].restricted]
        if not ready:
            return
        waiting = [each for each in waiting if each not in ready]
        _go_on(ctx, tx, walk, ready, level, fan_out)


def _key(text: str) -> Key | None:
    for kind, word in ((NodeKind.VERSION, "Artifact"), (NodeKind.RUN, "Run")):
        number = find_number(text, word)
        if number is not None:
            return kind, number
    return None


def _expand(
    tx: Transaction, walk: _Walk, kind: NodeKind, ids: list[int], fan_out: int
) -> list[Key]:
    """The neighbours of these nodes, as far as the fan-out allows."""
    is_version = kind is NodeKind.VERSION
    look = rows.runs_of_versions if is_version else rows.versions_of_runs
    other_kind = NodeKind.RUN if is_version else NodeKind.VERSION
    found: list[Key] = []
    for table, word in TABLES:
        # An arrow ends at a version that was made, and at a run that used something.
        arrives = is_version == (word == "made")
        for node_id, neighbours in look(tx, ids, table, limit=fan_out).items():
            walk.nodes[kind, node_id].expanded = True
            walk.totals[(kind, node_id), arrives] = neighbours.count
            found += [(other_kind, each) for each in neighbours.ids]
    return found


def _arrows(tx: Transaction, walk: _Walk) -> list[tuple[Key, Key, Arrow]]:
    """Every arrow between two nodes of which at least one is visible."""
    versions = [each for kind, each in walk.nodes if kind is NodeKind.VERSION]
    runs = [each for kind, each in walk.nodes if kind is NodeKind.RUN]
    found: list[tuple[Key, Key, Arrow]] = []
    for table, word in TABLES:
        for version_id, run_id in rows.arrows_between(tx, versions, runs, table):
            version, run = (NodeKind.VERSION, version_id), (NodeKind.RUN, run_id)
            if not (walk.nodes[version].restricted and walk.nodes[run].restricted):
                found.append((run, version, word) if word == "made" else (version, run, word))
    return found


def _keep_tied(walk: _Walk, root: Key, arrows: Sequence[tuple[Key, Key, Arrow]]) -> None:
    """Only what arrows tie to the root stays in the graph."""
    beside: dict[Key, list[Key]] = {}
    for one, other, _ in arrows:
        beside.setdefault(one, []).append(other)
        beside.setdefault(other, []).append(one)
    tied = {root}
    waiting = [root]
    while waiting:
        for each in beside.get(waiting.pop(), ()):
            if each not in tied:
                tied.add(each)
                waiting.append(each)
    for key in [key for key in walk.nodes if key not in tied]:
        del walk.nodes[key]


def _count_the_rest(walk: _Walk, arrows: Sequence[tuple[Key, Key, Arrow]]) -> None:
    """Each expanded node says how many neighbours of it are not in the graph."""
    present = Counter((other, True) for _, other, _ in arrows)
    present.update((one, False) for one, _, _ in arrows)
    for (key, arrives), total in walk.totals.items():
        left = total - present[key, arrives]
        node = walk.nodes.get(key)
        if node is None or left <= 0:
            continue
        more = More(left, total < rows.COUNTED_MAX)
        if arrives:
            node.more_sources = more
        else:
            node.more_results = more


def _add(ctx: Context, tx: Transaction, walk: _Walk, keys: list[Key], depth: int) -> list[Key]:
    """The nodes are in the graph; those that the actor may see, from which the walk goes on."""
    version_ids = [each for kind, each in keys if kind is NodeKind.VERSION]
    run_ids = [each for kind, each in keys if kind is NodeKind.RUN]
    runs = run_rows.find_many(tx, run_ids)
    versions = version_rows.find_many(tx, version_ids)
    places = rows.places_of_versions(tx, version_ids)
    wanted = {run.project_id for run in runs.values()}
    wanted |= {place.project_id for each in places.values() for place in each}
    seen = access.visible_projects(ctx, sorted(wanted))
    visible: list[Key] = []
    for key in keys:
        kind, row_id = key
        node = Node("", kind, depth)
        if kind is NodeKind.RUN and row_id in runs and runs[row_id].project_id in seen:
            run = runs[row_id]
            node = Node(
                id=to_id("Run", run.id),
                kind=kind,
                depth=depth,
                restricted=False,
                name=f"{seen[run.project_id].place}/{run.name}",
                display_name=run.display_name,
                state=run_operations.seen(ctx, run).state,
                created_at=run.created_at,
            )
        elif kind is NodeKind.VERSION and row_id in versions:
            # The name is that of a place which the actor may see: the source before any link.
            place = next((each for each in places[row_id] if each.project_id in seen), None)
            if place is not None:
                version = versions[row_id]
                node = Node(
                    id=to_id("Artifact", version.id),
                    kind=kind,
                    depth=depth,
                    restricted=False,
                    name=f"{seen[place.project_id].place}/{place.collection}:v{place.number}",
                    type_name=version.type_name,
                    created_at=version.created_at,
                )
        if node.restricted:
            walk.restricted += 1
            node.id = f"restricted-{walk.restricted}"
        else:
            visible.append(key)
        walk.nodes[key] = node
    return visible


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Some neighbours of a node on one side, which somebody looks through."""

    nodes: list[Node]
    next: str | None
    """Behind which id the next page goes on; None on the last one."""
    hidden: int
    """How many more there are that the actor may not see."""


def neighbours(
    ctx: Context, node_id: str, side: Side, *, text: str = "", after: str = "", first: int = 20
) -> Neighbours:
    """The neighbours of a node that the actor may see, on one side, with the text in their names.

    Raises:
        NotFound: the node is absent or hidden.
    """
    key = _key(node_id)
    start = _key(after)
    with ctx.database.read() as tx:
        if key is None or not _may_see(ctx, tx, key):
            raise missing("This node")
        kind, row_id = key
        is_version = kind is NodeKind.VERSION
        table = "run_output" if is_version == (side is Side.SOURCES) else "run_input"
        if is_version:
            counts = rows.projects_of_runs(tx, row_id, table)
            seen = sorted(access.visible_projects(ctx, counts))
            hidden = sum(count for project_id, count in counts.items() if project_id not in seen)
        else:
            seen = sorted(
                access.visible_projects(ctx, rows.projects_of_versions(tx, row_id, table))
            )
            known = rows.count_in_projects(tx, row_id, table, seen)
            hidden = rows.count_versions(tx, row_id, table) - known
        look = rows.list_runs if is_version else rows.list_versions
        ids = look(
            tx, row_id, table, seen, names.fold(text.strip()),
            after=0 if start is None else start[1], limit=first + 1,
        )  # fmt: skip
        walk = _Walk()
        other = NodeKind.RUN if is_version else NodeKind.VERSION
        _add(ctx, tx, walk, [(other, each) for each in ids[:first]], 1)
    found = [node for node in walk.nodes.values() if not node.restricted]
    return Neighbours(found, found[-1].id if found and len(ids) > first else None, max(hidden, 0))


def _may_see(ctx: Context, tx: Transaction, key: Key) -> bool:
    kind, row_id = key
    if kind is NodeKind.VERSION:
        version = version_rows.find(tx, row_id)
        return version is not None and version_operations.visible(ctx, tx, version, Permission.SEE)
    run = run_rows.find_many(tx, [row_id]).get(row_id)
    return run is not None and bool(access.visible_projects(ctx, [run.project_id]))
