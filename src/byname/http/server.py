"""How does the server run, and how does it end? uvicorn in this process, by its own interface.

At SIGTERM or SIGINT it takes no new connections, finishes what is in flight for up to 30 seconds,
and ends with exit code 0 (F7).
"""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import uvicorn

from byname.http.connection import Connection, Deadlines, ServerConfig
from byname.http.message import App

GRACE_SECONDS = 30
START_SECONDS_MAX = 60

ANSWER_HEADERS = (
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
)
"""On every answer, errors of the HTTP parser included (A13)."""

Notice = Callable[[], None]


class HttpServer:
    """One server on one address. Run it in the main thread, or start and stop it from a test."""

    def __init__(
        self,
        app: App,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        deadlines: Deadlines | None = None,
        grace_seconds: int = GRACE_SECONDS,
        trusted_proxies: str | None = None,
        on_started: Callable[[str], None] | None = None,
        on_stopping: Notice | None = None,
    ) -> None:
        """Take the address at once, so that its being taken is told before anything starts.

        `on_started(address)` is called once it listens; `on_stopping()` when it begins to end:
        readiness should turn off there. `trusted_proxies` lists addresses whose
        `X-Forwarded-For` and `X-Forwarded-Proto` are believed.

        Raises:
            OSError: the address cannot be had.
        """
        deadlines = Deadlines() if deadlines is None else deadlines
        config = ServerConfig(
            app,
            http=Connection,
            loop="uvloop",
            ws="none",
            lifespan="on",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=trusted_proxies is not None,
            forwarded_allow_ips=trusted_proxies,
            timeout_keep_alive=deadlines.idle_seconds,
            timeout_graceful_shutdown=grace_seconds,
            headers=list(ANSWER_HEADERS),
        )
        config.deadlines = deadlines
        self._socket = listen(host, port)
        self._host, self._port = self._socket.getsockname()[:2]
        self._server = _Server(config, self._started, on_stopping)
        self._on_started = on_started
        self._listening = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        """Where it listens, as `http://host:port`."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    def run(self) -> int:
        """Serve until a signal or `stop`; the exit code for the process, 0 after a clean end.

        Raises:
            SystemExit: the application could not start.
        """
        self._server.run(sockets=[self._socket])
        return 0

    def start(self) -> None:
        """Serve in a thread of its own; returns once it listens.

        Raises:
            RuntimeError: it could not start.
        """
        self._thread = threading.Thread(target=self._run_in_thread, name="http-server", daemon=True)
        self._thread.start()
        if not self._listening.wait(START_SECONDS_MAX) or not self._server.started:
            raise RuntimeError("The server did not start; the log says why")

    def stop(self) -> None:
        """End as at SIGTERM, from any thread; waits when it runs in a thread of its own."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run_in_thread(self) -> None:
        with contextlib.suppress(SystemExit):
            self.run()
        self._listening.set()

    def _started(self) -> None:
        if self._on_started is not None:
            self._on_started(self.address)
        self._listening.set()


def run_server(
    app: App,
    host: str,
    port: int,
    *,
    deadlines: Deadlines | None = None,
    grace_seconds: int = GRACE_SECONDS,
    trusted_proxies: str | None = None,
    on_started: Callable[[str], None] | None = None,
    on_stopping: Notice | None = None,
) -> int:
    """Serve until SIGTERM or SIGINT; the exit code. See `HttpServer` for what the rest means.

    Raises:
        OSError: the address cannot be had.
    """
    server = HttpServer(
        app,
        host=host,
        port=port,
        deadlines=deadlines,
        grace_seconds=grace_seconds,
        trusted_proxies=trusted_proxies,
        on_started=on_started,
        on_stopping=on_stopping,
    )
    return server.run()


class _Server(uvicorn.Server):
    """uvicorn's server, which tells when it begins and ends, and survives its own signals."""

    def __init__(
        self, config: ServerConfig, on_started: Notice, on_stopping: Notice | None
    ) -> None:
        super().__init__(config)
        self._on_started = on_started
        self._on_stopping = on_stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # Headers for all answers are made in the first tick; a client may be faster than that.
        await self.on_tick(0)
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._on_stopping is not None:
            self._on_stopping()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals while serving. uvicorn would raise them again, and exit with 143."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        handled = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in handled}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises OSError, as where the port is taken."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(2_048)
    except BaseException:
        sock.close()
        raise
    return sock
