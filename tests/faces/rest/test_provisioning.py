"""SCIM: a provider of identities keeps the people and teams of an organization in step (R194)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import Mutability, ResourceType, Schema, ScimProvider, ServiceProviderConfig
from scim2_tester import Status, check_server
from starlette.testclient import TestClient

from byname.domain.policy import GroupRole, Role
from byname.domain.provisioning import Group
from byname.http.addresses import Addresses
from byname.http.links import Signer
from byname.operations import key, organization, service_account, team
from byname.rest import provisioning_resource
from byname.rest.provisioning import make_scim
from byname.store import key as key_rows
from byname.store import member as member_rows
from byname.store import project
from byname.store import user as user_rows
from tests.support.world import ORGANIZATION, REGISTRY, TEAM, World, log_version

HERE = "http://testserver"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@dataclass(slots=True)
class Provider:
    """A provider of identities that holds a key."""

    client: TestClient
    headers: dict[str, str]
    below: str = "/scim"

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, Any]:
        """Status and JSON of an answer; None where there is no body."""
        answer = self.client.request(
            method, self.below + path, json=body, params=query, headers=self.headers
        )
        if answer.content:
            assert answer.headers["content-type"] == "application/scim+json"
        return answer.status_code, answer.json() if answer.content else None

    def done(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The JSON of an answer which is no refusal."""
        status, answer = self.ask(method, path, body, **query)
        assert status < 300, answer
        return answer

    def refused(
        self, method: str, path: str, body: Any = None, **query: Any
    ) -> tuple[int, str | None, str]:
        """Status, keyword and message of a refusal, in the shape of RFC 7644, 3.12."""
        status, answer = self.ask(method, path, body, **query)
        assert answer["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
        assert answer["status"] == str(status)
        assert status >= 400
        return status, answer.get("scimType"), answer["detail"]

    def patch(self, path: str, *operations: dict[str, Any]) -> Any:
        """The resource after these operations."""
        return self.done("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)})

    def id_of(self, username: str) -> str:
        """The id of the person of that name."""
        (found,) = self.done("GET", "/Users", filter=f'userName eq "{username}"')["Resources"]
        return str(found["id"])


@dataclass(slots=True)
class Directory:
    """The interface, and the world behind it."""

    world: World
    client: TestClient

    def by(self, name: str) -> Provider:
        """With a key of that person or service account."""
        secret = key.create_key(self.world.reload(name)).secret
        return Provider(self.client, {"authorization": f"Bearer {secret}"})

    def robot(self) -> Provider:
        """With the key of a service account of the organization."""
        made = service_account.create(self.world.admin, organization=ORGANIZATION, name="directory")
        login = b64encode(f":{made.api_key}".encode()).decode()
        return Provider(self.client, {"authorization": f"Basic {login}"})

    def roles(self, username: str) -> tuple[Role | None, list[Role]]:
        """The role that was given to the person in the registry, beside those of teams."""
        with self.world.nobody.database.read() as tx:
            found = project.find_by_name(tx, ORGANIZATION, REGISTRY)
            assert found is not None
            actor = self.world.reload(username).who
            return member_rows.roles_of(tx, found.id, actor.user_id, list(actor.teams))

    def is_nobody(self, username: str) -> bool:
        """Whether nobody is let in under that name."""
        with self.world.nobody.database.read() as tx:
            found = user_rows.find_by_name(tx, username)
            assert found is not None
            return key_rows.find_actor_of_user(tx, found.id) is None

    def dump(self) -> list[str]:
        """Every row of the tables that a provider writes to."""
        tables = (
            "users entity organization_member team_member registry_user deactivation"
            " deactivated_team deactivated_registry external_id history"
        )
        with self.world.nobody.database.read() as tx:
            return [
                f"{table} {tuple(row)}"
                for table in tables.split()
                for row in tx.all(f"SELECT * FROM {table}")
            ]


@pytest.fixture
def directory(world: World) -> Iterator[Directory]:
    app = make_scim(world.nobody, addresses=Addresses(HERE, Signer(b"x" * 32)))
    with TestClient(app, base_url=HERE) as client:
        yield Directory(world, client)


def person(name: str, **more: Any) -> dict[str, Any]:
    """A new person as a provider sends them."""
    emails = [{"value": f"{name}@example.org", "type": "work", "primary": True}]
    return {"schemas": [USER], "userName": name, "emails": emails, **more}


class TestPeople:
    """R194: users are the people of the organization."""

    def test_created_shown_and_listed(self, directory: Directory) -> None:
        robot = directory.robot()
        made = robot.done("POST", "/Users", person("ann", displayName="Ann A", externalId="e-1"))
        assert made["userName"] == "ann"
        assert made["displayName"] == "Ann A"
        assert made["externalId"] == "e-1"
        assert (made["active"], made["organizationRole"]) == (True, "member")
        assert made["meta"]["location"] == f"{HERE}/scim/Users/{made['id']}"
        assert robot.done("GET", f"/Users/{made['id']}") == made
        assert directory.world.reload("ann").who.organizations
        for wish in (
            'userName eq "ANN"',
            'emails.value eq "ann@example.org"',
            'emails[type eq "work" and value eq "ann@example.org"]',
            'externalId eq "e-1"',
            'displayName sw "ann" and active eq true and not (userName co "zz")',
            f'id eq "{made["id"]}" or id eq "none"',
        ):
            page = robot.done("GET", "/Users", filter=wish)
            assert (page["totalResults"], page["Resources"]) == (1, [made]), wish
        for wish in ('externalId eq "E-1"', "active eq false", 'userName ne "ann" and id eq "x"'):
            assert robot.done("GET", "/Users", filter=wish)["totalResults"] == 0, wish

    def test_page_by_page(self, directory: Directory) -> None:
        robot = directory.robot()
        for number in range(5):
            robot.done("POST", "/Users", person(f"p{number}"))
        seen = []
        for start in (1, 3, 5):
            page = robot.done("GET", "/Users", filter='userName sw "p"', startIndex=start, count=2)
            assert (page["totalResults"], page["startIndex"]) == (5, start)
            seen += [each["userName"] for each in page["Resources"]]
        assert seen == [f"p{number}" for number in range(5)]
        page = robot.done("GET", "/Users", count=0)
        assert (page["totalResults"], page["itemsPerPage"]) == (6, 0)
        assert robot.done("GET", "/Users", count=-1)["itemsPerPage"] == 0
        assert robot.done("GET", "/Users", startIndex=10**30)["Resources"] == []

    def test_service_accounts_are_not_among_them(self, directory: Directory) -> None:
        robot = directory.robot()
        names = [each["userName"] for each in robot.done("GET", "/Users")["Resources"]]
        assert names == ["admin"]

    def test_only_what_is_asked_for(self, directory: Directory) -> None:
        robot = directory.robot()
        (found,) = robot.done("GET", "/Users", attributes="userName")["Resources"]
        assert set(found) == {"schemas", "id", "userName"}
        (found,) = robot.done("GET", "/Users", excludedAttributes="emails,groups")["Resources"]
        assert not {"emails", "groups"} & set(found)

    def test_asked_for_in_a_body(self, directory: Directory) -> None:
        robot = directory.robot()
        wish = {"filter": 'userName eq "admin"', "count": 1, "attributes": ["active"]}
        page = robot.done("POST", "/Users/.search", wish)
        assert [set(each) for each in page["Resources"]] == [{"schemas", "id", "active"}]

    def test_deactivated_and_active_again(self, directory: Directory) -> None:
        robot = directory.robot()
        directory.world.add_person("ann", in_organization="member", in_team="member")
        secret = directory.by("ann")
        number = robot.id_of("ann")
        # As Microsoft Entra spells it, and as Okta does.
        off = robot.patch(f"/Users/{number}", {"op": "Replace", "path": "active", "value": "False"})
        assert off["active"] is False
        assert off["teamRoles"] == [{"teamName": TEAM, "roleName": "member"}]
        assert secret.ask("GET", "/Users")[0] == 401
        assert robot.done("GET", "/Users", filter="active eq false")["totalResults"] == 1
        on = robot.patch(f"/Users/{number}", {"op": "replace", "value": {"active": True}})
        assert on["active"] is True
        assert directory.world.reload("ann").who.teams
        assert secret.ask("GET", "/Users")[0] == 403

    def test_roles_change_while_they_are_away(self, directory: Directory) -> None:
        robot = directory.robot()
        directory.world.add_person("ann", in_organization="member", in_team="member")
        number = robot.id_of("ann")
        robot.patch(f"/Users/{number}", {"op": "replace", "path": "active", "value": False})
        changed = robot.patch(
            f"/Users/{number}",
            {"op": "replace", "path": "organizationRole", "value": "viewer"},
            {"op": "remove", "path": f'teamRoles[teamName eq "{TEAM}"]'},
        )
        assert (changed["active"], changed["organizationRole"]) == (False, "viewer")
        assert directory.is_nobody("ann")
        robot.patch(f"/Users/{number}", {"op": "replace", "path": "active", "value": True})
        who = directory.world.reload("ann").who
        assert (list(who.organizations.values()), dict(who.teams)) == ([GroupRole.VIEWER], {})

    def test_replaced_whole(self, directory: Directory) -> None:
        robot = directory.robot()
        made = robot.done("POST", "/Users", person("ann", displayName="Ann"))
        # The address in other case and without its type is the same address.
        body = person("ANN", displayName="Ann Other", active=False)
        body["emails"] = [{"value": "Ann@Example.org"}]
        after = robot.done("PUT", f"/Users/{made['id']}", body)
        assert after == made | {"displayName": "Ann Other", "active": False}

    def test_removed(self, directory: Directory) -> None:
        """R109: out of everything of the organization; the account belongs to the server."""
        robot = directory.robot()
        directory.world.add_person("ann", in_organization="member", in_team="member")
        number = robot.id_of("ann")
        assert robot.ask("DELETE", f"/Users/{number}") == (204, None)
        assert robot.refused("GET", f"/Users/{number}")[0] == 404
        assert robot.refused("DELETE", f"/Users/{number}")[0] == 404
        assert not directory.world.reload("ann").who.teams

    def test_somebody_of_the_server_joins(self, directory: Directory) -> None:
        robot = directory.robot()
        before = directory.world.add_person("ann")
        made = robot.done("POST", "/Users", person("ann"))
        assert made["id"] == str(before.who.user_id)
        assert robot.refused("POST", "/Users", person("ann"))[:2] == (409, "uniqueness")

    def test_a_name_or_address_of_another_is_taken(self, directory: Directory) -> None:
        robot = directory.robot()
        directory.world.add_person("ann")
        before = directory.dump()
        other = person("ann") | {"emails": [{"value": "other@example.org"}]}
        assert robot.refused("POST", "/Users", other)[:2] == (409, "uniqueness")
        other = person("ann2") | {"emails": [{"value": "ann@example.org"}]}
        assert robot.refused("POST", "/Users", other)[:2] == (409, "uniqueness")
        other = person("directory")
        assert robot.refused("POST", "/Users", other)[:2] == (409, "uniqueness")
        assert directory.dump() == before

    def test_who_they_are_to_the_server_does_not_change(self, directory: Directory) -> None:
        """Whoever could change an address could log in as its new owner's provider says."""
        robot = directory.robot()
        directory.world.add_person("ann", in_organization="member")
        number = robot.id_of("ann")
        before = directory.dump()
        for operation in (
            {"op": "replace", "path": "userName", "value": "other"},
            {"op": "replace", "path": 'emails[type eq "work"].value', "value": "x@example.org"},
            {"op": "replace", "path": "emails", "value": [{"value": "x@example.org"}]},
        ):
            body = {"schemas": [PATCH], "Operations": [operation]}
            assert robot.refused("PATCH", f"/Users/{number}", body)[:2] == (400, "mutability")
        body = person("ann") | {"emails": [{"value": "x@example.org"}]}
        assert robot.refused("PUT", f"/Users/{number}", body)[:2] == (400, "mutability")
        assert robot.refused("PUT", f"/Users/{number}", person("other"))[:2] == (400, "mutability")
        assert directory.dump() == before

    def test_one_organization_does_not_name_the_people_of_another(
        self, directory: Directory
    ) -> None:
        robot = directory.robot()
        directory.world.add_person("ann", in_organization="member")
        organization.create_organization(directory.world.admin, name="else", owner="ann")
        where = f"/Users/{robot.id_of('ann')}"
        after = robot.done("PUT", where, person("ann", displayName="X", organizationRole="viewer"))
        assert (after["displayName"], after["organizationRole"]) == ("ann", "viewer")

    def test_who_is_let_go_goes_whatever_they_are_called_now(self, directory: Directory) -> None:
        robot = directory.robot()
        directory.world.add_person("ann", in_organization="member")
        where = f"/Users/{robot.id_of('ann')}"
        body = person("ann.married", active=False)
        after = robot.done("PUT", where, body)
        assert (after["userName"], after["active"]) == ("ann", False)
        assert after["emails"][0]["value"] == "ann@example.org"

    @pytest.mark.parametrize(
        "operations",
        [
            [
                {"op": "replace", "path": "emails", "value": [{"value": "new@example.org"}]},
                {"op": "replace", "path": "active", "value": False},
                {"op": "replace", "path": "userName", "value": "ann.married"},
            ],
            [
                {
                    "op": "replace",
                    "value": {"userName": "ann.married", "active": "False", "displayName": "Gone"},
                }
            ],
            [
                {"op": "replace", "path": 'emails[type eq "work"].value', "value": "n@example.org"},
                {"op": "Replace", "path": "active", "value": "False"},
            ],
        ],
    )
    def test_who_is_let_go_by_a_patch_goes_too(
        self, directory: Directory, operations: list[dict[str, Any]]
    ) -> None:
        robot = directory.robot()
        directory.world.add_person("ann", in_organization="member")
        after = robot.patch(f"/Users/{robot.id_of('ann')}", *operations)
        assert (after["userName"], after["active"]) == ("ann", False)
        assert after["emails"][0]["value"] == "ann@example.org"

    def test_a_patch_that_lets_nobody_go_is_refused_whole(self, directory: Directory) -> None:
        robot = directory.robot()
        directory.world.add_person("ann", in_organization="member")
        before = directory.dump()
        for active in (True, None):
            value = {"userName": "ann.married", "displayName": "New"}
            body = {
                "schemas": [PATCH],
                "Operations": [
                    {"op": "replace", "value": value | ({} if active is None else {"active": True})}
                ],
            }
            status, word, _ = robot.refused("PATCH", f"/Users/{robot.id_of('ann')}", body)
            assert (status, word) == (400, "mutability")
        assert directory.dump() == before

    def test_who_was_let_go_before_is_not_let_go_by_any_patch(self, directory: Directory) -> None:
        robot = directory.robot()
        directory.world.add_person("ann", in_organization="member")
        where = f"/Users/{robot.id_of('ann')}"
        leave = {"op": "replace", "path": "active", "value": False}
        robot.patch(where, leave)
        before = directory.dump()
        renamed = {"op": "replace", "value": {"userName": "ann.married", "displayName": "New"}}
        body = {"schemas": [PATCH], "Operations": [renamed]}
        assert robot.refused("PATCH", where, body)[:2] == (400, "mutability")
        assert directory.dump() == before
        after = robot.patch(where, renamed, leave)
        assert (after["userName"], after["active"]) == ("ann", False)

    def test_the_last_admin_remains(self, directory: Directory) -> None:
        """R195."""
        robot = directory.robot()
        number = robot.id_of("admin")
        before = directory.dump()
        for operation in (
            {"op": "replace", "path": "active", "value": False},
            {"op": "replace", "path": "organizationRole", "value": "member"},
        ):
            body = {"schemas": [PATCH], "Operations": [operation]}
            status, _, message = robot.refused("PATCH", f"/Users/{number}", body)
            assert (status, "last admin" in message) == (409, True)
        assert robot.refused("DELETE", f"/Users/{number}")[0] == 409
        assert directory.dump() == before


class TestRoles:
    """R194, X17: roles in the organization, its teams and registries."""

    def test_in_registries(self, directory: Directory) -> None:
        robot = directory.robot()
        directory.world.add_person("ann", in_organization="viewer")
        where = f"/Users/{robot.id_of('ann')}"
        role = {"registryName": "Model", "roleName": "Restricted Viewer"}
        # The reference's table says add, its examples replace: both give the role.
        after = robot.patch(where, {"op": "add", "path": "registryRoles", "value": [role]})
        assert after["registryRoles"] == [
            {"registryName": "Model", "roleName": "restricted_viewer"}
        ]
        assert directory.roles("ann")[0] is Role.RESTRICTED_VIEWER
        role = {"registryName": "wandb-registry-Dataset", "roleName": "member"}
        after = robot.patch(where, {"op": "replace", "path": "registryRoles", "value": [role]})
        assert [each["registryName"] for each in after["registryRoles"]] == ["Dataset", "Model"]
        role = {"registryName": "model", "roleName": "admin"}
        after = robot.patch(where, {"op": "replace", "value": {"registryRoles": [role]}})
        assert directory.roles("ann")[0] is Role.ADMIN
        gone = {"op": "remove", "path": 'registryRoles[registryName eq "Model"]'}
        assert [each["registryName"] for each in robot.patch(where, gone)["registryRoles"]] == [
            "Dataset"
        ]
        assert directory.roles("ann")[0] is None
        after = robot.patch(where, {"op": "remove", "path": "registryRoles"})
        assert "registryRoles" not in after

    def test_in_teams_and_the_organization(self, directory: Directory) -> None:
        robot = directory.robot()
        directory.world.add_person("ann", in_organization="viewer")
        team.create_team(directory.world.admin, organization=ORGANIZATION, name="other")
        where = f"/Users/{robot.id_of('ann')}"
        roles = [
            {"teamName": TEAM, "roleName": "admin"},
            {"teamName": "other", "roleName": "viewer"},
        ]
        after = robot.patch(where, {"op": "replace", "path": "teamRoles", "value": roles})
        assert {each["display"] for each in after["groups"]} == {TEAM, "other"}
        change = [{"teamName": "other", "roleName": "member"}]
        after = robot.patch(
            where,
            {"op": "replace", "path": "teamRoles", "value": change},
            {"op": "replace", "path": "organizationRole", "value": "admin"},
        )
        assert after["organizationRole"] == "admin"
        assert after["teamRoles"] == [
            {"teamName": "other", "roleName": "member"},
            {"teamName": TEAM, "roleName": "admin"},
        ]

    @pytest.mark.parametrize(
        "operation",
        [
            {"path": "registryRoles", "value": [{"registryName": "None", "roleName": "viewer"}]},
            {"path": "registryRoles", "value": [{"registryName": "Model", "roleName": "king"}]},
            {"path": "registryRoles", "value": [{"registryName": "Model"}]},
            {"path": "teamRoles", "value": [{"teamName": "none", "roleName": "viewer"}]},
            {"path": "teamRoles", "value": [{"teamName": TEAM, "roleName": "restricted_viewer"}]},
            {"path": "organizationRole", "value": "king"},
            {"path": "active", "value": "perhaps"},
        ],
    )
    def test_all_or_nothing(self, directory: Directory, operation: dict[str, Any]) -> None:
        robot = directory.robot()
        directory.world.add_person("ann", in_organization="viewer")
        number = robot.id_of("ann")
        before = directory.dump()
        first = {"op": "replace", "path": "organizationRole", "value": "member"}
        body = {"schemas": [PATCH], "Operations": [first, {"op": "add", **operation}]}
        status, word, _ = robot.refused("PATCH", f"/Users/{number}", body)
        assert (status, word) == (400, "invalidValue")
        assert directory.dump() == before

    def test_of_teams_of_others_nothing_is_learnt(self, directory: Directory) -> None:
        """R112: a team of another organization is answered like one that is not there."""
        robot = directory.robot()
        world = directory.world
        world.add_person("eve")
        organization.create_organization(world.admin, name="else", owner="eve")
        team.create_team(world.reload("eve"), organization="else", name="hidden", admins=["eve"])
        number = robot.id_of("admin")
        messages = set()
        for name in ("hidden", "absent"):
            value = [{"teamName": name, "roleName": "viewer"}]
            operation = {"op": "add", "path": "teamRoles", "value": value}
            body = {"schemas": [PATCH], "Operations": [operation]}
            messages.add(robot.refused("PATCH", f"/Users/{number}", body)[2].replace(name, ""))
        assert len(messages) == 1
        with world.nobody.database.read() as tx:
            row = tx.one("SELECT id FROM users WHERE username = 'eve'")
        assert row is not None
        assert robot.refused("GET", f"/Users/{row['id']}")[0] == 404
        value = [{"value": str(row["id"])}]
        body = {"displayName": "new", "members": value}
        assert robot.refused("POST", "/Groups", body)[:2] == (400, "invalidValue")


class TestGroups:
    """R194: groups are teams."""

    def test_made_filled_and_emptied(self, directory: Directory) -> None:
        robot = directory.robot()
        for name in ("ann", "bob"):
            directory.world.add_person(name, in_organization="member")
        ann, bob = robot.id_of("ann"), robot.id_of("bob")
        made = robot.done(
            "POST",
            "/Groups",
            {"displayName": "crew", "externalId": "g", "members": [{"value": ann, "display": "?"}]},
        )
        where = f"/Groups/{made['id']}"
        assert made["meta"]["location"] == f"{HERE}/scim{where}"
        assert made["members"] == [
            {"value": ann, "$ref": f"{HERE}/scim/Users/{ann}", "display": "ann"}
        ]
        more = {"op": "add", "path": "members", "value": [{"value": bob}, {"value": ann}]}
        after = robot.patch(where, more)
        assert [each["display"] for each in after["members"]] == ["ann", "bob"]
        assert list(directory.world.reload("bob").who.teams.values()) == [GroupRole.MEMBER]
        team.put_member(directory.world.admin, "crew", "bob", GroupRole.ADMIN)
        less = {"op": "remove", "path": f'members[value eq "{ann}"]'}
        assert [each["display"] for each in robot.patch(where, less)["members"]] == ["bob"]
        assert list(directory.world.reload("bob").who.teams.values()) == [GroupRole.ADMIN]
        # As Microsoft Entra removes, and as Okta renames to the same name.
        gone = {"op": "Remove", "path": "members", "value": [{"value": bob}]}
        assert "members" not in robot.patch(where, gone)
        same = {"op": "replace", "value": {"id": made["id"], "displayName": "crew"}}
        assert robot.patch(where, same)["displayName"] == "crew"
        body = {"displayName": "crew", "members": [{"value": ann}]}
        assert len(robot.done("PUT", where, body)["members"]) == 1
        for wish in ('displayName eq "CREW"', f'members eq "{ann}"', 'externalId eq "g"'):
            page = robot.done("GET", "/Groups", filter=wish, excludedAttributes="members")
            assert [each["id"] for each in page["Resources"]] == [made["id"]], wish
            assert "members" not in page["Resources"][0]
        assert robot.done("POST", "/Groups/.search", {"count": 1})["totalResults"] == 2
        assert robot.ask("DELETE", where) == (204, None)
        assert robot.refused("GET", where)[0] == 404

    def test_a_list_is_replaced_and_removed_whole(self, directory: Directory) -> None:
        """Also those in it that the patch does not speak of."""
        robot = directory.robot()
        ids = {}
        for name in ("ann", "bob", "cleo"):
            directory.world.add_person(name, in_organization="member", in_team="member")
            ids[name] = robot.id_of(name)
        (found,) = robot.done("GET", "/Groups")["Resources"]
        where = f"/Groups/{found['id']}"

        def members(*operations: dict[str, Any]) -> set[str]:
            return {each["display"] for each in robot.patch(where, *operations).get("members", ())}

        one = [{"value": ids["bob"]}]
        filtered = {"op": "remove", "path": f'members[value sw "{ids["ann"]}"]'}
        assert members(filtered) == {"admin", "bob", "cleo"}
        assert members({"op": "add", "value": {"members": [{"value": ids["ann"]}]}}) == {
            "admin",
            "ann",
            "bob",
            "cleo",
        }
        assert members({"op": "replace", "path": "members", "value": one}) == {"bob"}
        two = [{"value": ids["ann"]}, {"value": ids["cleo"]}]
        assert members({"op": "replace", "value": {"members": two}}) == {"ann", "cleo"}
        assert members(
            {"op": "remove", "path": "members"}, {"op": "add", "path": "members", "value": one}
        ) == {"bob"}
        assert members({"op": "replace", "path": "members", "value": []}) == set()

    def test_of_many_members_only_those_spoken_of_cost(
        self, directory: Directory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        robot = directory.robot()
        for number in range(12):
            directory.world.add_person(f"p{number}", in_organization="member", in_team="member")
        (found,) = robot.done("GET", "/Groups")["Resources"]
        shown: list[int] = []
        real = provisioning_resource.to_team

        def watching(group: Group, place: str) -> provisioning_resource.Team:
            shown.append(len(group.members))
            return real(group, place)

        monkeypatch.setattr(provisioning_resource, "to_team", watching)
        gone = {"op": "remove", "path": f'members[value eq "{robot.id_of("p3")}"]'}
        assert len(robot.patch(f"/Groups/{found['id']}", gone)["members"]) == 12
        assert shown == [1]

    def test_who_changes_it_meanwhile_is_not_overruled(
        self, directory: Directory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        robot = directory.robot()
        for name in ("ann", "bob"):
            directory.world.add_person(name, in_organization="member")
        ann = robot.id_of("ann")
        (found,) = robot.done("GET", "/Groups")["Resources"]
        real = provisioning_resource.to_wanted_group
        times: list[int] = []

        def meanwhile(resource: Any, *, patched: bool) -> Any:
            if not times:
                team.put_member(directory.world.admin, TEAM, "bob", GroupRole.MEMBER)
            times.append(1)
            return real(resource, patched=patched)

        monkeypatch.setattr(provisioning_resource, "to_wanted_group", meanwhile)
        more = {"op": "add", "path": "members", "value": [{"value": ann}]}
        after = robot.patch(f"/Groups/{found['id']}", more)
        assert {each["display"] for each in after["members"]} == {"admin", "ann", "bob"}
        assert len(times) == 2

    def test_artifacts_are_not_deleted_by_a_provider(self, directory: Directory) -> None:
        robot = directory.robot()
        log_version(directory.world.admin, "model", {"f": b"1"})
        (found,) = robot.done("GET", "/Groups", filter=f'displayName eq "{TEAM}"')["Resources"]
        before = directory.dump()
        status, _, message = robot.refused("DELETE", f"/Groups/{found['id']}")
        assert (status, "has projects" in message) == (409, True)
        assert directory.dump() == before

    def test_what_is_refused(self, directory: Directory) -> None:
        robot = directory.robot()
        (found,) = robot.done("GET", "/Groups")["Resources"]
        where = f"/Groups/{found['id']}"
        before = directory.dump()
        assert robot.refused("POST", "/Groups", {"displayName": TEAM})[:2] == (409, "uniqueness")
        assert robot.refused("POST", "/Groups", {})[:2] == (400, "invalidValue")
        assert robot.refused("POST", "/Groups", {"displayName": "a/b"})[0] == 400
        body = {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "displayName"}]}
        body["Operations"][0]["value"] = "new"  # type: ignore[index]
        assert robot.refused("PATCH", where, body)[:2] == (400, "mutability")
        for value in ("999", "none", "", None, "9" * 40, "-1"):
            body = {"displayName": TEAM, "members": [{"value": value}]}
            assert robot.refused("PUT", where, body)[0] == 400
        assert directory.dump() == before


class TestWhoMayProvision:
    """R194: admins and service accounts of the organization, and nobody else."""

    def test_a_service_account_may_here_what_it_may_not_elsewhere(
        self, directory: Directory
    ) -> None:
        robot = directory.robot()
        robot.done("POST", "/Users", person("ann"))
        assert directory.world.reload("directory").who.organizations
        ctx = directory.world.reload("directory")
        with pytest.raises(Exception, match="needs the role admin"):
            organization.remove_member(ctx, ORGANIZATION, "ann")

    def test_a_service_account_of_a_team_may_not(self, directory: Directory) -> None:
        team.create_service_account(directory.world.admin, team=TEAM, name="robot")
        status, _, message = directory.by("robot").refused("GET", "/Users")
        assert (status, "role admin" in message) == (403, True)

    def test_members_may_not(self, directory: Directory) -> None:
        directory.world.add_person("ann", in_organization="member")
        ann = directory.by("ann")
        for below in ("/scim", f"/scim/organizations/{ORGANIZATION}"):
            ann.below = below
            for method, path in (("GET", "/Users"), ("GET", "/Groups"), ("DELETE", "/Users/1")):
                assert ann.refused(method, path)[0] == 403

    def test_nobody_is_told_anything(self, directory: Directory) -> None:
        nobody = Provider(directory.client, {})
        for path in ("/Users", "/Groups", "/Schemas", "/ServiceProviderConfig"):
            assert nobody.refused("GET", path)[0] == 401

    def test_who_administers_several_says_which(self, directory: Directory) -> None:
        directory.world.add_person("ann", in_organization="admin")
        organization.create_organization(directory.world.admin, name="else", owner="ann")
        ann = directory.by("ann")
        status, _, message = ann.refused("GET", "/Users")
        assert (status, "/scim/organizations/NAME" in message) == (400, True)
        ann.below = "/scim/organizations/else"
        (found,) = ann.done("GET", "/Users")["Resources"]
        assert found["meta"]["location"].startswith(f"{HERE}/scim/organizations/else/Users/")
        ann.below = "/scim/organizations/none"
        assert ann.refused("GET", "/Users")[0] == 404


class TestBadInput:
    """Whatever comes, it is a refusal in the standard's words, and changes nothing."""

    @pytest.mark.parametrize(
        "wish",
        [
            "userName",
            'userName xx "a"',
            'userName gt "a"',
            'nickName eq "a"',
            'id co "1"',
            "(" * 400,
            "not (" * 100 + "active pr" + ")" * 100,
            'userName eq "' + "a" * 600 + '"',
            'userName eq "\ud800"',
            'meta.created gt "2026-01-01T00:00:00Z"',
        ],
    )
    def test_filters(self, directory: Directory, wish: str) -> None:
        status, answer = directory.robot().ask(
            "GET", "/Users", filter=wish.encode("utf-8", "replace")
        )
        assert (status, answer.get("scimType")) in [(400, "invalidFilter"), (200, None)]
        assert status == 400 or answer["totalResults"] in (0, 1)

    @pytest.mark.parametrize(
        "body",
        [
            [],
            "x",
            {"Operations": []},
            {"Operations": [{"op": "replace", "path": "active", "value": True}] * 101},
            {"Operations": {}},
            {"Operations": ["x"]},
            {"Operations": [{"op": "jump", "path": "active", "value": True}]},
            {"Operations": [{"op": "replace", "path": "][", "value": True}]},
            {"Operations": [{"op": "replace", "path": ["active"], "value": True}]},
            {"Operations": [{"op": "remove"}]},
            {"Operations": [{"op": "replace", "path": "displayName", "value": "a\nb"}]},
            {"Operations": [{"op": "replace", "path": "displayName", "value": "a" * 200}]},
            {"Operations": [{"op": "replace", "path": "externalId", "value": "a" * 300}]},
            {"Operations": [{"op": "replace", "path": "active", "value": {"a": 1}}]},
        ],
    )
    def test_patches(self, directory: Directory, body: Any) -> None:
        robot = directory.robot()
        number = robot.id_of("admin")
        before = directory.dump()
        assert robot.refused("PATCH", f"/Users/{number}", body)[0] == 400
        assert directory.dump() == before

    @pytest.mark.parametrize(
        "body",
        [
            {"userName": "a/b", "emails": [{"value": "a@example.org"}]},
            {"userName": "ann@example.org", "emails": [{"value": "a@example.org"}]},
            {"userName": "ann", "emails": [{"value": "nothing"}]},
            {"userName": "ann", "emails": [{}]},
            {"userName": "ann"},
            {"userName": 7, "emails": "x"},
        ],
    )
    def test_people(self, directory: Directory, body: Any) -> None:
        robot = directory.robot()
        before = directory.dump()
        assert robot.refused("POST", "/Users", body)[0] == 400
        assert directory.dump() == before

    def test_addresses(self, directory: Directory) -> None:
        robot = directory.robot()
        for path in ("/Users/x", "/Users/-1", "/Users/" + "9" * 30, "/Users/%00", "/Nothing"):
            assert robot.refused("GET", path)[0] == 404
        assert robot.refused("POST", "/Schemas", {})[0] == 405
        for path in ("/Schemas/x", "/ResourceTypes/x"):
            assert robot.refused("GET", path)[0] == 404


EXPECTED = {
    # There is no search over both kinds at once.
    ("search_with_attributes", "User"),
    ("search_with_attributes", "Group"),
    # What is removed comes back as its default: the user name, active, member.
    ("check_remove_attribute", "User"),
    # The names of members are told with their ids.
    ("check_add_attribute", "Group"),
    ("check_replace_attribute", "Group"),
    # It sends another address, which does not change.
    ("object_replacement", "User"),
}


def test_a_checker_of_servers_finds_nothing_else(directory: Directory) -> None:
    """R194: the public test of the standard's community, for all but our own lists of roles."""
    robot = directory.robot()
    client = TestClient(directory.client.app, base_url=f"{HERE}/scim", headers=robot.headers)
    schemas = [Schema.model_validate(each) for each in robot.done("GET", "/Schemas")["Resources"]]
    for attribute in [each for schema in schemas for each in schema.attributes or ()]:
        # It would name teams and registries that are not there.
        if attribute.name in ("teamRoles", "registryRoles"):
            attribute.mutability = Mutability.read_only
    types = [
        ResourceType.model_validate(each)
        for each in robot.done("GET", "/ResourceTypes")["Resources"]
    ]
    config = ServiceProviderConfig.model_validate(robot.done("GET", "/ServiceProviderConfig"))
    found = check_server(
        SyncSCIMClient(client, provider=ScimProvider.from_discovery(schemas, types, config))
    )
    wrong = {
        (each.title, each.resource_type): each.reason
        for each in found
        if each.status not in (Status.SUCCESS, Status.SKIPPED)
    }
    assert {name: why for name, why in wrong.items() if name not in EXPECTED} == {}
    assert len([each for each in found if each.status is Status.SUCCESS]) > 25


class TestDeepBodies:
    """What is nested without end is refused, and is no fault of ours."""

    @pytest.mark.parametrize("depth", [200, 450, 900, 5_000])
    @pytest.mark.parametrize(("method", "path"), [("POST", "/Users"), ("POST", "/Groups")])
    def test_nested(self, directory: Directory, method: str, path: str, depth: int) -> None:
        robot = directory.robot()
        deep = "[" * depth + "]" * depth
        before = directory.dump()
        headers = {**robot.headers, "content-type": "application/scim+json"}

        def send(method: str, path: str, text: str) -> None:
            answer = directory.client.request(method, f"/scim{path}", content=text, headers=headers)
            assert (answer.status_code, answer.json()["status"]) == (400, "400")

        send(method, path, f'{{"displayName": "n", "x": {deep}}}')
        send(method, path, f'{{"members": {deep}}}')
        send(method, f"{path}/.search", f'{{"x": {deep}}}')
        (found,) = robot.done("GET", path)["Resources"]
        add = f'{{"op": "add", "path": "members", "value": {deep}}}'
        send("PATCH", f"{path}/{found['id']}", f'{{"Operations": [{add}]}}')
        send("PUT", f"{path}/{found['id']}", f'{{"displayName": "n", "x": {deep}}}')
        assert directory.dump() == before
