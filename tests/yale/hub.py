"""Our side of the door: the lock as the hub knows it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.ble.family import LockSession
from drivers.ble.yale.keys import YaleKeys
from drivers.ble.yale.lock import YaleLock
from drivers.ble.yale.settings import YaleLockSettings
from gateway.domain.credential import Credential
from gateway.domain.driver import LockEvent
from gateway.domain.pin import Pin
from tests.ble_bed.yale.lock import ADDRESS, KEY, KEY_SLOT, MODEL, SERIAL
from tests.yale.door import Door

SETTINGS = YaleLockSettings(address=ADDRESS)
KEYS = YaleKeys(key=KEY, key_slot=KEY_SLOT, address=ADDRESS, model=MODEL, serial=SERIAL)


def known_lock(at: Door, settings: YaleLockSettings = SETTINGS, keys: YaleKeys = KEYS) -> YaleLock:
    """Return the lock as it is after pairing."""
    return YaleLock("door", settings, keys, at.clock)


@asynccontextmanager
async def session(at: Door, lock: YaleLock | None = None) -> AsyncIterator[LockSession]:
    """Open the lock for a batch of work."""
    async with (lock or known_lock(at)).open(at.device) as work:
        yield work


def code(digits: str) -> Credential:
    """Return a code that opens at all times."""
    return Credential(pin=Pin(digits))


class Sink:
    """Takes events."""

    def __init__(self) -> None:
        self.events: list[LockEvent] = []

    async def __call__(self, event: LockEvent) -> None:
        self.events.append(event)
