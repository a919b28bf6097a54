"""Invitations and the names of keys over REST (R192, R193)."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from byname.operations import invitation
from tests.faces.rest.conftest import Office
from tests.support.world import ORGANIZATION

ANN = {"username": "ann", "email": "ann@example.org", "organization": ORGANIZATION}


class TestInvitations:
    """R192: an administrator invites people, who choose a password with a link, once."""

    def test_made_listed_renewed_and_withdrawn(self, office: Office) -> None:
        admin = office.by("admin")
        made = admin.done("POST", "/invitations", ANN)
        (listed,) = admin.done("GET", "/invitations")["invitations"]
        assert (listed["username"], listed["email"]) == ("ann", "ann@example.org")
        assert "path" not in listed
        again = admin.done("POST", "/invitations/ann")
        tokens = [parse_qs(urlsplit(each["path"]).query)["token"][0] for each in (made, again)]
        assert tokens[0] != tokens[1]
        assert invitation.look_at(office.world.nobody, tokens[1])[0].username == "ann"
        admin.done("DELETE", "/invitations/ann")
        assert admin.done("GET", "/invitations") == {"invitations": [], "next": None}
        status, message = admin.refused("POST", "/invitations/nobody")
        assert (status, "nobody" in message) == (404, True)

    def test_the_link_is_shown_once(self, office: Office) -> None:
        """R193: the same request under the same key invites nobody twice, and tells no link."""
        admin = office.by("admin")
        admin.headers["idempotency-key"] = "one"
        first, second = (admin.done("POST", "/invitations", ANN) for _ in range(2))
        assert first["path"]
        assert second == first | {"path": None}

    def test_page_by_page(self, office: Office) -> None:
        admin = office.by("admin")
        for number in range(5):
            person = {"username": f"p{number}", "email": f"p{number}@example.org"}
            admin.done("POST", "/invitations", person)
        seen: list[str] = []
        query: dict[str, str] = {}
        while True:
            page = admin.done("GET", "/invitations", first=2, **query)
            seen += [each["username"] for each in page["invitations"]]
            if page["next"] is None:
                break
            query = {"after": page["next"]}
        assert seen == [f"p{number}" for number in range(5)]
        assert admin.refused("GET", "/invitations", after="junk")[0] == 422

    def test_one_that_is_past_is_not_listed(self, office: Office) -> None:
        admin = office.by("admin")
        admin.done("POST", "/invitations", ANN)
        with office.world.nobody.database.write() as tx:
            tx.run("UPDATE invitation SET expires_at = 1")
        assert not admin.done("GET", "/invitations")["invitations"]

    def test_nobody_is_made_when_their_place_is_not_there(self, office: Office) -> None:
        admin = office.by("admin")
        assert admin.refused("POST", "/invitations", ANN | {"organization": "none"})[0] == 404
        assert not admin.done("GET", "/invitations")["invitations"]
        assert admin.refused("POST", "/invitations/ann")[0] == 404


class TestTheNamesOfKeys:
    """R193: a key can be named and renamed by whoever manages it, and by nobody else."""

    def test_renamed(self, office: Office) -> None:
        admin = office.by("admin")
        made = admin.done("POST", "/keys", {"name": "old"})
        renamed = admin.done("PATCH", f"/keys/{made['id']}", {"name": "new"})
        assert (renamed["id"], renamed["name"]) == (made["id"], "new")
        names = {each["id"]: each["name"] for each in admin.done("GET", "/keys")["keys"]}
        assert names[made["id"]] == "new"

    def test_not_by_others(self, office: Office) -> None:
        office.world.add_person("bob", in_organization="admin")
        made = office.by("admin").done("POST", "/keys", {"name": "old"})
        bob = office.by("bob")
        assert bob.refused("PATCH", f"/keys/{made['id']}", {"name": "new"})[0] == 404
        assert bob.refused("PATCH", f"/keys/{2**70}", {"name": "new"})[0] == 404
        assert bob.refused("PATCH", "/keys/1", {"name": "x" * 129})[0] == 422
