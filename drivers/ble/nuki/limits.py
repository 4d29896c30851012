"""Times as a Nuki lock keeps them: moments, and the limits of a code.

A moment is `year u16 | month | day | hour | minute | second`. Limits are `from | until | weekdays | from h, m
| until h, m`. The zone of the limits is not documented: they are written and read as UTC here, and whoever
writes limits leaves room for the difference (`Capabilities.fence`).
"""

import struct
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.domain.credential import Schedule, WeeklyWindow
from gateway.domain.driver import Refused
from gateway.domain.placement import Refusal

MOMENT: Final = struct.Struct("<H5B")
_LIMITS = struct.Struct("<7s7s5B")
LIMITS_SIZE: Final = _LIMITS.size
NO_LIMITS: Final = bytes(LIMITS_SIZE)

_FIRST = datetime(2000, 1, 1, tzinfo=UTC)
"""Written for "from ever": a lock whose clock was reset is not before it, so nobody is locked out."""
_LAST = datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)
"""Written for "until ever"."""
_YEARS: Final = range(1970, 3000)
"""Others are never meant, and at the ends of all times an offset cannot be taken from them."""
_SECOND = timedelta(seconds=1)
_HOUR, _DAY = 60, 24 * 60
_EVERY_DAY = 0x7F


def moment(data: bytes) -> datetime | None:
    """Return a moment as UTC; None for one that does not exist, as locks write for "never"."""
    year, month, day, hour, minute, second = MOMENT.unpack(data)
    if year not in _YEARS:
        return None
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def moment_bytes(at: datetime) -> bytes:
    """Return a moment, given with a zone, in whole seconds of UTC."""
    at = at.astimezone(UTC)
    return MOMENT.pack(at.year, at.month, at.day, at.hour, at.minute, at.second)


def limits_bytes(schedule: Schedule) -> bytes:
    """Return the limits. Raises Refused (schedule) for more than one window, or one over midnight."""
    if len(schedule.weekly) > 1:
        raise Refused(Refusal.SCHEDULE, "a Nuki lock keeps one span of the day for each code")
    days = from_minute = until_minute = 0
    for window in schedule.weekly:
        days = sum(1 << (6 - day) for day in set(window.weekdays))
        from_minute, until_minute = window.from_minute, min(window.until_minute, _DAY - 1)
        if not window.weekdays or from_minute >= until_minute:
            raise Refused(Refusal.SCHEDULE, "a Nuki lock keeps no span of the day over midnight")
    starts_at, ends_at = schedule.starts_at or _FIRST, schedule.ends_at or _LAST
    if ends_at.microsecond:
        ends_at = ends_at.replace(microsecond=0) + _SECOND
    return _LIMITS.pack(
        moment_bytes(starts_at),
        moment_bytes(ends_at),
        days,
        *divmod(from_minute, _HOUR),
        *divmod(until_minute, _HOUR),
    )


def schedule_of(limits: bytes) -> Schedule | None:
    """Return what limits say; None where they limit nothing."""
    first, last, days, from_hour, from_minute, until_hour, until_minute = _LIMITS.unpack(limits)
    starts_at, ends_at = moment(first), moment(last)
    begins, ends = from_hour * _HOUR + from_minute, until_hour * _HOUR + until_minute
    if ends in {0, _DAY - 1}:
        ends = _DAY
    is_daily = (begins, ends) != (0, _DAY)
    weekly: tuple[WeeklyWindow, ...] = ()
    if is_daily or days & _EVERY_DAY not in {0, _EVERY_DAY}:
        weekdays = tuple(day for day in range(7) if (days or _EVERY_DAY) >> (6 - day) & 1)
        weekly = (WeeklyWindow(weekdays=weekdays, from_minute=begins, until_minute=ends),)
    found = Schedule(
        starts_at=None if starts_at == _FIRST else starts_at,
        ends_at=None if ends_at == _LAST else ends_at,
        weekly=weekly,
    )
    return None if found == Schedule() else found
