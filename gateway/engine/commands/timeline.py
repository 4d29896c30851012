"""Everything that happened to one code, in order: what people said, what the lock did, who used it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from gateway.domain.errors import NotFound
from gateway.domain.events import EVENTS, Event
from gateway.domain.placement import IntentKind, JournalEntry
from gateway.engine.commands.common import demand_span
from gateway.engine.commands.context import Context
from gateway.engine.commands.params import Timeline
from gateway.engine.mutations import moment
from gateway.engine.replies import TimelineEntry, TimelineReply

_ACTORS = {
    "access_code.created": "client",
    "access_code.mutations_requested": "client",
    "access_code.backup_access_code_pulled": "client",
    "access_code.unmanaged.converted_to_managed": "client",
    "device.paired": "client",
    "device.paused": "client",
    "device.unpaired": "client",
    "access_code.modified_external_to_gateway": "somebody at the lock",
    "access_code.deleted_external_to_gateway": "somebody at the lock",
    "lock.access_denied": "somebody at the lock",
    "lock.unlocked": "somebody at the lock",
    "access_code.first_used": "somebody at the lock",
}
_OPERATION = "internal.access_code."
_HIDDEN = frozenset(
    {"access_code_errors", "access_code_warnings", "device_errors", "device_warnings", "remedy"}
)
"""Snapshots of everything else: the events themselves keep them."""


type _Entry = tuple[datetime, TimelineEntry]


def timeline(context: Context, asked: Timeline) -> TimelineReply:
    """Return what is remembered of a code; it outlives the code itself.

    What happened to its lock meanwhile is counted apart: wrong PINs at the keypad push nothing out.
    """
    demand_span(asked.after, asked.before, field="before")
    limit = asked.limit
    events = context.tx.events(
        since=asked.after, until=asked.before, access_code_ids=[asked.access_code_id], limit=limit
    )
    journal = context.tx.journal(asked.access_code_id, since=asked.after, until=asked.before, limit=limit)
    if context.tx.code(asked.access_code_id) is None and not _is_remembered(context, asked.access_code_id):
        raise NotFound("nothing is remembered of an access code with this id")
    entries = [*(_told(stored.event) for stored in events)]
    for operation in journal:
        entries += _done(operation)
    own = [
        entry
        for entry in sorted(entries, key=_order)
        if (asked.after is None or entry[0] >= asked.after)
        and (asked.before is None or entry[0] < asked.before)
    ]
    life = _life(context, asked.access_code_id)
    meanwhile = _of_lock(context, life, asked) if life is not None else []
    shown = sorted([*own[-limit:], *meanwhile], key=_order)
    return TimelineReply(access_code_id=asked.access_code_id, timeline_events=[entry for _, entry in shown])


def _is_remembered(context: Context, access_code_id: str) -> bool:
    """Say whether anything is known of a code that is gone, at whatever time."""
    return bool(
        context.tx.events(access_code_ids=[access_code_id], limit=1)
        or context.tx.journal(access_code_id, limit=1)
    )


def _order(entry: _Entry) -> tuple[datetime, int]:
    return entry[0], _place(entry[1])


def _place(entry: TimelineEntry) -> int:
    """Put cause before effect within one millisecond: what people did, operation, outcome, what follows."""
    if entry.actor != "hub":
        return 0
    if not entry.kind.startswith(_OPERATION):
        return 3
    return 1 if entry.kind.endswith("started") else 2


_OF_LOCK = (
    "device.connected",
    "device.disconnected",
    "device.connection_became_flaky",
    "device.connection_stabilized",
    "device.accessory_keypad_connected",
    "device.accessory_keypad_disconnected",
    "device.keypad_switched_off",
    "device.keypad_switched_on",
    "device.clock_wrong",
    "device.clock_right",
    "device.paused",
    "device.resumed",
    "device.wiped",
    "device.replaced",
    "device.removed_from_configuration",
    "device.third_party_integration_detected",
    "device.third_party_integration_no_longer_detected",
    "device.paired",
    "device.unpaired",
    "device.low_battery",
    "gateway.clock_untrusted",
    "gateway.clock_step_held",
    "lock.access_denied",
)


_BEGINNINGS = ("access_code.created", "access_code.unmanaged.converted_to_managed")


class _Life(NamedTuple):
    """On which lock a code is or was, from when to when; None: longer than is remembered, or until now."""

    device_id: str
    began: datetime | None
    ended: datetime | None


def _life(context: Context, access_code_id: str) -> _Life | None:
    """Return when a code lived. One that is gone lived until the last that is remembered of it."""
    code = context.tx.code(access_code_id)
    if code is not None:
        return _Life(code.device_id, code.created_at, None)
    last = context.tx.events(access_code_ids=[access_code_id], limit=1)
    if not last:
        return None
    began = context.tx.events(access_code_ids=[access_code_id], event_types=_BEGINNINGS, limit=100)
    end = last[0].event
    return _Life(end.device_id, began[0].event.occurred_at if began else None, end.occurred_at)


def _of_lock(context: Context, life: _Life, asked: Timeline) -> list[_Entry]:
    """Return what happened to the lock meanwhile: most codes that do not work are on a silent lock."""
    found = context.tx.events(
        since=max((at for at in (asked.after, life.began) if at is not None), default=None),
        until=min((at for at in (asked.before, life.ended) if at is not None), default=None),
        device_ids=[life.device_id],
        event_types=_OF_LOCK,
        limit=asked.limit,
    )
    # What names a code is in the timeline of that code already, and in no other.
    return [_told(stored.event) for stored in found if stored.event.access_code_id is None]


def _told(event: Event) -> _Entry:
    kind = EVENTS.get(event.event_type)
    details: dict[str, Any] = {key: value for key, value in event.payload.items() if key not in _HIDDEN}
    said = event.payload.get("message") or (event.payload.get("reason") or {}).get("message")
    means = kind.when if kind is not None else event.event_type
    return event.occurred_at, TimelineEntry(
        at=moment(event.occurred_at),
        kind=event.event_type,
        description=said or means,
        actor=_ACTORS.get(event.event_type, "hub"),
        details=details | event.asked,
    )


def _done(operation: JournalEntry) -> Iterator[_Entry]:
    what = "writing slot" if operation.kind is IntentKind.SET else "clearing slot"
    where = operation.slot if operation.slot is not None else "that the lock chooses"
    began = f"{what} {where} began"
    because = f"{began}: {operation.why}" if operation.why is not None else began
    yield _operation(operation, operation.opened_at, "programming_started", because)
    if operation.closed_at is not None:
        ended = f"{what} {where}: {operation.outcome}"
        yield _operation(operation, operation.closed_at, "programming_finished", ended)


def _operation(operation: JournalEntry, at: datetime, kind: str, description: str) -> _Entry:
    return at, TimelineEntry(
        at=moment(at),
        kind=f"{_OPERATION}{kind}",
        description=description,
        actor="hub",
        details={"slot": operation.slot, "revision": operation.revision, "why": operation.why},
    )
