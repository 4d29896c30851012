"""What a lock or its authority told unasked, turned into facts. Works on a `Work`."""

from datetime import datetime

from msgspec.structs import replace

from gateway.domain.code import AccessCode
from gateway.domain.credential import Empty, Evidence, Known, Reading, SlotRef, Unreadable
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
    WriteRefused,
)
from gateway.domain.lock import LOW_BATTERY, Identity, Link, Readback, battery_status
from gateway.domain.pin import Pin
from gateway.domain.placement import IntentKind, Placement, Slot
from gateway.domain.timing import CLOCK_TOLERANCE, ECHO, LOOKS_LAST, LOOKS_THAT_MAY_FAIL, OLDEST_RECORD
from gateway.engine.backups import share_use
from gateway.engine.desire import desired, granularity
from gateway.engine.outside import touched_unseen
from gateway.engine.readings import absorb_reading
from gateway.engine.rejections import absorb_late_refusal
from gateway.engine.silence import note_return, note_silence
from gateway.engine.waiting import age
from gateway.engine.wipe import declare_wipe, renew_suspicion
from gateway.engine.work import Work
from gateway.engine.zones import move_zone


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
            if not _is_of_another(work, event):
                _said(work, event)


def _is_of_another(work: Work, event: LockEvent) -> bool:
    """Say whether another lock than ours reported something about its slots (rule 15)."""
    return work.device.replaced and isinstance(event, SlotReported | SlotTouched | WriteRefused | AllCleared)


def _said(work: Work, event: LockEvent) -> None:
    """Take in what the lock itself reported."""
    match event:
        case SlotReported():
            _reported(work, event.slot, event.reading)
        case SlotTouched():
            _touched(work, event.slot)
        case WriteRefused():
            if not absorb_late_refusal(work, event.slot, event.reason):
                _touched(work, event.slot)
        case AllCleared():
            _all_cleared(work)
        case CodeUsed():
            _used(work, event.slot, _happened(work, event.at))
        case ClockChecked():
            _clock_checked(work, event)
        case KeypadMode():
            work.set_device(keypad_off=event.off)
        case AccessDenied():
            _denied(work, event, _happened(work, event.at))
        case Tampered():
            work.tell("device.tampered", what=event.what)
        case BatteryLevel():
            _battery(work, event.level)


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
            work.set_slot(slot, retry_at=None, failures=state.failures if _counts_on(work, state) else 0)
    for code_id, placement in list(work.placements.items()):
        # What is still open is waited for because it may arrive late, and what was refused because it was.
        is_open = work.snapshot().open_intents(code_id)
        if placement.retry_at is not None and placement.unanswered and not is_open:
            work.set_placement(code_id, retry_at=None, failures=0)


def _counts_on(work: Work, state: Slot) -> bool:
    """Say whether looks in vain add up over signs of life: what waits for this one has waited long."""
    since = work.device.doubted_since
    return state.reading is None and since is not None and age(since, work.now) >= LOOKS_LAST


def _since(work: Work, link: Link) -> datetime | None:
    return work.device.link_since if work.device.link is link else work.now


def _seen(work: Work, event: LockSeen) -> None:
    before = work.device.capabilities
    first = before is None
    if before is not None:
        move_zone(work, before.schedule_zone, event.capabilities.schedule_zone)
    if event.heard or work.device.link is not Link.UNREACHABLE:
        _end_silence(work)
        work.set_device(link=Link.ONLINE, link_since=_since(work, Link.ONLINE))
    work.set_device(
        capabilities=event.capabilities,
        seen_identity=_seen_identity(work.device.seen_identity, event.identity),
        identity=_pinned_identity(work.device.identity, event.identity),
        authority_lost_at=None,
        unseen_since=None,
        asleep_since=None,
        retry_at=None,
        keypad_off=event.keypad_off,
    )
    if event.capabilities.readback is Readback.NONE:
        work.set_device(restored_from=None)  # no look will ever tell what came onto it since
    if first:
        work.set_device(audit_at=work.now)
        work.tell("device.added")
    if event.battery is not None:
        _battery(work, event.battery)


def _seen_identity(before: Identity | None, now: Identity) -> Identity:
    """Keep what was told once: a lock that does not tell it this time is no other lock."""
    if before is None or before.contradicts(now):
        return now
    return now.completed(before)


def _pinned_identity(pinned: Identity | None, seen: Identity) -> Identity:
    """Pin a lock at first sight, and its product and serial number when those are told later."""
    if pinned is None:
        return seen
    return pinned if pinned.contradicts(seen) else pinned.completed(seen)


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


def _happened(work: Work, at: datetime | None) -> datetime:
    """Return when a record says that something happened; a time that cannot be is that of hearing of it."""
    if at is None or not work.now - OLDEST_RECORD <= at <= work.now:
        return work.now
    return at


def _known_of(work: Work, slot: SlotRef) -> tuple[Placement | None, Slot | None]:
    """Return whose a slot is and what is known of it; of a slot of another lock nothing is (rule 15)."""
    if work.device.replaced:
        return None, None
    return work.snapshot().owner(slot), work.slots.get(slot)


