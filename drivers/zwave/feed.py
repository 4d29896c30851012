"""Hands what the locks tell to the engine: in order, one at a time, without blocking the library."""

import asyncio
import logging
from contextlib import suppress
from typing import NoReturn

from gateway.domain.clock import Clock
from gateway.domain.driver import (
    AuthorityLost,
    AuthorityUp,
    EventSink,
    LockEvent,
    LockSeen,
    SlotTouched,
)
from gateway.domain.handing_over import hand_over
from gateway.domain.pulse import Beat

_LOG = logging.getLogger(__name__)

MOST_WAITING = 2000
"""Enough for the reports of eight locks with 250 slots at once."""
LAST_S = 3.0
"""For storing what was heard before the end."""


class Feed:
    """A bounded queue of events. What does not fit is dropped, and the locks concerned are looked at anew.

    Whether the link stands and what the locks are is told once per connection: of that the newest is kept.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: asyncio.Queue[LockEvent] = asyncio.Queue(MOST_WAITING)
        self._dropped: set[str] = set()
        self._newest: dict[str, AuthorityUp | AuthorityLost | LockSeen] = {}

    def put(self, event: LockEvent) -> None:
        """Append an event; called from callbacks, never blocks."""
        if isinstance(event, AuthorityUp | AuthorityLost | LockSeen):
            self._put_state(event)
            return
        try:
            self._waiting.put_nowait(event)
        except asyncio.QueueFull:
            if not self._dropped:
                _LOG.warning("Z-Wave events come faster than they are stored; some are dropped")
            self._dropped.add(event.device_id)

    def _put_state(self, event: AuthorityUp | AuthorityLost | LockSeen) -> None:
        if not self._newest and not self._waiting.full():
            self._waiting.put_nowait(event)
            return
        # Behind those that wait here already, or an older word would be the last.
        about = event.device_id if isinstance(event, LockSeen) else ""
        self._newest.pop(about, None)
        self._newest[about] = event

    async def run(self, sink: EventSink, beat: Beat | None = None) -> NoReturn:
        """Hand over until cancelled; then what was heard before, unless the storage fails.

        `beat` takes the signs of life.
        """
        beat = beat or Beat()
        try:
            while True:
                beat.idle()
                await hand_over(await self._waiting.get(), sink, self._clock, beat)
                while self._newest and self._waiting.empty():
                    event = self._newest.pop(next(iter(self._newest)))
                    await hand_over(event, sink, self._clock, beat)
                while self._dropped and self._waiting.empty():
                    # Which slot it was is lost with the event: all have to be looked at.
                    await hand_over(
                        SlotTouched(device_id=self._dropped.pop(), slot=None), sink, self._clock, beat
                    )
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_S):
                    while not self._waiting.empty():
                        await hand_over(self._waiting.get_nowait(), sink, self._clock, beat)
