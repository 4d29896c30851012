"""The inventory of what others keep on the lock. Works on a `Work`."""

from gateway.domain.credential import Empty, Known, Reading
from gateway.domain.placement import Slot
from gateway.domain.timing import EMPTY_TWICE, FORMER_IS_OURS
from gateway.engine.restored import take_back
from gateway.engine.waiting import age
from gateway.engine.work import Work


def stray(work: Work, before: Slot, reading: Reading) -> None:
    """Take in a reading of a slot that no code of ours holds: the inventory of others' codes."""
    slot = before.slot
    if before.doubted and take_back(work, slot, reading):
        return
    if before.doomed_at is not None and _is_another(before.reading, reading):
        work.set_slot(slot, doomed_at=None, refusals=0)
    if isinstance(reading, Empty):
        if before.ghost:
            work.set_slot(slot, ghost=False, refusals=0, retry_at=None)
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


def _is_another(before: Reading | None, now: Reading) -> bool:
    """Say whether a slot certainly does not hold any more what a command wanted deleted."""
    if isinstance(now, Empty):
        return True
    return (
        isinstance(before, Known) and isinstance(now, Known) and before.credential.pin != now.credential.pin
    )
