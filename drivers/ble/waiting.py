"""Waiting for something, but not longer than so many seconds, or than a connection lasts."""

import asyncio
from collections.abc import Awaitable

from gateway.domain.clock import Clock
from gateway.domain.driver import LockUnreachable, NoAnswer


async def within(event: asyncio.Event, seconds: float, clock: Clock) -> bool:
    """Say whether the event came within that time."""
    return await first_of(seconds, clock, event)


async def first_of(seconds: float, clock: Clock, *events: asyncio.Event) -> bool:
    """Wait until one of the events has come or the time is over; say whether one had come."""
    if any(event.is_set() for event in events):
        return True
    tasks = {asyncio.ensure_future(event.wait()) for event in events}
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({timer, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (timer, *tasks):
            task.cancel()
    return any(event.is_set() for event in events)


async def while_linked[T](call: Awaitable[T], lost: asyncio.Event, seconds: float | None = None) -> T:
    """Await what a connection yields; `lost` is set once it is gone, which not every system tells the call.

    Raises LockUnreachable when it is gone first, NoAnswer when the time is over, and what `call` raises.
    """
    coming = asyncio.ensure_future(call)
    end = asyncio.ensure_future(lost.wait())
    try:
        await asyncio.wait({coming, end}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if coming.done() and not coming.cancelled():
            return coming.result()
        if coming.cancelled() or end.done():
            raise LockUnreachable("the connection to the lock broke")
        raise NoAnswer("the lock did not answer in time")
    finally:
        coming.cancel()
        end.cancel()
