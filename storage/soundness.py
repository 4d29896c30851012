"""Whether all that is stored opens. SQLite cannot know: it sees the pages, not what is sealed in them."""

import sqlite3
from collections.abc import Mapping

from gateway.domain.store import LastingFailure
from storage.sqlite import SqliteTx


def is_sound(connection: sqlite3.Connection) -> bool:
    """Say whether the file passes SQLite's own check."""
    [verdict] = connection.execute("PRAGMA quick_check(1)").fetchone()
    return bool(verdict == "ok")


def damaged_locks(tx: SqliteTx) -> Mapping[str, str]:
    """Return the locks of which something does not open, and the table it stands in: the first of each."""
    found = {}
    for device_id in tx.device_ids():
        try:
            with tx.part():
                tx.snapshot(device_id)
                tx.secret(device_id)
                tx.issues(device_id)
                tx.announced(device_id)
        except LastingFailure as error:
            found[device_id] = error.table
    return found
