"""Hands what the locks tell to the engine: in order, one at a time, without blocking the library."""

import asyncio
import logging
from contextlib import suppress
from typing import NoReturn

from gateway.domain.clock import Clock
from gateway.domain.driver import EventSink, LockEvent, SlotTouched
from gateway.domain.store import StorageFailed

_LOG = logging.getLogger(__name__)

MOST_WAITING = 2000
"""Enough for the reports of eight locks with 250 slots at once."""
LAST_S = 3.0
"""For storing what was heard before the end."""
STORAGE_RETRY_S = 5.0
"""Between attempts to hand over while the storage fails (disk full, damaged)."""


class Feed:
    """A bounded queue of events. What does not fit is dropped, and the locks concerned are looked at anew."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: asyncio.Queue[LockEvent] = asyncio.Queue(MOST_WAITING)
        self._dropped: set[str] = set()

    def put(self, event: LockEvent) -> None:
        """Append an event; called from callbacks, never blocks."""
        try:
            self._waiting.put_nowait(event)
        except asyncio.QueueFull:
            if not self._dropped:
                _LOG.warning("Z-Wave events come faster than they are stored; some are dropped")
            self._dropped |= _devices(event)

    async def run(self, sink: EventSink) -> NoReturn:
        """Hand over until cancelled; then what was heard before, unless the storage fails."""
        try:
            while True:
                await self._hand_over(await self._waiting.get(), sink)
                while self._dropped and self._waiting.empty():
                    # Which slot it was is lost with the event: all have to be looked at.
                    await self._hand_over(SlotTouched(device_id=self._dropped.pop(), slot=None), sink)
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_S):
                    while not self._waiting.empty():
                        await self._hand_over(self._waiting.get_nowait(), sink)

    async def _hand_over(self, event: LockEvent, sink: EventSink) -> None:
        while True:
            try:
                return await sink.handle(event)
            except StorageFailed:
                _LOG.debug("a Z-Wave event cannot be stored; trying again")
            except Exception as error:  # noqa: BLE001 - one bad event must not silence the network
                _LOG.error("%s was not taken: %s", type(event).__name__, type(error).__name__)
                return None
            await self._clock.sleep(STORAGE_RETRY_S)


def _devices(event: LockEvent) -> set[str]:
    """Return the locks that an event is about; those about the server concern all of them anyway."""
    device = getattr(event, "device_id", None)
    return set() if device is None else {device}
