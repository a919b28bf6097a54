"""Files that come in parts, as the client sends those of 2 GiB and more; here they are small.

Spoken by hand: the real client would have to send gigabytes.
"""

from __future__ import annotations

import hashlib
import http.client
import random
import secrets
from base64 import b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from tests.support.rig import TEAM, Rig
from tests.support.wire import COMMIT, CREATE, MANIFEST, Refusal, Wire
from tests.support.world import md5_of

PROJECT = "multipart"
PART_BYTES = 1_000_003
FILES = """mutation CreateArtifactFiles($input: CreateArtifactFilesInput!) {
  createArtifactFiles(input: $input) { files { edges { node {
    storagePath uploadUrl uploadHeaders artifact { id }
    uploadMultipartUrls { uploadID uploadUrlParts { partNumber uploadUrl } } } } } } }"""
COMPLETE = """mutation CompleteMultipartUploadArtifact(
    $action: CompleteMultipartAction!, $parts: [UploadPartsInput!]!, $artifact: ID!,
    $path: String!, $upload: String!) {
  completeMultipartUploadArtifact(input: { completeMultipartAction: $action,
    completedParts: $parts, artifactID: $artifact, storagePath: $path, uploadID: $upload
  }) { digest } }"""


def hex_md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


@dataclass
class Upload:
    """One file on its way: what the server offered for it."""

    wire: Wire
    parts: list[bytes]
    version_id: str
    node: dict[str, Any]

    @property
    def body(self) -> bytes:
        return b"".join(self.parts)

    def send(self, number: int, body: bytes | None = None) -> str:
        """The part is there; its `ETag`, as the client repeats it."""
        offered = self.node["uploadMultipartUrls"]["uploadUrlParts"][number - 1]
        assert offered["partNumber"] == number
        sent = self.parts[number - 1] if body is None else body
        split = urlsplit(offered["uploadUrl"])
        connection = http.client.HTTPConnection(split.netloc, timeout=30)
        headers = {
            "Content-MD5": b64encode(bytes.fromhex(hex_md5(sent))).decode(),
            "Content-Type": "application/octet-stream",
        }
        connection.request("PUT", split.path, sent, headers)
        answer = connection.getresponse()
        text = answer.read()
        etag = answer.getheader("ETag", "")
        connection.close()
        if answer.status >= 300:
            raise Refusal(answer.status, text)
        return str(etag)

    def complete(self, etags: dict[int, str]) -> str | None:
        """The parts are one file; its digest."""
        answer = self.wire.graphql(
            COMPLETE,
            action="Complete",
            parts=[{"partNumber": n, "hexMD5": etag} for n, etag in sorted(etags.items())],
            artifact=self.node["artifact"]["id"],
            path=self.node["storagePath"],
            upload=self.node["uploadMultipartUrls"]["uploadID"],
        )
        digest: str | None = answer["completeMultipartUploadArtifact"]["digest"]
        return digest

    def commit(self) -> None:
        """The version is committed with this one file `big.bin`."""
        contents = {
            "big.bin": {
                "digest": md5_of(self.body),
                "size": len(self.body),
                "birthArtifactID": self.version_id,
            }
        }
        text = orjson.dumps(
            {
                "version": 1,
                "storagePolicy": "wandb-storage-policy-v1",
                "storagePolicyConfig": {"storageLayout": "V2"},
                "contents": contents,
            }
        )
        announced = self.wire.graphql(
            MANIFEST,
            input={
                "artifactID": self.version_id,
                "name": "wandb_manifest.json",
                "digest": md5_of(text),
                "entityName": TEAM,
                "projectName": PROJECT,
                "runName": "",
                "type": "FULL",
            },
        )["createArtifactManifest"]["artifactManifest"]["file"]
        self.wire.put(announced["uploadUrl"], text, announced["uploadHeaders"])
        self.wire.graphql(COMMIT, input={"artifactID": self.version_id})


def offer(wire: Wire, version_id: str, parts: list[bytes]) -> dict[str, Any]:
    body = b"".join(parts)
    (edge,) = wire.graphql(
        FILES,
        input={
            "artifactFiles": [
                {
                    "artifactID": version_id,
                    "name": "big.bin",
                    "md5": md5_of(body),
                    "uploadPartsInput": [
                        {"partNumber": number, "hexMD5": hex_md5(part)}
                        for number, part in enumerate(parts, start=1)
                    ],
                }
            ],
            "storageLayout": "V2",
        },
    )["createArtifactFiles"]["files"]["edges"]
    node: dict[str, Any] = edge["node"]
    return node


