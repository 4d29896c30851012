"""What a slot is known to hold: confirmed, still there, not applied, gone. Works on a `Work`."""

from collections.abc import Collection
from datetime import datetime

import msgspec

from gateway.domain.code import AccessCode
from gateway.domain.credential import Credential, Evidence, SlotRef
from gateway.domain.placement import Confirmed, Former, Placement
from gateway.domain.timing import SETTLE
from gateway.engine.desire import desired, granularity
from gateway.engine.waiting import age
from gateway.engine.work import Work


def confirm(work: Work, code_id: str, slot: SlotRef, credential: Credential, evidence: Evidence) -> None:
    """Note that the lock holds this credential for this code, closing whatever was open."""
    code = work.codes.get(code_id)
    placement = work.placement(code_id)
    previous = placement.confirmed
    is_asked = code is not None and code.pin == credential.pin
    work.set_placement(
        code_id,
        slot=slot,
        confirmed=Confirmed(
            credential=credential,
            evidence=evidence,
            at=_known_since(work, placement, credential, evidence),
            revision=_revision(code, previous, is_asked=is_asked),
        ),
        pin_since=_pin_since(work, placement, credential),
        outside=None if placement.outside is None or not placement.outside.honoured else placement.outside,
        empty_since=None,
        empty_twice=False,
        rewrite_due=False,
        rejection=None if is_asked else placement.rejection,
        held_rejection=None,
        failures=0,
        failure=None,
        retry_at=None,
        cleared_at=None,
        doubted=False,
        was_on_lock=placement.was_on_lock or evidence >= Evidence.ACCEPTED,
        lost=placement.lost if evidence < Evidence.OCCUPIED else 0,
    )
    work.close_all(code_id, "applied")
    if previous is not None and code is not None:
        _tell_changes(work, code, previous.credential, credential)


def _revision(code: AccessCode | None, previous: Confirmed | None, *, is_asked: bool) -> int:
    """Return what of the code is in force; with another PIN than it asks for, no more than before."""
    if code is not None and is_asked:
        return code.revision
    return previous.revision if previous is not None else 0


def _known_since(work: Work, placement: Placement, credential: Credential, evidence: Evidence) -> datetime:
    """Return since when it is known so well: a look that shows no more makes nothing younger."""
    known, gap = placement.confirmed, granularity(work.snapshot())
    written = work.snapshot().open_intents(placement.access_code_id)
    if (
        known is not None
        and not written
        and known.evidence == evidence
        and known.credential.same_access(credential, gap)
    ):
        return known.at
    return work.now


def _pin_since(work: Work, placement: Placement, credential: Credential) -> datetime | None:
    """Return since when the lock may hold this PIN: since the first write of it went out, answered or not."""
    if placement.confirmed is not None and placement.confirmed.credential.pin == credential.pin:
        return placement.pin_since
    sent = work.snapshot().open_intents(placement.access_code_id)
    wrote = [i.opened_at for i in sent if i.target is not None and i.target.pin == credential.pin]
    # A clock that was ahead may have put the write into the future: no use would count until then.
    return min([*wrote, work.now])


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


def tell_kept_by_hub(work: Work, code: AccessCode, asked: Collection[str]) -> None:
    """Tell at once which of the changes asked for are in force without a write: dates, and names not stored.

    Of a code that is not on the lock nothing is told: it comes with all of this.
    """
    snap = work.snapshot()
    confirmed = snap.placement(code.access_code_id).confirmed
    if confirmed is None:
        return
    has, want = confirmed.credential, desired(code, snap, work.t, work.timing)
    waits = has.differences(want, granularity(snap)) if want is not None else ()
    renames = want is not None and want.name is not None and want.name != has.name
    kept = (
        ("access_code.time_frame_changed", "updating_time_frame", "schedule" not in waits, "time frame"),
        ("access_code.name_changed", "updating_name", not renames, "name"),
    )
    for event_type, mutation, is_kept, what in kept:
        if is_kept and mutation in asked:
            said = f"the hub goes by the {what} asked for; the lock need not be written for it"
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
        doubted=False,
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
    at = work.now if evidence > confirmed.evidence else confirmed.at
    better = msgspec.structs.replace(confirmed, evidence=max(confirmed.evidence, evidence), at=at)
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
