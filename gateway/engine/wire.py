"""What clients see, as types: the one source of the objects in replies and on retained topics.

Field names as in the access-code reference. `docs/asyncapi.json` is generated from here.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

type Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
"""UTC, ISO 8601 with milliseconds and Z."""
type Uuid = Annotated[str, Meta(description="given by the hub; opaque")]


class Wire(Struct, frozen=True, kw_only=True):
    """Base of everything that goes out."""


class Entry(Wire, frozen=True, kw_only=True):
    """One error or warning. The fields after `created_at` are there where they apply."""

    message: str
    remedy: str
    created_at: Time | None
    managed_access_code_id: Uuid | UnsetType = UNSET
    unmanaged_access_code_id: Uuid | UnsetType = UNSET
    change_type: Literal["modified", "removed"] | UnsetType = UNSET
    modified_fields: list[str] | UnsetType = UNSET
    managed: int | UnsetType = UNSET
    unmanaged: int | UnsetType = UNSET
    active_access_code_count: int | UnsetType = UNSET
    max_active_access_code_count: int | UnsetType = UNSET
    battery_level: float | UnsetType = UNSET
    off_by_seconds: float | UnsetType = UNSET


class ErrorEntry(Entry, frozen=True, kw_only=True):
    """What keeps a code from where it should be. Errors of the lock are copied onto every code of it."""

    error_code: str
    is_access_code_error: Literal[True] | UnsetType = UNSET
    is_device_error: Literal[True] | UnsetType = UNSET


class WarningEntry(Entry, frozen=True, kw_only=True):
    """What is degraded or unusual."""

    warning_code: str


class Appearance(Wire, frozen=True, kw_only=True):
    """The name exactly as the lock stores it."""

    name: str


class Span(Wire, frozen=True, kw_only=True):
    """A time frame."""

    starts_at: Time | None
    ends_at: Time | None


class WeeklyWindow(Wire, frozen=True, kw_only=True):
    """A span of the day on some weekdays, by the lock's wall clock. Monday is 0; minutes from midnight."""

    weekdays: list[int]
    from_minute: int
    until_minute: int


class Change(Wire, frozen=True, kw_only=True):
    """One side of a mutation: only what it changes, and a PIN only in the reply to who asked.

    `weekly` is there where the lock keeps windows on weekdays, before or after.
    """

    code: str | UnsetType = UNSET
    name: str | UnsetType | None = UNSET
    starts_at: Time | UnsetType | None = UNSET
    ends_at: Time | UnsetType | None = UNSET
    weekly: list[WeeklyWindow] | UnsetType = UNSET


type MutationCode = Literal[
    "creating", "deferring_creation", "updating_code", "updating_name", "updating_time_frame", "deleting"
]


class Mutation(Wire, frozen=True, kw_only=True, rename={"from_": "from"}):
    """What is asked for and not yet confirmed by the lock."""

    mutation_code: MutationCode
    message: str
    created_at: Time
    scheduled_at: Time | UnsetType = UNSET
    from_: Change | UnsetType = UNSET
    to: Change | UnsetType = UNSET


class RecurrenceView(Wire, frozen=True, kw_only=True):
    """Windows that come back: a cron expression for their starts, how long they are, and where."""

    cron: str
    minutes: int
    time_zone: str


type Status = Literal["unset", "setting", "set", "removing", "unknown"]


class AccessCodeState(Wire, frozen=True, kw_only=True):
    """The access code without its PIN. On the retained topic the fields that may be missing say who and when.

    They are there only with `mqtt.publish_names`.
    """

    access_code_id: Uuid
    device_id: str
    type: Literal["ongoing", "time_bound"]
    status: Status
    display_status: str
    is_managed: Literal[True] = True
    is_scheduled_on_device: bool
    is_waiting_for_code_assignment: bool = False
    is_external_modification_allowed: bool
    is_one_time_use: bool
    is_offline_access_code: bool = False
    is_backup: bool
    is_backup_access_code_available: bool
    pulled_backup_access_code_id: Uuid | None
    common_code_key: str | None
    prefer_native_scheduling: bool
    slot: str | None
    evidence: Literal["sent", "accepted", "occupied", "read_back", "used"] | None
    evidence_by: str | None
    confirmed_at: Time | None
    created_at: Time
    errors: list[ErrorEntry]
    warnings: list[WarningEntry]
    pending_mutations: list[Mutation]
    name: str | UnsetType = UNSET
    appearance: Appearance | UnsetType | None = UNSET
    starts_at: Time | UnsetType | None = UNSET
    ends_at: Time | UnsetType | None = UNSET
    recurrence: RecurrenceView | UnsetType | None = UNSET
    first_used_at: Time | UnsetType | None = UNSET


class AccessCode(AccessCodeState, frozen=True, kw_only=True):
    """The access code with its PIN: only in the reply to the client that asked."""

    code: str


