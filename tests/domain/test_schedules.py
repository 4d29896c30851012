"""Schedules on the grid of a lock's clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.credential import Schedule, WeeklyWindow
from gateway.domain.schedules import on_grid

MINUTE = timedelta(minutes=1)
BERLIN = "Europe/Berlin"
ZONES = (
    BERLIN,
    "Europe/Dublin",  # its summer time is the standard one
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",  # half an hour
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "UTC",
)
ANY_MOMENT = st.datetimes(datetime(1975, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 - drawn naive
    lambda naive: naive.replace(tzinfo=UTC)
)
# Around the ends of summer time in 2026, in the zones above.
NEAR_A_CHANGE = st.builds(
    lambda day, seconds: day + timedelta(seconds=seconds),
    st.sampled_from(
        [datetime(2026, *day, tzinfo=UTC) for day in ((2, 15), (3, 22), (4, 4), (10, 25), (11, 1))]
    ),
    st.integers(-86_400, 2 * 86_400),
)
MOMENTS = st.none() | ANY_MOMENT | NEAR_A_CHANGE
STEPS = st.sampled_from([timedelta(0), timedelta(seconds=1), *(MINUTE * m for m in (1, 5, 15, 30, 60))])


def utc(text: str) -> datetime:
    """Read a UTC time."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_start_goes_down_and_an_end_up() -> None:
    """The lock's steps make the window longer, never shorter."""
    exact = Schedule(starts_at=utc("2026-05-01 14:07:31"), ends_at=utc("2026-05-03 09:52:00.000001"))
    assert on_grid(exact, MINUTE, None) == Schedule(
        starts_at=utc("2026-05-01 14:07"), ends_at=utc("2026-05-03 09:53")
    )
    assert on_grid(exact, 15 * MINUTE, None) == Schedule(
        starts_at=utc("2026-05-01 14:00"), ends_at=utc("2026-05-03 10:00")
    )


def test_what_is_open_or_weekly_stays() -> None:
    """None stays None, and weekday windows are local already."""
    weekly = (WeeklyWindow(weekdays=(0,), from_minute=61, until_minute=62),)
    assert on_grid(Schedule(weekly=weekly), 15 * MINUTE, BERLIN) == Schedule(weekly=weekly)


def test_a_lock_without_steps_keeps_every_moment() -> None:
    """A granularity of zero changes nothing."""
    exact = Schedule(starts_at=utc("2026-05-01 14:07:31.5"), ends_at=utc("2026-05-01 14:07:31.6"))
    assert on_grid(exact, timedelta(0), None) == exact


@pytest.mark.parametrize(
    ("zone", "first", "second"),
    [
        (BERLIN, "2026-10-25 00:30", "2026-10-25 01:30"),  # the wall clock shows 02:30
        (BERLIN, "2026-10-25 00:00", "2026-10-25 01:00"),  # 02:00
        ("Australia/Lord_Howe", "2026-04-04 14:45", "2026-04-04 15:15"),  # 01:45
    ],
)
def test_in_the_repeated_hour_a_start_means_the_first_time_and_an_end_the_second(
    zone: str, first: str, second: str
) -> None:
    """The wall clock of the lock shows the same at both."""
    for moment in (utc(first), utc(second)):
        snapped = on_grid(Schedule(starts_at=moment, ends_at=moment), MINUTE, zone)
        assert snapped == Schedule(starts_at=utc(first), ends_at=utc(second))


@pytest.mark.parametrize("moment", ["2026-10-24 23:59", "2026-10-25 02:00", "2026-03-29 01:00"])
def test_beside_the_repeated_hour_nothing_moves(moment: str) -> None:
    """Neither just before, nor just after, nor where an hour is skipped."""
    schedule = Schedule(starts_at=utc(moment), ends_at=utc(moment))
    assert on_grid(schedule, MINUTE, BERLIN) == schedule


@given(starts=MOMENTS, ends=MOMENTS, step=STEPS, zone=st.none() | st.sampled_from(ZONES))
def test_no_window_gets_shorter_and_the_grid_is_reached_at_once(
    starts: datetime | None, ends: datetime | None, step: timedelta, zone: str | None
) -> None:
    """Outwards by less than a step and the change of the clocks; a second time changes nothing."""
    snapped = on_grid(Schedule(starts_at=starts, ends_at=ends), step, zone)
    assert (snapped.starts_at is None, snapped.ends_at is None) == (starts is None, ends is None)
    most = 2 * step + timedelta(hours=1)
    for before, after in ((snapped.starts_at, starts), (ends, snapped.ends_at)):
        if before is not None and after is not None:
            assert timedelta(0) <= after - before <= most
    for moment in filter(None, (snapped.starts_at, snapped.ends_at) if step else ()):
        assert (moment - datetime(1970, 1, 1, tzinfo=UTC)) % step == timedelta(0)
    assert on_grid(snapped, step, zone) == snapped


@given(moment=ANY_MOMENT | NEAR_A_CHANGE, step=STEPS, zone=st.sampled_from(ZONES))
def test_the_wall_time_alone_tells_the_moment_again(moment: datetime, step: timedelta, zone: str) -> None:
    """A start is its wall time's first occurrence, an end its second."""
    snapped = on_grid(Schedule(starts_at=moment, ends_at=moment), step, zone)
    for there, fold in ((snapped.starts_at, 0), (snapped.ends_at, 1)):
        assert there is not None
        wall = there.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
        assert wall.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) == there
