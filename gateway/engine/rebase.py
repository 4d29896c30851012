"""Takes a jump of the wall clock out of the times that the engine waits by. Works on a `Work`."""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from gateway.engine.work import Work

_JITTER = timedelta(seconds=2)
_LONGEST = timedelta(hours=25)
_PAST = {
    "device": (
        "link_since",
        "authority_lost_at",
        "audit_round",
        "probed_at",
        "wipe_suspected_at",
        "wiped_at",
    ),
    "placement": ("empty_since", "removal_began", "cleared_at"),
    "slot": ("read_at", "empty_since", "own_write_at", "unmanaged_since"),
}
_AHEAD = {
    "device": ("paused_until", "retry_at", "read_budget"),
    "placement": ("retry_at",),
    "slot": ("check_at", "retry_at"),
}


def rebase(work: Work) -> bool:
    """Shift the times of a lock when the clock jumped since they were noted; say whether it did.

    Within one boot the size of the jump is known, and every waiting time keeps its length. After a reboot it
    is not: what lies in the future and should not is then moved to now.
    """
    mark, known = work.t.mark, work.device.clock
    if known is not None and known.boot_id == mark.boot_id and abs(mark.offset - known.offset) < _JITTER:
        return False
    work.set_device(clock=mark)
    if known is None:
        return False
    shift = mark.offset - known.offset if known.boot_id == mark.boot_id else timedelta(0)
    work.device = _moved(work.device, "device", shift, work.now)
    for code_id, placement in list(work.placements.items()):
        moved = _moved(placement, "placement", shift, work.now)
        if moved.rejection is not None:
            moved = replace(
                moved, rejection=replace(moved.rejection, at=_past(moved.rejection.at, shift, work.now))
            )
        if moved is not placement:
            work.placements[code_id] = moved
    for slot, state in list(work.slots.items()):
        changed = _moved(state, "slot", shift, work.now)
        if changed.former is not None:
            removed_at = _past(changed.former.removed_at, shift, work.now)
            changed = replace(changed, former=replace(changed.former, removed_at=removed_at))
        if changed is not state:
            work.slots[slot] = changed
    return True


def _moved[S: Struct](state: S, kind: str, shift: timedelta, now: datetime) -> S:
    changes: dict[str, datetime] = {}
    for field in _PAST[kind]:
        at: datetime | None = getattr(state, field)
        if at is not None and _past(at, shift, now) != at:
            changes[field] = _past(at, shift, now)
    for field in _AHEAD[kind]:
        due: datetime | None = getattr(state, field)
        if due is not None and _ahead(due, shift, now) != due:
            changes[field] = _ahead(due, shift, now)
    return replace(state, **changes) if changes else state


def _past(at: datetime, shift: timedelta, now: datetime) -> datetime:
    return min(at + shift, now)


def _ahead(due: datetime, shift: timedelta, now: datetime) -> datetime:
    moved = due + shift
    return moved if moved <= now + _LONGEST else now
