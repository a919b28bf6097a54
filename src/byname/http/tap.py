"""How do the bytes of a large body get from the socket to the disk without passing the parser?

The parser copies every byte four times. A tap stands in its place until one body has ended: the
event loop reads straight into one of two buffers, while a thread hashes and writes the other.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from byname.blobs.store import Bytes
from byname.http.message import ClientGone

BUFFER_BYTES = 1 << 20


class Tapped(Protocol):
    """What a tap needs of the connection in whose place it stands."""

    transport: asyncio.Transport

    @property
    def gone(self) -> bool:
        """Whether the client went away, or was sent away."""

    def count_body(self, size: int) -> None:
        """So many bytes of the body came."""

    def give_back(self, tap: BodyTap) -> None:
        """The body has ended and the transport speaks to the connection again."""

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is closed."""

    def pause_writing(self) -> None:
        """The client takes no more for now."""

    def resume_writing(self) -> None:
        """The client takes more again."""


class BodyTap(asyncio.BufferedProtocol):
    """A connection's bytes from here to the end of one body, straight into two buffers.

    The socket is never asked for more than the body still holds, so the next request stays in it.
    """

    def __init__(
        self, connection: Tapped, protocol: asyncio.Protocol, early: bytes, remaining: int
    ) -> None:
        self._connection = connection
        self._protocol = protocol
        self._transport = connection.transport
        self._early = early
        self._remaining = remaining
        self._buffers = (bytearray(BUFFER_BYTES), bytearray(BUFFER_BYTES))
        self._turn = 0
        self._filled = 0
        self._woken = asyncio.Event()
        self._discarding = False
        self._released = False
        self.paused = True
        """Whether nothing is read just now, because the handler is busy with what came."""
        self._transport.pause_reading()
        self._transport.set_protocol(self)

    async def batch(self) -> list[Bytes]:
        """The next 1 MiB, or what is left; empty at the end. Raises ClientGone."""
        if self._early:
            early, self._early = self._early, b""
            return [early]
        if not self._remaining:
            return []
        self._turn ^= 1
        self._filled = 0
        self._woken.clear()
        if not self._gone():
            self.paused = False
            self._transport.resume_reading()
            await self._woken.wait()
        if self._gone():
            raise ClientGone
        return [memoryview(self._buffers[self._turn])[: self._filled]]

    def release(self) -> None:
        """The handler needs no more: go on with the next request, or throw away the rest first."""
        if self._released:
            return
        self._released = True
        if self._gone():
            return
        if self._remaining:
            self._discarding = True
            self._filled = 0
            self.paused = False
            self._transport.resume_reading()
        else:
            self._end()

    def wake(self) -> None:
        """Let the handler see that the connection is gone."""
        self._woken.set()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's signature.
        """Where the next bytes go."""
        buffer = memoryview(self._buffers[self._turn])
        return buffer[self._filled : min(BUFFER_BYTES, self._filled + self._remaining)]

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes came."""
        self._remaining -= nbytes
        if self._discarding:
            if not self._remaining:
                self._transport.pause_reading()
                self._end()
            return
        self._connection.count_body(nbytes)
        self._filled += nbytes
        if self._filled == BUFFER_BYTES or not self._remaining:
            self.paused = True
            self._transport.pause_reading()
            self._woken.set()

    def eof_received(self) -> None:
        """The client will send no more: with a body cut short, there is nothing to keep open."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the connection, which wakes the handler."""
        self._connection.connection_lost(exc)

    def pause_writing(self) -> None:
        """Pass it on: the answer may begin while the body is thrown away."""
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self._connection.resume_writing()

    def _end(self) -> None:
        self._transport.set_protocol(self._protocol)
        self._connection.give_back(self)
        self._transport.resume_reading()

    def _gone(self) -> bool:
        return self._transport.is_closing() or self._connection.gone
