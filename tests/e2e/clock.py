"""The machine's clocks with time that passes at once, on a day of its own."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

from drivers.zwave.capabilities import SPACING
from gateway.system_clock import SystemClock

MORNING = datetime(2031, 5, 6, 8, 0, tzinfo=UTC)
"""When every gateway of these tests starts: far from its audit at 03:17 and from any change of the clocks."""

_SHORTEST_PAUSE_S = 1.0
"""Shorter sleeps are somebody else's, such as the watch over the clock, and take their time."""


class PassingClock(SystemClock):
    """Starts at `MORNING` and goes as fast as the real one; `let_pass` adds time to both its clocks.

    Time that passes is no jump: wall clock and boot-time clock go together, as on a machine that slept.
    The pauses that locks want between two operations pass at once too, unless `pauses_pass` is taken back: a
    simulated lock needs no rest. `is_synchronised` is what the kernel would say.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_synchronised = True
        self.pauses_pass = True
        self._passed = 0.0
        self._began = super().boot()
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        """Return the wall clock in whole milliseconds."""
        now = MORNING + timedelta(seconds=self.boot() - self._began)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def boot(self) -> float:
        """Return seconds since boot, those that were let pass included."""
        return super().boot() + self._passed

    def synchronised(self) -> bool:
        """Say what the test decided."""
        return self.is_synchronised

    async def sleep(self, seconds: float) -> None:
        """Sleep by the clock that can be let pass."""
        end = self.boot() + seconds
        if self.pauses_pass and _SHORTEST_PAUSE_S < seconds <= SPACING.total_seconds():
            self.let_pass(timedelta(seconds=seconds))
        while (left := end - self.boot()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._moved.wait()

    def let_pass(self, time: timedelta) -> None:
        """Let so much time pass now; who sleeps until then wakes."""
        self._passed += time.total_seconds()
        self._moved.set()
        self._moved = asyncio.Event()
