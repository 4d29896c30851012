"""Errors and warnings that follow from the facts, and the moments at which time alone makes new ones.

Pure.
"""

from collections.abc import Collection, Iterator
from datetime import datetime

from gateway.domain.clock import TimeView
from gateway.domain.code import AccessCode
from gateway.domain.credential import Evidence
from gateway.domain.issues import Issue
from gateway.domain.lock import LOW_BATTERY, Device, Link, Reach
from gateway.domain.placement import Placement, Snapshot
from gateway.domain.recurrence import next_change
from gateway.domain.timing import AUTHORITY_LOST, CONTEST_LASTS, CONTESTED, ENABLING, FLAKY_LASTS, Timing
from gateway.engine.backups import pool_issues
from gateway.engine.desire import (
    has_ended,
    is_over,
    is_to_shut,
    is_wish_proven,
    opens_too_early,
    programming_at,
    window_of,
)
from gateway.engine.gates import Gate
from gateway.engine.plan import Wants
from gateway.engine.silence import is_flaky
from gateway.engine.slots import taken
from gateway.engine.touch import is_ended_by_lock
from gateway.engine.waiting import age

_GENERIC = "failed_to_set_on_device"
_MANY_FAILURES = 5


def lock_issues(
    snap: Snapshot,
    t: TimeView,
    timing: Timing,
    *,
    wants: Wants,
    gate: Gate,
    held: frozenset[str],
    explained: Collection[str | None] = (),
) -> list[Issue]:
    """Return the issues of the lock itself and of each of its codes.

    What stands in the way of the codes in `explained` is told already, with the remedy that fits.
    """
    issues = list(_of_device(snap, t, gate, held))
    if gate is not Gate.NOT_CONFIGURED:
        issues += pool_issues(snap, t, timing)
    for code in snap.codes.values():
        if code.backup == "waiting":
            continue  # the lock's own pool issues say it
        told = code.access_code_id in explained
        issues += [i for i in _of_code(code, wants, snap, t, timing) if not (told and i.code == _GENERIC)]
    return issues


def _of_device(snap: Snapshot, t: TimeView, gate: Gate, held: frozenset[str]) -> Iterator[Issue]:
    device = snap.device
    if gate is Gate.NOT_CONFIGURED:
        yield Issue(code="removed_from_configuration", message="the lock is no longer in the configuration")
        return
    if device.replaced:
        yield Issue(
            code="device_replaced", message="another lock answers under this address; nothing is written"
        )
    yield from _of_way(device, t)
    if device.capabilities is not None and device.capabilities.keypad is False:
        yield Issue(code="keypad_missing", message="the lock has no keypad")
    if device.keypad_off is not None:
        yield Issue(code="privacy_mode", message=f"the keypad takes no codes: {device.keypad_off}")
    if device.wiped_at is not None:
        what = "it stays empty until you decide" if device.held_after_wipe else "the hub fills it again"
        yield Issue(code="device_wiped", message=f"all codes of this lock were gone at once; {what}")
    if device.paused_until is not None and device.paused_until > t.now:
        yield Issue(code="device_paused", message="work on this lock is paused")
    if device.held_for_restore:
        yield Issue(code="held_after_restore", message="nothing is written until the plan is confirmed")
    yield from _of_hardware(snap, t)
    if not t.trusted and any(code.has_window for code in snap.codes.values()):
        yield Issue(code="clock_untrusted", message="the clock is not trusted; no window opens or closes")
    if held:
        yield Issue(
            code="clock_step_held", message=f"the clock jumped; the removal of {len(held)} codes is held"
        )


def _of_way(device: Device, t: TimeView) -> Iterator[Issue]:
    """Return what is wrong on the way to the lock."""
    if device.authority_lost_at is not None and t.now - device.authority_lost_at >= AUTHORITY_LOST:
        yield Issue(code="hub_disconnected", message="the server or adapter that reaches this lock is away")
    elif device.is_paired is not False and (
        device.capabilities is None
        or (device.unseen_since is not None and t.now - device.unseen_since >= AUTHORITY_LOST)
    ):
        yield Issue(code="device_not_found", message="the driver has not seen this lock yet")
    if device.is_paired is False and device.policy is not None:
        typed = f"pinsmith pair {device.policy.driver} {device.device_id}"
        yield Issue(
            code="device_not_paired", message=f"the hub has no keys of this lock; on the hub, type: {typed}"
        )
    elif device.link is Link.UNREACHABLE:
        yield Issue(code="device_disconnected", message="the lock does not answer")
    if is_flaky(device, t.now):
        yield Issue(
            code="device_has_flaky_connection",
            message=f"the lock was lost and came back {device.returns} times within an hour of each other",
        )


