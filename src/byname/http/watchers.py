"""Who is told of what happens? Those who wait are grouped by what they want to hear.

What is new is read once for each change, not once for each watcher: one task of the event loop reads
on behind the last place whenever something was committed (`Pulse`), and wakes the groups that it
concerns. A group keeps its last events, each already encoded; a watcher is a place in them. So a
watcher costs a fixed amount of memory, however slow they are, and nobody is read for but those who
want to go back further than their group does. With no watchers nothing is read.

Nobody is asked for permission here: whoever tells an event asks first.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from byname.domain.errors import Unavailable
from byname.domain.history import Cursor, Entry
from byname.domain.watch import Wanted, tell
from byname.http.message import Request, encode_json
from byname.http.threads import in_thread
from byname.operations import watch
from byname.operations.pulse import Pulse
from byname.store.database import Database

logger = logging.getLogger("byname.watchers")

WATCHERS_MAX = 5_000
KEPT_MAX = 500
"""How many of its last events a group keeps."""
PAGE_MAX = 200
"""How many events are read at once: few enough that others do not notice."""
TIRED_SECONDS = 1.0
"""How long nothing is read after the database could not be."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event, ready to be told to all who may hear of it."""

    place: Cursor
    project_id: int
    kind: str
    text: bytes
    """As Server-Sent Events spell it, for all who are told."""


def encode(entry: Entry) -> Event:
    """The event as it is told."""
    if entry.project_id is None:
        raise ValueError("What happened in no project is not told")
    # JSON as it is encoded here holds no line break, so that it is one line of `data`.
    text = b"id: %s\nevent: %s\ndata: %s\n\n" % (
        entry.cursor.text.encode("ascii"),
        entry.kind.encode("ascii"),
        encode_json(tell(entry)),
    )
    return Event(entry.cursor, entry.project_id, entry.kind, text)


