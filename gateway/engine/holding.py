"""What a slot is known to hold: confirmed, still there, not applied, gone. Works on a `Work`."""

import msgspec

from gateway.domain.code import AccessCode
from gateway.domain.credential import Credential, Evidence, SlotRef
from gateway.domain.placement import Confirmed, Former, Placement
from gateway.domain.timing import SETTLE
from gateway.engine.desire import granularity
from gateway.engine.waiting import age
from gateway.engine.work import Work


def confirm(work: Work, code_id: str, slot: SlotRef, credential: Credential, evidence: Evidence) -> None:
    """Note that the lock holds this credential for this code, closing whatever was open."""
    code = work.codes.get(code_id)
    placement = work.placement(code_id)
    previous = placement.confirmed
    work.set_placement(
        code_id,
        slot=slot,
        confirmed=Confirmed(
            credential=credential,
            evidence=evidence,
            at=work.now,
            revision=code.revision if code is not None else 0,
        ),
        outside=None if placement.outside is None or not placement.outside.honoured else placement.outside,
        empty_since=None,
        empty_twice=False,
        rewrite_due=False,
        rejection=None,
        failures=0,
        failure=None,
        retry_at=None,
        cleared_at=None,
        was_on_lock=placement.was_on_lock or evidence >= Evidence.ACCEPTED,
        lost=placement.lost if evidence < Evidence.OCCUPIED else 0,
    )
    work.close_all(code_id, "applied")
    if previous is not None and code is not None:
        _tell_changes(work, code, previous.credential, credential)


def _tell_changes(work: Work, code: AccessCode, old: Credential, new: Credential) -> None:
    gap = granularity(work.snapshot())
    differences = new.differences(old, gap)
    changes = (
        ("access_code.code_changed", "PIN", "code" in differences),
        ("access_code.time_frame_changed", "time frame", "schedule" in differences),
        ("access_code.name_changed", "name", new.name != old.name),
    )
    for event_type, what, changed in changes:
        if changed:
            said = f"the {what} asked for is on the lock now"
            work.tell(event_type, code.access_code_id, description=said)


def gone(work: Work, placement: Placement, *, by_us: bool) -> None:
    """Note that the slot of a placement is empty; `by_us` keeps an eye on what we removed ourselves."""
    slot = placement.slot
    if slot is not None and by_us and placement.confirmed is not None:
        work.set_slot(slot, former=Former(pin=placement.confirmed.credential.pin, removed_at=work.now))
    work.set_placement(
        placement.access_code_id,
        slot=None if by_us else slot,
        confirmed=None,
        empty_since=None,
        empty_twice=False,
        rewrite_due=False,
        failures=0,
        failure=None,
        retry_at=None,
        removal_began=None,
        cleared_at=None,
    )
    work.close_all(placement.access_code_id, "gone")


def not_applied(work: Work, owner: Placement) -> None:
    """Close what was open: the slot shows that it had no effect.

    Young ones may still take effect, so look again. The first is sent again at once; where looks are answered
    and operations are not, the next ones wait longer and longer (rule 13).
    """
    code_id, failures = owner.access_code_id, owner.failures
    intents = work.snapshot().open_intents(code_id)
    if any(age(intent.opened_at, work.now) < SETTLE for intent in intents) and owner.slot is not None:
        work.set_slot(owner.slot, check_at=work.now + SETTLE)
    if intents and failures > 1:
        pause = work.retry_after(failures - 1) - work.now
        retry_at = max(intent.opened_at for intent in intents) + pause
        work.set_placement(code_id, retry_at=max(retry_at, owner.retry_at or retry_at))
    work.close_all(code_id, "not applied")


def still_there(work: Work, owner: Placement, confirmed: Confirmed, evidence: Evidence) -> None:
    """Note that the lock still holds what was confirmed; `evidence` can only raise what is known."""
    better = msgspec.structs.replace(confirmed, evidence=max(confirmed.evidence, evidence))
    honoured = owner.outside is not None and owner.outside.honoured
    work.set_placement(
        owner.access_code_id,
        confirmed=better,
        lost=0,
        empty_since=None,
        empty_twice=False,
        outside=owner.outside if honoured else None,
        was_on_lock=True,
    )
