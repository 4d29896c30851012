"""What is told to the outside."""

from datetime import datetime
from typing import Any

from msgspec import Struct

SECURITY_EVENTS = frozenset(
    {
        "access_code.modified_external_to_gateway",
        "access_code.deleted_external_to_gateway",
        "access_code.failed_to_remove_from_device",
        "access_code.failed_to_expire",
        "device.wiped",
        "device.replaced",
        "device.tampered",
        "lock.unlocked",
        "lock.access_denied",
        "gateway.clock_step_held",
        "gateway.gap",
    }
)
"""Events that are dropped last when space runs out (rule 8)."""


class Event(Struct, frozen=True, kw_only=True):
    """One thing that happened. Never holds a PIN, at any depth (rule 9)."""

    event_id: str
    event_type: str
    device_id: str
    occurred_at: datetime
    created_at: datetime
    access_code_id: str | None = None
    payload: dict[str, Any] = {}

    @property
    def security(self) -> bool:
        """Say whether the event is kept when space runs out."""
        return self.event_type in SECURITY_EVENTS


class StoredEvent(Struct, frozen=True, kw_only=True):
    """An event with its place in the gateway-wide order."""

    seq: int
    event: Event
