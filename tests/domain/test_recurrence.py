"""Windows that come again: when they are open, and what a lock that knows weekdays can be told of them."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.credential import WeeklyWindow
from gateway.domain.recurrence import Recurrence, current_window, is_open, next_change, weekly

MINUTE = timedelta(minutes=1)


def recurrence(cron: str, minutes: int, zone: str = "Europe/Berlin") -> Recurrence:
    """Return a recurrence."""
    return Recurrence(cron=cron, minutes=minutes, time_zone=zone)


def utc(text: str) -> datetime:
    """Read a UTC time."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def changes(asked: Recurrence, start: str, count: int) -> list[str]:
    """Return the next `count` changes, in UTC."""
    found: list[str] = []
    at = utc(start)
    for _ in range(count):
        change = next_change(asked, at)
        assert change is not None
        assert is_open(asked, change) != is_open(asked, change - timedelta.resolution)
        found.append(f"{change:%m-%d %H:%M:%S}".removesuffix(":00"))
        at = change
    return found


OFFICE = recurrence("0 9 * * MON-FRI", 480)


def test_a_window_is_open_from_its_start_to_just_before_its_end() -> None:
    """Nine to five in Berlin is 07:00Z to 15:00Z in summer."""
    for moment, opened in (
        ("2026-05-06 06:59:59.999999", False),
        ("2026-05-06 07:00", True),
        ("2026-05-06 14:59:59.999999", True),
        ("2026-05-06 15:00", False),
        ("2026-05-09 12:00", False),  # a Saturday
    ):
        assert is_open(OFFICE, utc(moment)) == opened


def test_changes_come_one_after_the_other() -> None:
    """Whatever the second at which one asks; over the weekend nothing opens."""
    assert changes(OFFICE, "2026-05-07 06:59:30.5", 4) == [
        "05-07 07:00",
        "05-07 15:00",
        "05-08 07:00",
        "05-08 15:00",
    ]
    assert changes(OFFICE, "2026-05-08 15:00", 1) == ["05-11 07:00"]


def test_asking_about_the_past_is_not_answered_from_what_was_found_later() -> None:
    """Answers do not depend on what was asked before."""
    asked = recurrence("0 9 * * TUE", 60)
    later, earlier = utc("2026-05-06 12:00"), utc("2026-05-01 12:00")
    assert next_change(asked, later) == utc("2026-05-12 07:00")
    assert next_change(asked, earlier) == utc("2026-05-05 07:00")
    assert next_change(asked, later) == utc("2026-05-12 07:00")


@pytest.mark.parametrize(
    ("cron", "opens"),
    [
        ("0 0 1 * *", ["06-01 00:00", "07-01 00:00"]),
        ("30 8 15 * FRI", ["05-08 08:30", "05-15 08:30", "05-22 08:30"]),  # the 15th is a Friday
        ("30 8 13 * FRI", ["05-08 08:30", "05-13 08:30", "05-15 08:30"]),
        ("0 0 L * *", ["05-31 00:00", "06-30 00:00", "07-31 00:00"]),
        ("0 0 L 2 *", ["02-28 00:00", "02-29 00:00"]),  # 2027 and 2028
        ("0 0 * * MON#1", ["06-01 00:00", "07-06 00:00"]),
        ("0 0 * * 7#5", ["05-31 00:00", "08-30 00:00"]),
        ("0 10 * * SAT-MON", ["05-09 10:00", "05-10 10:00", "05-11 10:00", "05-16 10:00"]),
        ("0 10 1 nov-feb *", ["11-01 10:00", "12-01 10:00", "01-01 10:00", "02-01 10:00", "11-01 10:00"]),
        ("0 0 29 2 *", ["02-29 00:00", "02-29 00:00"]),  # 2028 and 2032
        ("*/20 23 6 5 *", ["05-06 23:00", "05-06 23:20", "05-06 23:40"]),
        ("15 5,9-11/2 * * *", ["05-07 05:15", "05-07 09:15", "05-07 11:15", "05-08 05:15"]),
    ],
)
def test_the_expression_names_the_starts(cron: str, opens: list[str]) -> None:
    """In UTC, to keep the zone out; asked on Wednesday, 6 May 2026, at noon."""
    found = changes(recurrence(cron, 5, "UTC"), "2026-05-06 12:00", 2 * len(opens))
    assert found[::2] == opens


