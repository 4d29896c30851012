"""A Bluetooth radio inside the process: bumble's controllers on one link, and bleak on top of them.

`Air` is the ether with the hub's adapter in it. While `backend.bleak_on(air)` is in force every `BleakClient`
and `BleakScanner`, those of third-party libraries included, uses that adapter. Only random addresses occur:
bumble's link loses packets of centrals that have a public one.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import lru_cache
from typing import Any

from bleak.backends.scanner import AdvertisementData as Heard
from bumble.controller import Controller
from bumble.core import UUID, AdvertisingData
from bumble.device import Connection, Device
from bumble.hci import Address
from bumble.host import Host
from bumble.link import LocalLink
from bumble.ll import AdvExtInd, AdvInd
from bumble.transport.common import AsyncPipeSink

from tests.ble_bed.lighter import lighten

HUB = "F0:00:00:00:00:01"
lighten()


def full(uuid: UUID) -> str:
    """Return a UUID as bleak writes it."""
    return uuid.to_hex_str("-").lower() if len(uuid.to_bytes()) == 16 else _short(uuid)


def _short(uuid: UUID) -> str:
    return f"{int.from_bytes(uuid.to_bytes(), 'little'):08x}-0000-1000-8000-00805f9b34fb"


class Air:
    """The ether, and the hub's adapter.

    `connects` counts the connections the hub opened, by address; `open_now` are those that stand and
    `most_open` is how many stood at once at most.
    """

    def __init__(self) -> None:
        self.link = LocalLink()  # type: ignore[no-untyped-call]
        self.mtu = 247
        """The largest ATT MTU the hub asks for."""
        self.plugged = True
        """False: the adapter is gone, or BlueZ is stopped."""
        self.passive = True
        """False: no passive scanning, as with BlueZ without its experimental features."""
        self.heard_from: set[str] | None = None
        """Addresses that the hub hears; None: all."""
        self.connects: dict[str, int] = {}
        self.modes: list[str] = []
        """Of the scans that were started: passive or active."""
        self.open_now: dict[str, Connection] = {}
        self.most_open = 0
        self._controller = _Adapter(self.link, self._heard)
        self._hub: Device | None = None
        self._listeners: list[Listener] = []
        self._connecting = asyncio.Lock()

    async def device(self, address: str, name: str) -> Device:
        """Return a switched-on Bluetooth device on this link."""
        controller = Controller(name, link=self.link)
        device = Device(name=name, address=Address(address), host=Host(controller, AsyncPipeSink(controller)))
        await device.power_on()
        return device

    async def hub(self) -> Device:
        """Return the hub's own device. Raises ConnectionError where the adapter is unplugged."""
        if not self.plugged:
            raise ConnectionError("no adapter")
        if self._hub is None:
            self._hub = await _device(self._controller, HUB)
        return self._hub

    async def unplug(self) -> None:
        """Take the adapter away: scans fall silent without a word, connections break."""
        self.plugged = False
        self._listeners.clear()
        for connection in list(self.open_now.values()):
            await whole(connection.disconnect())
        if self._hub is not None and self._hub.is_scanning:
            await whole(self._hub.stop_scanning())

    def forget_scans(self) -> None:
        """Let all scans fall silent, as a restart of BlueZ does."""
        self._listeners.clear()

    def plug(self) -> None:
        """Put the adapter back; what scanned before does not scan by itself."""
        self.plugged = True

    async def listen(self, listener: "Listener", mode: str) -> None:
        """Hand advertisements to a listener."""
        hub = await self.hub()
        self._listeners.append(listener)
        self.modes.append(mode)
        if not hub.is_scanning:
            await whole(hub.start_scanning(active=False))

    async def ignore(self, listener: "Listener") -> None:
        """Hand it no more."""
        if listener in self._listeners:
            self._listeners.remove(listener)
        if not self._listeners and self._hub is not None and self._hub.is_scanning and self.plugged:
            await whole(self._hub.stop_scanning())

    @property
    def scanning(self) -> int:
        """Return how many scanners listen."""
        return len(self._listeners)

    async def connect(self, address: str, seconds: float) -> Connection:
        """Connect the hub. Raises TimeoutError where nobody advertises under that address."""
        hub = await self.hub()
        async with self._connecting:
            try:
                async with asyncio.timeout(seconds):
                    connection = await hub.connect(Address(address), timeout=None)
            finally:
                # bumble's controller goes on trying for ever, whatever it is told.
                self._controller.pending_le_connection = None
        if not self.plugged:
            await whole(connection.disconnect())
            raise ConnectionError("the adapter was unplugged meanwhile")
        self.connects[address] = self.connects.get(address, 0) + 1
        self.open_now[address] = connection
        self.most_open = max(self.most_open, len(self.open_now))
        connection.on("disconnection", lambda _: self.open_now.pop(address, None))
        return connection

    def _heard(self, advertiser: Address, data: bytes) -> None:
        address = advertiser.to_string(with_type_qualifier=False)
        if not self.plugged or (self.heard_from is not None and address not in self.heard_from):
            return
        heard = _translated(data)
        for listener in tuple(self._listeners):
            listener.heard(address, heard)


