"""What all statements share: the connection of the running unit and the vault."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.domain.lines import Line
from gateway.domain.placement import Snapshot
from storage.errors import failed
from storage.vault import Vault


class Rows:
    """Statements over one connection. Valid only inside the unit that it was made for."""

    def __init__(
        self, connection: sqlite3.Connection, vault: Vault, kept: dict[str, Snapshot] | None = None
    ) -> None:
        """Take part in the transaction that is open on `connection`.

        `kept` is what earlier units read of locks that nobody changed since; the caller empties it when a
        unit fails.
        """
        self._connection = connection
        self._kept = kept if kept is not None else {}
        self._execute = connection.execute
        self._vault = vault
        self.lines: list[Line] = []
        """What the log shall say once the unit is durable."""

    @contextmanager
    def part(self) -> Iterator[None]:
        """Delimit a part of the unit: if it raises, nothing of it happened, and the unit may go on."""
        noted, changes = len(self.lines), self._connection.total_changes
        self._execute("SAVEPOINT part")
        try:
            yield
        except Exception as error:
            if self._connection.total_changes > changes:
                self._kept.clear()
            del self.lines[noted:]
            # A full disk makes SQLite roll back the whole unit by itself.
            if self._connection.in_transaction:
                self._execute("ROLLBACK TO part")
                self._execute("RELEASE part")
            if isinstance(error, sqlite3.Error):
                raise failed(error) from error
            raise
        self._execute("RELEASE part")

    def note(self, line: Line) -> None:
        """Write a line into the log once this unit is durable, and not at all if it is not."""
        self.lines.append(line)
