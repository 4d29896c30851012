"""The driver contract on the connection layer, with the made-up family."""

from collections.abc import AsyncIterator, Mapping

import pytest

from gateway.domain.credential import SlotRef
from gateway.domain.pin import Pin
from tests.ble.running import running
from tests.ble.tiny import TinyDoor, seen
from tests.contract.bench import Bench
from tests.contract.driver_contract import DriverContract


class Somebody:
    """A person at the keypad."""

    def __init__(self, door: TinyDoor) -> None:
        self._door = door

    async def set_code(self, slot: SlotRef | None, pin: Pin) -> SlotRef:
        assert slot is not None
        self._door.codes[slot] = pin.reveal()
        return slot

    async def delete(self, slot: SlotRef) -> None:
        self._door.codes.pop(slot, None)

    async def codes(self) -> Mapping[SlotRef, Pin]:
        return {slot: Pin(digits) for slot, digits in self._door.codes.items()}


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """Hang up an empty lock."""
    async with running(every_s=0.05, quiet=False) as run:
        while run.driver.health["front"].rssi is None:
            await run.clock.sleep(0.01)
        yield Bench(
            driver=run.driver,
            device_id="front",
            capabilities=seen("front").capabilities,
            at_the_lock=Somebody(run.doors["front"]),
        )


class TestBleDriver(DriverContract):
    """Keeps the contract."""
