"""A database is checked before it is used, brought up to date, and refused where that would be wrong."""

import re
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from gateway.domain.credential import Evidence, Known
from gateway.domain.pin import Pin
from gateway.domain.store import StorageFailed, Tx
from storage.data_dir import DATABASE
from storage.errors import DatabaseDamaged, DatabaseTooNew, RestoreUnfinished
from storage.keys import load_key
from storage.schema import bring_up_to_date, migrations
from storage.sqlite import check_key, open_database, run_unit
from storage.store import SqliteStore
from storage.vault import Vault
from tests.storage.samples import CHECKSUM, EVENT, INTENT, SECRET, check_everything, store_everything

GOLDEN = Path(__file__).parent / "golden"
FIRST_WITH_KEYS = 3
FIRST_WITH_WHY = 4
VERSIONS = [number for number, _ in migrations()]


def schema_of(connection: sqlite3.Connection) -> list[str]:
    """Return what the database says of its own shape."""
    return [
        sql for (sql,) in connection.execute("SELECT sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY name")
    ]


def damage(path: Path, *, at: int) -> None:
    """Overwrite part of a file."""
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * 512)


def test_migrations_are_numbered_without_a_gap() -> None:
    """The number is the version of the format."""
    assert list(range(1, len(VERSIONS) + 1)) == VERSIONS


def test_every_format_has_a_golden_database() -> None:
    """Whoever adds a migration records a database first: python -m tests.storage.record_golden."""
    assert {path.name for path in GOLDEN.iterdir()} == {f"v{number}.sql" for number in VERSIONS}


@pytest.mark.parametrize("version", VERSIONS)
def test_an_old_database_opens_with_everything_in_it(tmp_path: Path, vault: Vault, version: int) -> None:
    """A hub may be updated after years."""
    path = tmp_path / DATABASE
    with closing(sqlite3.connect(path)) as old:
        old.executescript((GOLDEN / f"v{version}.sql").read_text())
        assert old.execute("PRAGMA user_version").fetchone() == (version,)

    with closing(open_database(path)) as connection, closing(open_database(":memory:")) as fresh:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSIONS[-1],)
        assert schema_of(connection) == schema_of(fresh)
        run_unit(connection, vault, check_key(vault))
        run_unit(connection, vault, _check_golden)
        keys = SECRET if version >= FIRST_WITH_KEYS else None
        assert run_unit(connection, vault, lambda tx: tx.secret("front")) == keys
        [written] = run_unit(connection, vault, lambda tx: tx.journal("code-1", limit=9))
        [told] = run_unit(connection, vault, lambda tx: tx.undelivered(9))
        assert (written.why, told.event.asked) == (
            (INTENT.why, EVENT.asked) if version >= FIRST_WITH_WHY else (None, {})
        )
        run_unit(connection, vault, lambda tx: tx.forget_device("front"))


def _check_golden(tx: Tx) -> None:
    """Assert what no release may lose. Fields that come and go with releases are not compared."""
    snapshot = tx.snapshot("front")
    assert snapshot is not None
    assert snapshot.device.identity is not None
    assert snapshot.device.identity.serial == "s"
    assert snapshot.device.probe == CHECKSUM
    code, placement = snapshot.codes["code-1"], snapshot.placements["code-1"]
    assert (code.pin, code.name, code.revision) == (Pin("739184"), "Günther", 4)
    assert placement.slot == "30"
    assert placement.confirmed is not None
    assert placement.confirmed.credential.pin == Pin("90210")
    assert placement.confirmed.evidence is Evidence.USED
    assert set(snapshot.slots) == {"1", "29", "30"}
    reading = snapshot.slots["1"].reading
    assert isinstance(reading, Known)
    assert reading.credential.pin == Pin("551177")
    assert [intent.intent_id for intent in snapshot.intents] == ["intent-1", "intent-2"]
    assert snapshot.intents[0].target is not None
    assert [issue.code for issue in tx.issues("front")] == ["failed_to_set_on_device"]
    assert tx.announced("front")["code-1"].status == "set"
    assert [stored.event.event_id for stored in tx.undelivered(9)] == ["event-1"]
    assert tx.reply("app", "access_codes/get", "t-1") == (tx.digest(b"body"), b'{"code":"424299"}')
    assert tx.tombstones() == ["access_code/gone/state"]
    assert tx.meta("clock_floor") == "2026-07-01T12:00:00Z"


def test_opening_again_changes_nothing(tmp_path: Path, vault: Vault) -> None:
    """Migrations are carried out once."""
    with closing(open_database(tmp_path / DATABASE)) as connection:
        run_unit(connection, vault, store_everything)
    with closing(open_database(tmp_path / DATABASE)) as connection:
        assert connection.total_changes == 0
        run_unit(connection, vault, check_everything)


def test_every_connection_has_the_settings_that_survive_power_cuts(connection: sqlite3.Connection) -> None:
    """They belong to the connection and not to the file, apart from the log."""
    settings = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
    }

    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "busy_timeout": 5000,
    }


