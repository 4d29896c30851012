"""The objects that clients see: access codes, unmanaged codes, locks. Field names as in the reference."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from gateway.domain.clock import TimeView
from gateway.domain.code import AccessCode
from gateway.domain.credential import Empty, Known
from gateway.domain.issues import Issue
from gateway.domain.lock import Device, Link
from gateway.domain.placement import Slot, Snapshot
from gateway.domain.store import Tx
from gateway.domain.timing import Timing
from gateway.engine.desire import is_scheduled, status


def instant(at: datetime | None) -> str | None:
    """Return a time as UTC ISO 8601 with milliseconds and Z."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def access_code(
    code: AccessCode, snap: Snapshot, issues: Iterable[Issue], t: TimeView, timing: Timing
) -> dict[str, Any]:
    """Return the access code object with its PIN: only for the reply to the client that asked."""
    return without_pin(code, snap, issues, t, timing) | {"code": code.pin.reveal()}


def without_pin(
    code: AccessCode, snap: Snapshot, issues: Iterable[Issue], t: TimeView, timing: Timing
) -> dict[str, Any]:
    """Return the access code object without its PIN. Errors of the lock are copied onto every code of it."""
    placement = snap.placement(code.access_code_id)
    confirmed = placement.confirmed
    shown = [issue for issue in issues if issue.access_code_id in (None, code.access_code_id)]
    own = [issue for issue in shown if issue.access_code_id is not None]
    errors = [issue for issue in shown if issue.kind.level == "error"]
    name = confirmed.credential.name if confirmed is not None else None
    return {
        "access_code_id": code.access_code_id,
        "device_id": code.device_id,
        "name": code.name,
        "appearance": {"name": name} if name is not None else None,
        "type": code.type,
        "status": status(code, snap, t, timing),
        "starts_at": instant(code.starts_at),
        "ends_at": instant(code.ends_at),
        "is_managed": True,
        "is_scheduled_on_device": is_scheduled(code, snap, t, timing),
        "is_external_modification_allowed": code.is_external_modification_allowed,
        "prefer_native_scheduling": code.prefer_native_scheduling,
        "is_waiting_for_code_assignment": False,
        "slot": placement.slot,
        "evidence": confirmed.evidence.name.lower() if confirmed is not None else None,
        "confirmed_at": instant(confirmed.at) if confirmed is not None else None,
        "created_at": instant(code.created_at),
        "errors": [_entry(issue, "error_code") for issue in errors],
        "warnings": [_entry(issue, "warning_code") for issue in own if issue.kind.level == "warning"],
    }


def unmanaged(device_id: str, slot: Slot, issues: Iterable[Issue]) -> dict[str, Any]:
    """Return the object of a code that somebody else put on the lock; its PIN stays out."""
    known = isinstance(slot.reading, Known)
    return {
        "access_code_id": slot.unmanaged_id,
        "device_id": device_id,
        "name": slot.reading.credential.name if isinstance(slot.reading, Known) else None,
        "type": "ongoing",
        "status": "set",
        "is_managed": False,
        "is_code_known": known,
        "slot": slot.slot,
        "created_at": instant(slot.unmanaged_since),
        "errors": [
            _entry(i, "error_code") for i in issues if i.access_code_id is None and i.kind.level == "error"
        ],
        "warnings": [],
    }


def device(snap: Snapshot, issues: Sequence[Issue]) -> dict[str, Any]:
    """Return the lock object."""
    it = snap.device
    own = [issue for issue in issues if issue.access_code_id is None]
    return {
        "device_id": it.device_id,
        "name": it.policy.name if it.policy is not None else it.device_id,
        "driver": it.policy.driver if it.policy is not None else None,
        "properties": _properties(it),
        "capabilities_supported": ["access_code"] if it.capabilities is not None else [],
        "is_paused": it.paused_until is not None,
        "paused_until": instant(it.paused_until),
        "is_retiring": it.retiring,
        "counts": _counts(snap),
        "errors": [_entry(issue, "error_code") for issue in own if issue.kind.level == "error"],
        "warnings": [_entry(issue, "warning_code") for issue in own if issue.kind.level == "warning"],
    }


def _properties(it: Device) -> dict[str, Any]:
    found: dict[str, Any] = {
        "online": it.link is Link.ONLINE and it.authority_lost_at is None,
        "online_since": instant(it.link_since),
    }
    if it.battery is not None:
        found["battery"] = {"level": it.battery}
    identity, can = it.seen_identity, it.capabilities
    if identity is not None:
        found |= {
            "manufacturer": identity.manufacturer,
            "model": identity.product,
            "serial_number": identity.serial,
        }
    if can is not None:
        found |= {
            "online_access_codes_enabled": True,
            "supported_code_lengths": sorted(can.pin_rules.lengths),
            "code_constraints": [{"constraint_type": kind} for kind in can.pin_rules.constraints],
            "max_active_codes_supported": can.max_codes,
            "native_scheduling": can.native_windows.value,
            "readback": can.readback.value,
            "has_native_entry_events": can.reports_use,
        }
    return found


def _counts(snap: Snapshot) -> dict[str, int]:
    managed = sum(1 for p in snap.placements.values() if p.confirmed is not None)
    foreign = sum(1 for s in snap.slots.values() if s.unmanaged_id is not None)
    usable = len(snap.device.managed_slots)
    owned = {p.slot for p in snap.placements.values() if p.slot is not None}
    unread = sum(1 for s in snap.device.managed_slots if s not in owned and _unread(snap, s))
    taken = sum(1 for s in snap.device.managed_slots if s in owned or _taken(snap, s))
    return {
        "access_codes": len(snap.codes),
        "on_lock": managed,
        "unmanaged": foreign,
        "managed_slots": usable,
        "slots_free": max(usable - taken - unread, 0),
        "slots_not_read_yet": unread,
    }


def _unread(snap: Snapshot, slot: str) -> bool:
    state = snap.slots.get(slot)
    return state is None or state.reading is None


def _taken(snap: Snapshot, slot: str) -> bool:
    state = snap.slots.get(slot)
    return state is not None and state.reading is not None and not isinstance(state.reading, Empty)


def _entry(issue: Issue, key: str) -> dict[str, Any]:
    origin = "is_device_error" if issue.access_code_id is None else "is_access_code_error"
    flags = {origin: True} if key == "error_code" else {}
    return {
        key: issue.code,
        "message": issue.message,
        "remedy": issue.kind.remedy,
        "created_at": instant(issue.created_at),
        **flags,
        **issue.data,
    }


_PRIVATE = ("name", "appearance", "starts_at", "ends_at")


def retained_states(
    tx: Tx, device_id: str, t: TimeView, timing: Timing, *, publish_names: bool
) -> dict[str, dict[str, Any]]:
    """Return the retained topics of a lock, below the root, with their content.

    Never a PIN; names and dates of guests only with `publish_names`.
    """
    snap = tx.snapshot(device_id)
    if snap is None:
        return {}
    issues = tx.issues(device_id)
    states = {f"lock/{device_id}/state": device(snap, issues)}
    for code in snap.codes.values():
        shown = without_pin(code, snap, issues, t, timing)
        if not publish_names:
            for field in _PRIVATE:
                del shown[field]
        states[f"access_code/{code.access_code_id}/state"] = shown
    return states
