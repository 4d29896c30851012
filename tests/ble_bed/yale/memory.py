"""What a lock holds: codes, its battery, and its log, of which reading takes away."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from itertools import count

from tests.ble_bed.yale.frames import digits_of, packed

ALWAYS = bytes(8) + b"\x80\x00"
"""The schedule of a code without one: start, end, kind, and what it is the schedule of."""
MASTER = 0xFFEE
MANUAL, UNLOCKED, LOCKED = 0x01, 0x03, 0x05


class Result(IntEnum):
    """Byte 15 of an answer."""

    OK = 0x00
    DUPLICATE = 0x06
    FULL = 0x07
    LOW_BATTERY = 0x32
    BUSY = 0x3E
    NOT_FOUND = 0x3F
    IN_USE = 0x45


@dataclass(frozen=True)
class Held:
    """One code."""

    pin: bytes
    schedule: bytes = ALWAYS


@dataclass(kw_only=True)
class Memory:
    """The content of one lock, and what people do at the door."""

    now: Callable[[], datetime]
    """The lock's own clock."""
    capacity: int = 10
    codes: dict[int, Held] = field(default_factory=dict)
    log: deque[dict[int, bytes]] = field(default_factory=deque)
    """Records as fields by place; the oldest first."""
    battery_mv: int = 6000
    locked: bool = True
    master: str | None = None
    """The code that is set at the keypad and nowhere else."""

    def edit(self, slot: int, digits: str, schedule: bytes = ALWAYS) -> None:
        """Store a code as the vendor's app does."""
        self.codes[slot] = Held(packed(digits), schedule)

    def erase(self, slot: int) -> None:
        """Delete a code as the vendor's app does."""
        self.codes.pop(slot, None)

    def content(self) -> dict[int, str]:
        """Return the PINs by slot."""
        return {slot: digits_of(held.pin) for slot, held in sorted(self.codes.items())}

    def add(self, digits: str) -> int:
        """Store a code in the first free slot."""
        slot = next(number for number in count(1) if number not in self.codes)
        self.edit(slot, digits)
        return slot

    def enter(self, digits: str) -> bool:
        """Type a code at the keypad; say whether it opens."""
        slot = next((slot for slot, code in self.content().items() if code == digits), None)
        if digits == self.master:
            slot = MASTER
        if slot is None:
            return False
        self.log.append({4: b"\x07", 5: self._time(), 14: slot.to_bytes(2, "little")})
        self.locked = False
        return True

    def enter_old_style(self, slot: int, *, locking: bool = False) -> None:
        """Open, or lock, with a code on a lock that notes it in the other kind of record."""
        status = LOCKED if locking else UNLOCKED
        self.log.append({4: b"\x0e", 5: self._time(), 10: bytes([slot]), 12: bytes([0x20 | status])})
        self.locked = locking

    def turn(self) -> None:
        """Turn the knob, and let the door be seen to move."""
        self.locked = not self.locked
        status = LOCKED if self.locked else UNLOCKED
        self.log.append({4: b"\x00", 5: bytes([MANUAL, status]), 8: self._time()})
        self.log.append({4: b"\x20", 5: self._time(), 9: b"\x01"})

    def note_something_new(self) -> None:
        """Add a record of a kind that nobody described."""
        self.log.append({4: b"\x55", 5: self._time()})

    def _time(self) -> bytes:
        return int(self.now().timestamp()).to_bytes(4, "little")
