"""Which nodes of a lineage graph stand together as one, so that it stays readable (R150)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from byname.domain.lineage import Graph, More, Node, NodeKind

SIBLINGS_MIN = 5
"""So many on one side of a node fold into a cluster."""


class Side(StrEnum):
    """Where from a node something lies."""

    SOURCES = "sources"
    RESULTS = "results"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Neighbours of one node, on one of its sides, that are shown as one."""

    of: str
    side: Side
    kind: NodeKind
    count: int
    exact: bool
    """Whether there are so many; otherwise at least so many."""

    @property
    def id(self) -> str:
        """Like no node's."""
        return f"{self.of}.{self.side}"


@dataclass(frozen=True, slots=True)
class Folded:
    """A graph in which many siblings are one."""

    nodes: list[Node]
    clusters: list[Cluster]
    arrows: list[tuple[str, str]]


def fold(graph: Graph, kept: Collection[str] = (), hidden: Collection[str] = ()) -> Folded:
    """The graph with five or more siblings at one level as a cluster (R150).

    - The root and the nodes of `kept`, which somebody pulled out, stand alone.
    - What is reached only by way of a folded or hidden node is not shown.
    """
    order = {node.id: number for number, node in enumerate(graph.nodes)}
    nodes = {node.id: node for node in graph.nodes}
    sources: dict[str, list[str]] = {each: [] for each in nodes}
    results: dict[str, list[str]] = {each: [] for each in nodes}
    for edge in graph.edges:
        results[edge.source].append(edge.target)
        sources[edge.target].append(edge.source)
    gone = {each for each in hidden if each != graph.root}
    alone = {graph.root, *kept} - gone
    cluster_of: dict[str, Cluster] = {}
    clusters: list[Cluster] = []
    for node in graph.nodes:
        if node.id in cluster_of or node.id in gone:
            continue
        for side, beside, more in (
            (Side.SOURCES, sources[node.id], node.more_sources),
            (Side.RESULTS, results[node.id], node.more_results),
        ):
            below = [
                each
                for each in beside
                if order[each] > order[node.id] and each not in alone and each not in gone
            ]
            siblings = [each for each in below if each not in cluster_of]
            left = More(0, exact=True) if more is None or len(siblings) < len(below) else more
            if len(siblings) + left.count >= SIBLINGS_MIN:
                cluster = Cluster(
                    node.id,
                    side,
                    NodeKind.RUN if node.kind is NodeKind.VERSION else NodeKind.VERSION,
                    len(siblings) + left.count,
                    left.exact,
                )
                clusters.append(cluster)
                cluster_of.update(dict.fromkeys(siblings, cluster))
    reached = _reached(graph.root, sources, results, {*cluster_of, *gone})
    shown = [each for each in clusters if each.of in reached]
    arrows: dict[tuple[str, str], None] = {}
    for cluster in shown:
        ends = (cluster.id, cluster.of)
        arrows[ends if cluster.side is Side.SOURCES else ends[::-1]] = None

    def end(node_id: str) -> str:
        return (
            node_id if node_id in reached or node_id not in cluster_of else cluster_of[node_id].id
        )

    for edge in graph.edges:
        if not (edge.source in cluster_of and edge.target in cluster_of):
            arrows[end(edge.source), end(edge.target)] = None
    known = {*reached, *(each.id for each in shown)}
    return Folded(
        [node for node in graph.nodes if node.id in reached],
        shown,
        [each for each in arrows if each[0] in known and each[1] in known],
    )


def _reached(
    root: str, sources: dict[str, list[str]], results: dict[str, list[str]], closed: set[str]
) -> set[str]:
    """What can be walked to from the root without passing through anything closed."""
    found = {root}
    waiting = [root]
    while waiting:
        here = waiting.pop()
        for each in (*sources[here], *results[here]):
            if each not in found and each not in closed:
                found.add(each)
                waiting.append(each)
    return found
