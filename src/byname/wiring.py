"""The one file that connects the parts: from settings to a server that answers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from byname import __version__
from byname.automations.fetch import Fetcher
from byname.automations.sender import Sender
from byname.automations.worker import Worker
from byname.blobs.local import LocalBlobStore
from byname.domain.errors import Unavailable
from byname.domain.project import Project
from byname.domain.reading import Readings
from byname.domain.refusal import Refusals
from byname.graphql.engine.engine import Engine
from byname.graphql.face import GraphQLFace
from byname.graphql.nouns import make_schema
from byname.http.addresses import Addresses
from byname.http.authentication import KeyUses
from byname.http.links import Signer
from byname.http.message import App, Receive, Request, Scope, Send, send_json
from byname.http.refusals import Refusals as RefusalNotes
from byname.http.router import Router
from byname.http.server import HttpServer
from byname.http.watchers import Watchers
from byname.http.writes import Writes
from byname.operations import delivery, expiry, gc, reading, refusal, run_event, secret, setup
from byname.operations.context import Context, PageOf, now_microseconds
from byname.operations.health import About, Jobs, SettingInForce
from byname.operations.identity import Provisioning
from byname.operations.pulse import Pulse
from byname.rest import alias
from byname.rest.alias_wait import AliasWait
from byname.rest.api import make_api
from byname.rest.content import Bytes
from byname.rest.event_stream import Events
from byname.rest.file_stream import FileStream
from byname.rest.hearing import Hearing
from byname.rest.preflight import Preflight
from byname.rest.resolve import Resolve
from byname.rest.run_file import RunFiles
from byname.rest.telemetry import Telemetry
from byname.settings import SECRET_LENGTH_MIN, Settings
from byname.store.database import Database
from byname.store.migration import migrate
from byname.store.vault import Vault, is_used, read_keys
from byname.web import looks
from byname.web.pages import add_pages

if TYPE_CHECKING:
    from byname.web.oidc import OidcLogin

logger = logging.getLogger("byname")

SAVE_USES_SECONDS = 60.0
SAVE_READINGS_SECONDS = 15.0
SWEEP_SECONDS = 3600.0
CHECKPOINT_SECONDS = 30.0
SILENT_SECONDS = 60.0
DATABASE_FILE = "byname.db"
OTHER_FILES = 2_048
"""What may be open beside the connections of those who watch."""
SECRET_FILE = "secret.key"  # noqa: S105  The name of a file.
ENCRYPTION_FILE = "encryption.key"


def build_context(settings: Settings) -> Context:
    """The data folder exists, its database has today's schema; the parts of a server on it.

    Raises:
        Unavailable: the folder cannot be used, or was made by a newer Byname.
    """
    folder = settings.data.absolute()
    try:
        # Files hold what people trust us with: nobody else on the machine may read along.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        database = Database(folder / DATABASE_FILE)
        migrate(database)
        return Context(
            database=database,
            blobs=LocalBlobStore(folder),
            targets=settings.targets,
            vault=open_vault(settings, database),
        )
    except OSError as error:
        raise Unavailable(f"The data folder {folder} cannot be used: {error.strerror}") from error


def open_vault(settings: Settings, database: Database) -> Vault:
    """What encrypts the secrets of teams, with the keys from the settings or from their file.

    The file is made with the first use of the database, and never again: a lost key is said to be
    lost, and not replaced by one that opens nothing.

    Raises:
        Unavailable: the key is missing, damaged, or not the one that the database was used with.
    """
    file = settings.data.absolute() / ENCRYPTION_FILE
    given = settings.encryption_key
    with database.read() as tx:
        used = is_used(tx)
    if given is not None:
        vault = Vault([key.strip() for key in given.get_secret_value().split(",")])
        wrong = "BYNAME_ENCRYPTION_KEY is not the key"
    else:
        if not file.exists():
            if used:
                raise Unavailable(
                    f"The encryption key {file} is missing; the secrets in the database cannot be "
                    "read without it. Put it back, or say it as BYNAME_ENCRYPTION_KEY"
                )
            _make_secret(file)
        vault = Vault(file=file)
        wrong = f"{file} does not hold the key"
    with database.read() as tx:
        fits = vault.fits(tx)
    if not fits:
        raise Unavailable(f"{wrong} that the secrets in the database are encrypted with")
    if not used:
        with database.write() as tx:
            vault.close(tx)
    return vault


def rotate_encryption_key(settings: Settings) -> int:
    """All secrets are encrypted with a new key; how many values there are (R148).

    - The key in the file is replaced by a new one. A server that runs notices it by itself.
    - With BYNAME_ENCRYPTION_KEY it is the first key there; the others can be taken out afterwards.

    A kill at any time leaves a file with every key that a value is encrypted with.

    Raises:
        Unavailable: the data folder or the present key cannot be used.
    """
    ctx = build_context(settings)
    file = settings.data.absolute() / ENCRYPTION_FILE
    try:
        if settings.encryption_key is not None:
            return secret.reseal(ctx)
        fresh = secrets.token_urlsafe(48)
        _replace_file(file, "\n".join([fresh, *read_keys(file)]))
        count = secret.reseal(ctx)
        _replace_file(file, fresh)
        return count
    finally:
        ctx.blobs.close()
        ctx.database.close()


def _replace_file(path: Path, text: str) -> None:
    """The file holds this: whole or as before, whatever happens."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    _sync_folder(path.parent)


