"""What became of an operation: attached to its intent, turned into facts. Works on a `Work`."""

from datetime import datetime

from gateway.domain.credential import Credential, Empty, Evidence, Unreadable
from gateway.domain.driver import (
    AuthorityDown,
    DriverError,
    LockAsleep,
    LockUnreachable,
    NoAnswer,
    Refused,
    Written,
)
from gateway.domain.lock import Link, Readback
from gateway.domain.placement import Intent, IntentKind, Placement, Refusal
from gateway.domain.timing import CLEARS_REFUSED, LOOKS_THAT_MAY_FAIL, SETTLE
from gateway.engine.audit import all_read, next_look, spent_until
from gateway.engine.desire import desired, granularity
from gateway.engine.holding import confirm, gone
from gateway.engine.outside import chooses_slots, removed_by_somebody
from gateway.engine.plan import Probe
from gateway.engine.readings import absorb_reading
from gateway.engine.rejections import note_rejection
from gateway.engine.setting import reason_to_write
from gateway.engine.silence import note_return, note_silence
from gateway.engine.waiting import age
from gateway.engine.wipe import renew_suspicion
from gateway.engine.work import Work

SECOND_LOOK = SETTLE / 2
"""A write that the first look does not show is looked at once more after this (zwave.md section 9: 15 s)."""


def absorb_answer(work: Work) -> None:
    """Note that the lock answered: nothing holds it back any more."""
    renew_suspicion(work)
    note_return(work)
    device = work.device
    if device.asleep_since is not None:
        work.set_device(asleep_since=None)
    if device.failures or device.retry_at is not None or device.link is not Link.ONLINE:
        work.set_device(failures=0, retry_at=None, link=Link.ONLINE, link_since=work.now)


def absorb_read_cost(work: Work) -> None:
    """Charge one read of an audit to the budget."""
    work.set_device(read_budget=spent_until(work.device.read_budget, work.now, work.timing))


def absorb_probe(work: Work, checksum: str) -> None:
    """Compare the checksum with the one that belongs to the readings we have.

    Readings belong to a checksum that was the same before the first and after the last of them: an edit in
    between, which nothing told, would be taken as known otherwise.
    """
    device = work.device
    if device.probe == checksum:
        work.set_device(probed_at=work.now)
        return
    opened_at = device.probe_opened_at
    is_open = opened_at is not None and device.audit_round is not None and opened_at >= device.audit_round
    if device.probe is not None or not is_open or opened_at is None:
        work.set_device(probe=None, probed_at=None, probe_open=checksum, probe_opened_at=work.now)
        return
    # An audit asked for while this answer was on its way has not read the slots yet.
    if _is_due(work):
        belongs = device.probe_open == checksum and all_read(work.snapshot(), opened_at)
        work.set_device(probe=checksum if belongs else None, probed_at=work.now)


def _is_due(work: Work) -> bool:
    """Say whether the audit under way has come to its last checksum."""
    started, capabilities = work.device.audit_round, work.device.capabilities
    if started is None or capabilities is None:
        return False
    return isinstance(next_look(work.snapshot(), capabilities, started, work.now), Probe)


def absorb_written(work: Work, intent: Intent, written: Written) -> None:
    """Take in that a write went out."""
    code_id, target, slot = intent.access_code_id, intent.target, written.slot
    work.set_slot(
        slot,
        own_write_at=work.now,
        former=None,
        touched=False,
        unmanaged_id=None,
        ghost=False,
        empty_since=None,
    )
    work.set_device(probe=None, probe_open=None)
    if code_id is None or target is None or not work.is_open(intent):
        _settled_meanwhile(work, slot, written)
        return
    if intent.slot is None:
        _given_away(work, code_id, slot)
    work.set_placement(code_id, slot=slot)
    if isinstance(written.reading, Unreadable) and written.reading.enabled in (None, target.enabled):
        # The lock took it and did not say no; more it never tells (zwave.md section 9).
        work.set_slot(slot, reading=written.reading, read_at=work.now, check_at=None)
        confirm(work, code_id, slot, target, Evidence.OCCUPIED)
        return
    if written.reading is not None:
        absorb_reading(work, slot, written.reading)
        if not _shows(work, code_id, target):
            _not_shown(work, code_id)
            work.set_slot(slot, check_at=work.now + SECOND_LOOK)
        return
    work.set_slot(slot, reading=None, read_at=None, check_at=None)
    confirm(work, code_id, slot, target, written.evidence)
    _plan_second_check(work, slot, written.evidence)


