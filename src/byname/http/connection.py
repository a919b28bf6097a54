"""How does one connection behave? uvicorn's HTTP protocol, with deadlines and two short cuts.

uvicorn itself waits for ever for a slow client. Here (L1):
- headers are whole within 10 seconds and 64 KiB, or the answer is 408 or 431;
- a body brings 30 kB in any 30 seconds, or the answer is 408, whichever handler reads it;
- an answer is fetched at that rate too, or the connection is cut;
- what remains of a body when its answer is out is thrown away for a short while, so that the
  client can read the answer; then the connection closes.

Before a deadline counts, the socket is read once more: a server that was halted itself, or too busy
to look, must not blame a client whose bytes have been there for long.

The short cuts are ASGI extensions, which large uploads and downloads use when they are offered:
- `byname.body` lets a handler read a large body straight into its own buffers, past the parser;
- `byname.sendfile` sends a piece of a file with `sendfile`, past Python.
"""

from __future__ import annotations

import asyncio
import os
import select
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httptools
import orjson
import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from byname.http.message import ClientGone, Scope
from byname.http.tap import BodyTap
from byname.http.threads import in_thread

BODY_EXTENSION = "byname.body"
SENDFILE_EXTENSION = "byname.sendfile"

ONCE_MORE_SECONDS = 0.001
"""Any time at all: timers that are due run before sockets are read, and these after."""
PUSH_BYTES_MAX = 64 << 20
"""After so many bytes a download lets others have its thread."""
PUSH_PATIENCE_MILLISECONDS = 20
"""How long a thread waits for a client to take more before it is given back."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a client may take."""

    headers_seconds: float = 10
    headers_bytes_max: int = 64 * 1024
    idle_seconds: int = 75
    """Between two requests on one connection."""
    window_seconds: float = 30
    window_bytes_min: int = 30_000
    """What must come (of a body) or go (of an answer) in each window."""
    linger_seconds: float = 5
    """How long the rest of a body is thrown away once its answer is out."""


class ServerConfig(uvicorn.Config):
    """uvicorn's settings, and ours beside them, which is how they reach each connection."""

    deadlines: Deadlines = Deadlines()


