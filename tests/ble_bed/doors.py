"""The three virtual locks by one vocabulary: what people do at the door and in the vendor's app."""

import base64
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from tests.ble_bed.nuki.brain import Brain as NukiBrain
from tests.ble_bed.nuki.memory import Code as NukiCode
from tests.ble_bed.nuki.on_air import NukiOnAir
from tests.ble_bed.peripheral import Peripheral
from tests.ble_bed.radio import Air
from tests.ble_bed.ttlock.keypad import Code as TTLockCode
from tests.ble_bed.ttlock.lock import VirtualLock
from tests.ble_bed.ttlock.on_air import put_on
from tests.ble_bed.yale.brain import Opcode
from tests.ble_bed.yale.lock import KEY as YALE_KEY
from tests.ble_bed.yale.lock import VirtualYale

type Now = Callable[[], datetime]
SECURITY_PIN = 9731
_NUKI_ADD = 0x41
_FIRST_AUTHORISATION = 3_141_592_653
"""A number that nothing else shows by chance."""
_OPEN = (datetime(2000, 1, 1), datetime(2099, 12, 31, 23, 59))  # noqa: DTZ001 - local time of the lock
_TTLOCK_PASSCODE = 0x03
_ZONE = ZoneInfo("Europe/Berlin")


class Door(Protocol):
    """One lock. `state` is all that survives a loss of power, and can be set."""

    peripheral: Peripheral
    state: dict[str, Any]

    async def show(self) -> None:
        """Tell everybody around how it stands; wakes a lock that sleeps. A hand on the keypad does that."""

    async def hold_button(self) -> None:
        """Do what the manual wants before pairing."""

    def pins(self) -> list[str]:
        """Return the PINs that are in it."""

    def add(self, pin: str) -> None:
        """Store a code in the vendor's app."""

    def edit(self, old: str, new: str) -> None:
        """Change a code in the vendor's app."""

    def remove(self, pin: str) -> None:
        """Delete a code in the vendor's app."""

    def enter(self, pin: str) -> bool:
        """Type at the keypad; say whether the door opens."""

    def answers_writes(self, *, yes: bool) -> None:
        """Say whether a code that is stored over the air is acknowledged; it is stored in any case."""

    def writes(self) -> int:
        """Return how many commands to store or change a code came over the air."""

    def secrets(self) -> dict[str, str]:
        """Return what nobody may see: bytes as base64 with `b64:` in front, numbers in digits."""


class NukiDoor(Door):
    """A lock of the fourth generation."""

    def __init__(self, brain: NukiBrain, on_air: NukiOnAir) -> None:
        self._brain, self._on_air, self.peripheral = brain, on_air, on_air.peripheral

    @property
    def state(self) -> dict[str, Any]:
        return {name: getattr(self._brain, name) for name in ("memory", "pin", "config_count", "changed")}

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self._brain, name, value)

    async def show(self) -> None:
        await self._on_air.advertise()

    async def hold_button(self) -> None:
        self._brain.pairing = True
        await self.show()

    def pins(self) -> list[str]:
        return [str(code.pin) for code in self._brain.memory.codes.values()]

    def add(self, pin: str) -> None:
        brain = self._brain
        brain.memory.add(NukiCode(pin=int(pin), name=b"by app".ljust(20, b"\0"), created=brain.clock()))
        brain.changed = True

    def edit(self, old: str, new: str) -> None:
        self._brain.memory.change(self._number(old), pin=int(new))
        self._brain.changed = True

    def remove(self, pin: str) -> None:
        del self._brain.memory.codes[self._number(pin)]
        self._brain.changed = True

    def enter(self, pin: str) -> bool:
        return self._brain.type_code(int(pin))

    def answers_writes(self, *, yes: bool) -> None:
        self._brain.faults.mute_on = None if yes else _NUKI_ADD

    def writes(self) -> int:
        return sum(command in {_NUKI_ADD, 0x46} for command in self._brain.heard)

    def secrets(self) -> dict[str, str]:
        users = self._brain.memory.users
        keys = {f"key of {number}": _text(user.key) for number, user in users.items()}
        return (
            {"security PIN": str(self._brain.pin)} | keys | {f"id {number}": str(number) for number in users}
        )

    def _number(self, pin: str) -> int:
        return next(number for number, code in self._brain.memory.codes.items() if code.pin == int(pin))


