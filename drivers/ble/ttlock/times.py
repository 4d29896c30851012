"""Dates as a lock keeps them: one byte each for year, month, day, hour, minute; local time, without a zone.

A local time in the hour that an autumn change repeats stands for two moments. The hub's grid settles it: a
start there is the first of them, an end the second.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from gateway.domain.credential import Schedule
from gateway.domain.driver import Refused
from gateway.domain.placement import Refusal

_CENTURY = 2000
OPEN_START = datetime(2000, 1, 1)  # noqa: DTZ001 - local time of whatever zone
"""Stands for no start; a real lock was seen to answer with it."""
OPEN_END = datetime(2099, 12, 31, 23, 59)  # noqa: DTZ001 - as above
"""Stands for no end."""
DATE_LENGTH = 5
MOMENT_LENGTH = 6


class Window(Struct, frozen=True):
    """A window in the local time of the lock, to the minute."""

    start: datetime
    end: datetime


def window_of(schedule: Schedule | None, zone: ZoneInfo) -> Window | None:
    """Return a schedule as the lock keeps it; None for a code that always opens.

    Raises Refused where it cannot: by weekdays, not on the minutes, before 2000 or after 2099.
    """
    if schedule is None or schedule == Schedule():
        return None
    if schedule.weekly:
        raise Refused(Refusal.SCHEDULE, "locks of this kind keep no weekdays")
    start, end = _local(schedule.starts_at, zone, OPEN_START), _local(schedule.ends_at, zone, OPEN_END)
    if not OPEN_START <= start < end <= OPEN_END:
        raise Refused(Refusal.SCHEDULE, "the lock cannot keep this window in its local time")
    if schedule_of(start, end, zone) != schedule:
        raise Refused(Refusal.SCHEDULE, "the window does not lie on the minutes of the lock's clock")
    return Window(start, end)


def schedule_of(start: datetime, end: datetime, zone: ZoneInfo) -> Schedule | None:
    """Return what two dates of the lock mean; None where they leave both sides open."""
    # The year counts: clients write different hours for "always" and "for ever".
    starts = None if start.year == OPEN_START.year else start.replace(tzinfo=zone, fold=0).astimezone(UTC)
    ends = None if end.year == OPEN_END.year else end.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if starts is None and ends is None:
        return None
    return Schedule(starts_at=starts, ends_at=ends)


def moment_of(face: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment at which a clock of the zone showed `face`, the first of two."""
    return face.replace(tzinfo=zone, fold=0).astimezone(UTC)


def face_of(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return what a clock of the zone shows, to the second."""
    return moment.astimezone(zone).replace(tzinfo=None, microsecond=0, fold=0)


def date_bytes(date: datetime) -> bytes:
    """Return a date to the minute."""
    return bytes((date.year - _CENTURY, date.month, date.day, date.hour, date.minute))


def moment_bytes(face: datetime) -> bytes:
    """Return a time to the second."""
    return date_bytes(face) + bytes((face.second,))


def read_date(data: bytes) -> datetime:
    """Return the date in five or six bytes. Raises ValueError where they make none."""
    if len(data) < DATE_LENGTH:
        raise ValueError("a date has five bytes")
    year, *rest = data[:MOMENT_LENGTH]
    return datetime(_CENTURY + year, *rest)  # type: ignore[arg-type]  # noqa: DTZ001 - local time of the lock


def _local(moment: datetime | None, zone: ZoneInfo, instead: datetime) -> datetime:
    if moment is None:
        return instead
    return moment.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0, fold=0)
