"""Time as the domain sees it: passed in, and not always to be believed."""

from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct


class ClockStep(Struct, frozen=True):
    """A jump of the wall clock: windows that ended between these two times were closed by the jump alone."""

    before: datetime
    after: datetime
    held_on: tuple[str, ...] = ()
    """The locks on which removals are held because of it."""


class ClockMark(Struct, frozen=True):
    """Ties wall-clock times to the boot they were noted in, so that a jump can be taken out of them later."""

    boot_id: str
    offset: timedelta
    """Wall clock less boot-time clock."""


class TimeView(Struct, frozen=True, kw_only=True):
    """What is known about the time at one moment (rule 5).

    `floor` is the lower bound: the latest sure time plus the boot-time clock since. `now` is what the wall
    clock says.
    """

    now: datetime
    trusted: bool
    floor: datetime
    mark: ClockMark
    carried: bool = False
    """Trusted through the boot-time clock: the lower bound is the time, whatever the wall clock says."""
    step: ClockStep | None = None
    """A jump of a trusted clock that nobody has confirmed yet."""

    @property
    def at(self) -> datetime:
        """Return the time to act on.

        Never before the lower bound, and only the lower bound where the wall clock is not to be believed.
        """
        believed = self.trusted and not self.carried and self.now > self.floor
        return self.now if believed else self.floor


class Clock(Protocol):
    """The clocks of the machine, and sleeping by them."""

    def now(self) -> datetime:
        """Return the wall clock as aware UTC, cut to milliseconds."""
        ...

    def boot(self) -> float:
        """Return seconds since boot, sleep of the machine included (CLOCK_BOOTTIME)."""
        ...

    def boot_id(self) -> str:
        """Return a name of this boot: the boot-time clock starts anew with each."""
        ...

    def synchronised(self) -> bool:
        """Say whether the kernel regards the wall clock as synchronised."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Sleep by the boot-time clock."""
        ...
