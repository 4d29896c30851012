"""A GATT server for virtual locks: handlers for writes, and answers that can be cut, delayed and doubled."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

from bumble.att import Attribute
from bumble.core import UUID, AdvertisingData
from bumble.device import Connection, Device
from bumble.gatt import Characteristic, CharacteristicValue, Service

from tests.ble_bed.radio import Air, whole

type Write = Callable[[bytes], Awaitable[None]]
type Ability = Literal["read", "write", "write-without-response", "notify", "indicate"]
_FLAGS = {
    "read": Characteristic.Properties.READ,
    "write": Characteristic.Properties.WRITE,
    "write-without-response": Characteristic.Properties.WRITE_WITHOUT_RESPONSE,
    "notify": Characteristic.Properties.NOTIFY,
    "indicate": Characteristic.Properties.INDICATE,
}


@dataclass(frozen=True, kw_only=True)
class Port:
    """One characteristic: what can be done with it, and what happens on a write."""

    uuid: str
    able: tuple[Ability, ...]
    on_write: Write | None = None
    value: bytes = b""
    """What a read returns."""


@dataclass(kw_only=True)
class Weather:
    """How answers travel; to be changed at any time."""

    split: int | None = None
    """Send in pieces of at most so many bytes; None: as large as the MTU lets through."""
    delay_s: float = 0.0
    """Pause before each piece."""
    doubled: bool = False
    """Send each piece twice."""
    mute: bool = False
    """Send nothing."""
    swallowed: int = 0
    """Send nothing so many more times."""


_DISCOVERABLE = bytes([0x06])
"""General discoverable, no classic Bluetooth."""


@dataclass(kw_only=True)
class Advertised:
    """What an advertisement carries, the most important first; to be set before `advertise`.

    `most` is how many bytes there is room for: 31 in a real one (Linux drops longer ones), None for any
    number. What does not fit a real lock tells in its scan response, which bumble's link does not know.
    """

    name: str | None = None
    manufacturer: Mapping[int, bytes] = field(default_factory=dict)
    services: Sequence[str] = ()
    service_data: Mapping[str, bytes] = field(default_factory=dict)
    most: int | None = None

    def packed(self) -> bytes:
        """Return the bytes on the air."""
        kind = AdvertisingData.Type
        # Flags first: BlueZ makes nothing of a device that does not say that it can be discovered.
        parts: list[tuple[int, bytes]] = [(kind.FLAGS, _DISCOVERABLE)]
        parts += [
            (kind.MANUFACTURER_SPECIFIC_DATA, company.to_bytes(2, "little") + data)
            for company, data in self.manufacturer.items()
        ]
        for uuid in map(UUID, self.services):
            short = len(uuid.to_bytes()) == len(b"16")
            listed = (
                kind.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS
                if short
                else kind.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS
            )
            parts.append((listed, uuid.to_bytes()))
        for text, data in self.service_data.items():
            packed = UUID(text).to_bytes()
            short = len(packed) == len(b"16")
            parts.append(
                (kind.SERVICE_DATA_16_BIT_UUID if short else kind.SERVICE_DATA_128_BIT_UUID, packed + data)
            )
        if self.name is not None:
            parts.append((kind.COMPLETE_LOCAL_NAME, self.name.encode()))
        while self.most is not None and len(bytes(AdvertisingData(parts))) > self.most:
            parts.pop()
        return bytes(AdvertisingData(parts))


class Peripheral:
    """One virtual device on the air. Make it with `create`; nothing is heard of it before `advertise`."""

    def __init__(self, device: Device) -> None:
        """Use `create`."""
        self.weather = Weather()
        self.advertised = Advertised()
        self.interval_s = 0.5
        """Between advertisements, up to 10 s."""
        self.connections = 0
        """How often somebody connected."""
        self.lose_at_once = 0
        """Break so many more connections as soon as they stand."""
        self.lose_after: int | None = None
        """Break the connection after so many more writes, before they are handled."""
        self.lose_after_pieces: int | None = None
        """Break the connection after so many more notifications or indications, in place of the next one."""
        self.deaf = False
        """Never acknowledge a write, nor act on it."""
        self.drops = 0
        """How often `drop` broke a connection."""
        self.messages = 0
        """How many writes came in."""
        self.on_message: Callable[[], None] | None = None
        """Called with each write that is about to be handled."""
        self.on_piece: Callable[[], None] | None = None
        """Called with each notification or indication that is about to go out."""
        self.on_connect: Callable[[], None] | None = None
        self.on_disconnect: list[Callable[[], None]] = []
        self._device = device
        self._characteristics: dict[str, Characteristic[bytes]] = {}
        self._advertising = False
        self._switching = asyncio.Lock()
        self._jobs: set[asyncio.Task[None]] = set()
        device.on("connection", self._connected)

    @classmethod
    async def create(
        cls, air: Air, address: str, services: Mapping[str, Sequence[Port]], *, mtu: int = 247
    ) -> Self:
        """Put a device with these services on the air; `mtu` is the largest ATT MTU it grants."""
        device = await air.device(address, f"lock {address}")
        device.gatt_server.max_mtu = mtu
        peripheral = cls(device)
        for service, ports in services.items():
            device.add_service(Service(UUID(service), [peripheral._offered(port) for port in ports]))
        return peripheral

    @property
    def address(self) -> str:
        """Return the Bluetooth address, upper case."""
        return self._device.random_address.to_string(with_type_qualifier=False)

    @property
    def connection(self) -> Connection | None:
        """Return the connection that stands, if any."""
        return next(iter(self._device.connections.values()), None)

    async def advertise(self, advertised: Advertised | None = None) -> None:
        """Be heard from now on, while nobody is connected. What was advertised so far is replaced."""
        if advertised is not None:
            self.advertised = advertised
        self._advertising = True
        async with self._switching:
            if self.connection is None and self._advertising:
                await whole(
                    self._device.start_advertising(
                        advertising_data=self.advertised.packed(),
                        advertising_interval_min=self.interval_s * 1000,
                        advertising_interval_max=self.interval_s * 1000,
                    )
                )

    async def hide(self) -> None:
        """Be heard no more."""
        self._advertising = False
        async with self._switching:
            await whole(self._device.stop_advertising())

    async def drop(self) -> None:
        """Break the connection, if there is one."""
        if self.connection is not None:
            self.drops += 1
            await whole(self.connection.disconnect())

    async def send(self, characteristic: str, data: bytes) -> None:
        """Notify or indicate whoever subscribed, in pieces that fit. Ends early when the link breaks."""
        connection, weather = self.connection, self.weather
        if connection is None or weather.mute:
            return
        if weather.swallowed > 0:
            weather.swallowed -= 1
            return
        size = min(weather.split or 10_000, connection.att_mtu - 3)
        for at in range(0, len(data), size):
            for _ in range(1 + weather.doubled):
                if weather.delay_s > 0:
                    await asyncio.sleep(weather.delay_s)
                if not await self._piece(connection, characteristic, data[at : at + size]):
                    return

    def soon(self, job: Coroutine[None, None, None]) -> None:
        """Do something after the answer to the write that is being handled."""
        task = asyncio.ensure_future(job)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    async def _piece(self, connection: Connection, characteristic: str, piece: bytes) -> bool:
        if connection.handle not in self._device.connections:
            return False
        if self.lose_after_pieces is not None:
            if self.lose_after_pieces <= 0:
                self.lose_after_pieces = None
                await self.drop()
                return False
            self.lose_after_pieces -= 1
        if self.on_piece is not None:
            self.on_piece()
        port = self._characteristics[characteristic]
        server = self._device.gatt_server
        if Characteristic.Properties.NOTIFY & port.properties:
            await server.notify_subscriber(connection, port, piece)
            return True
        sending = asyncio.ensure_future(server.indicate_subscriber(connection, port, piece))
        gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        connection.on("disconnection", lambda _: gone.cancel())
        try:
            await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
            return not gone.cancelled()
        finally:
            sending.cancel()
            gone.cancel()

    def _offered(self, port: Port) -> Characteristic[bytes]:
        flags = Characteristic.Properties(0)
        for ability in port.able:
            flags |= _FLAGS[ability]

        async def write(_: Connection, value: bytes) -> None:
            if self.deaf:
                await asyncio.get_running_loop().create_future()
            if self.lose_after is not None:
                if self.lose_after <= 0:
                    self.lose_after = None
                    await self.drop()
                    return
                self.lose_after -= 1
            self.messages += 1
            if self.on_message is not None:
                self.on_message()
            if port.on_write is not None:
                await port.on_write(bytes(value))

        characteristic: Characteristic[bytes] = Characteristic(
            UUID(port.uuid),
            flags,
            Attribute.Permissions.READABLE | Attribute.Permissions.WRITEABLE,
            CharacteristicValue(read=lambda _: port.value, write=write),
        )
        self._characteristics[port.uuid] = characteristic
        return characteristic

    def _connected(self, connection: Connection) -> None:
        self.connections += 1
        connection.on("disconnection", self._disconnected)
        if self.on_connect is not None:
            self.on_connect()
        if self.lose_at_once > 0:
            self.lose_at_once -= 1
            self.soon(self.drop())

    def _disconnected(self, _reason: int) -> None:
        for gone in self.on_disconnect:
            gone()
        if self._advertising:
            self.soon(self.advertise())
