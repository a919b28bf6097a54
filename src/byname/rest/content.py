"""Bytes over HTTP: signed addresses that take and give them, and the client's fallback addresses.

A signed address needs no other credentials, and an `Authorization` header that comes along is not
looked at (protocol 2). It names who asked for it; their role is looked at again when it is used, so
that losing a role closes addresses that are still about (A4).
"""

from __future__ import annotations

import re
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from byname.blobs.store import BlobReader, StoredBlob
from byname.domain.errors import Invalid, Unauthenticated, missing
from byname.domain.ids import find_number
from byname.domain.image import IMAGE_MARK_BYTES, image_type
from byname.http.asked import acting
from byname.http.authentication import KeyUses, actor_of_user, authenticate
from byname.http.body import receive_into
from byname.http.content import send_blob
from byname.http.links import Signer
from byname.http.message import Request, send_empty
from byname.http.router import Router
from byname.http.threads import in_thread
from byname.http.writes import Writes
from byname.operations import content
from byname.operations.context import Context

UPLOAD_BYTES_MAX = 5 * 1024**4
"""What one PUT may carry."""
MD5_HEADER = b"content-md5"
STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
"""A percent sign that begins no escape."""


@dataclass(frozen=True, slots=True)
class Bytes:
    """The handlers of all addresses under which the bytes of versions are brought and fetched."""

    ctx: Context
    signer: Signer
    writes: Writes
    key_uses: KeyUses

    def add_routes(self, router: Router) -> None:
        """The router answers all addresses of this face."""
        for purpose, handler in {
            "version-file-upload": self.take_file,
            "manifest-upload": self.take_manifest,
            "part-upload": self.take_part,
        }.items():
            router.add("PUT", f"/content/{purpose}/{{token}}", handler)
        router.add("GET", "/content/version-file/{token}", self.give_file)
        router.add("GET", "/content/version-image/{token}", self.give_image)
        router.add("GET", "/content/manifest/{token}", self.give_manifest)
        prefix = "/artifactsV2/{region}/{entity}/{project}/{collection}"
        for versions in ("/{artifact}/{birth}", "/{birth}"):
            router.add("GET", f"{prefix}{versions}/{{digest}}/{{basename}}", self.give_addressed)
            # The client does not quote the file's name, of which `#` or `?` leave only a part.
            router.add("GET", f"{prefix}{versions}/{{digest}}/", self.give_addressed)
        router.add("GET", "/artifacts/{entity}/{digest}", self.give_of_entity)

    # ---- bringing --------------------------------------------------------------------------

    async def take_file(self, request: Request) -> None:
        """Keep a file of a pending version; 200 when it is on disk and known."""
        ctx, fields = self._signed(request, "version-file-upload")
        version_id, md5 = _integer(fields[1]), str(fields[2])
        landing = content.land_file(ctx, version_id, md5)
        await self._take(
            request, ctx, landing, lambda stored: content.save_file(ctx, version_id, stored)
        )

    async def take_manifest(self, request: Request) -> None:
        """Keep the bytes of a manifest; 200 when they are on disk and known."""
        ctx, fields = self._signed(request, "manifest-upload")
        manifest_id = _integer(fields[1])
        landing = content.land_manifest(ctx, manifest_id)
        await self._take(
            request, ctx, landing, lambda stored: content.save_manifest(ctx, manifest_id, stored)
        )

    async def _take(
        self,
        request: Request,
        ctx: Context,
        landing: content.Landing,
        save: Callable[[StoredBlob], None],
    ) -> None:
        stored = await receive_into(
            request,
            ctx.blobs.begin(landing.namespace),
            limit=landing.size_max or UPLOAD_BYTES_MAX,
            expected_md5=_expected_md5(request, landing.md5),
        )
        await self.writes.run(lambda: save(stored))
        await send_empty(request, 200, [(b"etag", f'"{_hex(stored.md5)}"'.encode())])

    async def take_part(self, request: Request) -> None:
        """Keep one part of a file; 200 with its `ETag` when it is on disk."""
        ctx, fields = self._signed(request, "part-upload")
        key, number, md5_hex = str(fields[1]), _integer(fields[2]), str(fields[3])
        content.land_part(ctx, key, number)
        stored = await receive_into(
            request,
            ctx.blobs.begin_part(key, number),
            limit=UPLOAD_BYTES_MAX,
            expected_md5=_expected_md5(request, _base64(md5_hex)),
        )
        await send_empty(request, 200, [(b"etag", f'"{stored.md5_hex}"'.encode())])

    # ---- fetching --------------------------------------------------------------------------

    async def give_file(self, request: Request) -> None:
        """A file, by its signed address."""
        ctx, fields = self._signed(request, "version-file")
        project_id, namespace, sha256 = _integer(fields[1]), _integer(fields[2]), str(fields[3])
        reader = content.open_blob(ctx, project_id, namespace, sha256)
        await send_blob(request, reader, filename=str(fields[4]))

    async def give_image(self, request: Request) -> None:
        """A picture of a version for the file viewer, by its signed address.

        Only what begins as a raster image does: those hold no script (A11).
        """
        ctx, fields = self._signed(request, "version-image")
        project_id, namespace, sha256 = _integer(fields[1]), _integer(fields[2]), str(fields[3])
        reader = content.open_blob(ctx, project_id, namespace, sha256)
        kind = image_type(await in_thread(reader.pread, min(reader.size, IMAGE_MARK_BYTES), 0))
        if kind is None:
            reader.close()
            raise missing("This picture")
        await send_blob(request, reader, filename=str(fields[4]), content_type=kind)

    async def give_manifest(self, request: Request) -> None:
        """A manifest, by its signed address."""
        ctx, fields = self._signed(request, "manifest")
        reader = content.open_manifest(ctx, _integer(fields[1]))
        await send_blob(request, reader, filename="wandb_manifest.json")

    async def give_addressed(self, request: Request) -> None:
        """A file by the path through which its version was reached, with an API key."""
        params = request.params
        basename = params.get("basename", "")
        if STRAY_PERCENT.search(basename):
            # The client quotes all but the file's name; its HTTP library then takes the whole path
            # for unquoted, because of that one sign, and quotes it once more.
            params = {name: unquote(value) for name, value in params.items()}
        birth = find_number(params["birth"], "Artifact")
        artifact = find_number(params["artifact"], "Artifact") if "artifact" in params else None
        if birth is None or ("artifact" in params and artifact is None):
            raise missing("This file")
        address = content.FileAddress(
            entity=params["entity"],
            project=params["project"],
            collection=params["collection"],
            version_id=artifact,
            birth_version_id=birth,
            md5_hex=params["digest"],
        )
        await self._give(
            request,
            basename or params["digest"],
            lambda ctx: content.open_addressed(ctx, address),
        )

    async def give_of_entity(self, request: Request) -> None:
        """A file of a team by its MD5, with an API key: the oldest form of addresses."""
        entity, digest = request.params["entity"], request.params["digest"]
        await self._give(request, digest, lambda ctx: content.open_of_entity(ctx, entity, digest))

    async def _give(
        self, request: Request, filename: str, open_it: Callable[[Context], BlobReader]
    ) -> None:
        actor = authenticate(self.ctx.database, request.header(b"authorization"))
        self.key_uses.note(actor)
        ctx = acting(self.ctx, actor, "sdk", request.scope)
        ctx.who  # noqa: B018  Raises for an anonymous asker.
        await send_blob(request, await in_thread(open_it, ctx), filename=filename)

    def _signed(self, request: Request, purpose: str) -> tuple[Context, tuple[int | str, ...]]:
        """The context of who asked for the address, and what it says."""
        fields = self.signer.verify(purpose, request.params["token"], time.time())
        actor = actor_of_user(self.ctx.database, _integer(fields[0]))
        if actor is None:
            raise Unauthenticated("Whoever asked for this address is not a user any more")
        return acting(self.ctx, actor, "sdk", request.scope), fields


def _integer(field: int | str) -> int:
    if isinstance(field, int):
        return field
    raise Unauthenticated("This address was not made by this server")


def _base64(md5_hex: str) -> str:
    return b64encode(bytes.fromhex(md5_hex)).decode()


def _hex(md5_base64: str) -> str:
    return b64decode(md5_base64).hex()


def _expected_md5(request: Request, announced: str | None) -> str | None:
    """The MD5 the body must have: as announced, and as the header says, which must agree."""
    value = request.header(MD5_HEADER)
    if value is None:
        return announced
    stated = value.decode("latin-1").strip()
    if announced is not None and stated != announced:
        raise Invalid(
            f"Content-MD5 is {stated[:80]!r}, but {announced!r} was announced", code="md5_differs"
        )
    return stated
