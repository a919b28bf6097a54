"""Who the client learns of, and how it finds its organization (protocol 8.2, 12.1, 15)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from byname.domain.errors import Forbidden, NotFound, Unprocessable
from byname.domain.policy import GroupRole
from byname.graphql.ids import to_id
from byname.operations import organization, team
from tests.support.graphql import ask, data, refusal
from tests.support.world import ORGANIZATION, TEAM, World, log_version

VIEWER = """query { viewer { id name username email admin entity flags photoUrl deletedAt
  apiKeys { edges { node { id name description } } } teams { edges { node { name } } }
  organizations { name orgEntity { name } } projects { edges { node { name } } } } }"""
ORGANIZATION_OF = """query ($entity: String!) { entity(name: $entity) {
  organization { name orgEntity { name } }
  user { username organizations { name orgEntity { name } } } } }"""
ENTITY = """query ($name: String) { entity(name: $name) { id name available photoUrl readOnly
  readOnlyAdmin isTeam entityType privateOnly storageBytes codeSavingEnabled defaultAccess isPaid
  limits xxhashDigestsEnabled organization { coreWeaveOrganizationId }
  members { id role admin pending email username name photoUrl accountType apiKey } } }"""
SEARCH = """query ($query: String) { users(query: $query) { edges { node { id name username email
  admin flags entity deletedAt apiKeys { edges { node { name } } }
  teams { edges { node { name } } } } } } }"""


def test_the_viewer_is_the_owner_of_the_key(world: World) -> None:  # 12.1
    viewer = data(world.admin, VIEWER)["viewer"]
    assert viewer["id"] == to_id("User", world.admin.who.user_id)
    assert (viewer["username"], viewer["entity"], viewer["admin"]) == ("admin", "admin", True)
    assert json.loads(viewer["flags"]) == {}
    assert [edge["node"]["name"] for edge in viewer["teams"]["edges"]] == ["admin", TEAM]
    assert viewer["organizations"] == [{"name": ORGANIZATION, "orgEntity": {"name": ORGANIZATION}}]
    (key,) = viewer["apiKeys"]["edges"]
    assert len(key["node"]["name"]) < 20  # Its beginning, never the secret.
    assert data(world.nobody, VIEWER)["viewer"] is None


def test_a_team_knows_its_organization_and_a_person_theirs(world: World) -> None:  # 8.2, 19.19
    there = {"name": ORGANIZATION, "orgEntity": {"name": ORGANIZATION}}
    for name in (TEAM, TEAM.upper(), ORGANIZATION):
        found = data(world.admin, ORGANIZATION_OF, entity=name)["entity"]
        assert found == {"organization": there, "user": None}
    personal = data(world.admin, ORGANIZATION_OF, entity="admin")["entity"]
    assert personal == {
        "organization": None,
        "user": {"username": "admin", "organizations": [there]},
    }
    assert data(world.admin, ORGANIZATION_OF, entity="nobody")["entity"] is None


def test_an_organization_is_found_by_its_members_only(world: World) -> None:  # 8.2
    query = """query ($org: String!) { organization(name: $org) { id name
      orgEntity { __typename id name entityType organization { name } }
      coreWeaveOrganizationId advancedRegistryFeatures { advancedSearch }
      featureFlags(rampIDType: OrgName) { rampKey isEnabled } } }"""
    for name in (ORGANIZATION, ORGANIZATION.upper()):
        found = data(world.admin, query, org=name)["organization"]
        assert found["orgEntity"]["entityType"] == "organization"
        assert found["orgEntity"]["organization"] == {"name": ORGANIZATION}
        assert found["coreWeaveOrganizationId"] is None
        assert found["advancedRegistryFeatures"] == {"advancedSearch": True}
        assert found["featureFlags"] == []
    stranger = world.add_person("stranger")
    assert data(stranger, query, org=ORGANIZATION)["organization"] is None
    assert data(world.admin, query, org="unknown")["organization"] is None
    assert data(world.admin, query, org=TEAM)["organization"] is None


def test_a_team_entity_answers_every_field_the_client_wants(world: World) -> None:  # 12.1
    log_version(world.admin, files={"w": b"12345"})
    team.create_service_account(world.admin, team=TEAM, name="robot")
    found = data(world.admin, ENTITY, name=TEAM)["entity"]
    assert (found["entityType"], found["isTeam"], found["readOnly"]) == ("team", True, False)
    assert found["storageBytes"] > 5  # The file and its manifest.
    assert found["xxhashDigestsEnabled"] is False
    members = {member["username"]: member for member in found["members"]}
    assert members["admin"]["admin"] is True
    assert members["robot"]["accountType"] == "SERVICE"
    assert all(member["apiKey"] is None for member in members.values())
    assert data(world.admin, ENTITY, name=ORGANIZATION)["entity"]["readOnly"] is True
    assert data(world.admin, ENTITY, name="admin")["entity"]["entityType"] == "user"


def test_who_may_know_of_an_entity(world: World) -> None:
    world.add_person("bob", in_organization="member")
    world.add_person("cat", in_organization="viewer")
    world.add_person("stranger")

    def knows(person: str) -> list[str]:
        names = [ORGANIZATION, TEAM, "bob", "cat", "stranger", "admin"]
        return [n for n in names if data(world.people[person], ENTITY, name=n)["entity"]]

    assert knows("admin") == [ORGANIZATION, TEAM, "bob", "cat", "stranger", "admin"]
    assert knows("bob") == [ORGANIZATION, TEAM, "bob", "cat", "admin"]
    assert knows("stranger") == ["stranger"]
    assert data(world.people["bob"], ENTITY, name=TEAM)["entity"]["readOnly"] is True


def test_users_are_found_within_shared_organizations(world: World) -> None:  # 12.1
    bob = world.add_person("bob", in_organization="member")
    world.add_person("bobby", in_organization="member")
    stranger = world.add_person("bobcat")

    def names(person: Any, text: str) -> list[str]:
        edges = data(person, SEARCH, query=text)["users"]["edges"]
        return [edge["node"]["username"] for edge in edges]

    assert names(world.admin, "bob") == ["bob", "bobby", "bobcat"]
    assert names(world.admin, "BOBBY@example.org") == ["bobby"]
    assert names(bob, "bobby") == ["bobby"]
    assert names(bob, "bobcat") == []
    assert names(stranger, "bob") == ["bobcat"]
    (edge,) = data(bob, SEARCH, query="admin@example.org")["users"]["edges"]
    assert edge["node"]["apiKeys"] == {"edges": []}
    assert [each["node"]["name"] for each in edge["node"]["teams"]["edges"]] == ["admin", TEAM]


def test_of_others_one_sees_the_shared_organizations_only(world: World) -> None:
    bob = world.add_person("bob", in_organization="member")
    organization.create_organization(world.admin, name="other", owner="bob")
    cat = world.add_person("cat", in_organization="member")
    found = data(cat, ORGANIZATION_OF, entity="bob")["entity"]["user"]["organizations"]
    assert [each["name"] for each in found] == [ORGANIZATION]
    bob = world.reload("bob")
    mine = data(bob, VIEWER)["viewer"]["organizations"]
    assert [each["name"] for each in mine] == [ORGANIZATION, "other"]


def test_the_server_tells_what_it_offers_also_before_login(world: World) -> None:  # 12.1, 15, 19.6
    query = """query { serverInfo { cliVersionInfo latestLocalVersionInfo { outOfDate }
      features { name isEnabled } } }"""
    info = data(world.nobody, query)["serverInfo"]
    assert set(info["cliVersionInfo"]) == {"max_cli_version", "min_cli_version"}
    assert info["latestLocalVersionInfo"] is None
    features = {each["name"]: each["isEnabled"] for each in info["features"]}
    assert features["ARTIFACT_REGISTRY_SEARCH"] is True
    assert features["INCLUDE_ARTIFACT_TYPES_IN_REGISTRY_CREATION"] is True
    # Automations are offered, but for what this server cannot do.
    assert features["QUERY_AUTOMATIONS_ON_ENTITY"] is True
    assert features["AUTOMATION_SCOPE_ENTITY"] is True
    assert features["AUTOMATION_EVENT_ADD_ARTIFACT_TAG"] is True
    assert not features.get("AUTOMATION_ACTION_PUSH_NOTIFICATION")
    assert not features.get("AUTOMATION_ACTION_ARIA")


# ---- what admins do through the client ---------------------------------------------------------


def test_a_team_is_made_in_the_callers_only_organization(world: World) -> None:
    query = """mutation ($name: String!, $admin: String) { createTeam(input: {teamName: $name,
      teamAdminUserName: $admin}) { entity { id name available photoUrl limits } } }"""
    world.add_person("bob", in_organization="member")
    made = data(world.admin, query, name="night", admin="bob")["createTeam"]["entity"]
    assert made["name"] == "night"
    members = data(world.admin, ENTITY, name="night")["entity"]["members"]
    assert [(each["username"], each["admin"]) for each in members] == [("bob", True)]
    assert isinstance(refusal(world.people["bob"], query, name="day"), Forbidden)
    organization.create_organization(world.admin, name="other", owner="admin")
    error = refusal(world.reload("admin"), query, name="day")
    assert isinstance(error, Unprocessable)
    assert f"yours: {ORGANIZATION}, other" in error.message


def test_people_join_a_team_at_once_and_leave_it(world: World) -> None:
    invite = """mutation ($entity: String!, $email: String, $username: String, $admin: Boolean) {
      createInvite(input: {entityName: $entity, email: $email, username: $username, admin: $admin}) {
        invite { id name email createdAt toUser { name } } } }"""
    leave = """mutation ($id: String, $entity: String) { deleteInvite(input: {id: $id,
      entityName: $entity}) { success } }"""
    world.add_person("bob", in_organization="member")
    made = data(world.admin, invite, entity=TEAM, email="bob@example.org", admin=True)
    assert made["createInvite"]["invite"]["toUser"] == {"name": "bob"}
    assert list(world.reload("bob").who.teams.values()) == [GroupRole.ADMIN]
    for who in ({"email": "nobody@example.org"}, {"username": "nobody"}, {}):
        assert isinstance(refusal(world.admin, invite, entity=TEAM, **who), NotFound)
    member = made["createInvite"]["invite"]["id"]
    assert data(world.admin, leave, id=member, entity=TEAM)["deleteInvite"] == {"success": True}
    assert not world.reload("bob").who.teams
    assert isinstance(refusal(world.admin, leave, id=member, entity=TEAM), NotFound)


def test_keys_are_made_shown_once_and_deleted(world: World) -> None:
    make = """mutation ($description: String) { generateApiKey(input: {description: $description}) {
      apiKey { id name description } } }"""
    drop = """mutation ($id: String!) { deleteApiKey(input: {id: $id}) { success } }"""
    made = data(world.admin, make, description="for tests")["generateApiKey"]["apiKey"]
    assert made["name"].startswith("bn-")
    assert len(made["name"]) > 40
    assert made["description"] == "for tests"
    shown = data(world.admin, VIEWER)["viewer"]["apiKeys"]["edges"]
    assert made["name"] not in [edge["node"]["name"] for edge in shown]
    assert made["id"] in [edge["node"]["id"] for edge in shown]
    assert data(world.admin, drop, id=made["id"])["deleteApiKey"] == {"success": True}
    assert isinstance(refusal(world.admin, drop, id=made["id"]), NotFound)


def test_users_and_service_accounts_are_made_by_admins(world: World) -> None:
    make = """mutation ($email: String!, $admin: Boolean) { createUser(input: {email: $email,
      admin: $admin}) { user { id name username email admin apiKeys { edges { node { name } } } } } }"""
    made = data(world.admin, make, email="new.one@example.org")["createUser"]["user"]
    assert (made["username"], made["admin"]) == ("new-one", False)
    assert len(made["apiKeys"]["edges"][0]["node"]["name"]) > 40
    bob = world.add_person("bob", in_organization="member")
    assert isinstance(refusal(bob, make, email="x@example.org"), Forbidden)
    robot = """mutation ($entity: String!, $description: String!) { createServiceAccount(
      input: {entityName: $entity, description: $description}) { user { id username } } }"""
    made = data(world.admin, robot, entity=TEAM, description="Night build!")
    assert made["createServiceAccount"]["user"]["username"] == "Night-build"
    assert isinstance(refusal(bob, robot, entity=TEAM, description="x"), Forbidden)


@pytest.mark.parametrize("name", ["\ud800", "x" * 2_000, "a\0b", "'; --"])
def test_strange_names_find_nothing(world: World, name: str) -> None:
    assert ask(world.admin, ENTITY, name=name).data == {"entity": None}
