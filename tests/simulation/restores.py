"""Restores of backups: the hub forgets what it did since, and everybody else does not."""

import asyncio
import contextlib
import random
import sqlite3
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from msgspec.structs import replace as changed

from gateway.domain.placement import Snapshot
from gateway.domain.store import Tx
from storage.event_numbers import SEQ_LEAP, count_on
from storage.sqlite import run_unit
from tests.simulation.doors import Door
from tests.simulation.wanted import Wanted

if TYPE_CHECKING:
    from tests.simulation.world import World

LATE_EFFECTS_S = 30
"""An operation of the life before takes effect within this."""


class Restores:
    """Takes a backup now and then, and brings it back hours later."""

    def __init__(self, world: "World") -> None:
        """Restore in `world`, by dice of its own."""
        self._world = world
        self._rng = random.Random(f"restore {world.seed}")
        self._copy: sqlite3.Connection | None = None
        self._wanted: dict[str, Wanted] = {}
        self._identities: dict[str, object] = {}
        self.held = False
        """Restored and not confirmed: nothing may be written."""
        self.count = 0
        self.own: dict[str, set[str]] = {}
        """Slots that the restored backup knows as the hub's: one look since then is enough to use them."""
        self._due = False
        self._before: dict[str, Wanted] = {}
        """What clients knew when the backup came back."""
        self._done = asyncio.Event()
        self._hurry = asyncio.Event()
        self._confirming: asyncio.Task[None] | None = None

    async def act(self) -> None:
        """Perhaps take a backup, or restore the one there is. Clients ask for nothing meanwhile."""
        world = self._world
        if not world.has("restore") or self.held or not self._is_clear():
            return
        chance = self._rng.random()
        if self._copy is None and chance < 0.05 and not any(map(self.is_doubted, world.doors.values())):
            self._back_up()
        elif self._copy is not None and chance < 0.05 and world.hub is not None:
            if self._identities != {d.device_id: d.identity for d in world.doors.values()}:
                self._copy = None  # an older backup than the lock: another one is taken
                return
            self._due = True
            self._done.clear()
            world.hub.process.die()
            await self._done.wait()
            await self._mend()

    def _is_clear(self) -> bool:
        world = self._world
        return world.clock.synced and not any(
            d.replaced_at is not None or d.maybe_given_away or d.given_away_at is not None
            for d in world.doors.values()
        )

    def _back_up(self) -> None:
        world = self._world
        self._copy = sqlite3.connect(":memory:", isolation_level=None)
        world.connection.backup(self._copy)
        self._wanted = {
            code_id: replace(w, former=set(w.former)) for code_id, w in world.people.wanted.items()
        }
        self._identities = {d.device_id: d.identity for d in world.doors.values()}
        world.note("a backup is made")

    async def swap(self) -> None:
        """Put the backup in place, if it is to be, while no hub runs."""
        if not self._due or self._copy is None:
            return
        await asyncio.sleep(LATE_EFFECTS_S)
        world = self._world
        [highest] = world.connection.execute(
            "SELECT max(seq) FROM sqlite_sequence WHERE name = 'event'"
        ).fetchone()
        above = int(world.clock.now().timestamp() * 1000)
        if self._rng.random() < 0.5 or not world.clock.synced:  # else a new card: nobody knows what was told
            above = max(above, (highest or 0) + SEQ_LEAP)
        self._copy.backup(world.connection)
        self._copy.close()
        self._copy = None

        def hold(tx: Tx) -> None:
            for device_id in tx.device_ids():
                device = tx.device(device_id)
                if device is not None:
                    tx.save_device(changed(device, held_for_restore=True))
            count_on(world.connection, above)

        run_unit(world.connection, world.vault, hold)
        self._due, self.held = False, True
        self.count += 1
        world.fate.counts["backup restored"] += 1
        world.note("a backup is restored")
        self._before = self._go_back()
        for door in world.doors.values():
            self._forget(door)
        world.rules.restored(above)
        self._confirming = asyncio.ensure_future(self._confirm())
        self._done.set()

    def _go_back(self) -> dict[str, Wanted]:
        """Let clients know what the backup knows; return what they knew."""
        people = self._world.people
        before = {code_id: replace(w, former=set(w.former)) for code_id, w in people.wanted.items()}
        for code_id, wanted in list(people.wanted.items()):
            then = self._wanted.get(code_id)
            if then is None:
                wanted.released = True  # for whoever watches it still
                del people.wanted[code_id]
                continue
            used = wanted.used
            for field in fields(Wanted):
                if field.name != "watches":
                    setattr(wanted, field.name, getattr(then, field.name))
            wanted.used = used or then.used
            wanted.changed_at = self._world.now()
            self._world.rules.ends.expect(wanted)
        return before

    def _forget(self, door: Door) -> None:
        """Note whose the codes on a lock are now: what the backup knows nothing of is nobody's."""
        snap = self.snapshot(door)
        door.seen = {slot: [] for slot in {**door.seen, **door.held, **door.own}}
        door.last_seen.clear()
        door.held.clear()
        door.asked_for.clear()
        door.just_cleared.clear()
        door.named.clear()
        door.reported.clear()
        if snap is None:
            return
        self.own[door.device_id] = {p.slot for p in snap.placements.values() if p.slot is not None}
        for slot, taken in door.lock.slots.items():
            whose = self._whose(snap, door, slot)
            if whose == "nobody":
                door.origin[slot] = "person"
                door.own.pop(slot, None)
            elif whose == "perhaps":
                door.origin[slot] = "edited"
            if whose != "nobody":
                door.asked_for[slot] = taken.pin

    def _whose(self, snap: Snapshot, door: Door, slot: str) -> str:
        pin = door.lock.slots[slot].pin
        alike = [code for code in snap.codes.values() if code.pin == pin]
        held = [p for p in snap.placements.values() if p.confirmed and p.confirmed.credential.pin == pin]
        intended = [i for i in snap.intents if i.target is not None and i.target.pin == pin]
        former = [s for s in snap.slots.values() if s.former is not None or s.ghost or s.doomed_at]
        if not (alike or held or intended or any(s.slot == slot for s in former)):
            return "nobody"
        known = snap.slots.get(slot)
        theirs = known is not None and known.unmanaged_id is not None
        twice = sum(1 for other in door.lock.slots.values() if other.pin == pin) > 1
        sure = len(alike) == 1 and not theirs and not twice and door.origin.get(slot) == "hub"
        if sure:
            code = alike[0]
            wanted = self._world.people.wanted.get(code.access_code_id)
            over = code.ends_at is not None and code.ends_at <= self._world.now()
            if wanted is not None and wanted.is_settled and not over and code.deleted_at is None:
                return "hub"
        return "perhaps"

    async def _mend(self) -> None:
        """Delete again, as an owner is told to, most of what was deleted since the backup."""
        people = self._world.people
        for code_id, was in self._before.items():
            wanted = people.wanted.get(code_id)
            if wanted is not None and was.deleted and not wanted.deleted and self._rng.random() < 0.7:
                await people.delete(wanted)

    async def _confirm(self) -> None:
        world = self._world
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), self._rng.uniform(120, 10_000))
        self.held = False
        reply = None
        while reply is None or reply["status"] != "ok":
            reply = await world.people.ask("restore/confirm", {})
        for door in world.doors.values():
            world.rules.trouble(door)
        world.rules.trouble(None)
        world.note("the restore is confirmed")

    def hurry(self) -> None:
        """Confirm at once: the calm begins."""
        self._hurry.set()

    def pin_changed(self, door: Door, pin: str) -> None:
        """Release what has a PIN that a code lost before the looks: by the new one it is not found."""
        if not self.is_doubted(door):
            return
        for slot, taken in door.lock.slots.items():
            if taken.pin.reveal() == pin and door.origin.get(slot) == "hub":
                door.origin[slot] = "edited"

    def snapshot(self, door: Door) -> Snapshot | None:
        """Return what the hub knows of a lock."""
        world = self._world
        return run_unit(world.connection, world.vault, lambda tx: tx.snapshot(door.device_id))

    def is_doubted(self, door: Door) -> bool:
        """Say whether the hub may not know yet what came onto a lock since the backup."""
        if self.count == 0:
            return False
        snap = self.snapshot(door)
        return snap is None or snap.device.held_for_restore or snap.device.restored_from is not None
