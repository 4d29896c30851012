"""The parts of the file, one after the other. A new one is a function and a line in `PARTS`."""

import getpass
import os
import platform
import sqlite3
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from gateway.cli.context import Context
from gateway.cli.doctor import findings_of
from gateway.cli.exits import Failure
from gateway.cli.init.locks import slug
from gateway.cli.report import shapes
from gateway.cli.report.lines import log_lines
from gateway.cli.report.scrub import Scrub
from gateway.config import ConfigError
from gateway.daemon.description import installed_version
from gateway.domain.store import StorageFailed
from storage.data_dir import DATABASE, KEY
from storage.inspection import facts, names_in

EVENTS = 500
_OPEN_NAMES = frozenset({"root", "pinsmith", "localhost", "homeassistant"})
"""Names of users and machines that say nothing about anybody."""
_FACTS_OF_LINUX = ("PRETTY_NAME", "VERSION_ID", "ID")


@dataclass
class Sources:
    """Everything the parts are made from, fetched once, and the `scrub` that knows what must not get out."""

    context: Context
    answers: dict[str, Any] = field(default_factory=dict)
    """What the daemon answered, by verb; why not, under `trouble`."""
    scrub: Scrub = field(default_factory=Scrub)


@dataclass(frozen=True)
class Part:
    """One file in the archive: its name, what people are told of it, and how it is made."""

    name: str
    explained: str
    make: Callable[[Sources], object]


def gather(context: Context) -> Sources:
    """Ask the daemon, if it runs, and learn what must not get out."""
    found = Sources(context)
    try:
        _ask(context, found.answers)
    except (Failure, ConfigError) as error:
        # A ConfigError is told by the part on the configuration.
        found.answers["trouble"] = str(error) if isinstance(error, Failure) else "no configuration"
    secrets, names = _secrets(found)
    found.scrub = Scrub(secrets, names, keep=_lock_ids(context))
    return found


def _ask(context: Context, answers: dict[str, Any]) -> None:
    for verb, parameters in (
        ("devices/list", {}),
        ("plan/get", {}),
        ("clock/get", {}),
        ("events/list", {"limit": EVENTS}),
        ("action_attempts/list", {"limit": EVENTS}),
    ):
        answers[verb] = context.ask(verb, **parameters)
    for verb in ("access_codes/list", "access_codes/unmanaged/list"):
        answers[verb] = list(context.pages(verb))
    for name, content in context.standing(context.settings).items():
        answers[f"bridge/{name}"] = content


def _secrets(found: Sources) -> tuple[set[str], set[str]]:
    """Return secrets (wherever they stand) and names (as whole words) that this hub knows."""
    machine = platform.node().split(".")[0]
    # In the form in which `pinsmith init` makes it the name of the hub.
    secrets, names = set[str](), {platform.node(), machine, slug(machine)}
    for verb in ("access_codes/list", "access_codes/unmanaged/list"):
        for page in found.answers.get(verb, ()):
            for code in (*page.get("access_codes", ()), *page.get("unmanaged_access_codes", ())):
                secrets.add(str(code.get("code") or ""))
                names.update(str(code.get(key) or "") for key in ("name", "common_code_key"))
    for device in found.answers.get("devices/list", {}).get("devices", ()):
        names.add(str(device.get("name") or ""))
        secrets.add(str((device.get("properties") or {}).get("serial_number") or ""))
    with suppress(KeyError, OSError):
        names.add(getpass.getuser())
    secrets_here, names_here = _of_this_machine(found.context)
    # Locks are told apart by their ids, also where an id is used as a name or a serial number.
    ids = _lock_ids(found.context)
    return (secrets | secrets_here) - ids, (names | names_here) - _OPEN_NAMES - ids


def _of_this_machine(context: Context) -> tuple[set[str], set[str]]:
    try:
        settings = context.settings
    except (ConfigError, Failure):
        return set(), set()
    secrets, names = set[str](), {policy.name or "" for policy in settings.policies.values()}
    folder = settings.gateway.data_directory
    # What the doctor finds names files, which may be called after somebody.
    mqtt = settings.mqtt
    files = (mqtt.password_file, mqtt.ca_file, mqtt.cert_file, mqtt.key_file)
    secrets |= {str(place) for place in (folder, settings.file.parent, *files) if place is not None}
    for file in (mqtt.password_file, mqtt.key_file, folder / KEY):
        if file is not None:
            secrets |= _lines_of(file)
    names |= {mqtt.username or "", mqtt.url.host, settings.homeassistant.user}
    for one in (*settings.zwave_locks.values(), *settings.yale_locks.values()):
        names.update(str(getattr(one, key, None) or "") for key in ("node_name", "address", "bluetooth_name"))
    with suppress(OSError, StorageFailed):
        if _is_ours(folder):
            names |= names_in(folder)
    return secrets, names


def _lines_of(file: Path) -> set[str]:
    try:
        return {line.strip() for line in file.read_text(encoding="utf-8").splitlines()}
    except (OSError, UnicodeDecodeError):
        return set()


