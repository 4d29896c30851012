"""Errors and warnings that follow from the facts, and the moments at which time alone makes new ones.

Pure.
"""

from collections.abc import Collection, Iterator
from datetime import datetime

from gateway.domain.clock import TimeView
from gateway.domain.code import AccessCode
from gateway.domain.credential import Evidence
from gateway.domain.issues import Issue
from gateway.domain.lock import Link
from gateway.domain.placement import Placement, Snapshot
from gateway.domain.timing import AUTHORITY_LOST, Timing
from gateway.engine.desire import desired, has_ended, is_over, is_proven, programming_at
from gateway.engine.gates import Gate

_GENERIC = "failed_to_set_on_device"


def lock_issues(
    snap: Snapshot,
    t: TimeView,
    timing: Timing,
    *,
    gate: Gate,
    held: frozenset[str],
    explained: Collection[str | None] = (),
) -> list[Issue]:
    """Return the issues of the lock itself and of each of its codes.

    What stands in the way of the codes in `explained` is told already, with the remedy that fits.
    """
    issues = list(_of_device(snap, t, gate, held))
    for code in snap.codes.values():
        told = code.access_code_id in explained
        issues += [i for i in _of_code(code, snap, t, timing) if not (told and i.code == _GENERIC)]
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
    if device.authority_lost_at is not None and t.now - device.authority_lost_at >= AUTHORITY_LOST:
        yield Issue(code="hub_disconnected", message="the server or adapter that reaches this lock is away")
    elif device.capabilities is None or (
        device.unseen_since is not None and t.now - device.unseen_since >= AUTHORITY_LOST
    ):
        yield Issue(code="device_not_found", message="the driver has not seen this lock yet")
    if device.link is Link.UNREACHABLE:
        yield Issue(code="device_disconnected", message="the lock does not answer")
    if device.wiped_at is not None:
        what = "it stays empty until you decide" if device.held_after_wipe else "the hub fills it again"
        yield Issue(code="device_wiped", message=f"all codes of this lock were gone at once; {what}")
    if gate is Gate.PAUSED and device.paused_until is not None:
        yield Issue(code="device_paused", message="work on this lock is paused")
    if device.held_for_restore:
        yield Issue(code="held_after_restore", message="nothing is written until the plan is confirmed")
    if not t.trusted and any(code.has_window for code in snap.codes.values()):
        yield Issue(code="clock_untrusted", message="the clock is not trusted; no window opens or closes")
    if held:
        yield Issue(
            code="clock_step_held", message=f"the clock jumped; the removal of {len(held)} codes is held"
        )


def _of_code(code: AccessCode, snap: Snapshot, t: TimeView, timing: Timing) -> Iterator[Issue]:
    placement = snap.placement(code.access_code_id)
    if is_over(code, snap, t):
        if snap.may_hold(code.access_code_id):
            yield from _of_removal(code, placement, t, timing)
        return
    yield from _of_outside(code, placement)
    if desired(code, snap, t, timing) is None:
        if snap.may_hold(code.access_code_id):
            yield from _of_removal(code, placement, t, timing)
        return
    if is_proven(code, snap, t, timing):
        return
    if placement.outside is not None and placement.outside.honoured:
        return
    if placement.failures:
        yield _issue(code, _GENERIC, placement.failure or "the lock did not take the code")
    if _late_since(code, placement, timing) <= t.at:
        yield _issue(
            code,
            "delay_in_setting_on_device",
            "the code should be on the lock by now and is not proven to be",
        )
    confirmed = placement.confirmed
    if confirmed is not None and confirmed.evidence is Evidence.SENT and not placement.failures:
        yield _issue(
            code, "unable_to_confirm_code", "the code was sent, and this lock does not say whether it took it"
        )


def _of_removal(code: AccessCode, placement: Placement, t: TimeView, timing: Timing) -> Iterator[Issue]:
    if placement.failures:
        yield _issue(
            code, "failed_to_remove_from_device", placement.failure or "the lock did not remove the code"
        )
    if code.ends_at is not None and code.ends_at + timing.expiry_alarm <= t.at:
        yield _issue(code, "failed_to_expire", "the lock may still hold this code although it has ended")
    if placement.removal_began is not None and placement.removal_began + timing.removing_delay <= t.now:
        yield _issue(code, "delay_in_removing_from_device", "the lock has not confirmed the removal yet")


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


def _issue(code: AccessCode, kind: str, message: str) -> Issue:
    return Issue(code=kind, access_code_id=code.access_code_id, message=message)


def _late_since(code: AccessCode, placement: Placement, timing: Timing) -> datetime:
    """Return when a missing code is late: at its start, but not at once after it was asked for."""
    if placement.outside is not None:
        return max(placement.outside.at, code.updated_at) + timing.setting_delay
    due = code.updated_at + timing.setting_delay
    return max(code.starts_at, due) if code.starts_at is not None else due


def moments(snap: Snapshot, t: TimeView, timing: Timing) -> Iterator[datetime]:
    """Name the moments, by the wall clock, at which the passing of time changes the plan or the issues."""
    device = snap.device
    if device.authority_lost_at is not None:
        yield device.authority_lost_at + AUTHORITY_LOST
    if device.unseen_since is not None:
        yield device.unseen_since + AUTHORITY_LOST
    for code in snap.codes.values():
        for moment in _moments_of(code, snap, t, timing):
            yield t.now + (moment - t.at)
        placement = snap.placement(code.access_code_id)
        if placement.removal_began is not None:
            yield placement.removal_began + timing.removing_delay


def _moments_of(code: AccessCode, snap: Snapshot, t: TimeView, timing: Timing) -> Iterator[datetime]:
    if code.deleted_at is not None or (has_ended(code, t) and not snap.may_hold(code.access_code_id)):
        return
    if code.ends_at is not None:
        yield code.ends_at
        yield code.ends_at + timing.expiry_alarm
    if code.starts_at is not None:
        yield code.starts_at
        begin = programming_at(code, snap.device.capabilities, timing)
        if begin is not None:
            yield begin
    yield _late_since(code, snap.placement(code.access_code_id), timing)
