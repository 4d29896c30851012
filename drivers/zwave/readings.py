"""What a User Code Report says of a slot.

Status values and the shape of the code are those of the User Code Command Class (0x63), as zwave-js hands
them on.
"""

from enum import IntEnum

from gateway.domain.credential import Credential, Empty, Known, Reading, Unreadable
from gateway.domain.errors import InvalidInput
from gateway.domain.pin import Pin


class UserIdStatus(IntEnum):
    """The status byte of a slot. Yale adds 6 (one-time) and 7 (expiring) to what the specification has."""

    AVAILABLE = 0
    ENABLED = 1
    DISABLED = 2
    MESSAGING = 3
    PASSAGE_MODE = 4
    ONE_TIME = 6
    EXPIRING = 7
    NOT_AVAILABLE = 0xFE


_OPENS_THE_DOOR = {
    UserIdStatus.ENABLED: True,
    UserIdStatus.DISABLED: False,
    # Relays a message and lets nobody in.
    UserIdStatus.MESSAGING: False,
    UserIdStatus.PASSAGE_MODE: True,
    UserIdStatus.ONE_TIME: True,
    UserIdStatus.EXPIRING: True,
}


def reading_of(status: object, code: object) -> Reading | None:
    """Return what a report with this status and code means; None where it says nothing about a slot.

    The status decides whether a slot is taken, never the code: some locks mask all bytes and send "****"
    with the status "available", because four zero bytes stand in an empty slot.
    """
    if not isinstance(status, int) or status == UserIdStatus.NOT_AVAILABLE:
        return None
    if status == UserIdStatus.AVAILABLE:
        return Empty()
    enabled = _OPENS_THE_DOOR.get(status)  # type: ignore[call-overload]  # an IntEnum key is found by its number
    pin = _shown(code)
    if pin is None or enabled is None:
        return Unreadable(enabled)
    return Known(Credential(pin=pin, enabled=enabled))


def _shown(code: object) -> Pin | None:
    """Return the PIN if the lock showed it: locks mask with "*" or with "0", or send nothing at all."""
    if not isinstance(code, str) or set(code) <= {"*"} or set(code) <= {"0"}:
        return None
    try:
        return Pin(code)
    except InvalidInput:
        return None
