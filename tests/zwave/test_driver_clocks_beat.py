"""What the keeper of the locks' clocks shows to whoever watches over it."""

import asyncio
from datetime import UTC, datetime

from drivers.zwave.clocks import Clocks, SureTime
from drivers.zwave.lock import ZwaveLock
from drivers.zwave.radio import Radio
from drivers.zwave.schedules import Room
from drivers.zwave.settings import ZwaveLockSettings
from gateway.domain.driver import LockEvent
from gateway.domain.pulse import Beat, Limits
from tests.zwave.hand_clock import HandClock
from tests.zwave.running import BERLIN


async def test_a_lock_that_is_never_given_back_is_told_and_waiting_is_life() -> None:
    """No clock of any lock would be set behind that one."""
    time, told = [0.0], list[LockEvent]()
    beat = Beat(lambda: time[0], Limits(radio_s=100))
    clock = HandClock(datetime(2026, 3, 27, 11, 0, tzinfo=UTC))
    lock = ZwaveLock("door", ZwaveLockSettings(node=2), clock, told.append)
    lock.room = Room(year_day=1, daily=1)
    clocks = Clocks(Radio(), clock, SureTime(clock), BERLIN, told.append)
    task = asyncio.create_task(clocks.run(beat))
    await asyncio.sleep(0)
    time[0] += 1_000_000
    assert beat.stuck() is None
    async with lock.turn:
        clocks.doubt(lock)
        await rounds()
        time[0] += 99
        assert beat.stuck() is None
        time[0] += 2
        assert beat.stuck() == "at the radio, 1 s overdue"
    await rounds()
    assert beat.stuck() is None
    task.cancel()


async def rounds() -> None:
    """Let others work."""
    for _ in range(10):
        await asyncio.sleep(0)
