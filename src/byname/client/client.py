"""The client: what a name points to, fetching it, linking, and moving names."""

from __future__ import annotations

import enum
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from byname.client import download as downloads
from byname.client import upload as uploads
from byname.client import watch as watching
from byname.client.download import Progress, RemoteFile
from byname.client.errors import Corrupt
from byname.client.transport import NOT_MODIFIED, Answer, Transport, path
from byname.client.watch import Held, Swap, Trouble
from byname.domain import names
from byname.domain.errors import Invalid, NotFound


class _Any(enum.Enum):
    """Stands for "whatever it is now", which None does not."""

    HOLDER = "whatever holds the name now"


ANY_HOLDER: Final = _Any.HOLDER


@dataclass(frozen=True, slots=True)
class Version:
    """A version in a collection."""

    collection: str
    """`organization/wandb-registry-name/collection`."""
    version: str
    """Its number there, such as `v3`."""
    full_name: str
    digest: str
    type: str
    size_bytes: int
    file_count: int
    linked_at: datetime


@dataclass(frozen=True, slots=True)
class Download:
    """What a download left in its folder."""

    version: Version
    folder: Path
    file_count: int
    fetched_bytes: int
    """What really came; the rest was there already."""
    references: dict[str, str]
    """Addresses that the version only points to, by path; they are not fetched."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A version that was logged."""

    ref: str
    """`team/project/name:vN`, to link it by."""
    file_count: int
    size_bytes: int
    sent_bytes: int
    """What really went; the server had the rest."""
    new: bool
    """Whether it is a new version: the same content again is the one it was."""


@dataclass(frozen=True, slots=True)
class Alias:
    """Which version a name is on."""

    name: str
    version: str | None
    revision: int
    """Grows by one at every change of the name."""


