"""A version that is in very many collections: an answer about one of them says nothing of the rest."""

from __future__ import annotations

from typing import Any

from byname.graphql.ids import to_id
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

ALIASES = "id aliases { alias artifactCollection { name } }"
LINK = f"""mutation ($input: LinkArtifactInput!) {{ linkArtifact(input: $input) {{
  artifactMembership {{ aliases {{ alias }} artifact {{ {ALIASES} }} }} }} }}"""
WAYS = f"""query ($organization: String!, $registry: String!, $team: String!, $project: String!) {{
  registry: project(name: $registry, entityName: $organization) {{
    artifact(name: "c7:best") {{ {ALIASES} }}
    artifactCollectionMembership(name: "c7:best") {{ artifact {{ {ALIASES} }} }}
    artifactCollection(name: "c7") {{
      artifactMembership(aliasName: "v0") {{ artifact {{ {ALIASES} }} }}
      artifacts {{ edges {{ node {{ {ALIASES} }} }} }} }}
    artifactType(name: "model") {{ artifact(name: "c7:best") {{ {ALIASES} }} }} }}
  source: project(name: $project, entityName: $team) {{
    artifact(name: "model:latest") {{ {ALIASES} }} }} }}"""
PAGE = f"""query ($organization: String!) {{ organization(name: $organization) {{ orgEntity {{
    artifactMemberships {{ edges {{ node {{ artifactCollection {{ name }}
      artifact {{ {ALIASES} }} }} }} }} }} }} }}"""
UPDATE = f"""mutation ($id: ID!) {{ updateArtifact(input: {{artifactID: $id, description: "x"}}) {{
  artifact {{ {ALIASES} }} }} }}"""

HOME = [("model", "v0"), ("model", "latest")]
PLACES = 30


def shown(artifact: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["artifactCollection"]["name"], each["alias"]) for each in artifact["aliases"]]


def here(name: str) -> list[tuple[str, str]]:
    """What an answer about this collection says."""
    return [*HOME, (name, "v0"), (name, "best"), (name, "latest")]


class TestAVersionInManyPlaces:
    """R4, R68; protocol 8.4: the client takes the aliases of the collection that it asked for."""

    def test_one_way_shows_one_place(self, world: World) -> None:
        version = log_version(world.admin)
        for index in range(PLACES):
            link_version(world.admin, version, f"c{index}", ["best"])
        new = {
            "artifactID": to_id("Artifact", version.id),
            "artifactPortfolioName": "new",
            "entityName": ORGANIZATION,
            "projectName": REGISTRY,
            "aliases": [{"artifactCollectionName": "new", "alias": "best"}],
        }
        linked = data(world.admin, LINK, input=new)["linkArtifact"]["artifactMembership"]
        assert shown(linked["artifact"]) == here("new")

        place = {"organization": ORGANIZATION, "registry": REGISTRY}
        found = data(world.admin, WAYS, **place, team=TEAM, project=PROJECT)
        registry = found["registry"]
        for way in (
            registry["artifact"],
            registry["artifactCollectionMembership"]["artifact"],
            registry["artifactCollection"]["artifactMembership"]["artifact"],
            registry["artifactCollection"]["artifacts"]["edges"][0]["node"],
            registry["artifactType"]["artifact"],
        ):
            assert shown(way) == here("c7")
        assert shown(found["source"]["artifact"]) == HOME

        page = data(world.admin, PAGE, organization=ORGANIZATION)["organization"]["orgEntity"]
        edges = page["artifactMemberships"]["edges"]
        assert len(edges) == PLACES + 1
        for edge in edges:
            name = edge["node"]["artifactCollection"]["name"]
            assert shown(edge["node"]["artifact"]) == here(name)

    def test_the_version_itself_shows_all(self, world: World) -> None:
        """The client that edits a link reads its aliases out of this answer."""
        version = log_version(world.admin)
        for index in range(PLACES):
            link_version(world.admin, version, f"c{index}", ["best"])
        told = data(world.admin, UPDATE, id=to_id("Artifact", version.id))["updateArtifact"]
        assert shown(told["artifact"]) == [
            *HOME,
            *(each for index in range(PLACES) for each in here(f"c{index}")[2:]),
        ]
