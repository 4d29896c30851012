"""The lock object as a whole, for each state a lock can be in: what is there, and what stays away."""

from typing import Any

import pytest
from msgspec.structs import replace

from gateway.domain.lock import Device, Link, NativeWindows
from tests.engine.build import (
    CAN_BLIND,
    CAN_NATIVE,
    CAN_TINY,
    DOOR,
    IDENTITY,
    MINUTE,
    NOON,
    POLICY,
    device,
    snapshot,
)
from tests.engine.test_views import lock_object

ABLE = replace(
    CAN_NATIVE, native_windows=NativeWindows.DATES_OR_WEEKDAYS, schedule_zone="Europe/Berlin", keypad=True
)
IN_USE = device(
    ABLE, battery=0.5, link_since=NOON, is_clock_right=True, seen_identity=replace(IDENTITY, serial="A7")
)
NOTHING = {"slots_free": 0, "slots_not_read_yet": 0, "managed_slots": 0}
PROPERTIES: dict[str, Any] = {
    "online": True,
    "online_since": "2026-07-01T12:00:00.000Z",
    "battery": {"level": 0.5, "status": "good"},
    "manufacturer": "pinsmith",
    "model": "readable",
    "serial_number": "A7",
    "online_access_codes_enabled": True,
    "supported_code_lengths": [4, 5, 6, 7, 8],
    "code_constraints": [],
    "max_active_codes_supported": 20,
    "native_scheduling": "dates_or_weekdays",
    "supports_disabled_codes": True,
    "is_clock_right": True,
    "readback": "digits",
    "reach": "always",
    "has_native_entry_events": True,
    "has_keypad": True,
    "supports_backup_access_code_pool": True,
    "backup_access_code_pool_enabled": False,
    "time_zone": "Europe/Berlin",
}
LOCK: dict[str, Any] = {
    "device_id": DOOR,
    "name": "Front door",
    "driver": "bench",
    "is_managed": True,
    "can_program_online_access_codes": True,
    "capabilities_supported": ["access_code", "battery"],
    "is_paused": False,
    "paused_until": None,
    "is_waiting_for_touch": False,
    "waiting_for_touch_since": None,
    "is_retiring": False,
    "inventory": None,
    "errors": [],
    "warnings": [],
}
COUNTS = {
    "access_codes": 0,
    "on_lock": 0,
    "unmanaged": 0,
    "managed_slots": 20,
    "slots_free": 0,
    "slots_not_read_yet": 20,
    "backups_available": 0,
}
TABLE: dict[str, tuple[Device, dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "in use": (IN_USE, {}, {}, {}),
    "offline": (replace(IN_USE, link=Link.UNREACHABLE), {}, {"online": False}, {}),
    "its server is away": (replace(IN_USE, authority_lost_at=NOON), {}, {"online": False}, {}),
    "its keypad is gone": (
        replace(IN_USE, capabilities=replace(ABLE, keypad=False)),
        {"can_program_online_access_codes": False},
        {"online_access_codes_enabled": False, "has_keypad": False},
        {},
    ),
    "nobody knows of a keypad, nor asked for a battery": (
        replace(IN_USE, capabilities=replace(ABLE, keypad=None), battery=None),
        {"capabilities_supported": ["access_code"]},
        {"has_keypad": None, "battery": "absent"},
        {},
    ),
    "its clock is wrong": (replace(IN_USE, is_clock_right=False), {}, {"is_clock_right": False}, {}),
    "write-only, and no clock of its own": (
        replace(IN_USE, capabilities=CAN_BLIND, is_clock_right=None),
        {},
        {
            "readback": "none",
            "supports_disabled_codes": False,
            "native_scheduling": "none",
            "is_clock_right": None,
            "time_zone": "absent",
            "has_keypad": None,
        },
        {},
    ),
    "small, and does not tell who came": (
        replace(IN_USE, capabilities=CAN_TINY, is_clock_right=None),
        {},
        {
            "native_scheduling": "none",
            "max_active_codes_supported": 2,
            "has_native_entry_events": False,
            "supports_backup_access_code_pool": False,
            "is_clock_right": None,
            "time_zone": "absent",
            "has_keypad": None,
        },
        {"managed_slots": 2, "slots_not_read_yet": 2},
    ),
    "with few of its slots granted": (
        replace(IN_USE, policy=replace(POLICY, managed_slots=("19", "20", "99"))),
        {},
        {"max_active_codes_supported": 2},
        {"managed_slots": 2, "slots_not_read_yet": 2},
    ),
    "no longer configured": (
        replace(IN_USE, policy=None),
        {"name": DOOR, "driver": None},
        {},
        NOTHING,
    ),
    "paused and asked for keys": (
        replace(IN_USE, paused_until=NOON + MINUTE, is_paired=False),
        {"is_paused": True, "paused_until": "2026-07-01T12:01:00.000Z", "is_paired": False},
        {},
        {},
    ),
}


@pytest.mark.parametrize(
    ("lock", "fields", "properties", "counts"), TABLE.values(), ids=[name.replace(" ", "-") for name in TABLE]
)
def test_it_shows_what_is_known_and_nothing_else(
    lock: Device, fields: dict[str, Any], properties: dict[str, Any], counts: dict[str, Any]
) -> None:
    """Field by field: only the differences to a lock in use stand in the table."""
    expected = PROPERTIES | properties
    shown = {name: value for name, value in expected.items() if value != "absent"}
    assert lock_object(snapshot(lock)) == LOCK | fields | {"properties": shown, "counts": COUNTS | counts}


def test_of_one_that_nobody_saw_nothing_is_guessed() -> None:
    """Absent is "not known yet": neither true nor false."""
    unseen = device(None, seen_identity=None, link=Link.UNKNOWN)
    shown = lock_object(snapshot(unseen))
    assert "can_program_online_access_codes" not in shown
    assert shown == {key: value for key, value in LOCK.items() if not key.startswith("can_")} | {
        "capabilities_supported": [],
        "properties": {"online": False, "online_since": None},
        "counts": COUNTS | NOTHING,
    }