def begin(rig: Rig, name: str) -> Upload:
    """A pending version of that collection, and one file of it announced in five parts."""
    wire = Wire(rig.url, rig.api_key)
    dice = random.Random(name)
    parts = [dice.randbytes(PART_BYTES) for _ in range(4)] + [dice.randbytes(17)]
    version_id = wire.graphql(
        CREATE,
        input={
            "entityName": TEAM,
            "projectName": PROJECT,
            "artifactTypeName": "model",
            "artifactCollectionName": name,
            "digest": hex_md5(
                f"wandb-artifact-manifest-v1\nbig.bin:{md5_of(b''.join(parts))}\n".encode()
            ),
            "digestAlgorithm": "MANIFEST_MD5",
            "aliases": [{"artifactCollectionName": name, "alias": "latest"}],
            "clientID": secrets.token_hex(64),
            "enableDigestDeduplication": True,
        },
    )["createArtifact"]["artifact"]["id"]
    return Upload(wire, parts, version_id, offer(wire, version_id, parts))


class TestMultipart:
    """Protocol 11.1, 11.3 and 11.4."""

    def test_parts_in_any_order_and_more_than_once(self, rig: Rig) -> None:
        upload = begin(rig, "any-order")
        assert upload.node["uploadUrl"] is not None
        assert len(upload.node["uploadMultipartUrls"]["uploadUrlParts"]) == 5
        etags = {number: upload.send(number) for number in (4, 2, 5, 1, 3, 2)}
        assert etags[2].strip('"') == hex_md5(upload.parts[1])
        assert upload.complete(etags) == md5_of(upload.body)
        # The answer was lost: the client completes once more.
        assert upload.complete(etags) == md5_of(upload.body)
        upload.commit()

        found = upload.wire.resolve(TEAM, PROJECT, "any-order:latest")
        assert found is not None
        assert found["artifact"]["size"] == len(upload.body)
        (edge,) = found["files"]["edges"]
        url = edge["node"]["directUrl"]
        assert upload.wire.get(url) == upload.body
        cuts = [(0, 999), (1000, PART_BYTES), (PART_BYTES + 1, 10**9)]
        assert b"".join(upload.wire.get(url, cut) for cut in cuts) == upload.body
        upload.wire.close()

    def test_what_is_stored_is_not_asked_for_again(self, rig: Rig) -> None:
        upload = begin(rig, "stored")
        upload.complete({number: upload.send(number) for number in range(1, 6)})
        again = offer(upload.wire, upload.version_id, upload.parts)
        assert again["uploadUrl"] is None
        assert again["uploadMultipartUrls"] is None
        upload.commit()
        upload.wire.close()

    def test_a_wrong_part_is_refused_and_can_be_sent_again(self, rig: Rig) -> None:
        upload = begin(rig, "wrong-part")
        etags = {number: upload.send(number) for number in (1, 2, 4, 5)}
        with pytest.raises(Refusal) as wrong:
            upload.send(3, b"x" * PART_BYTES)
        assert wrong.value.status == 400
        with pytest.raises(Refusal) as early:
            upload.complete(etags | {3: '"0"'})
        assert early.value.status in {404, 409}
        etags[3] = upload.send(3)
        assert upload.complete(etags) == md5_of(upload.body)
        upload.commit()
        found = upload.wire.resolve(TEAM, PROJECT, "wrong-part:v0")
        assert found is not None
        assert upload.wire.get(found["files"]["edges"][0]["node"]["directUrl"]) == upload.body
        upload.wire.close()

    def test_not_all_parts(self, rig: Rig) -> None:
        upload = begin(rig, "not-all")
        etags = {number: upload.send(number) for number in (1, 2)}
        with pytest.raises(Refusal) as refused:
            upload.complete(etags)
        assert refused.value.status == 409
        assert "parts 1 to 5" in str(refused.value)
        with pytest.raises(Refusal):
            upload.commit()
        assert upload.wire.resolve(TEAM, PROJECT, "not-all:latest") is None
        upload.wire.close()
