"""What a driver's test bed gives to the driver contract."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice, permutations
from typing import Protocol

import pytest

from gateway.domain.credential import Credential, SlotRef
from gateway.domain.driver import Driver
from gateway.domain.lock import Capabilities, PinRules, Readback
from gateway.domain.pin import Pin


class AtTheLock(Protocol):
    """Somebody who stands at the door: edits without the hub, and sees what is really in the lock."""

    async def set_code(self, slot: SlotRef | None, pin: Pin) -> SlotRef:
        """Store a PIN by hand; return the slot. `slot` is None on locks that choose."""
        ...

    async def delete(self, slot: SlotRef) -> None:
        """Delete a code by hand."""
        ...

    async def codes(self) -> Mapping[SlotRef, Pin]:
        """Return what is really in the taken slots."""
        ...


@dataclass(frozen=True, kw_only=True)
class Bench:
    """An empty lock, its running driver, and a person at the lock."""

    driver: Driver
    device_id: str
    capabilities: Capabilities
    at_the_lock: AtTheLock
    shows_digits: bool = True
    refuses_duplicates: bool = True

    def pins(self, count: int) -> list[Pin]:
        """Return different PINs that the lock takes: the shortest ones, without repeated digits."""
        return _pins(self.capabilities.pin_rules, count)

    def place(self, number: int) -> SlotRef | None:
        """Return the slot to write to: counted from the high end, None where the lock chooses."""
        return self.capabilities.slots[-1 - number] if self.capabilities.slots else None

    def needs(self, able: object, what: str) -> None:
        """Leave the test out on locks that are not able."""
        if not able:
            pytest.skip(f"this kind of lock has no {what}")

    def needs_readings(self) -> None:
        """Leave the test out on locks whose answers prove nothing."""
        self.needs(self.capabilities.readback is not Readback.NONE, "readings")

    async def write(self, number: int, credential: Credential) -> SlotRef:
        """Write in a session of its own; return the slot."""
        async with self.driver.session(self.device_id) as session:
            return (await session.write(self.place(number), credential, replaces=None)).slot


def _pins(rules: PinRules, count: int) -> list[Pin]:
    digits = (
        "".join(chosen)
        for chosen in permutations(sorted(rules.alphabet, reverse=True), min(rules.lengths))
        # Runs like 9876 are what some keypads refuse.
        if abs(int(chosen[0]) - int(chosen[1])) > 1 and not "".join(chosen).startswith("12")
    )
    return [Pin(code) for code in islice(digits, count)]
