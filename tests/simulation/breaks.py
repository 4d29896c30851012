"""For each rule, a deliberate break of the product's code. The simulation must notice every one of them."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from msgspec.structs import replace

from gateway.domain.clock import TimeView
from gateway.domain.code import AccessCode
from gateway.domain.credential import Unreadable
from gateway.domain.lock import Identity
from gateway.domain.placement import Snapshot
from gateway.engine import desire, gates, observations, readings, removal, restored, setting, slots, work
from gateway.engine.clock_guard import ClockGuard
from gateway.engine.commands import devices
from gateway.engine.plan import ReadSlot, Step
from storage.lock_rows import LockRows
from storage.outbox_rows import OutboxRows

type Break = Callable[[], contextlib.AbstractContextManager[Any]]


def _no_look_before_use() -> contextlib.AbstractContextManager[Any]:
    """Rule 1: use any slot that nobody of ours holds, without a look."""
    stack = contextlib.ExitStack()
    stack.enter_context(patch.object(slots, "_may_be_free", lambda *_args, **_more: True))
    stack.enter_context(patch.object(slots, "_fresh", lambda *_args, **_more: True))
    return stack


def _one_empty_reading() -> contextlib.AbstractContextManager[Any]:
    """Rule 2: believe the second empty reading however soon it comes."""
    return patch.object(readings, "EMPTY_TWICE", timedelta(seconds=1))


def _rewrite_masked() -> contextlib.AbstractContextManager[Any]:
    """Rule 3: take a masked reading for a difference."""
    right = setting.reason_to_write

    def wrong(want: Any, placement: Any, snap: Any) -> str | None:  # noqa: ANN401 - stands in for the real one
        slot = snap.slots.get(placement.slot)
        masked = slot is not None and isinstance(slot.reading, Unreadable)
        return "masked" if masked else right(want, placement, snap)

    return patch.object(setting, "reason_to_write", wrong)


def _no_duplicate_check() -> contextlib.AbstractContextManager[Any]:
    """Rule 4: let two codes of a lock have one PIN."""
    stack = contextlib.ExitStack()
    stack.enter_context(patch.object(setting, "conflict", lambda *_: None))
    stack.enter_context(patch("gateway.engine.commands.common.is_past", lambda *_: True))
    return stack


def _believe_any_clock() -> contextlib.AbstractContextManager[Any]:
    """Rule 5: trust the wall clock always."""
    right = ClockGuard.view

    def wrong(guard: ClockGuard) -> TimeView:
        return replace(right(guard), trusted=True, floor=datetime(1970, 1, 1, tzinfo=UTC))

    return patch.object(ClockGuard, "view", wrong)


def _remove_late() -> contextlib.AbstractContextManager[Any]:
    """Rule 6: take ten minutes to begin a removal."""
    right = removal.plan_removal

    def wrong(code: Any, snap: Any, t: Any, wake: Any) -> Any:  # noqa: ANN401 - stands in for the real one
        if code.ends_at is not None and code.ends_at <= t.at < code.ends_at + timedelta(minutes=10):
            wake.note(code.ends_at + timedelta(minutes=10))
            return []
        return right(code, snap, t, wake)

    return patch("gateway.engine.planner.plan_removal", wrong)


def _carry_out_repeats() -> contextlib.AbstractContextManager[Any]:
    """Rule 7: forget which commands were carried out."""
    return patch.object(OutboxRows, "reply", lambda _tx, _client, _verb, _transaction: None)


def _lose_events() -> contextlib.AbstractContextManager[Any]:
    """Rule 8: deliver only every other event."""
    right = OutboxRows.undelivered

    def wrong(tx: OutboxRows, limit: int) -> Any:  # noqa: ANN401 - stands in for the real one
        return [stored for stored in right(tx, limit) if stored.seq % 7]

    return patch.object(OutboxRows, "undelivered", wrong)


def _tell_pins() -> contextlib.AbstractContextManager[Any]:
    """Rule 9: put the PIN into the events of a code."""
    right = work.Work.tell

    def wrong(self: work.Work, event_type: str, access_code_id: str | None = None, **payload: Any) -> None:  # noqa: ANN401
        code = self.codes.get(access_code_id or "")
        pin = {"from": {"code": code.pin.reveal()}} if code is not None else {}
        right(self, event_type, access_code_id, **payload, **pin)

    return patch.object(work.Work, "tell", wrong)


def _refresh_for_safety() -> contextlib.AbstractContextManager[Any]:
    """Rule 10: write again what is six hours old, to be on the safe side."""
    right = setting.plan_setting

    def wrong(code: Any, want: Any, snap: Any, t: Any, wake: Any) -> Any:  # noqa: ANN401 - stands in for the real one
        confirmed = snap.placement(code.access_code_id).confirmed
        if confirmed is not None and t.now - confirmed.at > timedelta(hours=6):
            with patch.object(setting, "reason_to_write", lambda _want, _placement, _snap: "old"):
                return right(code, want, snap, t, wake)
        return right(code, want, snap, t, wake)

    return patch("gateway.engine.planner.plan_setting", wrong)


def _insist() -> contextlib.AbstractContextManager[Any]:
    """Rule 11: try a rejected code again and again."""
    return patch.object(setting, "_stands", lambda *_: False)


def _give_up_what_was_in_flight() -> contextlib.AbstractContextManager[Any]:
    """Rule 12: leave a code alone for good once the answer to an operation of it got lost."""
    right = setting.plan_setting

    def wrong(code: Any, want: Any, snap: Any, t: Any, wake: Any) -> Any:  # noqa: ANN401 - stands in for the real one
        if snap.placement(code.access_code_id).unanswered:
            return [], []
        return right(code, want, snap, t, wake)

    return patch("gateway.engine.planner.plan_setting", wrong)


def _write_nothing_down() -> contextlib.AbstractContextManager[Any]:
    """Write nothing down before an operation, so that nobody knows of one whose outcome got lost."""
    right = work.Work.close

    def lenient(self: work.Work, intent: Any, outcome: str) -> None:  # noqa: ANN401 - stands in for the real one
        with contextlib.suppress(ValueError):
            right(self, intent, outcome)

    stack = contextlib.ExitStack()
    stack.enter_context(patch.object(LockRows, "open_intent", lambda *_: None))
    stack.enter_context(patch.object(work.Work, "close", lenient))
    return stack


def _no_back_off() -> contextlib.AbstractContextManager[Any]:
    """Rule 13: try a dead lock every few seconds."""
    return patch("gateway.engine.work.back_off", lambda *_: timedelta(seconds=5))


def _one_alarm_per_code() -> contextlib.AbstractContextManager[Any]:
    """Rule 14: never suspect a wipe."""
    return patch.object(readings, "suspect_wipe", lambda _work: None)


def _any_lock_will_do() -> contextlib.AbstractContextManager[Any]:
    """Rule 15: do not care which lock answers."""
    return patch.object(Identity, "contradicts", lambda _self, _seen: False)


BREAKS: dict[int, Break] = {
    1: _no_look_before_use,
    2: _one_empty_reading,
    3: _rewrite_masked,
    4: _no_duplicate_check,
    5: _believe_any_clock,
    6: _remove_late,
    7: _carry_out_repeats,
    8: _lose_events,
    9: _tell_pins,
    10: _refresh_for_safety,
    11: _insist,
    12: _give_up_what_was_in_flight,
    13: _no_back_off,
    14: _one_alarm_per_code,
    15: _any_lock_will_do,
}
"""One break for each numbered rule of the design."""


def _windows_stay_open() -> contextlib.AbstractContextManager[Any]:
    """Leave a recurring code on its lock between its windows."""
    right = desire.programming_at

    def wrong(code: Any, snap: Any, at: Any, timing: Any) -> Any:  # noqa: ANN401 - stands in for the real one
        return None if code.recurrence is not None else right(code, snap, at, timing)

    return patch.object(desire, "programming_at", wrong)


def _one_use_is_many() -> contextlib.AbstractContextManager[Any]:
    """Let a code for one use be used again."""
    return patch.object(AccessCode, "is_used_up", property(lambda _code: False))


def _in_doubt_nobody_came() -> contextlib.AbstractContextManager[Any]:
    """Count no use of a code while a write of it is open, whatever the slot can have held."""
    right = observations._was_only

    def wrong(known: Any, owner: Any, pin: Any, at: Any) -> bool:  # noqa: ANN401 - stands in for the real one
        return not known.snapshot().open_intents(owner.access_code_id) and right(known, owner, pin, at)

    return patch.object(observations, "_was_only", wrong)


def _removals_take_room() -> contextlib.AbstractContextManager[Any]:
    """Count on a lock that chooses its slots what it ever held."""
    stack = contextlib.ExitStack()
    stack.enter_context(patch.object(setting, "taken", lambda snap: frozenset(snap.slots)))
    stack.enter_context(patch.object(readings, "_is_forgettable", lambda *_: False))
    return stack


def _one_backup_for_all() -> contextlib.AbstractContextManager[Any]:
    """Pull a backup that somebody has already."""

    def wrong(snap: Any, _t: Any, _timing: Any) -> Any:  # noqa: ANN401 - stands in for the real one
        return [c for c in snap.codes.values() if c.backup is not None and c.deleted_at is None]

    return patch("gateway.engine.commands.pool.available", wrong)


def _backups_first() -> contextlib.AbstractContextManager[Any]:
    """Keep backups on the lock whoever needs their slots."""
    return patch("gateway.engine.backups._homeless", lambda *_: 0)


def _rehearsals_count() -> contextlib.AbstractContextManager[Any]:
    """Carry out what was only to be tried."""

    def wrong(asked: dict[str, Any], _known: Any) -> bool:  # noqa: ANN401 - stands in for the real one
        asked.pop("dry_run", None)
        return False

    return patch("gateway.engine.commands.desk._dry_run", wrong)


def _given_away_is_kept() -> contextlib.AbstractContextManager[Any]:
    """Keep a code that was given out of the hub's hands."""
    return patch("gateway.engine.commands.codes.give_up", lambda *_, **_more: None)


