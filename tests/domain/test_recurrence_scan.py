"""Recurrences against a scan of every minute, around all changes of the clocks in all zones.

The scan knows nothing of the implementation: a plain matcher of cron fields on naive wall-clock times, and
what zoneinfo says of each quarter of an hour. Times are bits of large numbers, one for each minute.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.recurrence import Recurrence, current_window, is_open, next_change, weekly

type Change = tuple[datetime, timedelta, timedelta]
"""When the clocks of a zone change, and the offsets before and after."""

MINUTE = timedelta(minutes=1)
QUARTER = 15
DAY = 1440
WEEK = 7 * DAY
SCANNED = 4 * DAY
STEP = timedelta(days=5)
YEARS = range(2024, 2038)


def named(field: str, low: int, high: int) -> set[int]:
    """Return the numbers that a field of cron names; no names, no special characters."""
    numbers: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        start, end = (low, high) if span == "*" else (int(first), int(last or first))
        numbers |= set(range(start, end + 1, int(step or 1)))
    return numbers


@cache
def starts_of_day(cron: str, day: date) -> int:
    """Return the minutes of `day` at which a window opens."""
    minute, hour, dates, months, weekdays = cron.split()
    by_date = day.day in named(dates, 1, 31)
    by_weekday = day.isoweekday() % 7 in {number % 7 for number in named(weekdays, 0, 6)}
    day_holds = by_date or by_weekday if "*" not in (dates, weekdays) else by_date and by_weekday
    if not day_holds or day.month not in named(months, 1, 12):
        return 0
    return sum(1 << (h * 60 + m) for h in named(hour, 0, 23) for m in named(minute, 0, 59))


def lasting(starts: int, minutes: int) -> int:
    """Return the minutes that windows of `minutes` cover."""
    covered, length = starts, 1
    while length < minutes:
        more = min(length, minutes - length)
        covered |= covered << more
        length += more
    return covered


@cache
def offsets(zone: str, start: datetime) -> list[tuple[int, int, int]]:
    """Return the offset of each scanned quarter of an hour, as (first minute, minutes, offset in minutes)."""
    place = ZoneInfo(zone)
    quarters = range(0, SCANNED, QUARTER)
    runs = groupby(quarters, lambda minute: (start + minute * MINUTE).astimezone(place).utcoffset())
    return [
        (minutes[0], len(minutes) * QUARTER, offset // MINUTE)
        for offset, minutes in ((offset, list(run)) for offset, run in runs)
        if offset is not None
    ]


def scan(asked: Recurrence, start: datetime) -> int:
    """Return the open minutes of four days from `start`, which lies on a quarter of an hour."""
    # Everything that matters on the wall clock: a week before, and offsets of up to a day.
    lead = WEEK + 2 * DAY
    first = start.date() - timedelta(days=9)
    days = (first + timedelta(days=n) for n in range(15))
    starts = sum(starts_of_day(asked.cron, day) << (n * DAY) for n, day in enumerate(days))
    on_the_wall = lasting(starts, asked.minutes)
    begin = lead + start.hour * 60 + start.minute
    return sum(
        (on_the_wall >> (begin + minute + offset) & ((1 << length) - 1)) << minute
        for minute, length, offset in offsets(asked.time_zone, start)
    )


def by_changes(asked: Recurrence, start: datetime) -> int:
    """Return the same from `next_change`."""
    opened, at, minute, found = is_open(asked, start), start, 0, 0
    while minute < SCANNED:
        change = next_change(asked, at)
        assert change is None or change > at
        until = SCANNED if change is None else min((change - start) // MINUTE, SCANNED)
        if opened:
            found |= (1 << until) - (1 << minute)
        if change is None:
            break
        assert is_open(asked, change) != opened
        opened, at, minute = not opened, change, until
    return found


def edges_of(minutes: int) -> list[int]:
    """Return which of the scanned minutes differ from the one before, in order."""
    flips = (minutes ^ (minutes >> 1)) & ((1 << (SCANNED - 1)) - 1)
    found = []
    while flips:
        found.append((flips & -flips).bit_length())
        flips &= flips - 1
    return found


def check_against_the_scan(asked: Recurrence, start: datetime) -> None:
    """Compare what `next_change`, `is_open` and `current_window` say."""
    expected = scan(asked, start)
    assert by_changes(asked, start) == expected, (asked, start)
    edges = edges_of(expected)
    for n in edges:
        for minute in (n - 1, n):
            assert is_open(asked, start + minute * MINUTE) == bool(expected >> minute & 1), (
                asked,
                start,
                minute,
            )
    for first, last in pairwise(edges):
        if expected >> first & 1:
            window = start + first * MINUTE, start + last * MINUTE
            assert current_window(asked, window[1] - MINUTE / 2) == window, (asked, window)


def changes_of(zone: str) -> Iterator[Change]:
    """Yield the changes of a zone's clocks in `YEARS`; no two of them lie within five days."""
    place = ZoneInfo(zone)
    first, end = datetime(YEARS.start, 1, 1, tzinfo=UTC), datetime(YEARS.stop, 1, 1, tzinfo=UTC)
    steps = [first + n * STEP for n in range((end - first) // STEP + 1)]
    known = [(step, step.astimezone(place).utcoffset()) for step in steps]
    for (start, before), (_, after) in pairwise(known):
        if before != after and before is not None and after is not None:
            low, high = 0, STEP // MINUTE
            while high - low > 1:
                middle = (low + high) // 2
                unchanged = (start + middle * MINUTE).astimezone(place).utcoffset() == before
                low, high = (middle, high) if unchanged else (low, middle)
            yield start + high * MINUTE, before, after


@cache
def zones_by_rule() -> dict[tuple[Change, ...], str]:
    """Return one zone for each distinct list of changes."""
    found: dict[tuple[Change, ...], str] = {}
    for zone in sorted(available_timezones() - {"Factory", "localtime"}):
        found.setdefault(tuple(changes_of(zone)), zone)
    return found


def around(change: Change) -> list[tuple[str, int]]:
    """Return recurrences whose windows lie around, in, and over what a change skips or repeats."""
    at, before, after = change
    low, high = sorted(((at + before).replace(tzinfo=None), (at + after).replace(tzinfo=None)))
    middle = low + (high - low) / 2
    weekday = middle.isoweekday() % 7
    length = (high - low) // MINUTE
    just_before = low - 30 * MINUTE
    return [
        (f"{low.minute} {low.hour} * * *", length),
        (f"{middle.minute} {middle.hour} * * {weekday}", length),
        (f"{just_before.minute} {just_before.hour} {just_before.day} * *", 2 * length + 60),
        (f"*/10 {low.hour} {low.day} {low.month} {weekday}", 7),
        (f"{high.minute} {high.hour} * * *", DAY - length),
        (f"{middle.minute} {middle.hour} * * {weekday}", WEEK - 20),
    ]


@pytest.mark.slow
def test_around_every_change_of_the_clocks_in_every_zone() -> None:
    """Two days before and after, minute by minute."""
    assert len(zones_by_rule()) > 20
    assert any(
        abs(after - before) < timedelta(hours=1) for rule in zones_by_rule() for _, before, after in rule
    )
    for rule, zone in zones_by_rule().items():
        for change in rule:
            start = change[0] - timedelta(days=2)
            for cron, minutes in around(change):
                check_against_the_scan(Recurrence(cron=cron, minutes=minutes, time_zone=zone), start)


def test_each_minute_of_two_weekends() -> None:
    """`is_open` alone, in the nights in which Berlin's clocks change."""
    for start in (datetime(2026, 3, 27, 1, tzinfo=UTC), datetime(2026, 10, 23, 1, tzinfo=UTC)):
        for cron, minutes in (("15 2 * * *", 30), ("30 1 * * 0", 75)):
            asked = Recurrence(cron=cron, minutes=minutes, time_zone="Europe/Berlin")
            expected = scan(asked, start)
            found = sum(is_open(asked, start + n * MINUTE) << n for n in range(SCANNED))
            assert found == expected


@st.composite
def fields(draw: st.DrawFn, low: int, high: int) -> str:
    """Draw a field of cron without names and special characters."""
    if draw(st.booleans()):
        return "*"
    numbers = st.integers(low, high)
    ranges = (
        st.tuples(numbers, numbers)
        .filter(lambda pair: pair[0] < pair[1])
        .map(lambda pair: "{}-{}".format(*pair))
    )
    steps = st.tuples(ranges, st.integers(1, 9)).map(lambda pair: "{}/{}".format(*pair))
    return ",".join(draw(st.lists(numbers.map(str) | ranges | steps, min_size=1, max_size=3)))


CRONS = st.tuples(fields(0, 59), fields(0, 23), fields(1, 31), fields(1, 12), fields(0, 6)).map(" ".join)
LENGTHS = st.integers(1, 180) | st.integers(1, WEEK)
ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Pacific/Chatham",
        "Africa/Casablanca",
    ]
)
DAYS = st.dates(date(2024, 1, 1), date(2037, 12, 31))


