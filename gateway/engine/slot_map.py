"""What is in each slot of a lock, and how far its first inventory has come. Pure."""

from datetime import datetime
from typing import Literal

from gateway.domain.credential import Empty
from gateway.domain.lock import Readback
from gateway.domain.placement import Slot, Snapshot
from gateway.domain.timing import Timing
from gateway.engine import wire
from gateway.engine.audit import budget_takes
from gateway.engine.mutations import instant
from gateway.engine.slots import beyond

LONG_INVENTORY = 50
"""Slots from which on a first inventory takes minutes, so that its progress is told as events."""
_TENTHS = 10


def slot_map(snap: Snapshot) -> list[wire.SlotView]:
    """Return every slot, lowest first; of a lock that chooses slots itself those that it named.

    Slots of ours that the lock is no longer said to have are there too, as not usable.
    """
    can = snap.device.capabilities
    usable = set(snap.device.managed_slots)
    owners = {p.slot: p.access_code_id for p in snap.placements.values() if p.slot is not None}
    found: list[wire.SlotView] = []
    there = (*can.slots, *sorted(beyond(snap, can), key=_numeric)) if can is not None else ()
    for ref in there or sorted(snap.slots, key=_numeric):
        state = snap.slots.get(ref) or Slot(slot=ref)
        found.append(
            wire.SlotView(
                slot=ref,
                state="managed" if ref in owners else _state(state),
                access_code_id=owners.get(ref) or state.unmanaged_id,
                is_usable=ref in usable or can is None or can.lock_chooses_slot,
                read_at=instant(state.read_at),
            )
        )
    return found


def _state(state: Slot) -> Literal["unmanaged", "free", "unread"]:
    if state.reading is None:
        return "unread"
    return "free" if isinstance(state.reading, Empty) else "unmanaged"


def _numeric(ref: str) -> tuple[int, str]:
    return len(ref), ref


def inventory(snap: Snapshot, now: datetime, timing: Timing) -> wire.Inventory | None:
    """Return how far the first reading of all slots has come; None when it is over or nothing is to be read.

    The time left goes by the pace so far, so it is not known before the first slot. The budget of reads
    makes it longer: an hour's worth is read at once, the rest as the budget comes back.
    """
    can, began = snap.device.capabilities, snap.device.audit_round
    if can is None or can.readback is Readback.NONE or began is None or can.lock_chooses_slot:
        return None
    read = [state for ref in can.slots if (state := snap.slots.get(ref)) and state.reading is not None]
    if len(read) == len(can.slots):
        return None
    lately = sum(1 for state in read if state.read_at is not None and state.read_at >= began)
    rest = len(can.slots) - len(read)
    allowed = budget_takes(rest, snap.device.read_budget, now, timing)
    left = max((now - began) / lately * rest, allowed) if lately else None
    return wire.Inventory(
        slots_read=len(read),
        slots=len(can.slots),
        seconds_left=None if left is None else max(round(left.total_seconds()), 0),
    )


def is_worth_telling(before: wire.Inventory | None, now: wire.Inventory | None) -> bool:
    """Say whether a long inventory has come another tenth further, or to its end."""
    whole = before or now
    if whole is None or whole.slots < LONG_INVENTORY:
        return False
    if now is None or before is None:
        return before is not None
    return _tenth(before) != _tenth(now)


def _tenth(progress: wire.Inventory) -> int:
    return progress.slots_read * _TENTHS // progress.slots
