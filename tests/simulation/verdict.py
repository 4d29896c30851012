"""Judges a world after its calm: convergence, completeness, secrecy."""

from typing import TYPE_CHECKING

import msgspec

from gateway.domain.code import AccessCode
from gateway.domain.credential import Schedule
from gateway.domain.lock import Readback
from gateway.domain.placement import Snapshot
from gateway.engine.desire import desired
from gateway.engine.views import retained_states
from storage.sqlite import run_unit
from tests.simulation.doors import Door

if TYPE_CHECKING:
    from tests.simulation.rules import Watch
    from tests.simulation.world import World

_EXCUSES = {
    "no_space_for_access_code_on_device",
    "duplicate_code_on_device",
    "code_constraints_violated",
    "external_modification_in_effect",
}


def judge(world: "World", watch: "Watch") -> None:
    """Judge the whole world."""
    for door in world.doors.values():
        _door(world, watch, door)
    _promises(world, watch)
    waiting = run_unit(world.connection, world.vault, lambda tx: tx.undelivered(1))
    if waiting:
        watch.broken(8, "events were never delivered")


def _door(world: "World", watch: "Watch", door: Door) -> None:
    snap = run_unit(world.connection, world.vault, lambda tx: tx.snapshot(door.device_id))
    hub = world.hub
    if snap is None or hub is None:
        watch.broken(12, "the hub is not running at the end")
        return
    if snap.device.held_after_wipe or door.replaced_at is not None:
        return
    t = hub.guard.view()
    issues = run_unit(world.connection, world.vault, lambda tx: tx.issues(door.device_id))
    states = run_unit(
        world.connection,
        world.vault,
        lambda tx: retained_states(tx, door.device_id, t, world.timing, publish_names=True),
    )
    watch.no_pin(msgspec.json.encode([states, issues]).decode(), "retained topics")
    excused = {issue.access_code_id for issue in issues if issue.code in _EXCUSES}
    for code in snap.codes.values():
        want = desired(code, snap, t, world.timing)
        # The PIN of a code that has ended may be another's by now.
        others = {p.slot for p in snap.placements.values() if p.access_code_id != code.access_code_id}
        slots = [s for s, taken in door.lock.slots.items() if taken.pin == code.pin and s not in others]
        ours = [slot for slot in slots if door.origin.get(slot) == "hub" and slot not in door.lies]
        if want is None:
            if ours and not _cannot_know(door):
                watch.broken(12, f"{door.device_id}: an unwanted code is still in slot {ours[0]}")
        elif code.access_code_id not in excused and not _cannot_know(door):
            _present(watch, door, code, snap, slots)
    _no_leftovers(watch, door, snap)


def _present(watch: "Watch", door: Door, code: AccessCode, snap: Snapshot, slots: list[str]) -> None:
    if not slots:
        watch.broken(12, f"{door.device_id}: a wanted code is missing ({code.access_code_id})")
    elif len(slots) > 1:
        watch.broken(12, f"{door.device_id}: a code stands in {len(slots)} slots")
    else:
        held = door.lock.slots[slots[0]]
        if not held.enabled:
            watch.broken(12, f"{door.device_id}: the code in slot {slots[0]} is disabled")
        confirmed = snap.placement(code.access_code_id).confirmed
        if confirmed is not None and (held.schedule or Schedule()) != (
            confirmed.credential.schedule or Schedule()
        ):
            mine, theirs = held.schedule or Schedule(), confirmed.credential.schedule or Schedule()
            if not mine.equals_within(theirs, door.lock.model.capabilities.schedule_granularity):
                watch.broken(12, f"{door.device_id}: the schedule in slot {slots[0]} is another one")


def _no_leftovers(watch: "Watch", door: Door, snap: Snapshot) -> None:
    """Nothing that the hub wrote may stay without a code that owns it."""
    owned = {p.slot for p in snap.placements.values() if p.confirmed is not None}
    for slot in door.lock.slots:
        ours = door.origin.get(slot) == "hub" and slot not in door.lies
        if ours and slot not in owned and not _cannot_know(door):
            watch.broken(12, f"{door.device_id}: slot {slot} holds a code of the hub that nobody owns")


def _cannot_know(door: Door) -> bool:
    """Say whether nobody could expect the hub to know: a lock that shows nothing and was changed by hand."""
    hidden = door.lock.model.masks_digits or door.lock.model.capabilities.readback is Readback.NONE
    return hidden and (door.disturbed or bool(door.lies))


def _promises(world: "World", watch: "Watch") -> None:
    """Every code that a client was told of exists, with what it was told."""
    codes = {
        code.access_code_id: code for code in run_unit(world.connection, world.vault, lambda tx: tx.codes())
    }
    for wanted in world.people.wanted.values():
        code = codes.get(wanted.access_code_id)
        if wanted.deleted:
            if code is not None and code.deleted_at is None:
                watch.broken(7, "a deleted code lives")
        elif wanted.leaving:
            continue
        elif code is None:
            watch.broken(7, "a code that was acknowledged is lost")
        elif (
            not code.is_external_modification_allowed
            and not wanted.unsure
            and (
                (code.pin.reveal(), code.starts_at, code.ends_at)
                != (wanted.pin, wanted.starts_at, wanted.ends_at)
            )
        ):
            watch.broken(7, "a code is not as it was acknowledged")