def _never_satisfied() -> contextlib.AbstractContextManager[Any]:
    """Look again and again at a code of others that is to be deleted."""

    def wrong(snap: Any, _t: Any, _wake: Any) -> list[Step]:  # noqa: ANN401 - stands in for the real one
        doomed = (slot for slot, state in snap.slots.items() if state.doomed_at is not None)
        return [ReadSlot(slot=slot, why="never satisfied") for slot in doomed]

    return patch("gateway.engine.planner.doomed_steps", wrong)


def _hold_is_not_kept() -> contextlib.AbstractContextManager[Any]:
    """Write to locks before a restore was confirmed."""
    right = gates._without_time

    def wrong(snap: Snapshot) -> gates.Gate:
        return right(replace(snap, device=replace(snap.device, held_for_restore=False)))

    return patch.object(gates, "_without_time", wrong)


def _no_looks_after_restore() -> contextlib.AbstractContextManager[Any]:
    """Believe what a backup says of the slots."""
    return patch.object(devices, "begin_looks", lambda it: it.set_device(held_for_restore=False))


def _nothing_is_found_again() -> contextlib.AbstractContextManager[Any]:
    """Take what came onto a lock since the backup for somebody else's."""
    return patch.object(restored, "_whose", lambda *_: None)


FURTHER: dict[str, Break] = {
    "a window that comes again": _windows_stay_open,
    "one use": _one_use_is_many,
    "a use while a write is open": _in_doubt_nobody_came,
    "room after a removal": _removals_take_room,
    "a backup for each": _one_backup_for_all,
    "guests before backups": _backups_first,
    "rehearsals": _rehearsals_count,
    "given away": _given_away_is_kept,
    "progress": _never_satisfied,
    "the journal": _write_nothing_down,
    "the hold": _hold_is_not_kept,
    "looks after a restore": _no_looks_after_restore,
    "found after a restore": _nothing_is_found_again,
}
"""Breaks of what single worlds know besides plain codes, by what they break."""


@contextlib.contextmanager
def broken(what: int | str) -> Iterator[None]:
    """Break one rule, or something further, for as long as the block runs."""
    with (BREAKS[what] if isinstance(what, int) else FURTHER[what])():
        yield