def test_every_table_is_strict(connection: sqlite3.Connection) -> None:
    """Otherwise SQLite stores a text where a sealed value should be."""
    tables = connection.execute(
        "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()

    assert len(tables) > 10
    assert [name for name, strict in tables if not strict] == []


def test_files_are_for_their_owner_alone(
    connection: sqlite3.Connection, vault: Vault, tmp_path: Path
) -> None:
    """The log of a database holds what the database holds."""
    run_unit(connection, vault, store_everything)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}

    assert modes == dict.fromkeys([DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"], 0o600)


def test_a_newer_database_is_refused_untouched(tmp_path: Path) -> None:
    """After going back to an older release, guessing would destroy what the newer one wrote."""
    path = tmp_path / DATABASE
    with closing(open_database(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSIONS[-1] + 1}")
    before = path.read_bytes()

    with pytest.raises(DatabaseTooNew, match="newer pinsmith"):
        open_database(path)
    assert path.read_bytes() == before


def test_a_damaged_database_is_refused_with_the_way_out(tmp_path: Path, vault: Vault) -> None:
    """The message names the file and what to do with it."""
    path = tmp_path / DATABASE
    with closing(open_database(path)) as connection:
        run_unit(connection, vault, store_everything)
    damage(path, at=4096)

    with pytest.raises(
        DatabaseDamaged, match=re.escape(f"{path} is damaged. Stop pinsmith and run `pinsmith restore FILE`")
    ):
        open_database(path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """And it is not overwritten."""
    path = tmp_path / DATABASE
    path.write_bytes(b"holiday photo" * 100)

    with pytest.raises(DatabaseDamaged, match="is damaged"):
        open_database(path)
    assert path.read_bytes() == b"holiday photo" * 100


def test_rows_without_owner_are_damage(tmp_path: Path) -> None:
    """Somebody deleted a lock by hand with the foreign keys off."""
    path = tmp_path / DATABASE
    with closing(open_database(path)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("INSERT INTO slot VALUES ('nobody', '1', x'00')")

    with pytest.raises(DatabaseDamaged):
        open_database(path)


def test_a_body_that_no_release_writes_is_damage(connection: sqlite3.Connection, vault: Vault) -> None:
    """Somebody edited an issue by hand; what stands there is not quoted."""
    run_unit(connection, vault, store_everything)
    connection.execute("UPDATE issue SET body = '{\"code\": 918273}'")

    with pytest.raises(DatabaseDamaged) as refused:
        run_unit(connection, vault, lambda tx: tx.issues("front"))
    assert "918273" not in str(refused.value)


def test_a_place_without_a_log_is_refused() -> None:
    """Without it nothing promises that a commit survives; a network file system is such a place."""
    nowhere = sqlite3.connect("", isolation_level=None)

    with closing(nowhere), pytest.raises(StorageFailed, match="a file system of this machine"):
        bring_up_to_date(nowhere, "/mnt/share/pinsmith.db")


def test_damage_found_later_is_told_in_plain_words(tmp_path: Path, vault: Vault) -> None:
    """A card that dies while the daemon runs fails the unit and not the process."""
    path = tmp_path / DATABASE
    with closing(open_database(path)) as connection:
        run_unit(connection, vault, store_everything)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for at in range(4096, path.stat().st_size, 4096):
            damage(path, at=at)

        with pytest.raises(StorageFailed, match=r"damaged: stop pinsmith.*SQLITE_CORRUPT"):
            run_unit(connection, vault, lambda tx: tx.devices())


def test_a_place_without_room_for_files_is_named(tmp_path: Path) -> None:
    """For instance a folder in the place of the database."""
    (tmp_path / DATABASE).mkdir()

    with pytest.raises(StorageFailed, match="cannot be opened"):
        open_database(tmp_path / DATABASE)


async def test_a_data_directory_that_cannot_be_is_named(tmp_path: Path, vault: Vault) -> None:
    """For instance below a file."""
    (tmp_path / "file").write_text("")

    with pytest.raises(StorageFailed, match="cannot be used"):
        await SqliteStore.open(tmp_path / "file" / "data", vault)


async def test_a_failed_start_leaves_the_directory_free(data_dir: Path, vault: Vault) -> None:
    """After mending, the next start succeeds in the same process."""
    load_key(data_dir, None)
    foreign = data_dir / DATABASE
    foreign.write_bytes(b"holiday photo" * 100)
    with pytest.raises(DatabaseDamaged):
        await SqliteStore.open(data_dir, vault)
    foreign.unlink()

    store = await SqliteStore.open(data_dir, vault)
    await store.close()


async def test_a_half_finished_restore_stops_the_start(data_dir: Path, vault: Vault) -> None:
    """Database and key might not belong together."""
    load_key(data_dir, None)
    (data_dir / "restore-in-progress").touch()

    with pytest.raises(RestoreUnfinished, match="run `pinsmith restore` again"):
        await SqliteStore.open(data_dir, vault)
    assert not (data_dir / DATABASE).exists()
