"""The clocks of the simulated hub: true time, and what its wall clock makes of it."""

import asyncio
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, tzinfo=UTC)


class SimClock:
    """`gateway.domain.clock.Clock` on the virtual loop. `offset` is how wrong the wall clock is."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start right and synchronised."""
        self._loop = loop
        self.offset = timedelta(0)
        self.synced = True
        self.boots = 1

    def true(self) -> datetime:
        """Return the true time."""
        return START + timedelta(milliseconds=int(self._loop.time() * 1000))

    def now(self) -> datetime:
        """Return what the wall clock says."""
        return self.true() + self.offset

    def boot(self) -> float:
        """Return seconds since boot."""
        return self._loop.time()

    def boot_id(self) -> str:
        """Return the name of this boot."""
        return f"boot {self.boots}"

    def synchronised(self) -> bool:
        """Return what the kernel says."""
        return self.synced

    async def sleep(self, seconds: float) -> None:
        """Sleep in virtual time."""
        await asyncio.sleep(seconds)
