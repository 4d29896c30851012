"""The lock's clock: by it the lock opens and closes the windows of codes."""

from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest

from gateway.domain.driver import ClockChecked, LockSeen, Refused
from gateway.domain.placement import Refusal
from tests.ble_bed.virtual import in_virtual_time
from tests.ttlock.home import home, wanted

SUMMER = datetime(2026, 7, 1, 13, 0, tzinfo=UTC)


@in_virtual_time
async def test_a_clock_without_power_is_set_before_it_is_given_dates() -> None:
    """It is told that the clock is right now."""
    async with home() as at:
        at.lock.cut_power()
        async with at.session() as session:
            await session.write(None, wanted("4711", SUMMER, 1), replaces=None)
            asked = at.lock.asked
            assert asked.index(0x43) < asked.index(0x03)
            assert abs(at.lock.clock_off) < timedelta(seconds=2)
        assert at.lock.clock_sets == 1
        assert all(
            abs(event.off_by or timedelta()) < timedelta(seconds=2) for event in at.told.of(ClockChecked)
        )
        assert at.told.of(ClockChecked)


@in_virtual_time
async def test_a_clock_without_power_is_set_at_the_touch_that_tells_of_it() -> None:
    """Nothing is written, and the daily look was just done: codes that wait in the lock need it now."""
    async with home() as at:
        await at.listed()
        at.told.events.clear()
        await at.on_air.peripheral.hide()
        await at.clock.sleep(100)
        at.lock.cut_power()
        await at.on_air.touch()
        await at.clock.sleep(10)
        assert at.lock.clock_sets == 1
        assert abs(at.lock.clock_off) < timedelta(seconds=2)
        (checked,) = at.told.of(ClockChecked)
        assert checked.off_by is not None
        assert abs(checked.off_by) < timedelta(seconds=2)


@in_virtual_time
async def test_reading_the_log_looks_at_no_clock_that_is_right() -> None:
    """Neither one that was looked at today, nor any while the hub does not know the time."""
    async with home() as at:
        await at.listed()
        at.lock.asked.clear()
        for knows_time in (True, False):
            at.knows_time = knows_time
            await at.on_air.peripheral.hide()
            await at.clock.sleep(100)
            at.lock.type_in("1111")
            await at.on_air.touch()
            await at.clock.sleep(10)
        assert at.lock.asked.count(0x25) >= 2
        assert 0x34 not in at.lock.asked


@pytest.mark.slow
@in_virtual_time
async def test_a_right_clock_is_looked_at_once_a_day_and_left_alone() -> None:
    """A write costs battery."""
    async with home() as at:
        for _ in range(3):
            await at.listed()
        assert at.lock.clock_sets == 0
        assert at.lock.asked.count(0x34) == 1
        await at.clock.sleep(86_500)
        await at.listed()
        assert at.lock.asked.count(0x34) == 2


@in_virtual_time
async def test_a_clock_is_set_to_local_time() -> None:
    """Berlin is an hour ahead of UTC in winter."""
    async with home() as at:
        at.lock.clock_off = timedelta(minutes=-5)
        await at.listed()
        assert abs(at.lock.face() - (at.clock.true().replace(tzinfo=None) + timedelta(hours=1))) < timedelta(
            seconds=2
        )


@pytest.mark.slow
@in_virtual_time
async def test_the_change_to_summer_time_is_due_at_the_next_touch() -> None:
    """The lock does not know of it."""
    async with home() as at:
        await at.listed()
        at.clock.offset = datetime(2026, 3, 29, 2, 0, tzinfo=UTC) - at.clock.true()
        at.lock.clock_off = at.clock.offset
        await at.clock.sleep(86_500)
        await at.listed()
        summer = at.clock.now().replace(tzinfo=None) + timedelta(hours=2)
        assert abs(at.lock.face() - summer) < timedelta(seconds=2)


@in_virtual_time
async def test_a_hub_that_does_not_know_the_time_sets_no_clock() -> None:
    """It says that it does not know."""
    async with home() as at:
        at.knows_time = False
        at.lock.clock_off = timedelta(hours=5)
        await at.listed()
        assert at.lock.clock_sets == 0
        assert [event.off_by for event in at.told.of(ClockChecked)] == [None]


