"""What a lock tells the hub, unasked, after somebody did something at the door."""

from drivers.simulated.files import Entry
from drivers.simulated.lock import ADMIN, SimulatedLock
from drivers.simulated.settings import Reports
from gateway.domain.driver import (
    AccessDenied,
    AllCleared,
    CodeUsed,
    Denial,
    LockEvent,
    SlotReported,
    SlotTouched,
    Tampered,
)
from gateway.domain.lock import Readback


def told(device_id: str, lock: SimulatedLock, entry: Entry, reports: Reports) -> LockEvent | None:
    """Return what this lock says of a deed, None when it keeps silent.

    `lock` is the lock as it is now. `reports` decides about edits; uses and wrong codes are told by every
    lock that tells uses at all.
    """
    if entry.deed in {"used", "denied"}:
        return _at_the_door(device_id, lock, entry)
    return None if reports == "silent" else _edited(device_id, lock, entry, reports)


def _edited(device_id: str, lock: SimulatedLock, entry: Entry, reports: Reports) -> LockEvent:
    if entry.deed == "admin_pin":
        return Tampered(device_id=device_id, what="administrator code changed")
    if lock.model.capabilities.lock_chooses_slot:
        # Like Nuki, whose advertisement shows one bit: something is different.
        return SlotTouched(device_id=device_id, slot=None)
    if entry.deed == "deleted_all" or entry.slot is None:
        return AllCleared(device_id=device_id)
    if reports == "report" and lock.model.capabilities.readback is not Readback.NONE:
        return SlotReported(device_id=device_id, slot=entry.slot, reading=lock.read(entry.slot))
    return SlotTouched(device_id=device_id, slot=entry.slot)


def _at_the_door(device_id: str, lock: SimulatedLock, entry: Entry) -> LockEvent | None:
    if not lock.model.capabilities.reports_use or entry.slot == ADMIN:
        return None
    if entry.deed == "used" and entry.slot is not None:
        return CodeUsed(device_id=device_id, slot=entry.slot, at=entry.at)
    reason: Denial = "unknown_code" if entry.slot is None else "credential_error"
    return AccessDenied(device_id=device_id, reason=reason, slot=entry.slot, at=entry.at)
