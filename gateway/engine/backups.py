"""The backup pool: codes that wait on a lock, ready for a guest whose own code does not work.

Backups are ongoing while they wait and keep no native window afterwards: pulling one costs no radio.
"""

from contextlib import suppress

from msgspec.structs import replace

from gateway.domain.clock import TimeView
from gateway.domain.code import AccessCode
from gateway.domain.credential import Empty
from gateway.domain.errors import InvalidInput
from gateway.domain.issues import Issue
from gateway.domain.lock import Capabilities, Device, Readback
from gateway.domain.placement import Snapshot
from gateway.domain.timing import Timing
from gateway.engine.desire import desired, has_ended, is_over, is_proven
from gateway.engine.pins import choose_pin
from gateway.engine.slots import is_listed, owned, taken, unread
from gateway.engine.work import Work

MANY = 3
"""So many pulled backups at once make the lock suspect."""


_FEW_SLOTS = 4
"""Locks with no more slots get no pool by themselves: it would crowd out the guests."""


def supports_pool(capabilities: Capabilities) -> bool:
    """Say whether such a lock has room for backups beside its guests."""
    return capabilities.max_codes > _FEW_SLOTS


def is_pool_enabled(device: Device) -> bool:
    """Say whether backup codes are kept on this lock."""
    return device.backup_pool_size > 0


def waiting(snap: Snapshot) -> list[AccessCode]:
    """Return the backups that nobody has pulled, oldest first."""
    return [code for code in snap.codes.values() if code.backup == "waiting" and code.deleted_at is None]


def available(snap: Snapshot, t: TimeView, timing: Timing) -> list[AccessCode]:
    """Return the backups that are proven on the lock and may be pulled, oldest first."""
    return [code for code in waiting(snap) if is_proven(code, snap, t, timing)]


def is_replaceable(code: AccessCode, snap: Snapshot, t: TimeView) -> bool:
    """Say whether a backup may stand in for this code, at the latest from its start on."""
    return (
        code.backup is None
        and code.ends_at is not None
        and code.recurrence is None
        and not is_over(code, snap, t)
    )


def follow(work: Work, original: AccessCode) -> None:
    """Let the pulled backup end with its original, whatever happens to that.

    One that has ended stays so: its PIN may be somebody else's by now.
    """
    backup = work.codes.get(original.pulled_backup_access_code_id or "")
    if backup is None or backup.deleted_at is not None:
        return
    moved = backup
    if original.deleted_at is not None:
        moved = replace(backup, deleted_at=original.deleted_at)
    elif not has_ended(backup, work.t):
        moved = replace(backup, ends_at=original.ends_at)
    if moved != backup:
        work.set_code(replace(moved, revision=backup.revision + 1, updated_at=work.now))


def share_use(work: Work, used: AccessCode) -> None:
    """Let a code for one use and its pulled backup have that use together: the guest may know both PINs."""
    if not used.is_used_up:
        return
    for other in list(work.codes.values()):
        is_pair = used.pulled_backup_access_code_id == other.access_code_id or (
            other.pulled_backup_access_code_id == used.access_code_id
        )
        if is_pair and other.first_used_at is None:
            work.set_code(replace(other, first_used_at=used.first_used_at))


def tend_pool(work: Work) -> None:
    """Fill the pool while there is room, and make room where a guest's code finds none."""
    device, snap = work.device, work.snapshot()
    ready = waiting(snap)
    if device.policy is None or device.capabilities is None or device.retiring or not device.is_managed:
        return
    free = _free(snap)
    homeless = _homeless(snap, work.t, work.timing)
    surplus = ready[device.backup_pool_size :]
    short = homeless - free - _leaving(snap, work.t)
    if short > 0 and _is_read(snap):
        surplus = ready[-short:]
    for code in surplus:
        work.set_code(replace(code, deleted_at=work.now, revision=code.revision + 1, updated_at=work.now))
    # Without a free PIN the pool stays as it is and says so; nothing else on the lock may wait for it.
    with suppress(InvalidInput):
        for _ in range(min(device.backup_pool_size - len(ready), free - homeless)):
            _add(work)


def _add(work: Work) -> None:
    code_id = work.chance.new_id()
    pin = choose_pin(work.snapshot(), work.chance.randbelow)
    work.set_code(
        AccessCode(
            access_code_id=code_id,
            device_id=work.device.device_id,
            name=f"Backup {code_id[:8]}",
            pin=pin,
            created_at=work.now,
            updated_at=work.now,
            prefer_native_scheduling=False,
            backup="waiting",
        )
    )
    work.tell("access_code.created", code_id, is_backup=True)


def _homeless(snap: Snapshot, t: TimeView, timing: Timing) -> int:
    """Count the codes that want a slot now and have none, backups that wait included."""
    return sum(
        1
        for code in snap.codes.values()
        if not _has_slot(code, snap)
        and not is_over(code, snap, t)
        and desired(code, snap, t, timing) is not None
    )


def _leaving(snap: Snapshot, t: TimeView) -> int:
    """Count the codes that are about to make room."""
    return sum(1 for code in snap.codes.values() if is_over(code, snap, t) and _has_slot(code, snap))


def _has_slot(code: AccessCode, snap: Snapshot) -> bool:
    return snap.placement(code.access_code_id).slot is not None


def _is_read(snap: Snapshot) -> bool:
    """Say whether it is known of every slot what it holds: before, nothing is certainly full."""
    if _chooses(snap):
        return is_listed(snap)
    return not any(_unread(snap, slot) for slot in snap.device.managed_slots)


def _unread(snap: Snapshot, slot: str) -> bool:
    state = snap.slots.get(slot)
    return (state is None or state.reading is None) and not _blind(snap) and snap.owner(slot) is None


def _free(snap: Snapshot) -> int:
    """Count the slots that are certainly free for us."""
    capabilities = snap.device.capabilities
    if capabilities is not None and _chooses(snap):
        left = capabilities.max_codes - len(taken(snap) | unread(snap))
        return max(left, 0) if snap.device.probed_at else 0
    ours = owned(snap)
    return sum(1 for slot in snap.device.managed_slots if slot not in ours and _is_free(snap, slot))


def _chooses(snap: Snapshot) -> bool:
    capabilities = snap.device.capabilities
    return capabilities is not None and capabilities.lock_chooses_slot


def _is_free(snap: Snapshot, slot: str) -> bool:
    state = snap.slots.get(slot)
    if _blind(snap):
        return state is None or state.unmanaged_id is None
    return state is not None and isinstance(state.reading, Empty) and state.unmanaged_id is None


def _blind(snap: Snapshot) -> bool:
    capabilities = snap.device.capabilities
    return capabilities is not None and capabilities.readback is Readback.NONE


def pool_issues(snap: Snapshot, t: TimeView, timing: Timing) -> list[Issue]:
    """Return what is wrong with the pool."""
    pulled = [c for c in snap.codes.values() if c.backup == "pulled" and not is_over(c, snap, t)]
    issues = []
    if len(pulled) >= MANY:
        issues.append(
            Issue(
                code="many_active_backup_codes",
                message=f"{len(pulled)} guests use backup codes: look at the lock itself",
            )
        )
    size = snap.device.backup_pool_size
    if size == 0:
        return issues
    ready = len(available(snap, t, timing))
    if ready == 0:
        issues.append(
            Issue(code="empty_backup_access_code_pool", message="no backup code is ready on the lock")
        )
    elif ready < size:
        issues.append(
            Issue(code="partial_backup_access_code_pool", message=f"{ready} of {size} backup codes are ready")
        )
    return issues