class Watcher:
    """One who waits. Belongs to one event loop."""

    __slots__ = ("_group", "_waiting", "gone", "place")

    def __init__(self, group: _Group, place: Cursor) -> None:
        self._group = group
        self._waiting: asyncio.Future[None] | None = None
        self.place = place
        """Behind the last event that was taken."""
        self.gone = False
        """Whether they went away, or the server stops."""

    def wake(self) -> None:
        """There is something to take, or the time is over."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def leave(self) -> None:
        """There will be nothing any more."""
        self.gone = True
        self.wake()

    async def wait(self, seconds: float) -> bool:
        """Return once there is something new, or nothing to wait for; False at the end of the time."""
        if not self.gone and not self._group.has_after(self.place):
            # A future and a timer: a thousand are woken at once, and each step of it counts.
            loop = asyncio.get_running_loop()
            self._waiting = loop.create_future()
            timer = loop.call_later(seconds, self.wake)
            try:
                await self._waiting
            finally:
                timer.cancel()
                self._waiting = None
        return self.gone or self._group.has_after(self.place)

    @property
    def wanted(self) -> Wanted:
        """What they wait for."""
        return self._group.wanted

    @property
    def end(self) -> Cursor:
        """The place up to which their group has heard all."""
        return self._group.end

    def take(self) -> list[Event] | None:
        """What is new, and the place moves behind it; None: it lies further back than is kept."""
        found = self._group.after(self.place)
        if found is not None:
            self.place = self._group.end
        return found


@dataclass(slots=True)
class _Group:
    """All who want to hear the same."""

    wanted: Wanted
    start: Cursor
    """Everything wanted behind this place, and up to `end`, is kept."""
    end: Cursor
    kept: deque[Event] = field(default_factory=deque)
    watchers: set[Watcher] = field(default_factory=set)

    def has_after(self, place: Cursor) -> bool:
        return _behind(self.start, place) or bool(self.kept and _behind(self.kept[-1].place, place))

    def after(self, place: Cursor) -> list[Event] | None:
        if _behind(self.start, place):
            return None
        found = []
        for each in reversed(self.kept):
            if not _behind(each.place, place):
                break
            found.append(each)
        found.reverse()
        return found

    def add(self, new: list[Event]) -> None:
        self.kept.extend(new)
        while len(self.kept) > KEPT_MAX:
            self.start = self.kept.popleft().place
        for watcher in self.watchers:
            watcher.wake()


def _behind(place: Cursor, other: Cursor) -> bool:
    return (place.ledger_id, place.id) > (other.ledger_id, other.id)


class Watchers:
    """All who wait in this process. For the event loop's own thread."""

    def __init__(
        self, database: Database, pulse: Pulse, *, watchers_max: int = WATCHERS_MAX
    ) -> None:
        self._database = database
        self._pulse = pulse
        self._watchers_max = watchers_max
        self._count = 0
        self._groups: dict[Wanted, _Group] = {}
        self._end = Cursor(0, 0)
        self._reading: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def join(self, wanted: Wanted, place: Cursor | None = None) -> Iterator[Watcher]:
        """One more who waits, from a place on, or from now.

        Raises:
            Unavailable: too many wait already, or the server stops.
        """
        if self._pulse.closed:
            raise Unavailable("The server is stopping; please try again in a moment")
        if self._count >= self._watchers_max:
            raise Unavailable(
                f"{self._watchers_max:,} are watching this server already; please try again later",
                retry_after_seconds=30,
            )
        group = self._group(wanted)
        watcher = Watcher(group, group.end if place is None else place)
        group.watchers.add(watcher)
        self._count += 1
        try:
            yield watcher
        finally:
            self._count -= 1
            group.watchers.discard(watcher)
            if not group.watchers and self._groups.get(wanted) is group:
                del self._groups[wanted]
            if not self._groups and self._reading is not None:
                self._reading.cancel()
                self._reading = None

    async def take(self, watcher: Watcher) -> list[Event]:
        """What is new to the watcher, whose place moves behind it; some of it, when it is much."""
        found = watcher.take()
        if found is not None:
            return found
        # Whatever is read from here on holds all that was told until now.
        end = watcher.end
        events, place, more = await in_thread(self._read_back, watcher.wanted, watcher.place)
        watcher.place = end if not more and _behind(end, place) else place
        return events

    def _read_back(self, wanted: Wanted, place: Cursor) -> tuple[list[Event], Cursor, bool]:
        read = watch.read_on(self._database, wanted, place, PAGE_MAX)
        events = [encode(entry) for entry in read if wanted.matches(entry)]
        return events, read[-1].cursor if read else place, len(read) == PAGE_MAX

    def _group(self, wanted: Wanted) -> _Group:
        if self._reading is None or self._reading.done():
            self._end = watch.end(self._database)
            self._reading = asyncio.get_running_loop().create_task(self._read())
        group = self._groups.get(wanted)
        if group is None:
            group = self._groups[wanted] = _Group(wanted, self._end, self._end)
        return group

    async def _read(self) -> None:
        # A turn of the loop, so that who has caused this has joined.
        await asyncio.sleep(0)
        while self._groups and not self._pulse.closed:
            beat = self._pulse.beat
            try:
                new = watch.read_on(self._database, Wanted(), self._end, PAGE_MAX)
            except Exception:
                logger.exception("What is new could not be read")
                await asyncio.sleep(TIRED_SECONDS)
                continue
            if new:
                self._tell(new)
            if len(new) < PAGE_MAX:
                await self._pulse.wait_async(beat, 60)
            else:
                await asyncio.sleep(0)
        for group in self._groups.values():
            for watcher in group.watchers:
                watcher.leave()

    def _tell(self, new: list[Entry]) -> None:
        self._end = new[-1].cursor
        encoded: dict[Cursor, Event] = {}
        for group in self._groups.values():
            wanted = group.wanted
            found = [entry for entry in new if wanted.matches(entry)]
            for entry in found:
                if entry.cursor not in encoded:
                    encoded[entry.cursor] = encode(entry)
            group.end = self._end
            if found:
                group.add([encoded[entry.cursor] for entry in found])


async def watch_for_the_end(request: Request, watcher: Watcher) -> None:
    """The watcher leaves when the client goes away. Run it as a task of its own."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    watcher.leave()
