"""One file that holds database and key, and the way back from it, or from the copy made before an upgrade."""

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from msgspec.structs import replace as changed

from gateway.domain.events import Event
from gateway.domain.store import Source, StorageFailed, Tx, spared
from storage.data_dir import BACKING_UP, DATABASE, KEY, RESTORED, RESTORING, DataDirectory
from storage.errors import (
    WAY_OUT,
    BackupUnreadable,
    DatabaseDamaged,
    DatabaseTooNew,
    RestoreRefused,
    WrongKey,
    in_plain_words,
)
from storage.event_numbers import ASIDE, count_on, number_after
from storage.keys import write_key
from storage.private_files import sync_folder, write_over
from storage.room import free_in, lack, size_of
from storage.schema import migrations
from storage.sealed_file import Cost, seal, unseal
from storage.soundness import damaged_locks, is_sound
from storage.sqlite import SqliteTx, check_key, key_fits, open_database, run_unit
from storage.vault import Vault

SHORTEST_PASSPHRASE = 10
"""Characters. The file holds every PIN of the house and can be tried at leisure by whoever finds it."""
_OTHER_KEY = (
    "nothing was written: this key is not the one that the database was sealed with. Where systemd hands it "
    "to the daemon as a credential, the file `key` is left over: with the daemon running, put "
    "`env CREDENTIALS_DIRECTORY=/run/credentials/pinsmith.service` before `pinsmith backup`"
)
RESERVE = 16 << 20
"""Bytes that a backup leaves free: the daemon goes on writing."""
_BARE = b"SQLite format 3\0"
_PIECE = 1 << 16
_LOOK_EVERY = 2_000
"""Instructions of SQLite: some milliseconds on a small hub."""


def backup(
    database: Path,
    key: bytes,
    passphrase: str,
    target: Path,
    *,
    cost: Cost | None = None,
    random: Callable[[int], bytes] = os.urandom,
    free: Callable[[Path], int] = free_in,
    copied: Callable[[int, int], None] = lambda _done, _of: None,
    watched: Callable[[BinaryIO], Source] = lambda source: source,
) -> None:
    """Write database and key to `target` (mode 0600), sealed with the passphrase; the daemon may be running.

    An existing file is replaced, and only once the new one is complete: it holds all there is, and all of it
    opens. `free` tells how many bytes are free in a folder. First the database is copied, and `copied` called
    with bytes and how many there will be; then the copy is sealed, and `watched` may put itself between and
    see how much was read.

    Raises:
        WrongKey: the database needs another key, so that this backup would be worth nothing.
        DatabaseDamaged: something in it does not open; the message says what to do.
        StorageFailed: passphrase too short, no such database, no room, ...
    """
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise StorageFailed(f"a passphrase for a backup has at least {SHORTEST_PASSPHRASE} characters")
    try:
        with _opened(database, Vault(key)) as connection:
            _check_room(database.parent, target.parent, size_of(connection), free)
            # Beside the database and not beside the target, which may be a stick that knows no owners.
            with TemporaryDirectory(dir=database.parent, prefix=BACKING_UP) as folder:
                copy = Path(folder) / DATABASE
                # One consistent state, while the daemon goes on writing.
                with _counted(connection, copy, copied):
                    connection.execute("VACUUM INTO ?", (str(copy),))
                _check_copy(copy, Vault(key))
                with copy.open("rb") as source:
                    write_over(target, seal(watched(source), key, passphrase, cost or Cost(), random))
    except OSError as error:
        # Where a file could not be made, its folder; its own name is one that nobody has typed.
        where = f"{Path(error.filename).parent}: " if error.filename else ""
        raise StorageFailed(f"the backup could not be written: {where}{error.strerror}") from error


def note(database: Path, key: bytes, event: Event) -> None:
    """Put an event into the outbox of a database, beside the daemon if it runs, which sends it.

    Raises StorageFailed.
    """
    vault = Vault(key)
    with _opened(database, vault) as connection:
        run_unit(connection, vault, lambda tx: tx.emit(event))


