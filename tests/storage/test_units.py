"""A unit is durable as a whole or did not happen, whatever becomes of its caller or of the process."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.domain.placement import Snapshot
from gateway.domain.store import StorageFailed, Store, Tx
from storage.data_dir import DATABASE
from storage.errors import DataDirectoryInUse
from storage.sqlite import open_database, run_unit
from storage.store import SqliteStore
from storage.vault import Vault
from tests.storage.samples import DEVICE, PLACEMENT, event

ROOT = Path(__file__).parents[2]
WRITER = """
import asyncio, sys
from pathlib import Path
from storage.store import SqliteStore
from storage.vault import Vault
from tests.storage.samples import KEY, event

async def main():
    store = await SqliteStore.open(Path(sys.argv[1]), Vault(KEY))
    number = 0
    while True:
        number += 1
        def unit(tx):
            tx.emit(event(number))
            tx.save_meta("last", str(number))
        await store.run(unit)
        print(number, flush=True)

asyncio.run(main())
"""


async def test_returns_what_the_unit_returns(store: SqliteStore) -> None:
    """The engine reads and writes in one go."""
    contract: Store = store

    def unit(tx: Tx) -> int:
        tx.save_device(DEVICE)
        return len(tx.devices())

    assert await contract.run(unit) == 1
    assert await contract.run(lambda tx: tx.device("front")) == DEVICE


async def test_an_exception_undoes_the_whole_unit(store: SqliteStore) -> None:
    """Half a change would be a lie about the lock."""

    def unit(tx: Tx) -> None:
        tx.save_device(DEVICE)
        tx.emit(event(1))
        raise LookupError("own")

    with pytest.raises(LookupError, match="own"):
        await store.run(unit)

    assert await store.run(lambda tx: (tx.devices(), tx.undelivered(9))) == ([], [])


async def test_a_part_that_raises_leaves_nothing_and_the_unit_goes_on(
    store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither rows, nor what was read of them, nor lines for the log, nor a number that is skipped."""

    def unit(tx: Tx) -> int:
        tx.save_device(DEVICE)
        with suppress(LookupError), tx.part():
            tx.save_device(replace(DEVICE, battery=0.01))
            tx.emit(event(1))
            assert tx.snapshot("front")
            raise LookupError
        assert tx.device("front") == DEVICE
        found = tx.snapshot("front")
        assert found is not None
        assert found.device == DEVICE
        return tx.emit(event(2))

    caplog.set_level("DEBUG")
    assert await store.run(unit) == 1
    assert await store.run(lambda tx: [it.event for it in tx.undelivered(9)]) == [event(2)]
    assert len([line for line in caplog.records if line.name == "gateway.events"]) == 1


def test_a_part_that_only_looked_forgets_nothing_that_was_read(
    connection: sqlite3.Connection, vault: Vault
) -> None:
    """Most refusals change nothing; reading the house anew after each would keep the hub busy."""
    kept: dict[str, Snapshot] = {}

    def unit(tx: Tx) -> None:
        with suppress(LookupError), tx.part():
            tx.snapshot("front")
            raise LookupError

    run_unit(connection, vault, lambda tx: tx.save_device(DEVICE), kept)
    run_unit(connection, vault, lambda tx: tx.snapshot("front"), kept)
    before = dict(kept)
    run_unit(connection, vault, unit, kept)
    assert list(before) == ["front"]
    assert kept == before


def test_a_full_disk_within_a_part_is_told_as_that(connection: sqlite3.Connection, vault: Vault) -> None:
    """SQLite has rolled back the whole unit by then."""

    def unit(tx: Tx) -> None:
        with tx.part():
            connection.execute("ROLLBACK")
            error = sqlite3.OperationalError()
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error

    with pytest.raises(StorageFailed, match="full"):
        run_unit(connection, vault, unit)


async def test_cancelling_the_caller_does_not_cut_the_unit(store: SqliteStore) -> None:
    """A command whose client gave up is still carried out as a whole."""
    entered, go_on = threading.Event(), threading.Event()

    def unit(tx: Tx) -> None:
        tx.save_meta("first", "done")
        entered.set()
        assert go_on.wait(30)
        tx.save_meta("second", "done")

    caller = asyncio.create_task(store.run(unit))
    await asyncio.to_thread(entered.wait, 30)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    go_on.set()

    assert await store.run(lambda tx: (tx.meta("first"), tx.meta("second"))) == ("done", "done")


