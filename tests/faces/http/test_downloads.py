"""Do stored bytes go out exactly, whole and in ranges, and never as something to open?"""

from __future__ import annotations

import http.client
import inspect
import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from byname.blobs.local import LocalBlobReader
from byname.blobs.store import StoredBlob
from byname.http.connection import Connection
from byname.http.content import INLINE_BYTES_MAX, Span, disposition, parse_range
from tests.faces.http.conftest import Site, until

SIZES = [0, 1, 1_000, INLINE_BYTES_MAX, INLINE_BYTES_MAX + 1, 3_000_001]


def put(site: Site, content: bytes) -> StoredBlob:
    with site.store.begin(1) as writer:
        writer.write(content)
        return writer.finish()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def content(size: int) -> bytes:
    return random.Random(size).randbytes(size)


class TestWholeFiles:
    """They come as they were stored, by sendfile and without it."""

    @pytest.mark.parametrize("size", SIZES)
    def test_come_exactly(self, site: Site, size: int) -> None:
        blob = put(site, content(size))
        answer = site.ask("GET", f"/blob/{blob.sha256}")
        assert answer.status == 200
        assert answer.body == content(size)
        assert answer.headers["content-length"] == str(size)
        assert answer.headers["etag"] == f'"{blob.sha256}"'
        assert answer.headers["accept-ranges"] == "bytes"
        assert "content-encoding" not in answer.headers

    @pytest.mark.parametrize("size", SIZES)
    def test_head_says_the_same_without_the_bytes(self, site: Site, size: int) -> None:
        path = f"/blob/{put(site, content(size)).sha256}"
        get, head = site.ask("GET", path), site.ask("HEAD", path)
        changing = {"date", "x-request-id"}
        assert head.body == b""
        assert {k: v for k, v in head.headers.items() if k not in changing} == {
            k: v for k, v in get.headers.items() if k not in changing
        }

    def test_leave_under_headers_which_keep_browsers_from_opening_them(self, site: Site) -> None:
        """A11."""
        blob = put(site, b"<script>alert(1)</script>")
        answer = site.ask("GET", f"/blob/{blob.sha256}?name=..%2Fevil%22%0D%0A.html")
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"] == (
            "attachment; filename*=UTF-8''evil%22%0D%0A.html"
        )
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("sandbox")

    def test_which_the_client_has_are_not_sent_again(self, site: Site) -> None:
        blob = put(site, b"content")
        path = f"/blob/{blob.sha256}"
        for value in (f'"{blob.sha256}"', f'W/"{blob.sha256}"', f'"x", "{blob.sha256}"', "*"):
            answer = site.ask("GET", path, headers={"If-None-Match": value})
            assert (answer.status, answer.body) == (304, b"")
        assert site.ask("GET", path, headers={"If-None-Match": '"other"'}).status == 200

    def test_follow_each_other_on_one_connection(self, site: Site) -> None:
        connection = http.client.HTTPConnection(site.netloc, timeout=30)
        for size in [*SIZES, *reversed(SIZES)]:
            connection.request("GET", f"/blob/{put(site, content(size)).sha256}")
            assert connection.getresponse().read() == content(size)
        connection.close()

    def test_which_are_missing_are_not_found(self, site: Site) -> None:
        assert site.ask("GET", f"/blob/{'0' * 64}").error == "not_found"
        answer = site.ask("GET", "/blob/..%2F..%2F..%2Fetc%2Fpasswd")
        assert (answer.status, answer.error) == (400, "digest_malformed")

    def test_are_cut_off_where_the_disk_lost_their_end(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The client sees a short answer, never other bytes in their place."""
        blob = put(site, content(3_000_000))
        path = site.root / "blobs" / "1" / blob.sha256[:2] / blob.sha256
        real = site.store.open

        def shrinking(namespace: int, sha256: str) -> LocalBlobReader:
            reader = real(namespace, sha256)
            os.truncate(path, 500_000)
            return reader

        monkeypatch.setattr(site.store, "open", shrinking)
        with pytest.raises(http.client.IncompleteRead) as cut:
            site.ask("GET", f"/blob/{blob.sha256}")
        assert cut.value.partial == content(3_000_000)[:500_000]

    def test_go_on_for_others_when_a_client_leaves(self, site: Site) -> None:
        blob = put(site, content(30_000_000))
        before = open_files()
        for _ in range(5):
            with site.connect() as sock:
                sock.sendall(f"GET /blob/{blob.sha256} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                assert sock.recv(1_000).startswith(b"HTTP/1.1 200 ")
        assert site.ask("GET", f"/blob/{blob.sha256}").body == content(30_000_000)
        until(lambda: open_files() <= before)


class TestRanges:
    """Protocol section 11.4: large files are fetched in ranges, written unchecked."""

    @pytest.mark.parametrize("size", [1_000, 2_000_000])
    def test_come_exactly(self, site: Site, size: int) -> None:
        whole = content(size)
        path = f"/blob/{put(site, whole).sha256}"
        middle = size // 2
        for wanted, first, end in [
            ("bytes=0-0", 0, 1),
            (f"bytes=10-{middle - 1}", 10, middle),
            (f"bytes={middle}-", middle, size),
            ("bytes=-7", size - 7, size),
            (f"bytes=-{size * 2}", 0, size),
            (f"bytes=5-{size * 9}", 5, size),
            ("bytes=0-", 0, size),
        ]:
            answer = site.ask("GET", path, headers={"Range": wanted})
            assert answer.status == 206, wanted
            assert answer.body == whole[first:end], wanted
            assert answer.headers["content-range"] == f"bytes {first}-{end - 1}/{size}"
            assert answer.headers["content-length"] == str(end - first)

    @pytest.mark.parametrize("wanted", ["bytes=1000-", "bytes=1000-2000", "bytes=-0"])
    def test_outside_the_file_are_refused(self, site: Site, wanted: str) -> None:
        path = f"/blob/{put(site, content(1_000)).sha256}"
        answer = site.ask("GET", path, headers={"Range": wanted})
        assert (answer.status, answer.error) == (416, "range_not_satisfiable")
        assert answer.headers["content-range"] == "bytes */1000"

    @pytest.mark.parametrize(
        "wanted",
        [
            *("bytes=5-2", "bytes=-", "bytes", "lines=1-2", "bytes=a-b", "bytes=0-1,3-4"),
            *("bytes=--1", f"bytes={'9' * 5_000}-"),
        ],
    )
    def test_which_cannot_be_understood_or_are_several_give_the_whole(
        self, site: Site, wanted: str
    ) -> None:
        """RFC 9110, sections 14.1.1 and 14.2."""
        path = f"/blob/{put(site, content(1_000)).sha256}"
        answer = site.ask("GET", path, headers={"Range": wanted})
        assert (answer.status, answer.body) == (200, content(1_000))

    def test_hold_only_for_the_content_they_were_asked_of(self, site: Site) -> None:
        blob = put(site, content(1_000))
        for etag, status in ((f'"{blob.sha256}"', 206), ('"other"', 200)):
            headers = {"Range": "bytes=1-2", "If-Range": etag}
            assert site.ask("GET", f"/blob/{blob.sha256}", headers=headers).status == status

    def test_of_an_empty_file_are_refused(self, site: Site) -> None:
        path = f"/blob/{put(site, b'').sha256}"
        assert site.ask("GET", path, headers={"Range": "bytes=0-"}).status == 416

    @given(
        size=st.integers(0, 50),
        first=st.none() | st.integers(0, 60),
        last=st.none() | st.integers(0, 60),
    )
    def test_are_read_as_the_standard_says(
        self, size: int, first: int | None, last: int | None
    ) -> None:
        """A model on a list: which positions are meant."""
        text = f"bytes={'' if first is None else first}-{'' if last is None else last}"
        found = parse_range(text.encode(), size)
        positions = list(range(size))
        if first is None and last is None:
            assert found is None
        elif first is None:
            assert last is not None
            assert found is not None
            assert positions[found.first : found.end] == (positions[-last:] if last else [])
        elif last is not None and last < first:
            assert found is None
        else:
            assert found is not None
            assert positions[found.first : found.end] == [
                each for each in positions if each >= first and (last is None or each <= last)
            ]
            assert isinstance(found, Span)

    @given(st.binary(max_size=60))
    def test_nonsense_is_never_an_error(self, wanted: bytes) -> None:
        for text in (wanted, b"bytes=" + wanted):
            found = parse_range(text, 10)
            assert found is None or 0 <= found.first <= found.end <= 10


@given(st.text(max_size=400))
def test_any_name_makes_one_safe_header(name: str) -> None:
    value = disposition(name)
    assert value.startswith(b"attachment; filename*=UTF-8''")
    assert not set(value) & set(b'"\r\n/\\\0')


def test_uvicorn_still_has_what_the_short_cuts_lean_on() -> None:
    """They use parts of uvicorn which it does not promise: a newer one must be looked at again."""
    cycle = inspect.getsource(RequestResponseCycle)
    for name in (
        "self.body = bytearray()",
        "self.more_body = True",
        "self.expected_content_length",
        "self.chunked_encoding",
        "self.disconnected",
        "self.waiting_for_100_continue",
        "self.message_event",
        "self.response_started",
    ):
        assert name in cycle, f"see byname/http/connection.py: uvicorn has no {name} any more"
    protocol = inspect.getsource(HttpToolsProtocol)
    for name in ("timeout_keep_alive_task", "self.flow.pause_reading()", "on_response_complete"):
        assert name in protocol, f"see byname/http/connection.py: uvicorn has no {name} any more"
    assert issubclass(Connection, HttpToolsProtocol)
