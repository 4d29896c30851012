"""What would be done, on which lock, when, why, and at what radio cost, without doing it."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from gateway.domain.clock import TimeView
from gateway.domain.code import AccessCode
from gateway.domain.credential import Credential, Empty
from gateway.domain.lock import Readback
from gateway.domain.placement import Slot, Snapshot
from gateway.engine.commands.common import snapshots
from gateway.engine.commands.context import Context
from gateway.engine.commands.params import MaybeDevice
from gateway.engine.desire import Window, desired, is_native, is_over, programming_at, window_of
from gateway.engine.gates import lock_gate
from gateway.engine.mutations import instant, moment
from gateway.engine.plan import ClearSlot, Probe, ReadAll, ReadSlot, Step, Wants, WriteCode, radio_commands
from gateway.engine.replies import ComingStep, PlanIssue, PlannedStep, PlansReply, PlanView
from gateway.engine.slots import owned
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
        steps=[_step(step, snap) for step in (*steps, *_behind_looks(context, snap, steps))],
        coming=sorted(_coming(context, snap, found.wants), key=lambda step: (step.at, step.access_code_id)),
        issues=[
            PlanIssue(code=issue.code, access_code_id=issue.access_code_id, message=issue.message)
            for issue in found.issues
        ],
        next_wake=instant(found.next_wake),
    )


def _behind_looks(context: Context, snap: Snapshot, steps: Collection[Step]) -> Iterator[Step]:
    """Return the writes for which slots are looked at first, if the looks find what the hub believes."""
    looks = [step for step in steps if isinstance(step, ReadSlot | ReadAll) and not step.audit]
    if not looks:
        return
    now, slots, ours = context.t.now, dict(snap.slots), owned(snap)
    for look in looks:
        if isinstance(look, ReadSlot) and look.slot not in ours:
            state = slots.get(look.slot, Slot(slot=look.slot))
            slots[look.slot] = replace(state, reading=state.reading or Empty(), read_at=now)
    listed = any(isinstance(look, ReadAll) for look in looks)
    device = replace(snap.device, probed_at=now) if listed else snap.device
    found = plan_for(replace(snap, device=device, slots=slots), context.t, context.rules)
    for step in found.steps:
        if isinstance(step, WriteCode) and step not in steps:
            yield step


def _coming(context: Context, snap: Snapshot, wants: Wants) -> Iterator[ComingStep]:
    """Return the writes and removals that time alone will bring."""
    t, timing = context.t, context.rules.timing
    last = t.at + _AHEAD
    for code in snap.codes.values():
        window = window_of(code, t.at)
        if window is None or is_over(code, snap, t) or code.backup == "waiting":
            continue
        yield from _opening(code, window, wants.get(code.access_code_id), context, snap)
        if window.ends_at is not None and window.ends_at <= last:
            want = desired(code, snap, _later(t, window.ends_at), timing)
            if want is None:
                slot = snap.placement(code.access_code_id).slot or ""
                cleared = ClearSlot(access_code_id=code.access_code_id, slot=slot, why="its window ends")
                yield _due(cleared, window.ends_at, snap)
            elif not want.enabled:
                yield _due(_write(code, want, "it is disabled until its next window"), window.ends_at, snap)


def _opening(
    code: AccessCode, window: Window, wanted: Credential | None, context: Context, snap: Snapshot
) -> Iterator[ComingStep]:
    """Return the writes for a window: before its start, and at its start where the code waits disabled."""
    t, timing = context.t, context.rules.timing
    begin = programming_at(code, snap, t.at, timing)
    if wanted is None and begin is not None and t.at < begin <= t.at + _AHEAD:
        wanted = desired(code, snap, _later(t, begin), timing)
        if wanted is not None:
            yield _due(_write(code, wanted, "it is set this long before its start"), begin, snap)
    # Where the lock keeps the windows, and not the first day, the code waits for that.
    start = code.starts_at if is_native(code, snap) else window.starts_at
    if wanted is not None and not wanted.enabled and start is not None and start <= t.at + _AHEAD:
        want = desired(code, snap, _later(t, start), timing)
        if want is not None and want.enabled:
            yield _due(_write(code, want, "it is enabled at its start"), start, snap)


def _later(t: TimeView, at: datetime) -> TimeView:
    """Return the look at the time that will be had then, if nothing happens to the clock."""
    return replace(t, now=at, floor=at)


def _write(code: AccessCode, want: Credential, why: str) -> WriteCode:
    return WriteCode(access_code_id=code.access_code_id, slot=None, credential=want, why=why)


def _due(step: WriteCode | ClearSlot, at: datetime, snap: Snapshot) -> ComingStep:
    return ComingStep(
        at=moment(at),
        action=_ACTIONS[type(step)],
        access_code_id=step.access_code_id or "",
        why=step.why,
        radio_commands=_cost(step, snap),
    )


def _step(step: Step, snap: Snapshot) -> PlannedStep:
    return PlannedStep(
        action=_ACTIONS[type(step)],
        slot=None if isinstance(step, ReadAll | Probe) else step.slot,
        access_code_id=step.access_code_id if isinstance(step, WriteCode | ClearSlot) else None,
        why=step.why,
        radio_commands=_cost(step, snap),
    )


def _cost(step: Step, snap: Snapshot) -> int:
    can = snap.device.capabilities
    return radio_commands(
        step,
        supervised=can is not None and can.supervised,
        readable=can is not None and can.readback is Readback.DIGITS,
    )


_ACTIONS: dict[type, str] = {
    ReadSlot: "read",
    ReadAll: "list",
    Probe: "probe",
    WriteCode: "write",
    ClearSlot: "clear",
}
