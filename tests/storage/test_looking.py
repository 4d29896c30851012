"""Looking into somebody else's database leaves no trace."""

import shutil
from pathlib import Path

import pytest

from gateway.domain.store import StorageFailed
from storage.data_dir import DATABASE
from storage.errors import WrongKey
from storage.looking import look
from storage.sqlite import open_database
from storage.store import SqliteStore
from storage.vault import Vault
from tests.storage.samples import KEY, check_everything, store_everything


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}


async def test_a_database_in_use_shows_what_was_stored_last(store: SqliteStore, data_dir: Path) -> None:
    """The daemon need not stop for it."""
    await store.run(store_everything)
    look(data_dir, KEY, check_everything)
    await store.run(lambda tx: tx.save_meta("clock_floor", "later"))
    assert look(data_dir, KEY, lambda tx: tx.meta("clock_floor")) == "later"


async def test_nothing_is_created_or_changed(data_dir: Path, tmp_path: Path, vault: Vault) -> None:
    """Neither where the daemon has ended nor where it was killed, with its log left to be read."""
    store = await SqliteStore.open(data_dir, vault)
    await store.run(store_everything)
    killed = shutil.copytree(data_dir, tmp_path / "killed")
    await store.close()
    for folder in (data_dir, killed):
        before = content(folder)
        look(folder, KEY, check_everything)
        assert content(folder) == before
    assert f"{DATABASE}-wal" in content(killed)
    assert f"{DATABASE}-wal" not in content(data_dir)


async def test_a_log_without_its_map_is_left_to_the_daemon(
    store: SqliteStore, data_dir: Path, tmp_path: Path
) -> None:
    """To read it one would have to write."""
    await store.run(store_everything)
    killed = shutil.copytree(data_dir, tmp_path / "killed")
    (killed / f"{DATABASE}-shm").unlink()
    before = content(killed)
    with pytest.raises(StorageFailed, match="cannot be opened"):
        look(killed, KEY, check_everything)
    assert content(killed) == before


def test_what_another_release_wrote_is_not_read(tmp_path: Path) -> None:
    """Its tables may mean something else."""
    connection = open_database(tmp_path / DATABASE)
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    with pytest.raises(StorageFailed, match="another release"):
        look(tmp_path, KEY, check_everything)


async def test_another_key_is_told_as_such(data_dir: Path, store: SqliteStore) -> None:  # noqa: ARG001 - it is open
    """Not as damage."""
    with pytest.raises(WrongKey):
        look(data_dir, bytes(32), check_everything)