def _used(work: Work, slot: SlotRef, at: datetime) -> None:
    owner, state = _known_of(work, slot)
    code = work.codes.get(owner.access_code_id) if owner is not None else None
    if owner is None:
        _tell_use(work, slot, at, state.unmanaged_id if state is not None else None, managed=False)
        return
    # A lock's clock may be a little behind: a use soon after the code was set is one of this code.
    latest = at + CLOCK_TOLERANCE
    if code is not None and latest < code.created_at <= work.now:
        _tell_use(work, slot, at, None, managed=False)  # whoever had this slot then: it was not this code
        return
    code_id, confirmed = owner.access_code_id, owner.confirmed
    # After a change that the lock does not show, somebody came in with a PIN that nobody knows.
    shown = owner.outside is None or (state is not None and isinstance(state.reading, Known))
    if (
        confirmed is not None
        and shown
        and confirmed.evidence < Evidence.USED
        and not work.snapshot().open_intents(code_id)
        and (owner.outside is None or owner.outside.honoured)
        and _was_only(work, owner, confirmed.credential.pin, latest)
    ):
        better = replace(confirmed, evidence=Evidence.USED, at=max(at, confirmed.at))
        work.set_placement(code_id, confirmed=better, was_on_lock=True)
    _tell_use(work, slot, at, code_id, managed=True)
    if code is not None and _is_first(work, code, owner, latest):
        first = replace(code, first_used_at=at)
        work.set_code(first)
        share_use(work, first)
        work.tell_past(at, "access_code.first_used", code_id)


def _is_first(work: Work, code: AccessCode, owner: Placement, latest: datetime) -> bool:
    """Say whether this is the first use of the PIN that a code has; of a backup, since it was pulled."""
    waited = code.backup == "pulled" and code.starts_at is not None and latest < code.starts_at
    return code.first_used_at is None and not waited and _was_only(work, owner, code.pin, latest)


def _was_only(work: Work, owner: Placement, pin: Pin, at: datetime) -> bool:
    """Say whether a slot of ours can have held no other PIN than this at a moment."""
    confirmed, outside, since = owner.confirmed, owner.outside, owner.pin_since
    sent = [i for i in work.snapshot().open_intents(owner.access_code_id) if i.kind is IntentKind.SET]
    if any(intent.target is None or intent.target.pin != pin for intent in sent):
        return False
    if confirmed is None and sent:
        # What was there before the first write is known only where it was nothing, or cannot be read at all.
        return sent[0].opened_at <= at and (isinstance(sent[0].before, Empty) or _blind(work))
    return (
        (confirmed is None or confirmed.credential.pin == pin)
        and (outside is None or outside.honoured or "code" not in outside.fields)
        and not owner.rewrite_due
        and (since is None or since <= at)
    )


def _tell_use(work: Work, slot: SlotRef, at: datetime, code_id: str | None, *, managed: bool) -> None:
    work.tell_past(at, "lock.unlocked", code_id, method="keycode", slot=slot, access_code_is_managed=managed)


def _clock_checked(work: Work, checked: ClockChecked) -> None:
    """Take in what the lock's own clock shows.

    One that could not be read leaves things as they are, unless it may have stopped since. A hub that does
    not know the time itself did not ask.
    """
    off_by = checked.off_by
    if off_by is not None:
        right = abs(off_by) <= CLOCK_TOLERANCE
        if right and (work.device.clock_unread or not work.device.is_clock_right):
            _offer_windows_again(work)
        work.set_device(clock_off_by=off_by, is_clock_right=right, clock_unread=False)
    elif work.t.trusted:
        work.set_device(clock_unread=True)
        if checked.lost and work.device.is_clock_right:
            work.set_device(clock_off_by=None, is_clock_right=None)


def _offer_windows_again(work: Work) -> None:
    """Have windows kept by the lock that it refused: the clock that just came right may have been why."""
    for code_id, placement in list(work.placements.items()):
        if placement.hub_keeps is not None:
            work.set_placement(code_id, hub_keeps=None)


def _denied(work: Work, event: AccessDenied, at: datetime) -> None:
    """Tell that somebody was not let in, naming the code that the lock says it was."""
    owner, state = _known_of(work, event.slot) if event.slot is not None else (None, None)
    code_id = state.unmanaged_id if state is not None else None
    if owner is not None:
        code_id = owner.access_code_id
        code = work.codes.get(code_id)
        if code is not None and at + CLOCK_TOLERANCE < code.created_at <= work.now:
            code_id = None  # whoever had this slot then: it was not this code
    why = {"reason_code": event.reason, "message": DENIALS[event.reason]}
    work.tell_past(at, "lock.access_denied", code_id, reason=why)


def _battery(work: Work, level: float) -> None:
    """Tell what became of the battery, whether its level came alone or with the rest of what the lock is."""
    before, status = work.device.battery, battery_status(level)
    work.set_device(battery=level)
    if before is None or battery_status(before) != status:
        work.tell("device.battery_status_changed", battery_status=status, battery_level=level)
    if level < LOW_BATTERY and (before is None or before >= LOW_BATTERY):
        work.tell("device.low_battery", battery_level=level)
