"""Where does blocking work with bytes run? In one small pool of threads beside the event loop.

Hashing, file calls, fsync and sendfile let other threads run meanwhile, so a second core is used.
No job waits for a client: a slow one would keep a thread from everybody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

THREADS_MAX = 16
"""More than the cores: some of them wait for the disk."""

_pool = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="bytes")


def start_in_thread(
    function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> asyncio.Future[T]:
    """Begin a blocking call in a thread of the pool."""
    return asyncio.wrap_future(_pool.submit(function, *args, **kwargs))


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking call in a thread of the pool; returns only once the thread is done with it."""
    return await settled(start_in_thread(function, *args, **kwargs))


async def settled(job: asyncio.Future[T]) -> T:
    """Wait for a job to the end even when cancelled, so that nobody closes what it still uses."""
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        await asyncio.wait([job])
        raise
