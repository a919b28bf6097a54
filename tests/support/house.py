"""A small real server state for tests: a database and blobs on disk, and people who act in it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

from byname.blobs.local import LocalBlobStore
from byname.domain.policy import Actor, GroupRole
from byname.http.authentication import authenticate
from byname.operations import organization, setup, team, user
from byname.operations.context import Context
from byname.store.database import Database
from byname.store.migration import migrate
from byname.store.vault import Vault

ORGANIZATION = "smle-reg"
TEAM = "smle-reg-team-2"


def bearer(api_key: str) -> str:
    """The header that a person with that key sends."""
    return f"Bearer {api_key}"


def basic(api_key: str, username: str = "api") -> str:
    """The header that the client sends."""
    return "Basic " + base64.b64encode(f"{username}:{api_key}".encode()).decode()


@dataclass
class House:
    """One server's state. `ann` is its administrator, and an admin of organization and team."""

    ctx: Context
    keys: dict[str, str]

    def actor(self, username: str) -> Actor:
        """The user as they stand now, from their key, as every request finds them."""
        found = authenticate(self.ctx.database, bearer(self.keys[username]))
        assert found is not None
        return found

    def by(self, username: str) -> Context:
        """The context of a request by that user."""
        return self.ctx.acting(self.actor(username), "rest")

    def make_user(self, username: str, **options: object) -> str:
        """A person in no organization; their name."""
        made = user.create_user(
            self.by("ann"),
            username=username,
            email=f"{username}@example.org",
            **options,  # type: ignore[arg-type]  # Passed through as they are.
        )
        self.keys[username] = made.api_key
        return username

    def make_member(self, username: str, role: GroupRole = GroupRole.MEMBER) -> str:
        """A person in the organization, in no team; their name."""
        self.make_user(username)
        organization.put_member(self.by("ann"), ORGANIZATION, username, role)
        return username

    def make_team_member(self, username: str, role: GroupRole = GroupRole.MEMBER) -> str:
        """A person in the organization and the team; their name."""
        self.make_user(username)
        team.put_member(self.by("ann"), TEAM, username, role)
        return username

    def make_service_account(self, name: str, of_team: str = TEAM) -> str:
        """A service account of the team; its name."""
        made = team.create_service_account(self.by("ann"), team=of_team, name=name)
        self.keys[name] = made.api_key
        return name

    def dump(self) -> list[str]:
        """The whole content of the database, to show that something changed nothing."""
        with self.ctx.database.read() as tx:
            tables = [
                row["name"]
                for row in tx.all("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
            ]
            return [
                f"{table} {tuple(row)!r}"
                for table in tables
                for row in tx.all(f"SELECT * FROM {table}")
            ]


def make_context(folder: Path) -> Context:
    """An empty server state on disk, of which nobody is the administrator yet."""
    database = Database(folder / "byname.db")
    migrate(database)
    vault = Vault(["a key for tests only, never anywhere else"])
    return Context(database=database, blobs=LocalBlobStore(folder), vault=vault)


def make_house(folder: Path) -> House:
    """A server state just after its set-up."""
    ctx = make_context(folder)
    made = setup.set_up(
        ctx, username="ann", email="ann@example.org", organization=ORGANIZATION, team=TEAM
    )
    return House(ctx, {"ann": made.api_key})
