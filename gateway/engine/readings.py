"""What a reading means: three-way comparison of confirmed, desired and observed. Works on a `Work`."""

from collections.abc import Mapping

import msgspec

from gateway.domain.code import AccessCode
from gateway.domain.credential import (
    Credential,
    Empty,
    Evidence,
    Known,
    Reading,
    SlotRef,
    Unreadable,
)
from gateway.domain.lock import OnWipe
from gateway.domain.placement import Confirmed, Former, Intent, IntentKind, Outside, Placement, Slot
from gateway.domain.timing import EMPTY_TWICE, FORMER_IS_OURS, SETTLE
from gateway.engine.desire import desired, granularity
from gateway.engine.waiting import age
from gateway.engine.work import Work


def absorb_reading(work: Work, slot: SlotRef, reading: Reading) -> None:
    """Take in an explicit answer of the lock about one slot."""
    before = work.slot(slot)
    work.set_slot(slot, reading=reading, read_at=work.now, check_at=None)
    if before.reading is not None and before.reading != reading:
        work.set_device(inventory_version=work.device.inventory_version + 1)
    owner = work.snapshot().owner(slot)
    if owner is None:
        _stray(work, before, reading)
    elif isinstance(reading, Known):
        _known(work, owner, slot, reading.credential)
    elif isinstance(reading, Unreadable):
        _unreadable(work, owner, before, reading)
    else:
        _empty(work, owner, slot)
    state = work.slot(slot)
    if state.touched:
        work.set_slot(slot, touched=False)


def absorb_list(work: Work, readings: Mapping[SlotRef, Reading]) -> None:
    """Take in the whole list of a lock that chooses its slots; a slot not listed is empty."""
    work.set_device(probed_at=work.now)
    _find_unplaced(work, readings)
    for slot in sorted(set(work.slots) | {p.slot for p in work.placements.values() if p.slot is not None}):
        if slot not in readings:
            absorb_reading(work, slot, Empty())
            state = work.slot(slot)
            if state.unmanaged_id is None and state.former is None and work.snapshot().owner(slot) is None:
                work.drop_slot(slot)
    for slot in sorted(readings):
        absorb_reading(work, slot, readings[slot])


def _find_unplaced(work: Work, readings: Mapping[SlotRef, Reading]) -> None:
    """Find the slot of an unanswered write by its PIN: list before any second add."""
    owned = {p.slot for p in work.placements.values()}
    for intent in list(work.intents):
        if intent.slot is not None or intent.access_code_id is None or intent.target is None:
            continue
        if work.placement(intent.access_code_id).slot is not None:
            continue
        for slot in sorted(readings):
            reading = readings[slot]
            if (
                slot not in owned
                and work.slot(slot).unmanaged_id is None
                and isinstance(reading, Known)
                and reading.credential.pin == intent.target.pin
            ):
                work.set_placement(intent.access_code_id, slot=slot)
                owned.add(slot)
                break
        else:
            if age(intent.opened_at, work.now) >= SETTLE:
                work.close(intent, "not applied")
            else:
                work.set_placement(intent.access_code_id, retry_at=intent.opened_at + SETTLE)


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
    )
    work.close_all(code_id, "applied")
    if previous is not None and code is not None:
        _tell_changes(work, code, previous.credential, credential)


def _tell_changes(work: Work, code: AccessCode, old: Credential, new: Credential) -> None:
    gap = granularity(work.snapshot())
    differences = new.differences(old, gap)
    if "code" in differences:
        work.tell("access_code.code_changed", code.access_code_id)
    if "schedule" in differences:
        work.tell("access_code.time_frame_changed", code.access_code_id)
    if new.name != old.name:
        work.tell("access_code.name_changed", code.access_code_id)


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


