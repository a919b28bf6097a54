"""A small client that speaks as the SDK does, for tests that must see every single answer."""

from __future__ import annotations

import http.client
import json
from base64 import b64encode
from typing import Any
from urllib.parse import urlsplit

import orjson

from byname.domain.manifest import Entry, digest_of
from tests.support.world import md5_of

CREATE = """mutation CreateArtifact($input: CreateArtifactInput!) {
  createArtifact(input: $input) { artifact { id state
    artifactSequence { latestArtifact { id versionIndex } } } } }"""
MANIFEST = """mutation CreateArtifactManifest($input: CreateArtifactManifestInput!) {
  createArtifactManifest(input: $input) {
    artifactManifest { id file { id uploadUrl uploadHeaders } } } }"""
FILES = """mutation CreateArtifactFiles($input: CreateArtifactFilesInput!) {
  createArtifactFiles(input: $input) { files { edges { node {
    storagePath uploadUrl uploadHeaders artifact { id } } } } } }"""
COMMIT = """mutation CommitArtifact($input: CommitArtifactInput!) {
  commitArtifact(input: $input) { artifact { id digest versionIndex state } } }"""
LINK = """mutation LinkArtifact($input: LinkArtifactInput!) {
  linkArtifact(input: $input) { versionIndex
    artifactMembership { id versionIndex aliases { alias } artifact { id } } } }"""
ADD = """mutation AddAliases($input: AddAliasesInput!) { addAliases(input: $input) { success } }"""
REMOVE = """mutation DeleteAliases($input: DeleteAliasesInput!) {
  deleteAliases(input: $input) { success } }"""
BY_NAME = """query ByName($entity: String!, $project: String!, $name: String!) {
  project(name: $project, entityName: $entity) { artifactCollectionMembership(name: $name) {
    versionIndex aliases { alias } artifact { id digest state size
      currentManifest { file { directUrl } } }
    files(first: 5000) { totalCount edges { node { name directUrl } } } } } }"""


class Unanswered(Exception):
    """The connection broke before an answer: nobody knows whether it was done."""


