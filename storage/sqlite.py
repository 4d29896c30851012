"""A unit of work on SQLite: everything between BEGIN IMMEDIATE and COMMIT, or nothing."""

import logging
import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from hmac import compare_digest
from pathlib import Path

from gateway.domain.placement import Snapshot
from gateway.domain.store import StorageFailed, Tx
from storage.attempt_rows import AttemptRows
from storage.code_rows import CodeRows
from storage.codec import to_ms
from storage.errors import WrongKey, failed
from storage.lock_rows import LockRows
from storage.outbox_rows import OutboxRows
from storage.schema import BeforeUpgrade, bring_up_to_date, do_nothing
from storage.secret_rows import SecretRows
from storage.vault import Vault

_KEY_CHECK = "key_check"
_said = logging.getLogger("gateway.events")


class SqliteTx(LockRows, CodeRows, OutboxRows, AttemptRows, SecretRows):
    """`gateway.domain.store.Tx` over one connection; synchronous, valid inside one unit."""

    def meta(self, key: str) -> str | None:
        """Return a single remembered value."""
        row = self._execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def save_meta(self, key: str, value: str) -> None:
        """Remember a single value."""
        self._execute(
            "INSERT INTO meta (key, value) VALUES (?, ?) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE value <> excluded.value",
            (key, value),
        )

    def prune(self, *, replies_before: datetime, events_before: datetime) -> None:
        """Drop replies, delivered events, and ended attempts and journal entries older than that.

        An event is as old as its creation here: what it says of its occurrence may come from a lock's clock.
        """
        events = to_ms(events_before)
        self._execute("DELETE FROM reply WHERE stored_at < ?", (to_ms(replies_before),))
        self._execute("DELETE FROM event WHERE delivered_at IS NOT NULL AND created_at < ?", (events,))
        self._execute("DELETE FROM intent WHERE closed_at IS NOT NULL AND closed_at < ?", (events,))
        self._execute("DELETE FROM action_attempt WHERE finished_at < ?", (events,))


def open_database(path: Path | str, before_upgrade: BeforeUpgrade = do_nothing) -> sqlite3.Connection:
    """Open, check and bring up to date the database at `path` (":memory:" for one that leaves no trace).

    `before_upgrade` is called before a database of an older format is changed.
    The file is created for its owner alone. The caller makes sure that nobody else writes to it.

    Raises:
        DatabaseDamaged, DatabaseTooNew: the file is left as it is.
        StorageFailed: it could not be opened or written.
    """
    if str(path) != ":memory:":
        # SQLite gives its -wal and -shm files the mode of the database.
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise StorageFailed(f"{path} cannot be opened: {error.strerror}") from error
    connection = sqlite3.connect(path, isolation_level=None, timeout=5.0, cached_statements=256)
    try:
        bring_up_to_date(connection, str(path), before_upgrade)
    except BaseException:
        connection.close()
        raise
    return connection


def run_unit[T](
    connection: sqlite3.Connection,
    vault: Vault,
    unit: Callable[[Tx], T],
    kept: dict[str, Snapshot] | None = None,
) -> T:
    """Carry out a unit; all of it is durable on return, and only then what it noted is logged.

    `kept` remembers locks from unit to unit: give the same one while nobody else writes to the file.

    Raises whatever the unit raises (nothing was changed then), or StorageFailed.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            tx = SqliteTx(connection, vault, kept)
            result = unit(tx)
            connection.execute("COMMIT")
        except BaseException:
            if kept is not None:
                kept.clear()
            # A full disk makes SQLite roll back by itself.
            if connection.in_transaction:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
            raise
    except sqlite3.Error as error:
        # Values are always bound, so that SQLite's own text names tables and columns at most.
        raise failed(error) from error
    for line in tx.lines:
        _said.log(line.level, "%s", line.words, extra=line.fields)
    return result


def key_fits(tx: Tx, vault: Vault) -> bool:
    """Say whether this key is the one that the database was sealed with; any fits one that is still fresh."""
    known = tx.meta(_KEY_CHECK)
    return known is None or compare_digest(known, vault.key_check)


def check_key(vault: Vault) -> Callable[[Tx], None]:
    """Return a unit that remembers the key of a fresh database and raises WrongKey where another was used."""

    def unit(tx: Tx) -> None:
        if tx.meta(_KEY_CHECK) is None:
            tx.save_meta(_KEY_CHECK, vault.key_check)
        elif not key_fits(tx, vault):
            message = (
                "this database was sealed with another key. Put back the key that belongs to it: from a "
                "backup with `pinsmith restore FILE`, or, where systemd hands the key over, the right "
                "credential pinsmith.key (it goes before the file `key` in the data directory)"
            )
            raise WrongKey(message)

    return unit