class Client:
    """A Byname server, asked with one API key.

    References are written `[organization/]registry/collection:version-or-alias`, with the registry's
    prefix or without. Refusals are errors of `byname.domain.errors`, by kind.
    """

    def __init__(self, url: str, api_key: str, *, organization: str | None = None) -> None:
        """`organization` is where registries are that are named without one.

        Raises:
            Invalid: `url` is no address of a server.
        """
        self._transport = Transport(url, api_key)
        self._organization = organization

    def ask(
        self,
        method: str,
        *segments: str,
        body: dict[str, Any] | None = None,
        query: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """The JSON answer of `/api/v1/<segments>`, for what has no method of its own here."""
        return self._transport.ask(method, path(*segments), body, query=query).body

    # ---- reading ---------------------------------------------------------------------------

    def resolve(self, ref: str) -> Version:
        """What the reference names now.

        Raises:
            NotFound: nothing, or nothing you may see.
        """
        return _version(self._resolve(ref).body)

    def _resolve(self, ref: str, **query: str) -> Answer:
        missing = None
        for text in self.readings(ref):
            try:
                return self._transport.ask("GET", "/api/v1/resolve", query={"ref": text, **query})
            except NotFound as error:
                missing = missing or error
        raise missing or Invalid(f"{ref[:200]!r} is no reference to a version")

    def readings(self, ref: str) -> list[str]:
        """How the server may be asked for it: a place without the prefix may be a registry too."""
        text = ref.removeprefix("wandb-artifact://").removeprefix("registry://").lstrip("/")
        place, colon, name = text.partition(":")
        pieces = place.split("/")
        if len(pieces) not in (2, 3) or names.is_registry(pieces[-2]):
            return [self._whole(text)]
        prefixed = [*pieces[:-2], names.REGISTRY_PREFIX + pieces[-2], pieces[-1]]
        as_registry = self._whole("/".join(prefixed) + colon + name)
        if ref.startswith("registry://"):
            return [as_registry]
        return [as_registry, text] if len(pieces) == 2 else [text, as_registry]

    def _whole(self, text: str) -> str:
        """The reference, with the organization if it names none and we know it."""
        place, colon, name = text.partition(":")
        pieces = place.split("/")
        if len(pieces) == 2 and names.is_registry(pieces[0]) and self._organization is not None:
            pieces.insert(0, self._organization)
        return "/".join(pieces) + colon + name

    def download(
        self,
        ref: str,
        folder: str | Path,
        *,
        progress: Progress | None = None,
        parallel: int = 8,
    ) -> Download:
        """The version's files are in the folder, each verified by its SHA-256.

        Fetches several at a time, large ones in several stretches. Cut off, it keeps what came, and
        another call goes on from there. Files of the folder that the version does not have stay.

        Raises:
            NotFound, Forbidden: you may not.
            Invalid: a file name would leave the folder; nothing was fetched.
            Corrupt: bytes came that are not those of the version.
        """
        folder = Path(folder)
        first = self._resolve(ref, files="true").body
        version = _version(first)
        found: list[RemoteFile] = []
        references: dict[str, str] = {}
        for entry in self._entries(first):
            downloads.target_of(folder, entry["path"])
            if entry["sha256"] is None:
                references[entry["path"]] = str(entry["url"])
            else:
                found.append(
                    RemoteFile(
                        entry["path"], int(entry["size_bytes"]), entry["sha256"], entry["url"]
                    )
                )
        fetched = downloads.download(
            self._transport, found, folder, progress=progress, parallel=parallel
        )
        return Download(version, folder, len(found), fetched, references)

    def _entries(self, page: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """All files, page by page, of the version that the name was on at first: it may move."""
        while True:
            yield from page["files"]
            if page.get("next") is None:
                return
            page = self._resolve(page["full_name"], files="true", after=page["next"]).body

    def watch(
        self,
        alias: str,
        folder: str | Path,
        *,
        keep: int = 1,
        once: bool = False,
        trouble: Trouble | None = None,
        progress: Progress | None = None,
        parallel: int = 8,
    ) -> Generator[Swap, None, None]:
        """Each time the name moves: `folder/current` leads to its new version, then it is yielded.

            for swap in client.watch("acme/Model/Zoo:production", "/srv/model"):
                server.load(swap.folder)

        The new version comes beside the old one and is verified first; then a link is flipped by
        one rename, so that `current` is always whole. What you were given is done with when you ask
        for the next; if you do not come to that, you get it again the next time. `keep` older
        versions stay. Goes on when the server was away; `trouble` is told. With `once` it ends when
        the folder is up to date, and raises whatever goes wrong.

        Raises:
            Conflict: somebody else watches with this folder.
            Unauthenticated, Forbidden, Invalid: at the first request.
        """
        place, name = self._place(alias, named=True)
        source = _Source(self, self._transport, place, name, parallel)
        return watching.watch(
            source,
            alias,
            Path(folder),
            keep=keep,
            once=once,
            trouble=trouble,
            progress=progress,
        )

    # ---- writing ---------------------------------------------------------------------------

    def upload(
        self,
        paths: str | Path | Sequence[str | Path],
        name: str,
        *,
        type: str,  # noqa: A002  The SDK's word.
        aliases: Sequence[str] = (),
        description: str | None = None,
        metadata: dict[str, Any] | None = None,
        progress: Progress | None = None,
        parallel: int = 8,
    ) -> Upload:
        """The files, and what is in the folders, are a version of `team/project/name`.

        The same content again is the version it was, and gets the aliases. Cut off, another call sends
        only what is missing. At the end the server's SHA-256 of every file is compared with ours.

        Raises:
            Invalid: there is no such file, two would get one path, or the name is none.
            NotFound, Forbidden: you may not log there.
            Corrupt: the server keeps other bytes than were read here.
        """
        pieces = name.split("/")
        if len(pieces) != 3 or not all(pieces) or ":" in name:
            raise Invalid(f"{name[:200]!r} is no place for a version: write TEAM/PROJECT/NAME")
        given = [paths] if isinstance(paths, str | Path) else list(paths)
        found = uploads.gather([Path(each) for each in given])
        with ThreadPoolExecutor(max(1, parallel), thread_name_prefix="byname") as pool:
            files = list(pool.map(lambda each: uploads.read(*each), found))
        team, project, bare = pieces
        new = uploads.NewVersion(team, project, bare, type, aliases, description, metadata)
        logged = uploads.upload(self._transport, new, files, progress=progress, parallel=parallel)
        ref = f"{name}:v{logged.number}"
        self._compare(ref, {each.path: each.sha256 for each in files})
        return Upload(
            ref, len(files), sum(f.size_bytes for f in files), logged.sent_bytes, logged.made
        )

    def _compare(self, ref: str, expected: dict[str, str]) -> None:
        """The server keeps what was read here, file by file."""
        kept = {
            entry["path"]: entry["sha256"]
            for entry in self._entries(self._resolve(ref, files="true").body)
        }
        wrong = sorted(
            path for path in expected.keys() | kept.keys() if expected.get(path) != kept.get(path)
        )
        if wrong:
            raise Corrupt(f"{ref} holds other bytes than were read here: {', '.join(wrong[:5])}")

    def link(self, version: str, collection: str, aliases: Sequence[str] = ()) -> Version:
        """The version is in the collection and holds the aliases there: all or nothing.

        `version` is a reference to where it was logged or linked, `collection` is written
        `[organization/]registry/collection`; it is made when missing.
        """
        place, _ = self._place(collection)
        body = {"version": self.resolve(version).full_name, "aliases": list(aliases)}
        made = self._transport.ask("POST", path(*place, "links"), body).body
        return _version({**made, "collection": made["full_name"].rpartition(":")[0]})

    def get_alias(self, alias: str) -> Alias:
        """Which version the name is on: `[organization/]registry/collection:alias`.

        Raises:
            NotFound: nobody holds it.
        """
        place, name = self._place(alias, named=True)
        return _alias(name, self._transport.ask("GET", path(*place, "aliases", name)).body)

    def move(self, alias: str, version: str, *, expect: str | _Any | None = ANY_HOLDER) -> Alias:
        """The name is on that version, a number such as `v3`, or another name.

        With `expect`, only if it was on that version just before; None expects that nobody held it.

        Raises:
            HolderChanged: it was on another version, `details["current"]`; nothing was changed.
            Forbidden: the name is protected, or your role is too low.
        """
        place, name = self._place(alias, named=True)
        move: dict[str, Any] = {"collection": place[-1], "alias": name, "version": version}
        if not isinstance(expect, _Any):
            move["expect"] = expect
        moved = self._transport.ask("POST", path(*place[:3], "alias-moves"), {"moves": [move]})
        return _alias(name, moved.body["aliases"][0])

    def history(self, ref: str) -> list[dict[str, Any]]:
        """What happened to a collection, or to one alias of it, as the server tells it."""
        place, name = self._place(ref)
        where = (*place, "aliases", name, "history") if name else (*place, "history")
        rows: list[dict[str, Any]] = []
        query: dict[str, str] = {}
        while True:
            page = self._transport.ask("GET", path(*where), query=query).body
            rows += page["history"]
            if page.get("next") is None:
                return rows
            query = {"after": str(page["next"])}

    def compare(self, collection: str, before: str, after: str) -> dict[str, Any]:
        """What differs between two versions of a collection, each said by number or alias.

        As the server tells it, with every file that differs.

        Raises:
            NotFound: there is no such collection or version, or you may not see it.
        """
        place, _ = self._place(collection)
        query = {"from": before, "to": after}
        told = self._transport.ask("GET", path(*place, "compare"), query=query).body
        files = list(told["files"])
        while told["next"] is not None:
            query["after"] = str(told["next"])
            told = {**told, **self._transport.ask("GET", path(*place, "compare"), query=query).body}
            files += told["files"]
        return {**told, "files": files}

    def star(self, registry: str) -> None:
        """You have starred the registry, so that it comes first in your lists."""
        self._transport.ask("PUT", path(*self._registry(registry), "star"))

    def unstar(self, registry: str) -> None:
        """You have not starred the registry (any more)."""
        self._transport.ask("DELETE", path(*self._registry(registry), "star"))

    def set_owner(self, registry: str, username: str) -> None:
        """That member answers for the registry, which gives them no further right.

        Raises:
            Forbidden: you are no Admin of the registry.
            NotFound: there is no such registry or member, or you may not see it.
        """
        where = path(*self._registry(registry), "owner")
        self._transport.ask("PUT", where, {"username": username})

    def _registry(self, text: str) -> tuple[str, ...]:
        """The address of a registry.

        Raises:
            Invalid: it names none, or no organization is known.
        """
        pieces = text.strip("/").split("/")
        if len(pieces) == 1 and self._organization is not None:
            pieces.insert(0, self._organization)
        if len(pieces) != 2 or not all(pieces):
            raise Invalid(f"{text[:200]!r} names no registry: write ORGANIZATION/REGISTRY")
        return ("registries", *pieces)

    def _place(self, text: str, *, named: bool = False) -> tuple[tuple[str, ...], str]:
        """The address of a collection, and the words behind its colon.

        Raises:
            Invalid: it names no registry and collection, or no organization is known.
        """
        text = text.removeprefix("wandb-artifact://").removeprefix("registry://").lstrip("/")
        place, _, name = text.partition(":")
        pieces = place.split("/")
        if len(pieces) == 2 and self._organization is not None:
            pieces.insert(0, self._organization)
        if len(pieces) != 3 or not all(pieces) or (named and not name):
            raise Invalid(
                f"{text[:200]!r} names no {'alias' if named else 'collection'}: write "
                f"ORGANIZATION/REGISTRY/COLLECTION{':ALIAS' if named else ''}"
            )
        organization, registry, collection = pieces
        return ("registries", organization, registry, "collections", collection), name


@dataclass(frozen=True, slots=True)
class _Source:
    """An alias of a server, for those who watch it."""

    client: Client
    transport: Transport
    place: tuple[str, ...]
    name: str
    parallel: int

    def wait(self, known: str | None, seconds: int) -> Held | None:
        answer = self.transport.ask(
            "GET",
            path(*self.place, "aliases", self.name),
            query={"wait": f"{seconds}s"} if seconds else None,
            headers={} if known is None else {"If-None-Match": known},
        )
        if answer.status == NOT_MODIFIED:
            return None
        return Held(answer.body["version"], answer.body["digest"], answer.headers["etag"])

    def fetch(self, version: str, folder: Path, progress: Progress | None) -> tuple[str, int]:
        _, organization, registry, _, collection = self.place
        place = f"{organization}/{names.REGISTRY_PREFIX}"
        place += f"{registry.removeprefix(names.REGISTRY_PREFIX)}/{collection}"
        done = self.client.download(
            f"{place}:{version}", folder, progress=progress, parallel=self.parallel
        )
        return done.version.digest, done.fetched_bytes


def _version(body: dict[str, Any]) -> Version:
    return Version(
        collection=body["collection"],
        version=body["version"],
        full_name=body["full_name"],
        digest=body["digest"],
        type=body["type"],
        size_bytes=int(body["size_bytes"]),
        file_count=int(body["file_count"]),
        linked_at=datetime.fromisoformat(body["linked_at"]),
    )


def _alias(name: str, body: dict[str, Any]) -> Alias:
    return Alias(name, body["version"], int(body["revision"]))