def _known(work: Work, owner: Placement, slot: SlotRef, seen: Credential) -> None:
    code_id, gap = owner.access_code_id, granularity(work.snapshot())
    intents = work.snapshot().open_intents(code_id)
    code = work.codes.get(code_id)
    want = desired(code, work.snapshot(), work.t, work.timing) if code is not None else None
    confirmed = owner.confirmed
    for target in [i.target for i in intents if i.target is not None]:
        if seen.same_access(target, gap):
            confirm(work, code_id, slot, msgspec.structs.replace(seen, name=target.name), Evidence.READ_BACK)
            return
    if want is not None and seen.same_access(want, gap):
        evidence = Evidence.READ_BACK
        if confirmed is not None and not intents and seen.same_access(confirmed.credential, gap):
            evidence = max(evidence, confirmed.evidence)
        confirm(work, code_id, slot, _named(seen, want, confirmed), evidence)
        return
    if confirmed is not None and seen.same_access(confirmed.credential, gap):
        _not_applied(work, owner)
        _still_there(work, owner, confirmed, Evidence.READ_BACK)
        return
    if any(_same_reading(intent.before, seen, work) for intent in intents):
        _not_applied(work, owner)
        return
    if confirmed is None or owner.empty_twice:
        _lost_to_stranger(work, owner, slot)
    elif any(intent.kind is IntentKind.CLEAR for intent in intents):
        if seen.pin == confirmed.credential.pin:
            _not_applied(work, owner)  # somebody changed its times or disabled it: still our code
        else:
            _lost_to_stranger(work, owner, slot)
    else:
        _modified(work, owner, confirmed, seen)


def _named(seen: Credential, want: Credential, confirmed: Confirmed | None) -> Credential:
    """Keep the name that we wrote: a lock that stores it in another form would be written for ever."""
    if confirmed is not None:
        return msgspec.structs.replace(seen, name=confirmed.credential.name)
    return seen if seen.name is not None else msgspec.structs.replace(seen, name=want.name)


def _same_reading(before: Reading | None, seen: Credential, work: Work) -> bool:
    return isinstance(before, Known) and before.credential.same_access(seen, granularity(work.snapshot()))


def _not_applied(work: Work, owner: Placement) -> None:
    """Close what was open: the slot shows that it had no effect.

    Young ones may still take effect, so look again.
    """
    intents = work.snapshot().open_intents(owner.access_code_id)
    if any(age(intent.opened_at, work.now) < SETTLE for intent in intents) and owner.slot is not None:
        work.set_slot(owner.slot, check_at=work.now + SETTLE)
    work.close_all(owner.access_code_id, "not applied")


def _still_there(work: Work, owner: Placement, confirmed: Confirmed, evidence: Evidence) -> None:
    better = msgspec.structs.replace(confirmed, evidence=max(confirmed.evidence, evidence))
    honoured = owner.outside is not None and owner.outside.honoured
    work.set_placement(
        owner.access_code_id,
        confirmed=better,
        empty_since=None,
        empty_twice=False,
        outside=owner.outside if honoured else None,
        was_on_lock=True,
    )


def _unreadable(work: Work, owner: Placement, before: Slot, reading: Unreadable) -> None:
    code_id, slot = owner.access_code_id, before.slot
    intents = work.snapshot().open_intents(code_id)
    sets = [intent for intent in intents if intent.kind is IntentKind.SET and intent.target is not None]
    clears = [intent for intent in intents if intent.kind is IntentKind.CLEAR]
    confirmed = owner.confirmed
    if sets and not clears and isinstance(sets[0].before, Empty) and _one_pin(sets):
        target = sets[-1].target
        if target is not None and reading.enabled in (None, target.enabled):
            confirm(work, code_id, slot, target, Evidence.OCCUPIED)
            return
    if clears and not sets:
        _not_applied(work, owner)
        return
    if confirmed is None:
        if not intents:
            _lost_to_stranger(work, owner, slot)
        return
    disabled = reading.enabled is False and confirmed.credential.enabled
    if not intents and (before.touched or disabled):
        _modified_unseen(work, owner, confirmed, "enabled" if disabled and not before.touched else "code")
        return
    if not intents and not owner.rewrite_due:
        _still_there(work, owner, confirmed, Evidence.OCCUPIED)


def _one_pin(sets: list[Intent]) -> bool:
    pins = [intent.target.pin for intent in sets if intent.target is not None]
    return all(pin == pins[0] for pin in pins)


