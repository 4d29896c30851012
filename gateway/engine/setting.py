"""Getting a code onto its lock and keeping it there. Pure."""

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from gateway.domain.clock import TimeView
from gateway.domain.code import AccessCode
from gateway.domain.credential import Credential, Empty, Known, SlotRef, Unreadable
from gateway.domain.issues import Issue
from gateway.domain.lock import Capabilities, PinRules, Readback
from gateway.domain.pin import Pin
from gateway.domain.pins import broken_rule, clash
from gateway.domain.placement import Placement, Refusal, Rejection, Slot, Snapshot
from gateway.domain.timing import RECENT_READING, REJECTION_STANDS
from gateway.engine.desire import granularity, is_honoured_removal
from gateway.engine.pins import rules_of
from gateway.engine.plan import ReadAll, ReadSlot, Step, WriteCode
from gateway.engine.slots import Full, choose, is_listed, not_looked_at, owned, taken, unread
from gateway.engine.waiting import Wake, age, is_due

type Found = tuple[list[Step], list[Issue]]


def plan_setting(code: AccessCode, want: Credential, snap: Snapshot, t: TimeView, wake: Wake) -> Found:
    """Return the step that brings the lock nearer to what the code wants, and what stands in the way."""
    placement = snap.placement(code.access_code_id)
    capabilities = snap.device.capabilities
    if capabilities is None or is_honoured_removal(placement):
        return [], []
    why = reason_to_write(want, placement, snap)
    if why is None:
        return [], []
    trouble = _obstacle(code, want, placement, snap, t, wake)
    if trouble is not None:
        held = _with_held_pin(code, want, placement, snap, t, wake)
        why = reason_to_write(held, placement, snap) if held is not None else None
        if held is None or why is None:
            return [], [trouble]
        want = held
    known = [trouble] if trouble is not None else _said_full(code, placement, snap, t)
    if not is_due(placement.retry_at, t.now):
        wake.note(placement.retry_at)
        return [], known
    if snap.device.wiped_at is not None and placement.confirmed is None and snap.device.held_after_wipe:
        return [], []
    steps, trouble_of_step = _steps(code, want, why, placement, snap, t, capabilities)
    return steps, trouble_of_step or known


def _steps(
    code: AccessCode,
    want: Credential,
    why: str,
    placement: Placement,
    snap: Snapshot,
    t: TimeView,
    capabilities: Capabilities,
) -> Found:
    """Return the look that must come first, or the write."""
    look = _look_first(placement, snap, capabilities)
    if look is not None:
        return [look], []
    half_gone = placement.confirmed is None or placement.cleared_at is not None
    if code.has_window and not t.trusted and half_gone:
        # Where the effect of a write or clear is not known, none may open the window now (rule 5).
        return [], []
    write_to: SlotRef | None = placement.slot
    if capabilities.lock_chooses_slot:
        # Full only by a list: with an older view no backup makes room.
        if placement.slot is None and len(taken(snap)) >= capabilities.max_codes and is_listed(snap):
            return [], [full_issue(code, Full(ours=_ours(snap), foreign=_foreign(snap)))]
        if placement.slot is None and _list_first(snap, t, capabilities):
            return [ReadAll(why="the lock is listed before a code is added")], []
    elif placement.confirmed is None and not snap.open_intents(code.access_code_id):
        unseen = not_looked_at(snap, t.now)
        if unseen is not None:
            return [
                ReadSlot(slot=unseen, why="after a restore the code is looked for before it is written")
            ], []
        choice = choose(snap, placement, t.now)
        if isinstance(choice, Full):
            return [], [full_issue(code, choice)]
        if not choice.fresh:
            return [ReadSlot(slot=choice.slot, why=f"slot {choice.slot} is read before its first use")], []
        write_to = choice.slot
    step = WriteCode(access_code_id=code.access_code_id, slot=write_to, credential=want, why=why)
    return [step], []


