"""What all statements share: the connection of the running unit and the vault."""

import sqlite3

from gateway.domain.lines import Line
from storage.vault import Vault


class Rows:
    """Statements over one connection. Valid only inside the unit that it was made for."""

    def __init__(self, connection: sqlite3.Connection, vault: Vault) -> None:
        """Take part in the transaction that is open on `connection`."""
        self._connection = connection
        self._execute = connection.execute
        self._vault = vault
        self.lines: list[Line] = []
        """What the log shall say once the unit is durable."""

    def note(self, line: Line) -> None:
        """Write a line into the log once this unit is durable, and not at all if it is not."""
        self.lines.append(line)
