"""Looking at a lock: single slots that are due, the first inventory, and the audit. Pure."""

from datetime import datetime, timedelta

from gateway.domain.clock import TimeView
from gateway.domain.credential import SlotRef
from gateway.domain.lock import Capabilities, Device, Readback
from gateway.domain.placement import Slot, Snapshot
from gateway.domain.timing import Timing
from gateway.engine.plan import ClearSlot, Probe, ReadAll, ReadSlot, Step
from gateway.engine.slots import beyond
from gateway.engine.waiting import Wake, is_due

SLICE = 10
"""Slots of others that one audit reads on a lock without a probe; the next audit goes on behind them."""
_HOUR = timedelta(hours=1)


def look_steps(snap: Snapshot, t: TimeView, wake: Wake) -> list[Step]:
    """Return the looks at single slots that are due, and what is left of our own removed codes."""
    capabilities = snap.device.capabilities
    if capabilities is None or capabilities.readback is Readback.NONE:
        return []
    steps: list[Step] = []
    # What failed most comes last: where a lock refuses some looks, all of them are asked for less and less.
    for slot in sorted(_in_order(snap, capabilities), key=lambda slot: snap.slots[slot].failures):
        state = snap.slots[slot]
        if state.ghost and snap.owner(slot) is None:
            if is_due(state.retry_at, t.now):
                steps.append(ClearSlot(access_code_id=None, slot=slot, why="a PIN removed before came back"))
            else:
                wake.note(state.retry_at)
        elif state.check_at is not None:
            if is_due(state.check_at, t.now):
                why = f"slot {slot} is due for a look"
                steps.append(
                    ReadAll(why=why) if capabilities.lock_chooses_slot else ReadSlot(slot=slot, why=why)
                )
            else:
                wake.note(state.check_at)
    return steps + _wipe_looks(snap, capabilities)


def doomed_steps(snap: Snapshot, t: TimeView, wake: Wake) -> list[Step]:
    """Return what a command about somebody else's code asked for: a look at its slot, then its removal.

    The only steps that touch a slot of others (rule 1), oldest command first. The look makes sure that it is
    still that code.
    """
    capabilities = snap.device.capabilities
    steps: list[Step] = []
    doomed = ((state.doomed_at, slot) for slot, state in snap.slots.items() if state.doomed_at is not None)
    for doomed_at, slot in sorted(doomed):
        state = snap.slots[slot]
        if capabilities is None:
            continue
        if not is_due(state.retry_at, t.now):
            wake.note(state.retry_at)
            continue
        fresh = state.reading is not None and state.read_at is not None and state.read_at >= doomed_at
        blind = capabilities.readback is Readback.NONE
        if fresh or blind:
            steps.append(ClearSlot(access_code_id=None, slot=slot, why="a command asked to delete this code"))
        else:
            why = f"slot {slot} is looked at before somebody else's code is deleted"
            steps.append(ReadAll(why=why) if capabilities.lock_chooses_slot else ReadSlot(slot=slot, why=why))
    return steps


def _wipe_looks(snap: Snapshot, capabilities: Capabilities) -> list[Step]:
    """Return the look at the next managed slot while a wipe is suspected."""
    suspected = snap.device.wipe_suspected_at
    if suspected is None:
        return []
    why = "all codes seem to be gone"
    for _, placement in sorted(snap.placements.items()):
        state = snap.slots.get(placement.slot) if placement.slot is not None else None
        if placement.confirmed is not None and state is not None and _older(state, suspected):
            if capabilities.lock_chooses_slot:
                return [ReadAll(why=why)]
            return [ReadSlot(slot=state.slot, why=why)]
    return []


def audit_steps(snap: Snapshot, t: TimeView, timing: Timing, wake: Wake) -> list[Step]:
    """Return the next step of the audit under way or of the first inventory, within the budget (rule 10)."""
    device, capabilities = snap.device, snap.device.capabilities
    if capabilities is None or capabilities.readback is Readback.NONE:
        return []
    if device.audit_round is None:
        wake.note(device.audit_at)
        return []
    step = next_look(snap, capabilities, device.audit_round, t.now)
    if step is None:
        return []
    ready = budget_ready(device.read_budget, t.now, timing)
    if ready is not None:
        wake.note(ready)
        return []
    return [step]