class UnmanagedAccessCode(Wire, frozen=True, kw_only=True):
    """A code that somebody else put on the lock. `code` is null where the lock hides it.

    `weekly` is there where the lock keeps it to weekdays, the two flags where the lock is in the way of that.
    """

    access_code_id: Uuid
    device_id: str
    name: str | None
    code: str | None
    type: Literal["ongoing", "time_bound"]
    starts_at: Time | None
    ends_at: Time | None
    weekly: list[WeeklyWindow] | UnsetType = UNSET
    status: Literal["set", "unset"]
    display_status: str
    is_managed: Literal[False] = False
    cannot_be_managed: Literal[True] | UnsetType = UNSET
    cannot_delete_unmanaged_access_code: Literal[True] | UnsetType = UNSET
    slot: str
    created_at: Time | None
    errors: list[ErrorEntry]
    warnings: list[WarningEntry]


class Battery(Wire, frozen=True, kw_only=True):
    """Charge from 0 to 1."""

    level: float
    status: Literal["critical", "low", "good", "full"]


class CodeConstraint(Wire, frozen=True, kw_only=True):
    """A rule that PINs or names must keep on this lock."""

    constraint_type: str
    max_length: int | UnsetType = UNSET


class Radio(Wire, frozen=True, kw_only=True):
    """How well a lock is reached, since the start of the gateway. `rssi`: dBm when it was heard last."""

    rssi: int | None
    connections_tried: Annotated[int, Meta(ge=0)]
    connections_succeeded: Annotated[int, Meta(ge=0)]


class DeviceProperties(Wire, frozen=True, kw_only=True):
    """What the lock is, and what it can do as far as known; a field is missing where it is not known."""

    online: bool
    online_since: Time | None
    battery: Battery | UnsetType = UNSET
    manufacturer: str | UnsetType = UNSET
    model: str | UnsetType = UNSET
    serial_number: str | UnsetType | None = UNSET
    online_access_codes_enabled: bool | UnsetType = UNSET
    supported_code_lengths: list[int] | UnsetType = UNSET
    code_constraints: list[CodeConstraint] | UnsetType = UNSET
    max_active_codes_supported: int | UnsetType = UNSET
    native_scheduling: str | UnsetType = UNSET
    supports_disabled_codes: bool | UnsetType = UNSET
    is_clock_right: bool | UnsetType | None = UNSET
    readback: str | UnsetType = UNSET
    radio: Radio | UnsetType = UNSET
    reach: Literal["always", "on_touch"] | UnsetType = UNSET
    has_native_entry_events: bool | UnsetType = UNSET
    has_keypad: bool | UnsetType | None = UNSET
    supports_backup_access_code_pool: bool | UnsetType = UNSET
    backup_access_code_pool_enabled: bool | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET


class DeviceCounts(Wire, frozen=True, kw_only=True):
    """How full the lock is."""

    access_codes: int
    on_lock: int
    unmanaged: int
    managed_slots: int
    slots_free: int
    slots_not_read_yet: int
    backups_available: int


class Inventory(Wire, frozen=True, kw_only=True):
    """How far the first reading of all slots has come; `seconds_left` is null until one was read."""

    slots_read: int
    slots: int
    seconds_left: int | None


class SlotView(Wire, frozen=True, kw_only=True):
    """One slot. `managed` slots belong to a code of the gateway; `is_usable`: the gateway may choose it."""

    slot: str
    state: Literal["managed", "unmanaged", "free", "unread"]
    access_code_id: Uuid | None
    is_usable: bool
    read_at: Time | None


class Device(Wire, frozen=True, kw_only=True):
    """The lock.

    `can_program_online_access_codes` is missing where it can never be, `is_paired` where no keys are needed.
    """

    device_id: str
    name: str
    driver: str | None
    is_managed: bool
    can_program_online_access_codes: bool | UnsetType = UNSET
    can_program_offline_access_codes: bool | UnsetType = UNSET
    capabilities_supported: list[str]
    properties: DeviceProperties
    is_paired: bool | UnsetType = UNSET
    is_paused: bool
    paused_until: Time | None
    is_waiting_for_touch: bool
    waiting_for_touch_since: Time | None
    is_retiring: bool
    inventory: Inventory | None
    counts: DeviceCounts
    errors: list[ErrorEntry]
    warnings: list[WarningEntry]


class AttemptResult(Wire, frozen=True, kw_only=True):
    """What a command came to: the code as it is now, without its PIN; in lists, or without one, empty."""

    access_code: AccessCodeState | UnsetType = UNSET


class ActionAttempt(Wire, frozen=True, kw_only=True):
    """What became of a command that needs the lock; exactly one of result and error when it has ended."""

    action_attempt_id: Uuid
    action_type: str
    status: Literal["pending", "success", "error"]
    device_id: str
    access_code_id: Uuid | None
    created_at: Time
    finished_at: Time | None
    result: AttemptResult | None
    error: "AttemptError | None"


class AttemptError(Wire, frozen=True, kw_only=True):
    """Why an action did not come to its end."""

    type: str
    message: str
