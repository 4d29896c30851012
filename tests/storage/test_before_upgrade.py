"""Before a database is brought to a new format, a copy of the old one is put beside it."""

import asyncio
import logging
import resource
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from gateway.domain.store import StorageFailed
from storage.before_upgrade import KEPT, keep_copy
from storage.data_dir import DATABASE, KEY
from storage.errors import DatabaseTooNew
from storage.keys import write_key
from storage.schema import migrations
from storage.sqlite import open_database
from storage.store import SqliteStore
from storage.vault import Vault
from tests.storage.samples import KEY as KEY_OF_TESTS

GOLDEN = Path(__file__).parent / "golden"
NEWEST = migrations()[-1][0]


def old_hub(data_dir: Path, version: int = 1) -> Path:
    """Make the data directory of a hub that an older release has left, and name its database."""
    data_dir.mkdir(mode=0o700)
    (data_dir / KEY).touch(mode=0o600)
    (data_dir / KEY).write_bytes(write_key(KEY_OF_TESTS))
    elsewhere = data_dir.parent / DATABASE
    with closing(sqlite3.connect(elsewhere)) as old:
        old.executescript((GOLDEN / f"v{version}.sql").read_text())
        old.execute("PRAGMA journal_mode = WAL")
        old.execute("INSERT INTO meta (key, value) VALUES ('late', 'kept')")
        old.commit()
        # As after a power cut: the last change is in the log only.
        for end in ("", "-wal"):
            shutil.copy(f"{elsewhere}{end}", data_dir)
    return data_dir / DATABASE


def facts(path: Path) -> tuple[int, str]:
    """Return the format of a database and what `old_hub` wrote last."""
    with closing(sqlite3.connect(path)) as connection:
        [version] = connection.execute("PRAGMA user_version").fetchone()
        [late] = connection.execute("SELECT value FROM meta WHERE key = 'late'").fetchone()
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return version, late


def start_and_stop(data_dir: Path, vault: Vault) -> None:
    """Open the database as the daemon does."""

    async def life() -> None:
        store = await SqliteStore.open(data_dir, vault)
        await store.close()

    asyncio.run(life())


def test_the_old_database_is_kept_whole(
    data_dir: Path, vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    """In its old format, with what was in the log; for its owner alone. The log of the daemon names it."""
    path = old_hub(data_dir)
    with caplog.at_level(logging.INFO):
        start_and_stop(data_dir, vault)

    copy = data_dir / f"{DATABASE}.format-1"
    assert facts(path) == (NEWEST, "kept")
    assert facts(copy) == (1, "kept")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert str(copy) in caplog.text
    assert {file.name for file in data_dir.iterdir()} == {DATABASE, KEY, "lock", copy.name}


def test_a_database_of_this_format_is_not_copied(data_dir: Path, vault: Vault) -> None:
    """A restart writes nothing, and neither does the very first start."""
    start_and_stop(data_dir, vault)
    start_and_stop(data_dir, vault)

    assert list(data_dir.glob("*format*")) == []


def test_a_newer_database_is_refused_with_the_way_back(data_dir: Path, vault: Vault) -> None:
    """Which is the newest copy that this release understands; nothing is written."""
    old_hub(data_dir)
    start_and_stop(data_dir, vault)
    (data_dir / f"{DATABASE}.format-{NEWEST + 1}").touch()
    with closing(sqlite3.connect(data_dir / DATABASE)) as connection:
        connection.execute(f"PRAGMA user_version = {NEWEST + 1}")

    with pytest.raises(DatabaseTooNew, match=rf"restore {data_dir / DATABASE}\.format-1 --replace"):
        start_and_stop(data_dir, vault)
    assert len(list(data_dir.glob("*format*"))) == 2


def test_the_newest_copies_are_kept(tmp_path: Path) -> None:
    """A card must not fill up with the past; files that only look alike are left alone."""
    with closing(open_database(tmp_path / DATABASE)) as connection:
        for version in (8, 9, 10, 11):
            keep_copy(connection, tmp_path / DATABASE, version)
            (tmp_path / f"{DATABASE}.format-mine").touch()

    assert KEPT == 2
    assert {path.name for path in tmp_path.glob("*format*")} == {
        f"{DATABASE}.format-10",
        f"{DATABASE}.format-11",
        f"{DATABASE}.format-mine",
    }


def test_what_a_cut_off_copy_left_is_in_nobodys_way(tmp_path: Path) -> None:
    """Power failed while it was made: the next start makes it anew, and over an older one of that format."""
    (tmp_path / f".{DATABASE}.format-3").write_bytes(b"half a copy")
    (tmp_path / f"{DATABASE}.format-3").write_bytes(b"of the last attempt")
    with closing(open_database(tmp_path / DATABASE)) as connection:
        keep_copy(connection, tmp_path / DATABASE, 3)

    with closing(sqlite3.connect(tmp_path / f"{DATABASE}.format-3")) as copy:
        assert copy.execute("PRAGMA user_version").fetchone() == (NEWEST,)
    assert not (tmp_path / f".{DATABASE}.format-3").exists()


def test_without_room_nothing_is_touched(data_dir: Path) -> None:
    """A disk filled to the brim would stop the hub for good: what is wanted is said before it begins."""
    path = old_hub(data_dir)

    with pytest.raises(StorageFailed, match=r"needs about 1 MiB .* 0 MiB are free.*free some space"):
        open_database(path, before_upgrade=lambda old, version: without_room(old, path, version))
    assert facts(path) == (1, "kept")
    assert list(data_dir.glob("*format*")) == []


def without_room(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Make the copy on a disk that has one page left."""
    keep_copy(connection, path, version, free=lambda _: 4096)


def test_a_write_that_fails_half_way_loses_nothing(data_dir: Path, vault: Vault) -> None:
    """The kernel's limit on the size of files stands for the card that takes no more."""
    path = old_hub(data_dir)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size // 2, before[1]))
    try:
        with pytest.raises(StorageFailed, match="no copy of it could be made before the upgrade"):
            start_and_stop(data_dir, vault)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert facts(path) == (1, "kept")
    assert list(data_dir.glob("*format*")) == []
    start_and_stop(data_dir, vault)
    assert facts(path) == (NEWEST, "kept")
