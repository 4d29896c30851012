"""What a lock or its authority told unasked, turned into facts. Works on a `Work`."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from gateway.domain.credential import Evidence, Known, Reading, SlotRef, Unreadable
from gateway.domain.driver import (
    DENIALS,
    AccessDenied,
    AllCleared,
    AuthorityLost,
    AuthorityUp,
    BatteryLevel,
    ClockChecked,
    CodeUsed,
    KeypadMode,
    LockAlive,
    LockDead,
    LockEvent,
    LockSeen,
    SlotReported,
    SlotTouched,
    Tampered,
)
from gateway.domain.lock import LOW_BATTERY, Identity, Link, Readback, battery_status
from gateway.domain.placement import Placement
from gateway.domain.timing import CLOCK_TOLERANCE, ECHO, LOOKS_THAT_MAY_FAIL
from gateway.engine.desire import desired, granularity
from gateway.engine.outside import touched_unseen
from gateway.engine.readings import absorb_reading
from gateway.engine.silence import note_return, note_silence
from gateway.engine.waiting import age
from gateway.engine.wipe import declare_wipe, renew_suspicion
from gateway.engine.work import Work


def absorb_event(work: Work, event: LockEvent) -> None:
    """Take in one event of a driver about this lock."""
    match event:
        case LockSeen():
            _seen(work, event)
        case LockAlive():
            _alive(work)
        case LockDead():
            note_silence(work)
            failures = max(work.device.failures, 1)
            work.set_device(
                link=Link.UNREACHABLE,
                link_since=_since(work, Link.UNREACHABLE),
                failures=failures,
                retry_at=work.retry_after(failures),
            )
        case AuthorityUp():
            work.set_device(authority_lost_at=None, unseen_since=work.now, asleep_since=None, retry_at=None)
        case AuthorityLost():
            work.set_device(authority_lost_at=work.device.authority_lost_at or work.now)
        case _:
            device = work.device
            if device.failures or device.link is Link.UNREACHABLE or device.asleep_since is not None:
                _alive(work)  # whatever it says, it speaks
            _said(work, event)


def _said(work: Work, event: LockEvent) -> None:
    """Take in what the lock itself reported."""
    match event:
        case SlotReported():
            _reported(work, event.slot, event.reading)
        case SlotTouched():
            _touched(work, event.slot)
        case AllCleared():
            _all_cleared(work)
        case CodeUsed():
            _used(work, event.slot)
        case ClockChecked():
            _clock_checked(work, event.off_by)
        case KeypadMode():
            work.set_device(keypad_off=event.off)
        case AccessDenied() | Tampered() | BatteryLevel():
            _security(work, event)


def _alive(work: Work) -> None:
    """Take in a sign of life: it ends every wait for this lock (rule 13)."""
    _end_silence(work)
    work.set_device(link=Link.ONLINE, link_since=_since(work, Link.ONLINE), asleep_since=None, retry_at=None)


def _end_silence(work: Work) -> None:
    """Let no slot and no code wait for what the silence of the whole lock left unanswered."""
    renew_suspicion(work)
    note_return(work)
    if work.device.link is not Link.UNREACHABLE and work.device.failures < LOOKS_THAT_MAY_FAIL:
        return
    for slot, state in list(work.slots.items()):
        if state.retry_at is not None:
            work.set_slot(slot, retry_at=None, failures=0)
    for code_id, placement in list(work.placements.items()):
        # What is still open is waited for because it may arrive late, and what was refused because it was.
        is_open = work.snapshot().open_intents(code_id)
        if placement.retry_at is not None and placement.unanswered and not is_open:
            work.set_placement(code_id, retry_at=None, failures=0)


def _since(work: Work, link: Link) -> datetime | None:
    return work.device.link_since if work.device.link is link else work.now


def _seen(work: Work, event: LockSeen) -> None:
    first = work.device.capabilities is None
    _end_silence(work)
    work.set_device(
        capabilities=event.capabilities,
        seen_identity=_seen_identity(work.device.seen_identity, event.identity),
        identity=_pinned_identity(work.device.identity, event.identity),
        link=Link.ONLINE,
        link_since=_since(work, Link.ONLINE),
        authority_lost_at=None,
        unseen_since=None,
        asleep_since=None,
        retry_at=None,
        keypad_off=event.keypad_off,
        battery=event.battery if event.battery is not None else work.device.battery,
    )
    if first:
        work.set_device(audit_at=work.now)
        work.tell("device.added")


def _seen_identity(before: Identity | None, now: Identity) -> Identity:
    """Keep a serial number that was seen: a lock that does not tell it this time is no other lock."""
    if before is not None and now.serial is None and not before.contradicts(now):
        return before
    return now


def _pinned_identity(pinned: Identity | None, seen: Identity) -> Identity:
    """Pin a lock at first sight, and its serial number when that is told later."""
    if pinned is None:
        return seen
    if pinned.serial is None and not pinned.contradicts(seen):
        return seen
    return pinned


def _explained(work: Work, slot: SlotRef) -> bool:
    """Say whether an own operation explains a report about this slot: open, or ended less than 10 s ago."""
    if any(intent.slot == slot for intent in work.intents):
        return True
    ended = work.slot(slot).own_write_at
    return ended is not None and age(ended, work.now) < ECHO


def _blind(work: Work) -> bool:
    return work.device.capabilities is not None and work.device.capabilities.readback is Readback.NONE


def _reported(work: Work, slot: SlotRef, reading: Reading) -> None:
    """Believe a report that says what we know already; look ourselves before any other is believed."""
    state = work.slot(slot)
    if state.reading == reading and not state.touched and not isinstance(reading, Unreadable):
        return  # no news: another client of the server may be reading the slots
    owner = work.snapshot().owner(slot)
    if owner is not None and isinstance(reading, Known) and _expected(work, owner, reading):
        absorb_reading(work, slot, reading)
        return
    if _explained(work, slot):
        _look_after_echo(work, slot)
        return
    if isinstance(reading, Unreadable) or _blind(work):
        _touched(work, slot)
    else:
        work.set_slot(slot, check_at=work.now)


def _look_after_echo(work: Work, slot: SlotRef) -> None:
    """Look once, later, at a slot that was reported during or right after our own operation.

    It is most likely the echo; but an edit by hand in the same seconds would not be told again.
    """
    if not _blind(work) and work.slot(slot).check_at is None:
        work.set_slot(slot, check_at=work.now + work.timing.second_check)


def _expected(work: Work, owner: Placement, reading: Known) -> bool:
    code = work.codes.get(owner.access_code_id)
    snap, gap = work.snapshot(), granularity(work.snapshot())
    want = desired(code, snap, work.t, work.timing) if code is not None else None
    targets = [i.target for i in snap.open_intents(owner.access_code_id)]
    if targets:
        # While an operation is on the air, the old content is old news.
        return any(target is not None and reading.credential.same_access(target, gap) for target in targets)
    confirmed = owner.confirmed.credential if owner.confirmed is not None else None
    return any(
        target is not None and reading.credential.same_access(target, gap)
        for target in [*targets, want, confirmed]
    )


def _touched(work: Work, slot: SlotRef | None) -> None:
    if slot is None:
        for placement in list(work.placements.values()):
            if placement.slot is not None and not _blind(work):
                work.set_slot(placement.slot, check_at=work.now)
        return
    if _explained(work, slot):
        _look_after_echo(work, slot)
        return
    owner = work.snapshot().owner(slot)
    if _blind(work):
        if owner is not None:
            touched_unseen(work, owner)
        return
    work.set_slot(slot, touched=True, check_at=work.now)


def _all_cleared(work: Work) -> None:
    held = [p for p in work.placements.values() if p.confirmed is not None]
    work.set_device(probe=None, probe_open=None, audit_at=work.now)
    if not held:
        return
    if _blind(work):
        declare_wipe(work)
    elif work.device.wipe_suspected_at is None:
        work.set_device(wipe_suspected_at=work.now)


def _used(work: Work, slot: SlotRef) -> None:
    owner = work.snapshot().owner(slot)
    state = work.slots.get(slot)
    if owner is None:
        unmanaged = state.unmanaged_id if state is not None else None
        work.tell("lock.unlocked", unmanaged, method="keycode", slot=slot, access_code_is_managed=False)
        return
    confirmed = owner.confirmed
    certain = (
        owner.outside is None
        and not owner.rewrite_due
        and not work.snapshot().open_intents(owner.access_code_id)
    )
    if confirmed is not None and certain and confirmed.evidence < Evidence.USED:
        better = replace(confirmed, evidence=Evidence.USED)
        work.set_placement(owner.access_code_id, confirmed=better, was_on_lock=True)
    work.tell("lock.unlocked", owner.access_code_id, method="keycode", slot=slot, access_code_is_managed=True)
    code = work.codes.get(owner.access_code_id)
    if code is not None and certain and code.first_used_at is None:
        work.set_code(replace(code, first_used_at=work.now))
        work.tell("access_code.first_used", owner.access_code_id)


def _clock_checked(work: Work, off_by: timedelta | None) -> None:
    """Take in what the lock's own clock shows. One that could not be read leaves things as they are."""
    if off_by is not None:
        work.set_device(clock_off_by=off_by, is_clock_right=abs(off_by) <= CLOCK_TOLERANCE)


def _security(work: Work, event: AccessDenied | Tampered | BatteryLevel) -> None:
    if isinstance(event, AccessDenied):
        why = {"reason_code": event.reason, "message": DENIALS[event.reason]}
        work.tell("lock.access_denied", reason=why)
    elif isinstance(event, Tampered):
        work.tell("device.tampered", what=event.what)
    else:
        before = work.device.battery
        work.set_device(battery=event.level)
        status = battery_status(event.level)
        if before is None or battery_status(before) != status:
            work.tell("device.battery_status_changed", battery_status=status, battery_level=event.level)
        if event.level < LOW_BATTERY and (before is None or before >= LOW_BATTERY):
            work.tell("device.low_battery", battery_level=event.level)
