"""The `data` of the reply to every command."""

from typing import Any, Literal

from msgspec import UNSET, UnsetType

from gateway.engine.wire import (
    AccessCode,
    ActionAttempt,
    Device,
    SlotView,
    Time,
    UnmanagedAccessCode,
    Uuid,
    Wire,
)


class Pagination(Wire, frozen=True, kw_only=True):
    """Where a list goes on."""

    has_next_page: bool
    next_page_cursor: str | None


class CodeReply(Wire, frozen=True, kw_only=True):
    """One access code; `action_attempt` after a command that needs the lock."""

    access_code: AccessCode
    action_attempt: ActionAttempt | UnsetType = UNSET


class CodesReply(Wire, frozen=True, kw_only=True):
    """Several access codes."""

    access_codes: list[AccessCode]
    pagination: Pagination | UnsetType = UNSET


class DeletedReply(Wire, frozen=True, kw_only=True):
    """A code that goes. `left_behind`: the slot that may still open the door, after a forced delete."""

    access_code_id: Uuid
    status: str
    action_attempt: ActionAttempt | UnsetType = UNSET
    left_behind: "list[LeftBehind] | UnsetType" = UNSET


class LeftBehind(Wire, frozen=True, kw_only=True):
    """A code that a lock may still hold although the hub knows nothing of it any more."""

    access_code_id: Uuid
    slot: str | None


class PulledReply(Wire, frozen=True, kw_only=True):
    """The original and the backup that works in its place."""

    access_code: AccessCode
    backup_access_code: AccessCode


class GeneratedCode(Wire, frozen=True, kw_only=True):
    """A PIN that would do."""

    device_id: str
    code: str


class GeneratedReply(Wire, frozen=True, kw_only=True):
    """A PIN that would do; nothing was created or reserved."""

    generated_code: GeneratedCode


class UnmanagedReply(Wire, frozen=True, kw_only=True):
    """One code of somebody else."""

    unmanaged_access_code: UnmanagedAccessCode
    action_attempt: ActionAttempt | UnsetType = UNSET


class UnmanagedsReply(Wire, frozen=True, kw_only=True):
    """Codes of others."""

    unmanaged_access_codes: list[UnmanagedAccessCode]
    pagination: Pagination


class DeviceReply(Wire, frozen=True, kw_only=True):
    """One lock; with a map of its slots where `devices/get` asked."""

    device: Device
    slots: list[SlotView] | UnsetType = UNSET
    action_attempt: ActionAttempt | UnsetType = UNSET


class DevicesReply(Wire, frozen=True, kw_only=True):
    """All locks."""

    devices: list[Device]


class ForgottenReply(Wire, frozen=True, kw_only=True):
    """A lock that was forgotten, and what it may still hold."""

    device_id: str
    left_behind: list[LeftBehind]


class RemovedReply(Wire, frozen=True, kw_only=True):
    """The codes that are being removed from a lock."""

    device_id: str
    access_code_ids: list[Uuid]


class DeviceIdsReply(Wire, frozen=True, kw_only=True):
    """The locks concerned."""

    device_ids: list[str]


class EventsReply(Wire, frozen=True, kw_only=True):
    """Events, each with its envelope and its own fields."""

    events: list[dict[str, Any]]


class EventReply(Wire, frozen=True, kw_only=True):
    """One event."""

    event: dict[str, Any]


class AttemptReply(Wire, frozen=True, kw_only=True):
    """One action attempt."""

    action_attempt: ActionAttempt


class AttemptsReply(Wire, frozen=True, kw_only=True):
    """Action attempts, newest first."""

    action_attempts: list[ActionAttempt]


class TimelineEntry(Wire, frozen=True, kw_only=True):
    """One thing that happened to a code."""

    at: Time
    kind: str
    description: str
    actor: str
    details: dict[str, Any]


class TimelineReply(Wire, frozen=True, kw_only=True):
    """What happened to a code, in order."""

    access_code_id: Uuid
    timeline_events: list[TimelineEntry]


class PlannedStep(Wire, frozen=True, kw_only=True):
    """A radio operation that would be done now."""

    action: str
    slot: str | None
    access_code_id: Uuid | None
    why: str
    radio_commands: int


class ComingStep(Wire, frozen=True, kw_only=True):
    """A radio operation that will be due."""

    at: Time
    action: str
    access_code_id: Uuid
    why: str
    radio_commands: int


class PlanIssue(Wire, frozen=True, kw_only=True):
    """What stands in the way."""

    code: str
    access_code_id: Uuid | None
    message: str


class PlanView(Wire, frozen=True, kw_only=True):
    """What is to be done on one lock. `gate` other than `open`: why nothing is done at all now."""

    device_id: str
    gate: str
    steps: list[PlannedStep]
    coming: list[ComingStep]
    issues: list[PlanIssue]
    next_wake: Time | None


class PlansReply(Wire, frozen=True, kw_only=True):
    """Plans by lock."""

    plans: list[PlanView]


class DryRun(Wire, frozen=True, kw_only=True):
    """What a command would answer, and what would be done on the locks it touches. Nothing was changed."""

    dry_run: bool
    would_reply: Any
    plans: list[PlanView]


class ClockView(Wire, frozen=True, kw_only=True):
    """The time and whether it is believed. `floor`: the time that it certainly is by now."""

    now: Time
    trusted: bool
    synchronised: bool
    floor: Time
    policy: Literal["hold", "run"]
    step_held: bool


class ClockReply(Wire, frozen=True, kw_only=True):
    """What the hub knows about the time."""

    clock: ClockView
