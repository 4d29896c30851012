"""One unit of work on the facts of one lock: take something in, plan, tell, journal the next operation."""

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from gateway.domain.clock import TimeView
from gateway.domain.code import AccessCode
from gateway.domain.credential import Credential, Known
from gateway.domain.placement import Intent, IntentKind, Snapshot
from gateway.domain.store import Tx
from gateway.domain.timing import WIPE_SHOWS, Timing
from gateway.engine.announce import announce
from gateway.engine.attempts import settle
from gateway.engine.audit import next_look
from gateway.engine.backups import tend_pool
from gateway.engine.desire import desired, is_honoured_removal, is_over, opens_too_early
from gateway.engine.plan import ClearSlot, Plan, Step, WriteCode
from gateway.engine.planner import plan
from gateway.engine.rebase import rebase
from gateway.engine.restored import are_looks_due, came_afterwards
from gateway.engine.setting import plan_setting
from gateway.engine.waiting import Wake, age
from gateway.engine.wipe import is_silent
from gateway.engine.work import Chance, Work

type Absorb = Callable[[Work], None]


class Turn(Struct, frozen=True, kw_only=True):
    """What a unit decided: the step to carry out with its journalled intent, or when to look again."""

    step: Step | None
    intent: Intent | None
    holds: Credential | None
    next_wake: datetime | None
    spacing: timedelta = timedelta(0)
    """Pause that the lock wants between two operations."""
    holds_removals: bool = False
    """A jump of the clock that nobody confirmed holds removals back."""


class Rules(Struct, frozen=True, kw_only=True):
    """The settings that turns depend on."""

    timing: Timing
    removals_after_step: int
    next_audit: Callable[[str, datetime], datetime]
    """(cron expression, now) -> when the next audit is due."""
    time_zone: str = "UTC"
    """Where the house stands: windows that come back are meant in this zone unless they name another."""


def turn(
    tx: Tx, device_id: str, t: TimeView, rules: Rules, chance: Chance, *, absorb: Absorb | None, act: bool
) -> Turn:
    """Take in what happened, plan, tell what changed; with `act`, journal the first step and return it."""
    snap = tx.snapshot(device_id)
    if snap is None:
        return Turn(step=None, intent=None, holds=None, next_wake=None)
    work = Work(snap, t, rules.timing, chance)
    # Noted by a clock that was ahead, it would come far too late. One that is overdue by the new time too
    # stays: every start is a boot of its own, and a hub that is off at that hour would never audit.
    if rebase(work) and not _audit_due(work):
        work.set_device(audit_at=_next_audit(work, rules))
    if absorb is not None:
        absorb(work)
    if act:
        _close_lost(work)
    housekeeping(work, rules)
    found = plan_for(work.snapshot(), t, rules)
    announce(work, tx, found.issues)
    drop_finished(work)
    settle(work, tx)
    step = found.steps[0] if found.steps else None
    intent = _journal(work, step) if act and step is not None else None
    work.save(tx)
    holds = _holds(work.snapshot(), step, intent) if step is not None else None
    capabilities = work.device.capabilities
    return Turn(
        step=step,
        intent=intent,
        holds=holds,
        next_wake=found.next_wake,
        spacing=capabilities.spacing if capabilities is not None else timedelta(0),
        holds_removals=found.holds_removals,
    )


def plan_for(snap: Snapshot, t: TimeView, rules: Rules) -> Plan:
    """Plan under the settings."""
    return plan(snap, t, rules.timing, removals_after_step=rules.removals_after_step)


def housekeeping(work: Work, rules: Rules) -> None:
    """Do what needs no radio: begin and end audits, note when removals began, end alarms that are over."""
    device = work.device
    if device.paused_until is not None and device.paused_until <= work.now:
        work.set_device(paused_until=None)
    if device.audit_round is None and device.policy is not None and _audit_due(work):
        work.set_device(audit_round=work.now, audit_at=_next_audit(work, rules))
    started = work.device.audit_round
    capabilities = device.capabilities
    if (
        started is not None
        and capabilities is not None
        and not next_look(work.snapshot(), capabilities, started, work.now)
    ):
        work.set_device(audit_round=None)
    held = [p for p in work.placements.values() if p.confirmed is not None]
    suspected = work.device.wipe_suspected_at
    if suspected is not None and (not held or _should_have_shown(work, suspected)):
        _drop_suspicion(work)
    _end_wipe_alarm(work)
    for code in list(work.codes.values()):
        placement = work.placement(code.access_code_id)
        holding = work.snapshot().may_hold(code.access_code_id)
        if (
            not holding
            and placement.slot is None
            and placement.outside is None
            and not placement.removal_began
            and not placement.failures
            and not placement.lost
        ):
            continue  # most codes that a lock remembers are past
        want = desired(code, work.snapshot(), work.t, work.timing)
        leaving = want is None
        closing = opens_too_early(code, want, work.snapshot(), work.t)
        if ((leaving and holding) or closing) and placement.removal_began is None:
            # What held back a write does not hold back the removal.
            work.set_placement(
                code.access_code_id, removal_began=work.now, failures=0, failure=None, retry_at=None
            )
        elif placement.removal_began is not None and not ((leaving and holding) or closing):
            work.set_placement(code.access_code_id, removal_began=None)
        if leaving and not holding:
            _forget_trouble(work, code)
        elif is_over(code, work.snapshot(), work.t) and placement.outside is not None:
            work.set_placement(code.access_code_id, outside=None)
    tend_pool(work)


