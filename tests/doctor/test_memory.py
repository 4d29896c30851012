"""What is wrong with key, database and data directory, in real files."""

import asyncio
import os
import shlex
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from gateway.doctor.memory import check_memory
from gateway.doctor.probe_memory import probe_memory
from gateway.domain.issues import Issue
from gateway.domain.lock import Device, LockPolicy
from gateway.domain.store import Tx
from storage.store import SqliteStore
from storage.vault import Vault
from tests.doctor.bed import FRONT, Report, remember, report, settings
from tests.mqtt.broker import free_port
from tests.other_users import NOBODY, ROOT_ONLY, nobody
from tests.storage.samples import DEVICE, KEY, store_everything


async def look(folder: Path, lock: str | None = None) -> Report:
    """Let the doctor look at the data directory below `folder`."""
    return await report(settings(folder, free_port(), rest=FRONT), lock)


def contents(data: Path) -> dict[str, tuple[bytes, int]]:
    """What lies in a data directory, byte by byte, with the times of the last change."""
    return {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in data.iterdir()}


async def test_a_sound_directory_is_in_order_and_left_as_it_is(tmp_path: Path) -> None:
    """Not a byte and not a file is added."""
    data = await remember(tmp_path, lambda tx: tx.save_device(DEVICE))
    before = contents(data)
    found = await look(tmp_path)
    assert {"key", "database", "front"} <= found.in_order
    assert contents(data) == before


async def test_a_row_that_does_not_open(tmp_path: Path) -> None:
    """SQLite sees nothing of it. The lock is named, and how to go on; the others are looked at."""
    data = await remember(
        tmp_path, store_everything, lambda tx: tx.save_device(replace(DEVICE, device_id="back"))
    )
    with closing(sqlite3.connect(data / "pinsmith.db")) as database:
        database.execute("UPDATE access_code SET pin = zeroblob(40)")
        database.commit()
    found = await look(tmp_path)
    finding = found.says("row_damaged", "The card fails", "pinsmith locks forget front")
    assert "`access_code` of the lock front" in finding.what
    assert not any("back does not open" in one.what for one in found.findings)


async def test_nothing_there_yet_is_told_and_nothing_is_made(tmp_path: Path) -> None:
    """Before the first start there is no key either, and looking makes none."""
    found = await look(tmp_path)
    found.says("database_none_yet", "never started here", "Start the daemon")
    assert not (tmp_path / "data").exists()


async def test_a_key_that_others_may_read(tmp_path: Path) -> None:
    """The daemon would not start with it."""
    data = await remember(tmp_path)
    (data / "key").chmod(0o644)
    found = await look(tmp_path)
    found.says("key_open", "Whoever has the key and the database has every PIN", f"chmod 600 {data}/key")


async def test_a_key_of_another_database(tmp_path: Path) -> None:
    """Key and database were taken from two backups."""
    data = await remember(tmp_path, lambda tx: tx.save_device(DEVICE))
    (data / "key").write_text("ab" * 32)
    found = await look(tmp_path)
    found.says("key_wrong", "two machines or two backups", "Put back the key")


async def test_a_key_that_is_gone(tmp_path: Path) -> None:
    """Only the database was copied to this machine."""
    data = await remember(tmp_path)
    (data / "key").unlink()
    found = await look(tmp_path)
    found.says("key_missing", "only the database was copied", "pinsmith restore FILE")
    assert not (data / "key").exists()


async def test_a_key_that_is_none(tmp_path: Path) -> None:
    """The file was cut short."""
    data = await remember(tmp_path)
    (data / "key").write_text("abc")
    found = await look(tmp_path)
    found.says("key_unusable", "not a key of 64 hexadecimal digits", "Put the right file back")


async def test_a_key_that_systemd_hands_over_is_used(tmp_path: Path) -> None:
    """A credential goes before the file, as it does in the daemon."""
    data = await remember(tmp_path, lambda tx: tx.save_device(DEVICE))
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (data / "key").rename(credentials / "pinsmith.key")
    facts = probe_memory(data, credentials)
    assert facts.from_credential
    assert facts.key_fits


async def test_a_file_that_holds_the_key_beside_the_credential_is_told(tmp_path: Path) -> None:
    """In clear on the card, such as after a restore; the daemon does not read it."""
    data = await remember(tmp_path)
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    shutil.copyfile(data / "key", credentials / "pinsmith.key")
    [told, *_] = check_memory(probe_memory(data, credentials), data)
    assert told.id == "key_in_clear"
    (data / "key").unlink()
    assert "key_in_clear" not in {one.id for one in check_memory(probe_memory(data, credentials), data)}


