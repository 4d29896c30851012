"""A fresh data directory, and a database in it."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from storage.data_dir import DATABASE
from storage.sqlite import SqliteTx, open_database
from storage.store import SqliteStore
from storage.vault import Vault
from tests.storage.samples import KEY


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Name a data directory that does not exist yet."""
    return tmp_path / "data"


@pytest.fixture
def vault() -> Vault:
    """Return a vault with the key of all tests."""
    return Vault(KEY)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database file of its own."""
    connection = open_database(tmp_path / DATABASE)
    yield connection
    connection.close()


@pytest.fixture
def tx(connection: sqlite3.Connection, vault: Vault) -> Iterator[SqliteTx]:
    """Give the inside of one unit, which is committed at the end of the test."""
    connection.execute("BEGIN IMMEDIATE")
    yield SqliteTx(connection, vault)
    connection.execute("COMMIT")


@pytest.fixture
async def store(data_dir: Path, vault: Vault) -> AsyncIterator[SqliteStore]:
    """Open a store, and close it again."""
    store = await SqliteStore.open(data_dir, vault)
    yield store
    await store.close()
