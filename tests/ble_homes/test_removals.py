"""The end of a code: how soon it leaves a lock in reach, and who is told where it does not (rule 6)."""

from datetime import datetime, timedelta

import pytest

from tests.ble_bed.virtual import in_virtual_time
from tests.ble_homes.doors import Door, SleepyTTLockDoor
from tests.ble_homes.families import every_family
from tests.ble_homes.home import Home, at_home

pytestmark = pytest.mark.slow

OURS = "834947"
SECOND, MINUTE, HOUR = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours"))
OPENINGS = 90
FAILED = "access_code.failed_to_expire"


async def _ends_soon(home: Home) -> datetime:
    """Have a code on the lock that ends in a while; return when."""
    ends_at = home.clock.true().replace(second=0, microsecond=0) + HOUR
    await home.create(OURS, ends_at=ends_at.isoformat())
    await home.settle()
    assert home.door.pins() == [OURS]
    await home.until(ends_at - 2 * MINUTE)
    home.events()
    return ends_at


@every_family
@in_virtual_time
async def test_a_code_leaves_an_idle_lock_in_reach_within_seconds_of_its_end(door_type: type[Door]) -> None:
    """Five of them are for the command to go out; it is on the lock by then."""
    async with at_home(door_type) as home:
        ends_at = await _ends_soon(home)
        await home.door.peripheral.hide()
        home.door.peripheral.interval_s = 0.5  # as often as locks are heard in life
        await home.door.peripheral.advertise()
        await home.until(ends_at - SECOND)
        assert home.door.pins() == [OURS]
        await home.until(ends_at + 5 * SECOND)
        assert home.door.pins() == []


@in_virtual_time
async def test_a_code_that_ended_leaves_a_lock_that_sleeps_within_seconds_of_a_touch() -> None:
    """There is no alarm until then: by its own clock the lock does not open to it any more."""
    async with at_home(SleepyTTLockDoor) as home:
        ends_at = await _ends_soon(home)
        await home.until(ends_at + HOUR)
        assert home.door.pins() == [OURS]
        home.door.peripheral.interval_s = 0.5
        assert not await home.door.type_in(OURS)
        await home.until(home.clock.true() + 5 * SECOND)
        assert home.door.pins() == []
        assert FAILED not in home.events()


@every_family
@in_virtual_time
async def test_a_code_that_cannot_be_removed_is_an_alarm_after_two_minutes(door_type: type[Door]) -> None:
    """Also while the hub is busy connecting; the alarm is told once and ends with the removal."""
    async with at_home(door_type) as home:
        ends_at = await _ends_soon(home)
        await home.door.peripheral.hide()
        await home.until(ends_at + 2 * MINUTE - SECOND)
        assert FAILED not in home.events()
        await home.until(ends_at + 2 * MINUTE + SECOND)
        assert home.events().count(FAILED) == 1
        await home.until(ends_at + 10 * MINUTE)
        await home.door.peripheral.advertise()
        await home.settle(3600)
        assert home.door.pins() == []
        assert FAILED not in home.events()


@every_family
@in_virtual_time
async def test_reading_a_long_log_gives_way_to_a_removal(door_type: type[Door]) -> None:
    """The rest of the log is read afterwards: nobody who came in is missed."""
    async with at_home(door_type) as home:
        ends_at = await _ends_soon(home)
        for _ in range(OPENINGS):
            assert home.door.open_with(OURS)
            await home.until(home.clock.true() + SECOND)
        home.door.peripheral.weather.delay_s = 1.0
        await home.door.show_news()
        await home.until(ends_at - SECOND)
        assert home.door.peripheral.connection is not None, "the log is not being read"
        await home.until(ends_at + 35 * SECOND)
        assert home.door.pins() == []
        told = home.events()
        assert told.count("lock.unlocked") < OPENINGS, "the log was too short"
        home.door.peripheral.weather.delay_s = 0.0
        await home.settle()
        told += home.events()
        assert told.count("lock.unlocked") == OPENINGS
        assert FAILED not in told