async def test_a_unit_that_waits_its_turn_survives_cancellation_too(store: SqliteStore) -> None:
    """Once asked for, a unit is carried out even if it had not begun."""
    entered, go_on = threading.Event(), threading.Event()

    def holding_up(tx: Tx) -> None:
        entered.set()
        assert go_on.wait(30)
        tx.save_meta("order", "first")

    first = asyncio.create_task(store.run(holding_up))
    await asyncio.to_thread(entered.wait, 30)
    second = asyncio.create_task(store.run(lambda tx: tx.save_meta("order", f"{tx.meta('order')}, second")))
    # One turn of the loop, so that the second unit has been handed over.
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    go_on.set()
    await first

    assert await store.run(lambda tx: tx.meta("order")) == "first, second"


async def test_units_asked_for_together_do_not_mix(store: SqliteStore) -> None:
    """One that fails takes nothing of the others along, and counting up loses no step."""

    def count(tx: Tx) -> None:
        tx.save_meta("count", str(int(tx.meta("count") or 0) + 1))

    def count_and_fail(tx: Tx) -> None:
        count(tx)
        raise LookupError

    units = [count, count_and_fail] * 20
    results = await asyncio.gather(*(store.run(unit) for unit in units), return_exceptions=True)

    assert [type(result) for result in results] == [type(None), LookupError] * 20
    assert await store.run(lambda tx: tx.meta("count")) == "20"


async def test_closing_carries_out_what_was_asked_for_before(data_dir: Path, vault: Vault) -> None:
    """An orderly stop loses nothing."""
    store = await SqliteStore.open(data_dir, vault)
    last = asyncio.create_task(store.run(lambda tx: tx.save_meta("last", "word")))
    await asyncio.sleep(0)
    await store.close()
    await last

    with pytest.raises(StorageFailed, match="closed"):
        await store.run(lambda tx: tx.meta("last"))
    again = await SqliteStore.open(data_dir, vault)
    assert await again.run(lambda tx: tx.meta("last")) == "word"
    await again.close()


@pytest.mark.slow
@pytest.mark.parametrize("acknowledged", [1, 25, 60])
async def test_a_killed_process_keeps_every_acknowledged_unit(
    data_dir: Path, vault: Vault, acknowledged: int
) -> None:
    """After kill -9 in the middle of writing, what was reported as stored is there, each unit as a whole."""
    command = [sys.executable, "-c", WRITER, str(data_dir)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:  # noqa: ASYNC220, S603 - our own program; nothing else runs in this loop
        assert writer.stdout is not None
        told = [next(writer.stdout) for _ in range(acknowledged)]
        writer.send_signal(signal.SIGKILL)
        told += list(writer.stdout)

    store = await SqliteStore.open(data_dir, vault)
    stored = await store.run(lambda tx: (len(tx.undelivered(100_000)), tx.meta("last")))
    await store.close()

    assert stored[0] >= int(told[-1]) >= acknowledged
    assert stored[1] == str(stored[0])


async def test_a_second_process_is_turned_away(store: SqliteStore, data_dir: Path, vault: Vault) -> None:
    """Two daemons on one directory would fight over the locks."""
    with pytest.raises(DataDirectoryInUse, match="stop it first"):
        await SqliteStore.open(data_dir, vault)

    await store.run(lambda tx: tx.save_device(DEVICE))


def test_a_full_disk_undoes_the_unit_and_says_so(connection: sqlite3.Connection, vault: Vault) -> None:
    """SQLite's own limit on pages stands for the full disk."""
    run_unit(connection, vault, lambda tx: tx.save_meta("before", "kept"))
    [pages] = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")

    def unit(tx: Tx) -> None:
        for number in range(1000):
            tx.emit(event(number))

    with pytest.raises(StorageFailed, match="disk is full"):
        run_unit(connection, vault, unit)

    assert run_unit(connection, vault, lambda tx: (tx.meta("before"), tx.undelivered(9))) == ("kept", [])


def test_a_row_without_its_owner_undoes_the_unit(connection: sqlite3.Connection, vault: Vault) -> None:
    """Order inside a unit is free; at its end, everything must belong to something."""
    with pytest.raises(StorageFailed, match="contradicts"):
        run_unit(connection, vault, lambda tx: tx.save_placement("front", PLACEMENT))

    assert connection.in_transaction is False
    assert connection.execute("SELECT count(*) FROM placement").fetchone() == (0,)


def test_another_writer_is_waited_for_and_then_named(tmp_path: Path, vault: Vault) -> None:
    """Somebody's shell on the database must not look like damage."""
    ours, theirs = open_database(tmp_path / DATABASE), open_database(tmp_path / DATABASE)
    theirs.execute("BEGIN IMMEDIATE")
    ours.execute("PRAGMA busy_timeout = 1")

    with pytest.raises(StorageFailed, match="another program"):
        run_unit(ours, vault, lambda tx: tx.meta("x"))

    ours.close()
    theirs.close()
