"""The parameters of every command."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType, field

from gateway.engine.commands.requests import Params

type Id = Annotated[str, Meta(min_length=1, max_length=64)]
type Ids = Annotated[list[Id], Meta(min_length=1, max_length=200)]
type Name = Annotated[str, Meta(min_length=1, max_length=200)]
type Digits = Annotated[str, Meta(min_length=1, max_length=32)]
type Length = Annotated[int, Meta(ge=1, le=32)]
type Lengths = Annotated[list[Annotated[int, Meta(ge=4, le=20)]], Meta(min_length=1, max_length=17)]
type Secret = Annotated[str, Meta(max_length=200)]
type Key = Annotated[str, Meta(min_length=1, max_length=128)]
type Instant = Annotated[datetime, Meta(tz=True)]
type Search = Annotated[str, Meta(min_length=1, max_length=200)]
type Limit = Annotated[int, Meta(ge=1, le=1000)]
type Cursor = Annotated[str, Meta(min_length=1, max_length=200)]


class RecurrenceParams(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Windows that come back. Without `time_zone` that of the hub."""

    cron: Annotated[str, Meta(min_length=9, max_length=200)]
    minutes: Annotated[int, Meta(ge=1, le=10080)]
    time_zone: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class CreateCode(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`access_codes/create`. Without `code` a PIN is chosen; without times the code is ongoing."""

    device_id: Id
    name: Name | None = None
    code: Digits | None = None
    preferred_code_length: Length | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    recurrence: RecurrenceParams | None = None
    is_external_modification_allowed: bool | None = None
    allow_external_modification: bool | None = None
    prefer_native_scheduling: bool = True
    common_code_key: Key | None = None
    is_one_time_use: bool = False
    is_offline_access_code: bool = False
    use_backup_access_code_pool: bool = False
    attempt_for_offline_device: bool = True


class CreateMultiple(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`access_codes/create_multiple`: one code on each lock, with one PIN that all of them take."""

    device_ids: Ids
    name: Name | None = None
    code: Digits | None = None
    preferred_code_length: Length | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    recurrence: RecurrenceParams | None = None
    is_external_modification_allowed: bool | None = None
    allow_external_modification: bool | None = None
    prefer_native_scheduling: bool = True
    use_backup_access_code_pool: bool = False
    attempt_for_offline_device: bool = True
    behavior_when_code_cannot_be_shared: Literal["throw", "create_random_code"] = "throw"


class UpdateCode(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`access_codes/update`. A field left out stays; `null` unsets it; `type: ongoing` unsets both times."""

    access_code_id: Id
    device_id: Id | None = None
    name: Name | UnsetType = UNSET
    code: Digits | UnsetType = UNSET
    starts_at: Instant | UnsetType | None = UNSET
    ends_at: Instant | UnsetType | None = UNSET
    recurrence: RecurrenceParams | UnsetType | None = UNSET
    type: Literal["ongoing", "time_bound"] | UnsetType = UNSET
    is_managed: bool = True
    is_external_modification_allowed: bool | UnsetType = UNSET
    allow_external_modification: bool | UnsetType = UNSET
    prefer_native_scheduling: bool | UnsetType = UNSET
    attempt_for_offline_device: bool = True


class UpdateMultiple(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`access_codes/update_multiple`: name and times of every code of one key. The PIN is not changed so."""

    common_code_key: Key
    name: Name | UnsetType = UNSET
    starts_at: Instant | UnsetType | None = UNSET
    ends_at: Instant | UnsetType | None = UNSET


class DeleteCode(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`access_codes/delete`. `force` drops the code without the lock, which may go on opening to it."""

    access_code_id: Id
    device_id: Id | None = None
    force: bool = False


class OneCode(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Commands on one code."""

    access_code_id: Id


class GetCode(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`access_codes/get`, `access_codes/unmanaged/get`: by id, or by lock and PIN."""

    access_code_id: Id | None = None
    device_id: Id | None = None
    code: Digits | None = None


class ListCodes(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`access_codes/list`: those that fit everything given, oldest first. `search`: name, PIN or id."""

    device_id: Id | None = None
    access_code_ids: Ids | None = None
    common_code_key: Key | None = None
    type: Literal["ongoing", "time_bound"] | None = None
    status: Literal["unset", "setting", "set", "removing", "unknown"] | None = None
    search: Search | None = None
    limit: Limit = 1000
    page_cursor: Cursor | None = None


class ListUnmanaged(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`access_codes/unmanaged/list`: codes of others. `search` looks into name and id."""

    device_id: Id | None = None
    search: Search | None = None
    limit: Limit = 1000
    page_cursor: Cursor | None = None


class GenerateCode(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`access_codes/generate_code`: a PIN that would do; nothing is created or kept free."""

    device_id: Id
    preferred_code_length: Length | None = None


class ReportConstraints(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`access_codes/report_device_constraints`: what PIN lengths the lock really takes."""

    device_id: Id
    supported_code_lengths: Lengths | None = None
    min_code_length: Annotated[int, Meta(ge=4, le=20)] | None = None
    max_code_length: Annotated[int, Meta(ge=4, le=20)] | None = None


class Timeline(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`access_codes/get_timeline`: what happened to a code, the newest `limit` of it, and of its lock."""

    access_code_id: Id
    after: Instant | None = None
    before: Instant | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 200


class Convert(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`access_codes/unmanaged/convert_to_managed`. `code` only where the lock hides the digits."""

    access_code_id: Id
    code: Digits | None = None
    name: Name | None = None
    is_external_modification_allowed: bool | None = None
    allow_external_modification: bool | None = None


class MaybeDevice(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Commands on one lock or on all."""

    device_id: Id | None = None


class OneDevice(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Commands on one lock."""

    device_id: Id


class PairDevice(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`devices/pair`. `given`: what the kind of lock asks for, by name. Secrets: printing shows nothing."""

    device_id: Id
    given: Annotated[dict[Key, Secret], Meta(max_length=20)] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Show nothing."""
        return "PairDevice(hidden)"


class UpdateDevice(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`devices/update`: take a lock out of the hub's hands or back; keep backup codes on it or not."""

    device_id: Id
    is_managed: bool | None = None
    backup_access_code_pool_enabled: bool | None = None


class RemoveGuestCodes(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`devices/remove_guest_codes`: delete every guest's code now; with `include_ongoing` all others too."""

    device_id: Id
    include_ongoing: bool = False


class Pause(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`devices/pause`: for somebody at work on the door; ends by itself."""

    device_id: Id
    minutes: Annotated[int, Meta(ge=1, le=1440)] = 60


class Nothing(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Commands without parameters."""


class ListEvents(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`events/list`: the newest `limit` of those that fit everything given, in order.

    With `after_seq` the first `limit` after that number: asked on with the last one, none is missed.
    """

    after_seq: Annotated[int, Meta(ge=0, le=2**53 - 1)] | None = None
    since: Instant | None = None
    until: Instant | None = None
    between: Annotated[list[Instant], Meta(min_length=2, max_length=2)] | None = None
    device_id: Id | None = None
    device_ids: Ids | None = None
    access_code_id: Id | None = None
    access_code_ids: Ids | None = None
    event_type: Key | None = None
    event_types: Annotated[list[Key], Meta(min_length=1, max_length=100)] | None = None
    limit: Limit = 100


class OneEvent(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`events/get`."""

    event_id: Id


class OneAttempt(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`action_attempts/get`."""

    action_attempt_id: Id


class ListAttempts(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`action_attempts/list`: the newest `limit` of those that fit everything given, newest first."""

    device_id: Id | None = None
    access_code_id: Id | None = None
    status: Literal["pending", "success", "error"] | None = None
    limit: Limit = 100