def _given_away(work: Work, code_id: str, slot: str) -> None:
    """Note that the code which was in a slot is gone: the lock itself gave the slot to another one."""
    before = work.snapshot().owner(slot)
    if before is not None and before.access_code_id != code_id:
        removed_by_somebody(work, before)


def _shows(work: Work, code_id: str, target: Credential) -> bool:
    """Say whether the lock is known to hold what was written."""
    confirmed = work.placement(code_id).confirmed
    return confirmed is not None and confirmed.credential.same_access(target, granularity(work.snapshot()))


def _settled_meanwhile(work: Work, slot: str, written: Written) -> None:
    """Take in an outcome nobody waits for: a report told it before, or the code or the lock was given up."""
    if written.reading is not None:
        absorb_reading(work, slot, written.reading)
    elif not _blind(work):
        work.set_slot(slot, reading=None, read_at=None, check_at=work.now)


def _plan_second_check(work: Work, slot: str, evidence: Evidence) -> None:
    capabilities = work.device.capabilities
    if capabilities is not None and capabilities.readback is Readback.DIGITS and evidence < Evidence.OCCUPIED:
        work.set_slot(slot, check_at=work.now + work.timing.second_check)


def absorb_cleared(work: Work, intent: Intent, written: Written) -> None:
    """Take in that a clear went out."""
    slot, code_id = written.slot, intent.access_code_id
    work.set_slot(slot, own_write_at=work.now, touched=False)
    work.set_device(probe=None, probe_open=None)
    if code_id is None:
        _cleared_ghost(work, intent, written)
        return
    placement = work.placement(code_id)
    if not work.is_open(intent):
        _settled_meanwhile(work, slot, written)
        return
    if written.reading is not None and not _blind(work):
        absorb_reading(work, slot, written.reading)
        if work.snapshot().may_hold(code_id):
            _not_shown(work, code_id)
        else:
            work.set_slot(slot, check_at=work.now + work.timing.second_check)
        return
    if written.evidence >= Evidence.ACCEPTED:
        _accepted_clear(work, intent, placement, slot)
    elif _blind(work) and placement.cleared_at is not None:
        _leave(work, placement, slot)
    else:
        work.close(intent, "sent")
        work.set_placement(code_id, cleared_at=work.now if _blind(work) else None)
        work.set_slot(slot, check_at=None if _blind(work) else work.now)


def _accepted_clear(work: Work, intent: Intent, placement: Placement, slot: str) -> None:
    """Believe the lock, unless an unanswered write of ours may still arrive after the clear."""
    others = [
        i
        for i in work.snapshot().open_intents(placement.access_code_id)
        if i.kind is IntentKind.SET and age(i.opened_at, work.now) < SETTLE
    ]
    if others:
        work.close(intent, "accepted, but a write may still arrive")
        work.set_placement(placement.access_code_id, retry_at=max(i.opened_at for i in others) + SETTLE)
        return
    _leave(work, placement, slot)


def _leave(work: Work, placement: Placement, slot: str) -> None:
    gone(work, placement, by_us=True)
    check = None if _blind(work) else work.now + work.timing.second_check
    work.set_slot(slot, reading=None, read_at=None, check_at=check)


