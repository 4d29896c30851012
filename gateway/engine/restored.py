"""Codes of ours that came onto a lock after the backup that was restored. Works on a `Work`.

The backup knows them as codes that wait. Without this they would count as somebody else's, and nothing would
take them off when their time is over.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from gateway.domain.code import AccessCode
from gateway.domain.credential import Credential, Empty, Evidence, Known, Reading, SlotRef
from gateway.domain.lock import Readback
from gateway.domain.pin import Pin
from gateway.domain.placement import Slot
from gateway.engine.desire import is_disabled_by_hand, is_over
from gateway.engine.holding import confirm
from gateway.engine.slots import may_yet_tell
from gateway.engine.work import Work

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def begin_looks(work: Work) -> None:
    """Believe no reading of the time before: others may have changed the lock since the backup was made.

    Every slot is looked at once, and what the hub itself put there meanwhile is found by its PIN.
    """
    can = work.device.capabilities
    tells = can is not None and can.readback is not Readback.NONE and work.device.is_managed
    granted = work.slots if _is_listed(work) else work.device.managed_slots
    doubted = {slot for slot in granted if tells and not _was_of_others(work, work.slot(slot))}
    work.set_device(
        held_for_restore=False,
        restored_from=_knew_until(work) if tells else None,
        doubted_since=work.now,
        audit_at=work.now,
        audit_round=None,
        probe=None,
        probed_at=None,
    )
    for slot, state in list(work.slots.items()):
        # Of a code of others that a command wants deleted, it says which one is meant.
        reading = state.reading if state.doomed_at is not None else None
        # A PIN that was removed and is there again is no late write of ours: a newer code may have it.
        work.set_slot(
            slot,
            reading=reading,
            read_at=None,
            check_at=work.now,
            empty_since=None,
            former=None,
            ghost=False,
            doubted=False,
        )
    for slot in doubted:
        work.set_slot(slot, doubted=True)
    for code_id, placement in list(work.placements.items()):
        work.set_placement(code_id, doubted=placement.confirmed is not None)


def _is_listed(work: Work) -> bool:
    """Say whether only a list tells of all slots: the lock chooses them."""
    can = work.device.capabilities
    return can is not None and can.lock_chooses_slot


def _knew_until(work: Work) -> datetime:
    """Return the last time that the backup tells of: it was made then or later."""
    told = [work.device.probed_at]
    for state in work.slots.values():
        told += [state.read_at, state.own_write_at, state.former.removed_at if state.former else None]
    return max((at for at in told if at is not None), default=_NEVER)


def _was_of_others(work: Work, state: Slot) -> bool:
    """Say whether a slot may have shown the PIN of one of our codes before, and was somebody else's."""
    if state.unmanaged_id is None:
        return False
    return not isinstance(state.reading, Known) or any(
        code.pin == state.reading.credential.pin for code in work.codes.values()
    )


def are_looks_due(work: Work) -> bool:
    """Say whether a code that is not on the lock, as far as is known, may be found there yet.

    A slot that never answers is not waited for: no code that was deleted would ever be done with.
    """
    snap, device = work.snapshot(), work.device
    if device.restored_from is None:
        return device.held_for_restore
    return _is_listed(work) or any(
        state.doubted and _is_unseen(state) and may_yet_tell(state, snap, work.now)
        for state in work.slots.values()
    )


def came_afterwards(work: Work, code: AccessCode) -> bool:
    """Say whether a code was created after a restore was confirmed: none put it on the lock before."""
    since = work.device.doubted_since
    return not work.device.held_for_restore and since is not None and code.created_at > since


def _is_unseen(state: Slot) -> bool:
    """Say whether nobody has looked since; what a command wants deleted keeps the reading of before."""
    return state.reading is None or (state.doomed_at is not None and state.read_at is None)


def doubt_unknown(work: Work, listed: Iterable[SlotRef]) -> None:
    """Look at the slots too that a lock which chooses them has filled since the backup was made."""
    if work.device.restored_from is not None:
        for slot in listed:
            if slot not in work.slots:
                work.set_slot(slot, doubted=True)


def settle_looks(work: Work, looked_at: SlotRef) -> None:
    """Decide about the slot that was looked at, and about those that waited for this look."""
    for state in [state for state in work.slots.values() if state.doubted]:
        slot, reading = state.slot, state.reading
        if slot != looked_at and _is_unseen(state):
            continue
        is_nobodys = work.snapshot().owner(slot) is None
        if (
            reading is not None
            and is_nobodys
            and not take_back(work, slot, reading)
            and _waits(work, reading)
        ):
            continue
        work.set_slot(slot, doubted=False)
    if not _is_listed(work) and not any(state.doubted for state in work.slots.values()):
        work.set_device(restored_from=None)


def take_back(work: Work, slot: SlotRef, reading: Reading) -> bool:
    """Give a slot that is nobody's to the code of ours whose PIN it shows; say whether there is one."""
    if work.device.restored_from is None or not isinstance(reading, Known):
        return False
    code = _whose(work, reading.credential.pin)
    if code is None or not _has_no_slot(work, code):
        return False
    _take(work, code, slot, reading.credential)
    return True


def _take(work: Work, code: AccessCode, slot: SlotRef, seen: Credential) -> None:
    unmanaged_id, placement = work.slot(slot).unmanaged_id, work.placement(code.access_code_id)
    if unmanaged_id is not None:
        work.tell("access_code.unmanaged.removed", unmanaged_id)
    work.set_slot(
        slot,
        unmanaged_id=None,
        unmanaged_since=None,
        doomed_at=None,
        empty_since=None,
        former=None,
        doubted=False,
    )
    stays_disabled = is_disabled_by_hand(placement) and not seen.enabled
    wish = placement.outside if stays_disabled else None
    work.set_placement(code.access_code_id, doubted=False, outside=wish)
    confirm(work, code.access_code_id, slot, seen, Evidence.READ_BACK)


def _whose(work: Work, pin: Pin) -> AccessCode | None:
    """Return the one code with this PIN that may be on the lock; one that goes on before one that is over."""
    snap = work.snapshot()
    alike = [code for code in work.codes.values() if code.pin == pin and not _was_off_before(work, code)]
    found = [code for code in alike if not is_over(code, snap, work.t)] or alike
    return found[0] if len(found) == 1 else None


def _was_off_before(work: Work, code: AccessCode) -> bool:
    """Say whether the backup knew that a code is off for good: its PIN may be that of a newer one by now."""
    if work.snapshot().may_hold(code.access_code_id):
        return False
    knew_until = work.device.restored_from or _NEVER
    return code.is_used_up or (code.ends_at is not None and code.ends_at <= knew_until)


def _has_no_slot(work: Work, code: AccessCode) -> bool:
    """Say whether a code is in no slot that is known, or was looked for there in vain."""
    slot = work.placement(code.access_code_id).slot
    return slot is None or isinstance(work.slot(slot).reading, Empty)


def _waits(work: Work, reading: Reading) -> bool:
    """Say whether a slot is ours if the one is empty where the backup says that the code with its PIN is."""
    code = _whose(work, reading.credential.pin) if isinstance(reading, Known) else None
    slot = work.placement(code.access_code_id).slot if code is not None else None
    return slot is not None and work.slot(slot).reading is None
