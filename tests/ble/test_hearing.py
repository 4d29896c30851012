"""What the driver makes of advertisements, and what it connects for by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest

from drivers.ble.errands import CLEARED_AFTER_S, Errands
from drivers.ble.family import Hearing
from drivers.ble.link import ATTEMPTS
from drivers.ble.settings import BleSettings
from gateway.domain.driver import (
    AuthorityUp,
    BatteryLevel,
    CodeUsed,
    LockAlive,
    LockDead,
    LockSeen,
    LockUnreachable,
)
from gateway.domain.lock import Reach
from tests.ble.running import DOORS, Running, running
from tests.ble.tiny import CHANGED, COMPANY, configured, remembered, seen
from tests.ble_bed.peripheral import Advertised
from tests.ble_bed.virtual import VirtualClock, in_virtual_time

HOUR = 3600.0


@in_virtual_time
async def test_at_the_start_locks_are_told_without_a_connection() -> None:
    """What pairing stored is enough."""
    async with running(("front", "back")) as run:
        events = run.sink.take()
        assert events[:3] == [
            AuthorityUp(device_ids=("front", "back")),
            remembered("front"),
            remembered("back"),
        ]
        assert {event.device_id for event in events if isinstance(event, LockAlive)} == {"front", "back"}
        assert run.air.connects == {}


@pytest.mark.slow
@in_virtual_time
async def test_a_quiet_day_has_no_connection() -> None:
    """One scan, nothing else."""
    async with running(every_s=10) as run:
        await asyncio.sleep(4 * HOUR)
        assert run.connects("front") == 0
        assert run.air.modes == ["passive"]
        assert not run.sink.taken(LockDead)


@pytest.mark.slow
@in_virtual_time
async def test_a_lock_that_says_that_something_is_new_is_read_at_once() -> None:
    """Each record is an event; afterwards there is silence again."""
    async with running(every_s=10) as run:
        run.doors["front"].log.append("2")
        await run.doors["front"].open_with("3")
        await asyncio.sleep(25)
        assert [used.slot for used in run.sink.taken(CodeUsed)] == ["2", "3"]
        await asyncio.sleep(HOUR)
        assert run.connects("front") == 1
        await run.doors["front"].open_with("1")
        await asyncio.sleep(25)
        assert [used.slot for used in run.sink.taken(CodeUsed)] == ["1"]
        assert run.connects("front") == 2


@pytest.mark.slow
@in_virtual_time
async def test_a_lock_that_never_takes_its_flag_back_is_read_less_and_less_often() -> None:
    """Not every lock clears it for everybody."""
    async with running(every_s=10) as run:
        run.doors["front"].clears_flag = False
        await run.doors["front"].open_with("3")
        await asyncio.sleep(2 * HOUR)
        assert 4 <= run.connects("front") <= 10
        await run.doors["front"].advertise(0)
        await asyncio.sleep(60)
        before = run.connects("front")
        await run.doors["front"].open_with("1")
        await asyncio.sleep(25)
        assert run.connects("front") == before + 1


@in_virtual_time
async def test_an_advertisement_that_says_nothing_of_the_flag_does_not_take_it_back() -> None:
    """Some locks advertise for HomeKit too; each such packet would have the log read at once again."""
    clock = VirtualClock(asyncio.get_running_loop())
    errands = Errands(clock, Random(1), 0)
    errands.heard(Hearing(changed=True))
    errands.log_read()
    await asyncio.sleep(CLEARED_AFTER_S + 1)
    errands.heard(Hearing())
    errands.heard(Hearing(changed=True))
    due_in = errands.due_in()
    assert due_in is not None
    assert due_in > 0


@pytest.mark.slow
@in_virtual_time
async def test_the_log_of_a_lock_that_never_says_so_is_read_now_and_then() -> None:
    """As often as the configuration says, counted from the last time it was read."""
    async with running(every_s=10, settings=BleSettings(log_every_s=HOUR)) as run:
        run.doors["front"].log.append("2")
        await asyncio.sleep(0.5 * HOUR)
        async with run.driver.session("front"):
            pass
        await asyncio.sleep(1)
        assert [used.slot for used in run.sink.taken(CodeUsed)] == ["2"]
        await asyncio.sleep(0.9 * HOUR)
        assert run.connects("front") == 1
        await asyncio.sleep(0.2 * HOUR)
        assert run.connects("front") == 2


@pytest.mark.slow
@in_virtual_time
async def test_failing_to_read_a_log_is_tried_again_later_and_later() -> None:
    """The pause grows with each failure."""
    async with running(every_s=10) as run:
        run.doors["front"].peripheral.weather.mute = True
        await run.doors["front"].open_with("3")
        await asyncio.sleep(0.5 * HOUR)
        assert 3 <= run.connects("front") <= 7
        run.doors["front"].peripheral.weather.mute = False
        await asyncio.sleep(HOUR)
        assert [used.slot for used in run.sink.taken(CodeUsed)] == ["3"]


@pytest.mark.slow
@in_virtual_time
async def test_a_log_that_breaks_off_is_read_on_later() -> None:
    """No record is told twice, none is lost that was handed over."""
    async with running() as run:
        door = run.doors["front"]
        door.log = ["1", "2", "3"]
        door.peripheral.lose_after = 3
        await door.open_with("4")
        await asyncio.sleep(300)
        assert door.peripheral.drops == 1, "the link held"
        assert [used.slot for used in run.sink.taken(CodeUsed)] == ["1", "2", "3", "4"]


@in_virtual_time
async def test_a_lock_not_heard_for_long_is_told_and_told_again_when_it_is_back() -> None:
    """Dead after the configured time, alive with the first advertisement."""
    async with running(settings=BleSettings(silent_after_s=120)) as run:
        await run.doors["front"].peripheral.hide()
        await asyncio.sleep(100)
        assert not run.sink.taken(LockDead)
        await asyncio.sleep(100)
        assert run.sink.take() == [LockDead(device_id="front")]
        await run.doors["front"].advertise()
        await asyncio.sleep(2)
        assert run.sink.take() == [LockAlive(device_id="front")]


@in_virtual_time
async def test_every_touch_of_a_lock_that_sleeps_is_a_sign_of_life() -> None:
    """Its silence is nothing to tell."""
    locks = {"front": configured("front", reach=Reach.ON_TOUCH)}
    async with running(locks=locks, heard=False, every_s=5) as run:
        run.sink.take()
        for _ in range(2):
            await run.doors["front"].advertise()
            await asyncio.sleep(10)
            await run.doors["front"].peripheral.hide()
            await asyncio.sleep(HOUR)
            assert run.sink.taken(LockAlive) == [LockAlive(device_id="front")]
        assert not run.sink.taken(LockDead)


@asynccontextmanager
async def touched() -> AsyncIterator[Running]:
    """Touch a lock that sleeps; what is told of that is over."""
    locks = {"front": configured("front", reach=Reach.ON_TOUCH)}
    async with running(locks=locks, heard=False) as run:
        await run.doors["front"].advertise()
        await asyncio.sleep(1)
        run.sink.take()
        yield run


async def breaks(run: Running, *, at_once: bool = False) -> None:
    """Work with the lock over a connection that breaks."""
    door = run.doors["front"].peripheral
    if at_once:
        door.lose_at_once = ATTEMPTS
    else:
        door.lose_after = 0
    with pytest.raises(LockUnreachable):
        async with run.driver.session("front") as session:
            await session.read("1")


@pytest.mark.parametrize("hidden_s", [0, 6])
@pytest.mark.parametrize("at_once", [False, True])
@in_virtual_time
async def test_a_lock_that_sleeps_is_alive_when_it_is_heard_after_its_connection_broke(
    *, at_once: bool, hidden_s: float
) -> None:
    """Still, or because somebody touched it again: it may sleep by the time that one would try next."""
    async with touched() as run:
        await breaks(run, at_once=at_once)
        if hidden_s:
            await run.doors["front"].peripheral.hide()
            await asyncio.sleep(hidden_s)
            assert not run.sink.taken(LockAlive)
            await run.doors["front"].advertise()
        await asyncio.sleep(5)
        assert run.sink.taken(LockAlive) == [LockAlive(device_id="front")]
        async with run.driver.session("front") as session:
            await session.read("1")
        await asyncio.sleep(30)
        assert not run.sink.taken(LockAlive)


@in_virtual_time
async def test_connections_that_break_again_and_again_are_no_signs_of_life() -> None:
    """A lock that never sleeps, and is told to, would be connected to all the time."""
    async with touched() as run:
        told = []
        for _ in range(10):
            await breaks(run)
            await asyncio.sleep(10)
            told.append(len(run.sink.taken(LockAlive)))
        assert told == [1] * 3 + [0] * 7
        await run.doors["front"].peripheral.hide()
        await asyncio.sleep(20)
        await run.doors["front"].advertise()
        await asyncio.sleep(1)
        assert len(run.sink.taken(LockAlive)) == 1
        await breaks(run)
        await asyncio.sleep(10)
        assert len(run.sink.taken(LockAlive)) == 1


@in_virtual_time
async def test_a_lock_that_does_not_sleep_is_waited_for_when_its_connection_broke() -> None:
    """That it is heard is no news."""
    async with running() as run:
        run.sink.take()
        await breaks(run)
        await asyncio.sleep(60)
        assert not run.sink.taken(LockAlive)


@in_virtual_time
async def test_the_battery_is_told_when_it_changes() -> None:
    """Not with every advertisement."""
    async with running() as run:
        await asyncio.sleep(60)
        assert run.sink.taken(BatteryLevel) == [BatteryLevel(device_id="front", level=0.9)]
        run.doors["front"].battery = 15
        await run.doors["front"].advertise()
        await asyncio.sleep(60)
        assert run.sink.taken(BatteryLevel) == [BatteryLevel(device_id="front", level=0.15)]


@in_virtual_time
async def test_what_somebody_elses_devices_say_concerns_nobody() -> None:
    """Only the configured addresses count."""
    async with running() as run:
        run.sink.take()
        await run.doors["front"].peripheral.hide()
        stranger = await type(run.doors["front"]).hung_up(run.air, DOORS["side"])
        await stranger.advertise(CHANGED)
        await asyncio.sleep(60)
        assert run.sink.take() == []
        assert run.air.connects == {}


@pytest.mark.slow
@in_virtual_time
async def test_what_the_lock_is_is_asked_once_a_day_in_passing() -> None:
    """It keeps the battery known and the lock's clock right, without a connection of its own."""
    async with running(every_s=10) as run:
        run.sink.take()
        for _ in range(3):
            async with run.driver.session("front"):
                pass
            await asyncio.sleep(HOUR)
        assert run.sink.taken(LockSeen) == [seen("front")]


@in_virtual_time
async def test_advertisements_that_make_no_sense_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """Anybody may send them by the thousand, under the lock's address."""
    async with running() as run:
        nonsense = Advertised(name="tiny", manufacturer={COMPANY: b""})
        await run.doors["front"].peripheral.advertise(nonsense)
        await asyncio.sleep(60)
        assert sum("not understood" in record.getMessage() for record in caplog.records) == 1
        await run.doors["front"].advertise()
        async with run.driver.session("front") as session:
            await session.read("1")
