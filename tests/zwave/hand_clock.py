"""A clock that moves only when a test says so."""

import asyncio
from datetime import datetime, timedelta


class HandClock:
    """`gateway.domain.clock.Clock`; `moved` wakes who sleeps."""

    def __init__(self, now: datetime) -> None:
        """Start at `now`, synchronised."""
        self.is_synchronised = True
        self._now = now
        self._boot = 1000.0
        self._tick = asyncio.Event()

    def now(self) -> datetime:
        """Return the wall clock."""
        return self._now

    def boot(self) -> float:
        """Return seconds of a clock that only goes forward."""
        return self._boot

    def boot_id(self) -> str:
        """Return always the same boot."""
        return "this one"

    def synchronised(self) -> bool:
        """Say what the test says."""
        return self.is_synchronised

    async def sleep(self, seconds: float) -> None:
        """Sleep until the clock was moved that far."""
        end = self._boot + seconds
        while self._boot < end:
            await self._tick.wait()

    def move(self, span: timedelta) -> None:
        """Let time pass."""
        self._now += span
        self._boot += span.total_seconds()
        self._tick.set()
        self._tick = asyncio.Event()

    def step(self, span: timedelta) -> None:
        """Put the wall clock to another time, as a person or a time server does."""
        self._now += span
