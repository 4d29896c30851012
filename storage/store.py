"""The one writer."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from gateway.domain.placement import Snapshot
from gateway.domain.store import LastingFailure, StorageFailed, Tx
from gateway.domain.trouble import Trouble, about
from storage.before_upgrade import keep_copy
from storage.data_dir import DATABASE, RESTORING, DataDirectory
from storage.errors import RestoreUnfinished
from storage.sqlite import check_key, open_database, run_unit
from storage.vault import Vault

_log = logging.getLogger(__name__)


class SqliteStore:
    """`gateway.domain.store.Store` on a file, with one connection in one thread.

    Every unit runs in that thread as a whole, so that no statement of another unit can come in between: that
    is why there is no asynchronous SQLite library here. Those share one connection statement by statement,
    and a rollback then takes another task's insert along.
    """

    def __init__(self, data_dir: DataDirectory, vault: Vault, boot: Callable[[], float]) -> None:
        """Prepare; `open` is what makes a usable store."""
        self._trouble = Trouble(_log, "storage", boot, level=logging.ERROR)
        self._lasting: set[str] = set()
        self._data_dir = data_dir
        self._vault = vault
        self._kept: dict[str, Snapshot] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="storage")

    @classmethod
    async def open(cls, data_dir: Path, vault: Vault, *, boot: Callable[[], float] = time.monotonic) -> Self:
        """Take the data directory for this process and open its database, creating it the first time.

        `boot` returns seconds that never go back, to say how long a trouble lasted.

        Raises:
            StorageFailed: see `storage.errors` for the kinds; all say what to do.
        """
        store = cls(DataDirectory(data_dir), vault, boot)
        try:
            await asyncio.get_running_loop().run_in_executor(store._thread, store._open)
        except BaseException:
            store._thread.shutdown()
            store._data_dir.release()
            raise
        return store

    def _open(self) -> None:
        if (self._data_dir.path / RESTORING).exists():
            raise RestoreUnfinished(
                f"a restore into {self._data_dir.path} was interrupted: run `pinsmith restore` again"
            )
        self._data_dir.sweep()
        path = self._data_dir.path / DATABASE
        self._connection = open_database(
            path, before_upgrade=lambda connection, version: keep_copy(connection, path, version)
        )
        try:
            run_unit(self._connection, self._vault, check_key(self._vault))
        except BaseException:
            self._connection.close()
            raise

    async def run[T](self, unit: Callable[[Tx], T]) -> T:
        """Carry out a unit; durable on return. Cancelling the caller does not stop it.

        Raises whatever the unit raises (nothing was changed then), or StorageFailed.
        """
        loop = asyncio.get_running_loop()
        try:
            under_way = loop.run_in_executor(self._thread, self._carry_out, unit)
        except RuntimeError:
            raise StorageFailed("the store is closed") from None
        return await asyncio.shield(under_way)

    def _carry_out[T](self, unit: Callable[[Tx], T]) -> T:
        """Carry out a unit in the thread; log when the database begins to fail and when it works again.

        Only a unit that wrote something shows that it does: a full disk can be read from. A row that does
        not open is told once: everything else goes on, and nothing but an operator ends that.
        """
        before = self._connection.total_changes
        try:
            result = run_unit(self._connection, self._vault, unit, self._kept)
        except LastingFailure as error:
            if str(error) not in self._lasting:
                self._lasting.add(str(error))
                _log.error("Damaged in the database: %s", error, extra=about(trouble="storage"))
            raise
        except StorageFailed as error:
            self._trouble.begins(f"The database cannot be used: {error}")
            raise
        if self._connection.total_changes > before:
            self._trouble.ends("The database can be used again")
        return result

    async def close(self) -> None:
        """Carry out what was asked for before, then close the file and leave the data directory."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()
        self._data_dir.release()
