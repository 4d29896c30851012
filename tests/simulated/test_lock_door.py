"""Who gets in, and when."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from drivers.simulated.lock import SimulatedLock
from drivers.simulated.models import CHOOSER
from gateway.domain.credential import Credential, Schedule, WeeklyWindow
from gateway.domain.pin import Pin

MONDAY = datetime(2031, 6, 30, 15, 0, tzinfo=UTC)
PIN = Pin("471111")
SECOND = timedelta(seconds=1)


def lock_with(schedule: Schedule | None, *, enabled: bool = True) -> SimulatedLock:
    """Return a lock with one code in slot 1."""
    lock = SimulatedLock(CHOOSER)
    lock.write(None, Credential(pin=PIN, schedule=schedule, enabled=enabled))
    return lock


def test_a_code_without_schedule_always_opens() -> None:
    """And only the code itself."""
    lock = lock_with(None)
    assert lock.open_door(PIN, MONDAY) == "1"
    assert lock.open_door(Pin("471112"), MONDAY) is None


def test_a_disabled_code_does_not_open() -> None:
    """It stays in its slot."""
    lock = lock_with(None, enabled=False)
    assert lock.open_door(PIN, MONDAY) is None
    assert lock.slot_with(PIN) == "1"


@pytest.mark.parametrize(
    ("after_start", "opens"),
    [(-SECOND, False), (timedelta(0), True), (timedelta(days=2) - SECOND, True), (timedelta(days=2), False)],
)
def test_dates_open_from_start_until_before_the_end(after_start: timedelta, *, opens: bool) -> None:
    """The end itself is outside."""
    lock = lock_with(Schedule(starts_at=MONDAY, ends_at=MONDAY + timedelta(days=2)))
    assert (lock.open_door(PIN, MONDAY + after_start) == "1") is opens


@pytest.mark.parametrize(
    ("day", "hour", "minute", "opens"),
    [
        (0, 7, 59, False),
        (0, 8, 0, True),
        (0, 11, 29, True),
        (0, 11, 30, False),
        (1, 9, 0, False),
        (3, 9, 0, True),
    ],
)
def test_weekdays_open_in_their_hours_only(day: int, hour: int, minute: int, *, opens: bool) -> None:
    """Monday and Thursday, 8:00 to 11:30."""
    mornings = WeeklyWindow(weekdays=(0, 3), from_minute=8 * 60, until_minute=11 * 60 + 30)
    at = MONDAY.replace(hour=hour, minute=minute) + timedelta(days=day)
    assert (lock_with(Schedule(weekly=(mornings,))).open_door(PIN, at) == "1") is opens


def test_the_lock_lives_in_utc_wherever_the_caller_does() -> None:
    """Tuesday 1:00 two hours east is still Monday at the lock."""
    monday = WeeklyWindow(weekdays=(0,), from_minute=0, until_minute=24 * 60)
    at = datetime(2031, 7, 1, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    assert lock_with(Schedule(weekly=(monday,))).open_door(PIN, at) == "1"
