"""What the hub remembers of a lock that somebody should look at."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta

from gateway.doctor.finding import Finding, Kind, fine, note, problem, warning
from gateway.domain.catalogue import CATALOGUE
from gateway.domain.issues import Issue
from gateway.domain.lock import LOW_BATTERY, Device, Link

_MINUTE = timedelta(minutes=1)

_BATTERY_EMPTY = problem(
    "battery_empty",
    "the batteries of this lock are at {level:.0%}",
    "They are used up. Writing a code may fail, and soon the door does.",
    "Change them now, all at once, alkaline unless its manual says otherwise.",
)
_BATTERY_LOW = warning(
    "battery_low",
    "the batteries of this lock are at {level:.0%}",
    "They are nearly used up.",
    "Change them within days.",
)
_CLOCK = warning(
    "lock_clock_wrong",
    "the clock of this lock is {off}",
    "It lost power, or runs by another time zone. Windows that it keeps would open at wrong hours.",
    "The hub sets it again by itself. If it stays so: the Z-Wave server's time zone (TZ), or the lock's own.",
)
_REPLACED = problem(
    "lock_replaced",
    "another lock answers than the one that pinsmith knows here",
    "The lock was swapped or reset, or the configuration names another one.",
    "If you swapped it: `pinsmith locks replace {lock}`. If not: correct the configuration.",
)
_TWO_CONTROLLERS = problem(
    "two_controllers",
    "somebody else changes the codes of this lock again and again",
    "A second program manages it: a vendor's cloud, Home Assistant, or a second pinsmith.",
    "Let one program manage the codes of a lock, and switch the others off for it.",
)
_NOT_PAIRED = problem(
    "lock_not_paired",
    "this lock is not paired",
    "It is in the configuration, and its keys were never made or were forgotten.",
    "`pinsmith pair {driver} {lock}`",
)
_AWAY = warning(
    "lock_away",
    "this lock has not answered since {since}",
    "It is out of range or has no power, or what reaches it (server, adapter) is away.",
    "Look at its batteries, and at what is said here about Z-Wave or Bluetooth.",
)
_HELD = warning(
    "held_after_restore",
    "nothing is done on this lock since a backup was restored",
    "A person has to look at the plan first.",
    "`pinsmith plan`, then `pinsmith restore --confirm`.",
)
_WIPED = problem(
    "lock_wiped",
    "this lock was found empty, and nothing is written to it",
    'All codes vanished at once, and on_wipe is "hold".',
    "Find out why, then `pinsmith locks refill {lock}`.",
)
_NO_KEYPAD = problem(
    "keypad_missing",
    "this lock has no keypad",
    "None is paired with it, or it is defective. Codes cannot be typed.",
    "Pair the keypad in the lock's own app.",
)
_REMOVED = warning(
    "lock_removed_from_configuration",
    "pinsmith has codes on this lock, and it is not in the configuration",
    "Its table was deleted or its name changed. Codes on it go on opening the door, none to come is set.",
    "Put it back and `pinsmith locks retire {lock}` first; if it is gone, `pinsmith locks forget {lock}`.",
)
_RETIRED = note(
    "lock_retired",
    "this lock is not in the configuration any more, and no code of the hub is on it or to come",
    "It was retired, or there were no codes on it when its table was deleted. The hub still remembers it.",
    "`pinsmith locks forget {lock}`",
)
_PAUSED = note(
    "lock_paused",
    "this lock is paused until {until}; nothing is removed from it either",
    "Somebody said so.",
    "`pinsmith locks resume {lock}` when the work is done.",
)
_NOT_MANAGED = note(
    "lock_not_managed",
    "this lock was given out of the hub's hands",
    "Somebody said so. Nothing is written to it.",
    "Nothing, if that is meant.",
)
_NEVER_SEEN = warning(
    "lock_never_seen",
    "pinsmith has never seen this lock",
    "The daemon was not started since it was configured, or never reached it.",
    "Look at what is said here about Z-Wave or Bluetooth; start the daemon.",
)
DRIVER_SAYS = problem(
    "lock_driver_says",
    "the daemon does not work with this lock: {why}",
    "What its driver found stands in the way.",
    "See what is said here about Z-Wave or Bluetooth, and docs/zwave.md or docs/bluetooth.md.",
)
_ERROR = problem(
    "lock_error",
    "{code}{codes}: {meaning}",
    "In the words of the hub: {messages}.",
    "{remedy} What you see of it at the door: docs/troubleshooting.md.",
)
_WARNING = warning("lock_warning", _ERROR.what, _ERROR.cause, _ERROR.remedy)
_SAID_BY: Mapping[str, tuple[Kind, ...]] = {
    "device_clock_wrong": (_CLOCK,),
    "device_disconnected": (_AWAY,),
    "device_not_found": (_NEVER_SEEN,),
    "device_not_managed": (_NOT_MANAGED,),
    "device_not_paired": (_NOT_PAIRED,),
    "device_paused": (_PAUSED,),
    "device_replaced": (_REPLACED,),
    "device_wiped": (_WIPED,),
    "held_after_restore": (_HELD,),
    "keypad_missing": (_NO_KEYPAD,),
    "low_battery": (_BATTERY_EMPTY, _BATTERY_LOW),
    "removed_from_configuration": (_REMOVED, _RETIRED),
    "third_party_integration_detected": (_TWO_CONTROLLERS,),
}
"""Findings that say the same as an error or warning of the hub, and more."""
KINDS = (
    DRIVER_SAYS,
    _ERROR,
    _WARNING,
    _BATTERY_EMPTY,
    _BATTERY_LOW,
    _CLOCK,
    _REPLACED,
    _TWO_CONTROLLERS,
    _NOT_PAIRED,
    _AWAY,
    _HELD,
    _WIPED,
    _NO_KEYPAD,
    _REMOVED,
    _RETIRED,
    _PAUSED,
    _NOT_MANAGED,
    _NEVER_SEEN,
)


def check_lock(
    lock: str,
    device: Device | None,
    issues: Collection[Issue],
    *,
    configured: bool,
    codes: int | None,
    now: datetime,
) -> Iterator[Finding]:
    """Judge one lock. `device` and `issues` are what the database has; None: it has nothing.

    `codes`: how many are, may be or are to come on the lock; None: not known.
    """
    if device is None or (configured and device.capabilities is None and device.is_paired is None):
        found = [_NEVER_SEEN.found(lock)]
    elif not configured:
        found = [(_RETIRED if codes == 0 else _REMOVED).found(lock, lock=lock)]
    else:
        found = list(_of_device(lock, device, issues, now))
    found += _of_issues(lock, issues, said={one.id for one in found})
    yield from found
    if not found:
        level = "" if device is None or device.battery is None else f", batteries at {device.battery:.0%}"
        yield fine(lock, f"nothing stands against it{level}")


def _of_device(lock: str, device: Device, issues: Collection[Issue], now: datetime) -> Iterator[Finding]:
    if device.is_paired is False:
        driver = device.policy.driver if device.policy is not None else "DRIVER"
        yield _NOT_PAIRED.found(lock, lock=lock, driver=driver)
    if device.replaced:
        yield _REPLACED.found(lock, lock=lock)
    if any(issue.code == "third_party_integration_detected" for issue in issues):
        yield _TWO_CONTROLLERS.found(lock)
    if device.battery is not None and device.battery < LOW_BATTERY:
        kind = _BATTERY_EMPTY if device.battery < LOW_BATTERY / 2 else _BATTERY_LOW
        yield kind.found(lock, level=device.battery)
    if device.is_clock_right is False or (device.clock_unread and not device.keeps_time):
        yield _CLOCK.found(lock, off=_off(device))
    if device.link is Link.UNREACHABLE and device.link_since is not None:
        yield _AWAY.found(lock, since=f"{device.link_since:%Y-%m-%d %H:%M} UTC")
    yield from _of_decisions(lock, device, now)


def _of_decisions(lock: str, device: Device, now: datetime) -> Iterator[Finding]:
    if device.held_for_restore:
        yield _HELD.found(lock)
    if device.held_after_wipe:
        yield _WIPED.found(lock, lock=lock)
    if device.capabilities is not None and device.capabilities.keypad is False:
        yield _NO_KEYPAD.found(lock)
    if device.paused_until is not None and device.paused_until > now:
        yield _PAUSED.found(lock, lock=lock, until=f"{device.paused_until:%Y-%m-%d %H:%M} UTC")
    if not device.is_managed:
        yield _NOT_MANAGED.found(lock)


def _of_issues(lock: str, issues: Collection[Issue], said: Collection[str]) -> Iterator[Finding]:
    """Tell what the hub has against a lock and its codes, but for what is `said` already."""
    by_code = defaultdict[str, list[Issue]](list)
    for issue in issues:
        by_code[issue.code].append(issue)
    for code, alike in by_code.items():
        if any(kind.id in said for kind in _SAID_BY.get(code, ())):
            continue
        known, codes = CATALOGUE[code], sum(issue.access_code_id is not None for issue in alike)
        yield (_ERROR if known.level == "error" else _WARNING).found(
            lock,
            code=code,
            codes="" if not codes else " on a code" if codes == 1 else f" on {codes} codes",
            meaning=known.meaning.removesuffix("."),
            messages="; ".join(dict.fromkeys(issue.message.removesuffix(".") for issue in alike)),
            remedy=known.remedy,
        )


def _off(device: Device) -> str:
    if device.is_clock_right is None:
        return "not known: it cannot be read"
    by = device.clock_off_by
    return "wrong" if by is None else f"{abs(by) // _MINUTE} minutes off"
