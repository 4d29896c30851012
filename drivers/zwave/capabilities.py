"""Who a node is and what it can do, from the server's memory and at most two commands over the air."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from drivers.zwave.alarms import YALE
from drivers.zwave.node import Node
from drivers.zwave.numbers import CommandClass
from drivers.zwave.radio import Radio
from drivers.zwave.readings import UserIdStatus
from drivers.zwave.schedules import Room
from drivers.zwave.settings import ZwaveLockSettings
from gateway.domain.driver import NoAnswer
from gateway.domain.lock import Capabilities, Identity, NativeWindows, PinRules, Readback

SPACING = timedelta(seconds=2)
"""Pause between operations on one lock; lock_code_manager found it needed in the field."""
PIN_LENGTHS = tuple(range(4, 11))
"""A code of the User Code Command Class has 4 to 10 digits; a model may want less, as configured."""

USER_CAPABILITIES = "access_control.get_user_capabilities_cached"
"""The server's command for what it learned of a lock's users in the interview: no radio."""
_CHECKSUM_GET = 0x11
_SERIAL_NUMBER = 1
_ASKED_FROM = 2
"""The version of Manufacturer Specific that knows the question for it."""
_YALE_RESERVED_FROM = 251
"""251 is the master code, 252 to 254 are reserved (Yale ZW2 and ZW3 integrator guides)."""


class UnfitError(Exception):
    """This node is not to be managed. The message says why and what to do."""


def demand_user_code(node: Node) -> None:
    """Raise UnfitError unless slots of this node can be managed at all."""
    if node.manufacturer_id is None or node.product_type is None or node.product_id is None:
        raise UnfitError("its interview did not tell who it is: interview it again")
    offered = node.command_classes
    if CommandClass.USER_CODE not in offered and CommandClass.USER_CREDENTIAL not in offered:
        raise UnfitError("it offers no user codes: is it a lock, included with security?")


async def examine(
    node: Node, settings: ZwaveLockSettings, radio: Radio, room: Room | None, zone: ZoneInfo
) -> Capabilities:
    """Return what the lock can do. Uses the radio only where the interview left the number of slots open.

    `room` is that for schedules, where the lock keeps any; it keeps them in the local time of `zone`.

    Raises UnfitError for locks that are not to be managed, and any DriverError.
    """
    offered = node.command_classes
    users = (await radio.endpoint_command(node, USER_CAPABILITIES))["capabilities"]
    if CommandClass.USER_CODE not in offered or keeps_users(users):
        raise UnfitError("it is managed by User Credential (command class 131), which is not supported")
    count = users["maxUsers"] or await radio.on_air(node, CommandClass.USER_CODE, "getUsersCount")
    if count is None:
        raise NoAnswer("it did not tell how many slots it has; it is asked again")
    if count == 0:
        raise UnfitError("it says that it has no slots: interview it again")
    slots = slots_of(node, count)
    version = offered[CommandClass.USER_CODE]
    return Capabilities(
        slots=slots,
        max_codes=len(slots),
        pin_rules=PinRules(lengths=PIN_LENGTHS),
        readback=Readback.NONE if settings.readback == "none" else Readback.DIGITS,
        supervised=CommandClass.SUPERVISION in offered,
        # Version 1 has the number 2 too, but means "reserved by the administrator" with it.
        disabled_status=version > 1 and str(int(UserIdStatus.DISABLED)) in _states(node),
        native_windows=_native_windows(room),
        schedule_granularity=timedelta(minutes=1),
        schedule_zone=None if room is None else zone.key,
        # The checksum covers slots, states and digits. A schedule that was taken off shows to a look only.
        probe=room is None
        and bool(await radio.from_server(node, CommandClass.USER_CODE, "supportsCommand", _CHECKSUM_GET)),
        reports_use=CommandClass.NOTIFICATION in offered,
        spacing=SPACING,
    )


def keeps_users(users: Mapping[str, Any]) -> bool:
    """Say, from what the server learned of a lock's users, whether it keeps them by User Credential.

    Only this command class knows users without credentials; one that supports 0 users leaves the field to
    User Code, and zwave-js then answers for that.
    """
    return bool(users.get("supportsUsersWithoutCredentials"))


def slots_of(node: Node, count: int) -> tuple[str, ...]:
    """Return the slots that codes may be in, of a lock that says it has `count`."""
    return tuple(str(slot) for slot in range(1, count + 1) if not _reserved(node, slot))


async def ask_serial(node: Node, radio: Radio) -> bool:
    """Ask the lock for its serial number; the server remembers it. Raises any DriverError.

    Returns whether that is settled: it answered, or knows no such question.
    """
    if node.command_classes.get(CommandClass.MANUFACTURER_SPECIFIC, 0) < _ASKED_FROM:
        return True
    question = CommandClass.MANUFACTURER_SPECIFIC, "deviceSpecificGet", _SERIAL_NUMBER
    return await radio.on_air(node, *question) is not None


def serial_of(node: Node) -> str | None:
    """Return the serial number that the server remembers."""
    told = node.values_of(CommandClass.MANUFACTURER_SPECIFIC, "deviceId")
    return _as_text(told[0].value) if told else None


def identity_of(node: Node, home_id: int) -> Identity:
    """Return who the node is; numbers as written in the Z-Wave device database."""
    return Identity(
        network=f"{home_id:08x}",
        manufacturer=f"0x{node.manufacturer_id or 0:04x}",
        product=f"0x{node.product_type or 0:04x}:0x{node.product_id or 0:04x}",
        serial=serial_of(node),
        dsk=node.dsk,
    )


def battery_of(node: Node) -> float | None:
    """Return the battery as last reported, 0 to 1."""
    value = node.value(CommandClass.BATTERY, "level")
    return value.value / 100 if value is not None and isinstance(value.value, int) else None


def keypad_mode_of(node: Node) -> object:
    """Return the number of the mode of the keypad as last reported; None where the lock has but one."""
    value = node.value(CommandClass.USER_CODE, "keypadMode")
    return None if value is None else value.value


def _native_windows(room: Room | None) -> NativeWindows:
    if room is None:
        return NativeWindows.NONE
    return NativeWindows.DATES_OR_WEEKDAYS if room.daily > 0 else NativeWindows.DATES


def _reserved(node: Node, slot: int) -> bool:
    return node.manufacturer_id == YALE and slot >= _YALE_RESERVED_FROM


def _states(node: Node) -> Mapping[str, str]:
    value = node.value(CommandClass.USER_CODE, "userIdStatus", 1)
    return {} if value is None else value.states


def _as_text(number: object) -> str | None:
    if isinstance(number, dict):  # bytes, as the server writes them in JSON
        return bytes(number.get("data", ())).hex() or None
    return str(number) or None if number is not None else None
