"""Bringing versions: what is verified, merged, carried over and refused."""

from __future__ import annotations

import json

import pytest

from byname.domain.errors import Conflict, Forbidden, NotFound, Unprocessable
from byname.domain.manifest import Entry, ManifestKind, digest_of
from byname.domain.version import Version, VersionState
from byname.operations import content, manifest
from byname.operations import version as versions
from tests.support.world import (
    PROJECT,
    TEAM,
    World,
    begin_version,
    bring_manifest,
    holders,
    link_version,
    log_version,
    md5_of,
)

A, B, C = b"alpha", b"beta", b"gamma"


def entry(path: str, body: bytes, birth: str | None = None) -> Entry:
    return Entry(path, md5_of(body), len(body), birth_id=birth)


def begin(world: World, entries: list[Entry], **more: object) -> Version:
    version, _ = versions.create(
        world.admin,
        versions.NewVersion(
            entity=TEAM,
            project=PROJECT,
            collection="model",
            type_name="model",
            digest=digest_of(entries),
            aliases=["latest"],
            **more,  # type: ignore[arg-type]  # Passed through as they are.
        ),
    )
    return version


def bring(world: World, version: Version, body: bytes) -> None:
    offers = manifest.offer_files(world.admin, [manifest.NewFile(version.id, "f", md5_of(body))])
    if offers[0].present:
        return
    landing = content.land_file(world.admin, version.id, md5_of(body))
    with world.admin.blobs.begin(landing.namespace) as writer:
        writer.write(body)
        content.save_file(world.admin, version.id, writer.finish())


def files_of(world: World, version: Version) -> dict[str, int]:
    page = content.list_files(world.admin, version, through=None, limit=100)
    return {each.path: each.size_bytes for each in page.entries}


class TestACommitIsVerified:
    """D4, D6, I4: the bytes decide, not what the client believes."""

    def test_a_file_that_was_not_brought(self, world: World) -> None:
        entries = [entry("a", A), entry("b", B)]
        version = begin(world, entries)
        bring(world, version, A)
        bring_manifest(world.admin, version.id, entries)
        with pytest.raises(Unprocessable, match="'b'"):
            manifest.commit(world.admin, version.id)
        still = versions.get(world.admin, version.id)
        assert still is not None
        assert still.state is VersionState.PENDING

    def test_a_digest_that_is_not_the_manifests(self, world: World) -> None:
        version = begin(world, [entry("a", A)])
        bring(world, version, B)
        bring_manifest(world.admin, version.id, [entry("a", B)])
        with pytest.raises(Unprocessable, match="digest"):
            manifest.commit(world.admin, version.id)

    def test_no_manifest(self, world: World) -> None:
        version = begin(world, [entry("a", A)])
        with pytest.raises(Conflict, match="manifest"):
            manifest.commit(world.admin, version.id)

    def test_sizes_are_those_of_the_bytes(self, world: World) -> None:
        lying = [Entry("a", md5_of(A), 10**12)]
        version = begin(world, lying)
        bring(world, version, A)
        bring_manifest(world.admin, version.id, lying)
        assert manifest.commit(world.admin, version.id).size_bytes == len(A)

    def test_a_committed_version_takes_nothing_more(self, world: World) -> None:
        version = log_version(world.admin)
        for attempt in (
            lambda: manifest.offer_files(
                world.admin, [manifest.NewFile(version.id, "x", md5_of(A))]
            ),
            lambda: content.land_file(world.admin, version.id, md5_of(A)),
            lambda: bring_manifest(world.admin, version.id, []),
        ):
            with pytest.raises(Conflict, match="committed"):
                attempt()

    @pytest.mark.parametrize(
        "path",
        [
            *("/etc/passwd", "../x", "a/../../b", "a\\..\\b", "", "a\x00b"),
            *("\\x", "\\\\host\\share\\x", "C:\\x", "c:/x"),
        ],
    )
    def test_paths_that_lead_outside(self, world: World, path: str) -> None:
        """R156, A12."""
        version = begin(world, [entry("a", A)])
        bring(world, version, A)
        with pytest.raises(Unprocessable, match="path"):
            bring_manifest(world.admin, version.id, [Entry(path, md5_of(A), 1)])
            manifest.commit(world.admin, version.id)