async def test_a_wrong_credential_beside_the_right_file_is_told(tmp_path: Path) -> None:
    """The daemon does not start with it, and the file that nobody reads is the one to keep."""
    data = await remember(tmp_path)
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "pinsmith.key").write_text("ab" * 32)
    [told, *_] = check_memory(probe_memory(data, credentials), data)
    assert told.id == "credential_outdated"
    assert "credential pinsmith.key is not" in told.what
    assert f"{data}/key" in told.remedy
    (data / "key").write_text("cd" * 32)
    [told, *_] = check_memory(probe_memory(data, credentials), data)
    assert told.id == "credential_wrong"


async def test_a_running_daemon_with_a_credential_lacks_no_key(tmp_path: Path) -> None:
    """What is no trouble is not told as one."""
    data = await remember(tmp_path)
    store = await SqliteStore.open(data, Vault(KEY))
    try:
        (data / "key").unlink()
        found = await look(tmp_path)
    finally:
        await store.close()
    found.says("key_elsewhere", "as a credential", "Nothing")
    assert "key_missing" not in found.ids


async def test_a_file_beside_the_credential_of_a_running_daemon_is_left_over(tmp_path: Path) -> None:
    """The daemon opened the database, so its key is right; the file is only of no use."""
    data = await remember(tmp_path)
    store = await SqliteStore.open(data, Vault(KEY))
    try:
        (data / "key").write_text("ab" * 32)
        found = await look(tmp_path)
    finally:
        await store.close()
    found.says("key_left_over", "as a credential", "CREDENTIALS_DIRECTORY=/run/credentials/pinsmith.service")
    assert "key_wrong" not in found.ids


async def test_what_a_crash_left_is_read_and_left_as_it_is(tmp_path: Path) -> None:
    """The last changes are in the log beside the database only; the next start needs both as they are."""
    (tmp_path / "running").mkdir()
    data = await remember(tmp_path)
    store = await SqliteStore.open(data, Vault(KEY))
    await store.run(lambda tx: tx.save_device(DEVICE))
    left = tmp_path / "running" / "data"
    left.mkdir(mode=0o700)
    for name in ("pinsmith.db", "pinsmith.db-wal", "key"):
        shutil.copy(data / name, left / name)
    await store.close()
    before = contents(left)
    found = await look(tmp_path / "running")
    assert {"key", "database", "front"} <= found.in_order
    assert contents(left) == before


