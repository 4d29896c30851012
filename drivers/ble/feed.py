"""Hands what the locks tell to the engine: in order, one at a time."""

import asyncio
import logging
from contextlib import suppress
from typing import NoReturn

from gateway.domain.clock import Clock
from gateway.domain.driver import EventSink, LockEvent
from gateway.domain.store import StorageFailed

_LOG = logging.getLogger(__name__)
LAST_S = 3.0
"""For storing what was heard before the end."""
STORAGE_RETRY_S = 5.0
"""Between attempts to hand over while the storage fails (disk full, damaged)."""


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

    async def run(self, sink: EventSink) -> NoReturn:
        """Hand over until cancelled; then what was heard before, unless the storage fails."""
        try:
            while True:
                event, stored = await self._waiting.get()
                await self._hand_over(event, sink)
                stored.set()
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_S):
                    while not self._waiting.empty():
                        event, stored = self._waiting.get_nowait()
                        await self._hand_over(event, sink)
                        stored.set()

    async def _hand_over(self, event: LockEvent, sink: EventSink) -> None:
        while True:
            try:
                return await sink.handle(event)
            except StorageFailed:
                _LOG.debug("a Bluetooth event cannot be stored; trying again")
            except Exception as error:  # noqa: BLE001 - one bad event must not silence all locks
                _LOG.error("%s was not taken: %s", type(event).__name__, type(error).__name__)
                return None
            await self._clock.sleep(STORAGE_RETRY_S)