def _of_hardware(snap: Snapshot, t: TimeView) -> Iterator[Issue]:
    device = snap.device
    if not device.is_managed:
        yield Issue(code="device_not_managed", message="the codes of this lock are not in the hub's hands")
    fought = [p for p in snap.placements.values() if is_contested(p, t.now)]
    if fought:
        where = ", ".join(sorted(p.slot for p in fought if p.slot is not None)) or "no slot"
        yield Issue(
            code="third_party_integration_detected",
            message=f"codes were changed or removed by others {max(p.contested for p in fought)} times "
            f"within a day of each other (slots: {where}); they are put back more slowly now",
        )
    if device.is_clock_right is False:
        off = abs(device.clock_off_by.total_seconds()) if device.clock_off_by is not None else 0.0
        yield Issue(
            code="device_clock_wrong",
            message=f"the clock of the lock is off by {off:.0f} s",
            data={"off_by_seconds": off},
        )
    elif device.clock_unread and not device.keeps_time:
        yield Issue(
            code="device_clock_wrong",
            message="the clock of the lock cannot be read and may be wrong; the hub keeps the windows",
        )
    if device.battery is not None and device.battery < LOW_BATTERY:
        yield Issue(
            code="low_battery",
            message=f"the battery is at {device.battery:.0%}",
            data={"battery_level": device.battery},
        )
    yield from _of_room(snap)


def _of_room(snap: Snapshot) -> Iterator[Issue]:
    capabilities = snap.device.capabilities
    if capabilities is None:
        return
    in_use = taken(snap)
    if capabilities.lock_chooses_slot:
        most, count = capabilities.max_codes, len(in_use)
    else:
        slots = snap.device.managed_slots
        most, count = len(slots), len(in_use.intersection(slots))
    if 0 < most <= count:
        yield Issue(
            code="max_access_codes_reached",
            message=f"all {most} slots that the hub may use are taken",
            data={"active_access_code_count": count, "max_active_access_code_count": most},
        )


def is_contested(placement: Placement, now: datetime) -> bool:
    """Say whether somebody else changes this code again and again."""
    since = placement.contested_at
    return placement.contested >= CONTESTED and since is not None and age(since, now) < CONTEST_LASTS


def _of_code(code: AccessCode, wants: Wants, snap: Snapshot, t: TimeView, timing: Timing) -> Iterator[Issue]:
    placement = snap.placement(code.access_code_id)
    if is_over(code, snap, t):
        if snap.may_hold(code.access_code_id):
            yield from _of_removal(code, placement, snap, t, timing)
        return
    backup = snap.codes.get(code.pulled_backup_access_code_id or "")
    if backup is not None and not is_over(backup, snap, t):
        yield _issue(code, "using_backup_access_code", "a backup code is used in place of this one")
    yield from _of_outside(code, placement)
    if placement.lost:
        yield _issue(
            code, "second_check_failed", "the lock took the code and did not hold it at the second look"
        )
    want = wants.get(code.access_code_id)
    if want is None:
        if snap.may_hold(code.access_code_id):
            yield from _of_removal(code, placement, snap, t, timing)
        return
    if code.recurrence is not None and is_to_shut(code, want, snap, t):
        yield from _of_expiry(code, placement, snap, t, timing)
    elif opens_too_early(code, want, snap, t):
        moved = "the lock has not confirmed the new window yet, and may open by the old one"
        yield from _of_slowness(code, placement, snap, t, timing, moved)
    if is_wish_proven(code, want, snap, t):
        return
    if placement.outside is not None and placement.outside.honoured:
        return
    yield from _of_setting(code, placement, snap, t, timing)


def _of_setting(
    code: AccessCode, placement: Placement, snap: Snapshot, t: TimeView, timing: Timing
) -> Iterator[Issue]:
    if placement.failures >= _MANY_FAILURES:
        yield _issue(code, "failed_after_retries", f"{placement.failures} attempts in a row failed")
    if placement.failures:
        yield _issue(code, _GENERIC, placement.failure or "the lock did not take the code")
    if _late_since(code, placement, t, timing) <= t.at:
        late = "the code should be on the lock by now and is not proven to be"
        yield _issue(code, "delay_in_setting_on_device", late + _until_touched(snap))
    confirmed = placement.confirmed
    if confirmed is not None and confirmed.evidence is Evidence.SENT and not placement.failures:
        yield _issue(
            code, "unable_to_confirm_code", "the code was sent, and this lock does not say whether it took it"
        )


def _until_touched(snap: Snapshot) -> str:
    """Say what a delay waits for, where it is not the hub and not a lock that fails."""
    return "" if snap.device.asleep_since is None else ": it waits until somebody touches the lock"


def _of_removal(
    code: AccessCode, placement: Placement, snap: Snapshot, t: TimeView, timing: Timing
) -> Iterator[Issue]:
    if code.deleted_at is not None:
        yield _issue(code, "being_deleted", "the code was deleted and is being removed from the lock")
    if placement.cleared_at is not None:
        yield _issue(
            code, "unable_to_confirm_deletion", "the removal was sent, and this lock does not say more"
        )
    if placement.failures:
        yield _issue(
            code, "failed_to_remove_from_device", placement.failure or "the lock did not remove the code"
        )
    yield from _of_expiry(code, placement, snap, t, timing)
    yield from _of_slowness(code, placement, snap, t, timing, "the lock has not confirmed the removal yet")


