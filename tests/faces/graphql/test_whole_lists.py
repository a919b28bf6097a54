"""Lists of which the client reads the first page alone, and takes it for all there is."""

from __future__ import annotations

from byname.domain.page import PAGE_MAX
from byname.graphql.ids import to_id
from byname.operations import lineage, registry
from byname.operations.registry import NewRegistry
from tests.support.graphql import data
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

USED_BY = """query ArtifactUsedBy($id: ID!) { artifact(id: $id) { usedBy { edges { node {
  id name project { name entity { name } } } } } } }"""
LINKED = """query FetchLinkedArtifacts($artifactID: ID!) { artifact(id: $artifactID) {
  artifactMemberships { edges { node { versionIndex aliases { alias }
    artifactCollection { name project { name } } } } pageInfo { hasNextPage endCursor } } } }"""
FIRST = """query ($id: ID!, $first: Int, $after: String) { artifact(id: $id) {
  artifactMemberships(first: $first, after: $after) { edges { node { artifactCollection { name } } }
    pageInfo { hasNextPage endCursor } } } }"""


class TestAllAreThere:
    """R151, R182: `used_by` and `linked_artifacts` leave nothing out without a word."""

    def test_every_run_that_used_a_version(self, world: World) -> None:
        version = log_version(world.admin)
        number = PAGE_MAX + 50
        with world.admin.database.write():
            for index in range(number):
                make_run(world.admin, f"r{index}")
                lineage.use_version(
                    world.admin,
                    entity=TEAM,
                    project=PROJECT,
                    run_name=f"r{index}",
                    version_id=version.id,
                )
        found = data(world.admin, USED_BY, id=to_id("Artifact", version.id))
        names = [edge["node"]["name"] for edge in found["artifact"]["usedBy"]["edges"]]
        assert names == [f"r{index}" for index in range(number)]

    def test_every_place_of_a_version(self, world: World) -> None:
        version = log_version(world.admin)
        with world.admin.database.write():
            for index in range(150):
                link_version(world.admin, version, f"c{index}")
        found = data(world.admin, LINKED, artifactID=to_id("Artifact", version.id))
        page = found["artifact"]["artifactMemberships"]
        names = [edge["node"]["artifactCollection"]["name"] for edge in page["edges"]]
        assert names == ["model", *(f"c{index}" for index in range(150))]
        assert page["pageInfo"]["hasNextPage"] is False


class TestPagesOfPlaces:
    """R55, R112: places that are hidden shorten no page, and end no list."""

    def test_hidden_places_between_the_others(self, world: World) -> None:
        version = log_version(world.admin)
        registry.create(
            world.admin, NewRegistry(organization=ORGANIZATION, name="x", restricted=True)
        )
        for index in range(12):
            hidden = index % 4 != 3
            place = "wandb-registry-x" if hidden else REGISTRY
            link_version(world.admin, version, f"c{index}", project=place)
        eve = world.add_person("eve", in_organization="viewer")
        found: list[str] = []
        after = None
        while True:
            given = {"id": to_id("Artifact", version.id), "first": 2, "after": after}
            page = data(eve, FIRST, **given)["artifact"]["artifactMemberships"]
            found += [edge["node"]["artifactCollection"]["name"] for edge in page["edges"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert found == ["c3", "c7", "c11"]
