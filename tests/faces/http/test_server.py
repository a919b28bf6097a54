"""Does the server keep its deadlines, refuse hostile HTTP, and end well?"""

from __future__ import annotations

import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import orjson
import pytest

from byname.http.connection import Connection, Deadlines
from byname.http.message import App
from byname.http.server import ANSWER_HEADERS, HttpServer
from tests.faces.http.conftest import (
    PATIENCE_SECONDS,
    PATIENT,
    Site,
    read_answer,
    read_to_end,
    serving,
    until,
    without_extensions,
)

ATTEMPTS_MAX = 30
GET = b"GET /blob/x HTTP/1.1\r\nHost: x\r\n"


@contextmanager
def hasty(
    tmp_path: Path, wrap: Callable[[App], App] = lambda app: app, **few: float
) -> Iterator[Site]:
    """A server which in these things is not patient, and in all others is."""
    with serving(tmp_path / "data", deadlines=replace(PATIENT, **few), wrap=wrap) as site:  # type: ignore[arg-type]
        yield site


class TestDeadlines:
    """L1, with half a second in the place of ten and thirty; the others never come."""

    def test_slow_headers_are_refused(self, tmp_path: Path) -> None:
        with hasty(tmp_path, headers_seconds=0.5) as site:
            for _ in range(ATTEMPTS_MAX):
                begin = time.monotonic()
                with site.connect() as sock:
                    sock.sendall(b"GET / HTTP/1.1\r\nHost:")
                    answer = read_to_end(sock)
                assert time.monotonic() - begin > 0.4
                if answer:
                    break
                # This machine was so slow that the first byte came too late: then nothing is said.
        assert answer.startswith(b"HTTP/1.1 408 ")

    def test_trickling_headers_are_refused_too(self, tmp_path: Path) -> None:
        with hasty(tmp_path, headers_seconds=0.5) as site, site.connect() as sock:
            with pytest.raises(ConnectionError):
                trickle(sock, b"G")

    def test_a_silent_connection_is_closed(self, tmp_path: Path) -> None:
        with hasty(tmp_path, headers_seconds=0.5) as site:
            begin = time.monotonic()
            with site.connect() as sock:
                assert read_to_end(sock) == b""
            assert time.monotonic() - begin > 0.4

    def test_empty_lines_do_not_keep_a_connection(self, tmp_path: Path) -> None:
        with hasty(tmp_path, headers_seconds=0.5) as site:
            for _ in range(ATTEMPTS_MAX):
                with site.connect() as sock:
                    sock.sendall(b"GET /no HTTP/1.1\r\nHost: x\r\n\r\n")
                    answer = read_answer(sock)
                    if not answer:
                        # This machine was so slow that the request came too late.
                        continue
                    with pytest.raises(ConnectionError):
                        trickle(sock, b"\r\n")
                    break
        assert answer.startswith(b"HTTP/1.1 404 ")

    @pytest.mark.parametrize("length", [1_000, 2_000_000])
    @pytest.mark.parametrize("path", [b"/upload", b"/echo"])
    def test_a_slow_body_is_refused_and_leaves_nothing(
        self, tmp_path: Path, path: bytes, length: int
    ) -> None:
        method = b"PUT" if path == b"/upload" else b"POST"
        head = b"%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n[" % (method, path, length)
        with hasty(tmp_path, window_seconds=0.5) as site:
            with site.connect() as sock:
                sock.sendall(head)
                answer = b""
                sock.settimeout(0.1)
                # Fewer than the whole body, and far fewer than must come in a window.
                for _ in range(900):
                    try:
                        answer = sock.recv(10_000)
                        break
                    except TimeoutError:
                        sock.sendall(b" ")
                sock.settimeout(PATIENCE_SECONDS)
                answer += read_to_end(sock)
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert b"body_too_slow" in answer
            until(lambda: site.left_behind() == [])

    def test_a_body_which_is_fast_enough_may_take_long(self, tmp_path: Path) -> None:
        """It brings what it must in each window: the test ends them, and no clock does."""
        with hasty(tmp_path) as site, site.connect() as sock:
            sock.sendall(b"PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 600000\r\n\r\n")
            until(lambda: not site.at_rest)
            (connection,) = site.server._server.server_state.connections
            assert isinstance(connection, Connection)
            # The first window begins when the headers have been read.
            until(lambda: connection._timer_is_for == "body")
            for _ in range(20):
                sock.sendall(bytes(30_000))
                until(lambda: connection._window_bytes >= PATIENT.window_bytes_min)
                over = threading.Event()
                connection.loop.call_soon_threadsafe(
                    lambda over=over: (connection._body_window_over(), over.set())  # type: ignore[misc]
                )
                assert over.wait(PATIENCE_SECONDS)
            assert read_answer(sock).startswith(b"HTTP/1.1 200 ")

    @pytest.mark.parametrize("wrap", [lambda app: app, without_extensions])
    def test_a_reader_which_stops_is_cut_off(
        self, tmp_path: Path, wrap: Callable[[App], App], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lost = threading.Event()
        ended = Connection.connection_lost

        def note(self: Connection, exc: Exception | None) -> None:
            ended(self, exc)
            lost.set()

        monkeypatch.setattr(Connection, "connection_lost", note)
        with hasty(tmp_path, wrap, window_seconds=0.5) as site:
            with site.store.begin(1) as writer:
                for _ in range(30):
                    writer.write(bytes(1 << 20))
                blob = writer.finish()
            with site.connect() as sock:
                sock.sendall(f"GET /blob/{blob.sha256} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                assert lost.wait(PATIENCE_SECONDS)
                assert len(read_to_end(sock)) < blob.size

    def test_others_are_served_meanwhile(self, tmp_path: Path) -> None:
        with hasty(tmp_path) as site:
            crowd = crowd_of(site)
            assert site.ask("POST", "/echo", b"[1]").body == b"[1]"
            # Nobody of the crowd had been sent away by then.
            assert select.select(crowd, [], [], 0)[0] == []
            for sock in crowd:
                sock.close()

    def test_of_many_each_is_refused(self, tmp_path: Path) -> None:
        with hasty(tmp_path, headers_seconds=3, window_seconds=3) as site:
            for sock in crowd_of(site):
                assert read_to_end(sock).startswith(b"HTTP/1.1 408 ")
                sock.close()

    def test_the_rest_of_a_refused_body_is_not_awaited_for_ever(self, tmp_path: Path) -> None:
        with hasty(tmp_path, linger_seconds=0.5) as site, site.connect() as sock:
            sock.sendall(b"PUT /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx")
            answers = read_to_end(sock)
        assert answers.startswith(b"HTTP/1.1 403 ")
        assert answers.count(b"HTTP/1.1 ") == 1

    def test_an_idle_connection_is_closed(self, tmp_path: Path) -> None:
        """A second after its last request, however long it has been there."""
        ask = b"GET /no HTTP/1.1\r\nHost: x\r\n\r\n"
        with hasty(tmp_path, idle_seconds=1) as site:
            for _ in range(ATTEMPTS_MAX):
                with site.connect() as sock:
                    sock.sendall(ask)
                    assert read_answer(sock).startswith(b"HTTP/1.1 404 ")
                    begin = time.monotonic()
                    time.sleep(0.7)
                    try:
                        sock.sendall(ask)
                        answer = read_answer(sock)
                    except ConnectionError:
                        answer = b""
                    if not answer and time.monotonic() - begin > 0.9:
                        # This machine was so slow that the second request came too late.
                        continue
                    assert answer.startswith(b"HTTP/1.1 404 ")
                    begin = time.monotonic()
                    assert read_to_end(sock) == b""
                    assert time.monotonic() - begin > 0.7
                    break
        assert answer


def trickle(sock: socket.socket, piece: bytes) -> None:
    """Send it again and again, until the server has had enough."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        sock.sendall(piece)
        time.sleep(0.05)


def crowd_of(site: Site) -> list[socket.socket]:
    """Two hundred who have begun, and go no further: headers and bodies."""
    crowd = []
    for number in range(200):
        crowd.append(site.connect())
        crowd[-1].sendall(
            b"GET / HT"
            if number % 2
            else b"PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n["
        )
    return crowd


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Site]:
    """A server which closes connections on which nothing follows, and is patient else."""
    with hasty(tmp_path, idle_seconds=1) as site:
        yield site


class TestHostileHttp:
    """What no honest client sends."""

    @pytest.mark.parametrize(
        "request_bytes",
        [
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n[1]",
            b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Length: 3\r\n\r\n0\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1e3\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n",
            b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
            b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
            b"CONNECT evil:80 HTTP/1.1\r\nHost: x\r\n\r\n",
            b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        ],
    )
    def test_is_refused_with_a_4xx(self, patient: Site, request_bytes: bytes) -> None:
        answer = patient.raw(request_bytes)
        assert answer.startswith(b"HTTP/1.1 4"), answer[:100]
        for name, value in ANSWER_HEADERS:
            assert f"{name}: {value}\r\n".encode() in answer

    def test_endless_headers_are_refused(self, patient: Site) -> None:
        with patient.connect() as sock:
            sock.sendall(GET)
            try:
                for number in range(100):
                    sock.sendall(b"X-%d: %s\r\n" % (number, b"a" * 2_000))
            except OSError:
                assert number > 30
            assert read_to_end(sock).startswith(b"HTTP/1.1 431 ")

    def test_large_but_honest_headers_pass(self, patient: Site) -> None:
        answer = patient.ask("GET", "/blob/" + "x" * 20_000, headers={"A": "b" * 20_000})
        assert (answer.status, answer.error) == (400, "digest_malformed")


def test_every_answer_carries_the_standard_headers(patient: Site) -> None:
    """A13."""
    for path in ("/nothing", "/crash", f"/blob/{'0' * 64}"):
        headers = patient.ask("GET", path).headers
        for name, value in ANSWER_HEADERS:
            assert headers[name] == value
        assert "server" not in headers
        assert headers["x-request-id"]
    assert b"secret" not in patient.ask("GET", "/crash").body


def test_a_taken_address_is_told_at_once() -> None:
    async def app(scope: object, receive: object, send: object) -> None:
        raise AssertionError

    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(OSError, match="in use"):
            HttpServer(app, port=taken.getsockname()[1])


PROGRAM = """
import asyncio, json, sys
from pathlib import Path
from byname.blobs.local import LocalBlobStore
from byname.http.body import receive_into
from byname.http.connection import Deadlines
from byname.http.content import send_blob
from byname.http.message import send_json
from byname.http.router import Router
from byname.http.message import App
from byname.http.server import run_server

store = LocalBlobStore(Path(sys.argv[1]))

stopping = asyncio.Event()

async def upload(request):
    print("begun", flush=True)
    blob = await receive_into(request, store.begin(1), limit=1 << 40)
    await send_json(request, blob.sha256)

async def download(request):
    await send_blob(request, store.open(1, request.params["sha256"]), filename="x")

async def slow(request):
    print("begun", flush=True)
    await stopping.wait()
    await asyncio.sleep(0.5)
    await send_json(request, "done")

async def ready(request):
    await send_json(request, "ready")

async def stuck(request):
    print("begun", flush=True)
    await asyncio.sleep(3_600)

app = Router()
app.add("PUT", "/upload", upload)
app.add("GET", "/blob/{sha256}", download)
app.add("GET", "/slow", slow)
app.add("GET", "/stuck", stuck)
app.add("GET", "/ready", ready)
code = run_server(
    app, "127.0.0.1", 0, grace_seconds=int(sys.argv[2]), deadlines=Deadlines(**json.loads(sys.argv[3])),
    on_started=lambda address: print(address, flush=True),
    on_stopping=lambda: (stopping.set(), print("stopping", flush=True)),
)
print("ended", flush=True)
sys.exit(code)
"""


class Process:
    """The server in a process of its own."""

    def __init__(
        self, root: Path, *, grace_seconds: int = 30, deadlines: Deadlines = PATIENT
    ) -> None:
        given = json.dumps(asdict(deadlines))
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(root), str(grace_seconds), given],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.out = self.process.stdout
        self.netloc = self.out.readline().strip().removeprefix("http://")

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.netloc, timeout=240)

    def connect(self) -> socket.socket:
        host, _, port = self.netloc.rpartition(":")
        return socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS)

    def ask_ready(self) -> None:
        connection = self.connection()
        connection.request("GET", "/ready")
        assert connection.getresponse().read() == b'"ready"'
        connection.close()

    def resident_mebibytes_max(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1_024

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=30)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path / "data")
    yield process
    process.end()


class TestEnding:
    """F7."""

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_lets_requests_finish_and_exits_with_0(
        self, process: Process, number: signal.Signals
    ) -> None:
        idle, busy = process.connection(), process.connection()
        idle.request("GET", "/ready")
        assert idle.getresponse().read() == b'"ready"'
        busy.request("GET", "/slow")
        assert process.out.readline() == "begun\n"
        process.process.send_signal(number)
        assert process.out.readline() == "stopping\n"
        answer = busy.getresponse()
        assert (answer.status, answer.read()) == (200, b'"done"')
        assert answer.getheader("connection") == "close" or busy.sock is None
        assert process.process.wait(PATIENCE_SECONDS) == 0
        assert process.out.read() == "ended\n"
        with pytest.raises(OSError):
            process.connection().request("GET", "/ready")
        idle.close()
        busy.close()

    def test_an_upload_in_flight_is_acknowledged_or_leaves_nothing(
        self, process: Process, tmp_path: Path
    ) -> None:
        uploading = process.connection()
        uploading.putrequest("PUT", "/upload")
        uploading.putheader("Content-Length", "3000000")
        uploading.endheaders(bytes(1_500_000))
        assert process.out.readline() == "begun\n"
        process.process.send_signal(signal.SIGTERM)
        assert process.out.readline() == "stopping\n"
        uploading.send(bytes(1_500_000))
        answer = uploading.getresponse()
        sha256 = orjson.loads(answer.read())
        assert process.process.wait(PATIENCE_SECONDS) == 0
        assert (tmp_path / "data" / "blobs" / "1" / sha256[:2] / sha256).stat().st_size == 3_000_000
        uploading.close()

    def test_what_does_not_finish_is_given_up(self, tmp_path: Path) -> None:
        process = Process(tmp_path / "data", grace_seconds=1)
        connection = process.connection()
        connection.request("GET", "/stuck")
        assert process.out.readline() == "begun\n"
        process.process.send_signal(signal.SIGTERM)
        assert process.process.wait(PATIENCE_SECONDS) == 0
        connection.close()
        process.end()


ASK = b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n"
PUT = b"PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"


@contextmanager
def halted(process: Process) -> Iterator[None]:
    """The server does nothing meanwhile, as on a machine that is suspended."""
    process.process.send_signal(signal.SIGSTOP)
    state = Path(f"/proc/{process.process.pid}/stat")
    until(lambda: state.read_text().rpartition(")")[2].split()[0] == "T")
    try:
        yield
    finally:
        process.process.send_signal(signal.SIGCONT)


class TestHaltedServer:
    """F6: bytes that lie in the socket of a server which was halted did not come too late."""

    @pytest.mark.parametrize(
        ("deadline", "before", "meanwhile"),
        [
            ("headers_seconds", b"", ASK),
            ("headers_seconds", ASK[:10], ASK[10:]),
            ("idle_seconds", ASK, ASK),
            ("window_seconds", PUT % 3, b"abc"),
            ("window_seconds", PUT % 200_000 + bytes(1), bytes(199_999)),
        ],
        ids=["first request", "headers", "next request", "small body", "large body"],
    )
    def test_the_client_is_not_blamed(
        self, tmp_path: Path, deadline: str, before: bytes, meanwhile: bytes
    ) -> None:
        process = Process(tmp_path / "data", deadlines=replace(PATIENT, **{deadline: 1}))
        try:
            for _ in range(ATTEMPTS_MAX):
                with process.connect() as sock:
                    sock.sendall(before)
                    if before == ASK:
                        assert read_answer(sock).endswith(b'"ready"')
                    # Whoever connects later is answered: so the server has seen this one.
                    process.ask_ready()
                    with halted(process):
                        late = select.select([sock], [], [], 0)[0] != []
                        if not late:
                            sock.sendall(meanwhile)
                            time.sleep(1.2)
                    if late:
                        # This machine was so slow that the client's time was over before.
                        continue
                    assert read_answer(sock).startswith(b"HTTP/1.1 200 ")
                    break
            assert not late
        finally:
            process.end()

    def test_a_reader_who_has_read_meanwhile_is_not_blamed(self, tmp_path: Path) -> None:
        with hasty(tmp_path, window_seconds=1) as site:
            with site.store.begin(1) as writer:
                for _ in range(30):
                    writer.write(bytes(1 << 20))
                blob = writer.finish()
            for _ in range(ATTEMPTS_MAX):
                with site.connect() as sock:
                    sock.sendall(b"GET /blob/%s HTTP/1.1\r\nHost: x\r\n" % blob.sha256.encode())
                    sock.sendall(b"Connection: close\r\n\r\n")
                    # Once what lies between the two is full, the server waits for us.
                    assert select.select([sock], [], [], PATIENCE_SECONDS)[0]
                    time.sleep(0.3)
                    (connection,) = site.server._server.server_state.connections
                    assert isinstance(connection, Connection)
                    with halted_loop(connection) as was_open:
                        received = read_what_is_there(sock)
                        time.sleep(1.2)
                    received += len(read_to_end(sock))
                if was_open:
                    break
                # This machine was so slow that we were late indeed.
                until(lambda: site.at_rest)
            assert received > blob.size


@contextmanager
def halted_loop(connection: Connection) -> Iterator[list[bool]]:
    """The server's loop does nothing meanwhile; something is in the list if it still had the client."""
    began, go_on = threading.Event(), threading.Event()
    was_open: list[bool] = []

    def halt() -> None:
        was_open.extend([True] * (not connection.transport.is_closing()))
        began.set()
        go_on.wait(PATIENCE_SECONDS)

    connection.loop.call_soon_threadsafe(halt)
    assert began.wait(PATIENCE_SECONDS)
    try:
        yield was_open
    finally:
        go_on.set()


def read_what_is_there(sock: socket.socket) -> int:
    count = 0
    while select.select([sock], [], [], 0.1)[0]:
        count += len(sock.recv(1 << 20))
    return count


def test_memory_does_not_grow_with_the_size_of_files(process: Process, tmp_path: Path) -> None:
    """Issue 2, section 4: less than 64 MiB while large files go up and come down."""
    connection = process.connection()
    connection.request("GET", "/ready")
    connection.getresponse().read()
    before = process.resident_mebibytes_max()
    mebibytes = 1_024
    block = os.urandom(1 << 20)
    connection.putrequest("PUT", "/upload")
    connection.putheader("Content-Length", str(mebibytes << 20))
    connection.endheaders()
    for _ in range(mebibytes):
        connection.send(block)
    sha256 = orjson.loads(connection.getresponse().read())
    connection.request("GET", f"/blob/{sha256}")
    answer = connection.getresponse()
    received = 0
    buffer = bytearray(1 << 20)
    while count := answer.readinto(buffer):
        assert buffer[0] == block[received & 0xFFFFF]
        received += count
    connection.close()
    assert received == mebibytes << 20
    assert process.resident_mebibytes_max() - before < 64
    for path in (tmp_path / "data" / "blobs").rglob(sha256):
        path.unlink()
