"""How a password is kept and checked, and how guessing is held up (A7, L7)."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from byname.domain.errors import Throttled
from byname.operations.context import now_microseconds

AT_ONCE_MAX = 4
"""One argon2id hash takes 64 MiB and two thirds of a core for a moment."""

WAIT_SECONDS_MAX = 5.0
WINDOW_MICROSECONDS = 15 * 60 * 1_000_000
FAILURES_MAX = {"account and address": 10, "address": 50, "account": 100}
"""Failures within the window after which nothing more is tried.

The narrow limit stops guessing at one account. The wide ones stop guesses spread over accounts or
addresses; they are wider so that a stranger cannot easily lock a person out.
"""

REMEMBERED_MAX = 10_000

_HASHER = PasswordHasher()  # argon2id, RFC 9106's second recommended choice of cost.
_TURNS = threading.BoundedSemaphore(AT_ONCE_MAX)
_NOBODYS = (
    "$argon2id$v=19$m=65536,t=3,p=4$rOTeaSnV9b3yR3CJnNzL/w"
    "$4r4yR/o2GoS5gtI2/CLB3ayysym4Qrv2bNIGEbJcBA8"
)
"""Compared with when there is no such user, so that the answer takes as long. Fits no password."""


@contextmanager
def _turn() -> Iterator[None]:
    if not _TURNS.acquire(timeout=WAIT_SECONDS_MAX):
        raise Throttled("Too many log-ins at this moment; try again soon", retry_after_seconds=5)
    try:
        yield
    finally:
        _TURNS.release()


def hash_password(password: str) -> str:
    """The argon2id hash of a password. Slow on purpose; call it outside of any transaction.

    Raises:
        Throttled: too many are being hashed already.
    """
    with _turn():
        return _HASHER.hash(password)


def fits(password: str, kept: str | None) -> bool:
    """Whether the password is the one whose hash was kept. As slow when none was.

    Raises:
        Throttled: too many are being compared already.
    """
    with _turn():
        try:
            return _HASHER.verify(kept or _NOBODYS, password) and kept is not None
        except (VerificationError, InvalidHashError, UnicodeError):
            return False


class Guesses:
    """Counts failed log-ins, in this process's memory."""

    def __init__(self, now: Callable[[], int] = now_microseconds) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._failures: OrderedDict[tuple[str, str], deque[int]] = OrderedDict()

    @staticmethod
    def _keys(account: str, address: str) -> list[tuple[str, str]]:
        account = account.casefold()[:128]
        return [
            ("account and address", f"{account}\n{address}"),
            ("address", address),
            ("account", account),
        ]

    def begin(self, account: str, address: str) -> None:
        """Return when another guess may be made. It counts as failed until `succeeded` is called.

        So guesses that are made at the same time count too.

        Raises:
            Throttled: too many failed. The same words whether the account exists or not.
        """
        now = self._now()
        keys = self._keys(account, address)
        with self._lock:
            for key in keys:
                times = self._failures.get(key, deque())
                while times and times[0] <= now - WINDOW_MICROSECONDS:
                    times.popleft()
                if len(times) >= FAILURES_MAX[key[0]]:
                    seconds = (times[0] + WINDOW_MICROSECONDS - now) // 1_000_000 + 1
                    raise Throttled(
                        "Too many failed log-ins; try again later", retry_after_seconds=seconds
                    )
            for key in keys:
                self._failures.setdefault(key, deque()).append(now)
                self._failures.move_to_end(key)
            while len(self._failures) > REMEMBERED_MAX:
                self._failures.popitem(last=False)

    def succeeded(self, account: str, address: str) -> None:
        """The guess was right: it does not count, nor do earlier ones of this account from here."""
        narrow, *wide = self._keys(account, address)
        with self._lock:
            self._failures.pop(narrow, None)
            for key in wide:
                if self._failures.get(key):
                    self._failures[key].pop()