def test_windows_that_overlap_or_touch_are_one() -> None:
    """Also over midnight and over several days."""
    assert changes(recurrence("0 9,10 * * *", 90, "UTC"), "2026-05-06 00:00", 2) == [
        "05-06 09:00",
        "05-06 11:30",
    ]
    assert changes(recurrence("0 9,10 * * *", 60, "UTC"), "2026-05-06 00:00", 2) == [
        "05-06 09:00",
        "05-06 11:00",
    ]
    long = recurrence("0 22 * * MON,WED", 2 * 1440, "UTC")
    assert changes(long, "2026-05-04 00:00", 2) == ["05-04 22:00", "05-08 22:00"]


def test_what_leaves_no_break_never_changes() -> None:
    """Every minute, a week from each Monday, and five days from every fifth."""
    for cron, minutes in (("* * * * *", 1), ("0 0 * * MON", 10_080), ("30 4 */5 * *", 5 * 1440)):
        asked = recurrence(cron, minutes)
        at = utc("2026-05-06 12:00")
        assert is_open(asked, at)
        assert next_change(asked, at) is None
        assert current_window(asked, at) is None


def test_a_break_that_is_far_away_is_found() -> None:
    """Months later, or on a few days at the end of a month."""
    asked = recurrence("* * * 1-11 *", 1, "UTC")
    assert changes(asked, "2026-05-06 12:00", 2) == ["12-01 00:00", "01-01 00:00"]
    assert current_window(asked, utc("2026-05-06 12:00")) == (
        utc("2026-01-01 00:00"),
        utc("2026-12-01 00:00"),
    )
    weeks = recurrence("0 0 1,8,15,22,L * *", 10_080, "UTC")
    assert changes(weeks, "2026-02-10 00:00", 2) == ["03-29 00:00", "03-31 00:00"]


class TestClockChanges:
    """Berlin: 02:00 becomes 03:00 on 29 March 2026 (01:00Z), 03:00 becomes 02:00 on 25 October (01:00Z)."""

    def test_in_the_repeated_hour_a_window_opens_twice(self) -> None:
        """02:15 to 02:45 comes at 00:15Z and at 01:15Z."""
        assert changes(recurrence("15 2 * * *", 30), "2026-10-24 12:00", 4) == [
            "10-25 00:15",
            "10-25 00:45",
            "10-25 01:15",
            "10-25 01:45",
        ]

    def test_a_window_over_the_repeated_hour_is_an_hour_longer(self) -> None:
        """01:00 to 04:00 lasts four hours, 02:30 to 03:30 is interrupted."""
        assert changes(recurrence("0 1 * * *", 180), "2026-10-24 12:00", 2) == ["10-24 23:00", "10-25 03:00"]
        assert changes(recurrence("30 2 * * *", 60), "2026-10-24 12:00", 4) == [
            "10-25 00:30",
            "10-25 01:00",
            "10-25 01:30",
            "10-25 02:30",
        ]

    def test_what_falls_into_the_skipped_hour_is_lost(self) -> None:
        """02:15 to 02:45 does not come; of 02:30 to 03:30 the part behind the gap does."""
        assert changes(recurrence("15 2 * * *", 30), "2026-03-28 12:00", 2) == ["03-30 00:15", "03-30 00:45"]
        assert changes(recurrence("30 2 * * *", 60), "2026-03-28 12:00", 2) == ["03-29 01:00", "03-29 01:30"]
        assert changes(recurrence("30 1 * * *", 60), "2026-03-28 12:00", 2) == ["03-29 00:30", "03-29 01:00"]

    def test_a_break_in_the_skipped_hour_is_lost_too(self) -> None:
        """Closed from 02:00 to 03:00 means open all through that night."""
        asked = recurrence("0 3 * * *", 23 * 60)
        assert changes(asked, "2026-03-28 12:00", 1) == ["03-30 00:00"]
        assert current_window(asked, utc("2026-03-29 12:00")) == (
            utc("2026-03-28 02:00"),
            utc("2026-03-30 00:00"),
        )

    def test_the_window_that_is_open_began_where_the_clock_let_it(self) -> None:
        """At the jump, or in the first pass of the repeated hour."""
        for asked, at, starts_at, ends_at in (
            (recurrence("30 2 * * *", 60), "2026-03-29 01:10", "2026-03-29 01:00", "2026-03-29 01:30"),
            (recurrence("30 2 * * *", 60), "2026-10-25 01:40", "2026-10-25 01:30", "2026-10-25 02:30"),
            # Windows that nobody has asked for yet: those are remembered.
            (recurrence("0 1 * * *", 190), "2026-10-25 02:40", "2026-10-24 23:00", "2026-10-25 03:10"),
        ):
            assert current_window(asked, utc(at)) == (utc(starts_at), utc(ends_at))

    def test_a_day_that_a_zone_leaves_out_is_lost(self) -> None:
        """Samoa went from the 29th to the 31st of December 2011, at 10:00Z."""
        asked = recurrence("0 12 30,31 * *", 60, "Pacific/Apia")
        assert changes(asked, "2011-12-29 00:00", 2) == ["12-30 22:00", "12-30 23:00"]
        whole = recurrence("0 0 * 12 *", 1440, "Pacific/Apia")
        assert changes(whole, "2011-12-29 00:00", 1) == ["12-31 10:00"]