class Connection(HttpToolsProtocol):
    """One client connection: requests one after the other."""

    def __init__(
        self,
        config: ServerConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.deadlines = config.deadlines
        self._in_headers = True
        self._header_bytes = 0
        self._body_bytes = 0
        self._window_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_is_for = ""
        self._unsent_bytes = 0
        self._write_timer: asyncio.TimerHandle | None = None
        self._tap: BodyTap | None = None
        self._extensions: dict[str, Any] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows it the same way.
        """Begin to wait for headers."""
        super().connection_made(transport)
        if self.scheme == "http" and transport.get_extra_info("socket") is not None:
            self._extensions = {BODY_EXTENSION: self.take_body, SENDFILE_EXTENSION: self.sendfile}
        self._arm("headers", self.deadlines.headers_seconds, self._headers_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all clocks."""
        self._disarm()
        self._stop_write_clock()
        tap, self._tap = self._tap, None
        super().connection_lost(exc)
        if tap is not None:
            tap.wake()

    def data_received(self, data: bytes) -> None:
        """Feed the parser, then see what the client owes us next."""
        super().data_received(data)
        if self.transport.is_closing():
            self._disarm()
            return
        cycle = self.cycle
        if self._in_headers:
            self._header_bytes += len(data)
            if self._header_bytes > self.deadlines.headers_bytes_max:
                self.refuse(431, "headers_too_large", "The headers of the request are too large")
            else:
                self._arm("headers", self.deadlines.headers_seconds, self._headers_late)
        elif cycle is not None and cycle.more_body:
            if not cycle.response_complete:
                self._window_bytes += len(data)
                self._arm("body", self.deadlines.window_seconds, self._body_window_over)
        elif cycle is not None and cycle.response_complete and self.timeout_keep_alive_task is None:
            if self._timer_is_for == "linger":
                self._idle()
            else:
                # Bytes which begin no request, such as empty lines, do not keep a connection.
                self._arm("headers", self.deadlines.headers_seconds, self._headers_late)
        elif self._timer is not None:
            self._disarm()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope["extensions"] = self._extensions
        self._in_headers = True
        self._header_bytes = 0
        self._body_bytes = 0

    def on_headers_complete(self) -> None:
        """The headers are whole: the handler starts."""
        self._in_headers = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count, so that a tap knows how much is still to come."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole, also where its answer went out before."""
        super().on_message_complete()
        self.cycle.more_body = False

    def on_response_complete(self) -> None:
        """The answer is out: wait for the next request, or for the rest of this one."""
        super().on_response_complete()
        cycle = self.cycle
        if cycle.more_body and cycle.response_complete and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self._arm("linger", self.deadlines.linger_seconds, self.close_soon)

    def pause_writing(self) -> None:
        """The client does not keep up with the answer: watch that it does not stop."""
        super().pause_writing()
        self._unsent_bytes = self.transport.get_write_buffer_size()
        if self._write_timer is None:
            self._watch_writing()

    def resume_writing(self) -> None:
        """The client has kept up."""
        super().resume_writing()
        self._stop_write_clock()

    def timeout_keep_alive_handler(self) -> None:
        """Nothing followed on this connection in time, or it is in the socket by now."""
        self.timeout_keep_alive_task = self.loop.call_later(
            ONCE_MORE_SECONDS, super().timeout_keep_alive_handler
        )

    @property
    def gone(self) -> bool:
        """Whether the client of the present request went away, or was sent away."""
        return bool(self.cycle.disconnected)

    def count_body(self, size: int) -> None:
        """A tap received so many bytes."""
        self._window_bytes += size

    def refuse(self, status: int, code: str, message: str) -> None:
        """Answer in the handler's place, and end the connection."""
        self._disarm()
        cycle = self.cycle
        answered = cycle is not None and cycle.response_started and not cycle.response_complete
        if cycle is not None and not cycle.response_complete:
            # The handler is told that the client is gone, and tidies up.
            cycle.disconnected = True
            cycle.message_event.set()
        if self._tap is not None:
            self._tap.wake()
        if not answered:
            body = orjson.dumps({"error": {"code": code, "message": message}})
            lines = [STATUS_LINE[status]]
            for name, value in self.server_state.default_headers:
                lines += [name, b": ", value, b"\r\n"]
            lines.append(b"content-type: application/json\r\nconnection: close\r\n")
            lines.append(b"content-length: %d\r\n\r\n" % len(body))
            self.transport.write(b"".join([*lines, body]))
        self.close_soon()

    def close_soon(self) -> None:
        """Close once what is written has gone out; do not wait long for it."""
        self._disarm()
        self.transport.close()
        self.loop.call_later(self.deadlines.linger_seconds, self.transport.abort)

    def take_body(self, scope: Scope, length: int) -> BodyTap | None:
        """Let the handler of `scope` read the body by itself; None where that cannot be.

        `length` is the body's stated length. What came already is the tap's first batch.
        """
        cycle = self.cycle
        if (
            cycle is None
            or cycle.scope is not scope
            or not cycle.more_body
            or cycle.disconnected
            or cycle.response_started
            or self.transport.is_closing()
        ):
            return None
        early = bytes(cycle.body)
        cycle.body = bytearray()
        cycle.message_event.clear()
        if cycle.waiting_for_100_continue:
            cycle.waiting_for_100_continue = False
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.flow.resume_reading()
        self._tap = BodyTap(self, self, early, length - self._body_bytes)
        self._arm("body", self.deadlines.window_seconds, self._body_window_over)
        return self._tap

    def give_back(self, tap: BodyTap) -> None:
        """The tap has read the body to its end: go on with the next request, by a new parser."""
        if self._tap is not tap:
            return
        self._tap = None
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        cycle = self.cycle
        cycle.more_body = False
        cycle.message_event.set()
        self._disarm()
        if cycle.response_complete:
            self._idle()

    async def sendfile(self, scope: Scope, fd: int, offset: int, length: int) -> bool:
        """Send bytes of a file as part of the answer whose headers were sent last.

        False where that cannot be; nothing was sent then.

        Raises:
            ClientGone: the client went away, or takes too long.
            EOFError: the file is shorter than it should be.
        """
        cycle = self.cycle
        if cycle is None or cycle.scope is not scope or cycle.chunked_encoding:
            return False
        pause = 0.0
        while self.transport.get_write_buffer_size() and not cycle.disconnected:
            await asyncio.sleep(pause)
            pause = min(pause + 0.001, 0.05)
        if cycle.disconnected or self.transport.is_closing():
            raise ClientGone
        sock = os.dup(self.transport.get_extra_info("socket").fileno())
        try:
            sent = 0
            while sent < length:
                sent += await in_thread(push, sock, fd, offset + sent, length - sent)
                if sent < length:
                    if cycle.disconnected:
                        raise ClientGone
                    await self._writable(sock)
        except (ConnectionError, TimeoutError):
            cycle.disconnected = True
            self.transport.abort()
            raise ClientGone from None
        finally:
            os.close(sock)
        cycle.expected_content_length -= length
        return True

    async def _writable(self, sock: int) -> None:
        """Wait until the client takes more; raises TimeoutError when it takes a whole window."""
        ready = self.loop.create_future()
        self.loop.add_writer(sock, _set, ready)
        try:
            async with asyncio.timeout(self.deadlines.window_seconds):
                await ready
        except TimeoutError:
            if not is_writable(sock):
                raise
        finally:
            self.loop.remove_writer(sock)

    def _idle(self) -> None:
        """Wait for the next request, now that the rest of the last one is thrown away."""
        self._disarm()
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _arm(self, purpose: str, seconds: float, late: Callable[[], None]) -> None:
        """Start a clock, unless it runs for this purpose already."""
        if self._timer_is_for == purpose:
            return
        self._disarm()
        self._timer_is_for = purpose
        self._window_bytes = 0
        self._timer = self.loop.call_later(seconds, self._look_once_more, late)

    def _look_once_more(self, late: Callable[[], None]) -> None:
        self._timer = self.loop.call_later(ONCE_MORE_SECONDS, late)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_is_for = ""

    def _stop_write_clock(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _headers_late(self) -> None:
        if self._header_bytes:
            self.refuse(408, "headers_too_slow", "The headers of the request took too long")
        else:
            self.close_soon()

    def _body_window_over(self) -> None:
        # While we do not read, it is not the client who is slow.
        waiting_for_us = self.flow.read_paused if self._tap is None else self._tap.paused
        slow = self._window_bytes < self.deadlines.window_bytes_min and not waiting_for_us
        self._disarm()
        if slow:
            self.refuse(408, "body_too_slow", "The body of the request came too slowly")
        else:
            self._arm("body", self.deadlines.window_seconds, self._body_window_over)

    def _watch_writing(self) -> None:
        self._write_timer = self.loop.call_later(
            self.deadlines.window_seconds, self._write_once_more
        )

    def _write_once_more(self) -> None:
        self._write_timer = self.loop.call_later(ONCE_MORE_SECONDS, self._write_window_over)

    def _write_window_over(self) -> None:
        self._write_timer = None
        unsent = self.transport.get_write_buffer_size()
        if self._unsent_bytes - unsent < self.deadlines.window_bytes_min:
            self.transport.abort()
            return
        self._unsent_bytes = unsent
        self._watch_writing()


def push(sock: int, fd: int, offset: int, length: int) -> int:
    """Send what the socket takes without a long wait, in a thread; how much that was.

    Raises:
        EOFError: the file ends before.
    """
    target = min(length, PUSH_BYTES_MAX)
    sent = 0
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    while sent < target:
        try:
            count = os.sendfile(sock, fd, offset + sent, target - sent)
        except BlockingIOError:
            if not poll.poll(PUSH_PATIENCE_MILLISECONDS):
                break
            continue
        if not count:
            raise EOFError("A stored file is shorter than it was")
        sent += count
    return sent


def is_writable(sock: int) -> bool:
    """Whether the client takes more at this moment."""
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    return bool(poll.poll(0))


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
