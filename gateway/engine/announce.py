"""Turns differences between what was told and what is now into events. Works on a `Work`, inside its unit."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from gateway.domain.issues import Announced, Issue
from gateway.domain.lines import of_beginning, of_end, of_miss
from gateway.domain.store import Tx
from gateway.engine.desire import has_ended, is_open, is_over, is_scheduled, may_open, status
from gateway.engine.mutations import instant
from gateway.engine.slot_map import inventory, is_worth_telling
from gateway.engine.work import Work

_MISSED = "its window passed while the hub was off, or did not know the time: it never opened the door"


def announce(work: Work, tx: Tx, issues: tuple[Issue, ...]) -> None:
    """Tell what changed since the last time, and remember that it was told, in one unit.

    So a restart neither repeats nor misses an event, and a window that began while the hub was off is told
    once.
    """
    _announce_issues(work, tx, issues)
    _announce_inventory(work)
    told = tx.announced(work.device.device_id)
    for code_id in list(work.codes):
        before = told.get(code_id) or Announced(status="unset", waits=True)
        after = _current(work, code_id, before)
        if after != before:
            if _is_missed(work, code_id, before, after):
                _tell_missed(work, tx, code_id)
            _tell(work, code_id, before, after)
            tx.save_announced(work.device.device_id, code_id, after)


def _current(work: Work, code_id: str, before: Announced) -> Announced:
    snap, code = work.snapshot(), work.codes[code_id]
    placement = work.placement(code_id)
    now = status(code, snap, work.t, work.timing)
    return Announced(
        status=now,
        is_scheduled_on_device=is_scheduled(code, snap, work.t, work.timing),
        confirmed_revision=placement.confirmed.revision if placement.confirmed is not None else 0,
        on_lock=snap.may_hold(code_id) and placement.was_on_lock,
        was_set=now == "unknown" and (before.was_set or before.status == "set"),
        waits=_waits(work, code_id, before),
    )


def _waits(work: Work, code_id: str, before: Announced) -> bool:
    """Say whether the one window of a code is still to come, and only the hub would open the door in it.

    Of what a restored backup says that, the hub of before may have opened the window meanwhile. A clock that
    is doubted tells nothing new, but a code that opens the door is seen all the same.
    """
    snap, code, t = work.snapshot(), work.codes[code_id], work.t
    if code.recurrence is not None or work.device.held_for_restore:
        return False
    if not t.trusted or t.step is not None:
        return before.waits and not may_open(code, snap)
    outside = work.placement(code_id).outside
    is_wished = outside is None or not outside.honoured
    return is_wished and not is_over(code, snap, t) and not is_open(code, t.at) and not may_open(code, snap)


def _is_missed(work: Work, code_id: str, before: Announced, after: Announced) -> bool:
    """Say whether a window passed that the hub, when it looked last, was still to open."""
    code, snap = work.codes[code_id], work.snapshot()
    is_past = has_ended(code, work.t) and not work.device.held_for_restore
    return before.waits and not after.waits and is_past and not may_open(code, snap)


def _tell_missed(work: Work, tx: Tx, code_id: str) -> None:
    missed = Issue(
        code="failed_to_set_on_device", message=_MISSED, access_code_id=code_id, created_at=work.now
    )
    snapshot = _snapshot([*tx.issues(work.device.device_id), missed], code_id)
    work.tell(
        "access_code.failed_to_set_on_device",
        code_id,
        error_code=missed.code,
        message=missed.message,
        **snapshot,
    )
    tx.note(of_miss(work.device.device_id, missed))


def _tell(work: Work, code_id: str, before: Announced, after: Announced) -> None:
    again = work.codes[code_id].recurrence is not None and before.status == "set"
    if after.is_scheduled_on_device and not before.is_scheduled_on_device and not again:
        work.tell("access_code.scheduled_on_device", code_id)
    if after.status != before.status:
        work.tell("access_code.changed", code_id, **_change(before.status, after.status))
        if after.status == "set" and not before.was_set:
            work.tell("access_code.set_on_device", code_id)
    if before.on_lock and not after.on_lock and after.status in {"unset", "unknown"}:
        work.tell("access_code.removed_from_device", code_id)
        work.set_placement(code_id, was_on_lock=False)


def _change(before: str, after: str) -> dict[str, Any]:
    return {"changed_properties": [{"property": "status", "from": before, "to": after}]}


def _announce_inventory(work: Work) -> None:
    if work.device.audit_round is None and work.before.device.audit_round is None:
        return
    before, now = (inventory(snap, work.now, work.timing) for snap in (work.before, work.snapshot()))
    if is_worth_telling(before, now):
        whole = now or before
        if whole is not None:
            done = msgspec.structs.replace(whole, slots_read=whole.slots, seconds_left=0)
            work.tell("device.inventory_progress", **msgspec.structs.asdict(now or done))


def _announce_issues(work: Work, tx: Tx, issues: tuple[Issue, ...]) -> None:
    old = {_key(issue): issue for issue in tx.issues(work.device.device_id)}
    new: dict[tuple[str, str | None], Issue] = {}
    for issue in issues:
        known = old.get(_key(issue))
        since: datetime | None = known.created_at if known is not None else work.now
        new.setdefault(_key(issue), msgspec.structs.replace(issue, created_at=since))
    for key, issue in new.items():
        if key not in old:
            tx.note(of_beginning(work.device.device_id, issue, _failures(work, issue)))
        event = issue.kind.event
        if key not in old and event is not None:
            named: dict[str, Any] = {f"{issue.kind.level}_code": issue.code}
            snapshot = _snapshot(new.values(), issue.access_code_id)
            work.tell(event, issue.access_code_id, **named, message=issue.message, **issue.data, **snapshot)
    for key, issue in old.items():
        if key not in new:
            failed = max(work.failed_before(issue.access_code_id), _failures(work, issue))
            tx.note(of_end(work.device.device_id, issue, failed, work.now))
            _tell_end(work, issue, new)
    if list(new.values()) != list(old.values()):
        tx.replace_issues(work.device.device_id, new.values())


def _tell_end(work: Work, issue: Issue, new: dict[tuple[str, str | None], Issue]) -> None:
    """Tell that an issue is over, where that is an event."""
    if ("removed_from_configuration", None) in new:
        return  # nobody looks any more
    if issue.kind.event == "device.disconnected" and not _still_apart(new):
        work.tell("device.connected")
    if issue.kind.over is not None:
        work.tell(issue.kind.over)


def _failures(work: Work, issue: Issue) -> int:
    if issue.access_code_id is None:
        return work.device.failures
    return work.placement(issue.access_code_id).failures


def _snapshot(issues: Iterable[Issue], access_code_id: str | None) -> dict[str, Any]:
    """Return all errors and warnings of the code and of its lock at this moment."""
    found: dict[str, list[dict[str, object]]] = {
        f"{whose}_{level}s": [] for whose in ("access_code", "device") for level in ("error", "warning")
    }
    for issue in issues:
        if issue.access_code_id not in (None, access_code_id):
            continue
        whose = "device" if issue.access_code_id is None else "access_code"
        entry: dict[str, object] = {
            f"{issue.kind.level}_code": issue.code,
            "message": issue.message,
            "created_at": instant(issue.created_at),
        }
        found[f"{whose}_{issue.kind.level}s"].append(entry)
    return found


def _still_apart(issues: dict[tuple[str, str | None], Issue]) -> bool:
    return any(issue.kind.event == "device.disconnected" for issue in issues.values())


def _key(issue: Issue) -> tuple[str, str | None]:
    return issue.code, issue.access_code_id
