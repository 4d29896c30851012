"""Which slot a new code gets, and how many are left. Pure."""

from datetime import datetime

from msgspec import Struct

from gateway.domain.credential import Empty, Known, SlotRef, Unreadable
from gateway.domain.lock import Capabilities, Readback
from gateway.domain.placement import Placement, Slot, Snapshot
from gateway.domain.timing import LOOKS_AFTER_RESTORE, RECENT_READING
from gateway.engine.waiting import age, is_due


class Choice(Struct, frozen=True):
    """A slot for a code. `fresh` False: it must be read before it may be used (rule 1)."""

    slot: SlotRef
    fresh: bool


class Full(Struct, frozen=True):
    """No slot is left: so many are ours, so many hold codes of others."""

    ours: int
    foreign: int


def taken(snap: Snapshot) -> frozenset[SlotRef]:
    """Return the slots that are ours or show a code. One that was never read is not among them."""
    shown = {slot for slot, state in snap.slots.items() if isinstance(state.reading, Known | Unreadable)}
    return owned(snap) | shown


def owned(snap: Snapshot) -> frozenset[SlotRef]:
    """Return the slots that hold a code of ours, or are kept for one."""
    return frozenset(p.slot for p in snap.placements.values() if p.slot is not None)


def beyond(snap: Snapshot, capabilities: Capabilities) -> list[SlotRef]:
    """Return the slots of ours that the lock is no longer said to have (`slots` of a Yale was lowered).

    What is there opens the door all the same, and shows that the slot exists: it is written in place.
    """
    return sorted(owned(snap).difference(capabilities.slots)) if capabilities.slots else []


def unread(snap: Snapshot) -> frozenset[SlotRef]:
    """Return the slots of which the hub cannot say what they hold, as after a removal until the next look."""
    return frozenset(slot for slot, state in snap.slots.items() if state.reading is None) - owned(snap)


def not_looked_at(snap: Snapshot, now: datetime) -> SlotRef | None:
    """Return a slot that answers and that nobody has looked at since a restore: any code may be in it."""
    if snap.device.restored_from is None or not is_due(snap.device.look_retry_at, now):
        return None
    slots = [snap.slots.get(slot) for slot in reversed(snap.device.managed_slots)]
    return next((s.slot for s in slots if s and s.doubted and s.reading is None and _answers(s, now)), None)


def may_yet_tell(state: Slot, snap: Snapshot, now: datetime) -> bool:
    """Say whether it is worth waiting for a look at a slot that is doubted.

    It is not where looks at this slot came to nothing so often, or the lock refuses all of them. One that has
    just become due again, because the lock is back, is looked at first.
    """
    in_vain = state.failures >= LOOKS_AFTER_RESTORE and not is_due(state.retry_at, now)
    return not in_vain and snap.device.looks_refused < LOOKS_AFTER_RESTORE


def is_listed(snap: Snapshot) -> bool:
    """Say whether the hub can say of every slot what it holds, on a lock that chooses its slots."""
    return snap.device.probed_at is not None and not unread(snap)


def choose(snap: Snapshot, placement: Placement, now: datetime) -> Choice | Full:
    """Choose the slot for a code on a lock where the hub chooses.

    The slot reserved before is taken again, while still granted, unless it does not answer: the code is not
    in it. Otherwise slots come from the high end, because people at keypads fill the low end, and those
    about to be looked at come last.
    """
    device = snap.device
    capabilities = device.capabilities
    blind = capabilities is not None and capabilities.readback is Readback.NONE
    if placement.slot is not None and placement.slot in device.managed_slots:
        reserved = snap.slots.get(placement.slot)
        if _answers(reserved, now):
            return Choice(placement.slot, blind or _fresh(reserved, now))
    owned = {p.slot for p in snap.placements.values() if p.slot is not None and p is not placement}
    free = [slot for slot in reversed(device.managed_slots) if slot not in owned]
    usable = [slot for slot in free if _may_be_free(snap.slots.get(slot), blind=blind)]
    if not usable:
        return Full(ours=len(owned), foreign=len(free) - len(usable))
    answering = [slot for slot in usable if _answers(snap.slots.get(slot), now)]
    settled = [slot for slot in answering or usable if _is_settled(snap.slots.get(slot))]
    slot = (settled or answering or usable)[0]
    return Choice(slot, blind or _fresh(snap.slots.get(slot), now))


def _may_be_free(slot: Slot | None, *, blind: bool) -> bool:
    if slot is None:
        return True
    # A lock whose readings prove nothing now may have shown a code of others before.
    return slot.unmanaged_id is None and (blind or slot.reading is None or isinstance(slot.reading, Empty))


def _answers(slot: Slot | None, now: datetime) -> bool:
    return slot is None or is_due(slot.retry_at, now)


def _is_settled(slot: Slot | None) -> bool:
    return slot is None or slot.former is None or slot.check_at is None


def _fresh(slot: Slot | None, now: datetime) -> bool:
    return (
        slot is not None
        and isinstance(slot.reading, Empty)
        and slot.read_at is not None
        and age(slot.read_at, now) <= RECENT_READING
    )
