"""The state of a database file: settings of the connection, integrity, and migrations."""

import sqlite3
from importlib.resources import files

from gateway.domain.store import StorageFailed
from storage.errors import DatabaseDamaged, DatabaseTooNew, in_plain_words

_SETTINGS = """
PRAGMA busy_timeout = 5000;    -- another program reading, such as a backup, is waited for
PRAGMA synchronous = FULL;     -- with WAL the only one that kept every acknowledged commit under power cuts
PRAGMA foreign_keys = ON;      -- off unless asked for
PRAGMA secure_delete = ON;     -- what is deleted is overwritten, not left in free pages
"""


def migrations() -> list[tuple[int, str]]:
    """Return (version, SQL) of every migration, oldest first, from the package's numbered files."""
    found = [file for file in files("storage").joinpath("migrations").iterdir() if file.name.endswith(".sql")]
    return sorted((int(file.name.split("_")[0]), file.read_text(encoding="utf-8")) for file in found)


def bring_up_to_date(connection: sqlite3.Connection, path: str) -> None:
    """Set up the connection, check the file and carry out the missing migrations.

    Raises:
        DatabaseDamaged, DatabaseTooNew, StorageFailed: messages name `path`.
    """
    try:
        _set_up(connection, path)
        _check(connection, path)
        _migrate(connection, path)
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


def _migrate(connection: sqlite3.Connection, path: str) -> None:
    known = migrations()
    [version] = connection.execute("PRAGMA user_version").fetchone()
    if version > known[-1][0]:
        raise DatabaseTooNew(
            f"{path} was written by a newer pinsmith (format {version}, this one knows {known[-1][0]}): "
            "install that release again, or restore a backup made with this one"
        )
    for number, sql in known:
        if number > version:
            # One transaction each: a crash leaves the file as it was before this migration.
            script = f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;"
            connection.executescript(script)


def _damaged(path: str) -> DatabaseDamaged:
    return DatabaseDamaged(
        f"{path} is damaged. Stop pinsmith and run `pinsmith restore FILE` with the newest backup. Without a "
        "backup move the file away: the locks keep their codes, which will then show up as unmanaged"
    )
