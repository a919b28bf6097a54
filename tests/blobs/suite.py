"""What every place for bytes must do. A back end's own test subclasses this and gives `store`."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from byname.blobs.store import BlobStore, StoredBlob
from byname.domain.errors import Conflict, Invalid, NotFound

KEY = "ab" * 16


def describe(content: bytes) -> StoredBlob:
    """What a store should say of these bytes, computed in another way."""
    return StoredBlob(hashlib.sha256(content).hexdigest(), md5_of(content), len(content))


def md5_of(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content).digest()).decode()


def put(store: BlobStore, namespace: int, content: bytes) -> StoredBlob:
    with store.begin(namespace) as writer:
        writer.write(content)
        return writer.finish()


def put_part(store: BlobStore, number: int, content: bytes, key: str = KEY) -> None:
    with store.begin_part(key, number) as writer:
        writer.write(content)
        part = writer.finish(expected_md5=md5_of(content))
    assert (part.part_number, part.size) == (number, len(content))
    assert part.md5_hex == hashlib.md5(content).hexdigest()


def read(store: BlobStore, namespace: int, sha256: str) -> bytes:
    with store.open(namespace, sha256) as reader:
        assert reader.sha256 == sha256
        return reader.pread(reader.size, 0)


class BlobStoreSuite:
    """Subclasses define the fixture `store`."""

    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(pieces=st.lists(st.binary(max_size=5_000), max_size=6))
    def test_what_went_in_comes_out(self, store: BlobStore, pieces: list[bytes]) -> None:
        with store.begin(3) as writer:
            for piece in pieces:
                writer.write(memoryview(bytearray(piece)))
            blob = writer.finish(expected_md5=md5_of(b"".join(pieces)))
        assert blob == describe(b"".join(pieces))
        assert read(store, 3, blob.sha256) == b"".join(pieces)

    def test_a_reader_reads_any_span(self, store: BlobStore) -> None:
        content = bytes(range(256)) * 40
        blob = put(store, 1, content)
        with store.open(1, blob.sha256) as reader:
            assert reader.size == len(content)
            assert reader.pread(10, 300) == content[300:310]
            assert reader.pread(10, len(content) - 3) == content[-3:]
            assert reader.pread(10, len(content)) == b""

    def test_equal_content_is_kept_once_and_may_be_sent_again(self, store: BlobStore) -> None:
        assert put(store, 1, b"same") == put(store, 1, b"same") == describe(b"same")
        assert read(store, 1, describe(b"same").sha256) == b"same"

    def test_namespaces_do_not_see_each_other(self, store: BlobStore) -> None:
        blob = put(store, 1, b"secret")
        assert store.exists(1, blob.sha256)
        assert not store.exists(2, blob.sha256)
        with pytest.raises(NotFound):
            store.open(2, blob.sha256)

    def test_another_md5_is_refused_and_leaves_nothing(self, store: BlobStore) -> None:
        with store.begin(1) as writer:
            writer.write(b"one")
            with pytest.raises(Invalid, match="MD5"):
                writer.finish(expected_md5=md5_of(b"two"))
        assert not store.exists(1, describe(b"one").sha256)
        assert store.sweep(-1) == 0

    def test_what_is_not_finished_is_not_there(self, store: BlobStore) -> None:
        with store.begin(1) as writer:
            writer.write(b"half")
            assert writer.size == 4
        assert not store.exists(1, describe(b"half").sha256)
        assert store.sweep(-1) == 0

    def test_removed_is_gone_but_an_open_reader_goes_on(self, store: BlobStore) -> None:
        blob = put(store, 1, b"short-lived")
        with store.open(1, blob.sha256) as reader:
            assert store.remove(1, blob.sha256)
            assert reader.pread(100, 0) == b"short-lived"
        assert not store.remove(1, blob.sha256)
        assert not store.exists(1, blob.sha256)

    def test_a_link_gives_the_content_to_another_namespace(self, store: BlobStore) -> None:
        blob = put(store, 1, b"shared")
        store.link(1, 2, blob.sha256)
        store.link(1, 2, blob.sha256)
        store.link(1, 1, blob.sha256)
        store.remove(1, blob.sha256)
        assert read(store, 2, blob.sha256) == b"shared"
        with pytest.raises(NotFound):
            store.link(1, 3, blob.sha256)

    @pytest.mark.parametrize(
        "name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n", "0" * 62 + "/x"]
    )
    def test_what_is_no_digest_reaches_no_disk(self, store: BlobStore, name: str) -> None:
        for call in (store.open, store.exists, store.remove):
            with pytest.raises(Invalid):
                call(1, name)
        with pytest.raises(Invalid):
            store.link(1, 2, name)

    def test_many_writers_of_one_content_agree(self, store: BlobStore) -> None:
        """C4: all succeed, one blob is stored."""
        content = b"crowd" * 1_000
        with ThreadPoolExecutor(16) as pool:
            blobs = list(pool.map(lambda _: put(store, 1, content), range(64)))
        assert set(blobs) == {describe(content)}
        assert read(store, 1, blobs[0].sha256) == content
        assert store.sweep(-1) == 0

    def test_free_space_is_told(self, store: BlobStore) -> None:
        assert store.size_free_bytes() > 0

    def test_parts_in_any_order_become_one_blob(self, store: BlobStore) -> None:
        parts = [bytes([number]) * (2_000_000 + number) for number in range(1, 6)]
        for number in (3, 1, 5, 2, 4):
            put_part(store, number, parts[number - 1])
        content = b"".join(parts)
        blob = store.assemble(7, KEY, [1, 2, 3, 4, 5], expected_md5=md5_of(content))
        assert blob == describe(content)
        assert read(store, 7, blob.sha256) == content

    def test_completion_may_be_repeated_until_the_parts_are_dropped(self, store: BlobStore) -> None:
        put_part(store, 1, b"one")
        first = store.assemble(1, KEY, [1])
        assert store.assemble(1, KEY, [1]) == first
        with pytest.raises(Conflict):
            store.assemble(2, KEY, [1])
        store.drop_parts(KEY)
        with pytest.raises(NotFound):
            store.assemble(1, KEY, [1])
        assert read(store, 1, first.sha256) == b"one"
        store.drop_parts(KEY)

    def test_callers_at_one_time_share_one_assembly(self, store: BlobStore) -> None:
        parts = [bytes([number]) * 1_000_000 for number in range(1, 9)]
        for number, part in enumerate(parts, 1):
            put_part(store, number, part)
        start = threading.Barrier(8)

        def complete(_: int) -> StoredBlob:
            start.wait()
            return store.assemble(1, KEY, range(1, 9), expected_md5=md5_of(b"".join(parts)))

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(complete, range(8))) == {describe(b"".join(parts))}

    def test_a_part_sent_again_replaces_the_first(self, store: BlobStore) -> None:
        put_part(store, 1, b"old")
        put_part(store, 2, b"-two")
        time.sleep(0.05)  # Give joining ahead the time to take the old one.
        put_part(store, 1, b"newer")
        blob = store.assemble(1, KEY, [1, 2])
        assert read(store, 1, blob.sha256) == b"newer-two"

    def test_a_missing_part_is_told_and_can_still_come(self, store: BlobStore) -> None:
        put_part(store, 1, b"one")
        put_part(store, 3, b"three")
        with pytest.raises(NotFound, match="Part 2"):
            store.assemble(1, KEY, [1, 2, 3])
        put_part(store, 2, b"two")
        assert store.assemble(1, KEY, [1, 2, 3]) == describe(b"onetwothree")

    def test_only_the_listed_parts_count(self, store: BlobStore) -> None:
        for number in (1, 2, 3):
            put_part(store, number, b"%d" % number)
        assert store.assemble(1, KEY, [1, 3]) == describe(b"13")

    def test_a_wrong_whole_is_refused_and_the_parts_stay(self, store: BlobStore) -> None:
        put_part(store, 1, b"wrong")
        with pytest.raises(Invalid, match="MD5"):
            store.assemble(1, KEY, [1], expected_md5=md5_of(b"right"))
        assert not store.exists(1, describe(b"wrong").sha256)
        put_part(store, 1, b"right")
        assert store.assemble(1, KEY, [1], expected_md5=md5_of(b"right")) == describe(b"right")

    @pytest.mark.parametrize("numbers", [[], [2, 1], [1, 1]])
    def test_part_lists_must_rise(self, store: BlobStore, numbers: list[int]) -> None:
        put_part(store, 1, b"one")
        put_part(store, 2, b"two")
        with pytest.raises(Invalid):
            store.assemble(1, KEY, numbers)

    @pytest.mark.parametrize("key", ["", "../x" * 8, "AB" * 16, "ab" * 4, "ab" * 16 + "/"])
    def test_what_is_no_upload_key_reaches_no_disk(self, store: BlobStore, key: str) -> None:
        with pytest.raises(Invalid):
            store.begin_part(key, 1)
        with pytest.raises(Invalid):
            store.assemble(1, key, [1])
        with pytest.raises(Invalid):
            store.drop_parts(key)

    @pytest.mark.parametrize("number", [0, -1, 10_001])
    def test_part_numbers_have_bounds(self, store: BlobStore, number: int) -> None:
        with pytest.raises(Invalid):
            store.begin_part(KEY, number)

    def test_an_abandoned_upload_is_swept(self, store: BlobStore) -> None:
        put_part(store, 1, b"one")
        assert store.sweep(3_600) == 0
        assert store.sweep(-1) == 1
        with pytest.raises(NotFound):
            store.assemble(1, KEY, [1])

    def test_uploads_under_way_at_once_do_not_mix(self, store: BlobStore) -> None:
        """More of them than are remembered half joined."""
        keys = [f"{number:032x}" for number in range(80)]

        def put_both(key: str) -> None:
            put_part(store, 1, key.encode(), key)
            put_part(store, 2, key.encode(), key)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(put_both, keys))
        with ThreadPoolExecutor(4) as pool:
            blobs = list(pool.map(lambda key: store.assemble(1, key, [1, 2]), keys))
        assert blobs == [describe(key.encode() * 2) for key in keys]

    def test_walk_finds_every_blob(self, store: BlobStore) -> None:
        kept = {(n, put(store, n, content).sha256) for n in (1, 2) for content in (b"a", b"b")}
        assert {(blob.namespace, blob.sha256) for blob in store.walk()} == kept

    def test_discard_removes_what_is_old(self, store: BlobStore) -> None:
        stored = put(store, 1, b"content")
        measured = store.measure(1, stored.sha256)
        assert measured is not None
        assert measured.size == 7
        assert abs(measured.received_at - time.time()) < 60
        assert store.discard(1, stored.sha256, before=time.time() + 60) == 7
        assert store.measure(1, stored.sha256) is None
        assert not store.exists(1, stored.sha256)
        assert store.discard(1, stored.sha256, before=time.time() + 60) is None

    def test_discard_leaves_what_was_received_since(self, store: BlobStore) -> None:
        stored = put(store, 1, b"content")
        assert store.discard(1, stored.sha256, before=time.time() - 60) is None
        assert read(store, 1, stored.sha256) == b"content"

    def test_what_is_received_again_counts_as_new(self, store: BlobStore) -> None:
        put(store, 1, b"content")
        time.sleep(0.02)
        between = time.time()
        time.sleep(0.02)
        stored = put(store, 1, b"content")
        assert store.discard(1, stored.sha256, before=between) is None
        store.link(1, 2, stored.sha256)
        time.sleep(0.02)
        between = time.time()
        time.sleep(0.02)
        store.link(1, 2, stored.sha256)
        assert store.discard(2, stored.sha256, before=between) is None