def _forget_trouble(work: Work, code: AccessCode) -> None:
    """Forget what stood in the way of a code that wants nothing now and is not on the lock.

    It is none of a later window. What others did and the code allows goes only when the code is over.
    """
    placement = work.placement(code.access_code_id)
    wish = placement.outside if placement.outside is not None and placement.outside.honoured else None
    if is_over(code, work.snapshot(), work.t):
        wish = None
    rested = replace(placement, slot=None, outside=wish, failures=0, failure=None, retry_at=None, lost=0)
    if rested != placement:
        work.placements[code.access_code_id] = rested


def _next_audit(work: Work, rules: Rules) -> datetime | None:
    policy = work.device.policy
    return rules.next_audit(policy.audit, work.now) if policy is not None else None


def _should_have_shown(work: Work, suspected: datetime) -> bool:
    """Say whether there was time enough to look at every code since a wipe was suspected."""
    return not is_silent(work.device) and age(suspected, work.now) > WIPE_SHOWS


def _drop_suspicion(work: Work) -> None:
    """Judge each missing code for itself: not every slot could be looked at."""
    work.set_device(wipe_suspected_at=None)
    for placement in work.placements.values():
        if placement.empty_twice and placement.slot is not None:
            work.set_slot(placement.slot, check_at=work.now)


def _audit_due(work: Work) -> bool:
    device = work.device
    if device.capabilities is None:
        return False
    return device.audit_at is None or device.audit_at <= work.now


def _end_wipe_alarm(work: Work) -> None:
    """End the alarm once every wanted code is back that can come back; any other has its own error."""
    device = work.device
    if device.wiped_at is None or device.held_after_wipe or device.wiped_at != work.before.device.wiped_at:
        return  # one that begins in this unit is told first
    snap = work.snapshot()
    for code in work.codes.values():
        placement = work.placement(code.access_code_id)
        want = desired(code, snap, work.t, work.timing)
        if want is None or placement.confirmed is not None or is_honoured_removal(placement):
            continue
        steps, obstacles = plan_setting(code, want, snap, work.t, Wake(work.now))
        if steps or not obstacles:
            return
    work.set_device(wiped_at=None)


def drop_finished(work: Work) -> None:
    """Drop codes that are on no lock: deleted ones, and those that ended or were used up long ago.

    After a restore none before it was looked for: it may have come onto the lock since the backup was made.
    """
    looks_due = are_looks_due(work)
    for code in list(work.codes.values()):
        if looks_due and not came_afterwards(work, code):
            continue
        finished = code.deleted_at is not None or _ended_long_ago(code, work)
        if finished and not work.snapshot().may_hold(code.access_code_id):
            work.tell("access_code.deleted", code.access_code_id, left_behind=False)
            work.drop_code(code.access_code_id)


def _ended_long_ago(code: AccessCode, work: Work) -> bool:
    """Say so only by a clock that nobody doubts."""
    t = work.t
    sure = t.trusted and t.step is None
    ends = (code.ends_at, code.first_used_at if code.is_used_up else None)
    return sure and any(end is not None and t.at - end >= work.timing.code_retention for end in ends)


def _close_lost(work: Work) -> None:
    """End what was journalled about slots of others and never ended: the hub was killed, or its disk full.

    Operations on a lock are serial, and the next one is about to begin: none is on the air. Those of our own
    codes stay open until a look or a repetition tells; nothing else would ever end these.
    """
    for intent in list(work.intents):
        if intent.access_code_id is None:
            work.close(intent, "unknown")


def _journal(work: Work, step: Step) -> Intent | None:
    """Open the intent of a write before it goes out, and reserve its slot."""
    if not isinstance(step, WriteCode | ClearSlot):
        return None
    code = work.codes.get(step.access_code_id) if step.access_code_id is not None else None
    before = work.slot(step.slot) if step.slot is not None else None
    intent = Intent(
        intent_id=work.chance.new_id(),
        access_code_id=step.access_code_id,
        revision=code.revision if code is not None else 0,
        slot=step.slot,
        kind=IntentKind.SET if isinstance(step, WriteCode) else IntentKind.CLEAR,
        target=step.credential if isinstance(step, WriteCode) else None,
        before=before.reading if before is not None else None,
        opened_at=work.now,
        why=step.why,
    )
    work.open(intent)
    if step.slot is not None:
        # What was read before says nothing of what the slot holds from now on. Of a code of others that a
        # command wants deleted it says which is meant: if the clear is lost, another one there is left alone.
        doomed = before is not None and before.doomed_at is not None
        work.set_slot(step.slot, reading=intent.before if doomed else None, read_at=None)
    if isinstance(step, WriteCode) and step.slot is not None:
        work.set_placement(step.access_code_id, slot=step.slot)
    return intent


def _holds(snap: Snapshot, step: Step, intent: Intent | None) -> Credential | None:
    """Return what we believe to be in the slot that a step writes."""
    if not isinstance(step, WriteCode | ClearSlot):
        return None
    if step.access_code_id is not None:
        confirmed = snap.placement(step.access_code_id).confirmed
        return confirmed.credential if confirmed is not None else None
    if intent is not None and isinstance(intent.before, Known):
        return intent.before.credential
    slot = snap.slots.get(step.slot or "")
    return Credential(pin=slot.former.pin) if slot is not None and slot.former is not None else None
