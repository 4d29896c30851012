"""The library's errors in our words: its own texts may hold frames, and a frame may hold a PIN."""

from collections.abc import Mapping
from typing import Final

from yalexs_ble import KeycodeError
from yalexs_ble.const import OperationError

from gateway.domain.driver import Refused
from gateway.domain.placement import Refusal

NOT_ALLOWED: Final = "the lock does not let this key manage codes: pair it with the key of an owner"

_MEANINGS: Mapping[int, tuple[Refusal, str]] = {
    OperationError.KEYCODE_EXISTING_KEY: (Refusal.DUPLICATE, "another slot of the lock holds this PIN"),
    OperationError.KEYCODE_NOSPACE: (Refusal.FULL, "the lock has no room for another code"),
    OperationError.KEYCODE_SLOT_IN_USE: (Refusal.OTHER, "the lock says that the slot is in use"),
    OperationError.KEYCODE_INVALID_ACCESS: (
        Refusal.OTHER,
        "the lock does not take a code without a schedule",
    ),
    OperationError.KEYCODE_DISABLE: (Refusal.OTHER, "the keypad is switched off in the lock's settings"),
    OperationError.KEYCODE_TIMEOUT: (Refusal.BUSY, "the lock did not finish in time"),
    OperationError.BUSY: (Refusal.BUSY, "the lock is busy"),
    OperationError.NO_BUFS: (Refusal.BUSY, "the lock is busy"),
    OperationError.READING_LOG: (Refusal.BUSY, "the lock is busy with its log"),
    OperationError.VBAT_LOW: (Refusal.OTHER, "the lock's battery is too low"),
    OperationError.NOT_AUTHORIZED: (Refusal.OTHER, NOT_ALLOWED),
}


def refused(error: KeycodeError) -> Refused:
    """Return what a result other than success means."""
    reason, message = _MEANINGS.get(
        error.error, (Refusal.OTHER, f"the lock refused, result 0x{int(error.error):02x}")
    )
    return Refused(reason, message)


def says_not_allowed(error: KeycodeError) -> bool:
    """Say whether the lock answered that our key may not do this."""
    return error.error == OperationError.NOT_AUTHORIZED


def says_nothing_there(error: KeycodeError) -> bool:
    """Say whether the lock answered that it found nothing in the slot."""
    return error.error == OperationError.NOT_FOUND
