"""What only clients up to 0.21 ask for, by the names under which they know it (R182)."""

from __future__ import annotations

from tests.support.graphql import data
from tests.support.world import (
    ORGANIZATION,
    PROJECT,
    REGISTRY,
    TEAM,
    World,
    link_version,
    log_version,
)

COLLECTION = """query ($entity: String!, $project: String!, $name: String!) {
  project(name: $project, entityName: $entity) { artifactType(name: "model") {
    artifactSequence(name: $name) { __typename }
    artifactCollection(name: $name) { __typename tags { edges { node { tagCategoryName } } }
      aliases(first: 1) { edges { node { alias } cursor } pageInfo { endCursor hasNextPage } } }
  } } }"""
TYPES = """query ($entity: String!, $project: String!, $after: String) {
  project(name: $project, entityName: $entity) { artifactTypes(after: $after, first: 1) {
    edges { node { name } cursor } } } }"""
PAGED = """query ($entity: String!, $project: String!, $order: String, $after: String) {
  project(name: $project, entityName: $entity) { artifactType(name: "model") {
    artifactCollection(name: "net") { artifacts(first: 1, after: $after, order: $order) {
      edges { version cursor } pageInfo { endCursor hasNextPage } } } } } }"""
VERSIONS = """query ($organization: String!) { organization(name: $organization) { orgEntity {
    artifactMemberships { ...Page } } } }
  fragment Page on ArtifactCollectionMembershipConnection { pageInfo { hasNextPage }
    edges { node { versionIndex aliases { alias } } } }"""


class TestOlderClients:
    """R182: the names of the client's surface, so that code of older releases runs too."""

    def test_a_collection_is_told_from_a_sequence(self, world: World) -> None:
        link_version(world.admin, log_version(world.admin, "net"), "Zoo", ["best"])
        places = ((TEAM, PROJECT, "net"), (ORGANIZATION, REGISTRY, "Zoo"))
        source, linked = (
            data(world.admin, COLLECTION, entity=entity, project=project, name=name)["project"][
                "artifactType"
            ]
            for entity, project, name in places
        )
        assert source["artifactSequence"] == {"__typename": "ArtifactSequence"}
        assert linked["artifactSequence"] is None
        assert linked["artifactCollection"]["__typename"] == "ArtifactPortfolio"
        aliases = linked["artifactCollection"]["aliases"]
        (edge,) = aliases["edges"]
        assert edge["node"] == {"alias": "best"}
        assert aliases["pageInfo"] == {"endCursor": edge["cursor"], "hasNextPage": True}

    def test_types_are_paged_from_their_cursors(self, world: World) -> None:
        for kind in ("model", "dataset"):
            log_version(world.admin, f"a-{kind}", type_name=kind)
        place = {"entity": TEAM, "project": PROJECT}
        first, second = (
            data(world.admin, TYPES, **place, after=after)["project"]["artifactTypes"]["edges"]
            for after in (
                None,
                data(world.admin, TYPES, **place)["project"]["artifactTypes"]["edges"][0]["cursor"],
            )
        )
        assert {first[0]["node"]["name"], second[0]["node"]["name"]} == {"model", "dataset"}

    def test_a_page_of_versions_has_its_former_name_too(self, world: World) -> None:
        link_version(world.admin, log_version(world.admin, "net"), "Zoo", ["best"])
        found = data(world.admin, VERSIONS, organization=ORGANIZATION)
        page = found["organization"]["orgEntity"]["artifactMemberships"]
        (edge,) = page["edges"]
        assert edge["node"]["versionIndex"] == 0
        assert [each["alias"] for each in edge["node"]["aliases"]] == ["v0", "best", "latest"]

    def test_versions_are_paged_from_their_cursors(self, world: World) -> None:
        for number in range(3):
            log_version(world.admin, "net", {"a": f"{number}".encode()})
        for order in (None, "+createdAt", "-createdAt"):
            seen: list[str] = []
            after: str | None = None
            while len(seen) < 4:
                place = {"entity": TEAM, "project": PROJECT, "order": order, "after": after}
                found = data(world.admin, PAGED, **place)["project"]["artifactType"]
                page = found["artifactCollection"]["artifacts"]
                (edge,) = page["edges"]
                seen.append(edge["version"])
                after = edge["cursor"]
                assert page["pageInfo"]["endCursor"] == after
                if not page["pageInfo"]["hasNextPage"]:
                    break
            assert sorted(seen) == ["v0", "v1", "v2"]