class TestMerging:
    """Protocol 10.1: incremental and distributed manifests are merged by the server."""

    def test_an_incremental_manifest_adds_to_its_base(self, world: World) -> None:
        base = log_version(world.admin, files={"a": A, "b": B})
        version = begin(world, [entry("b", C), entry("c", C)])
        bring(world, version, C)
        bring_manifest(
            world.admin,
            version.id,
            [entry("b", C), entry("c", C)],
            ManifestKind.INCREMENTAL,
            base.id,
        )
        done = manifest.commit(world.admin, version.id)
        assert files_of(world, done) == {"a": 5, "b": 5, "c": 5}
        assert done.digest == digest_of([entry("a", A), entry("b", C), entry("c", C)])
        assert (done.number, done.file_count, done.size_bytes) == (1, 3, 15)

    def test_writers_of_one_distributed_id_make_one_version(self, world: World) -> None:
        one = begin(world, [entry("a", A)], distributed_id="group", client_id="one")
        two = begin(world, [entry("b", B)], distributed_id="group", client_id="two")
        assert one.id == two.id
        bring(world, one, A)
        bring_manifest(world.admin, one.id, [entry("a", A)], ManifestKind.PATCH)
        bring(world, two, B)
        bring_manifest(world.admin, two.id, [entry("b", B)], ManifestKind.PATCH)
        done = manifest.commit(world.admin, one.id)
        assert files_of(world, done) == {"a": 5, "b": 4}
        assert done.digest == digest_of([entry("a", A), entry("b", B)])
        assert versions.find_by_client_id(world.admin, "two") == done.id

    def test_a_merge_that_equals_an_older_version_is_that_version(self, world: World) -> None:
        whole = log_version(world.admin, files={"a": A, "b": B})
        version = begin(world, [entry("b", B)])
        bring(world, version, B)
        bring_manifest(world.admin, version.id, [entry("b", B)], ManifestKind.INCREMENTAL, whole.id)
        assert manifest.commit(world.admin, version.id).id == whole.id


class TestFilesCarriedOver:
    """Protocol 10.1: a draft keeps files of the version it came from, which are not brought again."""

    def test_within_a_team(self, world: World) -> None:
        from byname.domain.ids import to_id

        base = log_version(world.admin, files={"a": A})
        entries = [entry("a", A, to_id("Artifact", base.id)), entry("b", B)]
        version = begin(world, entries)
        bring(world, version, B)
        bring_manifest(world.admin, version.id, entries)
        assert files_of(world, manifest.commit(world.admin, version.id)) == {"a": 5, "b": 4}

    def test_from_a_team_whose_version_the_actor_may_not_read(self, world: World) -> None:
        """A5: one team's bytes never feed another's."""
        from byname.domain.ids import to_id

        secret = log_version(world.admin, files={"a": A})
        spy = world.add_person("spy")
        entries = [entry("a", A, to_id("Artifact", secret.id))]
        version, _ = versions.create(
            spy,
            versions.NewVersion(
                entity="spy",
                project="p",
                collection="m",
                type_name="model",
                digest=digest_of(entries),
            ),
        )
        offers = manifest.offer_files(spy, [manifest.NewFile(version.id, "a", md5_of(A))])
        assert not offers[0].present
        bring_manifest(spy, version.id, entries)
        with pytest.raises(Unprocessable, match="not brought"):
            manifest.commit(spy, version.id)

    def test_from_another_team_whose_version_the_actor_may_read(self, world: World) -> None:
        from byname.domain.ids import to_id
        from byname.operations import team

        team.create_team(world.admin, organization="acme", name="audio", admins=["admin"])
        admin = world.reload("admin")
        base = log_version(admin, files={"a": A})
        entries = [entry("a", A, to_id("Artifact", base.id))]
        version, _ = versions.create(
            admin,
            versions.NewVersion(
                entity="audio",
                project="p",
                collection="m",
                type_name="model",
                digest=digest_of(entries),
            ),
        )
        bring_manifest(admin, version.id, entries)
        done = manifest.commit(admin, version.id)
        with content.open_blob(
            admin, done.project_id, _namespace(world, done), _sha(world, done)
        ) as r:
            assert r.pread(100, 0) == A


def _namespace(world: World, version: Version) -> int:
    page = content.list_files(world.admin, version, through=None)
    return page.namespace


def _sha(world: World, version: Version) -> str:
    sha256 = content.list_files(world.admin, version, through=None).entries[0].sha256
    assert sha256 is not None
    return sha256


