"""Waiting for what a lock tells about an operation of ours, apart from what it tells the engine."""

import asyncio
from typing import Protocol

from drivers.zwave.alarms import CodeAdded, CodeDeleted, DuplicateRefused, Signal
from gateway.domain.credential import Empty, Known, Reading, Unreadable
from gateway.domain.driver import SlotReported


class Watch(Protocol):
    """Something that waits for a signal of a lock."""

    def takes(self, signal: Signal) -> bool:
        """Say whether the signal is the answer waited for: it goes no further then."""
        ...


class ReadWatch:
    """Takes the report that answers our own Get: it is no edit at the keypad."""

    def __init__(self, slot: str) -> None:
        self._slot = slot
        self.reading: Reading | None = None

    def takes(self, signal: Signal) -> bool:
        """Take the first report of the slot."""
        if self.reading is not None or not isinstance(signal, SlotReported) or signal.slot != self._slot:
            return False
        self.reading = signal.reading
        return True


class WriteWatch:
    """Takes the first signs that a write or clear was carried out or refused.

    A report of another content than the wanted one proves nothing (a stale "available" after a successful set
    was seen, lock_code_manager#863) and goes to the engine.
    """

    def __init__(self, slot: str, wanted: Reading) -> None:
        self._slot = slot
        self._wanted = wanted
        self._announcement = CodeDeleted if isinstance(wanted, Empty) else CodeAdded
        self._signs: asyncio.Queue[Signal] = asyncio.Queue()
        self.refused = False
        """Whether the lock told of a duplicate at any time, whatever else it told before or after."""

    def takes(self, signal: Signal) -> bool:
        """Take what tells the outcome."""
        if not self._concerns(signal):
            return False
        self.refused = self.refused or isinstance(signal, DuplicateRefused)
        self._signs.put_nowait(signal)
        return True

    async def sign(self, seconds: float) -> Signal | None:
        """Return the next sign; None when there is none within that time."""
        try:
            async with asyncio.timeout(seconds):
                return await self._signs.get()
        except TimeoutError:
            return None

    async def duplicate(self, seconds: float) -> bool:
        """Say whether the lock tells of a duplicate within that time."""
        try:
            async with asyncio.timeout(seconds):
                while not isinstance(await self._signs.get(), DuplicateRefused):
                    pass
        except TimeoutError:
            return False
        return True

    def _concerns(self, signal: Signal) -> bool:
        match signal:
            case DuplicateRefused():
                return not isinstance(self._wanted, Empty)
            case SlotReported(slot=slot, reading=reading):
                return slot == self._slot and shows(reading, self._wanted)
            case CodeAdded(slot=slot) | CodeDeleted(slot=slot):
                return isinstance(signal, self._announcement) and slot in {self._slot, None}
        return False


def shows(reading: Reading, wanted: Reading) -> bool:
    """Say whether a reading is what a slot with the wanted content would show, digits hidden or not."""
    if isinstance(reading, Unreadable) and isinstance(wanted, Known):
        return reading.enabled in {None, wanted.credential.enabled}
    return reading == wanted
