"""A virtual lock on the virtual radio. It is heard for some seconds after a touch only."""

import asyncio

from tests.ble_bed.peripheral import Advertised, Peripheral, Port
from tests.ble_bed.radio import Air
from tests.ble_bed.ttlock.lock import VirtualLock

SERVICE = "00001910-0000-1000-8000-00805F9B34FB"
WRITE = "0000FFF2-0000-1000-8000-00805F9B34FB"
NOTIFY = "0000FFF4-0000-1000-8000-00805F9B34FB"
AWAKE_S = 15.0
PIECE = 20
SETTLED_S = 0.1
"""After a connection broke the lock begins to advertise again by itself; twice at once it cannot."""


class LockOnAir:
    """Where the lock meets the radio. `peripheral` has the weather and the breaking of connections."""

    def __init__(self, lock: VirtualLock, peripheral: Peripheral) -> None:
        """Use `put_on`."""
        self.lock = lock
        self.peripheral = peripheral
        self.lose_before_answer_to: int | None = None
        """Break the connection once this command was carried out, before its answer."""
        self.hangs_up_over: int | None = None
        """The same, each time."""
        self._asleep: asyncio.Task[None] | None = None
        peripheral.weather.split = PIECE
        peripheral.on_connect = lock.connected
        peripheral.on_disconnect.append(self._refresh)

    async def touch(self) -> None:
        """Touch the keypad: the lock is heard for a while."""
        await asyncio.sleep(SETTLED_S)
        is_awake = self._asleep is not None and not self._asleep.done()
        if self._asleep is not None:
            self._asleep.cancel()
        if not is_awake or self._advertised() != self.peripheral.advertised:
            # Not without need: to begin anew is in the way of whoever connects just now.
            await self.peripheral.advertise(self._advertised())
        self._asleep = asyncio.ensure_future(self._fall_asleep())

    async def stay_awake(self) -> None:
        """Be heard always, as wired models are."""
        if self._asleep is not None:
            self._asleep.cancel()
        await self.peripheral.advertise(self._advertised())

    async def write(self, piece: bytes) -> None:
        """Take what a client writes."""
        for frame in self.lock.hear(piece):
            asked = self.lock.asked[-1] if self.lock.asked else None
            if asked is not None and asked in {self.lose_before_answer_to, self.hangs_up_over}:
                self.lose_before_answer_to = None
                await self.peripheral.drop()
                return
            self.peripheral.soon(self.peripheral.send(NOTIFY, frame))

    def _refresh(self) -> None:
        """Advertise how things stand now, once nobody is connected any more."""
        self.peripheral.advertised = self._advertised()

    async def _fall_asleep(self) -> None:
        await asyncio.sleep(AWAKE_S)
        await self.peripheral.hide()

    def _advertised(self) -> Advertised:
        lock = self.lock
        flags = 0x02 * lock.journal.is_new | 0x04 * lock.setting_mode | 0x08
        address = bytes.fromhex(self.peripheral.address.replace(":", ""))
        data = bytes((2, flags, lock.battery)) + bytes(5) + address[::-1]
        return Advertised(name="BED_LOCK", manufacturer={0x0305: data}, services=(SERVICE,))


async def put_on(air: Air, lock: VirtualLock, address: str, *, mtu: int = 247) -> LockOnAir:
    """Hang up a lock."""
    made: list[LockOnAir] = []

    async def write(piece: bytes) -> None:
        await made[0].write(piece)

    ports = (
        Port(uuid=WRITE, able=("write", "write-without-response"), on_write=write),
        Port(uuid=NOTIFY, able=("notify",)),
    )
    peripheral = await Peripheral.create(air, address, {SERVICE: ports}, mtu=mtu)
    made.append(LockOnAir(lock, peripheral))
    return made[0]
