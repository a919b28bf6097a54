"""Does the server keep its deadlines, refuse hostile HTTP, and end well?"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from byname.http.message import App
from byname.http.server import ANSWER_HEADERS, HttpServer
from tests.faces.http.conftest import SHORT, Site, read_to_end, serving, until, without_extensions

GET = b"GET /blob/x HTTP/1.1\r\nHost: x\r\n"


class TestDeadlines:
    """L1, with half a second in the place of ten and thirty."""

    def test_slow_headers_are_refused(self, hasty: Site) -> None:
        begin = time.monotonic()
        with hasty.connect() as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost:")
            answer = read_to_end(sock)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert 0.4 < time.monotonic() - begin < 5

    def test_trickling_headers_are_refused_too(self, hasty: Site) -> None:
        begin = time.monotonic()
        with hasty.connect() as sock:
            try:
                while time.monotonic() - begin < 5:
                    sock.sendall(b"G")
                    time.sleep(0.05)
            except OSError:
                pass
        assert time.monotonic() - begin < 4

    def test_a_silent_connection_is_closed(self, hasty: Site) -> None:
        begin = time.monotonic()
        with hasty.connect() as sock:
            assert read_to_end(sock) == b""
        assert 0.4 < time.monotonic() - begin < 5

    def test_empty_lines_do_not_keep_a_connection(self, hasty: Site) -> None:
        begin = time.monotonic()
        with hasty.connect() as sock:
            sock.sendall(b"GET /no HTTP/1.1\r\nHost: x\r\n\r\n")
            assert sock.recv(10_000).startswith(b"HTTP/1.1 404 ")
            try:
                while time.monotonic() - begin < 8:
                    sock.sendall(b"\r\n")
                    time.sleep(0.1)
            except OSError:
                pass
        assert time.monotonic() - begin < 6

    @pytest.mark.parametrize("length", [1_000, 2_000_000])
    @pytest.mark.parametrize("path", [b"/upload", b"/echo"])
    def test_a_slow_body_is_refused_and_leaves_nothing(
        self, hasty: Site, path: bytes, length: int
    ) -> None:
        method = b"PUT" if path == b"/upload" else b"POST"
        begin = time.monotonic()
        with hasty.connect() as sock:
            sock.sendall(
                b"%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n[" % (method, path, length)
            )
            answer = b""
            sock.settimeout(0.1)
            while not answer and time.monotonic() - begin < 8:
                try:
                    answer = sock.recv(10_000)
                except TimeoutError:
                    sock.sendall(b" ")
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"body_too_slow" in answer
        assert time.monotonic() - begin < 5
        until(lambda: hasty.left_behind() == [])

    def test_a_body_which_is_fast_enough_may_take_long(self, hasty: Site) -> None:
        with hasty.connect() as sock:
            sock.sendall(b"PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 600000\r\n\r\n")
            for _ in range(20):
                sock.sendall(bytes(30_000))
                time.sleep(0.1)
            assert sock.recv(10_000).startswith(b"HTTP/1.1 200 ")

    @pytest.mark.parametrize("wrap", [lambda app: app, without_extensions])
    def test_a_reader_which_stops_is_cut_off(
        self, tmp_path: Path, wrap: Callable[[App], App]
    ) -> None:
        with serving(tmp_path / "data", deadlines=SHORT, wrap=wrap) as site:
            with site.store.begin(1) as writer:
                for _ in range(30):
                    writer.write(bytes(1 << 20))
                blob = writer.finish()
            with site.connect() as sock:
                sock.sendall(f"GET /blob/{blob.sha256} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                time.sleep(2)
                assert len(read_to_end(sock)) < blob.size

    def test_others_are_served_meanwhile(self, hasty: Site) -> None:
        crowd = [hasty.connect() for _ in range(200)]
        for number, sock in enumerate(crowd):
            if number % 2:
                sock.sendall(b"GET / HT")
            else:
                sock.sendall(b"PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n[")
        begin = time.monotonic()
        assert hasty.ask("POST", "/echo", b"[1]").body == b"[1]"
        assert time.monotonic() - begin < 2
        for sock in crowd:
            assert read_to_end(sock).startswith(b"HTTP/1.1 408 ")
            sock.close()

    def test_the_rest_of_a_refused_body_is_not_awaited_for_ever(self, hasty: Site) -> None:
        begin = time.monotonic()
        with hasty.connect() as sock:
            sock.sendall(b"PUT /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx")
            answers = read_to_end(sock)
        assert answers.startswith(b"HTTP/1.1 403 ")
        assert answers.count(b"HTTP/1.1 ") == 1
        assert time.monotonic() - begin < 4

    def test_an_idle_connection_is_closed(self, hasty: Site) -> None:
        with hasty.connect() as sock:
            for _ in range(2):
                sock.sendall(b"GET /no HTTP/1.1\r\nHost: x\r\n\r\n")
                assert sock.recv(10_000).startswith(b"HTTP/1.1 404 ")
                time.sleep(0.7)
            begin = time.monotonic()
            assert read_to_end(sock) == b""
            assert time.monotonic() - begin < 4


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
    def test_is_refused_with_a_4xx(self, hasty: Site, request_bytes: bytes) -> None:
        answer = hasty.raw(request_bytes)
        assert answer.startswith(b"HTTP/1.1 4"), answer[:100]
        for name, value in ANSWER_HEADERS:
            assert f"{name}: {value}\r\n".encode() in answer

    def test_endless_headers_are_refused(self, hasty: Site) -> None:
        with hasty.connect() as sock:
            sock.sendall(GET)
            try:
                for number in range(100):
                    sock.sendall(b"X-%d: %s\r\n" % (number, b"a" * 2_000))
            except OSError:
                assert number > 30
            assert read_to_end(sock).startswith(b"HTTP/1.1 431 ")

    def test_large_but_honest_headers_pass(self, hasty: Site) -> None:
        answer = hasty.ask("GET", "/blob/" + "x" * 20_000, headers={"A": "b" * 20_000})
        assert (answer.status, answer.error) == (400, "digest_malformed")


def test_every_answer_carries_the_standard_headers(hasty: Site) -> None:
    """A13."""
    for path in ("/nothing", "/crash", f"/blob/{'0' * 64}"):
        headers = hasty.ask("GET", path).headers
        for name, value in ANSWER_HEADERS:
            assert headers[name] == value
        assert "server" not in headers
        assert headers["x-request-id"]
    assert b"secret" not in hasty.ask("GET", "/crash").body


def test_a_taken_address_is_told_at_once() -> None:
    async def app(scope: object, receive: object, send: object) -> None:
        raise AssertionError

    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(OSError, match="in use"):
            HttpServer(app, port=taken.getsockname()[1])


PROGRAM = """
import asyncio, sys
from pathlib import Path
from byname.blobs.local import LocalBlobStore
from byname.http.body import receive_into
from byname.http.content import send_blob
from byname.http.message import send_json
from byname.http.router import Router
from byname.http.message import App
from byname.http.server import run_server