def read_secret(settings: Settings) -> bytes:
    """The key that signs addresses: from the settings, or from its file, made at the first call.

    Raises:
        Unavailable: the file is too short to be a key, or cannot be read or made.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    path = settings.data.absolute() / SECRET_FILE
    try:
        if not path.exists():
            _make_secret(path)
        secret = path.read_bytes().strip()
    except OSError as error:
        raise Unavailable(f"The secret key {path} cannot be used: {error.strerror}") from error
    if len(secret) < SECRET_LENGTH_MIN:
        raise Unavailable(f"The secret key {path} is damaged: it has only {len(secret)} bytes")
    return secret


def _make_secret(path: Path) -> None:
    """The file holds a new key: whole or not at all, and the same for all who start at once."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_urlsafe(48).encode())
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a rename, never replaces a key that another process has just made.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(temporary)
    finally:
        temporary.unlink()
    _sync_folder(path.parent)


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def build_oidc(settings: Settings) -> OidcLogin | None:
    """How people log in with a provider; None where the settings name none.

    Raises:
        Unavailable: the settings are not whole, or what it needs is not installed.
    """
    if not settings.oidc_issuer:
        return None
    if not settings.oidc_client_id:
        raise Unavailable("BYNAME_OIDC_CLIENT_ID must say what the provider calls this server")
    try:
        from byname.http.identity import Provider
        from byname.web.oidc import OidcLogin
    except ImportError as error:
        raise Unavailable(
            f"Logging in with a provider needs {error.name}: "
            'pip install ".[server,oidc]" in a clone of Byname'
        ) from error
    secret = settings.oidc_client_secret
    provider = Provider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=None if secret is None else secret.get_secret_value(),
        name=settings.oidc_name,
        scopes=settings.oidc_scopes,
        fetch=Fetcher(settings.oidc_issuer, settings.targets),
    )
    return OidcLogin(provider, Provisioning(settings.oidc_create_users, settings.oidc_organization))


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the server takes requests, for those who ask before they send some."""

    ctx: Context
    stopping: threading.Event

    def add_routes(self, router: Router) -> None:
        """The router answers `/live` and `/ready`."""
        router.add("GET", "/live", self.live, any_host=True)
        router.add("GET", "/ready", self.ready, any_host=True)

    async def live(self, request: Request) -> None:
        """The process is there."""
        await send_json(request, {"status": "live", "version": __version__})

    async def ready(self, request: Request) -> None:
        """The database answers, and the server is not about to stop; else 503."""
        if self.stopping.is_set():
            raise Unavailable("The server is stopping")
        with self.ctx.database.read() as tx:
            tx.one("SELECT 1")
        await send_json(request, {"status": "ready", "version": __version__})


class OnDemand:
    """An application that is made when the first request for it comes.

    What it is made of takes a second to load, which most servers never need.
    """

    def __init__(self, make: Callable[[], App]) -> None:
        self._make = make
        self._app: App | None = None
        self._lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI call."""
        if self._app is None:
            async with self._lock:
                if self._app is None:
                    self._app = await asyncio.to_thread(self._make)
        await self._app(scope, receive, send)


