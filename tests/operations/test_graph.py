"""The lineage graph (R149, R151, R152)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from byname.domain.errors import NotFound, Unprocessable
from byname.domain.ids import to_id
from byname.domain.lineage import Graph
from byname.domain.lineage_fold import Side
from byname.operations import graph, lineage, run, team
from byname.operations.context import Context
from byname.store.database import Transaction
from tests.support.runs import make_run
from tests.support.world import (
    ORGANIZATION,
    PROJECT,
    REGISTRY,
    TEAM,
    World,
    link_version,
    log_version,
)


def use(ctx: Context, run_name: str, version_id: int, entity: str = TEAM) -> None:
    make_run(ctx, run_name, entity=entity)
    lineage.use_version(
        ctx, entity=entity, project=PROJECT, run_name=run_name, version_id=version_id
    )


def arrows(found: Graph) -> set[tuple[str, str, str]]:
    """The arrows between names."""
    names = {node.id: (node.name or "restricted").rpartition("/")[2] for node in found.nodes}
    return {(names[edge.source], names[edge.target], edge.kind) for edge in found.edges}


@pytest.fixture
def chain(world: World) -> World:
    """Train makes model:v0, which eval uses to make report:v0, which show uses; and so on."""
    ctx = world.admin
    make_run(ctx, "train")
    model = log_version(ctx, "model", run="train")
    use(ctx, "eval", model.id)
    report = log_version(ctx, "report", files={"r": b"r"}, run="eval")
    use(ctx, "show", report.id)
    link_version(ctx, model)
    return world


class TestTheGraph:
    """R149, R151: who made what, and who used it."""

    def test_two_levels_both_ways(self, chain: World) -> None:
        found = graph.around_version(chain.admin, f"{TEAM}/{PROJECT}/report:v0")
        assert arrows(found) == {
            ("eval", "report:v0", "made"),
            ("report:v0", "show", "used"),
            ("model:v0", "eval", "used"),
        }
        root = next(node for node in found.nodes if node.id == found.root)
        assert (root.name, root.depth, root.expanded) == (f"{TEAM}/{PROJECT}/report:v0", 0, True)
        outer = next(node for node in found.nodes if node.name == f"{TEAM}/{PROJECT}/model:v0")
        assert (outer.depth, outer.expanded) == (2, False)

    def test_expanded_on_demand(self, chain: World) -> None:
        found = graph.around_version(chain.admin, f"{TEAM}/{PROJECT}/report:v0", depth=3)
        assert ("train", "model:v0", "made") in arrows(found)

    def test_from_a_link(self, chain: World) -> None:
        """R151: the use of the source, seen from the registry."""
        found = graph.around_version(chain.admin, f"{ORGANIZATION}/{REGISTRY}/Zoo:v0", depth=1)
        assert arrows(found) == {("train", "model:v0", "made"), ("model:v0", "eval", "used")}

    def test_from_a_run(self, chain: World) -> None:
        found = graph.around_run(chain.admin, TEAM, PROJECT, "eval", depth=1)
        assert arrows(found) == {("model:v0", "eval", "used"), ("eval", "report:v0", "made")}

    def test_deleted_runs_are_not_in_it(self, chain: World) -> None:
        run_id = run.id_of(chain.admin, TEAM, PROJECT, "show")
        run.delete(chain.admin, run_id)
        found = graph.around_version(chain.admin, f"{TEAM}/{PROJECT}/report:v0", depth=1)
        assert arrows(found) == {("eval", "report:v0", "made")}

    def test_the_fan_out_is_bounded_and_the_rest_counted(self, chain: World) -> None:
        model = log_version(chain.admin, "model")
        for n in range(6):
            use(chain.admin, f"user{n}", model.id)
        found = graph.around_version(chain.admin, f"{TEAM}/{PROJECT}/model:v0", depth=1, fan_out=3)
        root = next(node for node in found.nodes if node.id == found.root)
        assert len(found.nodes) == 1 + 1 + 3
        assert root.more_results is not None
        assert (root.more_results.count, root.more_results.exact) == (4, True)
        assert root.more_sources is None

    def test_it_grows_no_larger_than_the_limit(
        self, chain: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("byname.domain.lineage.NODES_MAX", 3)
        found = graph.around_version(chain.admin, f"{TEAM}/{PROJECT}/report:v0", depth=3)
        assert (len(found.nodes), found.complete) == (3, False)

    @pytest.mark.parametrize("wrong", [{"depth": 0}, {"depth": 6}, {"fan_out": 101}])
    def test_wrong_limits(self, chain: World, wrong: dict[str, Any]) -> None:
        with pytest.raises(Unprocessable):
            graph.around_version(chain.admin, f"{TEAM}/{PROJECT}/report:v0", **wrong)

    def test_no_statement_per_node(self, chain: World, monkeypatch: pytest.MonkeyPatch) -> None:
        model = log_version(chain.admin, "model")
        counts: Counter[int] = Counter()
        plain = Transaction.all

        def counting(tx: Transaction, *args: Any) -> list[Any]:
            counts[len(counts)] += 1
            return plain(tx, *args)

        def statements() -> int:
            counts.clear()
            with monkeypatch.context() as patch:
                patch.setattr(Transaction, "all", counting)
                graph.around_version(chain.admin, f"{TEAM}/{PROJECT}/model:v0", fan_out=40)
            return sum(counts.values())

        few = statements()
        for n in range(30):
            use(chain.admin, f"user{n}", model.id)
        assert statements() == few


class TestFurther:
    """R152: the graph loads two levels and expands on demand; R150: single nodes are pulled out."""

    def test_a_node_beyond_the_fan_out_is_pulled_out(self, chain: World) -> None:
        ctx = chain.admin
        model = log_version(ctx, "model")
        for n in range(8):
            use(ctx, f"user{n}", model.id)
        ref = f"{TEAM}/{PROJECT}/model:v0"
        far = to_id("Run", run.id_of(ctx, TEAM, PROJECT, "user7"))
        few = graph.around_version(ctx, ref, depth=1, fan_out=3)
        assert far not in {node.id for node in few.nodes}
        more = graph.around_version(
            ctx, ref, depth=1, fan_out=3, further=graph.Further(pulled=[far])
        )
        assert ("model:v0", "user7", "used") in arrows(more)
        counts = [
            next(node for node in each.nodes if node.id == each.root).more_results
            for each in (few, more)
        ]
        assert [each.count for each in counts if each is not None] == [6, 5]

    def test_outer_nodes_are_expanded_one_after_the_other(self, chain: World) -> None:
        ctx = chain.admin
        ref = f"{TEAM}/{PROJECT}/model:v0"
        report = next(
            node.id for node in graph.around_version(ctx, ref).nodes
            if (node.name or "").endswith("report:v0")
        )  # fmt: skip
        show = to_id("Run", run.id_of(ctx, TEAM, PROJECT, "show"))
        found = graph.around_version(ctx, ref, further=graph.Further(expanded=[show, report]))
        assert ("report:v0", "show", "used") in arrows(found)
        assert next(node for node in found.nodes if node.id == show).expanded

    def test_what_is_tied_to_nothing_or_no_node_does_not_come(self, chain: World) -> None:
        ctx = chain.admin
        other = log_version(ctx, "other", files={"o": b"o"})
        ref = f"{TEAM}/{PROJECT}/report:v0"
        plain = graph.around_version(ctx, ref)
        ids = [to_id("Artifact", other.id), "nonsense", to_id("Run", 999), to_id("User", 1)]
        found = graph.around_version(ctx, ref, further=graph.Further(ids, ids))
        assert [node.id for node in found.nodes] == [node.id for node in plain.nodes]


class TestNeighbours:
    """R150: a cluster is searchable."""

    def test_runs_of_a_version_by_a_part_of_their_name(self, chain: World) -> None:
        ctx = chain.admin
        model = log_version(ctx, "model")
        for n in range(12):
            use(ctx, f"user{n}", model.id)
        here = to_id("Artifact", model.id)
        found = graph.neighbours(ctx, here, Side.RESULTS, text="USER1")
        assert [node.name for node in found.nodes] == [
            f"{TEAM}/{PROJECT}/user{n}" for n in (1, 10, 11)
        ]
        assert (found.next, found.hidden) == (None, 0)
        first = graph.neighbours(ctx, here, Side.RESULTS, first=5)
        rest = graph.neighbours(ctx, here, Side.RESULTS, first=50, after=first.next or "")
        assert len({node.id for node in (*first.nodes, *rest.nodes)}) == 13
        makers = graph.neighbours(ctx, here, Side.SOURCES).nodes
        assert [node.name for node in makers] == [f"{TEAM}/{PROJECT}/train"]
        shown = makers[0].display_name or ""
        assert graph.neighbours(ctx, here, Side.SOURCES, text=shown.upper()).nodes == makers

    def test_versions_of_a_run(self, chain: World) -> None:
        here = to_id("Run", run.id_of(chain.admin, TEAM, PROJECT, "eval"))
        for side, name in ((Side.SOURCES, "model:v0"), (Side.RESULTS, "report:v0")):
            found = graph.neighbours(chain.admin, here, side, text=":V0")
            assert [node.name for node in found.nodes] == [f"{TEAM}/{PROJECT}/{name}"]
            assert graph.neighbours(chain.admin, here, side, text="other").nodes == []

    def test_r112_what_is_hidden_is_only_counted(self, chain: World) -> None:
        ctx = chain.admin
        eve = chain.add_person("eve", in_organization="member")
        model = log_version(ctx, "model")
        found = graph.neighbours(eve, to_id("Artifact", model.id), Side.RESULTS)
        assert (found.nodes, found.hidden) == ([], 1)
        for node_id in (
            to_id("Run", run.id_of(ctx, TEAM, PROJECT, "eval")),
            to_id("Artifact", log_version(ctx, "report", files={"r": b"r"}).id),
            "nonsense",
        ):
            with pytest.raises(NotFound):
                graph.neighbours(eve, node_id, Side.RESULTS)

    def test_nothing_hidden_is_pulled_into_a_graph(self, chain: World) -> None:
        ctx = chain.admin
        eve = chain.add_person("eve", in_organization="member")
        ref = f"{ORGANIZATION}/{REGISTRY}/Zoo:v0"
        plain = graph.around_version(eve, ref)
        ids = [to_id("Run", run.id_of(ctx, TEAM, PROJECT, name)) for name in ("eval", "show")]
        found = graph.around_version(eve, ref, further=graph.Further(ids, ids))
        assert [(node.kind, node.name) for node in found.nodes] == [
            (node.kind, node.name) for node in plain.nodes
        ]


class TestHiddenNodes:
    """R152, R112: a restricted node says nothing, and nothing behind it is shown."""

    @pytest.fixture
    def secret(self, chain: World) -> World:
        """Another team's run used the model and made something, which a run of ours used."""
        team.create_team(chain.admin, organization=ORGANIZATION, name="audio", admins=["admin"])
        admin = chain.reload("admin")
        model = log_version(admin, "model")
        use(admin, "hidden-run", model.id, entity="audio")
        made = log_version(
            admin, "hidden-model", files={"h": b"h"}, entity="audio", run="hidden-run"
        )
        use(admin, "last", made.id)
        chain.add_person("mia", in_organization="member", in_team="member")
        return chain

    def test_no_name_and_nothing_behind(self, secret: World) -> None:
        mia = secret.people["mia"]
        found = graph.around_version(mia, f"{TEAM}/{PROJECT}/model:v0", depth=5)
        hidden = [node for node in found.nodes if node.restricted]
        assert [(node.kind, node.name, node.created_at, node.expanded) for node in hidden] == [
            ("run", None, None, False)
        ]
        text = repr(found)
        assert "hidden" not in text
        assert "audio" not in text
        assert f"{TEAM}/{PROJECT}/last" not in text
        everything = graph.around_version(
            secret.reload("admin"), f"{TEAM}/{PROJECT}/model:v0", depth=5
        )
        assert f"{TEAM}/{PROJECT}/last" in repr(everything)

    def test_seen_through_a_registry_only(self, chain: World) -> None:
        """The version has its registry's name; its source and runs are hidden."""
        outsider = chain.add_person("oli", in_organization="member")
        found = graph.around_version(outsider, f"{ORGANIZATION}/{REGISTRY}/Zoo:v0")
        assert [node.name for node in found.nodes if not node.restricted] == [
            f"{ORGANIZATION}/{REGISTRY}/Zoo:v0"
        ]
        assert TEAM not in repr(found)
        assert sum(node.restricted for node in found.nodes) == 2

    def test_what_one_may_not_see_cannot_be_asked_for(self, secret: World) -> None:
        mia = secret.people["mia"]
        with pytest.raises(NotFound):
            graph.around_version(mia, f"audio/{PROJECT}/hidden-model:v0")
        with pytest.raises(NotFound):
            graph.around_run(mia, "audio", PROJECT, "hidden-run")
