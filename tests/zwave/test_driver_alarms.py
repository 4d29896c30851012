"""What notifications mean, apart from how they come."""

import pytest

from drivers.zwave.alarms import (
    V1_ALARMS,
    AccessEvent,
    CodeAdded,
    CodeDeleted,
    DuplicateRefused,
    access_control,
    home_security,
    slot_in,
)
from gateway.domain.driver import AccessDenied, AllCleared, CodeUsed, Tampered


@pytest.mark.parametrize(
    ("alarm", "kind"),
    [
        (16, CodeUsed),
        (19, CodeUsed),
        (32, AllCleared),
        (33, CodeDeleted),
        (112, CodeAdded),
        (113, DuplicateRefused),
        (131, AccessDenied),
        (132, AccessDenied),
        (161, AccessDenied),
        (162, AccessDenied),
    ],
)
def test_v1_alarms_say_what_access_control_events_say(alarm: int, kind: type) -> None:
    """One table for both, so that an old lock is understood like a new one."""
    assert isinstance(access_control("door", V1_ALARMS[alarm], "3"), kind)


@pytest.mark.parametrize("alarm", [0x84, 162])
def test_a_code_tried_outside_its_schedule_is_told_as_that(alarm: int) -> None:
    """Yale tells it by 132, others by 162."""
    denied = AccessDenied(device_id="door", reason="outside_schedule", slot="3")
    assert access_control("door", V1_ALARMS[alarm], "3") == denied


def test_a_door_opened_at_the_keypad_without_a_slot_is_nobodys_code() -> None:
    """One-touch and master operations carry no slot."""
    assert access_control("door", AccessEvent.KEYPAD_UNLOCK, None) is None


@pytest.mark.parametrize("event", [1, 2, 3, 4, 5, 9, 11])
def test_locking_and_unlocking_by_other_means_concerns_no_code(event: int) -> None:
    """By hand, by radio, by itself."""
    assert access_control("door", event, "3") is None


def test_a_keypad_that_shuts_itself_off_is_told() -> None:
    """Somebody tried too often."""
    denied = AccessDenied(device_id="door", reason="too_many_attempts")
    assert access_control("door", AccessEvent.KEYPAD_DISABLED, None) == denied


def test_a_removed_cover_is_tampering_other_home_security_events_are_not() -> None:
    """Glass breakage and motion belong to others."""
    assert home_security("door", 3) == Tampered(device_id="door", what="the cover was removed")
    assert home_security("door", 8) is None


@pytest.mark.parametrize(
    ("parameters", "slot"),
    [
        ({"userId": 3}, "3"),
        ({"user ID": 3}, "3"),
        ({"userId": 0}, None),
        ({}, None),
        (None, None),
        ({"type": "Buffer", "data": [3]}, None),
    ],
)
def test_the_slot_is_found_in_the_forms_that_the_server_uses(parameters: object, slot: str | None) -> None:
    """Raw bytes are not guessed at."""
    assert slot_in(parameters) == slot
