"""bleak's client and scanner on a virtual radio. They fail as BlueZ does: with BleakError or TimeoutError."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Never, Self, override
from unittest.mock import patch

from bleak.args import SizedBuffer
from bleak.backends.adapter import BaseBleakAdapter
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData as Heard
from bleak.backends.scanner import AdvertisementDataCallback, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakError,
)
from bumble.att import ATT_Error
from bumble.core import BaseBumbleError
from bumble.device import Connection, Peer
from bumble.gatt import Characteristic
from bumble.gatt_client import CharacteristicProxy

from tests.ble_bed.radio import Air, Listener, full, whole

_PROPERTIES = {
    Characteristic.Properties.READ: "read",
    Characteristic.Properties.WRITE_WITHOUT_RESPONSE: "write-without-response",
    Characteristic.Properties.WRITE: "write",
    Characteristic.Properties.NOTIFY: "notify",
    Characteristic.Properties.INDICATE: "indicate",
}
_GONE = "Not connected"
_TELLS_AFTER_S = 0.01
"""BlueZ fails what is under way when a link breaks, and says only then that it did."""


@contextmanager
def bleak_on(air: Air) -> Iterator[None]:
    """Have bleak use this radio, in whatever module it is used."""
    client, scanner, adapter = _client_on(air), _scanner_on(air), _adapter_on(air)
    with (
        patch("bleak.get_platform_client_backend_type", lambda: (client, "bed")),
        patch("bleak.get_platform_scanner_backend_type", lambda: (scanner, "bed")),
        patch("bleak.get_platform_adapter_backend_type", lambda: (adapter, "bed")),
    ):
        yield


def _client_on(air: Air) -> type[BaseBleakClient]:
    """Return the client class that bleak is to use."""

    class Client(_Client):
        def __init__(self, address_or_ble_device: BLEDevice | str, **kwargs: Any) -> None:  # noqa: ANN401 - bleak's
            super().__init__(air, address_or_ble_device, **kwargs)

    return Client


def _scanner_on(air: Air) -> type[BaseBleakScanner]:
    """Return the scanner class that bleak is to use."""

    class Scanner(_Scanner):
        def __init__(
            self,
            detection_callback: AdvertisementDataCallback | None,
            service_uuids: list[str] | None,
            scanning_mode: str,
            **kwargs: Any,  # noqa: ANN401 - bleak's
        ) -> None:
            super().__init__(air, detection_callback, service_uuids, scanning_mode, **kwargs)

    return Scanner


def _adapter_on(air: Air) -> type[BaseBleakAdapter]:
    """Return the adapter class that bleak is to use."""

    class Adapter(BaseBleakAdapter):
        @classmethod
        @override
        async def get(cls, **kwargs: Any) -> Self:
            if not air.plugged:
                raise _no_adapter()
            return cls()

    return Adapter


def _no_adapter() -> BleakError:
    return BleakBluetoothNotAvailableError(
        "No Bluetooth adapters found.", BleakBluetoothNotAvailableReason.NO_BLUETOOTH
    )


class _Scanner(BaseBleakScanner, Listener):
    def __init__(
        self,
        air: Air,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: str,
        **kwargs: Any,  # noqa: ANN401 - bleak's
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._air = air
        self._passive = scanning_mode == "passive"
        if self._passive and not kwargs.get("bluez", {}).get("or_patterns"):
            raise BleakError("passive scanning mode requires bluez or_patterns")

    @override
    async def start(self) -> None:
        if self._air.plugged and self._passive and not self._air.passive:
            raise BleakError("passive scanning on Linux requires BlueZ >= 5.56 with --experimental enabled")
        self.seen_devices = {}
        try:
            await self._air.listen(self, "passive" if self._passive else "active")
        except ConnectionError:
            raise _no_adapter() from None

    @override
    async def stop(self) -> None:
        await self._air.ignore(self)
        if not self._air.plugged:
            raise BleakError("org.freedesktop.DBus.Error.UnknownObject")

    @override
    def heard(self, address: str, heard: Heard) -> None:
        if self.is_allowed_uuid(heard.service_uuids):
            device = self.create_or_update_device(address, address, heard.local_name, {"air": address}, heard)
            self.call_detection_callbacks(device, heard)


class _Client(BaseBleakClient):
    def __init__(self, air: Air, address_or_ble_device: BLEDevice | str, **kwargs: Any) -> None:  # noqa: ANN401 - bleak's
        kwargs.setdefault("disconnected_callback", None)
        kwargs.setdefault("timeout", 10.0)
        super().__init__(address_or_ble_device, **kwargs)
        self._air = air
        self._connection: Connection | None = None
        self._name = address_or_ble_device.name if isinstance(address_or_ble_device, BLEDevice) else None

    @property
    @override
    def name(self) -> str:
        return self._name or self.address

    @property
    @override
    def mtu_size(self) -> int:
        return 23 if self._connection is None else self._connection.att_mtu

    @property
    @override
    def is_connected(self) -> bool:
        return self._connection is not None

    @override
    async def connect(self, pair: bool, **kwargs: Any) -> None:
        try:
            connection = await self._air.connect(self.address.upper(), kwargs.get("timeout", self._timeout))
        except ConnectionError:
            raise BleakError("No Bluetooth adapters found.") from None
        self._connection = connection
        connection.on("disconnection", self._on_lost)
        peer = Peer(connection)
        try:
            await self._ask(peer.request_mtu(self._air.mtu))
            self.services = await self._ask(_discovered(peer, connection))
        except BaseException:
            await self.disconnect()
            raise

    @override
    async def disconnect(self) -> None:
        if (connection := self._connection) is not None:
            await whole(connection.disconnect())

    @override
    async def pair(self, *args: Any, **kwargs: Any) -> Never:
        raise NotImplementedError

    @override
    async def unpair(self) -> Never:
        raise NotImplementedError

    @override
    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        return bytearray(await self._ask(_proxy(characteristic).read_value()))

    @override
    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        return bytearray(await self._ask(descriptor.obj.read_value()))

    @override
    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool
    ) -> None:
        value = bytes(data)
        if not response and len(value) > self.mtu_size - 3:
            raise BleakError("the value does not fit into one packet")
        await self._ask(_proxy(characteristic).write_value(value, with_response=response))

    @override
    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        await self._ask(descriptor.obj.write_value(bytes(data), with_response=True))

    @override
    async def start_notify(
        self,
        characteristic: BleakGATTCharacteristic,
        callback: NotifyCallback,
        **kwargs: Any,
    ) -> None:
        def heard(value: bytes) -> None:
            callback(bytearray(value))

        await self._ask(_proxy(characteristic).subscribe(heard))

    @override
    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        await self._ask(_proxy(characteristic).unsubscribe())

    async def _ask[T](self, asked: Awaitable[T]) -> T:
        """Await an answer of the lock; BleakError when the connection is gone before or meanwhile."""
        call = asyncio.ensure_future(asked)
        if self._connection is None:
            call.cancel()
            raise BleakError(_GONE)
        try:
            await asyncio.wait({call})
        finally:
            call.cancel()
        # bumble cancels what waits when the link breaks; our caller was not cancelled then.
        if call.cancelled():
            raise BleakDBusError("org.bluez.Error.Failed", ["Operation failed with ATT error: 0x0e"])
        error = call.exception()
        if isinstance(error, (BaseBumbleError, ATT_Error, TimeoutError)):
            raise BleakError("the lock answered with an error, or not at all") from None
        return call.result()

    def _on_lost(self, _reason: int) -> None:
        self._connection = None
        if self._disconnected_callback is not None:
            asyncio.get_running_loop().call_later(_TELLS_AFTER_S, self._disconnected_callback)


def _proxy(characteristic: BleakGATTCharacteristic) -> CharacteristicProxy[bytes]:
    proxy: CharacteristicProxy[bytes] = characteristic.obj
    return proxy


async def _discovered(peer: Peer, connection: Connection) -> BleakGATTServiceCollection:
    await peer.discover_all()  # type: ignore[no-untyped-call]
    found = BleakGATTServiceCollection()
    for service in peer.services:
        into = BleakGATTService(service, service.handle, full(service.uuid))
        found.add_service(into)
        for characteristic in service.characteristics:
            kept = BleakGATTCharacteristic(
                characteristic,
                characteristic.handle,
                full(characteristic.uuid),
                [name for flag, name in _PROPERTIES.items() if flag & characteristic.properties],  # type: ignore[misc]
                _largest(connection),
                into,
            )
            found.add_characteristic(kept)
            for descriptor in characteristic.descriptors:
                found.add_descriptor(
                    BleakGATTDescriptor(descriptor, descriptor.handle, full(descriptor.type), kept)
                )
    return found


def _largest(connection: Connection) -> Callable[[], int]:
    return lambda: connection.att_mtu - 3
