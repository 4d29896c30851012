"""Use cases that only look: events, action attempts, the clock."""

from typing import Any

import msgspec
from msgspec.structs import replace

from gateway.domain.errors import InvalidInput, NotFound
from gateway.domain.events import StoredEvent
from gateway.engine.commands.common import attempt_with_code, demand_span
from gateway.engine.commands.context import Context
from gateway.engine.commands.params import ListAttempts, ListEvents, Nothing, OneAttempt, OneEvent
from gateway.engine.lock_views import attempt_view
from gateway.engine.mutations import instant, moment
from gateway.engine.replies import AttemptReply, AttemptsReply, ClockReply, ClockView, EventReply, EventsReply


def events(context: Context, asked: ListEvents) -> EventsReply:
    """Return events in order."""
    since, until = asked.since, asked.until
    if asked.between is not None:
        if since is not None or until is not None:
            raise InvalidInput("give between, or since and until, not both", field="between")
        since, until = asked.between
    demand_span(since, until, field="until")
    found = context.tx.events(
        since=since,
        until=until,
        device_ids=_either(asked.device_id, asked.device_ids, "device_id"),
        access_code_ids=_either(asked.access_code_id, asked.access_code_ids, "access_code_id"),
        event_types=_either(asked.event_type, asked.event_types, "event_type"),
        after_seq=asked.after_seq,
        limit=asked.limit,
    )
    return EventsReply(events=[event_view(stored) for stored in found])


def _either(one: str | None, several: list[str] | None, name: str) -> list[str] | None:
    if one is not None and several is not None:
        raise InvalidInput(f"give {name} or {name}s, not both", field=name)
    return several if one is None else [one]


def event(context: Context, asked: OneEvent) -> EventReply:
    """Return one event."""
    found = context.tx.events(event_ids=[asked.event_id], limit=1)
    if not found:
        raise NotFound("there is no event with this id; old ones are dropped, see event_retention")
    return EventReply(event=event_view(found[0]))


def event_view(stored: StoredEvent) -> dict[str, Any]:
    """Return an event with its envelope."""
    it = stored.event
    return {
        "event_id": it.event_id,
        "seq": stored.seq,
        "event_type": it.event_type,
        "device_id": it.device_id,
        "access_code_id": it.access_code_id,
        "occurred_at": instant(it.occurred_at),
        "created_at": instant(it.created_at),
        **it.payload,
    }


def attempt(context: Context, asked: OneAttempt) -> AttemptReply:
    """Return one action attempt."""
    found = context.tx.attempt(asked.action_attempt_id)
    if found is None:
        raise NotFound("there is no action attempt with this id; old ones are dropped, see event_retention")
    return AttemptReply(action_attempt=attempt_with_code(context, found))


def list_attempts(context: Context, asked: ListAttempts) -> AttemptsReply:
    """Return action attempts, newest first."""
    found = context.tx.attempts(
        device_id=asked.device_id,
        access_code_id=asked.access_code_id,
        status=asked.status,
        limit=asked.limit,
    )
    return AttemptsReply(action_attempts=[attempt_view(one) for one in found])


def clock(context: Context, _asked: Nothing) -> ClockReply:
    """Say what the hub knows about the time."""
    known = context.guard.describe()
    times = {"now": instant(context.t.now), "floor": instant(context.t.floor)}
    return ClockReply(clock=msgspec.convert(known | times, ClockView))


def trust_clock(context: Context, asked: Nothing) -> ClockReply:
    """Believe the wall clock as it is now, because a person looked at it."""
    context.guard.save_trust(context.tx)
    context.once_durable.append(context.guard.trust)
    context.touched += context.tx.device_ids()
    now = moment(context.t.now)
    seen = clock(context, asked).clock
    return ClockReply(clock=replace(seen, now=now, floor=now, trusted=True, step_held=False))
