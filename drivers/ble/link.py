"""An open GATT connection. Failures come out in the domain's words, without foreign text."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, override

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.exc import BleakError
from bleak_retry_connector import (
    BleakClientWithServiceCache,
    close_stale_connections_by_address,
    establish_connection,
)

from drivers.ble.family import Link
from drivers.ble.waiting import while_linked
from gateway.domain.driver import LockUnreachable, NoAnswer

FOREIGN_ERRORS: Final = (BleakError, OSError, EOFError, TimeoutError, AttributeError, KeyError)
"""What bleak raises when a connection does not come about or breaks: with D-Bus also errors of sockets, and
of dictionaries that the other side has emptied."""
BROKEN_LINK: Final = (BleakError, OSError, EOFError)
"""What comes out of operations when a connection breaks."""
CONNECT_TIMEOUT_S = 60.0
"""For all attempts together."""
ATTEMPTS = 3
WRITE_TIMEOUT_S = 10.0
DISCONNECT_TIMEOUT_S = 10.0
_ATT_HEADER = 3


@asynccontextmanager
async def connect(device: BLEDevice, *, timeout_s: float = CONNECT_TIMEOUT_S) -> AsyncIterator[Link]:
    """Connect to a lock; the connection ends with the block. Raises LockUnreachable."""
    lost = asyncio.Event()
    try:
        async with asyncio.timeout(timeout_s):
            client = await establish_connection(
                BleakClientWithServiceCache,
                device,
                device.address,
                disconnected_callback=lambda _: lost.set(),
                max_attempts=ATTEMPTS,
            )
        if client.is_connected:
            lost.clear()  # It was set by the end of an attempt before the one that stands.
    except FOREIGN_ERRORS:
        raise LockUnreachable("no connection to the lock came about") from None
    try:
        yield _BleakLink(client, lost)
    finally:
        await _leave(client)


async def hang_up(address: str) -> None:
    """End a connection that nobody has any more.

    BlueZ keeps that of a process which was killed, for ever. Such a lock advertises nothing, so it can be
    neither heard nor connected to, and its battery runs down.
    """
    try:
        async with asyncio.timeout(DISCONNECT_TIMEOUT_S):
            await close_stale_connections_by_address(address)
    except FOREIGN_ERRORS:
        pass  # Without BlueZ there is none; else it is tried with the next start.


async def _leave(client: BleakClient) -> None:
    try:
        async with asyncio.timeout(DISCONNECT_TIMEOUT_S):
            await client.disconnect()
    except FOREIGN_ERRORS:
        pass  # It ends by itself then.


class _BleakLink(Link):
    def __init__(self, client: BleakClient, lost: asyncio.Event) -> None:
        self._client = client
        self._lost = lost
        self._subscribed: set[str] = set()

    @property
    @override
    def mtu(self) -> int:
        # BlueZ tells the size by characteristic only; `client.mtu_size` is always 23 there.
        sizes = [port.max_write_without_response_size for port in self._ports()]
        return max(sizes, default=0) + _ATT_HEADER if sizes else self._client.mtu_size

    @override
    def has(self, characteristic: str) -> bool:
        return any(port.uuid == characteristic.lower() for port in self._ports())

    @override
    async def subscribe(self, characteristic: str, heard: Callable[[bytes], None]) -> None:
        if characteristic in self._subscribed:
            # The lock would send everything twice, and a challenge used twice is refused.
            raise AssertionError("a characteristic is subscribed to once per connection")
        self._subscribed.add(characteristic)
        await self._call(
            self._client.start_notify(self._port(characteristic), lambda _, data: heard(bytes(data)))
        )

    @override
    async def write(self, characteristic: str, data: bytes, *, response: bool = True) -> None:
        await self._call(self._client.write_gatt_char(self._port(characteristic), data, response=response))

    @override
    def lost(self) -> asyncio.Event:
        return self._lost

    def _ports(self) -> list[BleakGATTCharacteristic]:
        try:
            return list(self._client.services.characteristics.values())
        except BleakError:
            return []  # Gone with the connection.

    def _port(self, characteristic: str) -> BleakGATTCharacteristic:
        if self._lost.is_set():
            raise LockUnreachable(_BROKE)
        for port in self._ports():
            if port.uuid == characteristic.lower():
                return port
        raise LockUnreachable("the lock does not offer what its kind should")

    async def _call(self, call: Awaitable[None]) -> None:
        try:
            await while_linked(call, self._lost, WRITE_TIMEOUT_S)
        except NoAnswer:
            raise LockUnreachable("the lock does not acknowledge what is sent to it") from None
        except FOREIGN_ERRORS:
            raise LockUnreachable(_BROKE) from None


_BROKE = "the connection to the lock broke"
