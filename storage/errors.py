"""What can be wrong with the gateway's memory. Every message says what to do and holds no secret.

::

    StorageFailed (gateway.domain.store)
    ├── DatabaseDamaged     the file does not pass SQLite's checks, or a row does not decode
    ├── DatabaseTooNew      written by a newer release
    ├── DataDirectoryInUse  another process works on the same data directory
    ├── RestoreUnfinished   a restore was interrupted half-way
    ├── SealBroken          a sealed value does not open where it stands
    ├── KeyUnusable         the key file is missing, open to others or not a key
    ├── WrongKey            the key is not the one that the database was sealed with
    ├── BackupUnreadable    wrong passphrase, damaged or foreign file, or of a newer release
    └── RestoreRefused      a restore would overwrite a database
"""

import sqlite3

from gateway.domain.store import StorageFailed


class DatabaseDamaged(StorageFailed):
    """The database does not pass SQLite's checks, or holds what no release has written."""


class DatabaseTooNew(StorageFailed):
    """The database was written by a newer release, whose meaning this one cannot know."""


class DataDirectoryInUse(StorageFailed):
    """Another process works on the same data directory."""


class RestoreUnfinished(StorageFailed):
    """A restore was interrupted, so that database and key may not belong together."""


class SealBroken(StorageFailed):
    """A sealed value does not open where it stands: it was altered, or moved from another row."""


class KeyUnusable(StorageFailed):
    """The key file is missing beside a database, readable by others, or not a key."""


class WrongKey(StorageFailed):
    """The key is not the one that the database was sealed with."""


class BackupUnreadable(StorageFailed):
    """The backup does not open: wrong passphrase, damaged, cut short, or not a backup."""


class RestoreRefused(StorageFailed):
    """A restore would overwrite a database."""


_WAY_OUT = "restore the newest backup with `pinsmith restore FILE`"
_WORDS = {
    sqlite3.SQLITE_FULL: "the disk is full: free some space",
    sqlite3.SQLITE_IOERR: "the disk failed to read or write: check the card or drive",
    sqlite3.SQLITE_CORRUPT: f"the database is damaged: stop pinsmith and {_WAY_OUT}",
    sqlite3.SQLITE_NOTADB: f"the file is not a pinsmith database: stop pinsmith and {_WAY_OUT}",
    sqlite3.SQLITE_READONLY: "the database cannot be written: check owner and mode of the data directory",
    sqlite3.SQLITE_CANTOPEN: "the database cannot be opened: check owner and mode of the data directory",
    sqlite3.SQLITE_BUSY: "another program keeps the database locked: end it",
    sqlite3.SQLITE_CONSTRAINT: "the change contradicts what is stored: a fault of pinsmith, please report it",
}


def in_plain_words(error: sqlite3.Error) -> str:
    """Say what an error of SQLite means and what to do. SQLite's own text is not repeated."""
    # The low byte is the kind of error, the rest only says where it came up.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return f"{_WORDS.get(code, 'the database did not carry out a statement')} ({name})"
