"""Schedules as locks keep them, in local time, against moments as the hub keeps them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from drivers.zwave.local_time import change_between, daily_of, schedule_of, window_of, year_day_of
from gateway.domain.credential import Schedule, WeeklyWindow
from gateway.domain.driver import Refused

MINUTE = timedelta(minutes=1)
ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "UTC",
]
LONG_BEFORE, LONG_AFTER = datetime(2001, 1, 1, tzinfo=UTC), datetime(2098, 1, 1, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def changes(zone: ZoneInfo) -> list[datetime]:
    """Return every change of the zone's offset in twelve years."""
    found = []
    day = datetime(2024, 1, 1, tzinfo=UTC)
    while day.year < 2036:
        change = change_between(zone, day, day + timedelta(days=1))
        found += [] if change is None else [change.replace(microsecond=0)]
        day += timedelta(days=1)
    return found


def around(zone: ZoneInfo) -> list[datetime]:
    """Return every minute near the changes of a zone; those of some day where it has none."""
    middles = changes(zone) or [datetime(2026, 6, 1, tzinfo=UTC)]
    return [middle + offset * MINUTE for middle in middles for offset in range(-130, 131)]


def one_sided(side: str, moment: datetime) -> Schedule:
    """Return a long schedule that has this moment on one side."""
    if side == "starts_at":
        return Schedule(starts_at=moment, ends_at=LONG_AFTER)
    return Schedule(starts_at=LONG_BEFORE, ends_at=moment)


def on_grid(side: str, moment: datetime, zone: ZoneInfo) -> bool:
    """Say whether a lock can keep it: of a time shown twice, a start is the first, an end the second."""
    local = moment.astimezone(zone)
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return not twice or local.fold == (0 if side == "starts_at" else 1)


@pytest.mark.parametrize("side", ["starts_at", "ends_at"])
@pytest.mark.parametrize("name", ZONES)
def test_moments_on_the_grid_come_back_exactly_around_every_change(name: str, side: str) -> None:
    """And no two of them look the same on the lock; all others are refused instead of moved."""
    zone = ZoneInfo(name)
    looks = set()
    moments = around(zone)
    for moment in moments:
        schedule = one_sided(side, moment)
        if on_grid(side, moment, zone):
            kept = year_day_of(schedule, zone)
            assert schedule_of(kept, zone) == schedule
            looks.add(tuple(kept.items()))
        else:
            with pytest.raises(Refused, match="minutes of the lock's clock"):
                year_day_of(schedule, zone)
    assert len(looks) == sum(on_grid(side, moment, zone) for moment in moments)


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_every_local_time_that_exists_comes_back_exactly(name: str) -> None:
    """What a lock shows is understood and would be written as the same bytes."""
    zone = ZoneInfo(name)
    assert len(changes(zone)) == 24
    for moment in around(zone):
        local = moment.astimezone(zone)
        shown = (local.year - 2000, local.month, local.day, local.hour, local.minute)
        for kept in (entry(starts=shown), entry(ends=shown)):
            assert year_day_of(schedule_of(kept, zone), zone) == kept


def entry(
    starts: tuple[int, ...] = (1, 1, 1, 12, 0), ends: tuple[int, ...] = (98, 1, 1, 12, 0)
) -> dict[str, int]:
    """Return a schedule in the words of zwave-js."""
    parts = ("Year", "Month", "Day", "Hour", "Minute")
    return {f"start{part}": n for part, n in zip(parts, starts, strict=True)} | {
        f"stop{part}": n for part, n in zip(parts, ends, strict=True)
    }


def test_the_bytes_are_local_time_and_years_since_2000() -> None:
    """Winter and summer."""
    stay = Schedule(
        starts_at=datetime(2026, 3, 1, 14, 0, tzinfo=UTC), ends_at=datetime(2026, 7, 4, 9, 30, tzinfo=UTC)
    )
    assert year_day_of(stay, BERLIN) == entry((26, 3, 1, 15, 0), (26, 7, 4, 11, 30))


def test_a_repeated_hour_is_the_first_for_a_start_and_the_second_for_an_end() -> None:
    """So that a window is never shorter than asked for."""
    night = schedule_of(entry((26, 10, 25, 2, 30), (26, 10, 25, 2, 40)), BERLIN)
    assert night.starts_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert night.ends_at == datetime(2026, 10, 25, 1, 40, tzinfo=UTC)