def _lock_ids(context: Context) -> set[str]:
    try:
        return set(context.settings.policies)
    except (ConfigError, Failure):
        return set()


def _about(found: Sources) -> object:
    names = (
        sorted({"pinsmith", *(_bare(one) for one in requires("pinsmith") or ())}) if _is_installed() else []
    )
    return {
        "made_at": found.context.now().isoformat(timespec="seconds"),
        "pinsmith": installed_version(),
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "kernel": platform.release(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "system": {
            key: text for key, text in platform.freedesktop_os_release().items() if key in _FACTS_OF_LINUX
        },
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "packages": {name: _version_of(name) for name in names},
    }


def _configuration(found: Sources) -> object:
    try:
        settings = found.context.settings
    except ConfigError as error:
        return {
            "mistakes": [
                {"line": one.line, "key": found.scrub.text(one.key), "message": found.scrub.text(one.message)}
                for one in error.mistakes
            ]
        }
    except Failure as error:
        return found.scrub.text(str(error))
    of_driver = {
        device_id: lock
        for name in ("simulated", "zwave", "nuki", "yale", "ttlock")
        for device_id, lock in getattr(settings, f"{name}_locks").items()
    }
    sections = {
        name: shapes.settings(getattr(settings, name))
        for name in ("mqtt", "homeassistant", "timing", "clock", "logs", "zwave", "simulated", "ble")
    }
    return {
        "gateway": {"id": found.scrub.text(settings.gateway.id), "time_zone": settings.gateway.time_zone.key},
        **sections,
        "locks": {
            device_id: {
                "policy": shapes.settings(policy),
                "driver": shapes.settings(of_driver.get(device_id)),
            }
            for device_id, policy in settings.policies.items()
        },
    }


def _told(*verbs: str) -> Callable[[Sources], object]:
    def make(found: Sources) -> object:
        there = {verb: found.answers[verb] for verb in verbs if verb in found.answers}
        if not there:
            return f"the daemon did not answer: {found.scrub.text(found.answers.get('trouble', ''))}"
        return {verb: shapes.told_by_daemon(answer, found.scrub) for verb, answer in there.items()}

    return make


def _database(found: Sources) -> object:
    try:
        folder = found.context.settings.gateway.data_directory
    except (ConfigError, Failure):
        return "not known without a configuration"
    try:
        files = {name: (folder / name).stat().st_size for name in _files() if (folder / name).exists()}
        space = os.statvfs(folder)
        sizes = {"file_bytes": files, "free_bytes": space.f_bavail * space.f_frsize}
        if not _is_ours(folder):
            return {**sizes, "content": "run it as the user of the daemon to have this looked at"}
        return {**sizes, **facts(folder)}
    except StorageFailed as error:
        return found.scrub.text(str(error))
    except OSError as error:
        return f"the data directory cannot be read: {error.strerror}"


def _is_ours(folder: Path) -> bool:
    """Say whether this user owns the database: what another one leaves behind the daemon cannot write."""
    return (folder / DATABASE).exists() and (folder / DATABASE).stat().st_uid == os.geteuid()


def _files() -> tuple[str, ...]:
    return DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"


def _doctor(found: Sources) -> object:
    try:
        findings = findings_of(found.context)
    except (ConfigError, Failure):
        return "not looked at without a configuration"
    # Why, and what to do, is on the page of the doctor, by id.
    return [
        {
            "id": finding.id,
            "severity": finding.severity.value,
            "where": found.scrub.text(finding.where),
            "what": found.scrub.text(finding.what),
        }
        for finding in findings
    ]


def _log(found: Sources) -> object:
    return log_lines(found.scrub)


def _is_installed() -> bool:
    return installed_version() != "unknown"


def _bare(requirement: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else " " for letter in requirement).split()[
        0
    ]


def _version_of(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


PARTS = (
    Part("about", "versions of pinsmith, Python, its packages and the system", _about),
    Part(
        "configuration",
        "the settings; of texts, names, hosts and files only that they are set",
        _configuration,
    ),
    Part(
        "hub",
        "bridge/info, bridge/health and what the daemon thinks of its clock",
        _told("bridge/info", "bridge/health", "clock/get"),
    ),
    Part(
        "locks", "every lock with its errors and warnings, by its id; no serial number", _told("devices/list")
    ),
    Part(
        "codes",
        "every code with its dates, errors and warnings, by its id; no PIN and no name",
        _told("access_codes/list", "access_codes/unmanaged/list"),
    ),
    Part("plan", "what the daemon is going to do", _told("plan/get")),
    Part(
        "events",
        f"the last {EVENTS} events and attempts; when people came is in it, who is not",
        _told("events/list", "action_attempts/list"),
    ),
    Part("doctor", "what `pinsmith doctor` finds, without names", _doctor),
    Part("database", "format, sizes, counts of rows and whether it is sound; no row", _database),
    Part("log", "the newest lines of the journal, where this user may read it", _log),
)
"""In the order of the announcement. Texts in it go through `found.scrub.text`."""
