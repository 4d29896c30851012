"""Use cases that only look: events, plans, the clock."""

from typing import Any

from msgspec.structs import replace

from gateway.domain.issues import Issue
from gateway.domain.lock import Readback
from gateway.domain.placement import Snapshot
from gateway.engine.commands.context import Context
from gateway.engine.commands.requests import ListEvents, MaybeDevice, Nothing
from gateway.engine.gates import lock_gate
from gateway.engine.plan import ClearSlot, Probe, ReadAll, ReadSlot, Step, WriteCode, radio_commands
from gateway.engine.turn import plan_for
from gateway.engine.views import instant
from gateway.engine.waiting import Wake


def events(context: Context, asked: ListEvents) -> dict[str, Any]:
    """Return events in order."""
    found = context.tx.events(
        since=asked.since,
        until=asked.until,
        device_id=asked.device_id,
        access_code_id=asked.access_code_id,
        limit=asked.limit,
    )
    return {
        "events": [
            {
                "event_id": stored.event.event_id,
                "seq": stored.seq,
                "event_type": stored.event.event_type,
                "device_id": stored.event.device_id,
                "access_code_id": stored.event.access_code_id,
                "occurred_at": instant(stored.event.occurred_at),
                "created_at": instant(stored.event.created_at),
                **stored.event.payload,
            }
            for stored in found
        ]
    }


def plans(context: Context, asked: MaybeDevice) -> dict[str, Any]:
    """Say what would be done now on one lock or on all, why, and at what radio cost, without doing it."""
    if asked.device_id is not None:
        snaps = [context.snapshot(asked.device_id)]
    else:
        snaps = [context.snapshot(device.device_id) for device in context.tx.devices()]
    return {"plans": [_plan(context, snap) for snap in snaps]}


def _plan(context: Context, snap: Snapshot) -> dict[str, Any]:
    found = plan_for(snap, context.t, context.rules)
    # After a restore a person confirms what will be done, so it must be seen before.
    released = replace(snap, device=replace(snap.device, held_for_restore=False))
    return {
        "device_id": snap.device.device_id,
        "gate": lock_gate(snap, context.t, Wake(context.t.now)).value,
        "steps": [_step(step, snap) for step in plan_for(released, context.t, context.rules).steps],
        "issues": [_issue(issue) for issue in found.issues],
        "next_wake": instant(found.next_wake),
    }


def _issue(issue: Issue) -> dict[str, Any]:
    return {"code": issue.code, "access_code_id": issue.access_code_id, "message": issue.message}


def _step(step: Step, snap: Snapshot) -> dict[str, Any]:
    can = snap.device.capabilities
    cost = radio_commands(
        step,
        supervised=can is not None and can.supervised,
        readable=can is not None and can.readback is Readback.DIGITS,
    )
    return {
        "action": _ACTIONS[type(step)],
        "slot": None if isinstance(step, ReadAll | Probe) else step.slot,
        "access_code_id": step.access_code_id if isinstance(step, WriteCode | ClearSlot) else None,
        "why": step.why,
        "radio_commands": cost,
    }


_ACTIONS: dict[type, str] = {
    ReadSlot: "read",
    ReadAll: "list",
    Probe: "probe",
    WriteCode: "write",
    ClearSlot: "clear",
}


def clock(context: Context, _asked: Nothing) -> dict[str, Any]:
    """Say what the hub knows about the time."""
    known = context.guard.describe()
    return {"clock": known | {"now": instant(context.t.now), "floor": instant(context.t.floor)}}


def trust_clock(context: Context, asked: Nothing) -> dict[str, Any]:
    """Believe the wall clock as it is now, because a person looked at it."""
    context.guard.save_trust(context.tx)
    context.once_durable.append(context.guard.trust)
    context.touched += [device.device_id for device in context.tx.devices()]
    now = instant(context.t.now)
    believed = {"now": now, "floor": now, "trusted": True, "step_held": False}
    return {"clock": clock(context, asked)["clock"] | believed}