def _list_first(snap: Snapshot, t: TimeView, capabilities: Capabilities) -> bool:
    """Say whether a list is needed to know that there is room, or that the PIN is free (rule 1)."""
    listed = snap.device.probed_at
    if listed is None or snap.device.restored_from is not None or age(listed, t.now) > RECENT_READING:
        return True
    return len(taken(snap) | unread(snap)) >= capabilities.max_codes


def reason_to_write(want: Credential, placement: Placement, snap: Snapshot) -> str | None:
    """Say why the slot must be written, or looked at after an unanswered write; None when all is well."""
    confirmed = placement.confirmed
    if snap.open_intents(placement.access_code_id):
        return "the answer to the last attempt got lost"
    if confirmed is None:
        return "the code is not on the lock yet" if not placement.was_on_lock else "the code went missing"
    differences = confirmed.credential.differences(want, granularity(snap))
    if differences:
        words = {
            "code": "its PIN changed",
            "enabled": "it is to open the door from now on" if want.enabled else "it is to wait, disabled",
            "schedule": "its dates changed",
        }
        return " and ".join(words[field] for field in differences)
    if want.name is not None and want.name != confirmed.credential.name:
        return "name changed"
    if placement.cleared_at is not None:
        return "its removal had begun"
    if placement.rewrite_due:
        return "the lock reported a change that cannot be read"
    slot = snap.slots.get(placement.slot) if placement.slot is not None else None
    reading = slot.reading if slot is not None else None
    if isinstance(reading, Known) and not reading.credential.same_access(
        confirmed.credential, granularity(snap)
    ):
        return "somebody changed the code"
    if isinstance(reading, Unreadable) and reading.enabled not in (None, want.enabled):
        return "somebody disabled the code" if want.enabled else "somebody enabled the code"
    return None


def _look_first(placement: Placement, snap: Snapshot, capabilities: Capabilities) -> Step | None:
    """Return the look that an unanswered attempt needs before anything is written again."""
    intents = snap.open_intents(placement.access_code_id)
    if capabilities.readback is Readback.NONE:
        return None
    state = snap.slots.get(placement.slot) if placement.slot is not None else None
    if placement.doubted and state is not None and state.reading is None:
        why = "the slot may be somebody else's by now: it is looked at before it is written"
        return ReadAll(why=why) if capabilities.lock_chooses_slot else ReadSlot(slot=state.slot, why=why)
    if not intents:
        return None
    why = "the answer to the last attempt got lost"
    if capabilities.lock_chooses_slot and placement.slot is None:
        return ReadAll(why=why)
    if state is None or state.reading is not None:
        # Opening the intent forgot the reading; one that is there came after it, and could not tell.
        return None
    return ReadAll(why=why) if capabilities.lock_chooses_slot else ReadSlot(slot=state.slot, why=why)


def _obstacle(
    code: AccessCode, want: Credential, placement: Placement, snap: Snapshot, t: TimeView, wake: Wake
) -> Issue | None:
    """Return what forbids this write: a PIN that may not be on the lock, or that the lock refused."""
    unfit = None if _is_there(want.pin, placement, snap) else _unfit(code, want.pin, snap)
    if unfit is not None:
        return unfit
    rejection = placement.rejection
    if rejection is None or rejection.reason is Refusal.FULL or not _stands(rejection, code, snap, t):
        return None
    wake.note(rejection.at + REJECTION_STANDS)
    explained = conflict(code, want.pin, snap) if rejection.explained else None
    return explained or _rejected(code, rejection, snap)


def _with_held_pin(
    code: AccessCode, want: Credential, placement: Placement, snap: Snapshot, t: TimeView, wake: Wake
) -> Credential | None:
    """Return what is wanted with the PIN that is on the lock, while the one asked for may not come there.

    It would open at all hours otherwise. None where the lock has no other PIN of the code for certain, or
    refused that as well.
    """
    if placement.confirmed is None or not _is_there(placement.confirmed.credential.pin, placement, snap):
        return None
    rejection = placement.held_rejection
    if rejection is not None and _stands(rejection, code, snap, t):
        wake.note(rejection.at + REJECTION_STANDS)
        return None
    held = placement.confirmed.credential
    # Another name can wait for the PIN: it opens and shuts nothing.
    return replace(want, pin=held.pin, name=held.name) if held.pin != want.pin else None


