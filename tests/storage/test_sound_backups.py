"""What does not open is noticed when a backup is made, while older ones are still good, and at a restore."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.domain.store import StorageFailed, Tx
from storage.backup import RESERVE, backup, go_back, restore
from storage.data_dir import BACKING_UP, DATABASE
from storage.errors import BackupUnreadable
from storage.keys import load_key
from storage.sealed_file import seal
from storage.sqlite import open_database, run_unit
from storage.vault import Vault
from tests.storage.samples import DEVICE, store_everything
from tests.storage.test_backup import CHEAP, NOW, WORDS, fill

COLUMNS = [
    ("access_code", "pin"),
    ("device", "sealed"),
    ("placement", "sealed"),
    ("slot", "sealed"),
    ("intent", "sealed"),
    ("lock_secret", "sealed"),
]


def everything(tx: Tx) -> None:
    """Store one of everything about `front`, and a lock that stays sound."""
    store_everything(tx)
    tx.save_device(replace(DEVICE, device_id="back"))


@pytest.fixture
def hub(data_dir: Path) -> Path:
    """Make the data directory of a hub that does not run."""
    fill(data_dir, everything)
    return data_dir


def flip(database: Path, table: str, column: str) -> None:
    """Turn one bit of a sealed value of the lock `front`, and nothing that SQLite would see."""
    with closing(sqlite3.connect(database)) as connection:
        [row, sealed] = connection.execute(
            f"SELECT rowid, {column} FROM {table} WHERE device_id = 'front' AND {column} IS NOT NULL"  # noqa: S608 - names of ours
        ).fetchone()
        changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (changed, row))  # noqa: S608 - names of ours
        connection.commit()


def sealed_as_it_is(hub: Path, target: Path) -> Path:
    """Make a backup as a release did that looked at nothing."""
    with (hub / DATABASE).open("rb") as source:
        target.write_bytes(b"".join(seal(source, load_key(hub, None), WORDS, CHEAP)))
    return target


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_what_does_not_open_is_not_backed_up(hub: Path, tmp_path: Path, table: str, column: str) -> None:
    """It says which lock it is and both ways out; the backup of yesterday stays."""
    target = tmp_path / "hub.backup"
    target.write_bytes(b"of yesterday")
    flip(hub / DATABASE, table, column)
    with pytest.raises(StorageFailed, match=rf"front \({table}\).*restore.*locks forget front") as refused:
        backup(hub / DATABASE, load_key(hub, None), WORDS, target, cost=CHEAP)
    assert "back (" not in str(refused.value)
    assert target.read_bytes() == b"of yesterday"
    assert sorted(path.name for path in hub.iterdir()) == ["key", DATABASE]


def test_the_rest_is_backed_up_once_the_lock_is_given_up(hub: Path, tmp_path: Path) -> None:
    """As the message says."""
    flip(hub / DATABASE, "access_code", "pin")
    fill(hub, lambda tx: tx.forget_device("front"))
    backup(hub / DATABASE, load_key(hub, None), WORDS, tmp_path / "file", cost=CHEAP)
    restore(tmp_path / "file", WORDS, tmp_path / "new", now=NOW)
    assert ids(tmp_path / "new") == ["back"]


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_damaged_backup_is_refused_before_anything_is_moved(
    hub: Path, tmp_path: Path, table: str, column: str
) -> None:
    """Such as one that an older release made."""
    flip(hub / DATABASE, table, column)
    file = sealed_as_it_is(hub, tmp_path / "file")
    new = tmp_path / "new"
    with pytest.raises(BackupUnreadable, match=rf"front \({table}\).*older one.*--damaged"):
        restore(file, WORDS, new, now=NOW)
    assert [path.name for path in new.iterdir()] == ["lock"]


@pytest.mark.parametrize("table", ["access_code", "device"])
def test_the_only_backup_there_is_can_be_taken_nevertheless(hub: Path, tmp_path: Path, table: str) -> None:
    """All that opens comes back and is held; the rest waits for somebody to forget it."""
    flip(hub / DATABASE, table, "pin" if table == "access_code" else "sealed")
    file, new = sealed_as_it_is(hub, tmp_path / "file"), tmp_path / "new"
    restore(file, WORDS, new, now=NOW, damaged=True)
    with closing(open_database(new / DATABASE)) as connection:
        back = run_unit(connection, Vault(load_key(new, None)), lambda tx: tx.device("back"))
    assert back is not None
    assert back.held_for_restore
    assert ids(new) == ["back", "front"]


def test_a_damaged_copy_of_before_an_upgrade_is_refused_too(hub: Path) -> None:
    """The database that is there stays."""
    copy = hub / f"{DATABASE}.format-3"
    copy.write_bytes((hub / DATABASE).read_bytes())
    flip(copy, "access_code", "pin")
    before = (hub / DATABASE).read_bytes()
    key = load_key(hub, None)
    with pytest.raises(BackupUnreadable, match="front"):
        go_back(copy, key, hub, now=NOW, replace=True)
    assert (hub / DATABASE).read_bytes() == before
    go_back(copy, key, hub, now=NOW, replace=True, damaged=True)


def test_a_database_of_an_older_format_can_be_backed_up(hub: Path, tmp_path: Path) -> None:
    """Before the daemon of a new release has brought it up to date; what it holds only that one reads."""
    with closing(sqlite3.connect(hub / DATABASE)) as connection:
        connection.execute("DROP TABLE lock_secret")
        connection.execute("PRAGMA user_version = 2")
    backup(hub / DATABASE, load_key(hub, None), WORDS, tmp_path / "file", cost=CHEAP)


def test_without_room_nothing_is_begun(hub: Path, tmp_path: Path) -> None:
    """A card that is filled up to the last byte would stop the daemon too."""

    def free(_: Path) -> int:
        assert not list(hub.glob(f"{BACKING_UP}*"))
        return 0

    with pytest.raises(StorageFailed, match=r"needs about \d+ MiB in .* and 0 MiB are free"):
        backup(hub / DATABASE, load_key(hub, None), WORDS, tmp_path / "file", cost=CHEAP, free=free)
    assert not (tmp_path / "file").exists()
    assert sorted(path.name for path in hub.iterdir()) == ["key", DATABASE]


def test_both_copies_need_room_on_one_disk(hub: Path, tmp_path: Path) -> None:
    """One beside the database, and the sealed one."""
    size = (hub / DATABASE).stat().st_size
    one = RESERVE + size
    with pytest.raises(StorageFailed, match="are free"):
        backup(hub / DATABASE, load_key(hub, None), WORDS, tmp_path / "file", cost=CHEAP, free=lambda _: one)
    backup(
        hub / DATABASE, load_key(hub, None), WORDS, tmp_path / "file", cost=CHEAP, free=lambda _: one + size
    )


def ids(data_dir: Path) -> list[str]:
    """Return the locks that a database remembers."""
    with closing(open_database(data_dir / DATABASE)) as connection:
        return list(run_unit(connection, Vault(load_key(data_dir, None)), lambda tx: tx.device_ids()))
