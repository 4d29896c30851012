"""Windows that come again: every weekday from nine to five, the first Monday of each month, ...

A window is open at an instant if some wall-clock time `s` that matches `cron` satisfies
`s <= wall clock at that instant < s + minutes`; everything is counted on the wall clock of the zone. So

- in the repeated hour of autumn, a window that covers 02:30 is open both times;
- in the skipped hour of spring, what falls into the gap is lost; what lies behind the gap is not;
- windows that overlap or touch are one.

Moments are aware and in UTC, between the years 1970 and 9900. Every function raises what `check` raises.
"""

import re
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import NamedTuple, final
from zoneinfo import ZoneInfo

from msgspec import Struct

from gateway.domain.credential import WeeklyWindow
from gateway.domain.cron import HORIZON_DAYS, bad, read
from gateway.domain.errors import InvalidInput

LONGEST = 10_080
"""Minutes in a week: the longest window."""

_MOST_WEEKLY = 7
_DAY = 1440
_MINUTE = timedelta(minutes=1)
_SAMPLE = datetime(2024, 1, 1, tzinfo=UTC)
_REMEMBERED = 8


class Recurrence(Struct, frozen=True, kw_only=True):
    """When windows open, and for how long. Wall-clock times of `time_zone`."""

    cron: str
    """Five fields: minute, hour, day of the month, month, day of the week."""
    minutes: int
    """How long each window stays open, 1 to 10080, by the wall clock."""
    time_zone: str
    """Name in the IANA database."""


def check(recurrence: Recurrence) -> None:
    """Refuse what has no clear meaning or never opens.

    Raises:
        InvalidInput: `data.field` is `cron`, `minutes` or `time_zone`. The value is not echoed.
    """
    rule = _rule(recurrence)
    if not rule.is_open(_SAMPLE) and next_change(recurrence, _SAMPLE) is None:
        raise bad("the time it names never comes")


def is_open(recurrence: Recurrence, at: datetime) -> bool:
    """Say whether a window is open at `at`."""
    return _stretch(recurrence, at).is_open


def next_change(recurrence: Recurrence, at: datetime) -> datetime | None:
    """Return the first moment after `at` at which `is_open` differs from what it is at `at`; None: never."""
    return _stretch(recurrence, at).until


def current_window(recurrence: Recurrence, at: datetime) -> tuple[datetime, datetime] | None:
    """Return start and end (exclusive) of the time without a break that is open at `at`, or of the next.

    None where there is no such time or it does not end.
    """
    return _stretch(recurrence, at).window


def weekly(recurrence: Recurrence) -> tuple[WeeklyWindow, ...] | None:
    """Return what is the same as windows on weekdays, by time of day.

    None where the expression looks at dates or months, where windows of different days overlap or one reaches
    beyond the next day, and where more than seven would be needed.
    """
    rule = _rule(recurrence)
    if not rule.days.by_weekday or len(rule.opens) > _MOST_WEEKLY or rule.closes[-1] > 2 * _DAY:
        return None
    weekdays = tuple(sorted({(day - 1) % 7 for day, _ in rule.days.weekdays}))
    overlap = rule.opens[0] < rule.closes[-1] - _DAY
    if overlap and any((day + 1) % 7 in weekdays for day in weekdays):
        return None
    return tuple(
        WeeklyWindow(weekdays=weekdays, from_minute=opens, until_minute=closes)
        for opens, closes in zip(rule.opens, rule.closes, strict=True)
    )


