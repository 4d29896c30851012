"""Locks, and the codes that others put on them, as clients see them."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import UNSET, UnsetType

from gateway.domain.attempts import ActionAttempt
from gateway.domain.clock import TimeView
from gateway.domain.credential import Credential, Empty, Known, Schedule, Unreadable
from gateway.domain.issues import Issue
from gateway.domain.lock import Capabilities, Device, Link, PinRules, battery_status
from gateway.domain.placement import Slot, Snapshot
from gateway.domain.timing import Timing
from gateway.engine import wire
from gateway.engine.backups import available, is_pool_enabled, supports_pool
from gateway.engine.mutations import instant, moment, weekdays
from gateway.engine.pins import rules_of
from gateway.engine.slot_map import inventory
from gateway.engine.touch import WAITING


def unmanaged(
    device_id: str, slot: Slot, issues: Iterable[Issue], t: TimeView, *, with_pin: bool
) -> wire.UnmanagedAccessCode:
    """Return a code that somebody else put on the lock; its PIN only for who asked for this very code."""
    reading = slot.reading
    held = reading.credential if isinstance(reading, Known) else None
    schedule = held.schedule if held is not None else None
    enabled = (
        held.enabled
        if held is not None
        else not (isinstance(reading, Unreadable) and reading.enabled is False)
    )
    opens = enabled and (schedule is None or _is_between(schedule, t.at))
    return wire.UnmanagedAccessCode(
        access_code_id=slot.unmanaged_id or "",
        device_id=device_id,
        name=held.name if held is not None else None,
        code=_digits(held) if with_pin else None,
        type="time_bound" if schedule is not None and schedule.ends_at is not None else "ongoing",
        starts_at=instant(schedule.starts_at) if schedule is not None else None,
        ends_at=instant(schedule.ends_at) if schedule is not None else None,
        weekly=weekdays(schedule) if schedule is not None and schedule.weekly else UNSET,
        status="set" if opens else "unset",
        display_status="Active" if opens else "Not active",
        slot=slot.slot,
        created_at=instant(slot.unmanaged_since),
        errors=[
            error_entry(issue)
            for issue in issues
            if issue.access_code_id is None and issue.kind.level == "error"
        ],
        warnings=[],
    )


def _is_between(schedule: Schedule, at: datetime) -> bool:
    """Say whether a moment lies between the dates; weekdays are left aside, by which it comes and goes."""
    has_begun = schedule.starts_at is None or schedule.starts_at <= at
    return has_begun and (schedule.ends_at is None or at < schedule.ends_at)


def _digits(held: Credential | None) -> str | None:
    return held.pin.reveal() if held is not None else None


type RadioOf = Callable[[str], wire.Radio | None]
"""How well the lock of a device id is reached; None where its driver does not tell."""


def no_radio(_device_id: str) -> None:
    """Know nothing of how well locks are reached."""


def device(
    snap: Snapshot, issues: Sequence[Issue], t: TimeView, timing: Timing, radio: RadioOf = no_radio
) -> wire.Device:
    """Return the lock object."""
    it, can = snap.device, snap.device.capabilities
    own = [issue for issue in issues if issue.access_code_id is None]
    touch = next((issue for issue in own if issue.code == WAITING), None)
    able: dict[str, Any] = {}
    reached = radio(it.device_id)
    known = _known_properties(snap) | ({} if reached is None else {"radio": reached})
    if can is not None:
        # Stays true while the lock is merely offline: it is written when it comes back.
        able = {"can_program_online_access_codes": can.keypad is not False}
    if it.is_paired is not None:
        able["is_paired"] = it.is_paired
    return wire.Device(
        device_id=it.device_id,
        name=it.policy.name if it.policy is not None else it.device_id,
        driver=it.policy.driver if it.policy is not None else None,
        is_managed=it.is_managed,
        capabilities_supported=_abilities(it),
        properties=wire.DeviceProperties(
            online=it.link is Link.ONLINE and it.authority_lost_at is None,
            online_since=instant(it.link_since),
            **known,
        ),
        is_paused=it.paused_until is not None,
        paused_until=instant(it.paused_until),
        is_waiting_for_touch=touch is not None,
        waiting_for_touch_since=instant(touch.created_at) if touch is not None else None,
        is_retiring=it.retiring,
        inventory=inventory(snap, t.now, timing),
        counts=_counts(snap, t, timing),
        errors=[error_entry(issue) for issue in own if issue.kind.level == "error"],
        warnings=[warning_entry(issue) for issue in own if issue.kind.level == "warning"],
        **able,
    )


def _abilities(it: Device) -> list[str]:
    if it.capabilities is None:
        return []
    return ["access_code"] if it.battery is None else ["access_code", "battery"]


def _known_properties(snap: Snapshot) -> dict[str, Any]:
    """Return what is known; what is not stays away instead of being guessed."""
    it = snap.device
    found: dict[str, Any] = {}
    if it.battery is not None:
        found["battery"] = wire.Battery(level=it.battery, status=battery_status(it.battery))
    identity, can = it.seen_identity, it.capabilities
    if identity is not None:
        found |= {"manufacturer": identity.manufacturer, "serial_number": identity.serial}
        if identity.product is not None:
            found["model"] = identity.product
    if can is not None:
        found |= _of_capabilities(can, rules_of(snap)) | {
            "max_active_codes_supported": _room(it, can),
            "is_clock_right": it.is_clock_right,
            "backup_access_code_pool_enabled": is_pool_enabled(it),
        }
    return found


def _of_capabilities(can: Capabilities, rules: PinRules) -> dict[str, Any]:
    constraints = [wire.CodeConstraint(constraint_type=kind) for kind in rules.constraints]
    if can.name_length:
        constraints.append(wire.CodeConstraint(constraint_type="name_length", max_length=can.name_length))
    found: dict[str, Any] = {
        "online_access_codes_enabled": can.keypad is not False,
        "supported_code_lengths": sorted(rules.lengths),
        "code_constraints": constraints,
        "native_scheduling": can.native_windows.value,
        "supports_disabled_codes": can.disabled_status,
        "readback": can.readback.value,
        "reach": can.reach.value,
        "has_native_entry_events": can.reports_use,
        "has_keypad": can.keypad,
        "supports_backup_access_code_pool": supports_pool(can),
    }
    return found | ({"time_zone": can.schedule_zone} if can.schedule_zone is not None else {})


def _room(it: Device, can: Capabilities) -> int:
    """Return how many codes the hub can have on the lock: as many as slots are granted to it, at the most."""
    is_granted_all = it.policy is None or can.lock_chooses_slot
    return can.max_codes if is_granted_all else min(can.max_codes, len(it.managed_slots))


def _counts(snap: Snapshot, t: TimeView, timing: Timing) -> wire.DeviceCounts:
    usable = len(snap.device.managed_slots)
    owned = {p.slot for p in snap.placements.values() if p.slot is not None}
    unread = sum(1 for s in snap.device.managed_slots if s not in owned and _unread(snap, s))
    taken = sum(1 for s in snap.device.managed_slots if s in owned or _taken(snap, s))
    return wire.DeviceCounts(
        access_codes=sum(1 for code in snap.codes.values() if code.backup != "waiting"),
        on_lock=sum(1 for p in snap.placements.values() if p.confirmed is not None),
        unmanaged=sum(1 for s in snap.slots.values() if s.unmanaged_id is not None),
        managed_slots=usable,
        slots_free=max(usable - taken - unread, 0),
        slots_not_read_yet=unread,
        backups_available=len(available(snap, t, timing)),
    )


def _unread(snap: Snapshot, slot: str) -> bool:
    state = snap.slots.get(slot)
    return state is None or state.reading is None


def _taken(snap: Snapshot, slot: str) -> bool:
    state = snap.slots.get(slot)
    return state is not None and state.reading is not None and not isinstance(state.reading, Empty)


def attempt_view(
    attempt: ActionAttempt, code: wire.AccessCodeState | UnsetType = UNSET
) -> wire.ActionAttempt:
    """Return an action attempt; `code` is what a success shows."""
    failed = attempt.error_type is not None
    return wire.ActionAttempt(
        action_attempt_id=attempt.action_attempt_id,
        action_type=attempt.action_type,
        status=attempt.status,
        device_id=attempt.device_id,
        access_code_id=attempt.access_code_id,
        created_at=moment(attempt.created_at),
        finished_at=instant(attempt.finished_at),
        result=wire.AttemptResult(access_code=code) if attempt.status == "success" else None,
        error=wire.AttemptError(type=attempt.error_type or "", message=attempt.error_message or "")
        if failed
        else None,
    )


def error_entry(issue: Issue) -> wire.ErrorEntry:
    """Return an error with its origin."""
    origin = "is_device_error" if issue.access_code_id is None else "is_access_code_error"
    flags: dict[str, Any] = {origin: True, **issue.data}
    return wire.ErrorEntry(
        error_code=issue.code,
        message=issue.message,
        remedy=issue.kind.remedy,
        created_at=instant(issue.created_at),
        **flags,
    )


def warning_entry(issue: Issue) -> wire.WarningEntry:
    """Return a warning."""
    return wire.WarningEntry(
        warning_code=issue.code,
        message=issue.message,
        remedy=issue.kind.remedy,
        created_at=instant(issue.created_at),
        **issue.data,
    )