def _make_scim(ctx: Context, uses: KeyUses, addresses: Addresses) -> App:
    from byname.rest.provisioning import make_scim

    return make_scim(ctx, uses, addresses)


class Application:
    """All faces on one server state, ready to be served."""

    def __init__(self, ctx: Context, signer: Signer, settings: Settings) -> None:
        self._sender = Sender(ctx.targets)
        self.ctx = ctx = replace(ctx, sender=self._sender, readings=Readings(), refusals=Refusals())
        self.stopping = threading.Event()
        self.pulse = Pulse(ctx.database)
        """Wakes whoever waits for a commit, of this process or another."""
        self._signer = signer
        self._settings = settings
        self._uses = KeyUses()
        self._about = About(
            __version__,
            datetime.now(UTC),
            [SettingInForce(*each) for each in settings.in_force()],
        )
        self._writes = Writes(ctx.database)
        self._engine = Engine(make_schema())
        self._graphql: GraphQLFace | None = None
        self._worker: Worker | None = None
        self.router = Router(
            allowed_hosts=settings.allowed_hosts,
            lifespan=self._living,
            on_refused=RefusalNotes(ctx).note,
        )

    def open(self, listening: str) -> None:
        """The router answers for every face. `listening` is the address of the server itself."""
        page_of = pages_at(self._settings.public_url or listening)
        self.ctx = replace(self.ctx, page_of=page_of)
        ctx, signer, router, uses = self.ctx, self._signer, self.router, self._uses
        public_url = self._settings.public_url
        addresses = Addresses(
            public_url or listening,
            signer,
            self._settings.link_seconds,
            follow_host=not public_url,
        )
        self._graphql = GraphQLFace(self._engine, ctx, addresses, self._writes, uses)
        Health(ctx, self.stopping).add_routes(router)
        Telemetry().add_routes(router)
        router.add("POST", "/graphql", self._graphql.handle)
        router.add("GET", "/api/v1/resolve", Resolve(ctx, addresses, uses).handle)
        Bytes(ctx, signer, self._writes, uses).add_routes(router)
        FileStream(ctx, self._writes, uses).add_routes(router)
        RunFiles(ctx, signer, self._writes, uses).add_routes(router)
        Preflight(addresses).add_routes(router)
        add_pages(
            router,
            ctx,
            signer,
            public_url or listening,
            about=self._about,
            oidc=build_oidc(self._settings),
        )
        api = make_api(ctx, uses, addresses, self._about)
        hearing = Hearing(ctx, uses)
        watchers = Watchers(ctx.database, self.pulse, watchers_max=self._settings.watchers_max)
        router.add("GET", "/api/v1/events", Events(hearing, watchers).handle)
        router.add("GET", f"/api/v1{alias.ALIAS}", AliasWait(hearing, watchers, api).handle)
        router.mount("/api", api)
        router.mount("/admin/audit_logs", api)
        router.mount("/scim", OnDemand(lambda: _make_scim(ctx, uses, addresses)))
        self._worker = Worker(ctx, self._sender, self.pulse, page_of)

    @contextlib.asynccontextmanager
    async def _living(self) -> AsyncIterator[None]:
        jobs = [
            self._start("Note the last use of keys", SAVE_USES_SECONDS, self._uses.save, self.ctx),
            self._start("Note who read what", SAVE_READINGS_SECONDS, reading.save, self.ctx),
            self._start("Note what was refused", SAVE_READINGS_SECONDS, refusal.save, self.ctx),
            self._start("Expire and collect garbage", SWEEP_SECONDS, clean_up, self.ctx),
            self._start("Notice silent runs", SILENT_SECONDS, run_event.notice_silence, self.ctx),
            self._start("Fold in the log", CHECKPOINT_SECONDS, self.ctx.database.checkpoint),
            self._start(
                "Forget old executions",
                SWEEP_SECONDS,
                delivery.forget_old,
                self.ctx,
                self._settings.execution_days,
            ),
        ]
        if self._worker is not None:
            self._worker.start()
        try:
            yield
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
            await asyncio.to_thread(self.close)

    def begin_to_stop(self) -> None:
        """Nobody is sent here any more, and whoever waits for a change is answered now (F7)."""
        self.stopping.set()
        self.pulse.close()

    def _start(
        self, name: str, seconds: float, job: Callable[..., object], *args: Any
    ) -> asyncio.Task[None]:
        self._about.jobs.add(name, seconds)
        return asyncio.create_task(_repeat(self._about.jobs, name, seconds, job, *args))

    def close(self) -> None:
        """What was accepted is done and on disk."""
        self.pulse.close()
        if self._worker is not None:
            self._worker.stop()
        self._sender.close()
        if self._graphql is not None:
            self._graphql.close()
        self._writes.close()
        self._uses.save(self.ctx)
        reading.save(self.ctx)
        refusal.save(self.ctx)