@in_virtual_time
async def test_a_clock_that_stays_wrong_is_given_no_dates() -> None:
    """The hub keeps the window itself then."""
    async with home() as at:
        at.lock.clock_off = timedelta(hours=5)
        at.lock.faults.clock_stuck = True
        async with at.session() as session:
            with pytest.raises(Refused) as refused:
                await session.write(None, wanted("4711", SUMMER, 1), replaces=None)
            assert refused.value.reason is Refusal.SCHEDULE
            await session.write(None, wanted("4711"), replaces=None)
        offs = [event.off_by for event in at.told.of(ClockChecked)]
        assert all(off_by is not None and off_by > timedelta(hours=4) for off_by in offs)
        assert offs


@in_virtual_time
async def test_a_clock_that_cannot_be_read_is_given_no_dates() -> None:
    """It may show any year; the hub keeps the window."""
    async with home() as at:
        at.lock.faults.refuses = frozenset({0x34})
        async with at.session() as session:
            with pytest.raises(Refused) as refused:
                await session.write(None, wanted("4711", SUMMER, 1), replaces=None)
            assert refused.value.reason is Refusal.SCHEDULE
            await session.write(None, wanted("4711"), replaces=None)
        assert at.pins() == ["4711"]


@pytest.mark.parametrize(
    ("asked", "no"), [(0x34, 0x01), (0x43, 0x01), (0x34, 0x05), (0x34, 0x0A), (0x34, 0x12), (0x34, 0x1C)]
)
@in_virtual_time
async def test_a_no_that_passes_lets_codes_with_dates_wait(asked: int, no: int) -> None:
    """The message reached the lock garbled, say. Given without its dates the code would have no end there."""
    async with home() as at:
        at.lock.clock_off = timedelta(hours=5)
        at.lock.faults.fails = {asked: no}
        async with at.session() as session:
            with pytest.raises(Refused) as refused:
                await session.write(None, wanted("4711", SUMMER, 1), replaces=None)
            assert refused.value.reason is Refusal.BUSY
            at.lock.faults.fails = {}
            await session.write(None, wanted("4711", SUMMER, 1), replaces=None)
        assert at.pins() == ["4711"]
        assert abs(at.lock.clock_off) < timedelta(seconds=2)


@pytest.mark.parametrize("no", [0x02, 0x1B, 0x20, 0x0F, 0x33])
@in_virtual_time
async def test_a_no_that_stays_leaves_dates_to_the_hub(no: int) -> None:
    """These keys may not read it, the lock has no such command, or finds it wrong for a reason of its own."""
    async with home() as at:
        at.lock.faults.fails = {0x34: no}
        async with at.session() as session:
            with pytest.raises(Refused) as refused:
                await session.write(None, wanted("4711", SUMMER, 1), replaces=None)
        assert refused.value.reason is Refusal.SCHEDULE


@in_virtual_time
async def test_codes_with_dates_wait_until_the_hub_knows_the_time() -> None:
    """Whether the lock's clock is right cannot be told before. Then they go on at once."""
    async with home() as at:
        at.knows_time = False
        async with at.session() as session:
            with pytest.raises(Refused) as refused:
                await session.write(None, wanted("4711", SUMMER, 1), replaces=None)
            assert refused.value.reason is Refusal.BUSY
            assert at.pins() == []
            at.knows_time = True
            await session.write(None, wanted("4711", SUMMER, 1), replaces=None)
        assert at.pins() == ["4711"]


@in_virtual_time
async def test_an_empty_answer_does_not_take_away_what_the_lock_can_do() -> None:
    """A lock that has told of its keypad still has one after a hiccup, and after a restart."""
    async with home() as at:
        before = at.secret.features
        assert before
        with patch.object(at.lock, "features", 0):
            await at.listed()
        assert at.secret.features == before
        assert [seen.capabilities.keypad for seen in at.told.of(LockSeen)][-1] is True