def _cleared_ghost(work: Work, intent: Intent, written: Written) -> None:
    slot = written.slot
    work.close(intent, "applied")
    if written.reading is not None and not isinstance(written.reading, Empty):
        _not_cleared(work, slot)
        return
    if written.reading is not None:
        # It shows as removed: a PIN that was refused because of it is worth another try (rule 11).
        work.set_device(inventory_version=work.device.inventory_version + 1)
    doomed = work.slot(slot)
    if doomed.doomed_at is not None and doomed.unmanaged_id is not None:
        work.tell("access_code.unmanaged.removed", doomed.unmanaged_id)
        work.set_slot(slot, unmanaged_id=None, unmanaged_since=None, doomed_at=None, empty_since=None)
    work.set_slot(
        slot,
        ghost=False,
        refusals=0,
        retry_at=None,
        reading=written.reading,
        read_at=work.now if written.reading is not None else None,
        check_at=work.now + work.timing.second_check,
    )


def _not_cleared(work: Work, slot: str) -> None:
    """Try later and later. Of a code of others it is given up in the end: its attempt says so."""
    refusals = work.slot(slot).refusals + 1
    work.set_slot(slot, refusals=refusals, retry_at=work.retry_after(refusals))
    if refusals >= CLEARS_REFUSED:
        work.set_slot(slot, doomed_at=None)


def _blind(work: Work) -> bool:
    capabilities = work.device.capabilities
    return capabilities is not None and capabilities.readback is Readback.NONE


def _not_shown(work: Work, code_id: str) -> None:
    """Note that the lock took an operation and does not show its effect."""
    failures = work.placement(code_id).failures + 1
    work.set_placement(
        code_id,
        failures=failures,
        failure="the lock took the command and does not show its effect",
        unanswered=False,
        retry_at=work.retry_after(failures),
    )


def absorb_failure(
    work: Work,
    intent: Intent | None,
    error: DriverError,
    *,
    began: datetime | None = None,
    looked_at: str | None = None,
) -> None:
    """Take in that an operation failed. What may have been applied stays open.

    A lock that came back after the operation `began` is tried again at once: the failure is older news.
    One that listens only when touched did not fail: everything waits until it is heard.
    A look (at the slot `looked_at`) without an answer makes that slot wait, and the lock only if others fail
    too. A lock that does not react at all waits as a whole.
    """
    if isinstance(error, Refused):
        absorb_answer(work)
        if intent is not None:
            _refused(work, intent, error)
        else:
            # Asking again at once would flood the air; who refuses all the time is asked less and less.
            refused = work.device.looks_refused + 1
            work.set_device(looks_refused=refused)
            if looked_at is None:
                work.set_device(retry_at=work.retry_after(refused))
                _hold_back(work, error)
                return
            _look_failed(work, looked_at)
            if refused >= LOOKS_THAT_MAY_FAIL:
                work.set_device(look_retry_at=work.retry_after(refused - LOOKS_THAT_MAY_FAIL + 1))
    elif isinstance(error, LockAsleep):
        _not_sent(work, intent)
        if work.device.asleep_since is None:
            work.set_device(asleep_since=work.now)
    elif isinstance(error, AuthorityDown):
        _not_sent(work, intent)
        if work.device.authority_lost_at is None:
            work.set_device(authority_lost_at=work.now)
    else:
        _unanswered(work, error, began, looked_at)
        if not error.may_have_been_applied:
            _not_sent(work, intent)
        elif intent is not None and work.is_open(intent):
            _stays_open(work, intent, error)


def _hold_back(work: Work, error: Refused) -> None:
    """Note why nothing is written or removed on every code that waits: the look before it is refused.

    However often: none of that was an attempt at the code itself.
    """
    for code_id, code in list(work.codes.items()):
        snap, placement = work.snapshot(), work.placement(code_id)
        want = desired(code, snap, work.t, work.timing)
        waits = snap.may_hold(code_id) if want is None else reason_to_write(want, placement, snap) is not None
        if waits:
            failures = max(placement.failures, 1)
            work.set_placement(code_id, failures=failures, failure=str(error), unanswered=False)