async def test_a_database_with_overwritten_pages(tmp_path: Path) -> None:
    """A failing card."""
    data = await remember(tmp_path, *(_device(number) for number in range(60)))
    with (data / "pinsmith.db").open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        for page in range(2, size // 4096, 2):
            file.seek(page * 4096)
            file.write(b"\xff" * 2048)
    found = await look(tmp_path)
    found.says("database_damaged", "The card fails", "pinsmith restore FILE")


async def test_a_database_that_is_something_else(tmp_path: Path) -> None:
    """Somebody saved a text over it."""
    data = await remember(tmp_path)
    (data / "pinsmith.db").write_text("hello " * 1000)
    found = await look(tmp_path)
    found.says("database_damaged", "The card fails", "replace the card")


async def test_a_database_of_a_newer_release(tmp_path: Path) -> None:
    """An older release was put back without a backup."""
    data = await remember(tmp_path)
    with sqlite3.connect(data / "pinsmith.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    found = await look(tmp_path)
    told = found.says("database_too_new", "A newer release has written it", "Install that release again")
    assert "format 99" in told.what


async def test_a_database_of_an_older_release(tmp_path: Path) -> None:
    """A golden file of the first format: the next start brings it up to date, looking does not."""
    data = await remember(tmp_path)
    (data / "pinsmith.db").unlink()
    golden = Path(__file__).parents[1] / "storage" / "golden" / "v1.sql"
    with sqlite3.connect(data / "pinsmith.db") as connection:
        connection.executescript(golden.read_text())
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    (data / "pinsmith.db").chmod(0o600)
    before = (data / "pinsmith.db").read_bytes()
    found = await look(tmp_path)
    found.says("database_older", "not started yet", "Make a backup")
    assert (data / "pinsmith.db").read_bytes() == before


async def test_a_directory_and_a_database_open_to_others(tmp_path: Path) -> None:
    """They were copied by hand."""
    data = await remember(tmp_path)
    data.chmod(0o755)
    (data / "pinsmith.db").chmod(0o644)
    found = await look(tmp_path)
    found.says("directory_open", "copied or made by hand", f"chmod 700 {data}")
    found.says("database_open", "copied or restored by hand", "chmod 600")


async def test_what_closes_an_open_database_needs_no_shell_to_find_its_files(tmp_path: Path) -> None:
    """Before sudo the user's own shell would look up a *, in a folder that it may not read."""
    data = await remember(tmp_path)
    (data / "pinsmith.db-wal").touch()
    for file in data.glob("pinsmith.db*"):
        file.chmod(0o644)
    remedy = (await look(tmp_path)).one("database_open").remedy.strip("`")
    done = await asyncio.create_subprocess_exec(*shlex.split(remedy.removeprefix("sudo ")))
    assert await done.wait() == 0
    assert {file.stat().st_mode & 0o777 for file in data.glob("pinsmith.db*")} == {0o600}


async def test_a_restore_that_was_interrupted(tmp_path: Path) -> None:
    """The mark of a restore under way is still there."""
    data = await remember(tmp_path)
    (data / "restore-in-progress").touch()
    found = await look(tmp_path)
    found.says("restore_unfinished", "The power failed", "pinsmith restore FILE")


@ROOT_ONLY
async def test_files_of_two_users(tmp_path: Path) -> None:
    """`sudo pinsmith run` leaves files that the daemon's user cannot open."""
    data = await remember(tmp_path)
    os.chown(data / "key", NOBODY, NOBODY)
    found = await look(tmp_path)
    found.says("owner_mixed", "ran as root or another user once", "chown -R")


@ROOT_ONLY
async def test_a_user_who_may_not_look_is_told_so(tmp_path: Path) -> None:
    """Nothing is taken for missing that only cannot be seen."""
    await remember(tmp_path)
    how = settings(tmp_path, free_port())
    with nobody(tmp_path):
        found = await report(how)
    found.says("memory_not_looked_at", "as it should", "sudo pinsmith doctor")
    assert "database_none_yet" not in found.ids


async def test_a_log_that_another_program_keeps_from_being_emptied(tmp_path: Path) -> None:
    """A program that reads on and on: the log of the database grows behind it."""
    data = await remember(tmp_path)
    reader = sqlite3.connect(data / "pinsmith.db")
    writer = sqlite3.connect(data / "pinsmith.db", isolation_level=None)
    try:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM meta").fetchall()
        writer.execute("CREATE TABLE filler (content BLOB)")
        for _ in range(9):
            writer.execute("INSERT INTO filler VALUES (zeroblob(8000000))")
        found = await look(tmp_path)
    finally:
        writer.close()
        reader.close()
    told = found.says("database_log_large", "keeps the database open", "fuser")
    assert "MiB" in told.what


async def test_a_clock_behind_what_it_was(tmp_path: Path) -> None:
    """The battery of the clock is empty: the database knows a later time."""
    later = datetime.now(UTC) + timedelta(days=400)
    await remember(tmp_path, lambda tx: tx.save_meta("clock_floor", later.isoformat()))
    found = await look(tmp_path)
    told = found.says("clock_behind", "without a battery", "pinsmith clock")
    assert f"{later:%Y-%m-%d}" in told.what


async def test_one_lock_is_looked_at_alone(tmp_path: Path) -> None:
    """What is wrong with other locks is left out, what stops the whole hub is not."""
    low = Device(device_id="back", policy=LockPolicy(name="b", driver="simulated"), is_paired=False)
    await remember(tmp_path, lambda tx: tx.save_device(DEVICE), lambda tx: tx.save_device(low))
    found = await look(tmp_path, "front")
    assert "front" in found.in_order
    assert "broker_nobody_listens" in found.ids
    assert not any(one.where == "back" for one in found.findings)


async def test_no_finding_holds_a_secret(tmp_path: Path) -> None:
    """Neither the key nor what a lock computes from its PINs is repeated."""
    data = await remember(
        tmp_path,
        lambda tx: tx.save_device(DEVICE),
        lambda tx: tx.replace_issues("front", [Issue(code="low_battery", message="m")]),
    )
    key = (data / "key").read_text()
    text = str(await look(tmp_path))
    assert key not in text
    assert str(DEVICE.probe) not in text


def _device(number: int) -> "Saves":
    return Saves(number)


class Saves:
    """A unit that saves one more lock."""

    def __init__(self, number: int) -> None:
        self._device = Device(
            device_id=f"lock-{number}", policy=LockPolicy(name="n" * 200, driver="simulated")
        )

    def __call__(self, tx: Tx) -> None:
        tx.save_device(self._device)