class TestRetries:
    """D2: a repeated request gives the same version."""

    def test_create_again_with_the_same_client_id(self, world: World) -> None:
        one = begin(world, [entry("a", A)], client_id="word")
        two = begin(world, [entry("a", A)], client_id="word")
        assert one.id == two.id
        bring(world, one, A)
        bring_manifest(world.admin, one.id, [entry("a", A)])
        done = manifest.commit(world.admin, one.id)
        assert manifest.commit(world.admin, one.id).number == done.number == 0
        assert begin(world, [entry("a", A)], client_id="word").id == one.id


class TestEditing:
    """R56, R58, R95, R166, R167."""

    def test_metadata_is_kept_as_json_with_nan_as_null(self, world: World) -> None:
        version = log_version(world.admin)
        edited = versions.edit(
            world.admin, version.id, versions.VersionEdit(metadata='{"a": NaN, "b": [1.5]}')
        )
        assert json.loads(edited.metadata or "") == {"a": None, "b": [1.5]}

    @pytest.mark.parametrize(
        "bad",
        [
            "[1]",
            "{",
            '{"a": Infinity}',
            json.dumps({str(n): n for n in range(101)}),
            '{"a":' * 70 + "1" + "}" * 70,
            '{"a": "\\ud800"}',
        ],
    )
    def test_metadata_that_is_refused(self, world: World, bad: str) -> None:
        version = log_version(world.admin)
        with pytest.raises(Unprocessable, match="metadata"):
            versions.edit(world.admin, version.id, versions.VersionEdit(metadata=bad))

    def test_linking_ends_the_time_to_live_for_good(self, world: World) -> None:
        """Edge case 18."""
        version = log_version(world.admin)
        versions.edit(world.admin, version.id, versions.VersionEdit(ttl_seconds=86400))
        link_version(world.admin, version)
        linked = versions.get(world.admin, version.id)
        assert linked is not None
        assert linked.ttl_seconds is None
        with pytest.raises(Conflict, match="unlink"):
            versions.edit(world.admin, version.id, versions.VersionEdit(ttl_seconds=1))

    def test_a_registry_member_may_edit_description_but_not_metadata(self, world: World) -> None:
        version = log_version(world.admin)
        link_version(world.admin, version)
        with world.admin.database.write() as tx:
            tx.run("UPDATE project SET default_role = 'member' WHERE kind = 'registry'")
        bob = world.add_person("bob", in_organization="member")
        edit = versions.VersionEdit(description="better", add_tags=["good one"])
        assert versions.edit(bob, version.id, edit).description == "better"
        with pytest.raises(Forbidden, match="member"):
            versions.edit(
                bob, version.id, versions.VersionEdit(description="worse", metadata='{"a":1}')
            )
        now = versions.get(bob, version.id)
        assert now is not None
        assert now.description == "better"


class TestDeleting:
    """R161, R162, R163, R65."""

    def test_a_version_with_aliases(self, world: World) -> None:
        log_version(world.admin, files={"f": A})
        version = log_version(world.admin, files={"f": B}, aliases=["latest", "best"])
        with pytest.raises(Conflict, match="best, latest"):
            versions.delete(world.admin, version.id)
        versions.delete(world.admin, version.id, delete_aliases=True)
        assert versions.get(world.admin, version.id) is None
        assert holders(world.admin, version.collection_id) == {"latest": 0}

    def test_a_linked_version(self, world: World) -> None:
        version = log_version(world.admin)
        link_version(world.admin, version)
        with pytest.raises(Conflict, match="acme/wandb-registry-Model/Zoo:v0"):
            versions.delete(world.admin, version.id, delete_aliases=True)

    def test_someone_elses(self, world: World) -> None:
        version = log_version(world.admin)
        spy = world.add_person("spy")
        with pytest.raises(NotFound):
            versions.delete(spy, version.id, delete_aliases=True)

    def test_pending_versions_are_hidden_from_readers(self, world: World) -> None:
        pending = begin_version(world.admin)
        reader = world.add_person("ro", in_organization="member", in_team="viewer")
        assert versions.get(reader, pending.id) is None
        assert versions.get(world.admin, pending.id) is not None


class TestAManifestIsBounded:
    """L3, L8: a manifest is read whole at the commit, so it may have at most 100 MiB."""

    def test_where_it_lands_says_so(self, world: World) -> None:
        version = begin(world, [entry("a", A)])
        added = manifest.add(
            world.admin,
            version.id,
            kind=ManifestKind.FULL,
            name="m.json",
            digest=md5_of(A),
            base_version_id=None,
        )
        assert content.land_manifest(world.admin, added.id).size_max == 100 * 1024 * 1024
