"""Work that nobody waits for, and that gives way to those who wait."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from drivers.ble.turn import Turn
from drivers.ble.waiting import within
from gateway.domain.clock import Clock

SLICE_S = 5.0
"""Another lock waits so long: to connect anew for the rest costs the battery more than it costs the other."""
GRACE_S = 3.0
"""For coming to a good place to stop. After that the work is cut off, and its connection with it."""

type Asked = Callable[[], bool]
"""Says whether to stop at the next good place."""


async def giving_way(
    work: Callable[[Asked], Coroutine[Any, Any, bool]], lock: Turn, adapter: Turn, clock: Clock
) -> bool:
    """Do a piece of work until it ends, or somebody wants to work with the same lock, or with another one.

    Returns what the work returns, False where it was cut off. Raises what it raises.
    """
    asked = asyncio.Event()
    working = asyncio.ensure_future(work(asked.is_set))
    watching = asyncio.ensure_future(_wanted(lock, adapter, clock))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            asked.set()
            ended = asyncio.Event()
            working.add_done_callback(lambda _: ended.set())
            if not await within(ended, GRACE_S, clock):
                return False
        return working.result()
    finally:
        watching.cancel()
        working.cancel()
        await asyncio.wait({working, watching})


async def _wanted(lock: Turn, adapter: Turn, clock: Clock) -> None:
    if not await within(lock.wanted, SLICE_S, clock):
        both = {asyncio.ensure_future(turn.wanted.wait()) for turn in (lock, adapter)}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiting in both:
                waiting.cancel()
