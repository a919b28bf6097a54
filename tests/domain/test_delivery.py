"""When a delivery is tried again, and what an answer says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from byname.domain.delivery import ATTEMPTS_MAX, Reply, State, judge, readable

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DOWN = Reply(None, error="No connection", again=True)


class TestSchedule:
    """R142: tried again after about 10 s, 1 min, 10 min, 1 h, then `Failed`."""

    @pytest.mark.parametrize("reply", [DOWN, Reply(429), Reply(500), Reply(503), Reply(599)])
    def test_it_is_tried_four_times_more(self, reply: Reply) -> None:
        delays = []
        for attempt in range(1, ATTEMPTS_MAX):
            verdict = judge(reply, attempt, 0.0, NOW)
            assert verdict.state is State.PENDING
            delays.append(verdict.delay_seconds)
        assert delays == [10, 60, 600, 3600]
        last = judge(reply, ATTEMPTS_MAX, 0.0, NOW)
        assert last.state is State.FAILED
        assert last.error

    def test_not_all_come_back_at_once(self) -> None:
        found = {judge(DOWN, 1, chance / 10, NOW).delay_seconds for chance in range(11)}
        assert len(found) == 11
        assert min(each for each in found if each) == 10
        assert max(each for each in found if each) == 12

    @pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
    def test_2xx_is_success(self, status: int) -> None:
        assert judge(Reply(status), 1, 0, NOW).state is State.FINISHED

    @pytest.mark.parametrize("status", [100, 301, 302, 307, 308, 400, 401, 403, 404, 408, 422])
    def test_all_else_fails_at_once(self, status: int) -> None:
        verdict = judge(Reply(status), 1, 0, NOW)
        assert verdict.state is State.FAILED
        assert str(status) in (verdict.error or "")
        assert verdict.disable is None

    def test_what_no_repeating_mends_fails_at_once(self) -> None:
        assert judge(Reply(None, error="Refused"), 1, 0, NOW).state is State.FAILED

    def test_410_switches_the_automation_off(self) -> None:
        verdict = judge(Reply(410), 1, 0, NOW)
        assert verdict.state is State.FAILED
        assert verdict.disable is not None


class TestRetryAfter:
    """`Retry-After` is heeded, for a day at most; it never makes a delay shorter."""

    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            ("120", 120),
            ("5", 10),
            ("0", 10),
            ("999999", 86_400),
            ("Thu, 26 Nov 2026 12:05:00 GMT", 300),
            ("Thu, 26 Nov 2020 12:05:00 GMT", 10),
            ("Fri, 26 Nov 2100 12:05:00 GMT", 86_400),
            ("soon", 10),
            ("-5", 10),
            ("1e9", 10),
            ("9" * 50, 86_400),
            ("9" * 8_000, 86_400),
            ("Mon, 01 Jan 2024 00:00:00 +99999999999999999999", 10),
            ("1 Jan 99999999999999999999999 00:00:00 GMT", 10),
            ("Mon, 31 Dec 9999 23:59:59 -1400", 86_400),
            ("", 10),
        ],
    )
    def test_it(self, text: str, seconds: float) -> None:
        verdict = judge(Reply(503, retry_after=text), 1, 0, NOW)
        assert verdict.delay_seconds == seconds


class TestReadable:
    """S4: the first 4 kB of an answer, with what is not text left out."""

    def test_text_stays(self) -> None:
        assert readable("grüß\tdich\nWelt".encode()) == "grüß\tdich\nWelt"

    def test_4_kb(self) -> None:
        assert readable(b"x" * 65_536) == "x" * 4_096
        assert len(readable("é".encode() * 65_536).encode()) == 4_096

    @pytest.mark.parametrize("answer", [b"\x7fELF\x00\x01", bytes(range(128, 256)), b"\xff" * 99])
    def test_binary_is_not_shown(self, answer: bytes) -> None:
        assert readable(answer) == f"({len(answer)} bytes that are no text)"

    def test_control_characters_are_left_out(self) -> None:
        assert readable(b"a\x1b[31mb\x07\x08c\xe2\x80\xaed") == "a[31mbcd"
