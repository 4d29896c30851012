"""Takes a jump of the wall clock out of the times that the engine waits by. Works on a `Work`."""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from gateway.domain.placement import Rejection
from gateway.engine.work import Work

_JITTER = timedelta(seconds=2)
_LONGEST = timedelta(hours=25)
"""No wait of the engine is longer."""

_SINCE = (
    "link_since",
    "silent_since",
    "returned_at",
    "authority_lost_at",
    "unseen_since",
    "asleep_since",
    "audit_round",
    "wipe_suspected_at",
    "wiped_at",
    "empty_since",
    "removal_began",
    "cleared_at",
    "unmanaged_since",
    "doomed_at",
    "contested_at",
    "pin_since",
    "restored_from",
    "doubted_since",
)
"""Times since when something holds: "just now" is the careful answer where it is not known."""
_LOOKED = ("read_at", "own_write_at", "probed_at", "probe_opened_at")
"""Times of looks and writes that recent ones are trusted by: "never" is the careful answer."""
_DUE = ("paused_until", "retry_at", "look_retry_at", "read_budget", "check_at")
"""Times to wait for: "at once" is the careful answer."""


def rebase(work: Work) -> bool:
    """Shift the times of a lock when the clock jumped since they were noted; say whether it did.

    Within one boot the size of the jump is known, and every waiting time keeps its length. After a reboot it
    is not: a time that lies in the future and should not is then answered carefully, see above; and while the
    wall clock is not trusted, no look counts as a recent one.
    """
    mark, known = work.t.mark, work.device.clock
    if known is not None and known.boot_id == mark.boot_id and abs(mark.offset - known.offset) < _JITTER:
        return False
    work.set_device(clock=mark)
    if known is None:
        return False
    same_boot = known.boot_id == mark.boot_id
    shift = mark.offset - known.offset if same_boot else timedelta(0)
    work.device = _moved(work.device, shift, work.now)
    for code_id, placement in list(work.placements.items()):
        moved = _moved(placement, shift, work.now)
        for field in ("rejection", "held_rejection"):
            rejection: Rejection | None = getattr(moved, field)
            if rejection is not None:
                refused_at = min(rejection.at + shift, work.now)
                moved = replace(moved, **{field: replace(rejection, at=refused_at)})
        if moved is not placement:
            work.placements[code_id] = moved
    for slot, state in list(work.slots.items()):
        changed = _moved(state, shift, work.now)
        if changed.former is not None:
            removed_at = min(changed.former.removed_at + shift, work.now)
            changed = replace(changed, former=replace(changed.former, removed_at=removed_at))
        if not same_boot and (work.t.carried or not work.t.trusted):
            changed = replace(changed, read_at=None)
        if changed is not state:
            work.slots[slot] = changed
    return True


def _moved[S: Struct](state: S, shift: timedelta, now: datetime) -> S:
    changes: dict[str, datetime | None] = {}
    for field in state.__struct_fields__:
        if field not in _SINCE and field not in _LOOKED and field not in _DUE:
            continue
        at: datetime | None = getattr(state, field)
        if at is None:
            continue
        moved: datetime | None = at + shift
        if field in _SINCE:
            moved = min(at + shift, now)
        elif field in _LOOKED and at + shift > now:
            moved = None
        elif field in _DUE and at + shift > now + _LONGEST:
            moved = now
        if moved != at:
            changes[field] = moved
    return replace(state, **changes) if changes else state
