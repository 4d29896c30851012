"""A database that cannot be written is told once, until something could be stored again."""

import sqlite3

import pytest

from gateway.domain.store import StorageFailed, Tx
from storage.store import SqliteStore

BEGAN, ENDED = "The database cannot be used", "The database can be used again"


async def may_grow(store: SqliteStore, *, more: int) -> None:
    """Limit the pages of the database, in its own thread."""

    def unit(_: Tx) -> None:
        connection: sqlite3.Connection = store._connection
        [pages] = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + more}")

    await store.run(unit)


def grow(tx: Tx) -> None:
    """Store more than fits between what is there."""
    for number in range(1000):
        tx.add_tombstone(f"{number}/{'x' * 200}")


async def test_that_it_can_be_read_does_not_end_it(
    store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk can be read from."""
    await may_grow(store, more=0)
    for _ in range(2):
        with pytest.raises(StorageFailed):
            await store.run(grow)
        await store.run(lambda tx: tx.codes())
    assert (caplog.text.count(BEGAN), caplog.text.count(ENDED)) == (1, 0)
    await may_grow(store, more=1000)
    caplog.set_level("INFO")
    await store.run(grow)
    assert caplog.text.count(ENDED) == 1
