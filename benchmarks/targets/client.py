"""How does a client bring and fetch the files of a version? The few calls of it, one by one.

None of this is timed but the PUTs and GETs themselves, which the caller makes.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from benchmarks import fill, load
from benchmarks.load import WrongAnswerError, request
from benchmarks.process import Server

FILES_BATCH = 500
COLLECTION = "benchmark_bytes"
CREATE = """mutation ($input: CreateArtifactInput!) {
  createArtifact(input: $input) { artifact { id state } } }"""
MANIFEST = """mutation ($input: CreateArtifactManifestInput!) {
  createArtifactManifest(input: $input) {
    artifactManifest { id file { uploadUrl uploadHeaders } } } }"""
FILES = """mutation ($input: CreateArtifactFilesInput!) {
  createArtifactFiles(input: $input) {
    files { edges { node { uploadUrl uploadHeaders artifact { id } } } } } }"""
COMMIT = """mutation ($input: CommitArtifactInput!) {
  commitArtifact(input: $input) { artifact { id state } } }"""
MEMBERSHIP = """query ($entity: String!, $project: String!, $name: String!) {
  project(name: $project, entityName: $entity) {
    artifactCollectionMembership(name: $name) { versionIndex } } }"""


@dataclass(frozen=True, slots=True)
class File:
    """A file of a version that is being made."""

    path: str
    size_bytes: int
    md5_base64: str


class Client:
    """Asks one server with one API key, and makes versions in the team's project."""

    def __init__(self, server: Server, headers: Mapping[str, str], file_addresses: str) -> None:
        self._server = server
        # What this class asks is small; it does not unpack gzip.
        self._headers = {n: text for n, text in headers.items() if n != "Accept-Encoding"}
        self._file_addresses = file_addresses

    def number_of(self, entity: str, project: str, name: str) -> int:
        """The version number that `collection:alias` stands for in that project."""
        variables = {"entity": entity, "project": project, "name": name}
        answer = self._ask(MEMBERSHIP, variables)
        return int(answer["project"]["artifactCollectionMembership"]["versionIndex"])

    def begin(self, files: list[File]) -> tuple[str, list[tuple[str, dict[str, str]]]]:
        """A pending version, and for each file the path and headers of its PUT."""
        digest = hashlib.md5(b"wandb-artifact-manifest-v1\n", usedforsecurity=False)
        for file in sorted(files, key=lambda each: each.path):
            digest.update(f"{file.path}:{file.md5_base64}\n".encode())
        created = self._ask(
            CREATE,
            {
                "input": {
                    "entityName": fill.TEAM,
                    "projectName": fill.PROJECT,
                    "artifactTypeName": fill.TYPE,
                    "artifactCollectionName": COLLECTION,
                    "digest": digest.hexdigest(),
                    "digestAlgorithm": "MANIFEST_MD5",
                    "aliases": [],
                    "enableDigestDeduplication": True,
                    "clientID": secrets.token_hex(64),
                    "sequenceClientID": secrets.token_hex(64),
                }
            },
        )
        version = str(created["createArtifact"]["artifact"]["id"])
        manifest, _ = self._manifest(version, "")
        targets = []
        for start in range(0, len(files), FILES_BATCH):
            answer = self._ask(
                FILES,
                {
                    "input": {
                        "artifactFiles": [
                            {
                                "artifactID": version,
                                "name": file.path,
                                "md5": file.md5_base64,
                                "digest": file.md5_base64,
                                "artifactManifestID": manifest,
                            }
                            for file in files[start : start + FILES_BATCH]
                        ],
                        "storageLayout": "V2",
                        "digestAlgorithm": "MANIFEST_MD5",
                    }
                },
            )
            edges = answer["createArtifactFiles"]["files"]["edges"]
            targets += [self._target(edge["node"]) for edge in edges]
        return version, targets

    def commit(self, version: str, files: list[File]) -> None:
        """The manifest of these files is brought, and the version is committed.

        Raises:
            WrongAnswerError: it is not.
        """
        text = json.dumps(
            {
                "version": 1,
                "storagePolicy": "wandb-storage-policy-v1",
                "storagePolicyConfig": {"storageLayout": "V2"},
                "contents": {
                    file.path: {
                        "digest": file.md5_base64,
                        "size": file.size_bytes,
                        "birthArtifactID": version,
                    }
                    for file in files
                },
            }
        ).encode()
        md5 = hashlib.md5(text, usedforsecurity=False).digest()
        _, (path, headers) = self._manifest(version, b64encode(md5).decode())
        load.run(self._server.address, [iter([request("PUT", path, headers, text)])])
        answer = self._ask(COMMIT, {"input": {"artifactID": version}})
        state = answer["commitArtifact"]["artifact"]["state"]
        if state != "COMMITTED":
            raise WrongAnswerError(f"The version is {state} after its commit")

    def _manifest(self, version: str, digest: str) -> tuple[str, tuple[str, dict[str, str]]]:
        answer = self._ask(
            MANIFEST,
            {
                "input": {
                    "artifactID": version,
                    "name": "wandb_manifest.json",
                    "digest": digest,
                    "entityName": fill.TEAM,
                    "projectName": fill.PROJECT,
                    "runName": "",
                    "type": "FULL",
                }
            },
        )
        manifest = answer["createArtifactManifest"]["artifactManifest"]
        return str(manifest["id"]), self._target(manifest["file"])

    def download_paths(self, version: str) -> dict[str, str]:
        """The path of each file's signed address, asked for as the client does."""
        number = self.number_of(fill.TEAM, fill.PROJECT, f"{COLLECTION}:latest")
        answer = self._ask(
            self._file_addresses,
            {
                "entity": fill.TEAM,
                "project": fill.PROJECT,
                "collection": COLLECTION,
                "alias": f"v{number}",
                "perPage": 5000,
            },
        )
        membership = answer["project"]["artifactCollection"]["artifactMembership"]
        nodes = [edge["node"] for edge in membership["files"]["edges"]]
        if not nodes:
            raise WrongAnswerError(f"No files are listed for the version {version}")
        return {node["name"]: self._path(node["directUrl"]) for node in nodes}

    def _target(self, node: dict[str, Any]) -> tuple[str, dict[str, str]]:
        if node["uploadUrl"] is None:
            raise WrongAnswerError(f"No address was given for new content: {node}")
        headers = {"Host": f"127.0.0.1:{self._server.port}"}
        for line in node["uploadHeaders"] or []:
            name, _, text = line.partition(":")
            headers[name] = text
        return self._path(node["uploadUrl"]), headers

    def _path(self, url: str) -> str:
        parts = urlsplit(url)
        if (parts.hostname, parts.port) != self._server.address:
            raise WrongAnswerError(f"An address of another server was given: {url}")
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def _ask(self, document: str, variables: dict[str, Any]) -> Any:
        """The data of a GraphQL answer. Raises WrongAnswerError where it has errors."""
        body = json.dumps({"query": document, "variables": variables}).encode()
        asked = urllib.request.Request(f"{self._server.url}/graphql", body, self._headers)
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                value = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise WrongAnswerError(f"{error.code}: {error.read()[:1500]!r}") from None
        if value.get("errors"):
            raise WrongAnswerError(f"GraphQL errors: {value['errors']}")
        return value["data"]
