"""Time as the domain sees it: passed in, and not always to be believed."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct


class ClockStep(Struct, frozen=True):
    """A jump of the wall clock: windows that ended between these two times were closed by the jump alone."""

    before: datetime
    after: datetime


class TimeView(Struct, frozen=True, kw_only=True):
    """What is known about the time at one moment (rule 5).

    `floor` is the lower bound: the latest trusted time plus the boot-time clock since. `now` is what the wall
    clock says.
    """

    now: datetime
    trusted: bool
    floor: datetime
    step: ClockStep | None = None
    """A jump of a trusted clock that nobody has confirmed yet."""

    @property
    def at(self) -> datetime:
        """Return the time to act on.

        Never before the lower bound, and only the lower bound while not trusted.
        """
        return max(self.now, self.floor) if self.trusted else self.floor


class Clock(Protocol):
    """The clocks of the machine, and sleeping by them."""

    def now(self) -> datetime:
        """Return the wall clock as aware UTC, cut to milliseconds."""
        ...

    def boot(self) -> float:
        """Return seconds since boot, sleep of the machine included (CLOCK_BOOTTIME)."""
        ...

    def synchronised(self) -> bool:
        """Say whether the kernel regards the wall clock as synchronised."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Sleep by the boot-time clock."""
        ...
