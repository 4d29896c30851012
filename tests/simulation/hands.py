"""People at the doors: they add, change, disable, delete and use codes, and now and then insist."""

import random
from functools import partial
from typing import TYPE_CHECKING

from gateway.domain.driver import CodeUsed, Refused
from gateway.domain.pin import Pin
from storage.sqlite import run_unit
from tests.simulation.doors import Door

if TYPE_CHECKING:
    from tests.simulation.wanted import Wanted
    from tests.simulation.world import World


class Hands:
    """Whoever stands at a keypad."""

    def __init__(self, world: "World") -> None:
        """Walk from door to door in `world`."""
        self._world = world
        self._rng = world.rng
        self._haste = random.Random(f"haste {world.seed}")

    def act(self, door: Door) -> None:
        """Do something at a door."""
        rng = self._rng
        self._world.touches.touch(door)
        slots = list(door.lock.slots)
        what = rng.choice(("add", "edit", "delete", "use", "use", "disable", "insist"))
        try:
            if what == "add":
                self._add(door)
            elif not slots:
                return
            elif what == "edit":
                self._edit(door, rng.choice(slots))
            elif what == "delete":
                self._delete(door, rng.choice(slots))
            elif what == "use":
                self._use(door, rng.choice(slots))
            elif what == "disable" and door.lock.model.capabilities.disabled_status:
                self._disable(door, rng.choice(slots))
            elif what == "insist" and self._world.has("contest"):
                self._insist(door, rng.choice(slots))
        except Refused:
            return

    def _add(self, door: Door) -> None:
        world = self._world
        slot = door.lock.set_code(None, Pin(world.people.pin(door)))
        world.note(f"a person adds slot {slot} of {door.device_id}")
        self._filled(door, slot)

    def _edit(self, door: Door, slot: str) -> None:
        world = self._world
        world.note(f"a person edits slot {slot} of {door.device_id}")
        door.lock.set_code(slot, Pin(world.people.pin(door)))
        self._filled(door, slot)

    def _filled(self, door: Door, slot: str) -> None:
        door.by_person(slot, self._world.now())
        self._world.rules.edited(door, slot)
        self._world.report_edit(door, slot)

    def _delete(self, door: Door, slot: str) -> None:
        world = self._world
        world.note(f"a person deletes slot {slot} of {door.device_id}")
        door.lock.delete(slot)
        door.deleted_since_wipe = True
        door.origin.pop(slot, None)
        world.rules.edited(door, slot)
        world.report_edit(door, slot)

    def _disable(self, door: Door, slot: str) -> None:
        world = self._world
        was = door.lock.slots[slot]
        world.note(f"a person disables slot {slot} of {door.device_id}")
        door.lock.set_code(slot, was.pin, enabled=False, schedule=was.schedule, name=was.name)
        world.rules.edited(door, slot)
        world.report_edit(door, slot)

    def _insist(self, door: Door, slot: str) -> None:
        """Change the same slot again and again, as a second controller does."""
        world, rng = self._world, self._rng
        world.fate.counts["contested slot"] += 1
        after = 0.0
        for _ in range(rng.randint(3, 7)):
            after += rng.uniform(600, 2.5 * 3600)
            delete = rng.random() < 0.3
            world.later(after, partial(self._again, door, slot, delete=delete))

    def _again(self, door: Door, slot: str, *, delete: bool) -> None:
        if self._world.fate.calm or (delete and slot not in door.lock.slots):
            return
        self._world.touches.touch(door)
        try:
            if delete:
                self._delete(door, slot)
            elif slot in door.lock.slots:
                self._edit(door, slot)
        except Refused:
            return

    def awaited(self, door: Door, slot: str) -> None:
        """Let the guest of a code that was just written come in, perhaps before the hub knows that it was."""
        if self._world.has("haste") and self._haste.random() < 0.4:
            self._world.later(self._haste.uniform(0.05, 20), partial(self._come, door, slot))

    def _come(self, door: Door, slot: str) -> None:
        if slot in door.lock.slots and not self._world.fate.calm:
            self._world.touches.touch(door)
            self._use(door, slot)

    def _use(self, door: Door, slot: str) -> None:
        world = self._world
        pin = door.lock.slots[slot].pin
        opened = door.lock.open_door(pin, world.now() + door.clock_off)
        if opened is None or not door.lock.model.capabilities.reports_use or door.dead:
            return
        world.tell(CodeUsed(device_id=door.device_id, slot=opened))
        if door.origin.get(opened) == "edited":
            self._used_by_mistake(door, opened)
        if door.origin.get(opened) != "hub":
            return
        used = (door.device_id, pin.reveal())
        if not any((wanted.device_id, wanted.pin) == used for wanted in world.people.wanted.values()):
            world.people.used_early.add(used)
        for wanted in world.people.wanted.values():
            if (wanted.device_id, wanted.pin) == used and wanted.one_time:
                world.note(f"the code for one use in slot {opened} of {door.device_id} is used")
                world.fate.counts["one-time code used"] += 1
                world.rules.ends.used(door, wanted, opened)
                self._count(wanted)

    def _used_by_mistake(self, door: Door, opened: str) -> None:
        """Count the use of a changed PIN: unless it saw the change, the hub takes it for that of its code."""
        world = self._world
        snap = run_unit(world.connection, world.vault, lambda tx: tx.snapshot(door.device_id))
        owner = snap.owner(opened) if snap is not None else None
        wanted = world.people.wanted.get(owner.access_code_id) if owner is not None else None
        if wanted is not None and wanted.one_time:
            self._count(wanted)

    def _count(self, used: "Wanted") -> None:
        used.used = True
        for other in self._world.people.wanted.values():
            # A code for one use and its backup have that use together.
            if used.access_code_id == other.backup_id or other.access_code_id == used.backup_id:
                other.used = True
