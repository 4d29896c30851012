"""What the configuration allows and better would not."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

from gateway.config import Settings
from gateway.doctor.finding import Finding, fine, note, problem, warning
from gateway.domain.lock import Device
from gateway.schedule import next_audit

_AUDITS_A_DAY = 24
_SHORTEST_REPLIES = timedelta(hours=1)
_SHORTEST_EVENTS = timedelta(days=7)
_PER_CODE = timedelta(seconds=10)
"""A write and a look with the pause between, on a lock that answers at once."""

_PLAIN_MQTT = warning(
    "mqtt_plaintext",
    "the broker is reached unencrypted over the network",
    "mqtt.url is mqtt:// to another machine, and allow_plaintext allows it. PINs can be read on the way.",
    "Give the broker a certificate and use mqtts://.",
)
_PLAIN_ZWAVE = warning(
    "zwave_plaintext",
    "the Z-Wave server is reached unencrypted over the network",
    "drivers.zwave.url is ws:// to another machine. PINs can be read on the way.",
    "Put a proxy with a certificate before it and use wss://, or run both on one machine.",
)
_EMBEDDED = warning(
    "embedded_broker",
    "the broker runs inside the daemon",
    "mqtt.embedded_broker is on: no passwords, and everything is forgotten at the end.",
    "Install mosquitto for more than a first look.",
)
_ANONYMOUS = note(
    "mqtt_anonymous",
    "the hub goes to the broker without a user",
    "mqtt.username is not set, so no access list can keep others from reading PINs in answers.",
    "Give hub and people users of their own, with docs/mosquitto.acl.",
)
_FILE_OPEN = problem(
    "secret_file_open",
    "{file} can be read by other users of this machine",
    "It was made with the usual mode.",
    "`chmod 600 {file}`, and let it belong to the user of the daemon.",
)
FILE_CLOSED = problem(
    "file_closed",
    "{user} may not read {file}, and the daemon runs as {user}",
    "The file, or a folder above it, belongs to somebody else, such as root who made it.",
    "`chown {user} {file}`, `chmod 600 {file}`, and let {user} enter its folder.",
)
_LEAD_SHORT = warning(
    "lead_short",
    "timing.lead is {lead}, less than {needed} that a busy lock needs",
    "A failed attempt is repeated only after timing.back_off_first, and many codes may be due at once.",
    'Set lead to at least "30m", the default.',
)
_SLOTS_FEW = warning(
    "managed_slots_few",
    "{granted} managed slots, of which the backup pool takes {pool}",
    "managed_slots grants fewer than codes and backup codes need.",
    "Grant more slots, or make backup_pool smaller.",
)
_SLOTS_MISSING = problem(
    "managed_slots_missing",
    "managed_slots names slots that this lock does not have: {missing}",
    "It has fewer slots than was thought, or they were counted from another number.",
    "Correct managed_slots; `pinsmith locks show {lock}` tells how many there are.",
)
_AUDIT_OFTEN = warning(
    "audit_often",
    "audit looks at this lock {count} times a day",
    "The cron expression means more than it should. Each look costs battery.",
    'Once a night ("17 3 * * *") is enough.',
)
_REPLIES_SHORT = warning(
    "command_retention_short",
    "timing.command_retention is {kept}",
    "A command that is repeated later than that is carried out twice.",
    'Set it to at least "1d"; the default is "7d".',
)
_EVENTS_SHORT = note(
    "event_retention_short",
    "timing.event_retention is {kept}",
    "What happened before that cannot be asked for any more.",
    'Set it longer if you want to know who came in last week; the default is "90d".',
)
_SAME_LOCK = problem(
    "same_lock_twice",
    "this is the same lock as {other}",
    "Two tables of the configuration lead to one lock (same serial number). They undo each other's codes.",
    "Delete one of the two tables, then `pinsmith locks forget` it.",
)
KINDS = (
    _PLAIN_MQTT,
    _PLAIN_ZWAVE,
    _EMBEDDED,
    _ANONYMOUS,
    _FILE_OPEN,
    FILE_CLOSED,
    _LEAD_SHORT,
    _SLOTS_FEW,
    _SLOTS_MISSING,
    _AUDIT_OFTEN,
    _REPLIES_SHORT,
    _EVENTS_SHORT,
    _SAME_LOCK,
)


def check_settings(
    settings: Settings, devices: Collection[Device], open_files: Collection[Path]
) -> Iterator[Finding]:
    """Judge the configuration, with what is known of its locks; `open_files` are as `files_open` returns."""
    found = [
        *_ways(settings),
        *(_FILE_OPEN.found("configuration", file=file) for file in open_files),
        *_timing(settings),
        *_same(devices),
    ]
    for device in devices:
        found += _slots(settings, device)
    yield from found
    if not found:
        yield fine("configuration", f"{settings.file} has nothing unwise in it")


def _ways(settings: Settings) -> Iterator[Finding]:
    mqtt, zwave = settings.mqtt, settings.zwave
    if mqtt.url.scheme == "mqtt" and not mqtt.url.loopback:
        yield _PLAIN_MQTT.found("mqtt.url")
    if settings.zwave_locks and zwave.in_clear:
        yield _PLAIN_ZWAVE.found("drivers.zwave.url")
    if mqtt.embedded_broker:
        yield _EMBEDDED.found("mqtt.embedded_broker")
    elif mqtt.username is None and mqtt.cert_file is None:
        yield _ANONYMOUS.found("mqtt.username")


def _timing(settings: Settings) -> Iterator[Finding]:
    timing = settings.timing
    needed = timing.back_off_first * 2 + _PER_CODE * 6
    if timing.lead < needed:
        yield _LEAD_SHORT.found("timing.lead", lead=timing.lead, needed=needed)
    if timing.command_retention < _SHORTEST_REPLIES:
        yield _REPLIES_SHORT.found("timing.command_retention", kept=timing.command_retention)
    if timing.event_retention < _SHORTEST_EVENTS:
        yield _EVENTS_SHORT.found("timing.event_retention", kept=timing.event_retention)
    day = datetime(2026, 6, 1, tzinfo=UTC)
    for lock, policy in settings.policies.items():
        at, count = day, 0
        while (at := next_audit(policy.audit, at, settings.gateway.time_zone)) <= day + timedelta(days=1):
            count += 1
        if count >= _AUDITS_A_DAY:
            yield _AUDIT_OFTEN.found(lock, count=count)
        granted = policy.managed_slots
        if granted is not None and len(granted) <= policy.backup_pool:
            yield _SLOTS_FEW.found(lock, granted=len(granted), pool=policy.backup_pool)


def _slots(settings: Settings, device: Device) -> Iterator[Finding]:
    policy = settings.policies.get(device.device_id)
    if policy is None or policy.managed_slots is None or device.capabilities is None:
        return
    there = device.capabilities.slots
    missing = [slot for slot in policy.managed_slots if slot not in there]
    if there and missing:
        yield _SLOTS_MISSING.found(device.device_id, missing=", ".join(missing), lock=device.device_id)


def _same(devices: Collection[Device]) -> Iterator[Finding]:
    for one, other in combinations(devices, 2):
        if one.identity is not None and one.identity.serial and one.identity == other.identity:
            yield _SAME_LOCK.found(other.device_id, other=one.device_id)
