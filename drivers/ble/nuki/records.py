"""What a lock tells of itself: states, configuration, its log."""

import struct
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from drivers.ble.nuki.frames import BadFrame
from drivers.ble.nuki.limits import MOMENT, moment

_STATES = struct.Struct(f"<3B{MOMENT.size}shBB")
_CONFIG = struct.Struct(f"<I32s2f5B{MOMENT.size}shB7B3B2B")
_CONFIG_TAIL = struct.Struct("<BHBBB")
"""HomeKit, zone, device type, capabilities, keypad of the second kind: later locks only."""
_LOG_ENTRY = struct.Struct(f"<I{MOMENT.size}sI32sB")
_KEYPAD_ACTION = struct.Struct("<3BH")
_KEYPAD_ACTION_TYPE = 5

_CRITICAL = 0.05
"""Charge told for a lock that only says "critical"."""


class States(Struct, frozen=True, kw_only=True):
    """What "keyturner states" says, as far as it is used."""

    at: datetime | None
    """The lock's clock, read as UTC; None where it shows no time at all."""
    offset: timedelta
    """The offset of the lock's zone from UTC, as it believes."""
    battery: float | None
    """0 to 1; None where the lock only says that all is well."""
    config_version: int
    """Counts changes of the configuration, one byte."""


class Config(Struct, frozen=True, kw_only=True):
    """What "config" says, as far as it is used."""

    nuki_id: int
    firmware: str
    hardware: str
    device_type: int
    """0 generations 1 and 2, 3 Smart Door, 4 generations 3 and 4, 5 Ultra."""
    has_keypad: bool


class KeypadAction(Struct, frozen=True, kw_only=True):
    """Somebody used the keypad."""

    action: int
    source: int
    completion: int
    code_id: int


class LogEntry(Struct, frozen=True, kw_only=True):
    """One record of the activity log; `keypad` None for all that was not the keypad, or cannot be read."""

    index: int
    at: datetime | None
    keypad: KeypadAction | None


def read_states(payload: bytes) -> States:
    """Return what the payload says. Raises BadFrame."""
    fields = _fields(_STATES, payload)
    charge = (fields[5] >> 2) * 2 / 100
    battery: float | None = min(charge, 1.0) or None
    if fields[5] & 1:
        battery = min(charge, _CRITICAL) or _CRITICAL
    return States(
        at=moment(fields[3]),
        offset=timedelta(minutes=fields[4]),
        battery=battery,
        config_version=fields[6],
    )


def read_config(payload: bytes) -> Config:
    """Return what the payload says; what older locks leave out counts as zero. Raises BadFrame."""
    fields = _fields(_CONFIG, payload)
    tail = payload[_CONFIG.size :][: _CONFIG_TAIL.size].ljust(_CONFIG_TAIL.size, b"\0")
    _, _, device_type, _, has_second_keypad = _CONFIG_TAIL.unpack(tail)
    has_keypad, major, minor, patch, *hardware = fields[-6:]
    return Config(
        nuki_id=fields[0],
        firmware=f"{major}.{minor}.{patch}",
        hardware=".".join(map(str, hardware)),
        device_type=device_type,
        has_keypad=bool(has_keypad or has_second_keypad),
    )


def read_log_entry(payload: bytes) -> LogEntry:
    """Return what the payload says. Raises BadFrame where not even its number is there."""
    index, at, _, _, kind = _fields(_LOG_ENTRY, payload)
    data, keypad = payload[_LOG_ENTRY.size :], None
    # One that is too short must not hold up the log: it would be in the lock's every answer.
    if kind == _KEYPAD_ACTION_TYPE and len(data) >= _KEYPAD_ACTION.size:
        action, source, completion, code_id = _KEYPAD_ACTION.unpack_from(data)
        keypad = KeypadAction(action=action, source=source, completion=completion, code_id=code_id)
    return LogEntry(index=index, at=moment(at), keypad=keypad)


def _fields(layout: struct.Struct, payload: bytes) -> tuple[Any, ...]:
    if len(payload) < layout.size:
        raise BadFrame("a message came shorter than it must be")
    return layout.unpack_from(payload)
