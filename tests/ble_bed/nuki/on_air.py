"""Puts a virtual Nuki lock onto the virtual radio."""

import asyncio
import struct
from typing import Self

from tests.ble_bed.nuki.brain import Brain
from tests.ble_bed.peripheral import Advertised, Peripheral, Port
from tests.ble_bed.radio import Air

_SUFFIX = "-5501-11e4-916c-0800200c9a66"
_PAIRING, _PAIRING_PORT = "a92ee100" + _SUFFIX, "a92ee101" + _SUFFIX
_PAIRING_5, _PAIRING_PORT_5 = "a92ee300" + _SUFFIX, "a92ee301" + _SUFFIX
_LOCK, _GENERAL_PORT, _USER_PORT = "a92ee200" + _SUFFIX, "a92ee201" + _SUFFIX, "a92ee202" + _SUFFIX
_POWER = 0xC4


class NukiOnAir:
    """A lock that can be heard and connected to."""

    def __init__(self, brain: Brain, peripheral: Peripheral) -> None:
        """Use `hang_up`."""
        self.brain = brain
        self.peripheral = peripheral
        self.most: int | None = None
        """Bytes there is room for in an advertisement, see `Advertised`."""
        self._answering = asyncio.Lock()

    @classmethod
    async def hang_up(cls, air: Air, address: str, brain: Brain, *, mtu: int = 247) -> Self:
        """Put the lock on the air and let it advertise."""
        service, port = (_PAIRING_5, _PAIRING_PORT_5) if brain.fifth_generation else (_PAIRING, _PAIRING_PORT)

        async def pairing(frame: bytes) -> None:
            lock.peripheral.soon(lock.peripheral.send(port, brain.pair_step(frame)))

        async def command(frame: bytes) -> None:
            lock.peripheral.soon(lock.answer(frame))

        peripheral = await Peripheral.create(
            air,
            address,
            {
                service: [Port(uuid=port, able=("write", "indicate"), on_write=pairing)],
                _LOCK: [
                    Port(uuid=_GENERAL_PORT, able=("write", "indicate")),
                    Port(uuid=_USER_PORT, able=("write", "indicate"), on_write=command),
                ],
            },
            mtu=mtu,
        )
        lock = cls(brain, peripheral)
        await lock.advertise()
        return lock

    async def answer(self, frame: bytes) -> None:
        """Answer a sealed command, message by message."""
        asked_by = self.peripheral.connection
        async with self._answering:  # the pieces of two messages do not mix
            for answer in self.brain.command(frame):
                if self.peripheral.connection is not asked_by:
                    return  # whoever connects next did not ask for the rest
                await self.peripheral.send(_USER_PORT, answer)

    async def advertise(self) -> None:
        """Advertise what is so now: whether something changed, and whether the lock is in pairing mode."""
        brain = self.brain
        # After a connection the peripheral goes on advertising by itself; not both at once.
        await asyncio.gather(*self.peripheral._jobs, return_exceptions=True)
        beacon = bytes.fromhex("0215a92ee200550111e4916c0800200c9a66") + struct.pack(">I", brain.nuki_id)
        service = _PAIRING_5 if brain.fifth_generation else _PAIRING
        await self.peripheral.advertise(
            Advertised(
                name=f"Nuki_{brain.nuki_id:08X}",
                manufacturer={} if brain.pairing else {0x004C: beacon + bytes([_POWER | brain.changed])},
                service_data={service: struct.pack(">I", brain.nuki_id)} if brain.pairing else {},
                most=self.most,
            )
        )
