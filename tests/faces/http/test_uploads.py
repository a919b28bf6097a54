"""Do the bytes of an upload arrive whole, or not at all?"""

from __future__ import annotations

import base64
import hashlib
import http.client
import random
import socket
import struct
import threading
import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from byname.domain.errors import StorageFull
from byname.http import connection as connections
from byname.http.body import SMALL_BYTES_MAX
from byname.http.connection import BODY_EXTENSION, SENDFILE_EXTENSION, Connection
from byname.http.message import App, Receive, Scope, Send
from tests.faces.http.conftest import UPLOAD_BYTES_MAX, Site, read_to_end, serving, until

MEBIBYTE = 1 << 20
SIZES = [0, 1, 100_000, SMALL_BYTES_MAX, SMALL_BYTES_MAX + 1, MEBIBYTE, 3 * MEBIBYTE + 17]


def content(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def head(length: int, more: str = "") -> bytes:
    return f"PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{more}\r\n".encode()


class TestWholeUploads:
    """Acknowledged means kept, hashed and readable."""

    @pytest.mark.parametrize("size", SIZES)
    def test_are_kept_and_described(self, site: Site, size: int) -> None:
        body = content(size)
        md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
        answer = site.ask("PUT", f"/upload?length={size}&md5={md5.replace('+', '%2B')}", body)
        assert answer.status == 200
        sha256 = hashlib.sha256(body).hexdigest()
        assert orjson.loads(answer.body) == {"sha256": sha256, "md5": md5, "size": size}
        assert site.left_behind() == [f"blobs/1/{sha256[:2]}/{sha256}"]
        assert site.ask("GET", f"/blob/{sha256}").body == body

    def test_in_chunks_of_unknown_number_are_kept_too(self, site: Site) -> None:
        body = content(2 * MEBIBYTE + 5)
        pieces = iter([body[:10], body[10:MEBIBYTE], body[MEBIBYTE:]])
        answer = site.ask("PUT", f"/upload?length={len(body)}", pieces)
        assert orjson.loads(answer.body)["sha256"] == hashlib.sha256(body).hexdigest()

    def test_follow_each_other_on_one_connection_with_other_requests(self, site: Site) -> None:
        connection = http.client.HTTPConnection(site.netloc, timeout=30)
        for size in [*SIZES, *reversed(SIZES)]:
            body = content(size)
            connection.request("PUT", "/upload", body)
            assert orjson.loads(connection.getresponse().read())["size"] == size
            connection.request("POST", "/echo", b"[1]")
            assert connection.getresponse().read() == b"[1]"
            connection.request("GET", f"/blob/{hashlib.sha256(body).hexdigest()}")
            assert connection.getresponse().read() == body
        connection.close()

    def test_may_ask_first_whether_to_send(self, site: Site) -> None:
        body = content(MEBIBYTE)
        with site.connect() as sock:
            sock.sendall(head(len(body), "Expect: 100-continue\r\nConnection: close\r\n"))
            assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            sock.sendall(body)
            assert hashlib.sha256(body).hexdigest().encode() in read_to_end(sock)

    def test_the_next_request_may_come_with_the_last_bytes(self, site: Site) -> None:
        """Pipelining: the body's reader must not swallow what follows."""
        body = content(MEBIBYTE)
        after = (
            b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\n[2]"
        )
        answers = site.raw(head(len(body)) + body + after)
        assert hashlib.sha256(body).hexdigest().encode() in answers
        assert answers.endswith(b"[2]")

    def test_of_a_hundred_at_once_none_is_mixed_up(self, site: Site) -> None:
        connections = []
        for number in range(100):
            sock = site.connect()
            body = bytes([number]) * (300_000 + number)
            sock.sendall(head(len(body), "Connection: close\r\n") + body[:100_000])
            connections.append((sock, body))
        for sock, body in reversed(connections):
            sock.sendall(body[100_000:])
            assert hashlib.sha256(body).hexdigest().encode() in read_to_end(sock)
            sock.close()


class TestRefusedUploads:
    """Each is answered with a clear 4xx and leaves nothing (D6, F2)."""

    @pytest.mark.parametrize("size", SIZES[1:])
    def test_another_md5(self, site: Site, size: int) -> None:
        wrong = base64.b64encode(bytes(16)).decode()
        answer = site.ask("PUT", f"/upload?md5={wrong}", content(size))
        assert (answer.status, answer.error) == (400, "digest_mismatch")
        assert site.left_behind() == []

    @pytest.mark.parametrize("size", SIZES[1:])
    @pytest.mark.parametrize("difference", [-1, 1])
    def test_another_length_than_announced(self, site: Site, size: int, difference: int) -> None:
        answer = site.ask("PUT", f"/upload?length={size + difference}", content(size))
        assert (answer.status, answer.error) == (400, "length_mismatch")
        assert site.left_behind() == []

    @pytest.mark.parametrize("difference", [-1, 1])
    def test_another_length_in_chunks(self, site: Site, difference: int) -> None:
        body = content(MEBIBYTE)
        answer = site.ask("PUT", f"/upload?length={len(body) + difference}", iter([body]))
        assert (answer.status, answer.error) == (400, "length_mismatch")
        assert site.left_behind() == []

    def test_over_the_limit_by_its_own_account(self, site: Site) -> None:
        with site.connect() as sock:
            sock.sendall(head(UPLOAD_BYTES_MAX + 1, "Expect: 100-continue\r\n"))
            assert sock.recv(65_536).startswith(b"HTTP/1.1 413 ")
        assert site.left_behind() == []

    @pytest.mark.parametrize("size", [1, MEBIBYTE])
    @pytest.mark.parametrize("share", ["nothing", "one byte", "half", "all but the last byte"])
    @pytest.mark.parametrize("manner", ["close", "half-close", "reset"])
    def test_cut_off(self, site: Site, size: int, share: str, manner: str) -> None:
        body = content(size)
        sent = {"nothing": 0, "one byte": 1, "half": size // 2}.get(share, size - 1)
        sock = site.connect()
        sock.sendall(head(size) + body[: min(sent, size - 1)])
        time.sleep(0.02)
        if manner == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if manner == "half-close":
            sock.shutdown(socket.SHUT_WR)
            assert b" 200 " not in read_to_end(sock)
        sock.close()
        # By the answer to the next, the server has taken this connection in; then it is done with it.
        assert site.ask("POST", "/echo", b"[]").status == 200
        until(lambda: site.at_rest)
        assert site.left_behind() == []

    def test_by_a_full_disk(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """F1: a clear 507, reading goes on, and it works again once there is room."""
        disk = site.store._disk
        real = disk.write
        kept = orjson.loads(site.ask("PUT", "/upload", b"kept").body)["sha256"]

        def full(fd: int, piece: bytes) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(disk, "write", full)
        for size in (10, 20 * MEBIBYTE):
            with site.connect() as sock:
                sock.sendall(head(size))
                try:
                    sock.sendall(content(size))
                except OSError:
                    assert size > MEBIBYTE
                assert sock.recv(65_536).startswith(b"HTTP/1.1 507 ")
        assert site.ask("GET", f"/blob/{kept}").body == b"kept"
        monkeypatch.setattr(disk, "write", real)
        assert site.ask("PUT", "/upload", content(MEBIBYTE)).status == 200
        assert len(site.left_behind()) == 2

    def test_an_answer_before_the_end_of_the_body_can_be_read(self, site: Site) -> None:
        """The rest is thrown away, and the connection serves the next request."""
        connection = http.client.HTTPConnection(site.netloc, timeout=30)
        for path in ("/refuse", "/upload?length=1"):
            connection.request("PUT", path, content(3 * MEBIBYTE))
            answer = connection.getresponse()
            assert answer.status in (400, 403)
            answer.read()
        connection.request("POST", "/echo", b"[3]")
        assert connection.getresponse().read() == b"[3]"
        connection.close()


def test_a_failing_store_in_the_middle_lets_the_connection_live(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The body's reader gives up while bytes still come; they are thrown away, not parsed."""
    disk = site.store._disk
    real = disk.write
    calls = []

    def fails_later(fd: int, piece: bytes) -> None:
        calls.append(len(piece))
        if len(calls) == 2:
            raise StorageFull("full")
        real(fd, piece)

    monkeypatch.setattr(disk, "write", fails_later)
    connection = http.client.HTTPConnection(site.netloc, timeout=30)
    connection.request("PUT", "/upload", content(6 * MEBIBYTE))
    answer = connection.getresponse()
    assert answer.status == 507
    answer.read()
    assert site.left_behind() == []
    monkeypatch.setattr(disk, "write", real)
    connection.request("PUT", "/upload", content(2 * MEBIBYTE))
    assert connection.getresponse().status == 200
    connection.close()


@pytest.mark.parametrize("name", [BODY_EXTENSION, SENDFILE_EXTENSION])
def test_large_files_take_the_short_cuts(tmp_path: Path, name: str) -> None:
    """Else the tests above would pass without ever meeting them."""
    taken: list[bool] = []

    def watching(app: App) -> App:
        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                real = scope["extensions"][name]

                async def sendfile(*arguments: Any) -> bool:
                    taken.append(await real(*arguments))
                    return taken[-1]

                def take(*arguments: Any) -> Any:
                    tap = real(*arguments)
                    taken.append(tap is not None)
                    return tap

                watch = sendfile if name == SENDFILE_EXTENSION else take
                scope["extensions"] = {**scope["extensions"], name: watch}
            await app(scope, receive, send)

        return watched

    with serving(tmp_path / "data", wrap=watching) as site:
        body = content(3 * MEBIBYTE)
        sha256 = orjson.loads(site.ask("PUT", "/upload", body).body)["sha256"]
        assert site.ask("GET", f"/blob/{sha256}").body == body
        until(lambda: taken == [True])


def test_a_client_that_leaves_with_the_last_byte_has_had_the_whole_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not counted among those who went away in the middle."""
    push, lost = connections.push, Connection.connection_lost
    left = threading.Event()
    taken: list[bool] = []

    def push_and_wait(*arguments: Any) -> int:
        sent = push(*arguments)
        assert left.wait(30)
        return sent

    def leave(self: Connection, exc: Exception | None) -> None:
        lost(self, exc)
        if sent_all.is_set():
            left.set()

    def watching(app: App) -> App:
        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                real = scope["extensions"][SENDFILE_EXTENSION]

                async def sendfile(*arguments: Any) -> bool:
                    taken.append(await real(*arguments))
                    return taken[-1]

                scope["extensions"] = {**scope["extensions"], SENDFILE_EXTENSION: sendfile}
            await app(scope, receive, send)

        return watched

    sent_all = threading.Event()
    monkeypatch.setattr(connections, "push", push_and_wait)
    monkeypatch.setattr(Connection, "connection_lost", leave)
    with serving(tmp_path / "data", wrap=watching) as site:
        # Small enough for the buffers of two sockets, so that one push sends all of it.
        body = content(400_000)
        sha256 = orjson.loads(site.ask("PUT", "/upload", body).body)["sha256"]
        with site.connect() as sock:
            sock.sendall(b"GET /blob/%s HTTP/1.1\r\nHost: x\r\n\r\n" % sha256.encode())
            received = b""
            while not received.endswith(body[-100:]):
                received += sock.recv(1 << 20)
            sent_all.set()
        until(lambda: taken == [True])
    assert received.endswith(body)