def next_look(snap: Snapshot, capabilities: Capabilities, started: datetime, now: datetime) -> Step | None:
    """Return the next look of an audit that began at `started`; None when it is complete.

    Slots that did not answer are left to the next audit; on a write-only lock there is nothing to look at.
    """
    device = snap.device
    if capabilities.readback is Readback.NONE:
        return None
    if capabilities.lock_chooses_slot:
        done = device.probed_at is not None and device.probed_at >= started
        return None if done else ReadAll(why="audit", audit=True)
    opened = _opened(snap.device, started)
    # What was read before the first checksum may have changed before it too.
    since = opened or started
    pending = [
        slot
        for slot in (*capabilities.slots, *beyond(snap, capabilities))
        if _older(snap.slots.get(slot), since) and _answers(snap.slots.get(slot), now)
    ]
    unknown = [slot for slot in pending if _unread(snap.slots.get(slot))]
    probed = device.probed_at is not None and device.probed_at >= started
    if capabilities.probe and device.probe is not None and not unknown:
        if not probed:
            return Probe(why="audit: has anything changed at all?")
        return None
    if capabilities.probe and opened is None and not probed:
        return Probe(why="audit: the checksum before the slots are read")
    owned = [slot for slot in pending if snap.owner(slot) is not None]
    rest = [slot for slot in pending if slot not in owned and slot not in unknown]
    if not capabilities.probe:
        read = sum(
            1
            for slot in capabilities.slots
            if not _older(snap.slots.get(slot), started) and snap.owner(slot) is None
        )
        rest = sorted(rest, key=lambda slot: _read_at(snap.slots[slot], started))[: max(SLICE - read, 0)]
    ahead = owned + unknown + rest
    if ahead:
        return ReadSlot(slot=ahead[0], why="audit", audit=True)
    if device.probe_open is not None and not probed:
        return Probe(why="audit: is the checksum still the one from before?")
    return None


def _opened(device: Device, started: datetime) -> datetime | None:
    """Return when the first checksum of the audit under way was taken."""
    at = device.probe_opened_at
    return at if at is not None and at >= started else None


def all_read(snap: Snapshot, since: datetime) -> bool:
    """Say whether every slot was read since then: one that does not answer may hold anything."""
    capabilities = snap.device.capabilities
    return capabilities is not None and not any(
        _older(snap.slots.get(slot), since) for slot in (*capabilities.slots, *beyond(snap, capabilities))
    )


def budget_ready(spent_until: datetime | None, now: datetime, timing: Timing) -> datetime | None:
    """Return when the budget allows the next read; None: now. An hour's worth may be read in one go."""
    if spent_until is None or spent_until - now <= _HOUR - spend(timing) or spent_until - now > 2 * _HOUR:
        return None
    return spent_until - _HOUR + spend(timing)


def budget_takes(reads: int, before: datetime | None, now: datetime, timing: Timing) -> timedelta:
    """Return how long the budget makes so many reads take at least."""
    return max(spent_until(before, now, timing, reads=reads) - _HOUR - now, timedelta(0))


def spend(timing: Timing) -> timedelta:
    """Return how much of the budget one read takes."""
    return _HOUR / timing.reads_per_hour


def spent_until(before: datetime | None, now: datetime, timing: Timing, *, reads: int = 1) -> datetime:
    """Return the budget after so many more reads."""
    base = now if before is None or before < now or before - now > 2 * _HOUR else before
    return base + reads * spend(timing)


def _in_order(snap: Snapshot, capabilities: Capabilities) -> list[SlotRef]:
    if not capabilities.slots:
        return sorted(snap.slots)
    left = {slot for slot, state in snap.slots.items() if state.former is not None}
    ours = (left | set(beyond(snap, capabilities))).difference(capabilities.slots)
    # Others beyond, such as that of a Yale's master code, the lock tells of, and no driver reads them.
    return [slot for slot in (*capabilities.slots, *sorted(ours)) if slot in snap.slots]


def _answers(slot: Slot | None, now: datetime) -> bool:
    return slot is None or is_due(slot.retry_at, now)


def _unread(slot: Slot | None) -> bool:
    return slot is None or (slot.reading is None and slot.own_write_at is None)


def _older(slot: Slot | None, than: datetime) -> bool:
    return slot is None or slot.read_at is None or slot.read_at < than


def _read_at(slot: Slot, otherwise: datetime) -> datetime:
    return slot.read_at or otherwise - timedelta(days=365)
