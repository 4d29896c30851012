"""What an expression names, against cronsim, which follows Debian's cron."""

from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.errors import InvalidInput
from gateway.domain.recurrence import Recurrence, check, is_open, next_change

ZERO, MINUTE, DAY = timedelta(0), timedelta(minutes=1), timedelta(days=1)
MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()  # noqa: SIM905 - easier to read
WEEKDAYS = "SUN MON TUE WED THU FRI SAT".split()  # noqa: SIM905 - easier to read
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Asia/Beirut"]
)
DAYS = st.dates(date(2024, 1, 1), date(2037, 12, 31))


def opens(asked: Recurrence, start: datetime, end: datetime) -> list[datetime]:
    """Return the minutes from `start` to before `end`, both whole ones, at which windows of a minute open."""
    found: list[datetime] = []
    at = start
    while at < end:
        change = min(next_change(asked, at) or end, end)
        if is_open(asked, at):
            found += (at + n * MINUTE for n in range((change - at) // MINUTE))
        at = change
    return found


def is_comparable(cron: str, moment: datetime, zone: ZoneInfo) -> bool:
    """Say whether both understand `moment` alike, which they do but for two repairs of cron.

    A job at certain hours that falls into the skipped hour of spring runs when that ends, and one in the
    repeated hour of autumn runs the first time only. A window in the skipped hour is lost, and one in the
    repeated hour is open both times. Jobs of every hour or minute go by what the clock shows; for these
    cronsim steps by whole hours, and stays beside the mark for a day where clocks change by half of one.
    """
    shown, earlier, before = ((moment - span).astimezone(zone) for span in (ZERO, MINUTE, 1.5 * DAY))
    if any(field.startswith("*") for field in cron.split()[:2]):
        changed = (shown.utcoffset() or ZERO) - (before.utcoffset() or ZERO)
        return not changed % timedelta(hours=1)
    ends_gap = shown.replace(tzinfo=None) - earlier.replace(tzinfo=None) > MINUTE
    return not ends_gap and not shown.fold


def check_against_cronsim(cron: str, zone_name: str, day: date, days: int) -> None:
    """Compare the starts within `days`."""
    zone = ZoneInfo(zone_name)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    end = start + timedelta(days=days)
    theirs = (at.astimezone(UTC) for at in CronSim(cron, (start - MINUTE).astimezone(zone)))
    expected = [at for at in takewhile(lambda at: at < end, theirs) if is_comparable(cron, at, zone)]
    ours = opens(Recurrence(cron=cron, minutes=1, time_zone=zone_name), start, end)
    assert [at for at in ours if is_comparable(cron, at, zone)] == expected


CHANGES = {
    "Europe/Berlin": (date(2027, 3, 27), date(2027, 10, 30)),
    "America/New_York": (date(2027, 3, 13), date(2027, 11, 6)),
    "Australia/Lord_Howe": (date(2027, 4, 3), date(2027, 10, 2)),
    "America/Santiago": (date(2027, 4, 3), date(2027, 9, 4)),
    "Asia/Beirut": (date(2027, 3, 27), date(2027, 10, 30)),
}
"""The days before clocks change: at two, by half an hour, and at midnight."""


@pytest.mark.parametrize(
    "cron",
    [
        "*/7 * * * *",
        "30 * * * *",
        "*/20 1-3 * * *",
        "0,30 0,1,2,3,23 * * *",
        "15 0-4 * * *",
        "59 1,2 * * SUN",
    ],
)
@pytest.mark.parametrize("zone", CHANGES)
def test_the_same_starts_around_changes_of_the_clocks(cron: str, zone: str) -> None:
    """In the hours before and after, and in the repeated hour as far as cron means the same."""
    place = ZoneInfo(zone)
    for day in CHANGES[zone]:
        nights = [datetime(day.year, day.month, day.day, tzinfo=UTC) + n * DAY for n in (0, 2)]
        assert len({night.astimezone(place).utcoffset() for night in nights}) == 2
        check_against_cronsim(cron, zone, day, 3)


@pytest.mark.parametrize(
    "cron",
    [
        "0 9 * * MON-FRI",
        "0,30 8-18/2 1,15 * *",
        "5 4 1 * SUN",
        "0 0 L * *",
        "0 12 L,15 2 *",
        "0 0 L * MON",
        "15 6 * * MON#1",
        "15 6 * * 7#2,WED#5",
        "0 0 29 2 *",
        "0 0 31 * *",
        "0 0 1-31 * TUE",
        "*/40 */7 */9 */5 *",
        "0 3 * * */2",
        "0 0 * * */3",
        "0 6 * * 1-7/2",
        "0 6 * * 2-7/3",
        "0 6 * * 4-7/3",
        "0 6 * * 6-7",
        "0 6 * * 5-7/2",
        "0 6 * * 6-7/2",
        "59 23 31 12 *",
        "0 0 * JUN-AUG 1-5",
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_the_same_starts_within_five_years(cron: str, zone: str) -> None:
    """Including a leap day."""
    check_against_cronsim(cron, zone, date(2027, 1, 1), 5 * 366)


@st.composite
def some(draw: st.DrawFn, low: int, high: int, names: list[str] | None = None, special: str = "") -> str:
    """Draw a list of values, upward ranges and whatever is special."""
    shown = {number: [str(number), *((names or [])[number - low :][:1])] for number in range(low, high + 1)}

    def item() -> str:
        first, last = sorted(
            draw(st.lists(st.sampled_from(range(low, high + 1)), min_size=2, max_size=2, unique=True))
        )
        value, end = draw(st.sampled_from(shown[first])), draw(st.sampled_from(shown[last]))
        step = draw(st.integers(1, 5))
        kinds = [
            value,
            f"{value}-{end}",
            f"{value}-{end}/{step}",
            special or value,
        ]
        return draw(st.sampled_from(kinds))

    return ",".join(item() for _ in range(draw(st.integers(1, 3))))


ANY = st.just("*")
STEPS = st.sampled_from(["*", "*/1", "*/2", "*/5", "*/12"])
HOURS, DATES, WEEKDAY = some(0, 23), some(1, 31, special="L"), some(0, 7, WEEKDAYS)
NTH = st.lists(
    st.builds("{}#{}".format, st.sampled_from([*WEEKDAYS, "0", "4", "7"]), st.integers(1, 5)),
    min_size=1,
    max_size=2,
).map(",".join)
CRONS = st.tuples(
    st.sampled_from(["0", "*/25", "7-50/15", "3,59"]),
    STEPS | HOURS,
    st.tuples(STEPS | DATES, STEPS | some(1, 12, MONTHS), ANY).map(" ".join)
    | st.tuples(ANY, STEPS | some(1, 12, MONTHS), STEPS | WEEKDAY | NTH).map(" ".join)
    | st.tuples(STEPS | DATES, STEPS, STEPS | WEEKDAY | NTH).map(" ".join),
).map(" ".join)


@pytest.mark.slow
@settings(max_examples=150)
@given(cron=CRONS, zone=ZONES, day=DAYS)
def test_what_is_taken_is_understood_alike(cron: str, zone: str, day: date) -> None:
    """All that we take, cronsim takes too, and the starts of five weeks are the same."""
    try:
        check(Recurrence(cron=cron, minutes=1, time_zone=zone))
    except InvalidInput:
        return
    check_against_cronsim(cron, zone, day, 35)
