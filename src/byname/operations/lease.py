"""Leases of dead workers, and what a clock that was ahead left behind (F6).

No clock is trusted with a lease: who watched one unchanged for its whole time, by a clock of their
own that never jumps, may free it. So neither a step of a clock nor another machine's time makes a
delivery look abandoned.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from byname.domain import delivery as rules
from byname.operations.context import Context
from byname.store import execution as rows
from byname.store.execution import Lease

LOOK_SECONDS = 1.0
"""How often a worker looks at the leases that there are."""
STEP_SECONDS = 2.0
"""A clock that is set back by less than this is left alone: waits get longer by no more."""
SECOND = 1_000_000


class Watch:
    """What one worker has seen of all leases, its own too: since when each is unchanged."""

    def __init__(self, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._elapsed = elapsed
        self._since: dict[Lease, float] = {}
        self._looked_at: float | None = None
        self._offset: float | None = None
        """By how much the clock is ahead of the time that has elapsed."""

    def look(self, ctx: Context) -> int:
        """Leases seen unchanged for their whole time are free for whoever comes; how many.

        At the first look, and when the clock was set back since the last one, waits that were
        written by a clock ahead of today's are cut to what R142 says.
        """
        elapsed, now = self._elapsed(), ctx.now()
        if self._looked_at is not None and elapsed - self._looked_at < LOOK_SECONDS:
            return 0
        offset = now / SECOND - elapsed
        if self._offset is None or offset < self._offset - STEP_SECONDS:
            with ctx.database.write() as tx:
                for attempt_count, seconds in enumerate(rules.WAIT_SECONDS_MAX):
                    rows.shorten_waits(tx, attempt_count, int(seconds * SECOND), now=now)
        with ctx.database.read() as tx:
            present = rows.leases(tx)
        self._looked_at, self._offset = elapsed, offset
        self._since = {each: self._since.get(each, elapsed) for each in present}
        over = [
            each for each, since in self._since.items() if elapsed - since >= rules.LEASE_SECONDS
        ]
        if not over:
            return 0
        with ctx.database.write() as tx:
            return rows.free(tx, over, now=now)