def test_the_current_window_is_the_open_one_or_the_next() -> None:
    """In UTC, end exclusive."""
    day = (utc("2026-05-07 07:00"), utc("2026-05-07 15:00"))
    for at in ("2026-05-06 15:00", "2026-05-07 07:00", "2026-05-07 14:59:59"):
        assert current_window(OFFICE, utc(at)) == day


class TestWeekly:
    """What a lock with weekday schedules can be told."""

    def test_weekdays_count_from_monday_and_minutes_from_midnight(self) -> None:
        """Several windows a day; Sunday is 0 or 7 in cron and 6 here."""
        assert weekly(OFFICE) == (WeeklyWindow(weekdays=(0, 1, 2, 3, 4), from_minute=540, until_minute=1020),)
        assert weekly(recurrence("30 8,20 * * 7,TUE", 45)) == (
            WeeklyWindow(weekdays=(1, 6), from_minute=510, until_minute=555),
            WeeklyWindow(weekdays=(1, 6), from_minute=1230, until_minute=1275),
        )

    def test_a_window_past_midnight_ends_above_1440(self) -> None:
        """It counts to the day on which it began."""
        assert weekly(recurrence("0 22 * * FRI,SAT", 600)) == (
            WeeklyWindow(weekdays=(4, 5), from_minute=1320, until_minute=1920),
        )

    def test_windows_of_a_day_that_overlap_or_touch_are_told_as_one(self) -> None:
        """So that the lock needs as few as possible."""
        assert weekly(recurrence("*/30 9-16 * * MON", 30)) == (
            WeeklyWindow(weekdays=(0,), from_minute=540, until_minute=1020),
        )

    @pytest.mark.parametrize(
        ("cron", "minutes"),
        [
            ("0 9 1 * *", 60),
            ("0 9 * 5 *", 60),
            ("0 9 L * *", 60),
            ("0 9 1 * MON", 60),
            ("0 9 * * MON#1", 60),
            ("0 */3 * * *", 60),  # eight windows
            ("0 9 * * MON", 2 * 1440),  # beyond Tuesday
            ("0 0,22 * * SUN,MON", 180),  # Sunday's second overlaps Monday's first
        ],
    )
    def test_anything_else_is_not_weekly(self, cron: str, minutes: int) -> None:
        """Dates, months, too many windows, too long ones, and days that overlap."""
        assert weekly(recurrence(cron, minutes)) is None

    def test_windows_of_days_apart_do_not_overlap(self) -> None:
        """The same windows as above are weekly when no day follows the other."""
        found = weekly(recurrence("0 0,22 * * MON,WED", 180))
        assert found is not None
        assert [(window.from_minute, window.until_minute) for window in found] == [(0, 180), (1320, 1500)]

    def test_windows_that_touch_at_midnight_do_not_overlap(self) -> None:
        """Whole days in a row."""
        whole = WeeklyWindow(weekdays=(5, 6), from_minute=0, until_minute=1440)
        assert weekly(recurrence("0 0 * * SAT,SUN", 1440)) == (whole,)
