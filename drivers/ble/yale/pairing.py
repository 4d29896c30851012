"""Trying the key that somebody gave: one connection, and what the lock says of itself."""

from collections.abc import Mapping

from bleak.backends.device import BLEDevice
from yalexs_ble import LockInfo

from drivers.ble.family import Advert, Scan
from drivers.ble.hold import KeysRefused
from drivers.ble.yale.keys import KEY_BYTES, MOST_KEY_SLOT, YaleKeys
from drivers.ble.yale.lock import CONNECT_S, FOREIGN_ERRORS, connected
from drivers.ble.yale.settings import KEY, KEY_SLOT, YaleLockSettings
from gateway.domain.driver import LockUnreachable, PairingFailed, Progress

FIND_S = 60.0
"""How long to listen for the lock, which advertises every few seconds."""


async def pair(
    device_id: str, settings: YaleLockSettings, given: Mapping[str, str], scan: Scan, progress: Progress
) -> tuple[str, bytes]:
    """Connect once with the key that was given; return the address and what the vault is to keep.

    Nothing changes in the lock: it has the key already.

    Raises:
        PairingFailed: the key is none, the lock was not found, or does not take the key.
    """
    keys = _keys(given)
    await progress("looking for the lock", FIND_S)
    device, _ = await scan.find(lambda advert: is_it(settings, advert), FIND_S)
    await progress("trying the key")
    try:
        async with connected(keys, device, device_id, CONNECT_S) as lock:
            info = await lock.lock_info()
    except KeysRefused:
        raise PairingFailed(
            "the lock does not take this key: check the key and the number of its slot"
        ) from None
    except (LockUnreachable, *FOREIGN_ERRORS):
        raise PairingFailed(
            "the lock hung up or did not answer: go nearer, close the vendor's app, and check the key"
        ) from None
    address = device.address.upper()
    return address, _complete(keys, device, info).packed()


def is_it(settings: YaleLockSettings, advert: Advert) -> bool:
    """Say whether an advertisement is that of the configured lock."""
    if settings.address is not None:
        return advert.address.upper() == settings.address.upper()
    return advert.name == settings.bluetooth_name


def _keys(given: Mapping[str, str]) -> YaleKeys:
    """Read what was typed. Errors do not repeat it."""
    try:
        key = bytes.fromhex(given.get(KEY, ""))
    except ValueError:
        key = b""
    slot = given.get(KEY_SLOT, "").strip()
    if len(key) != KEY_BYTES:
        raise PairingFailed(f"the offline key is {2 * KEY_BYTES} hexadecimal digits")
    if not (slot.isascii() and slot.isdecimal() and int(slot) <= MOST_KEY_SLOT):
        raise PairingFailed(f"the slot of the offline key is a number up to {MOST_KEY_SLOT}")
    return YaleKeys(key=key, key_slot=int(slot), address="")


def _complete(keys: YaleKeys, device: BLEDevice, info: LockInfo) -> YaleKeys:
    return YaleKeys(
        key=keys.key,
        key_slot=keys.key_slot,
        address=device.address.upper(),
        model=info.model,
        # Where it cannot be read the library names the address instead.
        serial=None if info.serial in {"", device.address} else info.serial,
        firmware=info.firmware,
    )
