"""The data directory, the key and the database, looked at and never written."""

import os
import shutil
import sqlite3
import stat
from collections.abc import Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct
from msgspec.structs import replace

from gateway.domain.issues import Issue
from gateway.domain.lock import Device
from gateway.domain.store import StorageFailed, spared
from storage.data_dir import DATABASE, KEY, LOCK, RESTORING
from storage.errors import KeyUnusable
from storage.keys import CREDENTIAL, existing_key
from storage.schema import migrations
from storage.soundness import damaged_locks, is_sound
from storage.sqlite import SqliteTx, key_fits
from storage.vault import Vault


class Modes(Struct, frozen=True, kw_only=True):
    """Whom a file or folder belongs to and who may read it."""

    owner: int
    others: bool
    """Group or others may do anything with it."""


class MemoryFacts(Struct, frozen=True, kw_only=True):
    """What lies in the data directory. What could not be looked at is None."""

    directory: Modes | None = None
    database: Modes | None = None
    key: Modes | None = None
    denied: bool = False
    """This user may not look into the directory or open a file in it."""
    runs_here: bool | None = None
    """A daemon works on the directory."""
    restoring: bool = False
    key_trouble: str | None = None
    """In words of ours: what `storage.keys` says."""
    from_credential: bool = False
    file_fits: bool | None = None
    """Beside a credential that does not: the file `key` is the one of the database."""
    wal_bytes: int = 0
    failure: str | None = None
    """The database cannot be opened: an id of `gateway.doctor.memory` without its `database_`."""
    version: int | None = None
    known_version: int = 0
    """The newest format that this release knows."""
    key_fits: bool | None = None
    floor: datetime | None = None
    """The time it certainly was when the daemon last noted it."""
    devices: tuple[Device, ...] = ()
    """All that open."""
    issues: Mapping[str, tuple[Issue, ...]] = {}
    codes: Mapping[str, int] = {}
    """How many codes are, may be or are to come on each lock of which everything opens."""
    damaged: Mapping[str, str] = {}
    """The locks of which something does not open, with the table that it stands in."""


def probe_memory(data_dir: Path, credentials: Path | None, locks: Path = Path("/proc/locks")) -> MemoryFacts:
    """Look at what is in `data_dir`; `credentials` is where systemd puts its credentials."""
    found = _probed(data_dir, credentials, locks)
    if found.from_credential and found.key_fits is False:
        return replace(found, file_fits=_probed(data_dir, None, locks).key_fits)
    return found


def _probed(data_dir: Path, credentials: Path | None, locks: Path) -> MemoryFacts:
    found = MemoryFacts()
    database, wal = data_dir / DATABASE, data_dir / f"{DATABASE}-wal"
    try:
        found = replace(
            found,
            directory=_modes(data_dir),
            database=_modes(database),
            key=_modes(data_dir / KEY),
            restoring=(data_dir / RESTORING).exists(),
            wal_bytes=wal.stat().st_size if wal.exists() else 0,
            runs_here=_is_locked(data_dir / LOCK, locks),
        )
    except PermissionError:
        return replace(found, denied=True)
    if found.database is None or not os.access(database, os.R_OK):
        return replace(found, denied=found.database is not None)
    key: bytes | None = None
    given = credentials is not None and (credentials / CREDENTIAL).exists()
    if given or found.key is not None:
        try:
            key = existing_key(data_dir, credentials)
        except KeyUnusable as error:
            found = replace(found, key_trouble=str(error))
    found = replace(found, from_credential=given)
    if not found.wal_bytes and not found.runs_here:
        # SQLite would make -wal and -shm anew, unless it may take the file as it lies there.
        return _opened(database, "mode=ro&immutable=1", found, key)
    if found.runs_here is not False:
        return _opened(database, "mode=ro", found, key)
    # A crash left them. Looking there would make files, so it is done elsewhere; what is secret is sealed.
    with TemporaryDirectory(prefix="pinsmith-doctor-") as elsewhere:
        try:
            for file in (database, wal):
                shutil.copyfile(file, Path(elsewhere, file.name))
        except OSError:
            return replace(found, failure="unreadable")
        return _opened(Path(elsewhere, DATABASE), "mode=ro", found, key)


def _opened(database: Path, way: str, found: MemoryFacts, key: bytes | None) -> MemoryFacts:
    try:
        with closing(
            sqlite3.connect(f"{database.absolute().as_uri()}?{way}", uri=True, isolation_level=None)
        ) as connection:
            connection.execute("PRAGMA busy_timeout = 5000")
            [version] = connection.execute("PRAGMA user_version").fetchone()
            found = replace(found, version=int(version), known_version=migrations()[-1][0])
            if not is_sound(connection):
                return replace(found, failure="damaged")
            if key is None or version != found.known_version:
                return found
            return _read(SqliteTx(connection, Vault(key)), Vault(key), found)
    except sqlite3.Error as error:
        kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
        damaged = kind in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
        return replace(found, failure="damaged" if damaged else "unreadable")
    except StorageFailed:
        return replace(found, failure="damaged")


def _read(tx: SqliteTx, vault: Vault, found: MemoryFacts) -> MemoryFacts:
    floor = tx.meta("clock_floor")
    if floor is not None:
        found = replace(found, floor=datetime.fromisoformat(floor))
    if not key_fits(tx, vault):
        return replace(found, key_fits=False)
    now = datetime.now(UTC)
    devices, issues, codes = [], {}, {}
    for device_id in tx.device_ids():
        with spared(tx):
            device, issues_of = tx.device(device_id), tuple(tx.issues(device_id))
            if device is not None:
                devices.append(device)
                issues[device_id] = issues_of
        with spared(tx):
            snap = tx.snapshot(device_id)
            if snap is not None:
                codes[device_id] = snap.held + snap.to_come(now)
    return replace(
        found,
        key_fits=True,
        devices=tuple(devices),
        issues=issues,
        codes=codes,
        damaged=damaged_locks(tx),
    )


def _modes(path: Path) -> Modes | None:
    try:
        told = path.stat()
    except FileNotFoundError:
        return None
    return Modes(owner=told.st_uid, others=bool(stat.S_IMODE(told.st_mode) & (stat.S_IRWXG | stat.S_IRWXO)))


def _is_locked(file: Path, locks: Path) -> bool | None:
    """Say whether a process holds the lock of the directory, without taking it, which could keep one out."""
    try:
        told = file.stat()
    except FileNotFoundError:
        return False
    # By the inode alone: btrfs and overlays tell the kernel's list another device than they tell us.
    inode = f":{told.st_ino} "
    with suppress(OSError):
        return any(inode in line for line in locks.read_text().splitlines() if "FLOCK" in line)
    return None