def _of_slowness(
    code: AccessCode, placement: Placement, snap: Snapshot, t: TimeView, timing: Timing, message: str
) -> Iterator[Issue]:
    """Return the warning of a code that should not open the door now and may do so still."""
    if placement.removal_began is not None and placement.removal_began + timing.removing_delay <= t.now:
        yield _issue(code, "delay_in_removing_from_device", message + _until_touched(snap))


def _of_expiry(
    code: AccessCode, placement: Placement, snap: Snapshot, t: TimeView, timing: Timing
) -> Iterator[Issue]:
    """Return the alarm of a code that may open the door although its window, or its time, is over."""
    closed = placement.removal_began if code.recurrence is not None else None
    can = snap.device.capabilities
    # Also in the moment in which such a lock wakes up and the removal is about to go out.
    harmless = can is not None and can.reach is Reach.ON_TOUCH and is_ended_by_lock(snap, placement, t)
    past = (code.ends_at is not None and code.ends_at + timing.expiry_alarm <= t.at) or (
        closed is not None and closed + timing.expiry_alarm <= t.now
    )
    if past and not harmless:
        ended = "the lock may still hold this code although it has ended"
        yield _issue(code, "failed_to_expire", ended + _until_touched(snap))


def _of_outside(code: AccessCode, placement: Placement) -> Iterator[Issue]:
    outside = placement.outside
    if outside is None:
        return
    kind = "external_modification_in_effect" if outside.honoured else "code_modified_external_to_gateway"
    what = "removed" if outside.change == "removed" else f"changed ({', '.join(outside.fields)})"
    yield Issue(
        code=kind,
        access_code_id=code.access_code_id,
        message=f"somebody {what} this code on the lock",
        data={"change_type": outside.change, "modified_fields": list(outside.fields)},
    )
    if outside.honoured and "enabled" in outside.fields:
        yield _issue(code, "access_code_inactive", "somebody disabled the code on the lock")


def _issue(code: AccessCode, kind: str, message: str) -> Issue:
    return Issue(code=kind, access_code_id=code.access_code_id, message=message)


def _late_since(code: AccessCode, placement: Placement, t: TimeView, timing: Timing) -> datetime:
    """Return when a missing code is late: at its start, but not at once after it was asked for."""
    if placement.outside is not None:
        return max(placement.outside.at, code.updated_at) + timing.setting_delay
    due = code.updated_at + timing.setting_delay
    opened = window_of(code, t.at)
    starts_at = opened.starts_at if opened is not None else code.starts_at
    if starts_at is None:
        return due
    return max(starts_at + ENABLING if _is_staged(code, placement) else starts_at, due)


def _is_staged(code: AccessCode, placement: Placement) -> bool:
    """Say whether the code waits on the lock, disabled, and nothing has gone wrong."""
    known = placement.confirmed
    return (
        known is not None
        and known.evidence >= Evidence.ACCEPTED
        and not known.credential.enabled
        and known.credential.pin == code.pin
        and not placement.failures
    )


def moments(snap: Snapshot, t: TimeView, timing: Timing) -> Iterator[datetime]:
    """Name the moments, by the wall clock, at which the passing of time changes the plan or the issues."""
    device = snap.device
    if device.authority_lost_at is not None:
        yield device.authority_lost_at + AUTHORITY_LOST
    if device.unseen_since is not None:
        yield device.unseen_since + AUTHORITY_LOST
    if is_flaky(device, t.now) and device.returned_at is not None:
        yield device.returned_at + FLAKY_LASTS
    ahead = t.now - t.at
    for code in snap.codes.values():
        for moment in _moments_of(code, snap, t, timing):
            yield moment + ahead
        placement = snap.placement(code.access_code_id)
        if placement.removal_began is not None:
            yield placement.removal_began + timing.removing_delay
            if code.recurrence is not None:
                yield placement.removal_began + timing.expiry_alarm
        if placement.contested_at is not None:
            yield placement.contested_at + CONTEST_LASTS


def _moments_of(code: AccessCode, snap: Snapshot, t: TimeView, timing: Timing) -> Iterator[datetime]:
    if code.deleted_at is not None or (has_ended(code, t) and not snap.may_hold(code.access_code_id)):
        return
    if code.ends_at is not None:
        yield code.ends_at
        yield code.ends_at + timing.expiry_alarm
    if code.starts_at is not None:
        yield code.starts_at
        yield code.starts_at - timing.rehearsal
    if code.recurrence is not None:
        change = next_change(code.recurrence, t.at)
        if change is not None:
            yield change
        window = window_of(code, t.at)
        if window is not None and window.starts_at is not None:
            yield window.starts_at - timing.rehearsal
    begin = programming_at(code, snap, t.at, timing)
    if begin is not None:
        yield begin
    confirmed = snap.placement(code.access_code_id).confirmed
    kept = confirmed.credential.schedule if confirmed is not None else None
    if kept is not None and kept.ends_at is not None:
        yield kept.ends_at
    yield _late_since(code, snap.placement(code.access_code_id), t, timing)
