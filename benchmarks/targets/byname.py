"""How does Byname do its jobs? Asked by the very documents and addresses that the client uses."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks import documents, fill, load, machine, process, stream, watchers
from benchmarks.content import Large, Small, small_files
from benchmarks.documents import Documents
from benchmarks.load import Request, WrongAnswerError, request
from benchmarks.measure import Step
from benchmarks.process import MissingError, Server
from benchmarks.targets import lookups
from benchmarks.targets.client import Client, File

SETUP_SECONDS = 120
START_SECONDS = 60.0
WATCHED_NUMBER = 999
WATCHED = f"move-{WATCHED_NUMBER}"
ADDRESS = {
    "entityName": fill.ORGANIZATION,
    "projectName": fill.REGISTRY,
    "artifactCollectionName": fill.COLLECTION,
}


class Byname:
    """One server with a data folder of its own and a registry of `filled.versions` versions."""

    def __init__(
        self, server: Server, data: Path, api_key: str, filled: fill.Filled, texts: Documents
    ) -> None:
        self.server = server
        self.api_key = api_key
        self.versions = filled.versions
        self._data = data
        self._texts = texts
        self._filled = filled
        self._headers = documents.client_headers(api_key)
        self._client = Client(server, self._headers, texts.file_addresses)
        self._bearer = {"Host": "127.0.0.1", "Authorization": f"Bearer {api_key}"}
        self._lookups = lookups.by_operation(
            filled.versions, texts.registry_versions, self._headers, self._bearer
        )
        self._unlinked = iter(range(filled.pool_start, filled.pool_start + filled.pool_count))
        self._moves: dict[int, Iterator[Request]] = {}
        self._large: Large | None = None
        self._large_path = ""
        self._small: list[Small] = []
        self._small_paths: list[str] = []

    @classmethod
    def start(
        cls, program: Sequence[str], folder: Path, versions: int, pool: int, texts: Documents
    ) -> Byname:
        """Set up, filled, and running; `ready` waits for it.

        Raises:
            MissingError: there is no such program, or its set-up failed.
        """
        if shutil.which(program[0]) is None:
            raise MissingError(f"There is no program {program[0]}; install Byname first")
        folder.mkdir(parents=True)
        data = folder / "data"
        answer = subprocess.run(
            [
                *program,
                "setup",
                *("--data", str(data)),
                *("--username", "bench"),
                *("--email", "bench@example.org"),
                *("--organization", fill.ORGANIZATION),
                *("--team", fill.TEAM),
                "--json",
            ],
            check=False,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=SETUP_SECONDS,
        )
        if answer.returncode != 0:
            raise MissingError(f"{program[0]} setup failed:\n{answer.stderr[-2000:]}")
        api_key = str(json.loads(answer.stdout)["api_key"])
        filled = fill.fill(data, versions, pool)
        port = machine.free_port()
        url = f"http://127.0.0.1:{port}"
        command = [
            *program,
            "serve",
            *("--data", str(data)),
            *("--port", str(port)),
            *("--public-url", url),
        ]
        server = process.start(f"Byname {versions:,}", port, command, folder, {})
        return cls(server, data, api_key, filled, texts)

    def ready(self) -> None:
        """It answers, and resolves the alias to the version that holds it.

        Raises:
            MissingError: it does not come up.
            WrongAnswerError: it resolves the alias to another version, or not at all.
        """
        self.server.wait("/ready", limit_seconds=START_SECONDS)
        name = f"{fill.COLLECTION}:{fill.ALIAS}"
        found = self._client.number_of(fill.ORGANIZATION, fill.REGISTRY, name)
        if found != self.versions // 2:
            raise WrongAnswerError(f"{fill.ALIAS} is on v{found}, not on v{self.versions // 2}")

    # ---- names -----------------------------------------------------------------------------

    def resolve_graphql(self, connections: int, seconds: float) -> Step:
        """What `use_artifact` asks: which version has the alias, with all there is to say of it."""
        variables = {
            "entity": fill.ORGANIZATION,
            "name": f"{fill.COLLECTION}:{fill.ALIAS}",
            "project": fill.REGISTRY,
        }
        asked = documents.graphql(self._texts.membership_by_name, variables, self._headers)
        return self._repeat(asked, connections, seconds, b'"versionIndex":')

    def resolve_rest(self, connections: int, seconds: float) -> Step:
        """The same question as one plain GET."""
        query = urlencode({"ref": f"{fill.REGISTRY}/{fill.COLLECTION}:{fill.ALIAS}"}, safe="/:")
        asked = request("GET", f"/api/v1/resolve?{query}", self._bearer)
        return self._repeat(asked, connections, seconds, b'"digest":')

    def look_up(self, operation: str, connections: int, seconds: float) -> Step:
        """Search, a filtered list or history; `lookups` says which there are."""
        wanted = self._lookups[operation]
        return self._repeat(wanted.asked, connections, seconds, wanted.expect)

    def _repeat(self, asked: Request, connections: int, seconds: float, expect: bytes) -> Step:
        streams = [itertools.repeat(asked)] * connections
        return Step(lambda: load.run(self.server.address, streams, seconds=seconds, expect=expect))

    def link(self, connections: int, seconds: float, operations: int) -> Step:
        """Each request links a version that was linked nowhere, with two aliases that move to it.

        Raises:
            LookupError: the pool of such versions is used up.
        """
        requests = [
            documents.graphql(self._texts.link, {"input": self._link_input(version)}, self._headers)
            for version in itertools.islice(self._unlinked, operations)
        ]
        if len(requests) < operations:
            raise LookupError("No unlinked versions are left; fill the registry with more of them")
        waiting = iter(requests)
        # All connections take from one pile, so that the versions are linked in their order.
        streams = [waiting] * connections
        return Step(
            lambda: load.run(
                self.server.address, streams, seconds=seconds, expect=b'"versionIndex":'
            )
        )

    def _link_input(self, version: int) -> dict[str, Any]:
        return {
            "aliases": [
                {"alias": alias, "artifactCollectionName": fill.COLLECTION}
                for alias in ("production-us", "production-eu")
            ],
            "artifactID": _artifact_id(version),
            "artifactPortfolioName": fill.COLLECTION,
            "entityName": fill.ORGANIZATION,
            "projectName": fill.REGISTRY,
        }

    def move(self, connections: int, seconds: float, operations: int) -> Step:
        """Each connection moves an alias of its own to and fro between two versions.

        So every request is a real change, and is on disk before it is answered.
        """
        streams = [self._moving(number) for number in range(connections)]
        return Step(
            lambda: load.run(
                self.server.address,
                streams,
                seconds=seconds,
                operations=operations,
                expect=b'"success":true',
            )
        )

    def _moving(self, number: int) -> Iterator[Request]:
        if number not in self._moves:
            alias = {"alias": f"move-{number}", **ADDRESS}
            self._moves[number] = itertools.cycle(
                [
                    documents.graphql(
                        self._texts.add_aliases,
                        {"input": {"aliases": [alias], "artifactID": _artifact_id(version)}},
                        self._headers,
                    )
                    for version in (self._filled.held_version_id, self._filled.other_version_id)
                ]
            )
        return self._moves[number]

    # ---- watching --------------------------------------------------------------------------

    def watch_events(self, count: int) -> Step:
        """So many streams of events; each is told of every move of one alias."""
        query = urlencode(
            {
                "registry": f"{fill.ORGANIZATION}/{fill.REGISTRY}",
                "collection": fill.COLLECTION,
                "alias": WATCHED,
            }
        )
        asked = request("GET", f"/api/v1/events?{query}", self._bearer)
        moves = self._moving(WATCHED_NUMBER)
        # The first time it is put on; from then on it moves.
        load.run(self.server.address, [iter([next(moves)])])
        return Step(lambda: watchers.by_events(self.server.address, asked, count, moves))

    def watch_wait(self, count: int) -> Step:
        """So many requests that wait for one alias; each is answered at every move of it."""
        moves = self._moving(WATCHED_NUMBER)
        load.run(self.server.address, [iter([next(moves)])])
        path = (
            f"/api/v1/registries/{fill.ORGANIZATION}/{fill.REGISTRY}/collections/"
            f"{fill.COLLECTION}/aliases/{WATCHED}?wait=60s"
        )

        def known(etag: bytes) -> Request:
            return request("GET", path, {**self._bearer, "If-None-Match": etag.decode()})

        first = watchers.first_etag(self.server.address, known(b'"0"'))
        return Step(lambda: watchers.by_waiting(self.server.address, known, first, count, moves))

    # ---- bytes -----------------------------------------------------------------------------

    def upload_large(self, size_bytes: int) -> Step:
        """One PUT to the signed address of a version that is being made.

        New content each time: what is there already is not asked for again.
        """
        content = Large(size_bytes)
        file = File("large.bin", size_bytes, content.digests.md5_base64)
        version, [(path, headers)] = self._client.begin([file])
        head = request("PUT", path, headers, size_bytes=size_bytes)

        def finish() -> None:
            self._client.commit(version, [file])
            self._large = content
            self._large_path = self._client.download_paths(version)["large.bin"]
            self._drop_old(size_bytes)

        return Step(lambda: stream.upload(self.server.address, head, content), finish)

    def download_large(self, size_bytes: int) -> Step:
        """One GET of a signed address; the first time the bytes are compared as well."""
        if self._large is None or self._large.size_bytes != size_bytes:
            first = self.upload_large(size_bytes)
            first.run()
            if first.finish is not None:
                first.finish()
        content = self._large
        assert content is not None
        head = request("GET", self._large_path, {"Host": "127.0.0.1"})
        stream.download(self.server.address, head, content, check=True)
        return Step(lambda: stream.download(self.server.address, head, content))

    def upload_small(self, count: int, connections: int) -> Step:
        """One PUT for each file of a version."""
        contents = small_files(count)
        files = [
            File(f"file-{number:05}", content.size_bytes, content.digests.md5_base64)
            for number, content in enumerate(contents)
        ]
        version, targets = self._client.begin(files)
        requests = [
            request("PUT", path, headers, content.rest, prefix=content.prefix)
            for content, (path, headers) in zip(contents, targets, strict=True)
        ]

        def finish() -> None:
            self._client.commit(version, files)
            paths = self._client.download_paths(version)
            self._small = contents
            self._small_paths = [paths[file.path] for file in files]

        return Step(lambda: load.run(self.server.address, load.deal(requests, connections)), finish)

    def download_small(self, count: int, connections: int) -> Step:
        """One GET of a signed address for each file of a version."""
        if len(self._small) != count:
            first = self.upload_small(count, 1)
            first.run()
            if first.finish is not None:
                first.finish()
        requests = [request("GET", path, {"Host": "127.0.0.1"}) for path in self._small_paths]
        streams = load.deal(requests, connections)
        expect = bytes(self._small[0].rest[-64:])
        return Step(lambda: load.run(self.server.address, streams, expect=expect))

    def _drop_old(self, size_bytes: int) -> None:
        """Only the newest of the large files stays, so that many rounds fit on the disk."""
        large = [
            path
            for path in self._data.rglob("*")
            if path.is_file() and path.stat().st_size == size_bytes
        ]
        for path in sorted(large, key=lambda each: each.stat().st_mtime)[:-1]:
            path.unlink()


def _artifact_id(version: int) -> str:
    return b64encode(f"Artifact:{version}".encode()).decode()
