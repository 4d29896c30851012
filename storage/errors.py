"""What can be wrong with the gateway's memory. Every message says what to do and holds no secret.

::

    StorageFailed (gateway.domain.store)
    ├── LastingFailure      (gateway.domain.store) trying again does not help
    │   ├── DatabaseDamaged the file does not pass SQLite's checks, or a row does not decode
    │   └── SealBroken      a sealed value does not open where it stands
    ├── DatabaseTooNew      written by a newer release
    ├── DataDirectoryInUse  another process works on the same data directory
    ├── RestoreUnfinished   a restore was interrupted half-way
    ├── KeyUnusable         the key file is missing, open to others or not a key
    ├── WrongKey            the key is not the one that the database was sealed with
    ├── BackupUnreadable    wrong passphrase, damaged or foreign file, or of a newer release
    └── RestoreRefused      a restore would overwrite a database
"""

import sqlite3

from gateway.domain.store import LastingFailure, StorageFailed


class DatabaseDamaged(LastingFailure):
    """The database does not pass SQLite's checks, or holds what no release has written."""


class DatabaseTooNew(StorageFailed):
    """The database was written by a newer release, whose meaning this one cannot know."""


class DataDirectoryInUse(StorageFailed):
    """Another process works on the same data directory."""


class RestoreUnfinished(StorageFailed):
    """A restore was interrupted, so that database and key may not belong together."""


class SealBroken(LastingFailure):
    """A sealed value does not open where it stands: it was altered, or moved from another row."""


class KeyUnusable(StorageFailed):
    """The key file is missing beside a database, readable by others, or not a key."""


class WrongKey(StorageFailed):
    """The key is not the one that the database was sealed with."""


class BackupUnreadable(StorageFailed):
    """The backup does not open: wrong passphrase, damaged, cut short, or not a backup."""


class RestoreRefused(StorageFailed):
    """A restore would overwrite a database."""


WAY_OUT = "restore the newest backup with `pinsmith restore FILE`"
"""To be put behind what is wrong."""
_WORDS = {
    sqlite3.SQLITE_FULL: "the disk is full: free some space",
    sqlite3.SQLITE_IOERR: "the disk failed to read or write: check the card or drive",
    sqlite3.SQLITE_CORRUPT: f"the database is damaged: stop pinsmith and {WAY_OUT}",
    sqlite3.SQLITE_NOTADB: f"the file is not a pinsmith database: stop pinsmith and {WAY_OUT}",
    sqlite3.SQLITE_READONLY: "the database cannot be written: check owner and mode of the data directory",
    sqlite3.SQLITE_CANTOPEN: "the database cannot be opened: check owner and mode of the data directory",
    sqlite3.SQLITE_BUSY: "another program keeps the database locked: end it",
    sqlite3.SQLITE_CONSTRAINT: "the change contradicts what is stored: a fault of pinsmith, please report it",
}


_PASSING = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_INTERRUPT,
}
"""Kinds of errors that may be over when it is tried again: they lie in the machine, not in what is stored."""


def failed(error: sqlite3.Error) -> StorageFailed:
    """Return what an error of SQLite is to the engine."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return (StorageFailed if code in _PASSING else LastingFailure)(in_plain_words(error))


def damaged_row[E: LastingFailure](kind: type[E], table: str, lock: str | None) -> E:
    """Return the error for one row that does not open, with the lock that it is about."""
    if lock is None:
        error = kind(f"a row of `{table}` does not open: {WAY_OUT}")
    else:
        error = kind(
            f"{lock}: a row of `{table}` does not open, so nothing is done on this lock. It was altered, or "
            f"the card fails. Restore the newest good backup, or `pinsmith locks forget {lock}`, then enter "
            "its codes anew and pair it anew where it was paired"
        )
    error.table = table
    return error


def in_plain_words(error: sqlite3.Error) -> str:
    """Say what an error of SQLite means and what to do. SQLite's own text is not repeated."""
    # The low byte is the kind of error, the rest only says where it came up.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return f"{_WORDS.get(code, 'the database did not carry out a statement')} ({name})"
