"""Answers of the daemon, with the fields that it sends."""

from typing import Any

CODE: dict[str, Any] = {
    "access_code_id": "c0de-1",
    "device_id": "front-door",
    "name": "Anna",
    "appearance": None,
    "type": "time_bound",
    "status": "setting",
    "starts_at": "2026-12-24T14:00:00.000Z",
    "ends_at": "2026-12-27T10:00:30.000Z",
    "is_managed": True,
    "is_scheduled_on_device": False,
    "is_external_modification_allowed": False,
    "prefer_native_scheduling": True,
    "is_waiting_for_code_assignment": False,
    "slot": "20",
    "evidence": "sent",
    "confirmed_at": None,
    "created_at": "2026-11-20T12:00:00.000Z",
    "errors": [
        {
            "error_code": "device_disconnected",
            "message": "the lock does not answer",
            "remedy": "Check the lock's batteries.",
            "created_at": "2026-11-20T12:00:00.000Z",
            "is_device_error": True,
        }
    ],
    "warnings": [
        {
            "warning_code": "delay_in_setting_on_device",
            "message": "not on the lock after 15 min",
            "remedy": "The hub keeps trying.",
            "created_at": "2026-11-20T12:15:00.000Z",
        }
    ],
    "pending_mutations": [
        {"mutation_code": "updating_code", "from": {"code": "739164"}, "to": {"code": "840275"}},
        {"mutation_code": "creating"},
    ],
    "code": "840275",
}
PINS = ("739164", "840275")

UNMANAGED: dict[str, Any] = {
    "access_code_id": "foreign-1",
    "device_id": "front-door",
    "name": None,
    "type": "ongoing",
    "status": "set",
    "is_managed": False,
    "is_code_known": True,
    "slot": "3",
    "created_at": "2026-11-20T12:00:00.000Z",
    "errors": [],
    "warnings": [],
}

DEVICE: dict[str, Any] = {
    "device_id": "front-door",
    "name": "Front door",
    "driver": "simulated",
    "properties": {
        "online": True,
        "online_since": "2026-11-20T12:00:00.000Z",
        "battery": {"level": 0.42},
        "manufacturer": "Pinsmith",
        "model": "readable",
        "serial_number": None,
        "supported_code_lengths": [4, 6],
        "code_constraints": [{"constraint_type": "no_zeros"}],
    },
    "capabilities_supported": ["access_code"],
    "is_paused": True,
    "paused_until": "2026-11-20T13:00:00.000Z",
    "is_retiring": False,
    "counts": {"access_codes": 2, "on_lock": 1, "unmanaged": 0, "managed_slots": 5, "slots_free": 3},
    "errors": [],
    "warnings": [
        {
            "warning_code": "device_paused",
            "message": "paused until 13:00",
            "remedy": "Nothing is written until pinsmith locks resume.",
            "created_at": None,
        }
    ],
}

EVENT: dict[str, Any] = {
    "event_id": "e-1",
    "seq": 17,
    "event_type": "access_code.set_on_device",
    "device_id": "front-door",
    "access_code_id": "c0de-1",
    "occurred_at": "2026-11-20T12:00:01.000Z",
    "created_at": "2026-11-20T12:00:01.000Z",
    "slot": "20",
    "access_code_errors": [],
}

PLAN: dict[str, Any] = {
    "device_id": "front-door",
    "gate": "backing_off",
    "steps": [
        {
            "action": "write",
            "slot": "20",
            "access_code_id": "c0de-1",
            "why": "its window starts in 30 min",
            "radio_commands": 3,
        },
        {
            "action": "probe",
            "slot": None,
            "access_code_id": None,
            "why": "audit is due",
            "radio_commands": 1,
        },
    ],
    "issues": [
        {"code": "device_disconnected", "access_code_id": None, "message": "the lock does not answer"}
    ],
    "next_wake": "2026-11-20T12:30:00.000Z",
}
