"""The lineage graph (R149, R151, R152)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from byname.domain.errors import NotFound, Unprocessable
from byname.domain.lineage import Graph
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
    def test_wrong_limits(self, chain: World, wrong: dict[str, int]) -> None:
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
