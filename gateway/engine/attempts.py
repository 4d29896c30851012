"""How commands end that need the lock: looked at after every unit, from the facts alone."""

from datetime import datetime

from msgspec.structs import replace

from gateway.domain.attempts import PAIRINGS, ActionAttempt, ActionType
from gateway.domain.code import AccessCode
from gateway.domain.lock import Device, Readback
from gateway.domain.store import Tx
from gateway.engine.desire import (
    desired,
    has_ended,
    is_honoured_removal,
    is_left_to_lock,
    is_open,
    is_wish_proven,
)
from gateway.engine.work import Work

_PENDING = ("pending", "", "")
_SUCCESS = ("success", "", "")


def begin(
    work: Work, action_type: ActionType, access_code_id: str | None, revision: int = 0
) -> ActionAttempt:
    """Return a new attempt; the caller saves it in the same unit."""
    return ActionAttempt(
        action_attempt_id=work.chance.new_id(),
        action_type=action_type,
        device_id=work.device.device_id,
        access_code_id=access_code_id,
        revision=revision,
        created_at=work.now,
    )


def settle(work: Work, tx: Tx) -> None:
    """Note which attempts have ended."""
    for attempt in tx.pending_attempts(work.device.device_id):
        outcome = _outcome(attempt, work)
        if outcome is not _PENDING:
            tx.save_attempt(_ended(attempt, outcome, work.now))


def give_up(tx: Tx, device_id: str, now: datetime) -> None:
    """End what waits for a lock that is about to be forgotten; a pairing ends by itself."""
    left = "error", "forgotten", "the lock was forgotten before: it may hold what it held then"
    for attempt in tx.pending_attempts(device_id):
        if attempt.action_type not in PAIRINGS:
            tx.save_attempt(_ended(attempt, left, now))


def leave_behind(tx: Tx, device_id: str, access_code_id: str, now: datetime) -> None:
    """End the deletions of a code that is dropped although its lock may still hold it."""
    left = "error", "forgotten", "the code was forgotten before: the lock may still hold it"
    for attempt in tx.pending_attempts(device_id):
        if (attempt.action_type, attempt.access_code_id) == ("DELETE_ACCESS_CODE", access_code_id):
            tx.save_attempt(_ended(attempt, left, now))


def _ended(attempt: ActionAttempt, outcome: tuple[str, str, str], now: datetime) -> ActionAttempt:
    status, error, message = outcome
    return replace(
        attempt, status=status, error_type=error or None, error_message=message or None, finished_at=now
    )


def _outcome(attempt: ActionAttempt, work: Work) -> tuple[str, str, str]:
    if attempt.action_type in PAIRINGS:
        return _PENDING
    if attempt.action_type == "SYNC_ACCESS_CODES":
        return _of_look(work.device, work.now)
    if attempt.action_type == "DELETE_ACCESS_CODE":
        return _of_removal(attempt, work)
    return _of_code(attempt, work)


def _of_look(device: Device, now: datetime) -> tuple[str, str, str]:
    if device.capabilities is not None and device.capabilities.readback is Readback.NONE:
        return "error", "unsupported", "this lock does not show what it holds, so nobody can look"
    looked = device.audit_round is None and device.audit_at is not None and device.audit_at > now
    return _SUCCESS if looked else _PENDING


def _of_removal(attempt: ActionAttempt, work: Work) -> tuple[str, str, str]:
    code = work.codes.get(attempt.access_code_id or "")
    if code is not None and code.deleted_at is None:
        return "error", "superseded", "the code is managed by now, and stays"
    if code is not None:
        return _PENDING
    theirs = [slot for slot in work.slots.values() if slot.unmanaged_id == attempt.access_code_id]
    if not theirs:
        return _SUCCESS
    if any(slot.doomed_at is not None or slot.empty_since is not None for slot in theirs):
        return _PENDING
    if any(slot.refusals for slot in theirs):
        return "error", "refused", "the lock did not delete it, however often it was asked: delete it there"
    return "error", "changed", "the slot holds another code by now, so it was left alone"


def _of_code(attempt: ActionAttempt, work: Work) -> tuple[str, str, str]:
    """Judge by what the lock holds: also a later command brings an earlier one to its end."""
    code = work.codes.get(attempt.access_code_id or "")
    if code is None or code.deleted_at is not None:
        return "error", "superseded", "the code was deleted before"
    snap = work.snapshot()
    if _is_in_force(code, work):
        return _SUCCESS
    if has_ended(code, work.t) or code.is_used_up:
        done = attempt.action_type == "UPDATE_ACCESS_CODE" and not snap.may_hold(code.access_code_id)
        return _SUCCESS if done else ("error", "expired", "the code ended before the lock took it")
    if is_honoured_removal(work.placement(code.access_code_id)):
        return "error", "removed", "somebody removed the code on the lock, and the code allows that"
    return _PENDING


def _is_in_force(code: AccessCode, work: Work) -> bool:
    """Say whether nothing is left to do until the code ends: a success that opens no door is none."""
    snap = work.snapshot()
    want, confirmed = desired(code, snap, work.t, work.timing), snap.placement(code.access_code_id).confirmed
    if want is None or confirmed is None or not is_wish_proven(code, want, snap, work.t):
        return False
    is_renamed = want.name is None or want.name == confirmed.credential.name
    return is_renamed and (is_open(code, work.t.at) or is_left_to_lock(code, snap, work.t.at))
