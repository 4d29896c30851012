"""A virtual Yale lock on the air."""

import random
from collections.abc import Callable
from datetime import datetime
from typing import Self

from tests.ble_bed.peripheral import Advertised, Peripheral, Port
from tests.ble_bed.radio import Air
from tests.ble_bed.yale.brain import Brain, HangUp
from tests.ble_bed.yale.memory import Memory

SERVICE = "0000fe24-0000-1000-8000-00805f9b34fb"
COMMAND, ANSWER, SECURE, SECURE_ANSWER = (f"bd4ac61{n}-0b45-11e3-8ffd-0800200c9a66" for n in range(1, 5))
INFORMATION = "0000180a-0000-1000-8000-00805f9b34fb"
_MODEL, _SERIAL, _FIRMWARE = (f"00002a{n}-0000-1000-8000-00805f9b34fb" for n in (24, 25, 26))
YALE = 465

ADDRESS = "C0:00:00:00:0A:1E"
KEY, KEY_SLOT = bytes.fromhex("00112233445566778899aabbccddeeff"), 3
SERIAL, NAME = "M1ABCDE0012", "M1E0012"
MODEL = "YRD-420"


class VirtualYale:
    """One lock. Nothing is heard of it before `advertise`."""

    def __init__(self, brain: Brain) -> None:
        """Use `create`."""
        self.brain = brain
        self.peripheral: Peripheral
        self._toggle = 0

    @classmethod
    async def create(
        cls,
        air: Air,
        now: Callable[[], datetime],
        *,
        address: str = ADDRESS,
        model: str = MODEL,
        seed: int = 1,
        mtu: int = 247,
    ) -> Self:
        """Hang up an empty lock; `now` is its clock."""
        lock = cls(Brain(memory=Memory(now=now), keys={KEY_SLOT: KEY}, random=random.Random(seed).randbytes))
        lock.peripheral = await Peripheral.create(
            air,
            address,
            {
                SERVICE: (
                    Port(uuid=COMMAND, able=("write",), on_write=lock._commanded),
                    Port(uuid=ANSWER, able=("notify",)),
                    Port(uuid=SECURE, able=("write",), on_write=lock._greeted),
                    Port(uuid=SECURE_ANSWER, able=("notify",)),
                ),
                INFORMATION: (
                    Port(uuid=_MODEL, able=("read",), value=model.encode()),
                    Port(uuid=_SERIAL, able=("read",), value=SERIAL.encode()),
                    Port(uuid=_FIRMWARE, able=("read",), value=b"2.1.0"),
                ),
            },
            mtu=mtu,
        )
        lock.peripheral.on_disconnect.append(lock.brain.forget)
        return lock

    @property
    def memory(self) -> Memory:
        """Return what the lock holds."""
        return self.brain.memory

    async def advertise(self) -> None:
        """Be heard, with the mark of change that the lock has now."""
        await self.peripheral.advertise(
            Advertised(name=NAME, manufacturer={YALE: bytes([self._toggle])}, services=[SERVICE])
        )

    async def stir(self) -> None:
        """Tell everybody around that the bolt moved."""
        self._toggle ^= 1
        await self.peripheral.hide()
        await self.advertise()

    async def _greeted(self, frame: bytes) -> None:
        await self._answer(self.brain.secure, frame, SECURE_ANSWER)

    async def _commanded(self, frame: bytes) -> None:
        await self._answer(self.brain.command, frame, ANSWER)

    async def _answer(self, think: Callable[[bytes], list[bytes]], frame: bytes, port: str) -> None:
        try:
            answers = think(frame)
        except HangUp:
            self.peripheral.soon(self.peripheral.drop())
            return
        self.peripheral.soon(self._send(port, answers))

    async def _send(self, port: str, answers: list[bytes]) -> None:
        for answer in answers:
            await self.peripheral.send(port, answer)
