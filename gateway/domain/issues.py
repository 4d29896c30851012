"""Errors and warnings: what stands between a code and where it should be."""

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct


class IssueKind(Struct, frozen=True, kw_only=True):
    """One entry of the catalogue: how bad it is, and what a person should do now."""

    code: str
    level: Literal["error", "warning"]
    remedy: str
    event: str | None = None
    """Event told when the issue appears."""


_KINDS = (
    IssueKind(
        code="failed_to_set_on_device",
        level="error",
        event="access_code.failed_to_set_on_device",
        remedy=(
            "The hub keeps trying. Check that the lock has power and is in range; give the guest "
            "another way in if time is short."
        ),
    ),
    IssueKind(
        code="failed_to_remove_from_device",
        level="error",
        event="access_code.failed_to_remove_from_device",
        remedy=(
            "The hub keeps trying. Until it succeeds the PIN may still open the door: delete it at the "
            "keypad if that matters."
        ),
    ),
    IssueKind(
        code="failed_to_expire",
        level="error",
        event="access_code.failed_to_expire",
        remedy=(
            "The PIN may still open the door after its end. Delete it at the keypad, or bring the lock "
            "back into range."
        ),
    ),
    IssueKind(
        code="duplicate_code_on_device",
        level="error",
        remedy="Give this access code another PIN, or delete the other code that has the same PIN.",
    ),
    IssueKind(
        code="code_constraints_violated",
        level="error",
        remedy="Give this access code a PIN that the lock takes; see the lock's lengths and constraints.",
    ),
    IssueKind(
        code="no_space_for_access_code_on_device",
        level="error",
        remedy="Delete codes that nobody needs from the lock, or grant the hub more slots in managed_slots.",
    ),
    IssueKind(
        code="code_modified_external_to_gateway",
        level="error",
        remedy=(
            "The hub puts its own value back. Find out who changed the code at the keypad or with "
            "another app."
        ),
    ),
    IssueKind(
        code="external_modification_in_effect",
        level="warning",
        remedy="The outside change is honoured because the code allows it. Update the code to take it back.",
    ),
    IssueKind(
        code="unable_to_confirm_code",
        level="warning",
        remedy=(
            "This lock does not show what it holds. Try the PIN at the door once; its first use confirms it."
        ),
    ),
    IssueKind(
        code="delay_in_setting_on_device",
        level="warning",
        event="access_code.delay_in_setting_on_device",
        remedy="The code is late. Check that the lock is reachable; the hub keeps trying.",
    ),
    IssueKind(
        code="delay_in_removing_from_device",
        level="warning",
        event="access_code.delay_in_removing_from_device",
        remedy="The removal takes unusually long. Check that the lock is reachable; the hub keeps trying.",
    ),
    IssueKind(
        code="device_disconnected",
        level="error",
        event="device.disconnected",
        remedy=(
            "Check the lock's batteries and its distance to the hub; the hub goes on as soon as the "
            "lock answers."
        ),
    ),
    IssueKind(
        code="hub_disconnected",
        level="error",
        event="device.disconnected",
        remedy=(
            "The Z-Wave server or Bluetooth adapter is away. Start it again; the hub reconnects by itself."
        ),
    ),
    IssueKind(
        code="device_not_found",
        level="error",
        remedy=(
            "The driver has not seen this lock yet. Check node id or address, and that its interview is"
            " complete."
        ),
    ),
    IssueKind(
        code="device_replaced",
        level="error",
        event="device.replaced",
        remedy=(
            "Another lock answers under this address. If you changed it on purpose: pinsmith locks replace."
        ),
    ),
    IssueKind(
        code="device_wiped",
        level="error",
        event="device.wiped",
        remedy=(
            "All codes vanished at once: batteries, reset or new inclusion. With on_wipe = hold: "
            "pinsmith locks refill."
        ),
    ),
    IssueKind(
        code="removed_from_configuration",
        level="error",
        remedy=(
            "Put the lock back into the configuration and retire it (pinsmith locks retire), or give it"
            " up: locks forget."
        ),
    ),
    IssueKind(
        code="device_paused",
        level="warning",
        remedy="Nothing is written or removed until pinsmith locks resume, or until the pause ends.",
    ),
    IssueKind(
        code="held_after_restore",
        level="warning",
        remedy=(
            "A backup was restored. Look at the plan (pinsmith plan), then confirm it: pinsmith restore"
            " --confirm."
        ),
    ),
    IssueKind(
        code="clock_untrusted",
        level="warning",
        event="gateway.clock_untrusted",
        remedy=(
            "The hub does not know the time, so no window opens or closes. Restore time "
            "synchronisation, or: pinsmith clock trust."
        ),
    ),
    IssueKind(
        code="clock_step_held",
        level="error",
        event="gateway.clock_step_held",
        remedy=(
            "The clock jumped and many codes would go at once. Check the time, then: pinsmith clock trust."
        ),
    ),
)
CATALOGUE = {kind.code: kind for kind in _KINDS}
"""Every error and warning by code."""


class Issue(Struct, frozen=True, kw_only=True):
    """One error or warning of a code, or of a whole lock when `access_code_id` is None."""

    code: str
    message: str
    access_code_id: str | None = None
    created_at: datetime | None = None
    data: dict[str, Any] = {}

    @property
    def kind(self) -> IssueKind:
        """Return the catalogue entry."""
        return CATALOGUE[self.code]


class Announced(Struct, frozen=True, kw_only=True):
    """What was last told about a code; stored only together with the events that told it."""

    status: str
    is_scheduled_on_device: bool = False
    confirmed_revision: int = 0
    on_lock: bool = False
    """The code was proven on the lock and may still be there."""
