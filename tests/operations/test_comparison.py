"""Two versions of a collection side by side, on a real database (R59)."""

from __future__ import annotations

import pytest

from byname.domain.comparison import FileLine
from byname.domain.errors import NotFound
from byname.operations import collection, comparison, member, registry
from byname.operations import version as versions
from byname.operations.comparison import Comparison, FileCounts
from byname.operations.context import Context
from tests.support.runs import make_run
from tests.support.world import ORGANIZATION, World, link_version, log_version

OLD = {"same": b"1", "changed": b"1", "removed": b"1", "z/removed": b"1"}
NEW = {"same": b"1", "changed": b"22", "added": b"1", "a/added": b"1"}


def compare(
    ctx: Context, before: str, after: str, behind: str = "", limit: int = 100
) -> Comparison:
    project = registry.get_by_name(ctx, ORGANIZATION, "Model")
    found = collection.get_in(ctx, project, "Zoo")
    return comparison.compare(ctx, project, found, before, after, behind=behind, limit=limit)


def told(files: list[FileLine]) -> list[tuple[str, str]]:
    return [(each.path, each.change.value) for each in files]


@pytest.fixture
def zoo(world: World) -> World:
    """Two versions in `Model/Zoo`, the second of which a run made."""
    ctx = world.admin
    make_run(ctx, "run1")
    old, new = log_version(ctx, files=OLD), log_version(ctx, files=NEW, run="run1")
    versions.edit(ctx, old.id, versions.VersionEdit(metadata='{"a": 1}', add_tags=["t", "u"]))
    versions.edit(ctx, new.id, versions.VersionEdit(metadata='{"a": 2}', add_tags=["u", "w"]))
    link_version(ctx, old, aliases=["staging"])
    link_version(ctx, new, aliases=["best"])
    return world


class TestComparing:
    """R59: metadata (changed keys first), tags, aliases, files, size, producing run."""

    def test_everything_that_differs(self, zoo: World) -> None:
        found = compare(zoo.admin, "staging", "v1")
        assert told(found.files) == [
            ("a/added", "added"),
            ("added", "added"),
            ("changed", "changed"),
            ("removed", "removed"),
            ("z/removed", "removed"),
        ]
        assert found.counts == FileCounts(added=2, removed=2, changed=1)
        changed = found.files[2]
        assert changed.before is not None
        assert changed.after is not None
        assert (changed.before.size_bytes, changed.after.size_bytes) == (1, 2)
        assert changed.before.digest != changed.after.digest
        assert [(line.before, line.after) for line in found.metadata] == [(1, 2)]
        assert (found.tags.added, found.tags.removed, found.tags.kept) == (["w"], ["t"], ["u"])
        assert (found.aliases.removed, found.aliases.kept) == (["staging"], [])
        assert set(found.aliases.added) == {"best", "latest"}
        assert (found.before.membership.number, found.after.membership.number) == (0, 1)
        assert (found.before.version.size_bytes, found.after.version.size_bytes) == (4, 5)
        assert found.before.run is None
        assert found.after.run is not None
        assert found.after.run.name == "run1"

    def test_the_other_way_round(self, zoo: World) -> None:
        found = compare(zoo.admin, "v1", "v0")
        assert found.counts == FileCounts(added=2, removed=2, changed=1)
        assert ("added", "removed") in told(found.files)

    def test_with_itself_nothing_differs(self, zoo: World) -> None:
        found = compare(zoo.admin, "best", "v1")
        assert (found.files, found.counts) == ([], FileCounts(0, 0, 0))
        assert {line.change.value for line in found.metadata} == {"same"}

    @pytest.mark.parametrize("limit", [1, 2, 3, 5])
    def test_files_come_in_pages(self, zoo: World, limit: int) -> None:
        whole = told(compare(zoo.admin, "v0", "v1").files)
        seen: list[tuple[str, str]] = []
        behind = ""
        while True:
            page = compare(zoo.admin, "v0", "v1", behind, limit)
            assert len(page.files) <= limit
            assert (page.counts is None) == bool(behind)
            seen += told(page.files)
            if not page.has_next:
                break
            behind = page.files[-1].path
        assert seen == whole

    def test_a_page_reads_no_further_than_it_must(self, zoo: World) -> None:
        with zoo.admin.database.read() as tx:
            from byname.store.comparison import _DIFFERING

            plan = tx.all(
                f"EXPLAIN QUERY PLAN {_DIFFERING} ORDER BY 1 LIMIT 10",
                {"before": 1, "after": 2, "behind": ""},
            )
        steps = [row["detail"] for row in plan]
        assert not [step for step in steps if "SCAN" in step or "TEMP B-TREE" in step], steps

    def test_who_sees_the_registry_only_compares_without_the_run(self, zoo: World) -> None:
        """R55, R107: a Restricted Viewer sees digests, and nothing of where it was made."""
        bob = zoo.add_person("bob", in_organization="member")
        model = registry.get_by_name(zoo.admin, ORGANIZATION, "Model")
        registry.edit(zoo.admin, model.id, registry.RegistryEdit(restricted=True))
        with pytest.raises(NotFound):
            compare(bob, "v0", "v1")
        member.add(zoo.admin, model.id, user_ids=[bob.who.user_id])
        found = compare(bob, "v0", "v1")
        assert found.counts == FileCounts(added=2, removed=2, changed=1)
        assert (found.after.run, found.after.run_project) == (None, None)

    def test_an_absent_version_is_named(self, zoo: World) -> None:
        with pytest.raises(NotFound, match="Zoo:v7"):
            compare(zoo.admin, "v0", "v7")
