"""What can be wrong with clock and disk."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

from gateway.doctor.finding import Finding, fine, note, problem, warning
from gateway.doctor.probe_machine import ClockFacts, DiskFacts

_MIB = 1024 * 1024
FULL_MIB, NEARLY_FULL_MIB = 16, 200
"""Free space below which the database will soon not be written, and below which one should look."""
FEW_INODES = 500
_YEAR = 2025

_UNSYNCHRONISED = problem(
    "clock_unsynchronised",
    "no time server keeps the clock of this machine right; it shows {now}",
    "The network or the time service is not there, or was not reached since the start.",
    "Look with `timedatectl`; install or start systemd-timesyncd or chrony. At a site without network: if "
    "the time is right, `sudo pinsmith clock trust`, and see clock.untrusted_policy in "
    "docs/configuration.md. Until then codes with dates wait.",
)
_TRUSTED = note(
    "clock_trusted",
    "no time server keeps the clock right at the moment, and the daemon knows the time; it shows {now}",
    "Somebody confirmed the time (`pinsmith clock trust`), or a time server was there since the machine "
    "started, and the daemon counts on from that.",
    "See that the time is right. Where no time server comes back it has to be confirmed again after each "
    "restart of the machine.",
)
_UNSYNCHRONISED_BUT_RUN = note(
    "clock_believed",
    "no time server keeps the clock right, and it is believed all the same; it shows {now}",
    'clock.untrusted_policy is "run".',
    "See that the time is right: windows open and close by it.",
)
_BEHIND = problem(
    "clock_behind",
    "the clock shows {now}, and it was {floor} already",
    "It began anew without a battery, or somebody set it back.",
    "Wait for the time server, or set the time; then `pinsmith clock` shows whether it is believed.",
)
_ANCIENT = problem(
    "clock_ancient",
    "the clock shows {now}, which cannot be",
    "The machine has no clock battery and has not heard of a time server since it started.",
    "Give it a network with a time server, or a clock module with a battery.",
)
_ZONE_UTC = warning(
    "time_zone_utc",
    "gateway.time_zone is {zone}, and this machine is in {machine}",
    "The configuration was written for another place, or nobody chose a zone.",
    "Set gateway.time_zone to where the doors are: weekly windows and typed times go by it.",
)
_READ_ONLY = problem(
    "disk_read_only",
    "the disk under {path} is read-only",
    "Linux makes it so after errors of the card, or it was mounted so.",
    "Look into `dmesg`. After errors: back up, and replace the card.",
)
_FULL = problem(
    "disk_full",
    "{free} MiB are free under {path}",
    "Logs, pictures or backups have filled the disk.",
    "Make room (`journalctl --vacuum-size=100M`, old backups). Until then commands stay at the broker.",
)
_NEARLY_FULL = warning(
    "disk_nearly_full",
    "{free} MiB are free under {path}",
    "The disk fills up.",
    "Make room before the database cannot be written.",
)
_INODES = problem(
    "disk_no_inodes",
    "only {count} more files can be made under {path}",
    "Very many small files have used up the disk's table of files.",
    "Find them (`du --inodes -d2 / | sort -n | tail`) and delete them.",
)
KINDS = (
    _UNSYNCHRONISED,
    _TRUSTED,
    _UNSYNCHRONISED_BUT_RUN,
    _BEHIND,
    _ANCIENT,
    _ZONE_UTC,
    _READ_ONLY,
    _FULL,
    _NEARLY_FULL,
    _INODES,
)


def check_clock(
    facts: ClockFacts,
    *,
    policy: Literal["hold", "run"],
    step: timedelta,
    floor: datetime | None,
    zone: str,
    trusted: bool,
) -> Iterator[Finding]:
    """Judge the clock; `floor` is what it was at least when the daemon last looked.

    `trusted`: a daemon that runs on this machine says that it knows the time.
    """
    now = f"{facts.now:%Y-%m-%d %H:%M} UTC"
    sound = True
    if facts.now.year < _YEAR:
        sound = False
        yield _ANCIENT.found("clock", now=now)
    elif floor is not None and facts.now < floor - step:
        sound = False
        yield _BEHIND.found("clock", now=now, floor=f"{floor:%Y-%m-%d %H:%M}")
    if not facts.synchronised:
        sound = False
        kind = _UNSYNCHRONISED_BUT_RUN if policy == "run" else _TRUSTED if trusted else _UNSYNCHRONISED
        yield kind.found("clock", now=now)
    if _is_utc(zone) and facts.zone is not None and not _is_utc(facts.zone):
        yield _ZONE_UTC.found("gateway.time_zone", zone=zone, machine=facts.zone)
    if sound:
        yield fine("clock", f"kept right by a time server; it is {now}")


def check_disk(facts: DiskFacts) -> Iterator[Finding]:
    """Judge the disk."""
    free = facts.free_bytes // _MIB
    if facts.read_only:
        yield _READ_ONLY.found("disk", path=facts.path)
    if facts.free_inodes is not None and facts.free_inodes < FEW_INODES:
        yield _INODES.found("disk", path=facts.path, count=facts.free_inodes)
    if free < FULL_MIB:
        yield _FULL.found("disk", path=facts.path, free=free)
    elif free < NEARLY_FULL_MIB:
        yield _NEARLY_FULL.found("disk", path=facts.path, free=free)
    elif not facts.read_only:
        yield fine("disk", f"{free} MiB are free")


def _is_utc(zone: str) -> bool:
    return zone.rpartition("/")[2].upper() in {"UTC", "UCT", "ZULU", "GMT", "UNIVERSAL", "GREENWICH"}
