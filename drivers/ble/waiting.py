"""Waiting for something, but not longer than so many seconds of a given clock."""

import asyncio

from gateway.domain.clock import Clock


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
