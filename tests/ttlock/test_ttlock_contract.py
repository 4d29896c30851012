"""The driver contract on a TTLock, with and without the ability to change a code in place."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest

from drivers.ble.ttlock.settings import TTLockSettings
from gateway.domain.credential import SlotRef
from gateway.domain.driver import LockSeen
from gateway.domain.pin import Pin
from tests.ble_bed.ttlock.lock import VirtualLock
from tests.contract.bench import Bench
from tests.contract.driver_contract import DriverContract
from tests.ttlock.home import DOOR, Home, code, home, without_modify

CAPACITY = 4


class Somebody:
    """A person with the vendor's app. Only the driver knows slots, so it is asked which one is meant."""

    def __init__(self, at: Home) -> None:
        self._at = at

    async def set_code(self, slot: SlotRef | None, pin: Pin) -> SlotRef:
        if slot is None:
            self._at.lock.store(code(pin.reveal()))
        else:
            self._at.lock.change(await self._digits(slot), pin.reveal())
        return await self._slot(pin.reveal())

    async def delete(self, slot: SlotRef) -> None:
        self._at.lock.forget(await self._digits(slot))

    async def codes(self) -> Mapping[SlotRef, Pin]:
        return {await self._slot(each.current): Pin(each.current) for each in self._at.lock.codes}

    async def _slot(self, digits: str) -> SlotRef:
        async with self._at.driver.session(DOOR) as session:
            await session.read_all()
        (held,) = (one for one in self._at.secret.held if one.current == digits and not one.gone)
        return held.slot

    async def _digits(self, slot: SlotRef) -> str:
        (held,) = (one for one in self._at.secret.held if one.slot == slot)
        return held.current


@pytest.fixture(params=["modifies", "adds and deletes"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """Hang up an empty lock that is always awake."""

    def change(lock: VirtualLock) -> None:
        lock.capacity = CAPACITY
        if request.param != "modifies":
            without_modify(lock)

    settings = TTLockSettings(reach="always", max_codes=CAPACITY)
    async with home(settings=settings, change=change, idle_s=5.0) as at:
        await at.on_air.stay_awake()
        await asyncio.sleep(0.3)
        (seen, *_) = (event for event in at.told.events if isinstance(event, LockSeen))
        yield Bench(
            driver=at.driver, device_id=DOOR, capabilities=seen.capabilities, at_the_lock=Somebody(at)
        )


class TestTTLockContract(DriverContract):
    """Both kinds keep it."""
