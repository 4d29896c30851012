"""What log records mean to the engine. The digits in them find the slot and are dropped here."""

from collections.abc import Iterator
from datetime import datetime

from drivers.ble.ttlock.records import Record, What
from drivers.ble.ttlock.slots import SlotBook
from gateway.domain.driver import AccessDenied, AllCleared, CodeUsed, Denial, LockEvent, SlotTouched, Tampered

_DENIED: dict[What, Denial] = {
    What.WRONG_CODE: "unknown_code",
    What.EXPIRED: "outside_schedule",
    What.NO_ROOM: "credential_error",
    What.BLOCKED: "blocklisted_code",
    What.DOUBLE_LOCKED: "blocked_by_privacy_mode",
}
_CHANGED = frozenset({What.CHANGED_AT_KEYPAD, What.DELETED_AT_KEYPAD, What.PUSHED_OUT})


def events_of(record: Record, book: SlotBook, device_id: str, at: datetime | None) -> Iterator[LockEvent]:
    """Return what a record tells; nothing where it is about cards, apps, or a code with no slot.

    `book` must have the list of codes as it is now; `at` is when it was, None where nobody knows.
    """
    slot = book.of_record(record.original, record.typed, at)
    if record.what == What.OPENED:
        if slot is not None:
            yield CodeUsed(device_id=device_id, slot=slot, at=at)
    elif record.what in _DENIED:
        yield AccessDenied(device_id=device_id, reason=_DENIED[What(record.what)], slot=slot, at=at)
    elif record.what == What.ALL_DELETED and not book.listed:
        yield AllCleared(device_id=device_id)
    elif record.what in {What.ALL_DELETED, What.ERASED_OTHERS}:
        yield SlotTouched(device_id=device_id, slot=None)
    elif record.what in _CHANGED:
        if slot is not None:
            yield SlotTouched(device_id=device_id, slot=slot)
    elif record.what == What.ADDED:
        # Our own codes are in the log too.
        if slot is None:
            yield SlotTouched(device_id=device_id, slot=None)
    elif record.what == What.FORCED:
        yield Tampered(device_id=device_id, what="forced opening")