@contextmanager
def _opened(database: Path, vault: Vault) -> Iterator[sqlite3.Connection]:
    try:
        # Not read-only, which would leave -wal and -shm files behind; never creating a database, though.
        with closing(
            sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
        ) as connection:
            if not key_fits(SqliteTx(connection, vault), vault):
                raise WrongKey(_OTHER_KEY)
            yield connection
    except sqlite3.Error as error:
        raise StorageFailed(f"{database}: {in_plain_words(error)}") from error


@contextmanager
def _counted(
    connection: sqlite3.Connection, copy: Path, copied: Callable[[int, int], None]
) -> Iterator[None]:
    """Tell `copied` now and then how much of a copy there is, while a statement makes it."""
    size = size_of(connection)

    def look() -> int:
        if copy.exists():
            copied(min(copy.stat().st_size, size), size)
        return 0  # Go on.

    connection.set_progress_handler(look, _LOOK_EVERY)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)


def _check_room(beside: Path, target: Path, size: int, free: Callable[[Path], int]) -> None:
    """Raise StorageFailed unless there is room for a copy of `size` bytes and one more, sealed."""
    try:
        on_one = beside.stat().st_dev == target.stat().st_dev
    except OSError as error:
        raise StorageFailed(f"the backup could not be written: {target}: {error.strerror}") from error
    wanted = {beside: 2 * size} if on_one else {beside: size, target: size}
    for folder, bytes_wanted in wanted.items():
        lacking = lack(folder, bytes_wanted + RESERVE, free(folder))
        if lacking is not None:
            raise StorageFailed(f"the backup could not be written: {lacking}")


def _check_copy(copy: Path, vault: Vault) -> None:
    """Raise DatabaseDamaged unless all of it opens. Else every good backup would make room for bad ones."""
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        sound = is_sound(connection)
        [version] = connection.execute("PRAGMA user_version").fetchone()
        # What an older format holds is read by the release that brings it up to date.
        known = version == migrations()[-1][0]
        damaged = damaged_locks(SqliteTx(connection, vault)) if sound and known else {}
    if not sound:
        raise DatabaseDamaged(f"nothing was written: the database is damaged. Stop pinsmith and {WAY_OUT}")
    if damaged:
        raise DatabaseDamaged(
            f"nothing was written: in the database something does not open, of {_listed(damaged)}. Either "
            f"{WAY_OUT}, or give up what is damaged with `pinsmith locks forget {min(damaged)}` and the "
            "like, and enter those codes anew: the rest can be backed up then"
        )


def _listed(damaged: Mapping[str, str]) -> str:
    return ", ".join(f"{lock} ({table})" for lock, table in damaged.items())


def restore(
    file: Path,
    passphrase: str,
    data_dir: Path,
    *,
    now: datetime,
    replace: bool = False,
    damaged: bool = False,
    handed: bytes | None = None,
) -> list[Path]:
    """Put a backup in place and hold every lock until an operator has looked at the plan.

    Codes may have changed since the backup was made; with `held_for_restore` set nothing is written to a
    lock. A database that is there already is kept under a dated name, with its key, and only moved for
    `replace`. A backup in which something does not open is taken only for `damaged`: nothing is done on the
    locks that it is about until they are forgotten. Return the files kept that way.

    No file is made of a key that systemd hands over (`handed`): it may be sealed there.

    Raises:
        DataDirectoryInUse: a daemon runs on the directory.
        RestoreRefused: there is a database and `replace` was not asked for.
        BackupUnreadable: wrong passphrase, damaged or foreign file, or made by a newer release.
        StorageFailed: see the message. A restore cut off while files are moved leaves a mark, and no daemon
            starts until it was run again; in all other cases nothing was changed.
    """

    def unpack(folder: Path, above: int) -> None:
        with file.open("rb") as source:
            key, content = unseal(source, passphrase)
            write_over(folder / DATABASE, content)
        if key != handed:
            write_over(folder / KEY, [write_key(key)])
        _hold(folder / DATABASE, Vault(key), above, damaged=damaged)

    return _replace(data_dir, (KEY, DATABASE), now, replace, unpack)