def possible(cron: str) -> bool:
    """Say whether the dates come at all."""
    _, _, dates, months, weekdays = cron.split()
    longest = max(monthrange(2028, month)[1] for month in named(months, 1, 12))
    return weekdays != "*" or min(named(dates, 1, 31)) <= longest


@pytest.mark.slow
@given(cron=CRONS.filter(possible), minutes=LENGTHS, zone=ZONES, day=DAYS, quarter=st.integers(0, 95))
def test_any_expression_on_any_day(cron: str, minutes: int, zone: str, day: date, quarter: int) -> None:
    """Four days, minute by minute."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) + quarter * QUARTER * MINUTE
    check_against_the_scan(Recurrence(cron=cron, minutes=minutes, time_zone=zone), start)


@given(
    minute=fields(0, 59),
    hour=fields(0, 23),
    weekdays=fields(0, 6),
    minutes=LENGTHS,
    at=st.integers(0, 2 * WEEK),
)
def test_what_is_weekly_is_the_same_by_weekday_and_time(
    minute: str, hour: str, weekdays: str, minutes: int, at: int
) -> None:
    """Read as a lock reads it: weekday of the start, minutes from midnight, past midnight above 1440."""
    asked = Recurrence(cron=f"{minute} {hour} * * {weekdays}", minutes=minutes, time_zone="UTC")
    windows = weekly(asked)
    if windows is None:
        return
    assert 1 <= len(windows) <= 7
    monday = datetime(2026, 5, 4, tzinfo=UTC)
    of_week = at % WEEK
    covering = [
        window
        for window in windows
        for weekday in window.weekdays
        if (of_week - weekday * DAY - window.from_minute) % WEEK < window.until_minute - window.from_minute
    ]
    assert len(covering) == is_open(asked, monday + at * MINUTE)
