"""When the driver ends, or one lock gives way to another: what a lock has let go of is told."""

import asyncio

import pytest

from gateway.domain.driver import CodeUsed, NoAnswer
from tests.ble.running import Running, running
from tests.ble.tiny import SLOTS, TinyLock
from tests.ble_bed.virtual import in_virtual_time

_MOMENTS = [0.05 * step for step in range(1, 40)]


@pytest.mark.parametrize("by_itself", [False, True])
@in_virtual_time
async def test_no_record_is_lost_wherever_the_driver_ends(*, by_itself: bool) -> None:
    """Behind a session of the engine, or in a connection of the driver's own: told, or still in the lock."""
    left = set()
    for moment in _MOMENTS:
        async with running() as run:
            door = run.doors["front"]
            door.peripheral.weather.delay_s = 0.1
            door.log.extend(SLOTS)
            await begin_to_read(run, by_itself=by_itself)
            await asyncio.sleep(moment)
        told = [used.slot for used in run.sink.taken(CodeUsed)]
        assert [*told, *door.log] == list(SLOTS)
        left.add(len(door.log))
    assert len(left) == len(SLOTS) + 1, "the moments are too far apart, or end too early"


@in_virtual_time
async def test_no_record_is_lost_when_a_slow_lock_has_to_give_way() -> None:
    """Another lock waits a few seconds more instead."""
    async with running(("front", "back")) as run:
        door = run.doors["front"]
        door.log.extend(SLOTS)
        door.peripheral.weather.delay_s = 9
        await begin_to_read(run, by_itself=True)
        await asyncio.sleep(6)
        async with run.driver.session("back"):
            pass
        door.peripheral.weather.delay_s = 0
        await asyncio.sleep(60)
        assert [used.slot for used in run.sink.taken(CodeUsed)] == list(SLOTS)


@pytest.mark.parametrize("ended_by", ["another lock", "a lost link", "a broken session"])
@in_virtual_time
async def test_the_rest_of_a_log_is_read_soon_where_connecting_took_the_flag_back(ended_by: str) -> None:
    """Nothing that the lock says from then on would be a reason to connect."""
    async with running(("front", "back")) as run:
        door, family = run.doors["front"], run.driver._locks["front"].family
        assert isinstance(family, TinyLock)
        family.is_silenced = True
        await door.open_with("1")
        await asyncio.sleep(30)
        assert [used.slot for used in run.sink.taken(CodeUsed)] == ["1"]
        door.log.extend(SLOTS)
        door.peripheral.weather.delay_s = 9
        async with run.driver.session("front") as session:
            if ended_by == "a broken session":
                door.peripheral.weather.swallowed = 1
                with pytest.raises(NoAnswer):
                    await session.read("1")
        await asyncio.sleep(6)
        if ended_by == "another lock":
            async with run.driver.session("back"):
                pass
        elif ended_by == "a lost link":
            await door.peripheral.drop()
        door.peripheral.weather.delay_s = 0
        await asyncio.sleep(120)
        assert [used.slot for used in run.sink.taken(CodeUsed)][-1:] == [SLOTS[-1]]
        assert not door.log


async def begin_to_read(run: Running, *, by_itself: bool) -> None:
    """Give a reason to read the log."""
    if by_itself:
        await run.doors["front"].advertise(1)
    else:
        run.driver._locks["front"].errands.silenced()
        async with run.driver.session("front"):
            pass
