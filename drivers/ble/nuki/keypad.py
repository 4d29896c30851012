"""The codes of a keypad as the lock stores them.

Limits are always in what is sent, and only behind limited codes in what is told, as the specification says;
locks that always tell them are understood too.
"""

import re
import struct
from typing import Final

from msgspec import Struct

from drivers.ble.nuki.frames import BadFrame
from drivers.ble.nuki.limits import LIMITS_SIZE, MOMENT, NO_LIMITS, limits_bytes, schedule_of
from gateway.domain.credential import Credential
from gateway.domain.driver import Refused
from gateway.domain.pin import Pin
from gateway.domain.placement import Refusal

NAME_LENGTH: Final = 20
"""Bytes of UTF-8."""
_SHAPE = re.compile(r"(?!12)[1-9]{6}")
_ADD = struct.Struct(f"<I{NAME_LENGTH}sB")
_UPDATE = struct.Struct(f"<HI{NAME_LENGTH}sBB")
_CODE = struct.Struct(f"<HI{NAME_LENGTH}sB{2 * MOMENT.size}sHB")
_NAMELESS = "Code"
"""The lock wants a name."""


class StoredCode(Struct, frozen=True, kw_only=True):
    """A code as the lock told it."""

    code_id: int
    credential: Credential


def add_code(credential: Credential) -> bytes:
    """Return the payload that adds a code; it cannot be added disabled.

    Raises Refused for a PIN or schedule that no Nuki lock takes.
    """
    return _ADD.pack(_digits(credential.pin), _name(credential), _limited(credential)) + _limits(credential)


def update_code(code_id: int, credential: Credential) -> bytes:
    """Return the payload that overwrites all of a code. Raises as `add_code`."""
    return _UPDATE.pack(
        code_id,
        _digits(credential.pin),
        _name(credential),
        credential.enabled,
        _limited(credential),
    ) + _limits(credential)


def read_code(payload: bytes) -> StoredCode:
    """Return a code of the lock's list. Raises BadFrame."""
    if len(payload) < _CODE.size:
        raise BadFrame("a keypad code came shorter than it must be")
    code_id, digits, name, enabled, _, _, limited = _CODE.unpack_from(payload)
    limits = payload[_CODE.size :]
    schedule = None
    if limited:
        if len(limits) < LIMITS_SIZE:
            raise BadFrame("a limited keypad code came without its limits")
        schedule = schedule_of(limits[:LIMITS_SIZE])
    return StoredCode(
        code_id=code_id,
        credential=Credential(
            pin=Pin(str(digits)),
            enabled=bool(enabled),
            schedule=schedule,
            name=name.rstrip(b"\0").decode(errors="replace") or None,
        ),
    )


def _digits(pin: Pin) -> int:
    digits = pin.reveal()
    if _SHAPE.fullmatch(digits) is None:
        raise Refused(Refusal.FORMAT, "a Nuki keypad takes six digits 1 to 9 that do not begin with 12")
    return int(digits)


def _name(credential: Credential) -> bytes:
    """Return as many whole characters as fit."""
    cut = (credential.name or _NAMELESS).encode()[:NAME_LENGTH]
    return cut.decode(errors="ignore").encode()


def _limited(credential: Credential) -> bool:
    return _limits(credential) != NO_LIMITS


def _limits(credential: Credential) -> bytes:
    schedule = credential.schedule
    if schedule is None or not (schedule.starts_at or schedule.ends_at or schedule.weekly):
        return NO_LIMITS
    return limits_bytes(schedule)