class YaleDoor(Door):
    """A lock whose offline key the test knows."""

    def __init__(self, lock: VirtualYale) -> None:
        self._lock, self.peripheral = lock, lock.peripheral

    @property
    def state(self) -> dict[str, Any]:
        return {name: getattr(self._lock.memory, name) for name in ("codes", "log", "battery_mv", "locked")}

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self._lock.memory, name, value)

    async def show(self) -> None:
        await self._lock.stir()

    async def hold_button(self) -> None:
        """The key is enough."""

    def pins(self) -> list[str]:
        return list(self._lock.memory.content().values())

    def add(self, pin: str) -> None:
        self._lock.memory.add(pin)

    def edit(self, old: str, new: str) -> None:
        self._lock.memory.edit(self._slot(old), new)

    def remove(self, pin: str) -> None:
        self._lock.memory.erase(self._slot(pin))

    def enter(self, pin: str) -> bool:
        return self._lock.memory.enter(pin)

    def answers_writes(self, *, yes: bool) -> None:
        self._lock.brain.faults.say_nothing = set() if yes else {Opcode.COMMIT}

    def writes(self) -> int:
        return self._lock.brain.heard.count(Opcode.COMMIT)

    def secrets(self) -> dict[str, str]:
        return {"offline key": _text(YALE_KEY)}

    def _slot(self, pin: str) -> int:
        return next(slot for slot, held in self._lock.memory.content().items() if held == pin)


class TTLockDoor(Door):
    """A new lock, which listens for some seconds after a touch."""

    def __init__(self, lock: VirtualLock, touch: Callable[[], Any], peripheral: Peripheral) -> None:
        self._lock, self._touch, self.peripheral = lock, touch, peripheral

    @property
    def state(self) -> dict[str, Any]:
        names = ("admin", "admin_code", "finished", "codes", "journal", "clock_off")
        return {name: getattr(self._lock, name) for name in names}

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self._lock, name, value)

    async def show(self) -> None:
        await self._touch()

    async def hold_button(self) -> None:
        """A new lock takes anybody who comes first."""
        await self.show()

    def pins(self) -> list[str]:
        return [code.current for code in self._lock.codes]

    def add(self, pin: str) -> None:
        self._lock.store(TTLockCode(kind=1, current=pin, original=pin, start=_OPEN[0], end=_OPEN[1]))

    def edit(self, old: str, new: str) -> None:
        self._lock.change(old, new)

    def remove(self, pin: str) -> None:
        self._lock.forget(pin)

    def enter(self, pin: str) -> bool:
        return self._lock.type_in(pin)

    def answers_writes(self, *, yes: bool) -> None:
        self._lock.faults.silent_on = frozenset() if yes else frozenset({_TTLOCK_PASSCODE})

    def writes(self) -> int:
        return self._lock.asked.count(_TTLOCK_PASSCODE)

    def secrets(self) -> dict[str, str]:
        lock = self._lock
        numbers = zip(("admin number", "unlock key"), lock.admin or (), strict=False)
        return {"key": _text(lock.key), "admin code": lock.admin_code} | {
            name: str(number) for name, number in numbers
        }


def _text(secret: bytes) -> str:
    return "b64:" + base64.b64encode(secret).decode()


async def hung_up(air: Air, now: Now) -> dict[str, Door]:
    """Hang up one lock of each family: `cellar` (Nuki), `attic` (Yale) and `shed` (TTLock)."""
    nuki = NukiBrain(now=now, random=Random().randbytes, pin=SECURITY_PIN)
    nuki.memory.next_user = _FIRST_AUTHORISATION
    yale = await VirtualYale.create(air, now, address=ADDRESSES["attic"])
    ttlock = VirtualLock(
        now=lambda: now().astimezone(_ZONE).replace(tzinfo=None), key=Random("ttlock").randbytes(16)
    )
    ttlock_on_air = await put_on(air, ttlock, ADDRESSES["shed"])
    return {
        "cellar": NukiDoor(nuki, await NukiOnAir.hang_up(air, ADDRESSES["cellar"], nuki)),
        "attic": YaleDoor(yale),
        "shed": TTLockDoor(ttlock, ttlock_on_air.touch, ttlock_on_air.peripheral),
    }


ADDRESSES = {"cellar": "C0:00:00:00:0A:01", "attic": "C0:00:00:00:0A:1E", "shed": "C1:00:00:00:00:05"}
