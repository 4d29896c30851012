"""The driver contract on a virtual Nuki lock, through the whole Bluetooth driver."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from typing import override

import pytest

from drivers.ble.driver import BleDriver
from drivers.ble.link import connect
from drivers.ble.nuki.family import configured
from drivers.ble.nuki.settings import NukiLockSettings
from drivers.ble.settings import BleSettings
from gateway.domain.credential import SlotRef
from gateway.domain.driver import LockEvent, LockSeen
from gateway.domain.pin import Pin
from tests.ble_bed.backend import bleak_on
from tests.ble_bed.nuki.brain import Brain
from tests.ble_bed.nuki.memory import Code
from tests.ble_bed.nuki.on_air import NukiOnAir
from tests.ble_bed.radio import Air
from tests.ble_bed.virtual import VirtualClock
from tests.contract.bench import Bench
from tests.contract.driver_contract import DriverContract
from tests.nuki.house import ADDRESS, Vault, known_to
from tests.simulated.running import Recorder

ROOM = 4


class InTheApp:
    """Somebody with the vendor's app."""

    def __init__(self, brain: Brain) -> None:
        self._brain = brain

    async def set_code(self, slot: SlotRef | None, pin: Pin) -> SlotRef:
        digits = int(pin.reveal())
        if slot is None:
            code = Code(pin=digits, name=b"App".ljust(20, b"\0"), created=self._brain.clock())
            return str(self._brain.memory.add(code))
        self._brain.memory.change(int(slot), pin=digits)
        return slot

    async def delete(self, slot: SlotRef) -> None:
        del self._brain.memory.codes[int(slot)]

    async def codes(self) -> Mapping[SlotRef, Pin]:
        return {str(number): Pin(str(code.pin)) for number, code in self._brain.memory.codes.items()}


class Watching(Recorder):
    """Tells when the lock was seen."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: asyncio.Future[LockSeen] = asyncio.get_running_loop().create_future()

    @override
    async def handle(self, event: LockEvent) -> None:
        await super().handle(event)
        if isinstance(event, LockSeen) and not self.seen.done():
            self.seen.set_result(event)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """Hang up an empty lock, small enough to be filled, that knows the hub."""
    air, clock, vault, sink = Air(), VirtualClock(asyncio.get_running_loop()), Vault(), Watching()
    dice = random.Random(7)
    brain = Brain(now=clock.now, random=dice.randbytes, room=ROOM)
    vault.secrets["door"] = known_to(brain)
    door = configured(
        "door",
        NukiLockSettings(max_codes=ROOM),
        keyring=vault,
        clock=clock,
        random=dice.randbytes,
        connect=connect,
    )
    driver = BleDriver(BleSettings(), {"door": door}, clock=clock, random=dice, keyring=vault)
    with bleak_on(air):
        await NukiOnAir.hang_up(air, ADDRESS, brain)
        task = asyncio.create_task(driver.run(sink))
        try:
            seen = await sink.seen
            yield Bench(
                driver=driver,
                device_id="door",
                capabilities=seen.capabilities,
                at_the_lock=InTheApp(brain),
            )
        finally:
            task.cancel()
            await asyncio.wait({task})


class TestNukiDriver(DriverContract):
    """A Nuki lock keeps the contract."""