@final
class _Rule:
    """A recurrence made ready. It counts wall-clock minutes from the beginning of the calendar."""

    def __init__(self, recurrence: Recurrence) -> None:
        """Read `recurrence`, or raise `InvalidInput`."""
        if not 1 <= recurrence.minutes <= LONGEST:
            raise InvalidInput(f"minutes: a whole number from 1 to {LONGEST}", field="minutes")
        self.zone = _zone(recurrence.time_zone)
        self.days, times = read(recurrence.cron)
        windows = _merged((time, time + recurrence.minutes) for time in times)
        self.opens = [opens for opens, _ in windows]
        self.closes = [closes for _, closes in windows]
        self.found: deque[_Stretch] = deque(maxlen=_REMEMBERED)

    def is_open(self, at: datetime) -> bool:
        """Say whether a window is open at `at`."""
        return self.around(_wall(self.zone, at)[0]) is not None

    def around(self, minute: int) -> tuple[int, int] | None:
        """Return from when to when a window that is open at `minute` lasts; None: none is open."""
        today, time = divmod(minute, _DAY)
        # The windows of a day do not overlap, but may last into the days after it.
        for back in range((self.closes[-1] - 1) // _DAY + 1):
            since = time + back * _DAY
            found = bisect_right(self.opens, since) - 1
            if found >= 0 and since < self.closes[found] and self.days.holds(date.fromordinal(today - back)):
                midnight = minute - since
                return midnight + self.opens[found], midnight + self.closes[found]
        return None

    def opening(self, minute: int) -> int | None:
        """Return when the next window after `minute` opens; None: not within the horizon."""
        for day in self.days.coming(minute // _DAY):
            found = bisect_right(self.opens, minute - day * _DAY)
            if found < len(self.opens):
                return day * _DAY + self.opens[found]
        return None

    def closing(self, minute: int) -> int | None:
        """Return when what is open at `minute` closes; None: never."""
        return None if self.never_closes else self._closing(minute, date.max.toordinal() * _DAY)

    def opened(self, minute: int) -> int:
        """Return since when it has been open without a break at `minute`; it must close at some time."""
        while (found := self.around(minute)) is not None:
            minute = found[0] - 1
        return minute + 1

    @cached_property
    def never_closes(self) -> bool:
        """Say whether the windows leave no break.

        The weekdays of dates come in all their sequences within 28 years without a skipped leap year.
        """
        first = self.opening(date(2001, 1, 1).toordinal() * _DAY)
        return first is not None and self._closing(first, date(2030, 1, 1).toordinal() * _DAY) is None

    def _closing(self, minute: int, limit: int) -> int | None:
        while (found := self.around(minute)) is not None:
            minute = found[1]
            if minute > limit:
                return None
        return minute


class _Stretch(NamedTuple):
    """A time in which nothing changes."""

    since: datetime
    until: datetime | None
    is_open: bool
    window: tuple[datetime, datetime] | None
    """What is open, or opens at its end."""


@lru_cache(maxsize=256)
def _rule(recurrence: Recurrence) -> _Rule:
    return _Rule(recurrence)


def _stretch(recurrence: Recurrence, at: datetime) -> _Stretch:
    rule = _rule(recurrence)
    # Planners ask again and again within the same few windows and pauses.
    for known in rule.found:
        if known.since <= at and (known.until is None or at < known.until):
            return known
    found = _look_up(rule, at)
    rule.found.appendleft(found)
    return found


def _look_up(rule: _Rule, at: datetime) -> _Stretch:
    opened, change = rule.is_open(at), _next_change(rule, at)
    if change is None:
        return _Stretch(at, None, opened, None)
    if opened:
        since = _opened(rule, at)
        return _Stretch(since, change, opened, (since, change))
    ends_at = _next_change(rule, change)
    return _Stretch(at, change, opened, None if ends_at is None else (change, ends_at))


def _merged(windows: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join what overlaps or touches; `windows` come in order and all are as long."""
    merged: list[tuple[int, int]] = []
    for opens, closes in windows:
        if merged and opens <= merged[-1][1]:
            merged[-1] = (merged[-1][0], closes)
        else:
            merged.append((opens, closes))
    return merged


def _next_change(rule: _Rule, at: datetime) -> datetime | None:
    opened = rule.is_open(at)
    moment, horizon = at, at + timedelta(days=HORIZON_DAYS)
    while moment < horizon:
        minute, rest = _wall(rule.zone, moment)
        coming = rule.closing(minute) if opened else rule.opening(minute)
        if coming is None:
            return None
        change = moment - rest + (coming - minute) * _MINUTE
        shift = next((s for s in _shifts(rule.zone, moment, change) if s > moment), None)
        if shift is None:
            return change
        if rule.is_open(shift) != opened:
            return shift
        moment = shift
    return None


def _opened(rule: _Rule, at: datetime) -> datetime:
    """Return since when it has been open without a break at `at`; it must be open and close at some time."""
    while True:
        minute, rest = _wall(rule.zone, at)
        change = at - rest - (minute - rule.opened(minute)) * _MINUTE
        shift = max(_shifts(rule.zone, change, at), default=None)
        if shift is None:
            return change
        before = shift - timedelta.resolution
        if not rule.is_open(before):
            return shift
        at = before


def _wall(zone: ZoneInfo, at: datetime) -> tuple[int, timedelta]:
    """Return the minute that the wall clock shows, and what it shows beyond that."""
    wall = at.astimezone(zone)
    minute = wall.toordinal() * _DAY + wall.hour * 60 + wall.minute
    return minute, timedelta(seconds=wall.second, microseconds=wall.microsecond)


def _shifts(zone: ZoneInfo, first: datetime, last: datetime) -> Iterator[datetime]:
    """Yield when the wall clock of `zone` jumps, from `first` to `last`, both included."""
    for year in range(first.year, last.year + 1):
        yield from (shift for shift in _shifts_of_year(zone, year) if first <= shift <= last)


@lru_cache(maxsize=256)
def _shifts_of_year(zone: ZoneInfo, year: int) -> tuple[datetime, ...]:
    """Return when the wall clock jumps in a UTC year.

    zoneinfo does not tell, so each day is looked at: since 1970 no two jumps of a zone were less than six
    days apart (tzdata 2025b).
    """
    # From a second before midnight, so that a jump at the turn of the year belongs to the new one.
    first = datetime(year, 1, 1, tzinfo=UTC) - timedelta(seconds=1)
    days = [first + timedelta(days=n) for n in range(date(year, 12, 31).timetuple().tm_yday + 1)]
    offsets = [day.astimezone(zone).utcoffset() for day in days]
    return tuple(
        _shift_after(zone, day)
        for day, before, after in zip(days, offsets, offsets[1:], strict=False)
        if before != after
    )


def _shift_after(zone: ZoneInfo, day: datetime) -> datetime:
    """Return the one jump within 24 hours after `day`, to the second."""
    before = day.astimezone(zone).utcoffset()
    jump = bisect_left(
        range(_DAY * 60),
        True,  # noqa: FBT003 - what is searched for
        key=lambda seconds: (day + timedelta(seconds=seconds)).astimezone(zone).utcoffset() != before,
    )
    return day + timedelta(seconds=jump)


_ZONE = re.compile(r"(?!posix|right|localtime|Factory)[A-Za-z][\w+-]*(/[\w+-]+){0,2}", re.ASCII)
"""Names as in the IANA database; the others belong to the system, and some of them count leap seconds."""
_LONGEST_ZONE = 64


def _zone(name: str) -> ZoneInfo:
    try:
        if len(name) <= _LONGEST_ZONE and _ZONE.fullmatch(name):
            return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        pass
    message = "time_zone: the name of a time zone is expected, such as Europe/Berlin or UTC"
    raise InvalidInput(message, field="time_zone")