def _empty(work: Work, owner: Placement, slot: SlotRef) -> None:
    intents = work.snapshot().open_intents(owner.access_code_id)
    young = [i for i in intents if i.kind is IntentKind.SET and age(i.opened_at, work.now) < SETTLE]
    if young:
        # It may still arrive: this reading counts for nothing, another is taken when it must have.
        work.set_slot(slot, reading=None, read_at=None)
        work.set_placement(owner.access_code_id, retry_at=max(i.opened_at for i in young) + SETTLE)
        return
    if any(intent.kind is IntentKind.CLEAR for intent in intents):
        gone(work, owner, by_us=True)
        return
    if owner.confirmed is None:
        work.close_all(owner.access_code_id, "not applied")
        return
    if owner.empty_since is None:
        work.set_placement(owner.access_code_id, empty_since=work.now)
        work.set_slot(slot, check_at=work.now + EMPTY_TWICE)
        _suspect_wipe(work)
        return
    if age(owner.empty_since, work.now) < EMPTY_TWICE:
        work.set_slot(slot, check_at=owner.empty_since + EMPTY_TWICE)
        return
    if _is_wipe(work):
        if work.device.wipe_suspected_at is not None:
            work.set_placement(owner.access_code_id, empty_twice=True)
            work.set_slot(slot, check_at=work.now + EMPTY_TWICE)
        return
    removed_by_somebody(work, owner)


def removed_by_somebody(work: Work, owner: Placement) -> None:
    """Note that somebody else removed the code, and tell it."""
    code = work.codes.get(owner.access_code_id)
    honoured = code is not None and code.is_external_modification_allowed and code.deleted_at is None
    gone(work, owner, by_us=False)
    if code is None or code.deleted_at is not None:
        work.set_placement(owner.access_code_id, slot=None)
        return
    work.set_placement(
        owner.access_code_id,
        slot=None if honoured or _chooses(work) else owner.slot,
        outside=Outside(change="removed", fields=("code",), at=work.now, honoured=honoured),
    )
    work.tell("access_code.deleted_external_to_gateway", owner.access_code_id, change_type="removed")


def _chooses(work: Work) -> bool:
    capabilities = work.device.capabilities
    return capabilities is not None and capabilities.lock_chooses_slot


def _suspect_wipe(work: Work) -> None:
    held = [p for p in work.placements.values() if p.confirmed is not None]
    if len(held) > 1 and work.device.wipe_suspected_at is None:
        work.set_device(wipe_suspected_at=work.now)


def _is_wipe(work: Work) -> bool:
    """Judge a suspected wipe: every code was seen missing since.

    Ends the suspicion where one is still there.
    """
    suspected = work.device.wipe_suspected_at
    if suspected is None:
        return False
    held = [p for p in work.placements.values() if p.confirmed is not None]
    for placement in held:
        if placement.empty_since is None:
            state = work.slot(placement.slot) if placement.slot is not None else None
            if state is not None and state.read_at is not None and state.read_at >= suspected:
                work.set_device(wipe_suspected_at=None)
                return False
    if all(placement.empty_since is not None for placement in held):
        declare_wipe(work)
    return True


def declare_wipe(work: Work) -> None:
    """Note that the lock lost all codes at once: one alarm, then its policy decides (rule 14)."""
    policy = work.device.policy
    hold = policy is not None and policy.on_wipe is OnWipe.HOLD
    lost = [p for p in work.placements.values() if p.confirmed is not None]
    for placement in lost:
        gone(work, placement, by_us=False)
        work.set_placement(placement.access_code_id, slot=None)
    work.set_device(
        wipe_suspected_at=None, wiped_at=work.now, held_after_wipe=hold, audit_at=work.now, probe=None
    )