class Refusal(Exception):
    """The server said no."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


class Wire:
    """One keep-alive connection to a server."""

    def __init__(self, url: str, api_key: str) -> None:
        self.netloc = urlsplit(url).netloc
        self.headers = {
            "Authorization": "Basic " + b64encode(f"api:{api_key}".encode()).decode(),
            "Content-Type": "application/json",
        }
        self.connection: http.client.HTTPConnection | None = None

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Status and body of the answer.

        Raises:
            Unanswered: there was none.
        """
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.netloc, timeout=120)
            self.connection.request(method, path, body, headers or {})
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unanswered(repr(error)) from error

    def close(self) -> None:
        """Hang up."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of the answer.

        Raises:
            Refusal: the answer holds errors.
            Unanswered: there was none.
        """
        body = json.dumps({"query": query, "variables": variables}).encode()
        status, text = self.request("POST", "/graphql", body, self.headers)
        answer = orjson.loads(text)
        if status != 200 or answer.get("errors"):
            raise Refusal(status, answer)
        data: dict[str, Any] = answer["data"]
        return data

    def put(self, url: str, body: bytes, headers: list[str]) -> None:
        """The bytes are there.

        Raises:
            Refusal, Unanswered: they are not, or nobody knows.
        """
        path = urlsplit(url).path
        given = dict(header.split(":", 1) for header in headers)
        status, text = self.request("PUT", path, body, given)
        if status >= 300:
            raise Refusal(status, text)

    def get(self, url: str, part: tuple[int, int] | None = None) -> bytes:
        """The bytes at a signed address; all, or those from the first to the last number given.

        Raises:
            Refusal, Unanswered: they did not come, or not as they were asked for.
        """
        headers = {} if part is None else {"Range": f"bytes={part[0]}-{part[1]}"}
        status, text = self.request("GET", urlsplit(url).path, headers=headers)
        if status != (200 if part is None else 206):
            raise Refusal(status, text)
        return text

    def log(
        self,
        entity: str,
        project: str,
        name: str,
        files: dict[str, bytes],
        *,
        client_id: str,
        aliases: tuple[str, ...] = ("latest",),
    ) -> dict[str, Any]:
        """The committed version. Repeated with the same client id, it is the same one."""
        entries = [Entry(path, md5_of(body), len(body)) for path, body in files.items()]
        made = self.graphql(
            CREATE,
            input={
                "entityName": entity,
                "projectName": project,
                "artifactTypeName": "model",
                "artifactCollectionName": name,
                "digest": digest_of(entries),
                "digestAlgorithm": "MANIFEST_MD5",
                "aliases": [{"artifactCollectionName": name, "alias": a} for a in aliases],
                "clientID": client_id,
                "enableDigestDeduplication": True,
            },
        )["createArtifact"]["artifact"]
        if made["state"] == "COMMITTED":
            return made  # type: ignore[no-any-return]  # JSON.
        offered = self.graphql(
            FILES,
            input={
                "artifactFiles": [
                    {"artifactID": made["id"], "name": e.path, "md5": e.digest} for e in entries
                ],
                "storageLayout": "V2",
            },
        )["createArtifactFiles"]["files"]["edges"]
        for edge, entry in zip(offered, entries, strict=True):
            if edge["node"]["uploadUrl"] is not None:
                self.put(
                    edge["node"]["uploadUrl"], files[entry.path], edge["node"]["uploadHeaders"]
                )
        text = orjson.dumps(
            {
                "version": 1,
                "storagePolicy": "wandb-storage-policy-v1",
                "storagePolicyConfig": {"storageLayout": "V2"},
                "contents": {
                    e.path: {
                        "digest": e.digest,
                        "size": e.size_bytes,
                        "birthArtifactID": made["id"],
                    }
                    for e in entries
                },
            }
        )
        announced = self.graphql(
            MANIFEST,
            input={
                "artifactID": made["id"],
                "name": "wandb_manifest.json",
                "digest": md5_of(text),
                "entityName": entity,
                "projectName": project,
                "runName": "",
                "type": "FULL",
            },
        )["createArtifactManifest"]["artifactManifest"]["file"]
        self.put(announced["uploadUrl"], text, announced["uploadHeaders"])
        committed = self.graphql(COMMIT, input={"artifactID": made["id"]})
        return committed["commitArtifact"]["artifact"]  # type: ignore[no-any-return]  # JSON.

    def link(
        self,
        version_id: str,
        entity: str,
        project: str,
        name: str,
        aliases: tuple[str, ...] = (),
    ) -> dict[str, Any]:
        """The version's place in the collection."""
        return self.graphql(  # type: ignore[no-any-return]  # JSON.
            LINK,
            input={
                "artifactID": version_id,
                "entityName": entity,
                "projectName": project,
                "artifactPortfolioName": name,
                "aliases": [{"artifactCollectionName": name, "alias": a} for a in aliases],
            },
        )["linkArtifact"]

    def move(self, version_id: str, entity: str, project: str, name: str, *aliases: str) -> None:
        """The version holds the aliases in the collection."""
        self.graphql(
            ADD,
            input={
                "artifactID": version_id,
                "aliases": [
                    {
                        "entityName": entity,
                        "projectName": project,
                        "artifactCollectionName": name,
                        "alias": alias,
                    }
                    for alias in aliases
                ],
            },
        )

    def resolve(self, entity: str, project: str, name: str) -> dict[str, Any] | None:
        """What `collection:ref` names, or None."""
        project_data = self.graphql(BY_NAME, entity=entity, project=project, name=name)["project"]
        if project_data is None:
            return None
        return project_data["artifactCollectionMembership"]  # type: ignore[no-any-return]