store = LocalBlobStore(Path(sys.argv[1]))

async def upload(request):
    blob = await receive_into(request, store.begin(1), limit=1 << 40)
    await send_json(request, blob.sha256)

async def download(request):
    await send_blob(request, store.open(1, request.params["sha256"]), filename="x")

async def slow(request):
    await asyncio.sleep(1)
    await send_json(request, "done")

async def ready(request):
    await send_json(request, "ready")

async def stuck(request):
    await asyncio.sleep(60)

app = Router()
app.add("PUT", "/upload", upload)
app.add("GET", "/blob/{sha256}", download)
app.add("GET", "/slow", slow)
app.add("GET", "/stuck", stuck)
app.add("GET", "/ready", ready)
code = run_server(
    app, "127.0.0.1", 0, grace_seconds=int(sys.argv[2]),
    on_started=lambda address: print(address, flush=True),
    on_stopping=lambda: print("stopping", flush=True),
)
print("ended", flush=True)
sys.exit(code)
"""


class Process:
    """The server in a process of its own."""

    def __init__(self, root: Path, grace_seconds: int = 30) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(root), str(grace_seconds)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.out = self.process.stdout
        self.netloc = self.out.readline().strip().removeprefix("http://")

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.netloc, timeout=60)

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
        time.sleep(0.3)
        process.process.send_signal(number)
        assert process.out.readline() == "stopping\n"
        answer = busy.getresponse()
        assert (answer.status, answer.read()) == (200, b'"done"')
        assert answer.getheader("connection") == "close" or busy.sock is None
        assert process.process.wait(20) == 0
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
        time.sleep(0.2)
        process.process.send_signal(signal.SIGTERM)
        assert process.out.readline() == "stopping\n"
        uploading.send(bytes(1_500_000))
        answer = uploading.getresponse()
        sha256 = orjson.loads(answer.read())
        assert process.process.wait(20) == 0
        assert (tmp_path / "data" / "blobs" / "1" / sha256[:2] / sha256).stat().st_size == 3_000_000
        uploading.close()

    def test_what_does_not_finish_is_given_up(self, tmp_path: Path) -> None:
        process = Process(tmp_path / "data", grace_seconds=1)
        connection = process.connection()
        connection.request("GET", "/stuck")
        time.sleep(0.2)
        begin = time.monotonic()
        process.process.send_signal(signal.SIGTERM)
        assert process.process.wait(20) == 0
        assert time.monotonic() - begin < 10
        connection.close()
        process.end()


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
