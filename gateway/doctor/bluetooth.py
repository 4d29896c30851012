"""What can be wrong with Bluetooth, and with how locks are reached over it."""

from collections.abc import Iterator, Mapping
from typing import Any

from drivers.ble.survey import BluetoothFacts
from gateway.doctor.finding import Finding, Kind, fine, note, problem, warning

WEAK_DBM = -85
"""Below this, connections fail and batteries drain."""
_TRIED = 5

KINDS = (
    problem(
        "bluetooth_no_dbus",
        "the system's D-Bus does not answer",
        "BlueZ is reached over it; in a container its socket is missing.",
        "Start it (`systemctl status dbus`); give a container /run/dbus/system_bus_socket.",
    ),
    problem(
        "bluetooth_no_bluez",
        "BlueZ does not run",
        "The package is not installed, or its service is stopped; without an adapter it may not start.",
        "`apt install bluez`, `systemctl enable --now bluetooth`; plug the adapter in.",
    ),
    problem(
        "bluetooth_denied",
        "this user may not speak with BlueZ",
        "BlueZ of Debian lets every user of the machine; other rules of D-Bus are in force here, such as "
        "another distribution's: see bluetooth.conf in /usr/share/dbus-1/system.d and /etc/dbus-1/system.d.",
        "Add the user of the daemon to the group that they name, most often the group bluetooth, and restart "
        "the daemon.",
    ),
    problem(
        "bluetooth_silent",
        "BlueZ does not answer as it should",
        "It hangs, or is in the middle of a restart.",
        "`systemctl restart bluetooth`; if that does not help, pull the adapter out and put it back.",
    ),
    problem(
        "bluetooth_no_adapter",
        "BlueZ knows no adapter",
        "None is plugged in, its firmware is missing, or the one inside is switched off in the firmware.",
        "Plug one in; see `dmesg | grep -i bluetooth` for missing firmware (package firmware-…).",
    ),
    problem(
        "bluetooth_other_adapter",
        "there is no adapter {adapter}; there are: {known}",
        "drivers.ble.adapter names one that is not there: numbers change when adapters are moved.",
        "Correct drivers.ble.adapter, or leave it out.",
    ),
    problem(
        "bluetooth_off",
        "the adapter {adapter} is switched off",
        "Somebody switched it off, or rfkill blocks it.",
        "`rfkill unblock bluetooth`, then `bluetoothctl power on`.",
    ),
    warning(
        "signal_weak",
        "the signal of this lock is weak: {rssi} dBm",
        "The hub is too far away, or steel is between.",
        "Put the hub nearer, or its adapter on a cable; above -80 dBm is good.",
    ),
    warning(
        "lock_not_heard",
        "this lock was not heard for {minutes} minutes",
        "It is out of range, its batteries are empty, or another program keeps it connected.",
        "Look at its batteries and close its app; put the hub nearer.",
    ),
    warning(
        "lock_never_heard",
        "this lock was not heard since the daemon started",
        "It is out of range, its batteries are empty, or another lock was paired under this name.",
        "Look at its batteries; bring the hub to the door once to see whether it is distance.",
    ),
    warning(
        "lock_silent",
        "this lock was not heard while it was listened for, {seconds} s long",
        "It is out of range, its batteries are empty, or another program keeps it connected.",
        "Look at its batteries, close its app, put the hub nearer, and ask again; a daemon that runs hears "
        "more.",
    ),
    note(
        "lock_waits_for_touch",
        "whether this lock is in reach could not be heard",
        "It sends nothing until somebody touches it, as most of its family do.",
        "Nothing has to be done. To see it, have somebody touch its keypad while the daemon runs, and ask "
        "again.",
    ),
    warning(
        "connections_fail",
        "{failed} of {tried} connections to this lock failed",
        "The signal is poor, or another program or bridge keeps the lock busy.",
        "Put the hub nearer; leave the lock's app closed, and let one bridge do, not two.",
    ),
)
_BY_ID: dict[str, Kind] = {kind.id: kind for kind in KINDS}


def check_bluetooth(facts: BluetoothFacts, adapter: str | None) -> Iterator[Finding]:
    """Judge the adapter that the configuration names (None: any that is on)."""
    if facts.failure is not None:
        yield _BY_ID[f"bluetooth_{facts.failure}"].found("bluetooth")
    elif not facts.adapters:
        yield _BY_ID["bluetooth_no_adapter"].found("bluetooth")
    elif adapter is not None and adapter not in facts.adapters:
        known = ", ".join(facts.adapters)
        yield _BY_ID["bluetooth_other_adapter"].found("bluetooth", adapter=adapter, known=known)
    elif not (facts.adapters[adapter] if adapter is not None else any(facts.adapters.values())):
        yield _BY_ID["bluetooth_off"].found("bluetooth", adapter=adapter or next(iter(facts.adapters)))
    else:
        on = ", ".join(name for name, is_on in facts.adapters.items() if is_on)
        yield fine("bluetooth", f"BlueZ answers, {on} is on")


def check_reach(
    lock: str, reached: Mapping[str, Any], silent_after_s: float, *, sleeps: bool
) -> Iterator[Finding]:
    """Judge how the running daemon reaches a lock: its entry in `drivers.ble.locks` of `bridge/health`.

    `sleeps`: the lock is silent until somebody touches it.
    """
    rssi, ago = reached.get("rssi"), reached.get("heard_ago_s")
    tried = int(reached.get("connections_tried") or 0)
    succeeded = int(reached.get("connections_succeeded") or 0)
    if ago is None and not sleeps:
        yield _BY_ID["lock_never_heard"].found(lock)
    elif ago is not None and ago > silent_after_s and not sleeps:
        yield _BY_ID["lock_not_heard"].found(lock, minutes=round(ago / 60))
    if rssi is not None and rssi < WEAK_DBM:
        yield _BY_ID["signal_weak"].found(lock, rssi=rssi)
    if tried >= _TRIED and succeeded * 2 < tried:
        yield _BY_ID["connections_fail"].found(lock, failed=tried - succeeded, tried=tried)


def check_silence(lock: str, seconds: float, *, sleeps: bool) -> Finding:
    """Judge a lock that was listened for in vain for `seconds` while no daemon did it.

    `sleeps`: as for `check_reach`.
    """
    if sleeps:
        return _BY_ID["lock_waits_for_touch"].found(lock)
    return _BY_ID["lock_silent"].found(lock, seconds=round(seconds))