def _is_there(pin: Pin, placement: Placement, snap: Snapshot) -> bool:
    """Say whether the code's slot holds this very PIN, as far as known.

    Writing it again, disabled or with other dates, brings no PIN that was not on the lock: only the lock may
    refuse that.
    """
    confirmed = placement.confirmed
    if confirmed is None or placement.rewrite_due or placement.cleared_at is not None:
        return False
    sent = [intent.target for intent in snap.open_intents(placement.access_code_id)]
    slot = snap.slots.get(placement.slot) if placement.slot is not None else None
    reading = slot.reading if slot is not None else None
    if isinstance(reading, Empty):
        return False
    seen = [reading.credential] if isinstance(reading, Known) else []
    return all(it is not None and it.pin == pin for it in [confirmed.credential, *sent, *seen])


def _unfit(code: AccessCode, pin: Pin, snap: Snapshot) -> Issue | None:
    """Return why a PIN may not come onto this lock."""
    broken = broken_rule(pin, rules_of(snap))
    if broken is not None:
        return Issue(code="code_constraints_violated", access_code_id=code.access_code_id, message=broken)
    return conflict(code, pin, snap)


def _stands(rejection: Rejection, code: AccessCode, snap: Snapshot, t: TimeView) -> bool:
    """Say whether a refusal for good still holds (rule 11)."""
    return (
        rejection.revision == code.revision
        and rejection.inventory_version == snap.device.inventory_version
        and age(rejection.at, t.now) < REJECTION_STANDS
        and not (rejection.explained and conflict(code, code.pin, snap) is None)
    )


def _rejected(code: AccessCode, rejection: Rejection, snap: Snapshot) -> Issue:
    if rejection.reason is Refusal.DUPLICATE:
        hidden = [slot.slot for slot in snap.slots.values() if _is_hidden(slot)]
        where = f"; it may be in slot {' or '.join(hidden)}, where no digits can be read" if hidden else ""
        return Issue(
            code="duplicate_code_on_device",
            access_code_id=code.access_code_id,
            message="the lock refused this PIN because it already has it, in a slot that is not known yet"
            f"{where}",
        )
    return Issue(
        code="code_constraints_violated",
        access_code_id=code.access_code_id,
        message="the lock refused the form of this PIN",
    )


def _is_hidden(slot: Slot) -> bool:
    return slot.unmanaged_id is not None and isinstance(slot.reading, Unreadable)


def conflict(code: AccessCode, pin: Pin, snap: Snapshot) -> Issue | None:
    """Return the duplicate that writing this PIN would make (rule 4); on some locks it only begins alike."""
    return conflict_with_ours(code, pin, snap) or conflict_with_others(code, pin, snap)


def conflict_with_ours(code: AccessCode, pin: Pin, snap: Snapshot) -> Issue | None:
    """Return the duplicate with another access code, which may still have this PIN."""
    holder = next(_holders(pin, snap, besides=code.access_code_id), None)
    if holder is None:
        return None
    return Issue(
        code="duplicate_code_on_device",
        access_code_id=code.access_code_id,
        message="another access code on this lock may still have this PIN" + _or_alike(rules_of(snap)),
        data={"managed_access_code_id": holder},
    )


def waits_for_itself(code_id: str, pin: Pin, snap: Snapshot) -> str | None:
    """Return the code that still has this PIN and waits for what `code_id` has, maybe through others.

    With this PIN each of them would wait for the next one for ever.
    """
    for holder in _holders(pin, snap, besides=code_id):
        ahead, seen = [holder], {code_id}
        while ahead:
            other = snap.codes.get(ahead.pop())
            if other is None or other.access_code_id in seen or other.deleted_at is not None:
                continue  # a deleted one waits for nobody: it goes
            seen.add(other.access_code_id)
            nexts = list(_holders(other.pin, snap, besides=other.access_code_id))
            if code_id in nexts:
                return holder
            ahead += nexts
    return None


