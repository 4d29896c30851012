"""`plan`: what should be done on one lock now. Pure, total, deterministic.

Order of work: removals past their end, started windows, staged codes, backups, looks at single slots, audits.
"""

from collections.abc import Iterator
from datetime import datetime

from gateway.domain.clock import TimeView
from gateway.domain.code import AccessCode
from gateway.domain.credential import Credential
from gateway.domain.issues import Issue
from gateway.domain.placement import Snapshot
from gateway.domain.timing import Timing
from gateway.engine.audit import audit_steps, doomed_steps, look_steps
from gateway.engine.desire import (
    desired,
    has_ended,
    is_open,
    is_over,
    is_to_shut,
    opens_too_early,
    programming_at,
)
from gateway.engine.gates import Gate, held_by_clock_step, lock_gate
from gateway.engine.issues import lock_issues, moments
from gateway.engine.plan import Plan, ReadSlot, Step, Wants
from gateway.engine.rehearsal import rehearse
from gateway.engine.removal import plan_removal
from gateway.engine.setting import plan_setting
from gateway.engine.touch import touch_issues
from gateway.engine.waiting import Wake, is_due


def plan(snap: Snapshot, t: TimeView, timing: Timing, *, removals_after_step: int = 3) -> Plan:
    """Return the steps to take on this lock, what stands in the way, and when to look again.

    An empty list of steps with `next_wake` None means: converged, and only an event, a command or a change of
    the
    clock can bring work.
    """
    wake = Wake(t.now)
    for moment in moments(snap, t, timing):
        wake.note(moment)
    gate = lock_gate(snap, t, wake)
    held = held_by_clock_step(snap, t, removals_after_step)
    issues: list[Issue] = []
    steps: list[Step] = []
    waiting: dict[str, str] = {}
    wants = {code.access_code_id: desired(code, snap, t, timing) for code in _unfinished(snap, t)}
    for code, want in _by_urgency(wants, snap, t, timing):
        if code.access_code_id in held:
            continue
        if want is None:
            found = plan_removal(code, snap, t, wake)
            steps += found
            if found:
                waiting[code.access_code_id] = "removed"
        elif snap.device.is_managed:  # on any other lock, removals that are under way come to their end
            found, trouble = plan_setting(code, want, snap, t, wake)
            steps += found
            issues += trouble
            if found:
                waiting[code.access_code_id] = "disabled" if is_to_shut(code, want, snap, t) else "set"
    steps += doomed_steps(snap, t, wake)
    steps += look_steps(snap, t, wake)
    steps += audit_steps(snap, t, timing, wake)
    issues += rehearse(snap, t, timing, wants)
    if gate is Gate.NOT_CONFIGURED:
        issues = []  # only the file says which slots the hub may use: without it there would be no room
    explained = {issue.access_code_id for issue in issues}
    if gate is Gate.ASLEEP:
        issues += touch_issues(snap, t, waiting, steps)
    issues += lock_issues(snap, t, timing, wants=wants, gate=gate, held=held, explained=explained)
    return Plan(
        steps=() if gate is not Gate.OPEN else tuple(_once(_answering(steps, snap, t, wake))),
        issues=tuple(issues),
        next_wake=wake.at,
        holds_removals=bool(held),
        wants=wants,
    )


def _by_urgency(
    wants: Wants, snap: Snapshot, t: TimeView, timing: Timing
) -> list[tuple[AccessCode, Credential | None]]:
    """Order codes, each with what it wants.

    Removals past their end, other removals, started windows, staged codes; oldest first.
    """

    def urgency(wish: tuple[AccessCode, Credential | None]) -> tuple[int, datetime, str]:
        code, want = wish
        closes = opens_too_early(code, want, snap, t)
        if has_ended(code, t) or (closes and code.recurrence is not None):
            rank = 0
        elif is_over(code, snap, t) or closes:
            rank = 1
        elif code.backup == "waiting":
            rank = 4
        elif is_open(code, t.at):
            rank = 2
        else:
            rank = 3
        return (
            rank,
            programming_at(code, snap, t.at, timing) or code.created_at,
            code.access_code_id,
        )

    return sorted([(snap.codes[code_id], want) for code_id, want in wants.items()], key=urgency)


def _unfinished(snap: Snapshot, t: TimeView) -> Iterator[AccessCode]:
    """Return the codes with which something is left to do: most that a lock remembers are past."""
    return (
        code
        for code in snap.codes.values()
        if not is_over(code, snap, t) or snap.may_hold(code.access_code_id)
    )


def _answering(steps: list[Step], snap: Snapshot, t: TimeView, wake: Wake) -> list[Step]:
    """Leave out looks at slots that gave no answer, until they are due again."""
    ready: list[Step] = []
    for step in steps:
        if isinstance(step, ReadSlot):
            state = snap.slots.get(step.slot)
            waits = [snap.device.look_retry_at, state.retry_at if state is not None else None]
            late = [moment for moment in waits if not is_due(moment, t.now)]
            for moment in late:
                wake.note(moment)
            if late:
                continue
        ready.append(step)
    return ready


def _once(steps: list[Step]) -> Iterator[Step]:
    seen: list[Step] = []
    for step in steps:
        if step not in seen:
            seen.append(step)
            yield step
