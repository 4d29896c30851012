"""What the lock noted of openings, as events."""

from datetime import UTC, datetime, timedelta

from yalexs_ble import KEYPAD_MASTER_CODE_SLOT, DoorActivity, LockActivity, LockStatus

from gateway.domain.driver import CodeUsed
from gateway.domain.timing import OLDEST_RECORD

_LOCKED = frozenset({LockStatus.LOCKED, LockStatus.LOCKING, LockStatus.SECUREMODE})
_AHEAD = timedelta(hours=1)
"""Further from now, the lock's clock was wrong: nobody but the vendor's app sets it."""


def used(device_id: str, record: LockActivity | DoorActivity, now: datetime) -> CodeUsed | None:
    """Return that a code opened the door; None for a record of anything else, and for the master code."""
    if not isinstance(record, LockActivity) or record.slot is None or record.status in _LOCKED:
        return None
    if record.slot == KEYPAD_MASTER_CODE_SLOT:
        return None
    # The library gives local time of this machine, without its zone.
    at = record.timestamp.astimezone(UTC)
    plausible = now - OLDEST_RECORD <= at <= now + _AHEAD
    return CodeUsed(device_id=device_id, slot=str(record.slot), at=at if plausible else None)