class _Adapter(Controller):
    """The hub's controller. It hands over what it hears by itself: packets to the host and back cost more.

    They were half of what the tests of whole homes cost the computer.
    """

    def __init__(self, link: LocalLink, heard: Callable[[Address, bytes], None]) -> None:
        """Call `heard` with each advertisement while the host scans."""
        super().__init__("hub", link=link)
        self._heard = heard

    def on_advertising_pdu(self, pdu: AdvInd | AdvExtInd) -> None:
        """Take an advertisement: for whoever scans, and for whoever waits to connect."""
        scanning, self.le_scan_enable = self.le_scan_enable, False
        super().on_advertising_pdu(pdu)
        self.le_scan_enable = scanning
        if scanning:
            self._heard(pdu.advertiser_address, pdu.data)


async def _device(controller: Controller, address: str) -> Device:
    host = Host(controller, AsyncPipeSink(controller))
    device = Device(name=controller.name, address=Address(address), host=host)
    await device.power_on()
    return device


async def whole(command: Coroutine[Any, Any, object]) -> None:
    """Carry out a command of bumble to its end: cut in two, its answer is taken for that to the next one."""
    task = asyncio.ensure_future(command)
    _running.add(task)
    task.add_done_callback(_running.discard)
    await asyncio.shield(task)


_running: set[asyncio.Future[object]] = set()


class Listener:
    """Takes advertisements."""

    def heard(self, address: str, heard: Heard) -> None:
        """Take one."""
        raise NotImplementedError


_UUID_LISTS = (
    AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
)
_SERVICE_DATA = {
    AdvertisingData.SERVICE_DATA_16_BIT_UUID: 2,
    AdvertisingData.SERVICE_DATA_128_BIT_UUID: 16,
}


_RSSI = -50


@lru_cache
def _translated(payload: bytes) -> Heard:
    """Return an advertisement in bleak's words. Most are like the one before."""
    name: str | None = None
    manufacturer: dict[int, bytes] = {}
    service_data: dict[str, bytes] = {}
    services: list[str] = []
    for kind, data in AdvertisingData.from_bytes(payload).ad_structures:
        if kind in {AdvertisingData.COMPLETE_LOCAL_NAME, AdvertisingData.SHORTENED_LOCAL_NAME}:
            name = data.decode()
        elif kind == AdvertisingData.MANUFACTURER_SPECIFIC_DATA:
            manufacturer[int.from_bytes(data[:2], "little")] = bytes(data[2:])
        elif kind in _SERVICE_DATA:
            length = _SERVICE_DATA[AdvertisingData.Type(kind)]
            service_data[full(UUID.from_bytes(data[:length]))] = bytes(data[length:])
        elif kind in _UUID_LISTS:
            step = 2 if kind in _UUID_LISTS[:2] else 16
            services += [full(UUID.from_bytes(data[at : at + step])) for at in range(0, len(data), step)]
    return Heard(
        local_name=name,
        manufacturer_data=manufacturer,
        service_data=service_data,
        service_uuids=list(dict.fromkeys(services)),
        tx_power=None,
        rssi=_RSSI,
        platform_data=(),
    )
