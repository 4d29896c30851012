"""What a lock refused for good, at once or too late. Works on a `Work`."""

from msgspec.structs import replace

from gateway.domain.code import AccessCode
from gateway.domain.credential import Credential, Evidence, SlotRef
from gateway.domain.placement import Refusal, Rejection
from gateway.engine.setting import conflict
from gateway.engine.work import Work


def note_rejection(work: Work, code: AccessCode, target: Credential | None, reason: Refusal) -> None:
    """Note that the lock refused `target` for good: the PIN asked for, or that of before with other dates."""
    rejection = _rejection_of(work, code, reason)
    if target is not None and target.pin != code.pin:
        work.set_placement(code.access_code_id, held_rejection=replace(rejection, explained=False))
    else:
        work.set_placement(code.access_code_id, rejection=rejection)


def _rejection_of(work: Work, code: AccessCode, reason: Refusal) -> Rejection:
    """Return the refusal for good of what the code is now."""
    return Rejection(
        reason=reason,
        at=work.now,
        revision=code.revision,
        inventory_version=work.device.inventory_version,
        explained=reason is Refusal.DUPLICATE and conflict(code, code.pin, work.snapshot()) is not None,
    )


def absorb_late_refusal(work: Work, slot: SlotRef, reason: Refusal) -> bool:
    """Take in that the lock refused a code which it had accepted; say whether that is the news.

    What it holds now is unknown, mostly what was there before. A code that was seen there, or opened the
    door, was not refused.
    """
    owner = work.snapshot().owner(slot)
    code = work.codes.get(owner.access_code_id) if owner is not None else None
    if owner is None or code is None or owner.confirmed is None:
        return False
    confirmed = owner.confirmed
    if (
        confirmed.evidence >= Evidence.READ_BACK
        or confirmed.revision != code.revision
        or work.snapshot().open_intents(code.access_code_id)
    ):
        return False
    failures = owner.failures + 1
    work.set_placement(
        code.access_code_id,
        confirmed=replace(confirmed, evidence=Evidence.SENT, at=work.now),
        rewrite_due=True,
        failures=failures,
        failure=f"the lock accepted the code and refused it right after: {reason}",
        unanswered=False,
        rejection=_rejection_of(work, code, reason) if reason.permanent else owner.rejection,
        retry_at=None if reason.permanent else work.retry_after(failures),
    )
    return True
