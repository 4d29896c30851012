"""The real storage logic on sqlite3 in the loop, with crash points around every commit."""

import asyncio
import sqlite3
from collections.abc import Callable

from gateway.domain.placement import Snapshot
from gateway.domain.store import StorageFailed, Tx
from storage.sqlite import run_unit
from storage.vault import Vault
from tests.simulation.crash import Died, Process
from tests.simulation.fate import Fate


class _BeforeCommit(Exception):
    """Rolls the unit back: the process died with the transaction open."""


class SimStore:
    """`gateway.domain.store.Store` for one life of the hub; the connection outlives it."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        vault: Vault,
        process: Process,
        fate: Fate,
        doubt: Callable[[], None],
    ) -> None:
        """Use the database that earlier lives left; `doubt` hears of every unit that failed."""
        self._doubt = doubt
        self._kept: dict[str, Snapshot] = {}
        self._connection = connection
        self._vault = vault
        self._process = process
        self._fate = fate

    async def run[T](self, unit: Callable[[Tx], T]) -> T:
        """Carry out a unit, unless the process dies or the disk fails."""
        self._process.check()
        await asyncio.sleep(self._fate.storage_pause())
        self._process.check()
        self._fate.maybe_die(self._process, "before a unit")
        if self._fate.happens("disk_full"):
            self._doubt()
            raise StorageFailed("the disk is full")
        dying = self._fate.dies("before a commit")

        def wrapped(tx: Tx) -> T:
            result = unit(tx)
            if dying:
                raise _BeforeCommit
            return result

        try:
            result = run_unit(self._connection, self._vault, wrapped, self._kept)
        except _BeforeCommit:
            self._process.die()
            raise Died from None
        self._fate.maybe_die(self._process, "after a commit")
        await asyncio.sleep(0)
        self._process.check()
        return result