def _holders(pin: Pin, snap: Snapshot, *, besides: str) -> Iterator[str]:
    """Return the other access codes whose slots may hold a PIN that the lock cannot tell from this one."""
    rules = rules_of(snap)

    def alike(other: Pin) -> bool:
        return clash(pin, other, rules)

    for other in snap.placements.values():
        if other.access_code_id != besides and _may_have(other, alike, snap):
            yield other.access_code_id


def conflict_with_others(code: AccessCode, pin: Pin, snap: Snapshot) -> Issue | None:
    """Return the duplicate with a code that the hub does not manage, or let go of and did not look at yet."""
    rules = rules_of(snap)
    for slot in snap.slots.values():
        if not isinstance(slot.reading, Known) or not _is_of_others(slot, snap):
            continue
        if clash(pin, slot.reading.credential.pin, rules) and snap.owner(slot.slot) is None:
            return Issue(
                code="duplicate_code_on_device",
                access_code_id=code.access_code_id,
                message="a code that the hub does not manage has this PIN"
                f"{_or_alike(rules)} (slot {slot.slot})",
                data={} if slot.unmanaged_id is None else {"unmanaged_access_code_id": slot.unmanaged_id},
            )
    return None


def _is_of_others(slot: Slot, snap: Snapshot) -> bool:
    """Say whether a slot is that of others; what a forced delete left counts until a look tells."""
    if slot.unmanaged_id is not None:
        return True
    capabilities = snap.device.capabilities
    if capabilities is not None and capabilities.readback is Readback.NONE:
        return False  # no look would ever tell: the PIN would be barred for ever
    return slot.check_at is not None and not slot.ghost


def _or_alike(rules: PinRules) -> str:
    return ", or one that begins alike" if rules.prefix_free else ""


def _may_have(placement: Placement, alike: Callable[[Pin], bool], snap: Snapshot) -> bool:
    """Say whether a code's slot may hold a PIN that is `alike`."""
    if placement.confirmed is not None and alike(placement.confirmed.credential.pin):
        return True
    slot = snap.slots.get(placement.slot) if placement.slot is not None else None
    if slot is not None and isinstance(slot.reading, Known) and alike(slot.reading.credential.pin):
        return True
    # While an operation is open its slot may hold the new PIN or still that of before.
    return bool(snap.intents) and any(
        (intent.target is not None and alike(intent.target.pin))
        or (isinstance(intent.before, Known) and alike(intent.before.credential.pin))
        for intent in snap.open_intents(placement.access_code_id)
    )


def _said_full(code: AccessCode, placement: Placement, snap: Snapshot, t: TimeView) -> list[Issue]:
    """Return the error of a code for which the lock itself said that it has no room, though we thought so."""
    rejection = placement.rejection
    if rejection is None or rejection.reason is not Refusal.FULL or not _stands(rejection, code, snap, t):
        return []
    return [full_issue(code, Full(ours=_ours(snap), foreign=_foreign(snap)))]


def _ours(snap: Snapshot) -> int:
    return sum(1 for code_id in snap.placements if snap.may_hold(code_id))


def _foreign(snap: Snapshot) -> int:
    return len(taken(snap) - owned(snap))


def full_issue(code: AccessCode, full: Full) -> Issue:
    """Return the error of a code for which no slot is left."""
    return Issue(
        code="no_space_for_access_code_on_device",
        access_code_id=code.access_code_id,
        message=(
            f"no free slot: {full.ours} hold codes of the hub, {full.foreign} hold codes of others "
            "among the slots the hub may use"
        ),
        data={"managed": full.ours, "unmanaged": full.foreign},
    )
