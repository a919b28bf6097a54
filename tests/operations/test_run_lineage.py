"""Which runs used and made which versions, and who gets to know (R112, R151, R157)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from byname.domain.errors import Conflict, Forbidden, NotFound
from byname.domain.version import Version
from byname.operations import lineage, run
from byname.operations.context import Context
from tests.support.runs import get_run, make_run
from tests.support.world import (
    ORGANIZATION,
    PROJECT,
    REGISTRY,
    TEAM,
    World,
    begin_version,
    link_version,
    log_version,
)

LINKED = {"through_entity": ORGANIZATION, "through_project": REGISTRY}


def use(
    ctx: Context, version: Version, name: str = "abcd1234", *, entity: str = TEAM, **options: str
) -> Version:
    return lineage.use_version(
        ctx, entity=entity, project=PROJECT, run_name=name, version_id=version.id, **options
    )


def users(ctx: Context, version: Version) -> list[str]:
    return [each.name for each in lineage.users_of(ctx, version.id).items]


def rows(world: World) -> Sequence[tuple[object, ...]]:
    with world.nobody.database.read() as tx:
        return [
            tuple(row)
            for row in tx.all(
                "SELECT run_id, version_id, used_as, through_project_id FROM run_input"
            )
        ]


class TestUse:
    """R151, R157: use is written down once, whichever way the version was reached, and as what."""

    def test_once_however_often_it_is_said(self, world: World) -> None:
        version = log_version(world.admin)
        made = make_run(world.admin)
        use(world.admin, version, used_as="zoo:production")
        use(world.admin, version, used_as="other")
        assert rows(world) == [(made.id, version.id, "zoo:production", None)]
        assert users(world.admin, version) == ["abcd1234"]
        inputs = lineage.inputs_of(world.admin, made)
        assert (list(inputs.items), inputs.count()) == ([version.id], 1)

    def test_through_a_registry_it_is_the_source_that_is_used(self, world: World) -> None:
        version = log_version(world.admin)
        collection, _ = link_version(world.admin, version)
        make_run(world.admin)
        assert use(world.admin, version, **LINKED).id == version.id
        assert rows(world)[0][3] == collection.project_id
        assert users(world.admin, version) == ["abcd1234"]

    def test_a_colleague_uses_what_is_linked(self, world: World) -> None:
        version = log_version(world.admin)
        colleague = world.add_person("carl", in_organization="member")
        make_run(colleague, "mine", entity="carl")
        with pytest.raises(NotFound):
            use(colleague, version, "mine", entity="carl")
        link_version(world.admin, version)
        use(colleague, version, "mine", entity="carl", **LINKED)
        use(colleague, version, "mine", entity="carl")
        assert users(colleague, version) == ["mine"]

    def test_who_may_not(self, world: World) -> None:
        version = log_version(world.admin)
        make_run(world.admin)
        viewer = world.add_person("eve", in_organization="viewer", in_team="viewer")
        stranger = world.add_person("sue")
        make_run(stranger, "theirs", entity="sue")
        with pytest.raises(Forbidden):
            use(viewer, version)
        with pytest.raises(NotFound):
            use(stranger, version)
        with pytest.raises(NotFound):
            use(stranger, version, "theirs", entity="sue")
        with pytest.raises(NotFound):
            use(
                stranger,
                version,
                "theirs",
                entity="sue",
                through_entity=TEAM,
                through_project=PROJECT,
            )
        with pytest.raises(NotFound):
            use(world.admin, version, **LINKED)
        with pytest.raises(NotFound):
            use(world.admin, version, "other")
        assert rows(world) == []

    def test_what_is_not_committed_cannot_be_used(self, world: World) -> None:
        make_run(world.admin)
        with pytest.raises(Conflict):
            use(world.admin, begin_version(world.admin))


class TestWhoGetsToKnow:
    """R112: runs and versions in hidden places are left out without a trace."""

    def test_hidden_users_are_left_out(self, world: World) -> None:
        version = log_version(world.admin)
        link_version(world.admin, version)
        carl = world.add_person("carl", in_organization="member")
        dora = world.add_person("dora", in_organization="member")
        for ctx, name in ((carl, "carl"), (dora, "dora")):
            make_run(ctx, f"of-{name}", entity=name)
            use(ctx, version, f"of-{name}", entity=name, **LINKED)
        make_run(world.admin, "team")
        use(world.admin, version, "team")
        assert users(carl, version) == ["of-carl"]
        assert users(dora, version) == ["of-dora"]
        assert users(world.add_person("sue"), version) == []

    def test_pages_of_users(self, world: World) -> None:
        version = log_version(world.admin)
        for number in range(5):
            make_run(world.admin, f"r{number}")
            use(world.admin, version, f"r{number}")
        first = lineage.users_of(world.admin, version.id, first=2)
        assert [each.name for each in first.items] == ["r0", "r1"]
        rest = lineage.users_of(world.admin, version.id, after=first.end_cursor)
        assert [each.name for each in rest.items] == ["r2", "r3", "r4"]
        assert (first.has_next, rest.has_next) == (True, False)

    def test_a_deleted_run_uses_nothing(self, world: World) -> None:
        version = log_version(world.admin)
        made = make_run(world.admin)
        use(world.admin, version)
        run.delete(world.admin, made.id)
        assert users(world.admin, version) == []

    def test_outputs_and_makers(self, world: World) -> None:
        made = make_run(world.admin)
        version = log_version(world.admin, run="abcd1234")
        outputs = lineage.outputs_of(world.admin, get_run(world.admin, made.id))
        assert (list(outputs.items), outputs.count()) == ([version.id], 1)
        assert lineage.makers_of_many(world.admin, [made.id])[made.id].name == "abcd1234"
        assert lineage.makers_of_many(world.add_person("sue"), [made.id]) == {}

    def test_logging_the_same_content_again_is_an_output_too(self, world: World) -> None:
        log_version(world.admin)
        made = make_run(world.admin)
        again = begin_version(world.admin, run="abcd1234")
        assert list(lineage.outputs_of(world.admin, made).items) == [again.id]
        assert lineage.inputs_of(world.admin, made).count() == 0

    def test_hidden_inputs_are_left_out(self, world: World) -> None:
        carl = world.add_person("carl", in_organization="member")
        open_one = log_version(world.admin)
        link_version(world.admin, open_one)
        secret = log_version(carl, entity="carl")
        make_run(carl, "mine", entity="carl")
        with pytest.raises(NotFound):
            make_run(world.add_person("sue"), "mine", entity="carl")
        made, _ = run.upsert(carl, run.RunChange(entity="carl", project=PROJECT, name="mine"))
        use(carl, open_one, "mine", entity="carl", **LINKED)
        use(carl, secret, "mine", entity="carl")
        assert lineage.inputs_of(carl, made).count() == 2
        seen_by_admin = lineage.inputs_of(world.people["admin"], made)
        assert list(seen_by_admin.items) == [open_one.id]
        assert seen_by_admin.count() == 1
