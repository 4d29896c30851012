"""Every error and warning of codes and locks, with what it means and what a person should do.

`docs/errors.md` is made from here: python -m scripts.make_errors_page.
"""

from typing import Literal

from msgspec import Struct


class IssueKind(Struct, frozen=True, kw_only=True):
    """One entry of the catalogue: how bad it is, and what a person should do now."""

    code: str
    level: Literal["error", "warning"]
    meaning: str
    remedy: str
    event: str | None = None
    """Event told when the issue appears."""
    over: str | None = None
    """Event told when it is over. Not that of two ways to one lock: `device.connected` needs both."""


_KINDS = (
    IssueKind(
        code="failed_to_set_on_device",
        meaning="An attempt to set the code failed; the message says how.",
        level="error",
        event="access_code.failed_to_set_on_device",
        remedy=(
            "Where the message says what to put right, do that. Otherwise the hub keeps trying: check that "
            "the lock has power and is in range. Give the guest another way in if time is short."
        ),
    ),
    IssueKind(
        code="failed_after_retries",
        meaning="Several attempts in a row failed.",
        level="error",
        remedy=(
            "Look for another system that manages this lock and switch it off, look for a code with the "
            "same PIN, and check the link to the lock."
        ),
    ),
    IssueKind(
        code="failed_to_remove_from_device",
        meaning="An attempt to remove the code failed; the message says how.",
        level="error",
        event="access_code.failed_to_remove_from_device",
        remedy=(
            "Where the message says what to put right, do that; otherwise the hub keeps trying. Until it "
            "succeeds the PIN may still open the door: delete it at the keypad if that matters."
        ),
    ),
    IssueKind(
        code="failed_to_expire",
        meaning="The code is past its end, and the lock may still hold it.",
        level="error",
        event="access_code.failed_to_expire",
        remedy=(
            "The PIN may still open the door after its end. Delete it at the keypad, or bring the lock "
            "back into range."
        ),
    ),
    IssueKind(
        code="duplicate_code_on_device",
        meaning="The PIN is on the lock already; the other code is named where it is known.",
        level="error",
        event="access_code.failed_to_set_on_device",
        remedy="Give this access code another PIN, or delete the other code that has the same PIN.",
    ),
    IssueKind(
        code="code_constraints_violated",
        meaning=(
            "The lock does not take this PIN; the message names the rule. Not tried again until the code "
            "changes."
        ),
        level="error",
        event="access_code.failed_to_set_on_device",
        remedy="Give this access code a PIN that the lock takes; see the lock's lengths and constraints.",
    ),
    IssueKind(
        code="no_space_for_access_code_on_device",
        meaning="All slots that the hub may use are taken; the message counts codes of others.",
        level="error",
        event="access_code.failed_to_set_on_device",
        remedy="Delete codes that nobody needs from the lock, or grant the hub more slots in managed_slots.",
    ),
    IssueKind(
        code="code_modified_external_to_gateway",
        meaning="Somebody changed or removed the code on the lock, and the hub puts it back.",
        level="error",
        remedy=(
            "The hub puts its own value back. Find out who changed the code at the keypad or with "
            "another app."
        ),
    ),
    IssueKind(
        code="access_code_inactive",
        meaning="The code is on the lock, and it was disabled there: it opens nothing.",
        level="error",
        remedy="Enable it at the lock or in its app, or update the code: the hub then sets it anew.",
    ),
    IssueKind(
        code="second_check_failed",
        meaning="The lock took the code and did not hold it when it was looked at again.",
        level="error",
        remedy=(
            "The hub sets it again. If this comes back, the lock loses codes: check its batteries and its "
            "memory."
        ),
    ),
    IssueKind(
        code="external_modification_in_effect",
        meaning="Somebody changed or removed the code on the lock, and the code allows that.",
        level="warning",
        remedy="The outside change is honoured because the code allows it. Update the code to take it back.",
    ),
    IssueKind(
        code="unable_to_confirm_code",
        meaning="The code was sent, and this lock does not say whether it took it.",
        level="warning",
        remedy=(
            "This lock does not show what it holds. Try the PIN at the door once; its first use confirms it."
        ),
    ),
    IssueKind(
        code="unable_to_confirm_deletion",
        meaning="The removal was sent, and this lock does not say whether it happened.",
        level="warning",
        remedy="Try the PIN at the door once: it should no longer open it.",
    ),
    IssueKind(
        code="delay_in_setting_on_device",
        meaning="The code should be on the lock by now.",
        level="warning",
        event="access_code.delay_in_setting_on_device",
        remedy="The code is late. Do what its errors say, and check that the lock is reachable.",
    ),
    IssueKind(
        code="delay_in_removing_from_device",
        meaning="The lock should have confirmed by now that the PIN is gone, or its new window.",
        level="warning",
        event="access_code.delay_in_removing_from_device",
        remedy=(
            "The removal takes unusually long. Do what the code's errors say, and check that the lock is "
            "reachable."
        ),
    ),
    IssueKind(
        code="being_deleted",
        meaning="Somebody deleted the code, and the lock has not confirmed its removal.",
        level="warning",
        remedy=(
            "Nothing to do: it goes as soon as the lock confirms. Until then the PIN may still open the door."
        ),
    ),
    IssueKind(
        code="using_backup_access_code",
        meaning="A backup code was pulled in place of this one.",
        level="warning",
        remedy=(
            "Make sure that the guest has the backup's PIN. Both work as soon as this one is on the lock too."
        ),
    ),
    IssueKind(
        code="device_disconnected",
        meaning="The lock does not answer.",
        level="error",
        event="device.disconnected",
        remedy=(
            "Check the lock's batteries and its distance to the hub; the hub goes on as soon as the "
            "lock answers."
        ),
    ),
    IssueKind(
        code="hub_disconnected",
        meaning="What reaches the lock, server or adapter, is away.",
        level="error",
        event="device.disconnected",
        remedy=(
            "The Z-Wave server or Bluetooth adapter is away. Start it again; the hub reconnects by itself."
        ),
    ),
    IssueKind(
        code="device_not_found",
        meaning="The driver has not found the lock.",
        level="error",
        remedy=(
            "The driver has not seen this lock yet. Check node id or address, and that its interview is"
            " complete."
        ),
    ),
    IssueKind(
        code="device_not_paired",
        meaning="The lock is configured, and the hub has no keys of it. Nothing can be written to it.",
        level="error",
        remedy=(
            "Pair it on the hub: pinsmith pair nuki|yale|ttlock LOCK. It asks for what is needed and says "
            "what to do at the door."
        ),
    ),
    IssueKind(
        code="keypad_missing",
        event="device.accessory_keypad_disconnected",
        over="device.accessory_keypad_connected",
        meaning="The lock has no keypad, or its keypad is gone: nobody can type a PIN.",
        level="error",
        remedy="Mount or pair the keypad; codes are set as soon as it is there.",
    ),
    IssueKind(
        code="device_replaced",
        meaning="Another lock answers under this address. Nothing is written.",
        level="error",
        event="device.replaced",
        remedy=(
            "Another lock answers under this address. If you changed it on purpose: pinsmith locks replace."
        ),
    ),
    IssueKind(
        code="device_wiped",
        meaning="All codes of the lock were gone at once.",
        level="error",
        event="device.wiped",
        remedy=(
            "All codes vanished at once: batteries, reset or new inclusion. With on_wipe = hold: "
            "pinsmith locks refill."
        ),
    ),
    IssueKind(
        code="removed_from_configuration",
        event="device.removed_from_configuration",
        meaning="The lock is no longer configured. It may hold codes, and those to come are not set.",
        level="error",
        remedy=(
            "Put the lock back into the configuration and retire it (pinsmith locks retire), or give it"
            " up: locks forget."
        ),
    ),
    IssueKind(
        code="device_not_managed",
        meaning="Somebody took this lock out of the hub's hands: its codes stay as they are.",
        level="warning",
        remedy="Take it back with devices/update, is_managed true; then convert its codes.",
    ),
    IssueKind(
        code="waiting_for_touch",
        meaning=(
            "The lock listens only after somebody touches it, and something waits for that; the message says"
            " what will happen then. On the lock and on each code that waits."
        ),
        level="warning",
        remedy=(
            "Touch the lock's keypad and stay within its reach for some seconds: the hub does everything that"
            " waits as soon as it hears the lock."
        ),
    ),
    IssueKind(
        code="device_paused",
        event="device.paused",
        over="device.resumed",
        meaning="Somebody paused work on this lock.",
        level="warning",
        remedy="Nothing is written or removed until pinsmith locks resume, or until the pause ends.",
    ),
    IssueKind(
        code="held_after_restore",
        meaning="A backup was restored, and nobody has confirmed its plan.",
        level="warning",
        remedy=(
            "A backup was restored. Look at the plan (pinsmith plan), then confirm it: pinsmith restore"
            " --confirm."
        ),
    ),
    IssueKind(
        code="third_party_integration_detected",
        meaning="Something else changes this lock's codes again and again.",
        level="warning",
        event="device.third_party_integration_detected",
        over="device.third_party_integration_no_longer_detected",
        remedy=(
            "Find the other system, such as another hub or an app with its own codes, and take the lock "
            "out of it. Until then the hub puts codes back more and more slowly."
        ),
    ),
    IssueKind(
        code="privacy_mode",
        event="device.keypad_switched_off",
        over="device.keypad_switched_on",
        meaning="The keypad is switched off, by somebody at the lock or by the lock itself: no PIN opens.",
        level="warning",
        remedy="Switch the keypad on again at the lock or in its app. Codes are kept in step meanwhile.",
    ),
    IssueKind(
        code="device_has_flaky_connection",
        meaning=(
            "The lock went silent and came back three times or more, each within an hour of the one before. "
            "Over when it was there for an hour."
        ),
        level="warning",
        event="device.connection_became_flaky",
        over="device.connection_stabilized",
        remedy=(
            "The hub does what is due whenever the lock answers. Check its batteries, bring the hub or a "
            "repeater nearer, and look for what disturbs the radio."
        ),
    ),
    IssueKind(
        code="device_clock_wrong",
        event="device.clock_wrong",
        over="device.clock_right",
        meaning="The clock of the lock is off, or cannot be read: it would keep windows at the wrong times.",
        level="warning",
        remedy=(
            "The hub sets it and keeps the windows itself meanwhile. If this comes back, check the lock's "
            "batteries and the time zone of its server."
        ),
    ),
    IssueKind(
        code="low_battery",
        meaning="The battery of the lock is low.",
        level="warning",
        remedy="Change the batteries: a lock without power keeps its codes and opens to none of them.",
    ),
    IssueKind(
        code="max_access_codes_reached",
        meaning="Every slot that the hub may use is taken.",
        level="warning",
        remedy="Delete codes that nobody needs, or grant the hub more slots in managed_slots.",
    ),
    IssueKind(
        code="empty_backup_access_code_pool",
        meaning="No backup code is ready on the lock.",
        level="error",
        remedy=(
            "The hub fills the pool as soon as the lock answers and has room. Until then there is no "
            "second way in by PIN."
        ),
    ),
    IssueKind(
        code="partial_backup_access_code_pool",
        meaning="Fewer backup codes are ready than wanted.",
        level="warning",
        remedy="Check the link to the lock, and delete codes that nobody needs.",
    ),
    IssueKind(
        code="many_active_backup_codes",
        meaning="Several guests had to be given backup codes.",
        level="warning",
        remedy="Something is wrong with this lock: look at its errors, batteries and link.",
    ),
    IssueKind(
        code="clock_untrusted",
        meaning="The hub does not know the time.",
        level="warning",
        event="gateway.clock_untrusted",
        remedy=(
            "The hub does not know the time, so no window opens or closes. Restore time "
            "synchronisation, or: pinsmith clock trust."
        ),
    ),
    IssueKind(
        code="clock_step_held",
        meaning="The clock jumped, and removals wait for a person.",
        level="error",
        event="gateway.clock_step_held",
        remedy=(
            "The clock jumped and many codes would go at once. Check the time, then: pinsmith clock trust."
        ),
    ),
)
CATALOGUE = {kind.code: kind for kind in _KINDS}
"""Every error and warning by code."""
