"""How commands end that need the lock: looked at after every unit, from the facts alone."""

from msgspec.structs import replace

from gateway.domain.attempts import PAIRINGS, ActionAttempt, ActionType
from gateway.domain.store import Tx
from gateway.engine.desire import has_ended, is_honoured_removal, is_proven
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
        status, error, message = _outcome(attempt, work)
        if status == "pending":
            continue
        tx.save_attempt(
            replace(
                attempt,
                status=status,
                error_type=error or None,
                error_message=message or None,
                finished_at=work.now,
            )
        )


def _outcome(attempt: ActionAttempt, work: Work) -> tuple[str, str, str]:
    if attempt.action_type in PAIRINGS:
        return _PENDING
    if attempt.action_type == "SYNC_ACCESS_CODES":
        next_audit = work.device.audit_at
        looked = work.device.audit_round is None and next_audit is not None and next_audit > work.now
        return _SUCCESS if looked else _PENDING
    if attempt.action_type == "DELETE_ACCESS_CODE":
        return _of_removal(attempt, work)
    return _of_code(attempt, work)


def _of_removal(attempt: ActionAttempt, work: Work) -> tuple[str, str, str]:
    if attempt.access_code_id in work.codes:
        return _PENDING
    theirs = [slot for slot in work.slots.values() if slot.unmanaged_id == attempt.access_code_id]
    if not theirs:
        return _SUCCESS
    if any(slot.doomed_at is not None or slot.empty_since is not None for slot in theirs):
        return _PENDING
    return "error", "changed", "the slot holds another code by now, so it was left alone"


def _of_code(attempt: ActionAttempt, work: Work) -> tuple[str, str, str]:
    """Judge by what the lock holds: also a later command brings an earlier one to its end."""
    code = work.codes.get(attempt.access_code_id or "")
    if code is None or code.deleted_at is not None:
        return "error", "superseded", "the code was deleted before"
    snap = work.snapshot()
    if is_proven(code, snap, work.t, work.timing):
        return _SUCCESS
    if has_ended(code, work.t) or code.is_used_up:
        done = attempt.action_type == "UPDATE_ACCESS_CODE" and not snap.may_hold(code.access_code_id)
        return _SUCCESS if done else ("error", "expired", "the code ended before the lock took it")
    if is_honoured_removal(work.placement(code.access_code_id)):
        return "error", "removed", "somebody removed the code on the lock, and the code allows that"
    return _PENDING
