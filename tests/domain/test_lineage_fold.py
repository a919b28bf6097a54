"""Clusters in lineage graphs (R150)."""

from __future__ import annotations

from byname.domain.lineage import Edge, Graph, More, Node, NodeKind
from byname.domain.lineage_fold import Folded, Side, fold


def used(count: int, *, left: int = 0, behind: bool = False) -> Graph:
    """A version that was made by a run, and used by others, which made something each."""
    version = Node("v", NodeKind.VERSION, 0, restricted=False, expanded=True)
    if left:
        version.more_results = More(left, exact=True)
    graph = Graph("v", [version, Node("maker", NodeKind.RUN, 1)], [Edge("maker", "v", "made")])
    for number in range(count):
        graph.nodes.append(Node(f"u{number}", NodeKind.RUN, 1, expanded=behind))
        graph.edges.append(Edge("v", f"u{number}", "used"))
    if behind:
        for number in range(count):
            graph.nodes.append(Node(f"w{number}", NodeKind.VERSION, 2))
            graph.edges.append(Edge(f"u{number}", f"w{number}", "made"))
    return graph


def ids(found: Folded) -> list[str]:
    return [node.id for node in found.nodes]


class TestClusters:
    """R150: five or more siblings at one level fold into a searchable cluster.

    Single nodes can be pulled out of it.
    """

    def test_four_stand_alone_and_five_fold(self) -> None:
        assert fold(used(4)).clusters == []
        found = fold(used(5))
        assert ids(found) == ["v", "maker"]
        (cluster,) = found.clusters
        assert (cluster.of, cluster.side, cluster.kind, cluster.count, cluster.exact) == (
            "v", Side.RESULTS, NodeKind.RUN, 5, True)  # fmt: skip
        assert found.arrows == [("v", "v.results"), ("maker", "v")]

    def test_those_that_were_not_fetched_count(self) -> None:
        (cluster,) = fold(used(6, left=494)).clusters
        assert cluster.count == 500

    def test_what_is_behind_a_folded_node_is_not_shown(self) -> None:
        found = fold(used(6, behind=True))
        assert ids(found) == ["v", "maker"]
        assert len(found.clusters) == 1

    def test_a_node_is_pulled_out_with_what_is_behind_it(self) -> None:
        found = fold(used(7, behind=True), kept=["u3"])
        assert ids(found) == ["v", "maker", "u3", "w3"]
        assert [cluster.count for cluster in found.clusters] == [6]
        assert set(found.arrows) == {
            ("v", "v.results"), ("v", "u3"), ("u3", "w3"), ("maker", "v")}  # fmt: skip

    def test_pulling_until_four_are_left_opens_the_cluster(self) -> None:
        found = fold(used(6), kept=["u0", "u1"])
        assert found.clusters == []
        assert len(found.nodes) == 8

    def test_a_hidden_node_takes_along_what_is_behind_it(self) -> None:
        found = fold(used(3, behind=True), hidden=["u1", "v"])
        assert ids(found) == ["v", "maker", "u0", "u2", "w0", "w2"]

    def test_the_way_back_to_the_root_is_no_sibling(self) -> None:
        """A run that made the root and four more has four siblings, not five."""
        run = Node("r", NodeKind.RUN, 1, expanded=True)
        graph = Graph("v", [Node("v", NodeKind.VERSION, 0, expanded=True), run])
        graph.edges.append(Edge("r", "v", "made"))
        for number in range(4):
            graph.nodes.append(Node(f"s{number}", NodeKind.VERSION, 2))
            graph.edges.append(Edge("r", f"s{number}", "made"))
        assert fold(graph).clusters == []
        graph.nodes.append(Node("s4", NodeKind.VERSION, 2))
        graph.edges.append(Edge("r", "s4", "made"))
        (cluster,) = fold(graph).clusters
        assert (cluster.of, cluster.side, cluster.count) == ("r", Side.RESULTS, 5)

    def test_two_nodes_share_one_cluster(self) -> None:
        """Runs that used both of two versions are one cluster, to which both have an arrow."""
        graph = used(6)
        other = Node("o", NodeKind.VERSION, 1, expanded=True, more_results=More(9, exact=True))
        graph.nodes.insert(1, other)
        graph.nodes[2].expanded = True
        graph.edges.append(Edge("maker", "o", "made"))
        graph.edges += [Edge("o", f"u{number}", "used") for number in range(6)]
        found = fold(graph)
        assert len(found.clusters) == 1
        assert ("o", "v.results") in found.arrows
