"""A made-up family of locks, just large enough to try the connection layer, and a virtual lock of it.

Requests and answers are lines of text. An advertisement carries one byte of flags and one of battery.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import override

from bleak.backends.device import BLEDevice
from msgspec.structs import replace

from drivers.ble.family import (
    Advert,
    Configured,
    FamilyLock,
    Hearing,
    Link,
    LockSession,
    Scan,
    never,
)
from drivers.ble.link import connect
from drivers.ble.waiting import while_linked
from gateway.domain.credential import Credential, Empty, Evidence, Known, Reading, SlotRef
from gateway.domain.driver import CodeUsed, LockEvent, LockSeen, Progress, Refused, Written
from gateway.domain.lock import Capabilities, Identity, PinRules, Reach
from gateway.domain.pin import Pin
from gateway.domain.placement import Refusal
from tests.ble_bed.peripheral import Advertised, Peripheral, Port
from tests.ble_bed.radio import Air

SERVICE = "0000fe24-0000-1000-8000-00805f9b34fb"
IN = "a92ee101-5501-11e4-916c-0800200c9a66"
OUT = "a92ee102-5501-11e4-916c-0800200c9a66"
COMPANY = 0xFFFF
CHANGED, PAIRING = 1, 2
SLOTS = ("1", "2", "3", "4")
PIN_LENGTH = 4


class TinyDoor:
    """The virtual lock."""

    def __init__(self) -> None:
        """Use `hung_up`."""
        self.codes: dict[str, str] = {}
        self.log: list[str] = []
        self.asked: list[str] = []
        self.flags = 0
        self.battery = 90
        self.clears_flag = True
        self.peripheral: Peripheral

    @classmethod
    async def hung_up(cls, air: Air, address: str, *, mtu: int = 23, heard: bool = True) -> "TinyDoor":
        """Put a lock on the air."""
        door = cls()
        ports = (Port(uuid=IN, able=("write",), on_write=door.take), Port(uuid=OUT, able=("indicate",)))
        door.peripheral = await Peripheral.create(air, address, {SERVICE: ports}, mtu=mtu)
        if heard:
            await door.advertise()
        return door

    async def advertise(self, flags: int | None = None) -> None:
        """Be heard, with these flags from now on."""
        self.flags = self.flags if flags is None else flags
        data = {COMPANY: bytes([self.flags, self.battery])}
        await self.peripheral.advertise(Advertised(name="tiny", manufacturer=data))

    async def open_with(self, slot: str) -> None:
        """Have somebody open the door."""
        self.log.append(slot)
        await self.advertise(self.flags | CHANGED)

    async def take(self, line: bytes) -> None:
        """Answer a request."""
        self.asked.append(line.decode().split()[0])
        self.peripheral.soon(self.peripheral.send(OUT, (self.answer(line.decode()) + "\n").encode()))

    def answer(self, line: str) -> str:
        """Return the answer to a line."""
        match line.split():
            case ["write", slot, _] if slot not in SLOTS:
                return Refusal.OTHER
            case ["write", _, pin] if len(pin) != PIN_LENGTH:
                return Refusal.FORMAT
            case ["write", slot, pin] if pin in {**self.codes, slot: ""}.values():
                return Refusal.DUPLICATE
            case ["write", slot, pin]:
                self.codes[slot] = pin
            case ["clear", slot]:
                self.codes.pop(slot, None)
            case ["read", slot]:
                return self.codes.get(slot, "-")
            case ["log"]:
                if self.log:
                    return self.log.pop(0)
                if self.clears_flag:
                    self.flags &= ~CHANGED
                    data = {COMPANY: bytes([self.flags, self.battery])}
                    self.peripheral.advertised = Advertised(name="tiny", manufacturer=data)
                return "-"
        return "ok"


class TinySession(LockSession):
    """A connection to it."""

    def __init__(self, lock: "TinyLock", link: Link) -> None:
        self._lock = lock
        self._link = link
        self._lines: asyncio.Queue[str] = asyncio.Queue()
        self._rest = ""

    async def begin(self) -> None:
        """Listen."""
        await self._link.subscribe(OUT, self._heard)

    @override
    def lost(self) -> asyncio.Event | None:
        return self._link.lost()

    @override
    async def read(self, slot: SlotRef) -> Reading:
        pin = await self._ask(f"read {slot}")
        return Empty() if pin == "-" else Known(Credential(pin=Pin(pin)))

    @override
    async def read_all(self) -> Mapping[SlotRef, Reading]:
        return {slot: await self.read(slot) for slot in SLOTS}

    @override
    async def probe(self) -> str:
        raise Refused(Refusal.OTHER, "not offered")

    @override
    async def write(
        self, slot: SlotRef | None, credential: Credential, *, replaces: Credential | None
    ) -> Written:
        assert slot is not None
        answer = await self._ask(f"write {slot} {credential.pin.reveal()}")
        if answer != "ok":
            raise Refused(Refusal(answer), "the lock does not take this")
        return Written(slot=slot, evidence=Evidence.ACCEPTED)

    @override
    async def clear(self, slot: SlotRef, *, holds: Credential | None) -> Written:
        await self._ask(f"clear {slot}")
        return Written(slot=slot, evidence=Evidence.ACCEPTED)

    @override
    async def read_log(
        self, sink: Callable[[LockEvent], Awaitable[None]], asked_to_stop: Callable[[], bool] = never
    ) -> bool:
        while (slot := await self._ask("log")) != "-":
            if slot not in SLOTS:
                raise ValueError(slot)
            await sink(
                CodeUsed(device_id=self._lock.device_id, slot=slot, at=datetime(2026, 1, 1, tzinfo=UTC))
            )
            if asked_to_stop():
                return False
        return True

    @override
    async def describe(self) -> LockSeen:
        await self._ask("who")
        if not self._lock.describes:
            raise Refused(Refusal.OTHER, "not told")
        return seen(self._lock.device_id, self._lock.reach)

    async def _ask(self, line: str) -> str:
        await self._link.write(IN, line.encode())
        return await while_linked(self._lines.get(), self._link.lost())

    def _heard(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data.decode()).split("\n")
        for line in lines:
            self._lines.put_nowait(line)


def seen(device_id: str, reach: Reach = Reach.ALWAYS) -> LockSeen:
    """Return what such a lock is."""
    return LockSeen(
        device_id=device_id,
        identity=Identity(network="ble", manufacturer="tiny", product="door"),
        capabilities=Capabilities(
            slots=SLOTS, max_codes=len(SLOTS), reach=reach, pin_rules=PinRules(lengths=(PIN_LENGTH,))
        ),
    )


def remembered(device_id: str) -> LockSeen:
    """Return what is told of such a lock before it is heard."""
    return replace(seen(device_id), heard=False)


class TinyLock(FamilyLock):
    """One configured lock."""

    def __init__(
        self,
        device_id: str,
        address: str,
        *,
        reach: Reach,
        is_known: bool,
        trouble: str | None,
        describes: bool,
    ) -> None:
        self.device_id = device_id
        self.address = address
        self.reach = reach
        self._is_known = is_known
        self._trouble = trouble
        self.describes = describes
        self.refuses: str | None = None
        self.is_silenced = False
        """It takes its "changed" back when it is connected to."""

    @override
    def silenced_by_connecting(self) -> bool:
        return self.is_silenced

    @override
    def refusal(self) -> str | None:
        return self.refuses

    @override
    def ask_again(self) -> None:
        self.refuses = None

    @override
    def trouble(self) -> str | None:
        return self._trouble

    @override
    def hears(self, advert: Advert) -> Hearing:
        data = advert.manufacturer.get(COMPANY)
        if data is None:
            return Hearing()
        return Hearing(changed=bool(data[0] & CHANGED), battery=data[1] / 100)

    @override
    def known(self) -> LockSeen | None:
        return seen(self.device_id, self.reach) if self._is_known else None

    @override
    @asynccontextmanager
    async def open(self, device: BLEDevice) -> AsyncIterator[LockSession]:
        async with connect(device) as link:
            session = TinySession(self, link)
            await session.begin()
            yield session


def configured(
    device_id: str,
    *,
    reach: Reach = Reach.ALWAYS,
    is_known: bool = True,
    trouble: str | None = None,
    describes: bool = True,
) -> Configured:
    """Return a lock of the configuration; its secret is its address."""

    def lock(secret: bytes) -> FamilyLock:
        if not secret:
            raise ValueError("empty")
        return TinyLock(
            device_id,
            secret.decode(),
            reach=reach,
            is_known=is_known,
            trouble=trouble,
            describes=describes,
        )

    async def pair(given: Mapping[str, str], scan: Scan, progress: Progress) -> tuple[str, bytes]:
        await progress("press the button")
        _, advert = await scan.find(
            lambda advert: bool(advert.manufacturer.get(COMPANY, b"\0")[0] & PAIRING),
            float(given.get("seconds", "30")),
        )
        return advert.address, advert.address.encode()

    return Configured(lock=lock, pair=pair)
