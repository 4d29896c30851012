"""What locks tell by notifications: the Access Control events, and the V1 alarms of older locks.

Event numbers are those of the Notification Command Class, type 6 (Access Control). V1 alarm numbers are the
vendors': Yale YRD156 manual for 112, 113 and 130 to 132, Kwikset for 19, 32 and 33. The server maps some of
them to notifications itself and others (112, 113, 131, 162) on no lock.
"""

from enum import IntEnum

from msgspec import Struct

from gateway.domain.driver import AccessDenied, AllCleared, CodeUsed, Denial, LockEvent, Tampered

ACCESS_CONTROL = 6
HOME_SECURITY = 7


class AccessEvent(IntEnum):
    """The Access Control events that concern codes."""

    KEYPAD_UNLOCK = 0x06
    ALL_DELETED = 0x0C
    DELETED = 0x0D
    ADDED = 0x0E
    DUPLICATE = 0x0F
    KEYPAD_DISABLED = 0x10
    ADMIN_CODE_CHANGED = 0x12
    TOO_MANY_WRONG_CODES = 0x13
    UNLOCK_WITH_CODE = 0x22
    CREDENTIAL_DISABLED = 0x2F
    CREDENTIAL_OUT_OF_SCHEDULE = 0x30
    CREDENTIALS_MISSING = 0x31
    CREDENTIAL_INVALID = 0x32


SLOT_MATTERS = frozenset({AccessEvent.KEYPAD_UNLOCK, AccessEvent.DELETED, AccessEvent.ADDED})
"""Events that say little without their slot: an alarm of the same frame may name it."""
COVER_REMOVED = 0x03
"""The one Home Security event that concerns locks."""

V1_ALARMS = {
    16: AccessEvent.KEYPAD_UNLOCK,  # locks with a lever instead of a bolt
    19: AccessEvent.KEYPAD_UNLOCK,
    32: AccessEvent.ALL_DELETED,
    33: AccessEvent.DELETED,
    112: AccessEvent.ADDED,
    113: AccessEvent.DUPLICATE,
    131: AccessEvent.CREDENTIAL_DISABLED,
    132: AccessEvent.CREDENTIAL_OUT_OF_SCHEDULE,
    161: AccessEvent.TOO_MANY_WRONG_CODES,
    162: AccessEvent.CREDENTIAL_OUT_OF_SCHEDULE,
}
"""V1 alarm type to the Access Control event that says the same; the alarm level is the slot, but for 161."""
YALE = 0x0129
"""The manufacturer whose alarms 112, 130 and 161 say more (YRD156, YRC256 and Assure Lock 2 manuals)."""


class CodeAdded(Struct, frozen=True, kw_only=True):
    """The lock told that a code was added or changed. `slot` None: it did not say where."""

    device_id: str
    slot: str | None


class CodeDeleted(Struct, frozen=True, kw_only=True):
    """The lock told that one code was deleted. `slot` None: it did not say which."""

    device_id: str
    slot: str | None


class DuplicateRefused(Struct, frozen=True, kw_only=True):
    """The lock told that it refused a code because it has it already, or because it is the admin code.

    `slot` None: it did not say which code it refused.
    """

    device_id: str
    slot: str | None = None


type Signal = LockEvent | CodeAdded | CodeDeleted | DuplicateRefused
"""What comes out of the events of a node: for the engine, or for the write that waits for it."""


_DENIED: dict[AccessEvent, Denial] = {
    AccessEvent.KEYPAD_DISABLED: "too_many_attempts",
    AccessEvent.TOO_MANY_WRONG_CODES: "too_many_attempts",
    AccessEvent.CREDENTIAL_DISABLED: "blocklisted_code",
    AccessEvent.CREDENTIAL_OUT_OF_SCHEDULE: "outside_schedule",
    AccessEvent.CREDENTIALS_MISSING: "credential_error",
    AccessEvent.CREDENTIAL_INVALID: "unknown_code",
}


def access_control(device_id: str, event: int, slot: str | None) -> Signal | None:
    """Return what an Access Control event means; None for those that concern no code."""
    match event:
        case AccessEvent.KEYPAD_UNLOCK if slot is not None:
            return CodeUsed(device_id=device_id, slot=slot)
        case AccessEvent.ALL_DELETED:
            return AllCleared(device_id=device_id)
        case AccessEvent.DELETED:
            return CodeDeleted(device_id=device_id, slot=slot)
        case AccessEvent.ADDED:
            return CodeAdded(device_id=device_id, slot=slot)
        case AccessEvent.DUPLICATE:
            return DuplicateRefused(device_id=device_id, slot=slot)
        case AccessEvent.ADMIN_CODE_CHANGED:
            return Tampered(device_id=device_id, what="the administrator code was changed")
    if event in _DENIED:
        return AccessDenied(device_id=device_id, reason=_DENIED[AccessEvent(event)], slot=slot)
    return None


_KEYPAD_OFF = {
    1: "it is in vacation mode",
    2: "it is in privacy mode",
    3: "it locked itself out after wrong codes",
}


def keypad_off(mode: object) -> str | None:
    """Return why the keypad takes no codes in a mode of the User Code Command Class; None where it does."""
    return _KEYPAD_OFF.get(mode) if isinstance(mode, int) else None


def home_security(device_id: str, event: int) -> Signal | None:
    """Return what a Home Security event means; None for those that are no tampering."""
    if event == COVER_REMOVED:
        return Tampered(device_id=device_id, what="the cover was removed")
    return None


def slot_in(parameters: object) -> str | None:
    """Return the slot that the parameters of an event name; None where they name none (0 is none)."""
    if not isinstance(parameters, dict):
        return None
    user = parameters.get("userId", parameters.get("user ID"))
    return str(user) if isinstance(user, int) and user > 0 else None
