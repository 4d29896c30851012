"""A hub that starts with an older memory than its lock: a backup, and what came onto the lock since."""

import sqlite3
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from gateway.domain.credential import Credential
from gateway.domain.driver import AuthorityUp
from gateway.domain.pin import Pin
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON

ANNA, OTHER = "471134", "864213"
STARTS, ENDS = NOON + 5 * DAY, NOON + 8 * DAY
WAITS: dict[str, Any] = {"starts_at": instant(STARTS), "ends_at": instant(ENDS)}
"""So early that no lock has been told of it, whatever it keeps by itself."""


class House:
    """A bench and what its backup was."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.backup: sqlite3.Connection = bench.store.copy()

    async def restore(self) -> None:
        """Start the hub with what it knew then; no look was made yet."""
        bench = self.bench
        bench.store.put_back(self.backup)
        held = replace(bench.snap().device, held_for_restore=True)
        bench.store.do(lambda tx: tx.save_device(held))
        bench.clock.reboot(bench.clock.wall + MINUTE)
        bench.boot()
        await bench.engine.start()
        await bench.engine.handle(AuthorityUp(device_ids=(DOOR,)))
        await bench.tell(bench.seen())
        bench.events()
        bench.driver.operations.clear()

    async def confirm(self, span: timedelta = HOUR) -> None:
        """Let a person confirm it, and the hub work so long."""
        await self.bench.do("restore/confirm")
        await self.bench.settle(span)


type Save = Callable[[Bench], House]


def put(bench: Bench, slot: str, pin: str, **content: Any) -> str:  # noqa: ANN401 - fields of Credential
    """Have a PIN on the lock, as the hub of before had put it there or somebody did; return its slot."""
    if bench.lock.model.capabilities.lock_chooses_slot:
        return bench.lock.write(None, Credential(pin=Pin(pin), **content))
    return bench.lock.write(slot, Credential(pin=Pin(pin), **content))


def opens(bench: Bench, slot: str) -> bool:
    """Say whether a code is enabled on the lock."""
    return bench.lock.slots[slot].enabled


def unmanaged(bench: Bench) -> list[str]:
    """Return the slots that count as somebody else's."""
    return [slot.slot for slot in bench.snap().slots.values() if slot.unmanaged_id is not None]
