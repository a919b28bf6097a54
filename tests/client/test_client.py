"""`byname.Client`: what it reads, brings and moves; and what it refuses to put on a disk."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import byname
from byname.client import (
    Client,
    Corrupt,
    DomainError,
    Forbidden,
    HolderChanged,
    Invalid,
    NotFound,
    Unauthenticated,
    Unavailable,
    download,
)
from byname.client import upload as uploads
from byname.client.download import RemoteFile, target_of
from byname.client.transport import Transport
from byname.operations import member, registry, star
from tests.support.relay import breaking
from tests.support.site import Site, serving
from tests.support.world import (
    ORGANIZATION,
    PROJECT,
    REGISTRY,
    TEAM,
    World,
    link_version,
    log_version,
    md5_of,
)

ZOO = f"{ORGANIZATION}/Model/Zoo"
FILES = {
    "weights": os.urandom(1_000_000),
    "same/weights": b"",
    "deep/er/empty": b"",
    "deep/ünïcode name": b"text",
}
FILES["same/weights"] = FILES["weights"]


@pytest.fixture
def site(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(world, tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture
def client(site: Site) -> Client:
    return Client(site.address, site.key)


def there(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


class TestResolve:
    """A name is one request away, in every way in which people write it (R5, R6)."""

    @pytest.mark.parametrize(
        "ref",
        [
            f"{ORGANIZATION}/{REGISTRY}/Zoo:production",
            f"{REGISTRY}/Zoo:production",
            "Model/Zoo:production",
            "registry://Model/Zoo:v0",
            f"{ORGANIZATION}/Model/Zoo",
            f"wandb-artifact://{ORGANIZATION}/{REGISTRY}/Zoo:latest",
        ],
    )
    def test_ways_to_write_it(self, world: World, client: Client, ref: str) -> None:
        link_version(world.admin, log_version(world.admin), aliases=["production"])
        found = client.resolve(ref)
        assert found.full_name == f"{ORGANIZATION}/{REGISTRY}/Zoo:v0"
        assert (found.version, found.file_count) == ("v0", 1)

    def test_refusals_are_errors_by_kind(self, world: World, site: Site, client: Client) -> None:
        with pytest.raises(NotFound, match="does not exist or you have no access"):
            client.resolve(f"{ZOO}:none")
        with pytest.raises(Unauthenticated):
            Client(site.address, "bn-wrong").resolve(f"{ZOO}:none")
        with pytest.raises(Unavailable, match="does not answer"):
            Client("http://127.0.0.1:1", "x").resolve(f"{ZOO}:none")
        with pytest.raises(Invalid, match="no address of a server"):
            Client("file:///etc", "x")
        world.add_person("mem", in_organization="member")
        link_version(world.admin, log_version(world.admin))
        with pytest.raises(Forbidden) as error:
            Client(site.address, site.by("mem").key).link(f"{ZOO}:v0", ZOO)
        assert error.value.details["role"] == "member"


class TestDownload:
    """Every file arrives as it was logged, or the call fails and says which did not."""

    def test_all_files(self, world: World, client: Client, tmp_path: Path) -> None:
        link_version(world.admin, log_version(world.admin, files=FILES), aliases=["production"])
        calls: list[tuple[int, int]] = []
        done = client.download(
            f"{ZOO}:production", tmp_path / "to", progress=lambda *at: calls.append(at)
        )
        assert there(tmp_path / "to") == FILES
        assert (done.version.version, done.file_count) == ("v0", 4)
        # Equal content comes once.
        assert done.fetched_bytes == 1_000_004
        assert max(calls) == (1_000_004, 1_000_004)
        assert client.download(f"{ZOO}:production", tmp_path / "to").fetched_bytes == 0
        (tmp_path / "to" / "weights").write_bytes(b"x" * 1_000_000)
        client.download(f"{ZOO}:production", tmp_path / "to")
        assert there(tmp_path / "to") == FILES

    def test_over_a_thousand_files_come_from_one_version(
        self, world: World, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The name moves between two pages of the list: all files are still those of one version."""
        monkeypatch.setattr("byname.rest.resolve.FILES_MAX", 2)
        one = {f"f{at}": b"1" for at in range(5)}
        two = {f"f{at}": b"2" for at in range(5)}
        link_version(world.admin, log_version(world.admin, files=one))
        whole = Client._resolve

        def moving(self: Client, ref: str, **query: str) -> Any:
            answer = whole(self, ref, **query)
            if "after" not in query:
                link_version(world.admin, log_version(world.admin, files=two))
            return answer

        monkeypatch.setattr(Client, "_resolve", moving)
        client.download(ZOO, tmp_path / "to")
        assert there(tmp_path / "to") == one

    def test_a_large_file_comes_in_stretches_and_goes_on_after_a_cut(
        self, world: World, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("byname.client.download.STRETCH_BYTES", 100_000)
        monkeypatch.setattr("byname.client.download.TRIES", 1)
        link_version(world.admin, log_version(world.admin, files=FILES))
        fetch = Transport.fetch
        fetched: list[int | None] = []

        @contextmanager
        def cut(
            self: Transport, url: str, first: int | None = None, last: int | None = None
        ) -> Iterator[Any]:
            if first == 700_000:
                raise Unavailable("The line is cut")
            fetched.append(first)
            with fetch(self, url, first, last) as answer:
                yield answer

        with monkeypatch.context() as patch:
            patch.setattr(Transport, "fetch", cut)
            with pytest.raises(Unavailable, match="The line is cut"):
                client.download(ZOO, tmp_path / "to", parallel=1)
        assert {0, 100_000, 600_000} <= set(fetched)
        assert "weights" not in there(tmp_path / "to")
        assert list((tmp_path / "to" / ".byname-part").glob("*.part"))
        done = client.download(ZOO, tmp_path / "to", parallel=3)
        assert 0 < done.fetched_bytes <= 300_004
        assert there(tmp_path / "to") == FILES

    def test_a_moment_without_the_server_is_waited_for(
        self, world: World, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        link_version(world.admin, log_version(world.admin, files={"f": b"text"}))
        fetch, failures = Transport.fetch, [1, 2]

        @contextmanager
        def shaky(self: Transport, url: str, *more: Any) -> Iterator[Any]:
            if failures:
                failures.pop()
                raise Unavailable("Not now")
            with fetch(self, url, *more) as answer:
                yield answer

        monkeypatch.setattr(Transport, "fetch", shaky)
        client.download(ZOO, tmp_path / "to")
        assert there(tmp_path / "to") == {"f": b"text"}

    def test_a_restricted_viewer_gets_nothing(
        self, world: World, site: Site, tmp_path: Path
    ) -> None:
        """R107."""
        link_version(world.admin, log_version(world.admin))
        admin = Client(site.address, site.key)
        admin.ask(
            "PATCH", "registries", ORGANIZATION, "Model", body={"default_role": "restricted_viewer"}
        )
        world.add_person("mem", in_organization="member")
        client = Client(site.address, site.by("mem").key)
        with pytest.raises(Forbidden):
            client.download(ZOO, tmp_path / "to")
        assert client.resolve(ZOO).version == "v0"
        assert not (tmp_path / "to").exists()


class Wrong(Transport):
    """A server that sends these bytes, whatever is asked for."""

    def __init__(self, content: bytes) -> None:
        super().__init__("http://127.0.0.1:1", "")
        self._content = content

    @contextmanager
    def fetch(self, url: str, first: int | None = None, last: int | None = None) -> Iterator[Any]:
        del url
        yield io.BytesIO(
            self._content if first is None or last is None else self._content[first : last + 1]
        )


class TestWhatIsNotPutOnTheDisk:
    """Wrong bytes, and names that leave the folder (archive slip)."""

    @pytest.mark.parametrize("sent", [b"evil", b"longer than it", b"sh"])
    def test_wrong_bytes(
        self, tmp_path: Path, sent: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("byname.client.download.TRIES", 1)
        file = RemoteFile("f", 4, hashlib.sha256(b"good").hexdigest(), "http://x/")
        with pytest.raises((Corrupt, Unavailable)):
            download.download(Wrong(sent), [file], tmp_path)
        assert not (tmp_path / "f").exists()
        download.download(Wrong(b"good"), [file], tmp_path)
        assert there(tmp_path) == {"f": b"good"}

    @pytest.mark.parametrize(
        "name",
        ["", "/etc/x", "../x", "a/../../x", "a/./b", "a//b", "a\\b", "a\0b", "..", ".",
         ".byname-part/x", "a/"],
    )  # fmt: skip
    def test_names_that_leave(self, tmp_path: Path, name: str) -> None:
        files = [
            RemoteFile("good", 4, hashlib.sha256(b"good").hexdigest(), "http://x/"),
            RemoteFile(name, 4, hashlib.sha256(b"good").hexdigest(), "http://x/"),
        ]
        with pytest.raises(Invalid):
            download.download(Wrong(b"good"), files, tmp_path / "to")
        assert not (tmp_path / "to").exists()

    def test_a_link_that_leads_out(self, tmp_path: Path) -> None:
        (tmp_path / "to").mkdir()
        (tmp_path / "to" / "sub").symlink_to(tmp_path)
        with pytest.raises(Invalid, match="leads out"):
            target_of(tmp_path / "to", "sub/f")
        # A link in the place of a file is replaced, and what it led to stays.
        (tmp_path / "precious").write_bytes(b"keep")
        (tmp_path / "to" / "f").symlink_to(tmp_path / "precious")
        file = RemoteFile("f", 4, hashlib.sha256(b"good").hexdigest(), "http://x/")
        download.download(Wrong(b"good"), [file], tmp_path / "to")
        assert (tmp_path / "precious").read_bytes() == b"keep"
        assert (tmp_path / "to" / "f").read_bytes() == b"good"


class TestLink:
    """R41, R44: linking by reference."""

    def test_link(self, world: World, client: Client) -> None:
        log_version(world.admin)
        made = client.link(f"{TEAM}/{PROJECT}/model:v0", f"{ORGANIZATION}/Model/New", ["best"])
        assert made.full_name == f"{ORGANIZATION}/{REGISTRY}/New:v0"
        assert client.resolve(f"{ORGANIZATION}/Model/New:best") == made
        with pytest.raises(Invalid, match="names no collection"):
            client.link(made.full_name, "New")


class TestUpload:
    """R185, R2, R156: a version from files and folders, sent once, and compared at the end."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        made = tmp_path / "from"
        for name, body in FILES.items():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).write_bytes(body)
        return made

    def test_what_goes_up_comes_down(self, client: Client, folder: Path, tmp_path: Path) -> None:
        seen: list[tuple[int, int]] = []
        done = client.upload(
            folder,
            f"{TEAM}/{PROJECT}/net",
            type="model",
            aliases=["best"],
            description="d",
            metadata={"a": 1},
            progress=lambda there, total: seen.append((there, total)),
        )
        size = sum(map(len, FILES.values()))
        assert (done.ref, done.file_count, done.new) == (f"{TEAM}/{PROJECT}/net:v0", 4, True)
        assert done.size_bytes == size
        assert done.sent_bytes == len(FILES["weights"]) + len(b"text")  # Each content once.
        assert seen[-1] == (size, size)
        client.download(f"{TEAM}/{PROJECT}/net:best", tmp_path / "to")
        assert there(tmp_path / "to") == FILES

    def test_the_same_again_is_the_same_version(self, client: Client, folder: Path) -> None:
        first = client.upload(folder, f"{TEAM}/{PROJECT}/net", type="model")
        again = client.upload(folder, f"{TEAM}/{PROJECT}/net", type="model", aliases=["new"])
        assert (again.ref, again.new, again.sent_bytes) == (first.ref, False, 0)
        assert client.resolve(f"{TEAM}/{PROJECT}/net:new").version == "v0"

    def test_only_what_is_missing_is_sent(self, client: Client, folder: Path) -> None:
        """What an earlier, broken-off call has sent is not sent again."""
        send = Transport.send
        left = iter(range(3))

        def breaks(self: Transport, *args: Any) -> None:
            if next(left, None) is None:
                raise Forbidden("cut off")
            send(self, *args)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Transport, "send", breaks)
            with pytest.raises(Forbidden, match="cut off"):
                client.upload(folder, f"{TEAM}/{PROJECT}/net", type="model", parallel=1)
        done = client.upload([folder], f"{TEAM}/{PROJECT}/net", type="model")
        assert (done.new, done.sent_bytes) == (True, 0)
        (folder / "more").write_bytes(b"12345")
        assert client.upload(folder, f"{TEAM}/{PROJECT}/net", type="model").sent_bytes == 5

    def test_a_large_file_goes_in_parts_of_which_each_is_tried_again(
        self, client: Client, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A line that breaks costs the part that was on its way, and the bar goes back by that."""
        monkeypatch.setattr(uploads, "PART_BYTES", 90_000)
        monkeypatch.setattr(uploads, "PAUSE_SECONDS", 0)
        send = Transport.send
        sizes: list[int] = []
        broken: list[int] = []
        left = iter(range(3))

        def shaky(self: Transport, url: str, content: Any, size: int, headers: Any = ()) -> None:
            sizes.append(size)
            if size == 90_000 and next(left, None) is not None:
                broken.append(len(content.read(50_000)))
                raise Unavailable("The line is cut")
            send(self, url, content, size, headers)

        monkeypatch.setattr(Transport, "send", shaky)
        seen: list[tuple[int, int]] = []
        done = client.upload(
            folder,
            f"{TEAM}/{PROJECT}/net",
            type="model",
            progress=lambda there, total: seen.append((there, total)),
        )
        assert broken == [50_000] * 3
        # 1,000,000 bytes are 11 parts of 90,000 and one of 10,000; three went twice.
        assert sizes.count(90_000) == 14
        assert sizes.count(10_000) == 1
        assert done.sent_bytes == 1_000_004
        size = sum(map(len, FILES.values()))
        assert seen[-1] == (size, size)
        assert max(there for there, _ in seen) == size
        client.download(done.ref, tmp_path / "to")
        assert there(tmp_path / "to") == FILES
        assert client.upload(folder, f"{TEAM}/{PROJECT}/net", type="model").sent_bytes == 0

    def test_what_cannot_be_sent_is_given_up(
        self, client: Client, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(uploads, "PAUSE_SECONDS", 0)
        monkeypatch.setattr(uploads, "PART_BYTES", 90_000)
        tried: list[str] = []

        def cut(self: Transport, url: str, *_: Any) -> None:
            tried.append(url)
            raise Unavailable("The line is cut")

        with monkeypatch.context() as patch:
            patch.setattr(Transport, "send", cut)
            with pytest.raises(Unavailable, match="The line is cut"):
                client.upload(folder, f"{TEAM}/{PROJECT}/net", type="model", parallel=1)
        assert max(tried.count(each) for each in tried) == uploads.TRIES
        assert client.upload(folder, f"{TEAM}/{PROJECT}/net", type="model").new

    def test_a_real_line_that_breaks(
        self, site: Site, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The connection is closed in the middle of what is sent, several times."""
        monkeypatch.setattr(uploads, "PART_BYTES", 90_000)
        monkeypatch.setattr(uploads, "PAUSE_SECONDS", 0)
        with breaking(site.address, after_bytes=60_000, times=4) as (address, cuts):
            done = Client(address, site.key).upload(folder, f"{TEAM}/{PROJECT}/net", type="model")
        assert len(cuts) == 4
        assert done.sent_bytes == 1_000_004
        Client(site.address, site.key).download(done.ref, tmp_path / "to")
        assert there(tmp_path / "to") == FILES

    def test_only_a_large_file_goes_in_parts(self, tmp_path: Path) -> None:
        file = tmp_path / "f"
        file.write_bytes(b"x" * 41)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(uploads, "PART_BYTES", 10)
            read = uploads.read("f", file)
            assert (read.part_bytes, len(read.part_md5s), read.size_bytes) == (10, 5, 41)
            patch.setattr(uploads, "PARTS_MAX", 3)
            assert len(uploads.read("f", file).part_md5s) == 3
            file.write_bytes(b"x" * 40)
            read = uploads.read("f", file)
            assert (read.part_bytes, read.part_md5s) == (0, ())
            assert read.md5 == md5_of(b"x" * 40)
            file.write_bytes(b"")
            assert uploads.read("f", file).sha256 == hashlib.sha256().hexdigest()

    def test_a_file_that_changes_meanwhile_is_noticed(self, client: Client, folder: Path) -> None:
        send = Transport.send

        def changes(self: Transport, url: str, content: Any, size: int, headers: Any = ()) -> None:
            if not isinstance(content, bytes):
                content = b"x" * size
            send(self, url, content, size, headers)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Transport, "send", changes)
            with pytest.raises(DomainError, match="MD5"):
                client.upload(folder, f"{TEAM}/{PROJECT}/net", type="model")
        with pytest.raises(NotFound):
            client.resolve(f"{TEAM}/{PROJECT}/net:v0")

    def test_what_is_refused(self, client: Client, folder: Path, tmp_path: Path) -> None:
        with pytest.raises(Invalid, match="TEAM/PROJECT/NAME"):
            client.upload(folder, "net", type="model")
        with pytest.raises(Invalid, match="no file and no folder"):
            client.upload(tmp_path / "none", f"{TEAM}/{PROJECT}/net", type="model")
        (tmp_path / "empty").mkdir()
        with pytest.raises(Invalid, match="There is no file"):
            client.upload(tmp_path / "empty", f"{TEAM}/{PROJECT}/net", type="model")
        with pytest.raises(Invalid, match="would both be 'weights'"):
            client.upload([folder, folder / "weights"], f"{TEAM}/{PROJECT}/net", type="model")
        with pytest.raises(NotFound):
            client.upload(folder, "nobody/p/net", type="model")
        with pytest.raises(DomainError, match="may hold letters"):
            client.upload(folder, f"{TEAM}/{PROJECT}/a b", type="model")


BARE = """
import sys

class Closed:
    def find_spec(self, name, path=None, target=None):
        room = name.partition(".")[0]
        if room not in sys.stdlib_module_names and room != "byname":
            raise ImportError(f"{name} is not of the standard library")
        return None

sys.meta_path.insert(0, Closed())
import byname
client = byname.Client("http://127.0.0.1:1", "key")
loaded = sorted(name for name in sys.modules if name.startswith("byname"))
print(" ".join(loaded))
"""


class TestLightness:
    """The client is the standard library, the domain's words, and itself."""

    def test_it_needs_no_other_package(self) -> None:
        answer = subprocess.run(
            [sys.executable, "-c", BARE], capture_output=True, text=True, timeout=60, check=False
        )
        assert answer.returncode == 0, answer.stderr
        loaded = answer.stdout.split()
        rooms = {name.split(".")[1] for name in loaded if "." in name}
        assert rooms == {"client", "domain"}

    def test_the_package_offers_it(self) -> None:
        assert byname.Client is Client
        assert issubclass(Corrupt, DomainError)
        with pytest.raises(AttributeError):
            byname.nothing  # noqa: B018  # The name is looked up.


class TestMove:
    """R67, R70: a name moves in one step, if it is where the mover believes it to be."""

    def test_move_with_an_expected_holder(self, world: World, client: Client) -> None:
        for content in (b"1", b"2"):
            link_version(world.admin, log_version(world.admin, files={"f": content}))
        name = f"{ZOO}:production"
        first = client.move(name, "v0", expect=None)
        assert (first.name, first.version, first.revision) == ("production", "v0", 1)
        with pytest.raises(HolderChanged):
            client.move(name, "v1", expect=None)
        with pytest.raises(HolderChanged, match="is on v0, which is not what was expected"):
            client.move(name, "v0", expect="v1")
        assert client.move(name, "v1", expect="v0").version == "v1"
        assert client.move(name, "v0").version == "v0"
        assert client.get_alias(name).revision == 3
        with pytest.raises(NotFound):
            client.get_alias(f"{ZOO}:none")

    def test_history(self, world: World, client: Client) -> None:
        """R187, R189."""
        link_version(world.admin, log_version(world.admin), aliases=["production"])
        rows = client.history(f"{ZOO}:production")
        assert [(row["before"], row["after"]) for row in rows] == [(None, "v0")]
        assert "admin" in {row["actor"] for row in client.history(ZOO)}
        with pytest.raises(Invalid, match="ORGANIZATION/REGISTRY/COLLECTION"):
            client.history("Zoo")

    def test_two_versions_side_by_side(self, world: World, client: Client) -> None:
        """R59: with every file that differs, over all pages."""
        many = {f"f{number:04}": b"1" for number in range(1_100)}
        link_version(world.admin, log_version(world.admin, files={"a": b"1"}))
        link_version(world.admin, log_version(world.admin, files=many))
        told = client.compare(ZOO, "v0", "v1")
        assert {each["path"] for each in told["files"]} == {"a", *many}
        assert (told["before"]["version"], told["after"]["version"]) == ("v0", "v1")
        with pytest.raises(NotFound):
            client.compare(ZOO, "v0", "v7")

    def test_stars_and_owners(self, world: World, client: Client) -> None:
        """R27, R28."""
        world.add_person("bob", in_organization="member")
        model = registry.get_by_name(world.admin, ORGANIZATION, "Model")
        client.star(f"{ORGANIZATION}/Model")
        assert star.among(world.admin, [model]) == {model.id}
        client.unstar(f"{ORGANIZATION}/Model")
        assert not star.among(world.admin, [model])
        with pytest.raises(NotFound):
            client.set_owner(f"{ORGANIZATION}/Model", "bob")
        member.put_named_user(world.admin, model.id, "bob", None)
        client.set_owner(f"{ORGANIZATION}/Model", "bob")
        owner = registry.get_by_name(world.admin, ORGANIZATION, "Model").owner_id
        assert owner == world.people["bob"].who.user_id
        with pytest.raises(Invalid, match="ORGANIZATION/REGISTRY"):
            client.star("Model")

    def test_an_organization_that_is_said_once(self, world: World, site: Site) -> None:
        link_version(world.admin, log_version(world.admin), aliases=["production"])
        client = Client(site.address, site.key, organization=ORGANIZATION)
        assert client.get_alias("Model/Zoo:production").version == "v0"
        assert client.resolve(f"{REGISTRY}/Zoo").version == "v0"
