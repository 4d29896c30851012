"""Judges a world after its calm: convergence, completeness, secrecy."""

from typing import TYPE_CHECKING

import msgspec

from gateway.domain.code import AccessCode
from gateway.domain.credential import Credential, Schedule
from gateway.domain.issues import Issue
from gateway.domain.placement import Placement, Snapshot
from gateway.domain.timing import Timing
from gateway.engine.desire import desired
from gateway.engine.views import retained_states
from storage.sqlite import run_unit
from tests.simulation.doors import Door

if TYPE_CHECKING:
    from tests.simulation.rules import Watch
    from tests.simulation.world import World

EXCUSES = {
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
    watch.news.all_told()
    watch.no_pin(world.connection.serialize().decode("latin-1"), "the database")


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
    excused = {issue.access_code_id for issue in issues if issue.code in EXCUSES}
    for code in snap.codes.values():
        want = desired(code, snap, t, world.timing)
        # The PIN of a code that has ended may be another's by now.
        others = {p.slot for p in snap.placements.values() if p.access_code_id != code.access_code_id}
        slots = [s for s, taken in door.lock.slots.items() if taken.pin == code.pin and s not in others]
        ours = [slot for slot in slots if door.origin.get(slot) == "hub" and slot not in door.lies]
        if want is None:
            given_up = (door.device_id, code.pin.reveal()) in world.people.wishes.given_up
            if ours and not given_up and not door.cannot_know:
                watch.broken(12, f"{door.device_id}: an unwanted code is still in slot {ours[0]}")
        elif code.access_code_id not in excused and not door.cannot_know:
            _present(watch, door, want, snap.placement(code.access_code_id), slots)
    _no_leftovers(world, watch, door, snap)
    full = {issue.access_code_id for issue in issues if issue.code == "no_space_for_access_code_on_device"}
    homeless = [code for code in snap.codes.values() if code.access_code_id in full]
    _guests_first(world, watch, door, homeless, snap)
    can = door.lock.model.capabilities
    # Of codes that are not due it is said of the time when they come.
    due = [code for code in homeless if desired(code, snap, t, world.timing) is not None]
    if due and can.lock_chooses_slot and len(door.lock.slots) < can.max_codes:
        watch.broken(12, f"{door.device_id}: a lock with room is said to be full")


def judge_backups(world: "World", watch: "Watch") -> None:
    """Judge in the calm that guests go before backups, on locks where nothing is under way."""
    for door in world.doors.values():
        snap, issues = _facts(world, door)
        full = {i.access_code_id for i in issues if i.code == "no_space_for_access_code_on_device"}
        if snap is not None:
            homeless = [code for code in snap.codes.values() if code.access_code_id in full]
            _guests_first(world, watch, door, homeless, snap)


def _facts(world: "World", door: Door) -> tuple[Snapshot | None, list[Issue]]:
    snap = run_unit(world.connection, world.vault, lambda tx: tx.snapshot(door.device_id))
    return snap, list(run_unit(world.connection, world.vault, lambda tx: tx.issues(door.device_id)))


def _guests_first(
    world: "World", watch: "Watch", door: Door, homeless: list[AccessCode], snap: Snapshot
) -> None:
    """No backup that waits keeps a guest's code from the lock."""
    # What proves nothing is cleared twice, half a minute apart.
    if world.hub is None or not watch.was_idle(door, world.now(), seconds=45):
        return
    t = world.hub.guard.view()
    held = [c for c in snap.codes.values() if c.backup == "waiting" and snap.may_hold(c.access_code_id)]
    for code in homeless:
        if held and code.backup != "waiting" and desired(code, snap, t, Timing()) is not None:
            watch.broken(12, f"{door.device_id}: a backup that waits keeps a guest's code from its slot")


def _present(watch: "Watch", door: Door, want: Credential, placement: Placement, slots: list[str]) -> None:
    if not slots:
        watch.broken(12, f"{door.device_id}: a wanted code is missing ({placement.access_code_id})")
    elif len(slots) > 1:
        watch.broken(12, f"{door.device_id}: a code stands in {len(slots)} slots")
    else:
        held = door.lock.slots[slots[0]]
        if held.enabled is not want.enabled:
            what = "enabled before its time" if held.enabled else "disabled"
            watch.broken(12, f"{door.device_id}: the code in slot {slots[0]} is {what}")
        confirmed = placement.confirmed
        if confirmed is not None and (held.schedule or Schedule()) != (
            confirmed.credential.schedule or Schedule()
        ):
            mine, theirs = held.schedule or Schedule(), confirmed.credential.schedule or Schedule()
            if not mine.equals_within(theirs, door.lock.model.capabilities.schedule_granularity):
                watch.broken(12, f"{door.device_id}: the schedule in slot {slots[0]} is another one")


def _no_leftovers(world: "World", watch: "Watch", door: Door, snap: Snapshot) -> None:
    """Nothing that the hub wrote may stay without a code that owns it."""
    owned = {p.slot for p in snap.placements.values() if p.confirmed is not None}
    for slot, taken in door.lock.slots.items():
        if (door.device_id, taken.pin.reveal()) in world.people.wishes.given_up:
            continue
        ours = door.origin.get(slot) == "hub" and slot not in door.lies
        if ours and slot not in owned and not door.cannot_know:
            watch.broken(12, f"{door.device_id}: slot {slot} holds a code of the hub that nobody owns")


def _promises(world: "World", watch: "Watch") -> None:
    """Every code that a client was told of exists, with what it was told."""
    codes = {
        code.access_code_id: code for code in run_unit(world.connection, world.vault, lambda tx: tx.codes())
    }
    if world.people.wishes.tried & set(codes):
        watch.broken(7, "a rehearsed command made a code")
    # What somebody may change at the lock moves the backup along.
    moved_along = {wanted.backup_id for wanted in world.people.wanted.values() if wanted.allowed}
    for wanted in world.people.wanted.values():
        code = codes.get(wanted.access_code_id)
        if wanted.released:
            if code is not None:
                watch.broken(7, "a code that was given out of the hub's hands is still there")
        elif wanted.deleted:
            if code is not None and code.deleted_at is None:
                watch.broken(7, "a deleted code lives")
        elif wanted.leaving:
            continue
        elif code is None:
            watch.broken(7, "a code that was acknowledged is lost")
        elif (
            not code.is_external_modification_allowed
            and not wanted.unsure
            and wanted.access_code_id not in moved_along
            and (
                (code.pin.reveal(), code.starts_at, code.ends_at, code.recurrence)
                != (wanted.pin, *wanted.times)
            )
        ):
            watch.broken(7, "a code is not as it was acknowledged")