def _not_sent(work: Work, intent: Intent | None) -> None:
    """Take back what was journalled and never went out."""
    if intent is not None:
        work.close(intent, "not sent")
        _as_before(work, intent)


def _unanswered(work: Work, error: DriverError, began: datetime | None, looked_at: str | None) -> None:
    """Make the lock wait, or only the slot that was looked at."""
    failures = work.device.failures + 1
    if _came_back(work, began):
        work.set_device(failures=failures, retry_at=None)
        return
    of_slot = looked_at is not None and isinstance(error, NoAnswer)
    if looked_at is not None and of_slot:
        _look_failed(work, looked_at)
    if of_slot and failures < LOOKS_THAT_MAY_FAIL:
        work.set_device(failures=failures)
    else:
        note_silence(work)
        work.set_device(failures=failures, retry_at=work.retry_after(failures))
        if isinstance(error, LockUnreachable) and work.device.link is not Link.UNREACHABLE:
            work.set_device(link=Link.UNREACHABLE, link_since=work.now)


def _stays_open(work: Work, intent: Intent, error: DriverError) -> None:
    """Note an operation whose effect is not known. Its slot stays reserved: the code may be there."""
    if intent.slot is not None:
        work.set_slot(intent.slot, own_write_at=work.now)
    work.set_device(probe=None, probe_open=None)
    code_id = intent.access_code_id
    if code_id is None:
        work.close(intent, "unknown")
        return
    placement = work.placement(code_id)
    work.set_placement(
        code_id,
        failures=placement.failures + 1,
        failure=str(error),
        unanswered=True,
        slot=placement.slot or intent.slot,
    )


def _look_failed(work: Work, slot: str) -> None:
    """Let one slot wait that does not answer, so that it holds up nothing else."""
    failures = work.slot(slot).failures + 1
    work.set_slot(slot, failures=failures, retry_at=work.retry_after(failures))


def _came_back(work: Work, began: datetime | None) -> bool:
    since = work.device.link_since
    return began is not None and since is not None and work.device.link is Link.ONLINE and since > began


def _as_before(work: Work, intent: Intent) -> None:
    """Note that an operation certainly had no effect: the reading from before it still holds, and ages."""
    if intent.slot is not None and intent.before is not None:
        work.set_slot(intent.slot, reading=intent.before, read_at=None)


def _refused(work: Work, intent: Intent, error: Refused) -> None:
    work.close(intent, f"refused: {error.reason}")
    _as_before(work, intent)
    code_id = intent.access_code_id
    if code_id is None:
        if intent.slot is not None:
            _not_cleared(work, intent.slot)
        return
    code, placement = work.codes.get(code_id), work.placement(code_id)
    if intent.slot is not None:
        work.set_slot(intent.slot, own_write_at=work.now)
        if error.reason is Refusal.OTHER and intent.kind is IntentKind.SET and chooses_slots(work):
            # Such a lock changes only what is there: somebody may have deleted the code.
            work.set_slot(intent.slot, check_at=work.now)
    if code is None or (intent.kind is IntentKind.SET and intent.revision != code.revision):
        return  # what was refused is no longer what is asked for
    if error.reason is Refusal.SCHEDULE:
        work.set_placement(code_id, hub_keeps=intent.revision)
        return
    failures = placement.failures + 1
    work.set_placement(code_id, failures=failures, failure=str(error), unanswered=False)
    is_full = error.reason is Refusal.FULL
    if (error.reason.permanent or is_full) and intent.kind is IntentKind.SET:
        # Room may come about in ways that nothing tells: tried again, later and later.
        work.set_placement(code_id, retry_at=work.retry_after(failures) if is_full else None)
        note_rejection(work, code, intent.target, error.reason)
    else:
        work.set_placement(code_id, retry_at=work.retry_after(failures))
    if is_full:
        work.set_device(audit_at=work.now)
