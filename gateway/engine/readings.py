"""What a reading means: three-way comparison of confirmed, desired and observed. Works on a `Work`."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from gateway.domain.credential import (
    Credential,
    Empty,
    Evidence,
    Known,
    Reading,
    SlotRef,
    Unreadable,
)
from gateway.domain.placement import Confirmed, Intent, IntentKind, Placement, Slot
from gateway.domain.timing import EMPTY_TWICE, FORMER_IS_OURS, SETTLE
from gateway.engine.desire import desired, granularity, is_disabled_by_hand
from gateway.engine.exchange import take_as_they_lie
from gateway.engine.holding import confirm, gone, not_applied, still_there
from gateway.engine.inventory import stray
from gateway.engine.outside import modified, modified_unseen, removed_by_somebody
from gateway.engine.restored import doubt_unknown, settle_looks
from gateway.engine.waiting import age
from gateway.engine.wipe import is_wipe, suspect_wipe
from gateway.engine.work import Work


def absorb_reading(work: Work, slot: SlotRef, reading: Reading) -> None:
    """Take in an explicit answer of the lock about one slot."""
    before = work.slot(slot)
    if work.device.looks_refused:
        work.set_device(looks_refused=0, look_retry_at=None)
    work.set_slot(slot, reading=reading, read_at=work.now, check_at=None, failures=0, retry_at=None)
    owner = work.snapshot().owner(slot)
    if _is_news(before, reading, owner):
        work.set_device(inventory_version=work.device.inventory_version + 1)
    if owner is None:
        stray(work, before, reading)
    elif isinstance(reading, Known):
        _known(work, owner, slot, reading.credential)
    elif isinstance(reading, Unreadable):
        _unreadable(work, owner, before, reading)
    else:
        _empty(work, owner, slot)
    if owner is not None and not isinstance(reading, Empty):
        # An empty slot is not ours either: somebody may fill it before the second look.
        work.set_placement(owner.access_code_id, doubted=False)
        _count_anew(work, work.placement(owner.access_code_id))
    state = work.slot(slot)
    if state.touched:
        work.set_slot(slot, touched=False)
    if owner is not None:
        _exchanged(work, owner)
    if before.doubted:
        settle_looks(work, slot)


def _exchanged(work: Work, owner: Placement) -> None:
    """Take in again, for their own codes, what the slots of exchanged codes show."""
    for code_id in take_as_they_lie(work, owner.access_code_id):
        moved = work.placement(code_id)
        state = work.slots.get(moved.slot) if moved.slot is not None else None
        if state is not None and isinstance(state.reading, Known):
            _known(work, moved, state.slot, state.reading.credential)


def _is_news(before: Slot, reading: Reading, owner: Placement | None) -> bool:
    """Say whether the lock holds something else by now, so that it may take what it refused (rule 11)."""
    if before.reading is not None:
        return before.reading != reading
    # A removal by the hub forgot the reading. That it took effect is seen only now: until then the lock may
    # have refused the same PIN as a duplicate.
    return isinstance(reading, Empty) and owner is None and before.own_write_at is not None


def absorb_list(work: Work, readings: Mapping[SlotRef, Reading]) -> None:
    """Take in the whole list of a lock that chooses its slots; a slot not listed is empty."""
    work.set_device(probed_at=work.now)
    if work.device.looks_refused:
        work.set_device(looks_refused=0, look_retry_at=None)
    doubt_unknown(work, readings)
    _find_unplaced(work, readings)
    for slot in sorted(set(work.slots) | {p.slot for p in work.placements.values() if p.slot is not None}):
        if slot not in readings:
            absorb_reading(work, slot, Empty())
            if _is_forgettable(work, slot):
                work.drop_slot(slot)
    for slot in sorted(readings):
        absorb_reading(work, slot, readings[slot])
    work.set_device(restored_from=None)


def _is_forgettable(work: Work, slot: SlotRef) -> bool:
    """Say whether a slot that is not listed need not be kept: for a code, or a late write of ours."""
    state = work.slot(slot)
    awaited = state.former is not None and age(state.former.removed_at, work.now) <= FORMER_IS_OURS
    return state.unmanaged_id is None and not awaited and work.snapshot().owner(slot) is None


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


def _known(work: Work, owner: Placement, slot: SlotRef, seen: Credential) -> None:
    code_id, gap = owner.access_code_id, granularity(work.snapshot())
    intents = work.snapshot().open_intents(code_id)
    code = work.codes.get(code_id)
    want = desired(code, work.snapshot(), work.t, work.timing) if code is not None else None
    confirmed = owner.confirmed
    late = _settled(work, [i for i in intents if i.target is None or not seen.same_access(i.target, gap)])
    for target in [i.target for i in intents if i.target is not None]:
        if seen.same_access(target, gap):
            confirm(work, code_id, slot, msgspec.structs.replace(seen, name=target.name), Evidence.READ_BACK)
            work.set_slot(slot, check_at=late)  # another operation of ours may still arrive
            return
    if want is not None and seen.same_access(want, gap):
        evidence = Evidence.READ_BACK
        if confirmed is not None and not intents and seen.same_access(confirmed.credential, gap):
            evidence = max(evidence, confirmed.evidence)
        confirm(work, code_id, slot, _named(seen, want, confirmed), evidence)
        work.set_slot(slot, check_at=late)
        return
    if confirmed is not None and seen.same_access(confirmed.credential, gap):
        not_applied(work, owner)
        still_there(work, owner, confirmed, Evidence.READ_BACK)
        return
    if any(_same_reading(intent.before, seen, work) for intent in intents):
        not_applied(work, owner)
        return
    if _is_half(intents, confirmed, seen, gap):
        _half_arrived(work, owner, slot, seen)
        return
    _third_value(work, owner, slot, seen)


def _is_half(
    intents: Sequence[Intent], confirmed: Confirmed | None, seen: Credential, gap: timedelta
) -> bool:
    """Say whether of a write the code arrived without its schedule, or the schedule without its code.

    Some locks take them by two commands. The schedule is then that from before: where no code of ours was,
    that of whoever had the slot. A lock that chooses the slot may enable what it adds (Nuki), and is told to
    disable it by a second command.
    """
    for intent in intents:
        if intent.target is None:
            return False  # It was to be cleared meanwhile.
        before = confirmed.credential.schedule if confirmed is not None else seen.schedule
        halves = [msgspec.structs.replace(intent.target, schedule=before)]
        if confirmed is not None:
            halves.append(msgspec.structs.replace(confirmed.credential, schedule=intent.target.schedule))
        if intent.slot is None:
            halves.append(msgspec.structs.replace(intent.target, enabled=True))
        if any(seen.same_access(half, gap) for half in halves):
            return True
    return False


def _half_arrived(work: Work, owner: Placement, slot: SlotRef, seen: Credential) -> None:
    """Take in half of what we sent; nobody else was there, and the planner writes the other half."""
    code_id, confirmed = owner.access_code_id, owner.confirmed
    late = _settled(work, list(work.snapshot().open_intents(code_id)))
    confirm(work, code_id, slot, _named(seen, seen, confirmed), Evidence.READ_BACK)
    half = work.placement(code_id).confirmed
    if half is not None and confirmed is not None:
        # What was asked for last is not there as a whole.
        work.set_placement(code_id, confirmed=msgspec.structs.replace(half, revision=confirmed.revision))
    work.set_slot(slot, check_at=late)


def _third_value(work: Work, owner: Placement, slot: SlotRef, seen: Credential) -> None:
    """Take in what is neither what was before nor what we sent: somebody else was there."""
    code_id, confirmed = owner.access_code_id, owner.confirmed
    intents = work.snapshot().open_intents(code_id)
    sent = next((i.target for i in intents if i.target is not None and i.target.pin == seen.pin), None)
    if sent is not None and (confirmed is None or confirmed.credential.pin != seen.pin):
        _arrived_and_changed(work, code_id, slot, sent, seen)
    elif confirmed is None or owner.empty_twice or (owner.doubted and confirmed.credential.pin != seen.pin):
        _lost_to_stranger(work, owner, slot)
    elif any(intent.kind is IntentKind.CLEAR for intent in intents):
        if seen.pin == confirmed.credential.pin:
            not_applied(work, owner)  # somebody changed its times or disabled it: still our code
        else:
            _lost_to_stranger(work, owner, slot)
    else:
        not_applied(work, owner)
        modified(work, owner, confirmed, seen)


def _arrived_and_changed(work: Work, code_id: str, slot: SlotRef, sent: Credential, seen: Credential) -> None:
    """Take in that an unanswered write arrived, and that somebody changed the code since."""
    late = _settled(work, list(work.snapshot().open_intents(code_id)))
    confirm(work, code_id, slot, sent, Evidence.READ_BACK)
    owner = work.placement(code_id)
    if owner.confirmed is not None:
        modified(work, owner, owner.confirmed, seen)
    if late is not None:
        work.set_slot(slot, check_at=late)


def _named(seen: Credential, want: Credential, confirmed: Confirmed | None) -> Credential:
    """Keep the name that we wrote: a lock that stores it in another form would be written for ever."""
    if confirmed is not None:
        return msgspec.structs.replace(seen, name=confirmed.credential.name)
    return seen if seen.name is not None else msgspec.structs.replace(seen, name=want.name)


def _same_reading(before: Reading | None, seen: Credential, work: Work) -> bool:
    return isinstance(before, Known) and before.credential.same_access(seen, granularity(work.snapshot()))


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
    if clears:
        # Taken: it was not cleared. Whether an earlier write arrived, the digits would say.
        for intent in clears:
            work.close(intent, "not applied")
        if not sets:
            work.set_slot(slot, check_at=_settled(work, clears))
        return
    if confirmed is None or owner.empty_twice:
        if not intents:
            _lost_to_stranger(work, owner, slot)
        return
    if not intents:
        field = _shown_change(work, owner, confirmed, before, reading)
        if field is not None:
            modified_unseen(work, owner, confirmed, field)
            return
        if not owner.rewrite_due:
            still_there(work, owner, confirmed, Evidence.OCCUPIED)


def _shown_change(
    work: Work, owner: Placement, confirmed: Confirmed, before: Slot, reading: Unreadable
) -> str | None:
    """Return what somebody changed, as far as it shows although the digits do not.

    A code that is to open the door by now is enabled as it should be, whoever was faster. One disabled
    by hand before, that is reported and enabled now, may have another PIN since.
    """
    code, held = work.codes.get(owner.access_code_id), confirmed.credential
    want = desired(code, work.snapshot(), work.t, work.timing) if code is not None else None
    may_open = (want is not None and want.enabled) or (before.touched and is_disabled_by_hand(owner))
    if reading.enabled not in (None, held.enabled) and not (reading.enabled and may_open):
        return "enabled"
    return "code" if before.touched else None


def _settled(work: Work, intents: list[Intent]) -> datetime | None:
    """Return when operations that may still arrive must have; None where they are old enough."""
    young = [intent.opened_at for intent in intents if age(intent.opened_at, work.now) < SETTLE]
    return max(young) + SETTLE if young else None


def _one_pin(sets: list[Intent]) -> bool:
    pins = [intent.target.pin for intent in sets if intent.target is not None]
    return all(pin == pins[0] for pin in pins)


def _empty(work: Work, owner: Placement, slot: SlotRef) -> None:
    intents = work.snapshot().open_intents(owner.access_code_id)
    young = [i for i in intents if i.kind is IntentKind.SET and age(i.opened_at, work.now) < SETTLE]
    if young:
        # It may still arrive: this reading counts for nothing, another is taken when it must have.
        # The time of the look stays, or an audit would take it again and again until then.
        settled = max(i.opened_at for i in young) + SETTLE
        work.set_slot(slot, reading=None)
        work.set_placement(owner.access_code_id, retry_at=max(settled, owner.retry_at or settled))
        return
    if any(intent.kind is IntentKind.CLEAR for intent in intents):
        gone(work, owner, by_us=True)
        return
    if owner.confirmed is None:
        not_applied(work, owner)
        return
    if owner.empty_since is None:
        work.set_placement(owner.access_code_id, empty_since=work.now)
        work.set_slot(slot, check_at=work.now + EMPTY_TWICE)
        suspect_wipe(work)
        return
    if age(owner.empty_since, work.now) < EMPTY_TWICE:
        work.set_slot(slot, check_at=owner.empty_since + EMPTY_TWICE)
        return
    if is_wipe(work):
        if work.device.wipe_suspected_at is not None:
            work.set_placement(owner.access_code_id, empty_twice=True)
            work.set_slot(slot, check_at=work.now + EMPTY_TWICE)
        return
    removed_by_somebody(work, owner)


def _count_anew(work: Work, owner: Placement) -> None:
    """Forget a single empty reading where the slot is taken by now: two count only in a row (rule 2)."""
    if owner.empty_since is not None and not owner.empty_twice:
        work.set_placement(owner.access_code_id, empty_since=None)


def _lost_to_stranger(work: Work, owner: Placement, slot: SlotRef) -> None:
    """Give up a slot that somebody else filled while it was not ours to hold."""
    gone(work, owner, by_us=False)
    work.set_placement(owner.access_code_id, slot=None)
    stray(work, work.slot(slot), work.slot(slot).reading or Empty())
