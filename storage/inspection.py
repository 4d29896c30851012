"""What can be said of a database without its key and without changing it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from gateway.domain.store import StorageFailed
from storage.data_dir import DATABASE
from storage.errors import in_plain_words

_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"


def facts(data_dir: Path) -> dict[str, Any]:
    """Return format, sizes, counts of rows and whether it is sound; no row. The daemon may be running.

    Raises StorageFailed.
    """
    with _opened(data_dir) as connection:

        def one(sql: str) -> object:
            return connection.execute(sql).fetchone()[0]

        tables = [name for (name,) in connection.execute(_TABLES)]
        return {
            "format": one("PRAGMA user_version"),
            "journal_mode": one("PRAGMA journal_mode"),
            "pages": one("PRAGMA page_count"),
            "pages_free": one("PRAGMA freelist_count"),
            "page_bytes": one("PRAGMA page_size"),
            "sound": one("PRAGMA quick_check(1)") == "ok",
            "links_sound": connection.execute("PRAGMA foreign_key_check").fetchone() is None,
            "rows": {name: one(f'SELECT count(*) FROM "{name}"') for name in tables},  # noqa: S608 - names from the schema
            "events_waiting": one("SELECT count(*) FROM event WHERE delivered_at IS NULL"),
            "writes_without_outcome": one("SELECT count(*) FROM intent WHERE closed_at IS NULL"),
        }


def names_in(data_dir: Path) -> set[str]:
    """Return the names of all codes, to take them out of texts. Raises StorageFailed."""
    with _opened(data_dir) as connection:
        found = connection.execute(
            "SELECT name FROM access_code UNION SELECT common_code_key FROM access_code"
        )
        return {name for (name,) in found if name}


@contextmanager
def _opened(data_dir: Path) -> Iterator[sqlite3.Connection]:
    path = data_dir / DATABASE
    try:
        # Not read-only, which would leave -wal and -shm files behind; never creating a database, though.
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            connection.execute("PRAGMA query_only = ON")
            yield connection
    except sqlite3.Error as error:
        raise StorageFailed(in_plain_words(error)) from None
