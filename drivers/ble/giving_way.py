"""Work that nobody waits for, and that gives way to those who wait."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from drivers.ble.turn import Turn
from drivers.ble.waiting import within
from gateway.domain.clock import Clock

SLICE_S = 5.0
"""Another lock waits so long: to connect anew for the rest costs the battery more than it costs the other."""
GRACE_S = 10.0
"""For coming to a good place to stop: as long as an answer may take, because a lock that gives its records
away has let go of the one that is coming. After that the work is cut off, and its connection with it."""

type Asked = Callable[[], bool]
"""Says whether to stop at the next good place."""


async def giving_way(
    work: Callable[[Asked], Coroutine[Any, Any, bool]], lock: Turn, adapter: Turn, clock: Clock
) -> bool:
    """Do a piece of work until it ends, or somebody wants to work with the same lock, or with another one.

    Returns what the work returns, False where it was cut off. Raises what it raises. Whoever cancels this
    waits for a good place to stop too.
    """
    asked, ended = asyncio.Event(), asyncio.Event()
    working = asyncio.ensure_future(work(asked.is_set))
    working.add_done_callback(lambda _: ended.set())
    watching = asyncio.ensure_future(_wanted(lock, adapter, clock))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        asked.set()
        try:
            await within(ended, GRACE_S, clock)
        finally:
            watching.cancel()
            working.cancel()
            await asyncio.wait({working, watching})
    return not working.cancelled() and working.result()


async def _wanted(lock: Turn, adapter: Turn, clock: Clock) -> None:
    if not await within(lock.wanted, SLICE_S, clock):
        both = {asyncio.ensure_future(turn.wanted.wait()) for turn in (lock, adapter)}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiting in both:
                waiting.cancel()
