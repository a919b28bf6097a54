"""The bytes of runs' files: signed addresses that take and give them, and lasting ones with a key."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from byname.blobs.store import BlobReader
from byname.domain.errors import Unauthenticated
from byname.domain.run import RunFile
from byname.http.asked import acting
from byname.http.authentication import KeyUses, actor_of_user, authenticate
from byname.http.body import receive_into
from byname.http.content import send_blob
from byname.http.links import Signer
from byname.http.message import Request, send_empty
from byname.http.router import Router
from byname.http.threads import in_thread
from byname.http.writes import Writes
from byname.operations import run_file
from byname.operations.context import Context

UPLOAD_BYTES_MAX = 5 * 1024**4
BRING, FETCH = "run-file", "run-file-get"
"""The purposes of signed addresses, as `graphql/file.py` signs them."""


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The handlers of all addresses under which files of runs are brought and fetched."""

    ctx: Context
    signer: Signer
    writes: Writes
    key_uses: KeyUses

    def add_routes(self, router: Router) -> None:
        """The router answers all addresses of runs' files."""
        router.add("PUT", f"/content/{BRING}/{{token}}", self.take)
        router.add("GET", f"/content/{FETCH}/{{token}}", self.give_signed)
        router.add("GET", "/files/{entity}/{project}/{run}/{name}", self.give)

    async def take(self, request: Request) -> None:
        """Keep a file of a run; 200 when it is on disk and known. An earlier one is replaced.

        Raises:
            Unauthenticated: the address is not ours, has expired, or its owner is gone.
            NotFound, Forbidden: its owner may not send files to the run (any more).
            Invalid, TooLarge, StorageFull: as `receive_into`; nothing is kept.
        """
        ctx, fields = self._signed(request, BRING)
        run_id, name = _integer(fields[1]), str(fields[2])
        stated = request.header(b"content-md5")
        stored = await receive_into(
            request,
            run_file.begin(ctx, run_id),
            limit=UPLOAD_BYTES_MAX,
            expected_md5=None if stated is None else stated.decode("latin-1").strip(),
        )
        await self.writes.run(lambda: run_file.keep(ctx, run_id, name, stored))
        await send_empty(request, 200)

    async def give_signed(self, request: Request) -> None:
        """A file, by its signed address. An `Authorization` header beside it is not looked at."""
        ctx, fields = self._signed(request, FETCH)
        file_id = _integer(fields[1])
        await self._send(request, lambda: run_file.open_content(ctx, file_id))

    async def give(self, request: Request) -> None:
        """A file by its path, with an API key."""
        actor = authenticate(self.ctx.database, request.header(b"authorization"))
        self.key_uses.note(actor)
        ctx = acting(self.ctx, actor, "sdk", request.scope)
        ctx.who  # noqa: B018  Raises for an anonymous asker.
        params = request.params
        await self._send(
            request,
            lambda: run_file.open_content_by_name(
                ctx, params["entity"], params["project"], params["run"], params["name"]
            ),
        )

    async def _send(
        self, request: Request, open_it: Callable[[], tuple[RunFile, BlobReader]]
    ) -> None:
        file, reader = await in_thread(open_it)
        await send_blob(request, reader, filename=file.name)

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