@pytest.mark.parametrize("open_side", ["starts_at", "ends_at"])
def test_an_open_side_is_as_far_away_as_the_lock_can_say(open_side: str) -> None:
    """And is understood as open."""
    closed = Schedule(starts_at=LONG_BEFORE, ends_at=LONG_AFTER)
    schedule = Schedule(ends_at=LONG_AFTER) if open_side == "starts_at" else Schedule(starts_at=LONG_BEFORE)
    kept = year_day_of(schedule, BERLIN)
    assert schedule_of(kept, BERLIN) == schedule != closed
    far = {"starts_at": [0, 1, 1, 0, 0], "ends_at": [99, 12, 31, 23, 59]}[open_side]
    side = "start" if open_side == "starts_at" else "stop"
    assert [kept[f"{side}{part}"] for part in ("Year", "Month", "Day", "Hour", "Minute")] == far


@pytest.mark.parametrize(
    ("starts_at", "ends_at"),
    [
        (datetime(1999, 12, 1, tzinfo=UTC), LONG_AFTER),
        (LONG_BEFORE, datetime(2100, 1, 1, tzinfo=UTC)),
        (LONG_AFTER, LONG_BEFORE),
        (LONG_BEFORE, LONG_BEFORE),
        (datetime(2026, 5, 1, 12, 0, 30, tzinfo=UTC), LONG_AFTER),
        # Starts and ends look turned around: 02:40 for the first time until 02:20 for the second.
        (datetime(2026, 10, 25, 0, 40, tzinfo=UTC), datetime(2026, 10, 25, 1, 20, tzinfo=UTC)),
        # What stands for an open side cannot be a real one.
        (datetime(1999, 12, 31, 23, 0, tzinfo=UTC), LONG_AFTER),
        (LONG_BEFORE, datetime(2099, 12, 31, 22, 59, tzinfo=UTC)),
    ],
)
def test_dates_that_the_lock_cannot_keep_are_refused(starts_at: datetime, ends_at: datetime) -> None:
    """Rather than kept as others."""
    with pytest.raises(Refused):
        year_day_of(Schedule(starts_at=starts_at, ends_at=ends_at), BERLIN)


@pytest.mark.parametrize(
    ("window", "kept"),
    [
        (
            WeeklyWindow(weekdays=(0, 3, 6), from_minute=8 * 60, until_minute=11 * 60 + 30),
            {
                "weekdays": [0, 1, 4],
                "startHour": 8,
                "startMinute": 0,
                "durationHour": 3,
                "durationMinute": 30,
            },
        ),
        (
            WeeklyWindow(weekdays=(5,), from_minute=22 * 60 + 15, until_minute=1440 + 6 * 60),
            {"weekdays": [6], "startHour": 22, "startMinute": 15, "durationHour": 7, "durationMinute": 45},
        ),
        (
            WeeklyWindow(weekdays=tuple(range(7)), from_minute=0, until_minute=1439),
            {
                "weekdays": [0, 1, 2, 3, 4, 5, 6],
                "startHour": 0,
                "startMinute": 0,
                "durationHour": 23,
                "durationMinute": 59,
            },
        ),
    ],
)
def test_weekdays_are_kept_as_a_start_and_a_length(window: WeeklyWindow, kept: dict[str, object]) -> None:
    """The week of the lock begins on Sunday, the hub's on Monday; a night goes on past midnight."""
    assert daily_of(window) == kept
    assert window_of(kept) == window


@pytest.mark.parametrize(
    ("weekdays", "from_minute", "until_minute"),
    [((), 60, 120), ((7,), 60, 120), ((1,), 60, 60), ((1,), 120, 60), ((1,), 0, 1440), ((1,), 1440, 1500)],
)
def test_weekdays_that_the_lock_cannot_keep_are_refused(
    weekdays: tuple[int, ...], from_minute: int, until_minute: int
) -> None:
    """A length of 24 hours has no place in its bytes."""
    with pytest.raises(Refused):
        daily_of(WeeklyWindow(weekdays=weekdays, from_minute=from_minute, until_minute=until_minute))


def test_the_next_change_of_the_clocks_is_found_to_the_second() -> None:
    """And none where there is none."""
    evening = datetime(2026, 3, 28, 18, 0, tzinfo=UTC)
    change = change_between(BERLIN, evening, evening + timedelta(days=1))
    assert change is not None
    assert abs(change - datetime(2026, 3, 29, 1, 0, tzinfo=UTC)) <= timedelta(seconds=1)
    assert change_between(BERLIN, evening + timedelta(days=1), evening + timedelta(days=2)) is None
