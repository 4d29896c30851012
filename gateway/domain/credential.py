"""What a slot of a lock can hold, and what a look at it can tell."""

from datetime import datetime, timedelta
from enum import IntEnum

from msgspec import Struct

from gateway.domain.pin import Pin

type SlotRef = str
"""A driver's name for one place in a lock's memory. Opaque: only the driver reads it."""


class WeeklyWindow(Struct, frozen=True, kw_only=True):
    """A span of the day on some weekdays, in the lock's local time.

    Monday is 0; minutes count from midnight.
    """

    weekdays: tuple[int, ...]
    from_minute: int
    until_minute: int


class Schedule(Struct, frozen=True, kw_only=True):
    """When the lock itself lets a credential work. None on either side means open on that side."""

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    weekly: tuple[WeeklyWindow, ...] = ()

    def equals_within(self, other: "Schedule", granularity: timedelta) -> bool:
        """Say whether both mean the same on a lock that keeps times in steps of `granularity`."""
        return (
            _near(self.starts_at, other.starts_at, granularity)
            and _near(self.ends_at, other.ends_at, granularity)
            and self.weekly == other.weekly
        )


def _near(one: datetime | None, other: datetime | None, granularity: timedelta) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) < max(granularity, timedelta(milliseconds=1))


class Credential(Struct, frozen=True, kw_only=True):
    """The content of a taken slot: the PIN, whether it opens the door, when, and under what name."""

    pin: Pin
    enabled: bool = True
    schedule: Schedule | None = None
    name: str | None = None

    def same_access(self, other: "Credential", granularity: timedelta = timedelta(minutes=1)) -> bool:
        """Say whether both let the same people in at the same times. Names do not count."""
        return not self.differences(other, granularity)

    def differences(
        self, other: "Credential", granularity: timedelta = timedelta(minutes=1)
    ) -> tuple[str, ...]:
        """Name the fields (`code`, `enabled`, `schedule`) that differ."""
        differing = []
        if self.pin != other.pin:
            differing.append("code")
        if self.enabled != other.enabled:
            differing.append("enabled")
        if self.schedule != other.schedule:
            mine, theirs = self.schedule or Schedule(), other.schedule or Schedule()
            if not mine.equals_within(theirs, granularity):
                differing.append("schedule")
        return tuple(differing)


class Known(Struct, frozen=True, tag="known"):
    """A reading: the slot is taken and the lock showed its content."""

    credential: Credential


class Empty(Struct, frozen=True, tag="empty"):
    """A reading: the lock said that nothing is in this slot."""


class Unreadable(Struct, frozen=True, tag="unreadable"):
    """A reading: the slot is taken and the digits are hidden.

    `enabled` is None where the lock hides that too.
    """

    enabled: bool | None = None


type Reading = Known | Empty | Unreadable
"""What an explicit answer of the lock said of one slot. No answer is not a reading."""


class Evidence(IntEnum):
    """How well it is known that the lock holds what we wrote. Each level includes the ones before."""

    SENT = 1
    """It went out; nothing came back that says more."""
    ACCEPTED = 2
    """The lock acknowledged the write itself."""
    OCCUPIED = 3
    """The slot answers "taken" but hides the digits."""
    READ_BACK = 4
    """The lock showed the digits and they are ours."""
    USED = 5
    """Somebody opened the door with it."""
