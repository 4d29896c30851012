"""A virtual lock on the air, and somebody else's client that knows its key."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bleak import BleakScanner
from bleak.backends.device import BLEDevice
from yalexs_ble.lock import Lock

from tests.ble_bed.backend import bleak_on
from tests.ble_bed.radio import Air
from tests.ble_bed.virtual import VirtualClock
from tests.ble_bed.yale.lock import ADDRESS, KEY, KEY_SLOT, VirtualYale


@dataclass(kw_only=True)
class Door:
    """One door."""

    air: Air
    lock: VirtualYale
    clock: VirtualClock
    device: BLEDevice


@asynccontextmanager
async def door(*, mtu: int = 247) -> AsyncIterator[Door]:
    """Hang up an empty lock that has been heard, and have bleak use the virtual radio."""
    clock, air = VirtualClock(asyncio.get_running_loop()), Air()
    lock = await VirtualYale.create(air, clock.now, mtu=mtu)
    await lock.advertise()
    with bleak_on(air):
        device = await BleakScanner.find_device_by_address(ADDRESS)
        assert device is not None
        yield Door(air=air, lock=lock, clock=clock, device=device)


@asynccontextmanager
async def other_client(at: Door, key: bytes = KEY, key_slot: int = KEY_SLOT) -> AsyncIterator[Lock]:
    """Connect with the library as it is."""
    client = Lock(lambda: at.device, key.hex(), key_slot, "door", lambda _: None)
    try:
        await client.connect(max_attempts=1)
        yield client
    finally:
        await client.disconnect()
