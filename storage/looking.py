"""Reads a database that belongs to somebody else, such as a daemon that runs."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from gateway.domain.store import StorageFailed, Tx
from storage.data_dir import DATABASE
from storage.errors import WrongKey, in_plain_words
from storage.schema import migrations
from storage.sqlite import SqliteTx, key_fits
from storage.vault import Vault


def look[T](data_dir: Path, key: bytes, unit: Callable[[Tx], T]) -> T:
    """Carry out a unit that only reads, and return what it found; nothing is created or changed.

    Raises whatever the unit raises, or StorageFailed.
    """
    path = data_dir / DATABASE
    log = path.with_name(f"{path.name}-wal")
    # Without a log SQLite would make one even for a reader. With one it is read as it is: its index (-shm),
    # if missing or left over, is not mended, because that is for the one who writes.
    how = "readonly_shm=1" if log.exists() else "immutable=1"
    vault = Vault(key)
    try:
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&{how}", uri=True, isolation_level=None)
        ) as connection:
            connection.execute("BEGIN")
            if connection.execute("PRAGMA user_version").fetchone()[0] != migrations()[-1][0]:
                raise StorageFailed("the database is of another release")
            tx = SqliteTx(connection, vault, None)
            if not key_fits(tx, vault):
                raise WrongKey("the database was sealed with another key")
            return unit(tx)
    except sqlite3.Error as error:
        raise StorageFailed(in_plain_words(error)) from None
