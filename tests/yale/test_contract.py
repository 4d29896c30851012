"""The driver contract on a virtual Yale lock, through the whole Bluetooth driver."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from random import Random

import pytest

from drivers.ble.driver import BleDriver
from drivers.ble.settings import BleSettings
from drivers.ble.yale.configured import configured
from drivers.ble.yale.settings import YaleLockSettings
from gateway.domain.credential import SlotRef
from gateway.domain.driver import LockAlive, LockEvent, LockSeen
from gateway.domain.pin import Pin
from tests.ble_bed.backend import bleak_on
from tests.ble_bed.radio import Air
from tests.ble_bed.virtual import VirtualClock
from tests.ble_bed.yale.lock import ADDRESS, VirtualYale
from tests.contract.bench import Bench
from tests.contract.driver_contract import DriverContract
from tests.yale.hub import KEYS

SLOTS = 4


class VendorsApp:
    """Edits without the hub."""

    def __init__(self, lock: VirtualYale) -> None:
        self._memory = lock.memory

    async def set_code(self, slot: SlotRef | None, pin: Pin) -> SlotRef:
        if slot is None:
            return str(self._memory.add(pin.reveal()))
        self._memory.edit(int(slot), pin.reveal())
        return slot

    async def delete(self, slot: SlotRef) -> None:
        self._memory.erase(int(slot))

    async def codes(self) -> Mapping[SlotRef, Pin]:
        return {str(slot): Pin(digits) for slot, digits in self._memory.content().items()}


class Keys:
    """A keyring with the keys of one lock."""

    async def load(self, device_id: str) -> bytes | None:
        return KEYS.packed() if device_id == "door" else None

    async def save(self, device_id: str, secret: bytes) -> None:
        raise NotImplementedError

    async def forget(self, device_id: str) -> None:
        raise NotImplementedError


class Sink:
    """Notes what is seen, and when the lock is there."""

    def __init__(self) -> None:
        self.seen: list[LockSeen] = []
        self.alive = asyncio.Event()

    async def handle(self, event: LockEvent) -> None:
        if isinstance(event, LockSeen):
            self.seen.append(event)
        if isinstance(event, LockAlive):
            self.alive.set()


@asynccontextmanager
async def running(air: Air) -> AsyncIterator[tuple[BleDriver, Sink]]:
    """Run a driver that knows one lock."""
    clock, sink = VirtualClock(asyncio.get_running_loop()), Sink()
    settings = YaleLockSettings(address=ADDRESS, slots=SLOTS)
    driver = BleDriver(
        BleSettings(),
        {"door": configured("door", settings, clock)},
        clock=clock,
        random=Random(1),
        keyring=Keys(),
    )
    with bleak_on(air):
        task = asyncio.create_task(driver.run(sink))
        try:
            async with asyncio.timeout(10):
                await sink.alive.wait()
            yield driver, sink
        finally:
            task.cancel()
            await asyncio.wait({task})


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """Hang up an empty lock."""
    air = Air()
    lock = await VirtualYale.create(air, VirtualClock(asyncio.get_running_loop()).now)
    await lock.advertise()
    async with running(air) as (driver, sink):
        yield Bench(
            driver=driver,
            device_id="door",
            capabilities=sink.seen[0].capabilities,
            at_the_lock=VendorsApp(lock),
        )


class TestYale(DriverContract):
    """What is true of every lock is true of this one."""
