"""One configured lock: who it is, what it can do, and how it is connected to."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, override

from bleak.backends.device import BLEDevice
from bleak.exc import BleakError
from yalexs_ble import AuthError, LockInfo, YaleXSBLEError
from yalexs_ble.lock import Lock
from yalexs_ble.session import ResponseError

from drivers.ble.family import Advert, FamilyLock, Hearing, LockSession
from drivers.ble.hold import Hold, KeysRefused
from drivers.ble.yale.advert import Marks
from drivers.ble.yale.keys import YaleKeys
from drivers.ble.yale.session import YaleSession
from drivers.ble.yale.settings import YaleLockSettings
from gateway.domain.clock import Clock
from gateway.domain.driver import LockSeen, LockUnreachable
from gateway.domain.lock import Capabilities, Identity, Reach

FOREIGN_ERRORS: Final = (YaleXSBLEError, BleakError, EOFError, OSError, AttributeError, KeyError)
"""What the library, and bleak below it, raise when a connection does not come about or breaks."""
CONNECT_S = 40.0
"""Longest time to connect, agree on a key and be ready."""
_ATTEMPTS = 2
_HANG_UP_S = 3.0
"""How long the lock has to say that it heard our good-bye."""
_REFUSED = "the lock refuses this key: pair it again with the key it has now"
_BROKE_AT_FIRST = "the connection broke at the first message: the lock is too far away, or takes another key"


class YaleLock(FamilyLock):
    """One lock, with the keys that pairing stored. Given other keys, make another."""

    def __init__(
        self,
        device_id: str,
        settings: YaleLockSettings,
        keys: YaleKeys,
        clock: Clock,
        *,
        connect_s: float = CONNECT_S,
    ) -> None:
        """Know the lock `device_id`; entering a session gives up after `connect_s` seconds."""
        self.device_id = device_id
        self.address = (settings.address or keys.address).upper()
        self.reach = Reach.ALWAYS
        self._settings = settings
        self._keys = keys
        self._clock = clock
        self._connect_s = connect_s
        self._marks = Marks()
        self._hold = Hold(clock)
        self._access = Hold(clock)
        """What the lock lets our key do."""

    @override
    def hears(self, advert: Advert) -> Hearing:
        return Hearing(changed=self._marks.changed(advert.manufacturer) and self._settings.activity_log)

    @override
    def known(self) -> LockSeen:
        slots = tuple(str(number) for number in range(1, self._settings.slots + 1))
        return LockSeen(
            device_id=self.device_id,
            identity=Identity(
                network="bluetooth",
                manufacturer="Yale/August",
                product=self._keys.model or None,
                serial=self._keys.serial,
            ),
            capabilities=Capabilities(
                slots=slots,
                max_codes=len(slots),
                pin_rules=self._settings.pin_rules,
                reports_use=self._settings.activity_log,
            ),
        )

    @override
    def held_off(self) -> str | None:
        return self._hold.words

    @override
    def refusal(self) -> str | None:
        return self._access.words

    @override
    def ask_again(self) -> None:
        self._hold.lift()
        self._access.lift()

    @override
    @asynccontextmanager
    async def open(self, device: BLEDevice) -> AsyncIterator[LockSession]:
        self._hold.check()
        self._access.refuse()
        try:
            lost = asyncio.Event()
            async with connected(
                self._keys, device, self.device_id, self._connect_s, on_lost=lost.set
            ) as lock:
                self._hold.lift()
                yield YaleSession(
                    lock,
                    lost,
                    self.known(),
                    self._clock,
                    self._access,
                    has_battery=_info(self._keys).battery_reporting,
                    has_log=self._settings.activity_log,
                )
        except KeysRefused as refusal:
            self._hold.refused(str(refusal))
            raise


@asynccontextmanager
async def connected(
    keys: YaleKeys,
    device: BLEDevice,
    name: str,
    seconds: float,
    *,
    on_lost: Callable[[], None] | None = None,
) -> AsyncIterator[Lock]:
    """Connect and prove the key, hang up in the end.

    The lock proves that it knows the key too, so it needs no look at its serial to be sure who it is.

    Raises:
        LockUnreachable: it could not be connected.
        KeysRefused: it does not take this key, or does not have it itself.
    """
    _quieten()
    lock = _Lock(lambda: device, keys.key.hex(), keys.key_slot, name, lambda _: None, _info(keys), on_lost)
    try:
        await _connect(lock, seconds)
        yield lock
    finally:
        await _hang_up(lock)


class _Lock(Lock):
    @override
    def disconnected(self, *args: object, **kwargs: object) -> None:
        # The library hears of the end of every attempt, and takes the first one for that of the connection.
        # It has no client before one of them has come to stand.
        if self.client is not None:
            super().disconnected(*args, **kwargs)


async def _connect(lock: Lock, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await lock.connect(max_attempts=_ATTEMPTS)
    except (AuthError, ResponseError) as error:
        if isinstance(error.__cause__, BleakError):
            # What BlueZ says of a link that broke, the library takes for a wrong key. The lock said nothing.
            raise LockUnreachable(_BROKE_AT_FIRST) from None
        # Decrypted with another key, an answer makes no sense.
        raise KeysRefused(_REFUSED) from None
    except TimeoutError:
        raise LockUnreachable("the lock could not be connected in time") from None
    except FOREIGN_ERRORS:
        raise LockUnreachable("the lock could not be connected") from None


async def _hang_up(lock: Lock) -> None:
    with suppress(*FOREIGN_ERRORS):
        async with asyncio.timeout(_HANG_UP_S):
            await lock.disconnect()


def _info(keys: YaleKeys) -> LockInfo:
    return LockInfo("Yale/August", keys.model, keys.serial or "", keys.firmware)


def _quieten() -> None:
    """Keep the library from writing frames into the log.

    It does so at DEBUG, and at INFO those it cannot make sense of: one of them may be an answer that shows a
    PIN. What goes wrong is told by our own errors.
    """
    logging.getLogger("yalexs_ble").setLevel(logging.CRITICAL)
