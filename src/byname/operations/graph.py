"""The lineage of a version or run as a graph, walked level by level (R149 to R152)."""

from __future__ import annotations

from dataclasses import dataclass, field

from byname.domain import lineage as rules
from byname.domain.errors import Unprocessable
from byname.domain.ids import to_id
from byname.domain.lineage import Arrow, Edge, Graph, More, Node, NodeKind
from byname.domain.policy import Permission
from byname.operations import access
from byname.operations import run as run_operations
from byname.operations.collection import resolve_reference
from byname.operations.context import Context
from byname.store import graph as rows
from byname.store import run as run_rows
from byname.store import version as version_rows
from byname.store.database import Transaction

Key = tuple[NodeKind, int]
"""A node by its kind and row."""


def around_version(
    ctx: Context, ref: str, *, depth: int | None = None, fan_out: int | None = None
) -> Graph:
    """The graph around the version that the reference names: `depth` levels both ways.

    Raises:
        NotFound: it names nothing that the actor may see.
        Unprocessable: the reference, depth or fan-out is not right.
    """
    depth, fan_out = _check(depth, fan_out)
    with ctx.database.read() as tx:
        found = resolve_reference(ctx, ref)
        return _walk(ctx, tx, (NodeKind.VERSION, found.version.id), depth, fan_out)


def around_run(
    ctx: Context,
    entity: str,
    project: str,
    name: str,
    *,
    depth: int | None = None,
    fan_out: int | None = None,
) -> Graph:
    """The graph around a run: `depth` levels both ways.

    Raises:
        NotFound: the run is absent or hidden.
        Unprocessable: the depth or fan-out is not right.
    """
    depth, fan_out = _check(depth, fan_out)
    with ctx.database.read() as tx:
        run, _ = run_operations.open_by_name(ctx, tx, entity, project, name, Permission.SEE)
        return _walk(ctx, tx, (NodeKind.RUN, run.id), depth, fan_out)


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
    edges: dict[Edge, None] = field(default_factory=dict)
    restricted: int = 0
    complete: bool = True


def _walk(ctx: Context, tx: Transaction, root: Key, depth: int, fan_out: int) -> Graph:
    walk = _Walk()
    frontier = _add(ctx, tx, walk, [root], 0)
    for level in range(1, depth + 1):
        found: dict[Key, None] = {}
        links: list[tuple[Key, Key, Arrow]] = []
        for kind in NodeKind:
            ids = [each for node_kind, each in frontier if node_kind is kind]
            if ids:
                links += _expand(tx, walk, kind, ids, fan_out)
        for one, other, _ in links:
            found[one] = found[other] = None
        new = [key for key in found if key not in walk.nodes]
        room = rules.NODES_MAX - len(walk.nodes)
        walk.complete = walk.complete and len(new) <= room
        frontier = _add(ctx, tx, walk, new[:room], level)
        for one, other, word in links:
            if one in walk.nodes and other in walk.nodes:
                walk.edges[Edge(walk.nodes[one].id, walk.nodes[other].id, word)] = None
        if not frontier:
            break
    return Graph(walk.nodes[root].id, list(walk.nodes.values()), list(walk.edges), walk.complete)


def _expand(
    tx: Transaction, walk: _Walk, kind: NodeKind, ids: list[int], fan_out: int
) -> list[tuple[Key, Key, Arrow]]:
    """The arrows from and to these nodes, as far as the fan-out allows."""
    is_version = kind is NodeKind.VERSION
    look = rows.runs_of_versions if is_version else rows.versions_of_runs
    other_kind = NodeKind.RUN if is_version else NodeKind.VERSION
    links: list[tuple[Key, Key, Arrow]] = []
    arrows: tuple[tuple[str, Arrow], ...] = (("run_output", "made"), ("run_input", "used"))
    for table, word in arrows:
        # An arrow ends at a version that was made, and at a run that used something.
        arrives = is_version == (word == "made")
        for node_id, neighbours in look(tx, ids, table, limit=fan_out).items():
            node = walk.nodes[kind, node_id]
            node.expanded = True
            left = neighbours.count - len(neighbours.ids)
            if left:
                more = More(left, neighbours.count < rows.COUNTED_MAX)
                if arrives:
                    node.more_sources = more
                else:
                    node.more_results = more
            for each in neighbours.ids:
                here, there = (kind, node_id), (other_kind, each)
                links.append((there, here, word) if arrives else (here, there, word))
    return links


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