def _modified(work: Work, owner: Placement, confirmed: Confirmed, seen: Credential) -> None:
    """Note that somebody changed the code: put right by the planner, or adopted where the code allows it."""
    fields = seen.differences(confirmed.credential, granularity(work.snapshot()))
    code = work.codes.get(owner.access_code_id)
    allowed = code is not None and code.is_external_modification_allowed and not _is_taken(work, owner, seen)
    known = owner.outside is not None and owner.outside.fields == fields and not owner.outside.honoured
    if not known and code is not None and code.deleted_at is None:
        work.tell(
            "access_code.modified_external_to_gateway",
            owner.access_code_id,
            change_type="modified",
            modified_fields=list(fields),
        )
    if not known:
        outside = Outside(change="modified", fields=fields, at=work.now, honoured=allowed)
        work.set_placement(owner.access_code_id, outside=outside, empty_since=None)
    if code is None or not allowed:
        return
    schedule = seen.schedule
    adopted = msgspec.structs.replace(
        code,
        pin=seen.pin,
        starts_at=schedule.starts_at if "schedule" in fields and schedule is not None else code.starts_at,
        ends_at=schedule.ends_at if "schedule" in fields and schedule is not None else code.ends_at,
        revision=code.revision + 1,
        updated_at=work.now,
    )
    work.set_code(adopted)
    work.set_placement(
        owner.access_code_id,
        confirmed=Confirmed(
            credential=seen, evidence=Evidence.READ_BACK, at=work.now, revision=adopted.revision
        ),
    )


def _is_taken(work: Work, owner: Placement, seen: Credential) -> bool:
    """Say whether another code of this lock has that PIN: then the change is not adopted (rule 4)."""
    return any(
        code.pin == seen.pin for code in work.codes.values() if code.access_code_id != owner.access_code_id
    ) or any(
        p.confirmed is not None and p.confirmed.credential.pin == seen.pin
        for p in work.placements.values()
        if p.access_code_id != owner.access_code_id
    )


def _modified_unseen(work: Work, owner: Placement, confirmed: Confirmed, field: str) -> None:
    """Note a change that cannot be read (rule 3): one rewrite, unless the code allows such changes."""
    code = work.codes.get(owner.access_code_id)
    if code is None or code.deleted_at is not None:
        return
    allowed = code.is_external_modification_allowed
    work.set_placement(
        owner.access_code_id,
        confirmed=msgspec.structs.replace(confirmed, evidence=Evidence.SENT),
        outside=Outside(change="modified", fields=(field,), at=work.now, honoured=allowed),
        rewrite_due=not allowed,
        empty_since=None,
        empty_twice=False,
    )
    work.tell(
        "access_code.modified_external_to_gateway",
        owner.access_code_id,
        change_type="modified",
        modified_fields=[field],
    )


def touched_unseen(work: Work, owner: Placement) -> None:
    """Take in a report of a change on a lock that cannot be read at all."""
    if owner.confirmed is not None:
        _modified_unseen(work, owner, owner.confirmed, "code")


def _lost_to_stranger(work: Work, owner: Placement, slot: SlotRef) -> None:
    """Give up a slot that somebody else filled while it was not ours to hold."""
    gone(work, owner, by_us=False)
    work.set_placement(owner.access_code_id, slot=None)
    _stray(work, work.slot(slot), work.slot(slot).reading or Empty())


def _stray(work: Work, before: Slot, reading: Reading) -> None:
    """Take in a reading of a slot that no code of ours holds: the inventory of others' codes."""
    slot = before.slot
    if isinstance(reading, Empty):
        if before.ghost:
            work.set_slot(slot, ghost=False, retry_at=None)
        if before.unmanaged_id is None:
            return
        if before.empty_since is None:
            work.set_slot(slot, empty_since=work.now, check_at=work.now + EMPTY_TWICE)
        elif age(before.empty_since, work.now) >= EMPTY_TWICE:
            work.tell("access_code.unmanaged.removed", before.unmanaged_id)
            work.set_slot(slot, unmanaged_id=None, unmanaged_since=None, empty_since=None)
        else:
            work.set_slot(slot, check_at=before.empty_since + EMPTY_TWICE)
        return
    work.set_slot(slot, empty_since=None)
    former = before.former
    if former is not None and before.unmanaged_id is None and isinstance(reading, Known):
        recent = age(former.removed_at, work.now) <= FORMER_IS_OURS
        if recent and reading.credential.pin == former.pin:
            work.set_slot(slot, ghost=True)
            return
    if before.unmanaged_id is None:
        unmanaged_id = work.chance.new_id()
        work.set_slot(slot, unmanaged_id=unmanaged_id, unmanaged_since=work.now, former=None, ghost=False)
        work.tell("access_code.unmanaged.created", unmanaged_id)
