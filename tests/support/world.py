"""A small server without faces: a real database and disk, one organization, a team, some people."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from byname.blobs.local import LocalBlobStore
from byname.domain.collection import Collection, Membership
from byname.domain.manifest import Entry, ManifestKind, digest_of
from byname.domain.policy import GroupRole
from byname.domain.version import Version
from byname.http.authentication import actor_of_user
from byname.operations import collection, content, manifest, organization, setup, team, user
from byname.operations import version as versions
from byname.operations.context import Context
from byname.store.database import Database
from byname.store.migration import migrate
from byname.store.vault import Vault

ORGANIZATION = "acme"
TEAM = "vision"
PROJECT = "training"
REGISTRY = "wandb-registry-Model"


def md5_of(body: bytes) -> str:
    """A file's digest as manifests spell it."""
    return b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


@dataclass(slots=True)
class World:
    """The context of nobody, and those of people by name."""

    nobody: Context
    people: dict[str, Context]

    @property
    def admin(self) -> Context:
        """The server's administrator, who is admin of the organization and the team."""
        return self.people["admin"]

    def add_person(self, name: str, *, in_organization: str = "", in_team: str = "") -> Context:
        """A new user, in the organization and team in the roles given."""
        user.create_user(self.admin, username=name, email=f"{name}@example.org")
        if in_organization:
            organization.put_member(self.admin, ORGANIZATION, name, GroupRole(in_organization))
        if in_team:
            team.put_member(self.admin, TEAM, name, GroupRole(in_team))
        return self.reload(name)

    def reload(self, name: str) -> Context:
        """The person with the roles they have now."""
        with self.nobody.database.read() as tx:
            row = tx.one("SELECT id FROM users WHERE username = :name", {"name": name})
        assert row is not None
        actor = actor_of_user(self.nobody.database, row["id"])
        assert actor is not None
        self.people[name] = self.nobody.acting(actor, "sdk")
        return self.people[name]


def make_world(folder: Path) -> World:
    """A server set up in the folder."""
    database = Database(folder / "byname.db")
    migrate(database)
    nobody = Context(
        database=database,
        blobs=LocalBlobStore(folder),
        vault=Vault(["a key for tests only, never anywhere else"]),
    )
    setup.set_up(
        nobody,
        username="admin",
        email="admin@example.org",
        organization=ORGANIZATION,
        team=TEAM,
    )
    world = World(nobody, {})
    world.reload("admin")
    return world


def begin_version(
    ctx: Context,
    name: str = "model",
    files: dict[str, bytes] | None = None,
    *,
    aliases: Sequence[str] = ("latest",),
    type_name: str = "model",
    entity: str = TEAM,
    project: str = PROJECT,
    client_id: str | None = None,
    run: str | None = None,
) -> Version:
    """A version as the client begins it: pending with all its bytes brought, or committed already."""
    files = {"weights": name.encode()} if files is None else files
    entries = [Entry(path, md5_of(body), len(body)) for path, body in files.items()]
    version, _ = versions.create(
        ctx,
        versions.NewVersion(
            entity=entity,
            project=project,
            collection=name,
            type_name=type_name,
            digest=digest_of(entries),
            aliases=aliases,
            client_id=client_id,
            run=run,
        ),
    )
    if version.state != "pending":
        return version
    offers = manifest.offer_files(
        ctx,
        [manifest.NewFile(version.id, path, md5_of(body)) for path, body in files.items()],
    )
    for offer in offers:
        if not offer.present:
            landing = content.land_file(ctx, version.id, offer.md5)
            with ctx.blobs.begin(landing.namespace) as writer:
                writer.write(files[offer.name])
                content.save_file(ctx, version.id, writer.finish())
    bring_manifest(ctx, version.id, entries)
    return version


def bring_manifest(
    ctx: Context,
    version_id: int,
    entries: Sequence[Entry],
    kind: ManifestKind = ManifestKind.FULL,
    base: int | None = None,
) -> None:
    """The version has a manifest file with these entries."""
    text = orjson.dumps(
        {
            "version": 1,
            "storagePolicy": "wandb-storage-policy-v1",
            "storagePolicyConfig": {"storageLayout": "V2"},
            "contents": {
                entry.path: {"digest": entry.digest, "size": entry.size_bytes}
                | ({"ref": entry.ref} if entry.ref else {})
                | ({"birthArtifactID": entry.birth_id} if entry.birth_id else {})
                for entry in entries
            },
        }
    )
    added = manifest.add(
        ctx, version_id, kind=kind, name="m.json", digest=md5_of(text), base_version_id=base
    )
    landing = content.land_manifest(ctx, added.id)
    with ctx.blobs.begin(landing.namespace) as writer:
        writer.write(text)
        content.save_manifest(ctx, added.id, writer.finish())


def log_version(
    ctx: Context,
    name: str = "model",
    files: dict[str, bytes] | None = None,
    *,
    aliases: Sequence[str] = ("latest",),
    type_name: str = "model",
    entity: str = TEAM,
    project: str = PROJECT,
    run: str | None = None,
) -> Version:
    """A committed version, logged by the run of that name."""
    version = begin_version(
        ctx,
        name,
        files,
        aliases=aliases,
        type_name=type_name,
        entity=entity,
        project=project,
        run=run,
    )
    return manifest.commit(ctx, version.id)


def link_version(
    ctx: Context,
    version: Version,
    name: str = "Zoo",
    aliases: Sequence[str] = (),
    *,
    project: str = REGISTRY,
    entity: str = ORGANIZATION,
) -> tuple[Collection, Membership]:
    """The version's place in a collection of the registry."""
    return collection.link(
        ctx,
        collection.NewLink(
            entity=entity,
            project=project,
            collection=name,
            version_id=version.id,
            aliases=aliases,
        ),
    )


def holders(ctx: Context, collection_id: int) -> dict[str, int]:
    """Which version number each alias of the collection is on."""
    with ctx.database.read() as tx:
        rows = tx.all(
            "SELECT a.name, m.number FROM alias a JOIN membership m ON m.id = a.membership_id"
            " WHERE a.collection_id = :id",
            {"id": collection_id},
        )
    return {row["name"]: row["number"] for row in rows}
