"""What is told without being asked, as types: events and the topics below `bridge/`.

Events are stored and published as plain objects, because old ones outlive a change of their fields. These
types say what is in them; `docs/asyncapi.json` is generated from here, and a test holds what is published
against it.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from gateway.domain.driver import Denial
from gateway.engine.replies import LeftBehind
from gateway.engine.wire import Radio, Time, Uuid, Wire

type Count = Annotated[int, Meta(ge=0)]


class EventEnvelope(Wire, frozen=True, kw_only=True):
    """What every event has. `device_id` is the gateway's id where the event is about the gateway itself."""

    event_id: Uuid
    seq: Annotated[int, Meta(ge=1, description="counts up over all locks of the gateway")]
    event_type: str
    device_id: str
    access_code_id: Uuid | None
    occurred_at: Time
    created_at: Time


class RequestedMutation(Wire, frozen=True, kw_only=True):
    """One thing that an update asks for."""

    mutation_code: str


class ChangedProperty(Wire, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A property that has another value now."""

    property: str
    from_: str
    to: str


class ErrorSeen(Wire, frozen=True, kw_only=True):
    """An error that held when the event happened."""

    error_code: str
    message: str
    created_at: Time | None


class WarningSeen(Wire, frozen=True, kw_only=True):
    """A warning that held when the event happened."""

    warning_code: str
    message: str
    created_at: Time | None


class DenialReason(Wire, frozen=True, kw_only=True):
    """Why the lock let nobody in."""

    reason_code: Denial
    message: str


class EventFields(Wire, frozen=True, kw_only=True):
    """The fields of single events beside the envelope; `EVENTS` says which event has which."""

    is_backup: bool | UnsetType = UNSET
    requested_mutations: list[RequestedMutation] | UnsetType = UNSET
    changed_properties: list[ChangedProperty] | UnsetType = UNSET
    description: str | UnsetType = UNSET
    left_behind: bool | list[LeftBehind] | UnsetType = UNSET
    """`access_code.deleted`: whether a lock may still hold it. `device.removed`: the codes it may hold."""
    backup_access_code_id: Uuid | UnsetType = UNSET
    change_type: Literal["modified", "removed"] | UnsetType = UNSET
    modified_fields: list[str] | UnsetType = UNSET
    error_code: str | UnsetType = UNSET
    warning_code: str | UnsetType = UNSET
    message: str | UnsetType = UNSET
    access_code_errors: list[ErrorSeen] | UnsetType = UNSET
    access_code_warnings: list[WarningSeen] | UnsetType = UNSET
    device_errors: list[ErrorSeen] | UnsetType = UNSET
    device_warnings: list[WarningSeen] | UnsetType = UNSET
    off_by_seconds: Annotated[float, Meta(ge=0)] | UnsetType = UNSET
    what: str | UnsetType = UNSET
    battery_level: Annotated[float, Meta(ge=0, le=1)] | UnsetType = UNSET
    battery_status: Literal["critical", "low", "good", "full"] | UnsetType = UNSET
    method: Literal["keycode"] | UnsetType = UNSET
    slot: str | UnsetType = UNSET
    access_code_is_managed: bool | UnsetType = UNSET
    reason: DenialReason | UnsetType = UNSET
    action_attempt_id: Uuid | UnsetType = UNSET
    slots_read: Count | UnsetType = UNSET
    slots: Count | UnsetType = UNSET
    seconds_left: Count | UnsetType | None = UNSET
    percent: Count | UnsetType = UNSET
    seconds: Count | UnsetType = UNSET
    events_dropped: Count | UnsetType = UNSET
    first_seq_dropped: int | UnsetType = UNSET
    client: str | UnsetType = UNSET
    verb: str | UnsetType = UNSET


class BridgeState(Wire, frozen=True, kw_only=True):
    """Whether the gateway is there. `offline` is also its will."""

    state: Literal["online", "offline"]


class BridgeInfo(Wire, frozen=True, kw_only=True):
    """What changes only with the configuration, and what its configuration allows and better would not."""

    gateway_id: str
    version: str
    time_zone: str
    drivers: list[str]
    device_ids: list[str]
    max_payload_bytes: int
    warnings: list[str]


class BrokerHealth(Wire, frozen=True, kw_only=True):
    """The connection to the broker in a word and in a sentence, and how often what went wrong with it."""

    state: str
    message: str
    taken_over: Count
    handler_failures: Count
    not_stored: Count
    too_large: Count
    dropped: Count
    overflows: Count


class LockRadio(Radio, frozen=True, kw_only=True):
    """How well a lock is reached, and how many seconds ago it was heard."""

    heard_ago_s: Annotated[float, Meta(ge=0)] | None


class DriverHealth(Wire, frozen=True, kw_only=True):
    """`problems`: why a lock is not managed at the moment, by lock. `locks` where the driver tells it."""

    problems: dict[str, str]
    warnings: list[str]
    locks: dict[str, LockRadio] | UnsetType = UNSET


class Configuration(Wire, frozen=True, kw_only=True):
    """Where the configuration that runs differs from the file, since that was read again."""

    mistakes: list[str]
    restart_needed: list[str]


class BridgeHealth(Wire, frozen=True, kw_only=True):
    """How the gateway is. `events_waiting` is null while the database does not answer."""

    uptime_s: Count
    memory_rss_bytes: Count
    events_waiting: Count | None
    storage_trouble: str | None
    configuration: Configuration
    mqtt: BrokerHealth
    counters: dict[str, Count]
    drivers: dict[str, DriverHealth]
