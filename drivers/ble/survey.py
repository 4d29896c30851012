"""Is there Bluetooth that we may use, and which locks of known families are around. Connects to none."""

import asyncio
from collections.abc import Mapping
from typing import Any

from bleak import BleakScanner
from bleak.args.bluez import BlueZScannerArgs
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from dbus_fast import AuthError, BusType, DBusError, InvalidAddressError, Message, MessageType, Variant
from dbus_fast.aio import MessageBus
from msgspec import Struct
from yalexs_ble.const import YALE_MFR_IDS

from drivers.ble.family import Advert
from drivers.ble.link import FOREIGN_ERRORS
from drivers.ble.nuki.advert import has_changed, is_pairing
from drivers.ble.ttlock.adverts import SERVICE, beacon_of

_ANSWER_S = 5.0
_ADAPTER = "org.bluez.Adapter1"
_DENIED = "org.freedesktop.DBus.Error.AccessDenied"


class BluetoothFacts(Struct, frozen=True, kw_only=True):
    """What BlueZ said. `adapters` is empty where it was not reached."""

    failure: str | None = None
    """`no_dbus`, `denied`, `no_bluez` or `silent`."""
    adapters: Mapping[str, bool] = {}
    """Adapters as Linux numbers them, and whether each is switched on."""


class HeardLock(Struct, frozen=True, kw_only=True):
    """A lock that was heard."""

    family: str
    """`nuki`, `ttlock` or `yale`, as in a lock's `driver`."""
    address: str
    name: str | None
    rssi: int
    """Signal strength in dBm."""
    is_pairing: bool
    """It waits to be paired; False also where its family does not tell."""


async def look_for_bluetooth() -> BluetoothFacts:
    """Ask BlueZ for its adapters. Never raises for what the other side does."""
    try:
        async with asyncio.timeout(_ANSWER_S):
            return await _ask_bluez()
    except TimeoutError:
        return BluetoothFacts(failure="silent")
    except AuthError:
        return BluetoothFacts(failure="denied")
    except (OSError, EOFError, InvalidAddressError):
        return BluetoothFacts(failure="no_dbus")
    except DBusError:
        return BluetoothFacts(failure="silent")


async def listen_for_locks(seconds: float, adapter: str | None = None) -> list[HeardLock] | None:
    """Listen for `seconds` and return the locks of known families, the strongest first; None: cannot."""
    heard: dict[str, HeardLock] = {}

    def take(device: BLEDevice, advert: AdvertisementData) -> None:
        lock = _lock_of(device, advert)
        if lock is not None:
            heard[lock.address] = lock

    bluez = BlueZScannerArgs(adapter=adapter) if adapter is not None else BlueZScannerArgs()
    try:
        async with BleakScanner(take, bluez=bluez):
            await asyncio.sleep(seconds)
    except FOREIGN_ERRORS:
        return None
    return sorted(heard.values(), key=lambda lock: -lock.rssi)


async def _ask_bluez() -> BluetoothFacts:
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    try:
        there = await bus.call(_message("org.freedesktop.DBus", "NameHasOwner", "s", ["org.bluez"]))
        if there.message_type is MessageType.ERROR or not there.body[0]:
            return BluetoothFacts(failure="no_bluez")
        answer = await bus.call(
            Message(
                destination="org.bluez",
                path="/",
                interface="org.freedesktop.DBus.ObjectManager",
                member="GetManagedObjects",
            )
        )
        if answer.message_type is MessageType.ERROR:
            denied = answer.error_name == _DENIED
            return BluetoothFacts(failure="denied" if denied else "silent")
        return BluetoothFacts(adapters=_adapters(answer.body[0]))
    finally:
        bus.disconnect()


def _message(name: str, member: str, signature: str, body: list[str]) -> Message:
    path = "/" + name.replace(".", "/")
    return Message(destination=name, path=path, interface=name, member=member, signature=signature, body=body)


def _adapters(objects: Mapping[str, Mapping[str, Mapping[str, Variant]]]) -> dict[str, bool]:
    return {
        path.rpartition("/")[2]: _is_on(interfaces[_ADAPTER])
        for path, interfaces in objects.items()
        if _ADAPTER in interfaces
    }


def _is_on(properties: Mapping[str, Any]) -> bool:
    powered = properties.get("Powered")
    return bool(powered.value) if isinstance(powered, Variant) else False


def _lock_of(device: BLEDevice, heard: AdvertisementData) -> HeardLock | None:
    advert = Advert(
        address=device.address.upper(),
        name=heard.local_name or device.name,
        rssi=heard.rssi,
        manufacturer=heard.manufacturer_data,
        services=tuple(uuid.lower() for uuid in heard.service_uuids),
        service_data={uuid.lower(): data for uuid, data in heard.service_data.items()},
    )
    beacon = beacon_of(advert.manufacturer)
    family, waits = None, False
    if has_changed(advert) is not None or is_pairing(advert):
        family, waits = "nuki", is_pairing(advert)
    elif beacon is not None and (SERVICE in advert.services or beacon.address == advert.address):
        family, waits = "ttlock", beacon.setting_mode
    elif any(company in advert.manufacturer for company in YALE_MFR_IDS):
        family = "yale"
    if family is None:
        return None
    return HeardLock(
        family=family, address=advert.address, name=advert.name, rssi=advert.rssi, is_pairing=waits
    )