def is_copy(file: Path) -> bool:
    """Tell a bare database, as an upgrade leaves it, from a sealed backup. Raises StorageFailed."""
    try:
        with file.open("rb") as opened:
            return opened.read(len(_BARE)) == _BARE
    except OSError as error:
        raise StorageFailed(f"{file} cannot be read: {error.strerror}") from error


def go_back(
    copy: Path, key: bytes, data_dir: Path, *, now: datetime, replace: bool = False, damaged: bool = False
) -> list[Path]:
    """Put the copy that was made before an upgrade in place of the database, whose key it shares.

    Otherwise like `restore`: every lock is held, and what was there is kept. Raises as it does, and WrongKey.
    """

    def unpack(folder: Path, above: int) -> None:
        with copy.open("rb") as source:
            write_over(folder / DATABASE, iter(lambda: source.read(_PIECE), b""))
        _hold(folder / DATABASE, Vault(key), above, damaged=damaged)

    return _replace(data_dir, (DATABASE,), now, replace, unpack)


def _replace(
    data_dir: Path,
    names: Sequence[str],
    now: datetime,
    replace: bool,  # noqa: FBT001 - as the operator said
    unpack: Callable[[Path, int], None],
) -> list[Path]:
    """Put what `unpack` leaves in a folder, its events above the number given, in place of these files."""
    with DataDirectory(data_dir):
        # A restore that was cut off has had its permission.
        interrupted = (data_dir / RESTORING).exists()
        if (data_dir / DATABASE).exists() and not (replace or interrupted):
            raise RestoreRefused(f"there is a database in {data_dir}: pass --replace to put it aside first")
        try:
            with TemporaryDirectory(dir=data_dir, prefix=RESTORED) as folder:
                unpack(Path(folder), number_after(data_dir / DATABASE, now))
                return _put_in_place(Path(folder), data_dir, names, now)
        except OSError as error:
            raise StorageFailed(f"the backup could not be restored: {error.strerror}") from error


def _hold(database: Path, vault: Vault, above: int, *, damaged: bool) -> None:
    try:
        opened = open_database(database)
    except DatabaseTooNew:
        raise BackupUnreadable(
            "the backup was made by a newer pinsmith: install that release first"
        ) from None
    except DatabaseDamaged:
        raise BackupUnreadable(
            "nothing was changed: the database in this backup is damaged. Take an older one"
        ) from None
    with closing(opened) as connection:

        def hold(tx: Tx) -> None:
            for device_id in tx.device_ids():
                with spared(tx):
                    device = tx.device(device_id)
                    if device is not None:
                        tx.save_device(changed(device, held_for_restore=True))
            count_on(connection, above)

        run_unit(connection, vault, check_key(vault))
        found = damaged_locks(SqliteTx(connection, vault))
        if found and not damaged:
            raise BackupUnreadable(
                f"nothing was changed: in this backup something does not open, of {_listed(found)}. Take an "
                "older one; where there is none, --damaged takes this one: the other locks work again, and "
                f"these are given up afterwards, with `pinsmith locks forget {min(found)}` and the like"
            )
        run_unit(connection, vault, hold)


def _put_in_place(folder: Path, data_dir: Path, names: Sequence[str], now: datetime) -> list[Path]:
    """Swap the files. As long as the mark stands, no daemon starts on a half-finished swap."""
    write_over(data_dir / RESTORING, [])
    aside = f"{ASIDE}{now:%Y%m%dT%H%M%SZ}"
    while any(data_dir.glob(f"*{aside}*")):
        # Run twice in one second, or by a clock that stands still: what was kept first is not overwritten.
        aside += "-again"
    kept = []
    # SQLite finds the log of a database by its name, and would apply an old one to the new database.
    for name, new_name in (
        *((name, name + aside) for name in names),
        (f"{DATABASE}-wal", f"{DATABASE}{aside}-wal"),
    ):
        if (data_dir / name).exists():
            kept.append((data_dir / name).rename(data_dir / new_name))
    (data_dir / f"{DATABASE}-shm").unlink(missing_ok=True)
    for name in names:
        # Without a key, where systemd hands it over.
        if (folder / name).exists():
            (folder / name).rename(data_dir / name)
    sync_folder(data_dir)
    (data_dir / RESTORING).unlink()
    sync_folder(data_dir)
    return kept