def pages_at(address: str) -> PageOf:
    """Gives the pages of versions and collections on the server at that address."""

    def page_of(project: Project, collection: str, number: int | None, type_name: str) -> str:
        path = (
            looks.collection_path(project, collection, type_name)
            if number is None
            else looks.version_path(project, collection, number, type_name)
        )
        return f"{address}/{path}"

    return page_of


def clean_up(ctx: Context) -> None:
    """What is past its time is deleted (R165), and what nobody needs leaves no bytes (R163, L9)."""
    expired = expiry.expire(ctx)
    done = gc.collect(ctx)
    if expired or done.freed_bytes or done.uploads_given_up:
        logger.info(
            "Expired versions: %d. Freed bytes: %d. Uploads given up: %d.",
            expired,
            done.freed_bytes,
            done.uploads_given_up,
        )


async def _repeat(
    jobs: Jobs, name: str, seconds: float, job: Callable[..., object], *args: Any
) -> None:
    while True:
        await asyncio.sleep(seconds)
        began = time.monotonic()
        failure = None
        try:
            await asyncio.to_thread(job, *args)
        except Exception as error:
            failure = type(error).__name__
            logger.exception("A job of the server itself failed; it is tried again later")
        took = time.monotonic() - began
        jobs.note(name, at=now_microseconds(), took_seconds=took, failure=failure)


def allow_connections(count: int) -> None:
    """The process may have so many connections and files open, as far as the machine allows.

    Many systems give a process 1,024 at first, and more to whoever asks.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; the exit code.

    Raises:
        OSError: the network address cannot be had.
        Unavailable: the data folder cannot be used.
    """
    ctx = build_context(settings)
    signer = Signer(read_secret(settings))
    allow_connections(settings.watchers_max + OTHER_FILES)

    def announce(listening: str) -> None:
        print(f"Byname listens on {listening}", flush=True)  # noqa: T201  For who started it.
        token = setup.offer_token(ctx)
        if token is not None:
            print(  # noqa: T201
                f"This server has no administrator yet. Set it up here, once:\n"
                f"  {settings.public_url or listening}/setup?token={token}",
                flush=True,
            )

    application = Application(ctx, signer, settings)
    server = HttpServer(
        application.router,
        host=settings.host,
        port=settings.port,
        on_started=announce,
        on_stopping=application.begin_to_stop,
    )
    application.open(server.address)
    try:
        return server.run()
    finally:
        ctx.blobs.close()
        ctx.database.close()
