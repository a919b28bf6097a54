"""How does a container registry do the same jobs? Debian's docker-registry on a file system."""

from __future__ import annotations

import hashlib
import itertools
import json
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks import load, machine, process, stream, tools
from benchmarks.content import Large, Small, small_files
from benchmarks.load import Request, request
from benchmarks.measure import Step
from benchmarks.process import Server

START_SECONDS = 30.0
NAME = "zoo/classifier"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
RAW = {"Host": "127.0.0.1", "Content-Type": "application/octet-stream"}
CONFIGURATION = """version: 0.1
log: {{level: info}}
storage:
  cache: {{blobdescriptor: inmemory}}
  filesystem: {{rootdirectory: {folder}/data}}
http:
  addr: 127.0.0.1:{port}
"""


class Registry:
    """docker-registry with one repository."""

    def __init__(self, server: Server, release: str) -> None:
        self.server = server
        self.release = release
        self._large: Large | None = None
        self._small: list[Small] = []

    @classmethod
    def start(cls, folder: Path) -> Registry:
        """It runs; `ready` waits for it.

        Raises:
            MissingError: it is not here and cannot be fetched.
        """
        program = tools.debian_program("docker-registry", "docker-registry")
        release = tools.output([str(program), "--version"]).split()[-1]
        folder.mkdir(parents=True)
        port = machine.free_port()
        settings = folder / "config.yml"
        settings.write_text(CONFIGURATION.format(folder=folder, port=port))
        command = [str(program), "serve", str(settings)]
        quiet = {"OTEL_TRACES_EXPORTER": "none"}
        return cls(process.start("docker-registry", port, command, folder, quiet), release)

    def ready(self) -> None:
        """It answers, and has an image of one layer with the tag `production-us`.

        Raises:
            MissingError: it does not come up.
        """
        self.server.wait("/v2/", limit_seconds=START_SECONDS)
        layer = {
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            "digest": self._put_blob(b"layer" * 20),
            "size": 100,
        }
        config = {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": self._put_blob(b"{}"),
            "size": 2,
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": config,
            "layers": [layer],
        }
        self._send(
            "PUT",
            f"/v2/{NAME}/manifests/production-us",
            json.dumps(manifest).encode(),
            MANIFEST_TYPE,
        )

    def resolve(self, connections: int, seconds: float) -> Step:
        """The manifest that a tag names."""
        headers = {"Host": "127.0.0.1", "Accept": MANIFEST_TYPE}
        asked = request("GET", f"/v2/{NAME}/manifests/production-us", headers)
        streams = [itertools.repeat(asked)] * connections
        return Step(
            lambda: load.run(
                self.server.address, streams, seconds=seconds, expect=b'"schemaVersion"'
            )
        )

    def upload_large(self, content: Large) -> Step:
        """One PUT into an upload that was opened before."""
        self._large = content
        head = self._put_request(content.sha256, content.size_bytes)
        return Step(lambda: stream.upload(self.server.address, head, content))

    def download_large(self, content: Large) -> Step:
        """One GET of a blob."""
        if self._large is not content:
            self.upload_large(content).run()
        head = request("GET", f"/v2/{NAME}/blobs/sha256:{content.sha256}", RAW)
        return Step(lambda: stream.download(self.server.address, head, content))

    def upload_small(self, count: int, connections: int) -> Step:
        """One PUT for each file, into uploads that were opened before."""
        self._small = small_files(count)
        requests = [
            Request(
                self._put_request(file.digests.sha256, file.size_bytes).head + file.prefix,
                file.rest,
            )
            for file in self._small
        ]
        return Step(lambda: load.run(self.server.address, load.deal(requests, connections)))

    def download_small(self, count: int, connections: int) -> Step:
        """One GET for each file."""
        if len(self._small) != count:
            self.upload_small(count, 1).run()
        requests = [
            request("GET", f"/v2/{NAME}/blobs/sha256:{file.digests.sha256}", RAW)
            for file in self._small
        ]
        streams = load.deal(requests, connections)
        expect = bytes(self._small[0].rest[-64:])
        return Step(lambda: load.run(self.server.address, streams, expect=expect))

    def _put_request(self, sha256: str, size_bytes: int) -> Request:
        location = self._send("POST", f"/v2/{NAME}/blobs/uploads/", b"", "application/json")
        parts = urlsplit(location)
        path = f"{parts.path}?{parts.query}&digest=sha256:{sha256}"
        return request("PUT", path, RAW, size_bytes=size_bytes)

    def _put_blob(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        location = self._send("POST", f"/v2/{NAME}/blobs/uploads/", b"", "application/json")
        parts = urlsplit(location)
        path = f"{parts.path}?{parts.query}&digest=sha256:{digest}"
        self._send("PUT", path, content, "application/octet-stream")
        return f"sha256:{digest}"

    def _send(self, method: str, path: str, body: bytes, content_type: str) -> str:
        """The `Location` of the answer."""
        asked = urllib.request.Request(
            self.server.url + path, body, {"Content-Type": content_type}, method=method
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.headers.get("Location") or ""
