"""Schedules as the Schedule Entry Lock Command Class (0x4E) keeps them: local time, whole minutes, no offset.

A local time in the hour that an autumn change repeats stands for two moments. The hub's grid settles it: a
start there is the first of them, an end the second, so that a window is never shorter than asked for. On that
grid both directions are exact; what is not on it is refused and not rounded.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gateway.domain.credential import Schedule, WeeklyWindow
from gateway.domain.driver import Refused
from gateway.domain.placement import Refusal

type Entry = Mapping[str, Any]
"""One schedule in the words of zwave-js."""

_CENTURY = 2000
"""Years are one byte, counted from here."""
_OPEN_START = datetime(2000, 1, 1)  # noqa: DTZ001 - local time of whatever zone
_OPEN_END = datetime(2099, 12, 31, 23, 59)  # noqa: DTZ001 - as above
"""There is no open side on the lock; these stand for it."""
_DAY = 1440
_FIELDS = ("Year", "Month", "Day", "Hour", "Minute")


def year_day_of(schedule: Schedule, zone: ZoneInfo) -> Entry:
    """Return a schedule by dates as the lock keeps it.

    Raises Refused where it cannot: not on the grid, before 2000 or after 2099, or shorter than the change of
    the clock in whose repeated hour it lies.
    """
    start, end = _local(schedule.starts_at, zone, _OPEN_START), _local(schedule.ends_at, zone, _OPEN_END)
    if not _OPEN_START <= start < end <= _OPEN_END:
        raise Refused(Refusal.SCHEDULE, "the lock cannot keep this window in its local time")
    entry = {**_part("start", start), **_part("stop", end)}
    if schedule_of(entry, zone) != Schedule(starts_at=schedule.starts_at, ends_at=schedule.ends_at):
        raise Refused(Refusal.SCHEDULE, "the window does not lie on the minutes of the lock's clock")
    return entry


def schedule_of(entry: Entry, zone: ZoneInfo) -> Schedule:
    """Return what a schedule by dates means. Raises ValueError or KeyError where it makes no sense."""
    start, end = _moment(entry, "start"), _moment(entry, "stop")
    return Schedule(
        starts_at=None if start == _OPEN_START else start.replace(tzinfo=zone, fold=0).astimezone(UTC),
        ends_at=None if end == _OPEN_END else end.replace(tzinfo=zone, fold=1).astimezone(UTC),
    )


def daily_of(window: WeeklyWindow) -> Entry:
    """Return a window by weekdays as the lock keeps it: a start and how long, over midnight if need be.

    Raises Refused where it cannot: no weekday, or not between a minute and a minute less than a day.
    """
    length = window.until_minute - window.from_minute
    days = set(window.weekdays)
    if not (days and days <= set(range(7)) and 0 <= window.from_minute < _DAY and 0 < length < _DAY):
        raise Refused(Refusal.SCHEDULE, "the lock cannot keep such a window by weekdays")
    return {
        "weekdays": sorted((day + 1) % 7 for day in days),  # Sunday is 0 there
        "startHour": window.from_minute // 60,
        "startMinute": window.from_minute % 60,
        "durationHour": length // 60,
        "durationMinute": length % 60,
    }


def window_of(entry: Entry) -> WeeklyWindow:
    """Return what a daily repeating schedule means. Raises KeyError where it makes no sense."""
    start = entry["startHour"] * 60 + entry["startMinute"]
    return WeeklyWindow(
        weekdays=tuple(sorted((day - 1) % 7 for day in entry["weekdays"])),
        from_minute=start,
        until_minute=start + entry["durationHour"] * 60 + entry["durationMinute"],
    )


def change_between(zone: ZoneInfo, after: datetime, until: datetime) -> datetime | None:
    """Return when the zone changes its offset between two moments some days apart at most, to a second."""
    before = after.astimezone(zone).utcoffset()
    if until.astimezone(zone).utcoffset() == before:
        return None
    while until - after > timedelta(seconds=1):
        middle = after + (until - after) / 2
        if middle.astimezone(zone).utcoffset() == before:
            after = middle
        else:
            until = middle
    return until


def _local(moment: datetime | None, zone: ZoneInfo, instead: datetime) -> datetime:
    if moment is None:
        return instead
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _part(side: str, moment: datetime) -> dict[str, int]:
    numbers = (moment.year - _CENTURY, moment.month, moment.day, moment.hour, moment.minute)
    return {f"{side}{field}": number for field, number in zip(_FIELDS, numbers, strict=True)}


def _moment(entry: Entry, side: str) -> datetime:
    year, month, day, hour, minute = (entry[f"{side}{field}"] for field in _FIELDS)
    midnight = datetime.combine(date(_CENTURY + year, month, day), datetime.min.time())
    return midnight.replace(hour=hour, minute=minute)
