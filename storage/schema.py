"""The state of a database file: settings of the connection, integrity, and migrations."""

import sqlite3
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path

from gateway.domain.store import StorageFailed
from storage.before_upgrade import copies
from storage.errors import DatabaseDamaged, DatabaseTooNew, in_plain_words

_SETTINGS = """
PRAGMA busy_timeout = 5000;    -- another program reading, such as a backup, is waited for
PRAGMA synchronous = FULL;     -- with WAL the only one that kept every acknowledged commit under power cuts
PRAGMA foreign_keys = ON;      -- off unless asked for
PRAGMA secure_delete = ON;     -- what is deleted is overwritten, not left in free pages
"""


type BeforeUpgrade = Callable[[sqlite3.Connection, int], None]
"""Called with a sound database of an older format, and that format; what it raises stops the upgrade."""


def do_nothing(connection: sqlite3.Connection, version: int, /) -> None:
    """Let the upgrade begin."""


@cache
def migrations() -> tuple[tuple[int, str], ...]:
    """Return (version, SQL) of every migration, oldest first, from the package's numbered files."""
    found = [file for file in files("storage").joinpath("migrations").iterdir() if file.name.endswith(".sql")]
    return tuple(sorted((int(file.name.split("_")[0]), file.read_text(encoding="utf-8")) for file in found))


def bring_up_to_date(
    connection: sqlite3.Connection, path: str, before_upgrade: BeforeUpgrade = do_nothing
) -> None:
    """Set up the connection, check the file and carry out the missing migrations.

    `before_upgrade` is called before the first of them, unless the database is new.

    Raises:
        DatabaseDamaged, DatabaseTooNew, StorageFailed: messages name `path`.
    """
    try:
        _set_up(connection, path)
        _check(connection, path)
        _migrate(connection, path, before_upgrade)
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            raise _damaged(path) from error
        raise StorageFailed(f"{path}: {in_plain_words(error)}") from error


def _set_up(connection: sqlite3.Connection, path: str) -> None:
    connection.executescript(_SETTINGS)
    [mode] = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode not in {"wal", "memory"}:
        raise StorageFailed(f"{path}: SQLite cannot keep its log here; use a file system of this machine")


def _check(connection: sqlite3.Connection, path: str) -> None:
    [verdict] = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok" or connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise _damaged(path)


def _migrate(connection: sqlite3.Connection, path: str, before_upgrade: BeforeUpgrade) -> None:
    known = migrations()
    [version] = connection.execute("PRAGMA user_version").fetchone()
    newest = known[-1][0]
    if version > newest:
        raise _too_new(Path(path), version, newest)
    if 0 < version < newest:
        before_upgrade(connection, version)
    for number, sql in known:
        if number > version:
            # One transaction each: a crash leaves the file as it was before this migration.
            script = f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;"
            connection.executescript(script)


def _too_new(path: Path, version: int, newest: int) -> DatabaseTooNew:
    understood = [copy for number, copy in copies(path).items() if number <= newest]
    way_back = (
        f"go back to how it was before that upgrade with `pinsmith restore {understood[0]} --replace`"
        if understood
        else "restore a backup made with this one"
    )
    return DatabaseTooNew(
        f"{path} was written by a newer pinsmith (format {version}, this one knows {newest}): "
        f"install that release again, or {way_back}"
    )


def _damaged(path: str) -> DatabaseDamaged:
    return DatabaseDamaged(
        f"{path} is damaged. Stop pinsmith and run `pinsmith restore FILE` with the newest backup. Without a "
        "backup move the file away: the locks keep their codes, which will then show up as unmanaged"
    )
