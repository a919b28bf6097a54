"""Registries and their members through the SDK's face (protocol 8.2, 9.10, 9.11, 12.5, 13)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from byname.domain.errors import Conflict, Forbidden, NotFound, Unprocessable
from byname.graphql.ids import from_id, to_id
from byname.operations import member, project, team
from tests.support.graphql import ask, data, refusal
from tests.support.world import (
    ORGANIZATION,
    PROJECT,
    REGISTRY,
    TEAM,
    World,
    link_version,
    log_version,
)

REGISTRY_FIELDS = """__typename id internalId name entity { name organization { name } } description
  createdAt updatedAt access allowAll: allowAllArtifactTypesInRegistry readOnly isBenchmark
  user { username } entityName artifactTypes(includeAll: true) { edges { node { name } } }"""
UPSERT = f"""mutation ($input: UpsertModelInput!) {{ upsertModel(input: $input) {{
  inserted project {{ {REGISTRY_FIELDS} }} model {{ id }} }} }}"""
RENAME = """mutation ($input: RenameProjectInput!) { renameProject(input: $input) {
  inserted project { id name } } }"""
DELETE = """mutation ($id: String!) { deleteModel(input: {id: $id}) { success } }"""
FETCH = f"""query ($name: String, $entity: String) {{ entity(name: $entity) {{
  project(name: $name) {{ {REGISTRY_FIELDS} }} }} }}"""
LIST = """query ($org: String!, $filters: JSONString, $after: String, $first: Int, $order: String) {
  organization(name: $org) { orgEntity { name projects(filters: $filters, after: $after,
    first: $first, order: $order) { totalCount pageInfo { endCursor hasNextPage }
    edges { cursor node { name } } } } } }"""
COLLECTIONS = """query ($org: String!, $of: JSONString, $filters: JSONString,
    $types: [ArtifactCollectionType!], $after: String, $first: Int, $order: String) {
  organization(name: $org) { orgEntity { name artifactCollections(projectFilters: $of,
    filters: $filters, collectionTypes: $types, after: $after, first: $first, order: $order) {
    totalCount pageInfo { endCursor hasNextPage } edges { cursor node { __typename id name
      description createdAt updatedAt project { name entity { name } }
      type: defaultArtifactType { name } tags { edges { node { name } } } } } } } } }"""
VERSIONS = """query ($org: String!, $of: JSONString, $in: JSONString, $filters: JSONString,
    $after: String, $first: Int, $order: String) {
  organization(name: $org) { orgEntity { name artifactMemberships(projectFilters: $of,
    collectionFilters: $in, filters: $filters, after: $after, first: $first, order: $order) {
    totalCount pageInfo { endCursor hasNextPage } edges { cursor node { id versionIndex createdAt
      aliases { alias } artifactCollection { __typename name project { name } }
      artifact { id digest state versionIndex artifactSequence { name project { name } } } } }
    } } } }"""
MEMBERS = """query ($project: String, $entity: String) { project(name: $project,
  entityName: $entity) { members { id name username email role { name } }
  teamMembers { team { id name entityType isTeam available photoUrl readOnly readOnlyAdmin
      privateOnly storageBytes codeSavingEnabled defaultAccess isPaid
      members { id role admin pending email username name photoUrl accountType apiKey } }
    role { name } } } }"""
ADD = """mutation ($input: CreateProjectMembersInput!) { createProjectMembers(input: $input) {
  success } }"""
REMOVE = """mutation ($input: DeleteProjectMembersInput!) { deleteProjectMembers(input: $input) {
  success } }"""
SET_USER = """mutation ($input: UpdateProjectMemberInput!) { updateProjectMember(input: $input) {
  success } }"""
SET_TEAM = """mutation ($input: UpdateProjectTeamMemberInput!) {
  updateProjectTeamMember(input: $input) { success } }"""


def upsert(world: World, name: str, person: str = "admin", **more: Any) -> Any:
    given = {"entityName": ORGANIZATION, "name": f"wandb-registry-{name}", **more}
    return data(world.people[person], UPSERT, input=given)["upsertModel"]


def fetch(world: World, name: str, person: str = "admin") -> Any:
    found = data(world.people[person], FETCH, name=f"wandb-registry-{name}", entity=ORGANIZATION)
    return found["entity"]["project"]


def types_of(project: Any) -> list[str]:
    return [edge["node"]["name"] for edge in project["artifactTypes"]["edges"]]


def test_a_registry_is_created_as_the_client_does_it(world: World) -> None:  # 9.10
    assert fetch(world, "Zoo") is None
    made = upsert(
        world,
        "Zoo",
        access="RESTRICTED",
        allowAllArtifactTypesInRegistry=False,
        artifactTypes=[{"name": "model"}],
        description="animals",
    )
    assert made["inserted"] is True
    project = made["project"]
    assert project["id"] == made["model"]["id"]
    assert project["access"] == "RESTRICTED"
    assert project["allowAll"] is False
    assert project["entity"] == {"name": ORGANIZATION, "organization": {"name": ORGANIZATION}}
    assert types_of(project) == ["model"]
    assert project["user"] == {"username": "admin"}
    number = from_id(project["id"], "Project")
    assert from_id(project["internalId"], "ProjectInternalId") == number
    assert fetch(world, "zoo") == project  # R15: without case.


def test_a_fresh_registry_for_all_types_lists_none(world: World) -> None:  # 9.10
    made = upsert(world, "Any", access="PRIVATE", allowAllArtifactTypesInRegistry=True)["project"]
    assert (made["access"], types_of(made), made["allowAll"]) == ("PRIVATE", [], True)
    link_version(world.admin, log_version(world.admin), project="wandb-registry-Any")
    assert types_of(fetch(world, "Any")) == ["model"]  # R23: in use.


def test_saving_again_edits_and_appends_types(world: World) -> None:  # 9.10, R22
    before = upsert(world, "Zoo", allowAllArtifactTypesInRegistry=False, description="d")
    after = upsert(
        world,
        "Zoo",
        access="PRIVATE",
        allowAllArtifactTypesInRegistry=False,
        artifactTypes=[{"name": "b"}, {"name": "a"}],
        description=None,
    )
    assert after["inserted"] is False
    assert after["project"]["id"] == before["project"]["id"]
    assert types_of(after["project"]) == ["b", "a"]
    assert after["project"]["description"] == "d"


def test_visibility_goes_both_ways_through_the_client(world: World) -> None:  # R16, R19
    assert upsert(world, "Model", access="RESTRICTED")["project"]["access"] == "RESTRICTED"
    assert upsert(world, "Model", access="PRIVATE")["project"]["access"] == "PRIVATE"
    given = {"entityName": ORGANIZATION, "name": REGISTRY, "access": "PUBLIC"}
    assert "Invalid visibility" in refusal(world.admin, UPSERT, input=given).message


def test_renaming_and_deleting(world: World) -> None:  # R25, R170
    project = upsert(world, "Zoo")["project"]
    given = {
        "entityName": ORGANIZATION,
        "oldProjectName": "wandb-registry-Zoo",
        "newProjectName": "wandb-registry-Farm",
    }
    renamed = data(world.admin, RENAME, input=given)["renameProject"]
    assert renamed == {
        "inserted": False,
        "project": {"id": project["id"], "name": "wandb-registry-Farm"},
    }
    assert fetch(world, "Zoo") is None
    assert isinstance(refusal(world.admin, RENAME, input=given), NotFound)
    assert data(world.admin, DELETE, id=project["id"])["deleteModel"] == {"success": True}
    assert fetch(world, "Farm") is None
    assert isinstance(refusal(world.admin, DELETE, id=project["id"]), NotFound)


def test_a_member_saves_what_they_may_and_no_more(world: World) -> None:  # P21 to P24
    world.add_person("bob", in_organization="member")
    registry = upsert(world, "Zoo")["project"]
    add = {"projectId": registry["id"], "userIds": [to_id("User", world.people["bob"].who.user_id)]}
    data(world.admin, ADD, input=add)
    given = {"projectId": registry["id"], "userId": add["userIds"][0], "userProjectRole": "member"}
    data(world.admin, SET_USER, input=given)
    # The client always sends visibility and rule on types, too.
    same = {"access": "PRIVATE", "allowAllArtifactTypesInRegistry": True}
    assert upsert(world, "Zoo", "bob", description="x", **same)["project"]["description"] == "x"
    wider = {"entityName": ORGANIZATION, "name": "wandb-registry-Zoo", "access": "RESTRICTED"}
    assert isinstance(refusal(world.people["bob"], UPSERT, input=wider), Forbidden)


def test_a_hidden_registry_does_not_exist_but_holds_its_name(world: World) -> None:  # R112
    upsert(world, "Secret", access="RESTRICTED")
    bob = world.add_person("bob", in_organization="member")
    assert fetch(world, "Secret", "bob") is None
    given = {"entityName": ORGANIZATION, "name": "wandb-registry-Secret"}
    error = refusal(bob, UPSERT, input=given)
    assert isinstance(error, Conflict)
    assert "already exists" in error.message
    listed = data(bob, LIST, org=ORGANIZATION)["organization"]["orgEntity"]["projects"]
    assert [edge["node"]["name"] for edge in listed["edges"]] == [
        REGISTRY,
        "wandb-registry-Dataset",
    ]
    assert listed["totalCount"] == 2


def test_the_list_of_registries_is_paged_filtered_and_sorted(world: World) -> None:  # 12.5, 13
    log_version(world.admin)  # An ordinary project, which is never listed.
    first = data(world.admin, LIST, org=ORGANIZATION, first=1, order="+name")
    page = first["organization"]["orgEntity"]["projects"]
    assert [edge["node"]["name"] for edge in page["edges"]] == ["wandb-registry-Dataset"]
    assert page["pageInfo"]["hasNextPage"] is True
    assert page["edges"][0]["cursor"] == page["pageInfo"]["endCursor"]
    second = data(
        world.admin,
        LIST,
        org=ORGANIZATION,
        first=1,
        order="+name",
        after=page["pageInfo"]["endCursor"],
    )["organization"]["orgEntity"]["projects"]
    assert [edge["node"]["name"] for edge in second["edges"]] == [REGISTRY]
    assert second["pageInfo"]["hasNextPage"] is False
    number = from_id(fetch(world, "Model")["internalId"], "ProjectInternalId")
    for wanted in ({"id": number}, {"project_id": number}, {"name": REGISTRY}):
        found = data(world.admin, LIST, org=ORGANIZATION, filters=json.dumps(wanted))
        (edge,) = found["organization"]["orgEntity"]["projects"]["edges"]
        assert edge["node"]["name"] == REGISTRY
    assert data(world.admin, LIST, org="unknown")["organization"] is None
    bad = refusal(world.admin, LIST, org=ORGANIZATION, filters='{"nme": 1}')
    assert isinstance(bad, Unprocessable)
    assert "valid ones" in bad.message


def test_collections_and_versions_are_searched(world: World) -> None:  # 12.5, 13
    ctx = world.admin
    for number in range(3):
        version = log_version(ctx, "zoo", {"w": b"%d" % number})
        link_version(ctx, version, "Zoo", ["best"] if number == 1 else [])
    link_version(ctx, log_version(ctx, "farm", type_name="dataset"), "Farm")
    found = data(ctx, COLLECTIONS, org=ORGANIZATION, types=["PORTFOLIO"], order="name", first=1)
    page = found["organization"]["orgEntity"]["artifactCollections"]
    assert page["totalCount"] == 2
    assert page["pageInfo"]["hasNextPage"] is True
    (edge,) = page["edges"]
    assert edge["node"]["__typename"] == "ArtifactPortfolio"
    assert edge["node"]["project"] == {"name": REGISTRY, "entity": {"name": ORGANIZATION}}
    assert (edge["node"]["name"], edge["node"]["type"]) == ("Farm", {"name": "dataset"})
    answer = data(
        ctx,
        VERSIONS,
        **{
            "org": ORGANIZATION,
            "of": json.dumps({"name": REGISTRY}),
            "in": json.dumps({"name": {"$contains": "Zo"}}),
            "filters": json.dumps({"$or": [{"alias": "best"}, {"alias": "latest"}]}),
            "order": "-acm_created_at",
        },
    )
    page = answer["organization"]["orgEntity"]["artifactMemberships"]
    assert page["totalCount"] == 2
    nodes = [edge["node"] for edge in page["edges"]]
    assert [node["versionIndex"] for node in nodes] == [2, 1]
    assert [[a["alias"] for a in node["aliases"]] for node in nodes] == [
        ["v2", "latest"],
        ["v1", "best"],
    ]
    assert nodes[0]["artifact"]["artifactSequence"] == {
        "name": "zoo",
        "project": {"name": PROJECT},
    }
    assert nodes[0]["artifactCollection"]["project"] == {"name": REGISTRY}


def test_members_are_listed_added_changed_and_removed(world: World) -> None:  # 9.11, R104, R110
    ctx = world.admin
    bob = to_id("User", world.add_person("bob", in_organization="member").who.user_id)
    (team_entity,) = [t for t in team.list_teams(ctx, ORGANIZATION) if t.name == TEAM]
    team_id = to_id("Entity", team_entity.id)
    registry = upsert(world, "Zoo", access="RESTRICTED")["project"]["id"]

    def listed() -> tuple[dict[str, str], dict[str, str]]:
        found = data(ctx, MEMBERS, project="wandb-registry-Zoo", entity=ORGANIZATION)["project"]
        return (
            {each["username"]: each["role"]["name"] for each in found["members"]},
            {each["team"]["name"]: each["role"]["name"] for each in found["teamMembers"]},
        )

    assert listed() == ({"admin": "admin"}, {})
    both = {"projectId": registry, "userIds": [bob], "teamIds": [team_id]}
    for _ in range(2):
        assert data(ctx, ADD, input=both)["createProjectMembers"] == {"success": True}
    assert listed() == (
        {"admin": "admin", "bob": "restricted_viewer"},
        {TEAM: "restricted_viewer"},
    )
    user = {"projectId": registry, "userId": bob, "userProjectRole": "admin"}
    assert data(ctx, SET_USER, input=user)["updateProjectMember"] == {"success": True}
    group = {"projectId": registry, "teamId": team_id, "teamProjectRole": "member"}
    assert data(ctx, SET_TEAM, input=group)["updateProjectTeamMember"] == {"success": True}
    assert listed() == ({"admin": "admin", "bob": "admin"}, {TEAM: "member"})
    for _ in range(2):
        assert data(ctx, REMOVE, input=both)["deleteProjectMembers"] == {"success": True}
    assert listed() == ({"admin": "admin"}, {})
    me = {"projectId": registry, "userIds": [to_id("User", ctx.who.user_id)]}
    assert isinstance(refusal(ctx, REMOVE, input=me), Conflict)  # R111
    mixed_up = {"projectId": registry, "userIds": [team_id]}
    assert isinstance(refusal(ctx, ADD, input=mixed_up), Unprocessable)
    nonsense = {"projectId": registry, "userId": bob, "userProjectRole": "owner"}
    assert "roles are" in refusal(ctx, SET_USER, input=nonsense).message


# ---- ordinary projects -------------------------------------------------------------------------

MODELS = """query ($entity: String, $after: String, $first: Int) { models(entityName: $entity,
  after: $after, first: $first) { edges { node { __typename id name entityName createdAt isBenchmark
  user { username } } cursor } pageInfo { endCursor hasNextPage } } }"""
PROJECT_QUERY = """query ($name: String, $entity: String) { project(name: $name,
  entityName: $entity) { name readOnly access allowAllArtifactTypesInRegistry
  members { username role { name } } teamMembers { role { name } }
  artifactTypes { edges { node { name } } pageInfo { endCursor hasNextPage } }
  artifactType(name: "model") { name description createdAt } } }"""


def test_projects_are_made_listed_and_read(world: World) -> None:  # 12.2
    ctx = world.admin
    given = {"entityName": TEAM, "name": "p1", "description": "first"}
    made = data(ctx, UPSERT, input=given)["upsertModel"]
    assert made["inserted"] is True
    assert made["project"]["description"] == "first"
    assert data(ctx, UPSERT, input=given)["upsertModel"]["inserted"] is False
    log_version(ctx)
    names = []
    after = None
    for _ in range(2):
        page = data(ctx, MODELS, entity=TEAM, first=1, after=after)["models"]
        names += [edge["node"]["name"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
    assert names == ["p1", PROJECT]
    assert page["pageInfo"]["hasNextPage"] is False
    project = data(ctx, PROJECT_QUERY, name=PROJECT, entity=TEAM)["project"]
    assert project["readOnly"] is False
    assert [edge["node"]["name"] for edge in project["artifactTypes"]["edges"]] == ["model"]
    assert project["artifactType"]["name"] == "model"
    assert project["members"] == [{"username": "admin", "role": {"name": "admin"}}]


def test_hidden_and_absent_projects_are_null(world: World) -> None:  # 19.21
    log_version(world.admin)
    bob = world.add_person("bob", in_organization="member")
    vic = world.add_person("vic", in_organization="member", in_team="viewer")
    assert data(bob, PROJECT_QUERY, name=PROJECT, entity=TEAM)["project"] is None
    assert data(bob, PROJECT_QUERY, name="nothing", entity=TEAM)["project"] is None
    assert data(bob, PROJECT_QUERY, name=PROJECT, entity="nobody")["project"] is None
    assert data(bob, MODELS, entity=TEAM)["models"]["edges"] == []
    assert data(bob, MODELS, entity="nobody")["models"] is None
    assert data(vic, PROJECT_QUERY, name=PROJECT, entity=TEAM)["project"]["readOnly"] is True


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        ({"entityName": ORGANIZATION, "name": "p"}, Unprocessable, "is an organization"),
        ({"entityName": TEAM, "name": REGISTRY}, Unprocessable, "kept for registries"),
        ({"entityName": TEAM, "name": "p", "access": "RESTRICTED"}, Unprocessable, "no registry"),
        ({"entityName": "nobody", "name": "p"}, NotFound, "entity nobody not found"),
        ({"entityName": "nobody", "name": REGISTRY}, NotFound, "does not exist"),
        ({"entityName": TEAM}, Unprocessable, "its id, or its name"),
        ({"entityName": TEAM, "name": "a/b"}, Unprocessable, "must not contain"),
    ],
)
def test_what_cannot_be_made_is_refused_in_words(
    world: World, given: Any, kind: type, words: str
) -> None:
    error = refusal(world.admin, UPSERT, input=given)
    assert isinstance(error, kind)
    assert words in error.message


def test_a_type_can_be_made_before_its_first_version(world: World) -> None:
    mutation = """mutation ($input: CreateArtifactTypeInput!) { createArtifactType(input: $input) {
      artifactType { id name description createdAt } } }"""
    given = {"entityName": TEAM, "projectName": "p", "name": "table", "description": "d"}
    made = data(world.admin, mutation, input=given)["createArtifactType"]["artifactType"]
    assert (made["name"], made["description"]) == ("table", "d")


def test_strangers_get_nothing_from_the_organization(world: World) -> None:  # R112
    stranger = world.add_person("stranger")
    assert data(stranger, LIST, org=ORGANIZATION)["organization"] is None
    found = ask(stranger, FETCH, name=REGISTRY, entity=ORGANIZATION)
    assert found.data == {"entity": None}


def test_the_owner_is_a_member(world: World) -> None:  # R27
    made = upsert(world, "Zoo")["project"]
    bob = world.add_person("bob", in_organization="member").who.user_id
    given = {"id": made["id"], "owner": to_id("User", bob), "description": "new"}
    assert "not a member" in refusal(world.admin, UPSERT, input=given).message
    assert fetch(world, "Zoo")["description"] is None
    member.add(world.admin, from_id(made["id"], "Project"), user_ids=[bob])
    data(world.admin, UPSERT, input=given)
    found = project.find(world.admin, ORGANIZATION, "wandb-registry-Zoo")
    assert found is not None
    assert (found.owner_id, found.description) == (bob, "new")
