"""Hands what the locks tell to the engine: in order, one at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NoReturn

from gateway.domain.clock import Clock
from gateway.domain.driver import EventSink, LockEvent
from gateway.domain.handing_over import hand_over
from gateway.domain.pulse import Beat

LAST_S = 3.0
"""For storing what was heard before the end."""


class Feed:
    """A queue of events. What is in it is stored at some time, unless the daemon ends before."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: asyncio.Queue[tuple[LockEvent, asyncio.Event]] = asyncio.Queue()

    def put(self, event: LockEvent) -> None:
        """Append an event; called from callbacks, never blocks."""
        self._waiting.put_nowait((event, asyncio.Event()))

    async def store(self, event: LockEvent) -> None:
        """Append an event and return when it is stored. Who is cancelled meanwhile loses nothing."""
        stored = asyncio.Event()
        self._waiting.put_nowait((event, stored))
        await stored.wait()

    async def run(self, sink: EventSink, beat: Beat | None = None) -> NoReturn:
        """Hand over until cancelled; then what was heard before, unless the storage fails.

        `beat` takes the signs of life.
        """
        beat = beat or Beat()
        try:
            while True:
                beat.idle()
                event, stored = await self._waiting.get()
                await hand_over(event, sink, self._clock, beat)
                stored.set()
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_S):
                    while not self._waiting.empty():
                        event, stored = self._waiting.get_nowait()
                        await hand_over(event, sink, self._clock, beat)
                        stored.set()


async def hand_on(
    event: LockEvent, sink: Callable[[LockEvent], Awaitable[None]], told: Callable[[], object]
) -> None:
    """Hand an event to `sink`, and call `told` once it needs no more telling.

    Who is cancelled meanwhile has told it too: `sink` keeps what it was given, and would get it twice. What
    `sink` raises means that it has not.
    """
    try:
        await sink(event)
    except asyncio.CancelledError:
        told()
        raise
    told()
