"""Locks, codes and events as clients see them, for the tests of what Home Assistant sees."""

from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.domain.events import Event, StoredEvent
from gateway.engine import wire
from gateway.engine.mutations import instant

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def shown_lock(
    *,
    errors: tuple[str, ...] = (),
    warnings: tuple[str, ...] = (),
    counts: dict[str, int] | None = None,
    **properties: Any,  # noqa: ANN401 - fields
) -> wire.Device:
    """Return a lock that is online and has a battery, with other properties where given."""
    known: dict[str, Any] = {
        "online": True,
        "online_since": None,
        "battery": wire.Battery(level=0.8, status="full"),
        "manufacturer": "Maker",
        "model": "Model",
        "serial_number": "S1",
        "has_native_entry_events": True,
    }
    numbers = dict.fromkeys(wire.DeviceCounts.__struct_fields__, 0) | {"managed_slots": 5, "slots_free": 3}
    return wire.Device(
        device_id="front",
        name="Front door",
        driver="simulated",
        is_managed=True,
        capabilities_supported=[],
        properties=wire.DeviceProperties(**known | properties),
        is_paused=False,
        paused_until=None,
        is_waiting_for_touch=False,
        waiting_for_touch_since=None,
        is_retiring=False,
        inventory=None,
        counts=wire.DeviceCounts(**numbers | (counts or {})),
        errors=[error(code, is_device_error=True) for code in errors],
        warnings=[warning(code) for code in warnings],
    )


def warning(code: str) -> wire.WarningEntry:
    """Return a warning."""
    return wire.WarningEntry(warning_code=code, message=f"of {code}", remedy="", created_at=instant(NOW))


def error(code: str, at: datetime = NOW, **flags: Any) -> wire.ErrorEntry:  # noqa: ANN401 - fields
    """Return an error."""
    return wire.ErrorEntry(error_code=code, message=f"of {code}", remedy="", created_at=instant(at), **flags)


def shown_code(
    status: wire.Status = "set",
    *,
    starts_in: timedelta | None = None,
    **fields: Any,  # noqa: ANN401 - fields
) -> wire.AccessCodeState:
    """Return a code of Ada, ongoing or for a day from `starts_in` after NOW."""
    begin = NOW + starts_in if starts_in is not None else None
    known: dict[str, Any] = {
        "access_code_id": "code-1",
        "device_id": "front",
        "type": "ongoing" if begin is None else "time_bound",
        "display_status": "",
        "is_scheduled_on_device": False,
        "is_external_modification_allowed": False,
        "is_one_time_use": False,
        "is_backup": False,
        "is_backup_access_code_available": False,
        "pulled_backup_access_code_id": None,
        "common_code_key": None,
        "prefer_native_scheduling": True,
        "slot": None,
        "evidence": None,
        "evidence_by": None,
        "confirmed_at": None,
        "created_at": "2026-01-01T00:00:00.000Z",
        "errors": [],
        "warnings": [],
        "pending_mutations": [],
        "name": "Ada",
        "appearance": None,
        "starts_at": instant(begin),
        "ends_at": instant(begin + timedelta(days=1)) if begin is not None else None,
        "recurrence": None,
        "first_used_at": None,
    }
    return wire.AccessCodeState(status=status, **known | fields)


def told(
    event_type: str,
    at: datetime = NOW,
    access_code_id: str | None = "code-1",
    **payload: Any,  # noqa: ANN401 - JSON
) -> StoredEvent:
    """Return an event."""
    event = Event(
        event_id="e",
        event_type=event_type,
        device_id="front",
        occurred_at=at,
        created_at=at,
        access_code_id=access_code_id,
        payload=payload,
    )
    return StoredEvent(seq=1, event=event)
