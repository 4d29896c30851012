"""Getting a code off its lock. Pure."""

from gateway.domain.clock import TimeView
from gateway.domain.code import AccessCode
from gateway.domain.credential import SlotRef
from gateway.domain.lock import Readback
from gateway.domain.placement import IntentKind, Placement, Snapshot
from gateway.domain.timing import EMPTY_TWICE
from gateway.engine.desire import has_ended
from gateway.engine.plan import ClearSlot, ReadAll, ReadSlot, Step
from gateway.engine.slots import may_yet_tell
from gateway.engine.waiting import Wake, age, is_due


def plan_removal(code: AccessCode, snap: Snapshot, t: TimeView, wake: Wake) -> list[Step]:
    """Return the step that brings an unwanted code nearer to being gone; nothing where it is."""
    placement = snap.placement(code.access_code_id)
    if not snap.may_hold(code.access_code_id):
        return []
    if not is_due(placement.retry_at, t.now):
        wake.note(placement.retry_at)
        return []
    why = _why(code, snap, t)
    if placement.slot is None:
        return [ReadAll(why=f"{why}, and it is not known where the lock put it")]
    if _unconfirmable(snap):
        if placement.cleared_at is not None and age(placement.cleared_at, t.now) < EMPTY_TWICE:
            wake.note(placement.cleared_at + EMPTY_TWICE)
            return []
    elif _waits_for_look(placement, snap, t):
        return []
    elif _must_look(placement, snap, t):
        return [_look(snap, placement.slot, f"{why}; looked at first, it may hold something else")]
    elif _clear_went_unanswered(placement, snap) and _answers(placement, snap, t):
        look = f"the answer to clearing slot {placement.slot} got lost"
        return [_look(snap, placement.slot, look)]
    return [ClearSlot(access_code_id=code.access_code_id, slot=placement.slot, why=why)]


def _look(snap: Snapshot, slot: SlotRef, why: str) -> Step:
    return ReadAll(why=why) if _chooses(snap) else ReadSlot(slot=slot, why=why)


def _must_look(placement: Placement, snap: Snapshot, t: TimeView) -> bool:
    """Say whether the slot may hold another code by now: a write of unknown effect, or a look that is due.

    A slot that does not answer looks is cleared nevertheless: it is ours as far as anybody knows.
    """
    state = snap.slots.get(placement.slot or "")
    if state is None or not _answers(placement, snap, t) or _clear_went_unanswered(placement, snap):
        return False
    if placement.confirmed is None:
        return state.reading is None
    return state.check_at is not None and is_due(state.check_at, t.now)


def _waits_for_look(placement: Placement, snap: Snapshot, t: TimeView) -> bool:
    """Say whether a look must come first that failed a moment ago: since a restore nobody saw this slot."""
    state = snap.slots.get(placement.slot or "")
    may_tell = state is not None and may_yet_tell(state, snap, t.now)
    return placement.doubted and may_tell and not _answers(placement, snap, t)


def _answers(placement: Placement, snap: Snapshot, t: TimeView) -> bool:
    state = snap.slots.get(placement.slot or "")
    slot_ready = state is None or is_due(state.retry_at, t.now)
    return slot_ready and is_due(snap.device.look_retry_at, t.now)


def _clear_went_unanswered(placement: Placement, snap: Snapshot) -> bool:
    return any(intent.kind is IntentKind.CLEAR for intent in snap.open_intents(placement.access_code_id))


def _unconfirmable(snap: Snapshot) -> bool:
    capabilities = snap.device.capabilities
    return capabilities is not None and capabilities.readback is Readback.NONE


def _chooses(snap: Snapshot) -> bool:
    capabilities = snap.device.capabilities
    return capabilities is not None and capabilities.lock_chooses_slot


def _why(code: AccessCode, snap: Snapshot, t: TimeView) -> str:
    if code.deleted_at is not None:
        return "the code was deleted"
    if snap.device.retiring:
        return "the lock is being retired"
    if code.is_used_up:
        return "it was for one use, and was used"
    if has_ended(code, t):
        return "its window has ended"
    if code.recurrence is not None:
        return "its window is closed until the next one"
    return "its window has moved"
