"""What is told to the outside."""

from datetime import datetime
from typing import Any

from msgspec import Struct


class EventKind(Struct, frozen=True, kw_only=True):
    """One type of event: when it is told, and which fields it has besides the envelope."""

    event_type: str
    when: str
    fields: tuple[str, ...] = ()
    security: bool = False
    """Dropped last when space runs out (rule 8)."""


ISSUE_FIELDS = (
    "message",
    "access_code_errors",
    "access_code_warnings",
    "device_errors",
    "device_warnings",
)
"""Events of an error or warning show all errors and warnings of that moment."""


def _kind(event_type: str, when: str, *fields: str, security: bool = False) -> EventKind:
    return EventKind(event_type=event_type, when=when, fields=fields, security=security)


def _error(event_type: str, when: str, *, security: bool = False) -> EventKind:
    return _kind(event_type, when, "error_code", *ISSUE_FIELDS, security=security)


def _warning(event_type: str, when: str) -> EventKind:
    return _kind(event_type, when, "warning_code", *ISSUE_FIELDS)


_KINDS = (
    _kind("access_code.created", "a code was created", "is_backup"),
    _kind("access_code.mutations_requested", "a command changed what is wanted", "requested_mutations"),
    _kind("access_code.changed", "its `status` changed", "changed_properties"),
    _kind("access_code.scheduled_on_device", "it is on the lock with its dates and waits for its start"),
    _kind("access_code.set_on_device", "it is proven on the lock and works"),
    _kind("access_code.code_changed", "another PIN of the same code is on the lock now", "description"),
    _kind(
        "access_code.time_frame_changed",
        "other dates are on the lock now, or the hub keeps them",
        "description",
    ),
    _kind(
        "access_code.name_changed", "another name is on the lock now, or the lock stores none", "description"
    ),
    _kind("access_code.first_used", "its PIN opened the door for the first time"),
    _kind("access_code.removed_from_device", "a code that was on the lock is off it"),
    _kind(
        "access_code.deleted",
        "the gateway dropped a code that was deleted or ended long ago: on no lock but for `left_behind`",
        "left_behind",
    ),
    _kind(
        "access_code.backup_access_code_pulled",
        "a backup was given out in its place",
        "backup_access_code_id",
    ),
    _kind(
        "access_code.modified_external_to_gateway",
        "somebody else changed it on the lock",
        "change_type",
        "modified_fields",
        security=True,
    ),
    _kind(
        "access_code.deleted_external_to_gateway",
        "somebody else deleted it on the lock",
        "change_type",
        security=True,
    ),
    _error(
        "access_code.failed_to_set_on_device",
        "an attempt failed, or `error_code` forbids it, also days before its start; "
        "or its window passed while the hub was off",
    ),
    _error("access_code.failed_to_remove_from_device", "an attempt failed", security=True),
    _error("access_code.failed_to_expire", "it has ended and may still be on the lock", security=True),
    _warning("access_code.delay_in_setting_on_device", "it is late"),
    _warning("access_code.delay_in_removing_from_device", "its removal takes unusually long"),
    _kind(
        "access_code.unmanaged.created",
        "a code of somebody else was found, or one was given out of the gateway's hands",
    ),
    _kind("access_code.unmanaged.removed", "it is gone"),
    _kind(
        "access_code.unmanaged.converted_to_managed", "a code of somebody else is the gateway's from now on"
    ),
    _kind("device.connected", "lock and server or adapter answer again"),
    _error(
        "device.disconnected",
        "the lock (`device_disconnected`) or its server or adapter (`hub_disconnected`) does not answer",
    ),
    _warning(
        "device.connection_became_flaky",
        "the lock went silent and came back three times, each within an hour of the last",
    ),
    _kind("device.connection_stabilized", "for an hour it was not lost again"),
    _error("device.accessory_keypad_disconnected", "its keypad is gone, or it was found without one"),
    _kind("device.accessory_keypad_connected", "its keypad is there"),
    _warning("device.keypad_switched_off", "its keypad takes no codes; `message` says why"),
    _kind("device.keypad_switched_on", "its keypad takes codes again"),
    _kind(
        "device.clock_wrong",
        "its clock is off, and the hub keeps the windows itself",
        "warning_code",
        "off_by_seconds",
        *ISSUE_FIELDS,
    ),
    _kind("device.clock_right", "its clock is right again"),
    _warning("device.paused", "somebody paused work on it"),
    _kind("device.resumed", "the pause is over"),
    _error("device.replaced", "another lock answers under its address", security=True),
    _error("device.wiped", "all codes vanished at once", security=True),
    _warning("device.third_party_integration_detected", "something else changes its codes again and again"),
    _kind("device.third_party_integration_no_longer_detected", "for a day nothing else changed its codes"),
    _kind("device.converted_to_unmanaged", "somebody took it out of the gateway's hands"),
    _kind("device.unmanaged.converted_to_managed", "somebody gave it back into the gateway's hands"),
    _kind("device.tampered", "tampering, or another administrator code", "what", security=True),
    _kind("device.low_battery", "the battery went below 0.2", "battery_level"),
    _kind(
        "device.battery_status_changed",
        "the battery is `critical`, `low`, `good` or `full` now",
        "battery_status",
        "battery_level",
    ),
    _kind(
        "device.pairing_progress",
        "pairing goes on; `message` says what happens, or what to do at the door, "
        "`seconds_left` after how long it gives up",
        "action_attempt_id",
        "message",
        "seconds_left",
    ),
    _kind("device.paired", "the hub has keys of the lock and manages it", "action_attempt_id", security=True),
    _kind(
        "device.pairing_failed",
        "pairing, or unpairing, did not come about; `message` says why",
        "action_attempt_id",
        "message",
    ),
    _kind("device.unpaired", "the hub forgot its keys of the lock", "action_attempt_id", security=True),
    _kind(
        "device.inventory_progress",
        "the first reading of a lock with many slots came another tenth further",
        "slots_read",
        "slots",
        "seconds_left",
    ),
    _kind("device.added", "the driver found the lock for the first time"),
    _kind("device.removed", "the lock was forgotten", "left_behind"),
    _error(
        "device.removed_from_configuration",
        "the hub went on without it, because the configuration lacks it; codes on it go on opening it",
        security=True,
    ),
    _kind(
        "lock.unlocked",
        "somebody opened with a code, of the gateway or another (`access_code_is_managed`)",
        "method",
        "slot",
        "access_code_is_managed",
        security=True,
    ),
    _kind(
        "lock.access_denied",
        "somebody was not let in; `reason` has a `reason_code` and a `message`, and never the digits",
        "reason",
        security=True,
    ),
    _error("gateway.clock_step_held", "the clock jumped and removals are held", security=True),
    _warning(
        "gateway.clock_untrusted", "the hub does not know the time; told for every lock with dated codes"
    ),
    _kind(
        "gateway.gap",
        "events were dropped while the broker was away",
        "events_dropped",
        "first_seq_dropped",
        security=True,
    ),
    _kind(
        "gateway.backup_progress",
        "a backup that takes long came another tenth further",
        "percent",
        "seconds_left",
    ),
    _kind("gateway.backup_made", "a backup is there", "seconds"),
    _kind("gateway.backup_failed", "a backup could not be made; `message` says why", "message"),
    _kind("gateway.retained_command", "a retained command was found and not carried out", "client", "verb"),
)
EVENTS = {kind.event_type: kind for kind in _KINDS}
"""Every type of event. `docs/mqtt.md` and the AsyncAPI document list them from here."""
SECURITY_EVENTS = frozenset(kind.event_type for kind in _KINDS if kind.security)
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
    asked: dict[str, Any] = {}
    """The dates that a command asked for. They are a guest's: only the timeline shows them, no event does."""

    @property
    def security(self) -> bool:
        """Say whether the event is kept when space runs out."""
        return self.event_type in SECURITY_EVENTS


class StoredEvent(Struct, frozen=True, kw_only=True):
    """An event with its place in the gateway-wide order."""

    seq: int
    event: Event
