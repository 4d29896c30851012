"""What the tasks of the Bluetooth driver show to whoever watches over them."""

import asyncio

from drivers.ble.settings import BleSettings
from gateway.domain.driver import LockDead, LockEvent
from gateway.domain.pulse import Limits, Pulse
from gateway.domain.store import StorageFailed
from tests.ble.running import Running, running
from tests.ble.tiny import PAIRING
from tests.ble_bed.virtual import in_virtual_time

HOUR = 3600
LIMITS = Limits(memory_s=100, radio_s=1000, timer_s=10)


def watched() -> Pulse:
    """Return signs of life in virtual time."""
    return Pulse(asyncio.get_running_loop().time, LIMITS)


@in_virtual_time
async def test_waiting_is_life() -> None:
    """For a lock that says nothing, for events, for the next look at who is silent."""
    pulse = watched()
    async with running(every_s=10, pulse=pulse):
        await asyncio.sleep(3 * HOUR)
        assert pulse.stuck() == {}
    await asyncio.sleep(HOUR)
    assert pulse.stuck().keys() <= {"driver ble"}  # the others ended with the driver


@in_virtual_time
async def test_a_lock_that_is_never_given_back_is_told() -> None:
    """What the driver wants of it by itself stands behind that."""
    pulse = watched()
    async with running(every_s=10, pulse=pulse, settings=BleSettings(log_every_s=600)) as run:
        async with run.driver.session("front"):
            await asyncio.sleep(1500)
            assert pulse.stuck() == {}
            await asyncio.sleep(300)
            assert pulse.stuck().keys() == {"driver ble front"}
        await asyncio.sleep(60)
        assert pulse.stuck() == {}


@in_virtual_time
async def test_an_event_that_is_never_taken_is_told() -> None:
    """The engine hangs, and with it all that the locks tell."""
    pulse = watched()
    async with running(every_s=10, pulse=pulse) as run:
        hang(run)
        await run.driver.unpair("front")
        await asyncio.sleep(90)
        assert pulse.stuck() == {}
        await asyncio.sleep(20)
        assert pulse.stuck().keys() == {"driver ble feed"}


@in_virtual_time
async def test_a_full_disk_is_waited_for() -> None:
    """For hours: to start anew frees no space, and what waits would be lost."""
    pulse = watched()
    async with running(every_s=10, pulse=pulse) as run:
        store, full = run.sink.handle, True

        async def handle(event: LockEvent) -> None:
            if full:
                raise StorageFailed("the disk is full")
            await store(event)

        run.sink.handle = handle  # type: ignore[method-assign]  # the disk of this test
        run.sink.take()
        await run.driver.unpair("front")
        for _ in range(30):
            await asyncio.sleep(300)
            assert pulse.stuck() == {}
        full = False
        await asyncio.sleep(10)
        assert run.sink.taken(LockDead) == [LockDead(device_id="front")]


@in_virtual_time
async def test_keys_that_are_never_stored_are_told() -> None:
    """Then nobody notices either which locks have fallen silent."""
    pulse = watched()
    async with running(every_s=10, pulse=pulse, paired=()) as run:
        await run.doors["front"].advertise(PAIRING)
        run.keyring.is_full = True
        await run.driver.pair("front", {}, nobody)
        run.keyring.hangs = True
        await asyncio.sleep(90)
        assert pulse.stuck() == {}
        await asyncio.sleep(60)
        assert pulse.stuck().keys() == {"driver ble silence"}


async def nobody(_words: str, _seconds_left: float | None = None) -> None:
    """Listen to the words for people."""


def hang(run: Running) -> None:
    """Have the engine take no event any more."""

    async def handle(_: LockEvent) -> None:
        await asyncio.Event().wait()

    run.sink.handle = handle  # type: ignore[method-assign,assignment]
