"""What would be done, on which lock, when, why, and at what radio cost, without doing it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from gateway.domain.code import AccessCode
from gateway.domain.lock import Readback
from gateway.domain.placement import Snapshot
from gateway.engine.commands.common import snapshots
from gateway.engine.commands.context import Context
from gateway.engine.commands.params import MaybeDevice
from gateway.engine.desire import is_over, programming_at, window_of
from gateway.engine.gates import lock_gate
from gateway.engine.mutations import instant, moment
from gateway.engine.plan import ClearSlot, Probe, ReadAll, ReadSlot, Step, Wants, WriteCode, radio_commands
from gateway.engine.replies import ComingStep, PlanIssue, PlannedStep, PlansReply, PlanView
from gateway.engine.turn import plan_for
from gateway.engine.waiting import Wake

_AHEAD = timedelta(days=30)
"""How far `coming` looks."""


def plans(context: Context, asked: MaybeDevice) -> PlansReply:
    """Return the plan of one lock or of all."""
    return PlansReply(plans=[plan_view(context, snap) for snap in snapshots(context, asked.device_id)])


def plan_view(context: Context, snap: Snapshot) -> PlanView:
    """Return what is to be done on a lock now, and what will be due."""
    found = plan_for(snap, context.t, context.rules)
    steps = found.steps
    if snap.device.held_for_restore or snap.device.asleep_since is not None:
        # After a restore a person confirms what will be done, and to a lock that sleeps one must go.
        released = replace(snap, device=replace(snap.device, held_for_restore=False, asleep_since=None))
        steps = plan_for(released, context.t, context.rules).steps
    return PlanView(
        device_id=snap.device.device_id,
        gate=lock_gate(snap, context.t, Wake(context.t.now)).value,
        steps=[_step(step, snap) for step in steps],
        coming=sorted(_coming(context, snap, found.wants), key=lambda step: (step.at, step.access_code_id)),
        issues=[
            PlanIssue(code=issue.code, access_code_id=issue.access_code_id, message=issue.message)
            for issue in found.issues
        ],
        next_wake=instant(found.next_wake),
    )


def _coming(context: Context, snap: Snapshot, wants: Wants) -> Iterator[ComingStep]:
    """Return the writes and removals that time alone will bring."""
    t, timing = context.t, context.rules.timing
    cost = 1 if _is_supervised(snap) else 2
    for code in snap.codes.values():
        if is_over(code, snap, t) or code.backup == "waiting":
            continue
        begin = programming_at(code, snap, t.at, timing)
        wanted = wants.get(code.access_code_id)
        if wanted is None and begin is not None and t.at < begin <= t.at + _AHEAD:
            yield _due(code, begin, "write", "it is set this long before its start", cost)
        elif wanted is not None and not wanted.enabled and code.starts_at is not None:
            yield _due(code, code.starts_at, "write", "it is enabled at its start", cost)
        window = window_of(code, t.at)
        if window is not None and window.ends_at is not None and window.ends_at <= t.at + _AHEAD:
            yield _due(code, window.ends_at, "clear", "its window ends", cost)


def _due(code: AccessCode, at: datetime, action: str, why: str, cost: int) -> ComingStep:
    return ComingStep(
        at=moment(at), action=action, access_code_id=code.access_code_id, why=why, radio_commands=cost
    )


def _is_supervised(snap: Snapshot) -> bool:
    can = snap.device.capabilities
    return can is None or can.supervised or can.readback is not Readback.DIGITS


def _step(step: Step, snap: Snapshot) -> PlannedStep:
    can = snap.device.capabilities
    cost = radio_commands(
        step,
        supervised=can is not None and can.supervised,
        readable=can is not None and can.readback is Readback.DIGITS,
    )
    return PlannedStep(
        action=_ACTIONS[type(step)],
        slot=None if isinstance(step, ReadAll | Probe) else step.slot,
        access_code_id=step.access_code_id if isinstance(step, WriteCode | ClearSlot) else None,
        why=step.why,
        radio_commands=cost,
    )


_ACTIONS: dict[type, str] = {
    ReadSlot: "read",
    ReadAll: "list",
    Probe: "probe",
    WriteCode: "write",
    ClearSlot: "clear",
}
