"""Names for the codes of a lock that knows them by their digits only.

The engine wants a slot: a name that carries no PIN and stays the same when the PIN changes. A TTLock has
none. A keyed digest of the digits would not do: a change of PIN that the firmware cannot make in place is a
new code with new digits, and the same digits may come back years later as somebody else's code. So names are
drawn at random when a code is first seen or stored, and which code goes by which name is kept with the keys
of the lock, sealed by the vault. It is saved before a code is sent, so that a restart finds what went out.

The lock lists each code with the digits that open and those it was created with. A change, in the vendor's
app too, leaves the latter: that is how a code is known again.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from drivers.ble.ttlock.passcodes import Entry
from drivers.ble.ttlock.secret import Held
from gateway.domain.timing import CLOCK_TOLERANCE

MOST_GONE = 64
"""Codes that the lock does not list any more and whose names are kept, the newest ones."""
_BEFORE_ITS_TIME = CLOCK_TOLERANCE + timedelta(hours=1)
"""How much earlier than it was stored a code may be used by the lock's clock, which knows no summer time."""
_NO_MATCH = (False, False, False)


class SlotBook:
    """Which code goes by which name, and what the lock listed of each the last time."""

    def __init__(self, held: Iterable[Held], draw: Callable[[], str]) -> None:
        """Begin with what was kept; `draw` makes a new name."""
        self._held = {one.slot: one for one in held}
        self._draw = draw
        self.listed: Mapping[str, Entry] = {}
        """The code of each name. Of a change in two steps that is not done, the old one while it is there."""
        self.seconds: Mapping[str, Entry] = {}
        """The new one of such a change, while the old one is there too."""

    def kept(self) -> tuple[Held, ...]:
        """Return what must be kept."""
        return tuple(self._held.values())

    def known(self, slot: str) -> bool:
        """Say whether the name is that of a code, be it that somebody else deleted it."""
        return slot in self._held and bool(self._held[slot].original)

    def take(self, entries: Iterable[Entry]) -> None:
        """Find the name of each code that the lock lists; what has none gets one."""
        left = list(entries)
        listed: dict[str, Entry] = {}
        for fits in (_same, _same_origin, _same_digits):
            for held in self._held.values():
                if held.slot not in listed and (not held.gone or fits is _same):
                    _claim(left, listed, held.slot, lambda entry, held=held, fits=fits: fits(held, entry))  # type: ignore[misc]
        self.seconds = self._take_seconds(left, listed)
        for entry in left:
            listed[self._draw()] = entry
        self.listed = listed
        self._remember(listed)

    def expect(self, digits: str, at: datetime | None) -> str:
        """Name a code that is about to be stored, and was not there."""
        self._free(digits)
        slot = self._draw()
        self._held[slot] = Held(slot=slot, original=digits, current=digits, since=at)
        return slot

    def expect_again(self, slot: str, digits: str, at: datetime | None) -> None:
        """Note that a code is about to be stored under a name that has lost its own."""
        self._held[slot] = Held(slot=slot, original=digits, current=digits, since=at)

    def expect_second(self, slot: str, digits: str) -> None:
        """Note that another code is about to be stored, which is to take the place of this one."""
        self._free(digits)
        self._held[slot] = replace(self._held[slot], second=digits)

    def expect_no_second(self, slot: str) -> None:
        """Note that the other code was refused, or that it is gone."""
        self._held[slot] = replace(self._held[slot], second="")

    def drop(self, slot: str) -> None:
        """Forget a name: its code was never stored."""
        self._held.pop(slot, None)

    def miss(self, slot: str) -> None:
        """Note that nothing is stored under a name."""
        self._held[slot] = replace(self._held[slot], gone=True)

    def retire(self, slot: str) -> None:
        """Note that we deleted a code.

        Its name serves to understand older log records and is not given again: should the same digits come
        back, it is somebody else's doing.
        """
        if slot in self._held and slot not in self.listed:
            self._held[slot] = replace(self._held[slot], original="", gone=True, second="")

    def clash(self, digits: str, slot: str | None) -> bool:
        """Say whether the keypad cannot tell a code from another one that the lock lists."""
        return any(
            other != slot and are_alike(digits, entry.current)
            for entries in (self.listed, self.seconds)
            for other, entry in entries.items()
        )

    def of_record(self, original: str, typed: str, at: datetime | None) -> str | None:
        """Return the name of the code that a log record tells of; None where it had none.

        `at` is when it was, None where the lock's clock cannot be believed: better a use is told of
        the code that has its digits now than not at all.
        """
        best, slot = _NO_MATCH, None
        for one in self._held.values():
            if at is not None and one.since is not None and at < one.since - _BEFORE_ITS_TIME:
                continue  # these digits were somebody else's then
            opens = bool(typed) and typed in {one.current, one.second}
            match = (opens, bool(original) and one.original == original, not one.gone)
            if any(match[:2]) and match > best:
                best, slot = match, one.slot
        return slot

    def _free(self, digits: str) -> None:
        """Forget names of codes that are gone, so that they do not claim a new code with their digits."""
        self._held = {
            slot: one for slot, one in self._held.items() if not (one.gone and one.current == digits)
        }

    def _take_seconds(self, left: list[Entry], listed: dict[str, Entry]) -> Mapping[str, Entry]:
        seconds: dict[str, Entry] = {}
        for held in self._held.values():
            if held.second:
                # Without the old code the change is done as far as the lock is concerned.
                place = seconds if held.slot in listed else listed
                _claim(left, place, held.slot, lambda entry, digits=held.second: entry.current == digits)  # type: ignore[misc]
        return seconds

    def _remember(self, listed: Mapping[str, Entry]) -> None:
        present, gone = {}, {}
        for slot, entry in listed.items():
            before = self._held.get(slot)
            second = before.second if before is not None and slot in self.seconds else ""
            since = before.since if before is not None and before.current == entry.current else None
            present[slot] = Held(
                slot=slot, original=entry.original, current=entry.current, second=second, since=since
            )
        for slot, held in self._held.items():
            if slot not in listed:
                gone[slot] = replace(held, gone=True, second="")
        newest = list(gone.values())[-MOST_GONE:]
        self._held = {one.slot: one for one in newest} | present


def are_alike(digits: str, others: str) -> bool:
    """Say whether the keypad cannot tell two codes apart. No digits are like none.

    They are equal, or one begins with the other: then the keypad takes the shorter one, as was seen on a real
    lock, whichever was typed.
    """
    return bool(others) and (digits.startswith(others) or others.startswith(digits))


def _claim(left: list[Entry], found: dict[str, Entry], slot: str, fits: Callable[[Entry], bool]) -> None:
    entry = next((entry for entry in left if fits(entry)), None)
    if entry is not None:
        left.remove(entry)
        found[slot] = entry


def _same(held: Held, entry: Entry) -> bool:
    return (held.original, held.current) == (entry.original, entry.current)


def _same_origin(held: Held, entry: Entry) -> bool:
    return held.original == entry.original


def _same_digits(held: Held, entry: Entry) -> bool:
    """Recognise a code that was deleted and stored again with the same digits."""
    return held.current == entry.current
