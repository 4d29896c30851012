"""One file brings database and key back, and nothing reaches a lock before somebody has looked."""

import errno
import itertools
import stat
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.domain.store import StorageFailed, Tx
from storage.backup import backup, restore
from storage.data_dir import DATABASE, RESTORING
from storage.errors import BackupUnreadable, DataDirectoryInUse, RestoreRefused, WrongKey
from storage.keys import load_key
from storage.sealed_file import Cost, unseal
from storage.sqlite import check_key, open_database, run_unit
from storage.store import SqliteStore
from storage.vault import Vault
from tests.storage.samples import CODE, DEVICE, EVENT, KEY, PINS, SECRET, event, store_everything

CHEAP = Cost(log2_n=4, r=1, p=1)
WORDS = "correct horse battery"
NOW = datetime(2026, 8, 1, 9, 30, tzinfo=UTC)


@pytest.fixture
def hub(data_dir: Path) -> Path:
    """Make the data directory of a hub that holds one of everything and does not run."""
    fill(data_dir, store_everything)
    return data_dir


@pytest.fixture
def saved(hub: Path, tmp_path: Path) -> Path:
    """Make a backup of that hub."""
    target = tmp_path / "hub.backup"
    backup(hub / DATABASE, load_key(hub, None), WORDS, target, cost=CHEAP)
    return target


def fill(data_dir: Path, unit: Callable[[Tx], None]) -> None:
    """Start a hub, carry out one unit and stop it."""
    vault = Vault(load_key(data_dir, None))
    with closing(open_database(data_dir / DATABASE)) as connection:
        run_unit(connection, vault, check_key(vault))
        run_unit(connection, vault, unit)


def test_a_large_copy_is_told_as_it_grows(hub: Path, tmp_path: Path) -> None:
    """Some megabytes: SQLite keeps two of them in memory."""

    def crowd(tx: Tx) -> None:
        for number in range(100, 20_100):
            tx.emit(event(number))

    fill(hub, crowd)
    told: list[tuple[int, int]] = []
    backup(
        hub / DATABASE,
        load_key(hub, None),
        WORDS,
        tmp_path / "hub.backup",
        cost=CHEAP,
        copied=lambda done, of: told.append((done, of)),
    )
    assert told == sorted(told)
    assert len({done for done, _ in told}) > 1
    [size] = {of for _, of in told}
    assert 0 <= told[0][0] < told[-1][0] <= size


async def test_a_new_hub_gets_everything_back(saved: Path, tmp_path: Path) -> None:
    """Codes, placements, keys of locks and the outbox, under the key of the old hub; the locks are held."""
    new = tmp_path / "new"
    assert restore(saved, WORDS, new, now=NOW) == []

    store = await SqliteStore.open(new, Vault(load_key(new, None)))
    snapshot = await store.run(lambda tx: tx.snapshot("front"))
    waiting = await store.run(lambda tx: tx.undelivered(9))
    keys_of_lock = await store.run(lambda tx: tx.secret("front"))
    await store.close()
    assert keys_of_lock == SECRET
    assert snapshot is not None
    assert snapshot.device == replace(DEVICE, held_for_restore=True)
    assert snapshot.codes == {"code-1": CODE}
    assert [(stored.seq, stored.event) for stored in waiting] == [(1, EVENT)]
    assert sorted(path.name for path in new.iterdir()) == ["key", "lock", DATABASE]


def test_a_key_of_another_database_is_not_sealed_with_this_one(hub: Path, tmp_path: Path) -> None:
    """Nobody would notice before the day on which the backup is needed; an older one there stays as it is."""
    target = tmp_path / "hub.backup"
    target.write_bytes(b"of yesterday")
    with pytest.raises(WrongKey, match=r"CREDENTIALS_DIRECTORY=/run/credentials/pinsmith\.service"):
        backup(hub / DATABASE, bytes(32), WORDS, target, cost=CHEAP)
    assert target.read_bytes() == b"of yesterday"


def test_every_lock_is_held(hub: Path, tmp_path: Path) -> None:
    """Codes may have changed since, on any of them."""
    fill(hub, lambda tx: tx.save_device(replace(DEVICE, device_id="back", held_for_restore=False)))
    backup(hub / DATABASE, load_key(hub, None), WORDS, tmp_path / "file", cost=CHEAP)
    new = tmp_path / "new"
    restore(tmp_path / "file", WORDS, new, now=NOW)

    with closing(open_database(new / DATABASE)) as connection:
        devices = run_unit(connection, Vault(load_key(new, None)), lambda tx: tx.devices())
    assert {device.device_id: device.held_for_restore for device in devices} == {"front": True, "back": True}


async def test_works_while_the_daemon_runs(data_dir: Path, tmp_path: Path) -> None:
    """What is committed is in it, from the log too, and the daemon writes on."""
    key = load_key(data_dir, None)
    store = await SqliteStore.open(data_dir, Vault(key))
    await store.run(store_everything)
    backup(data_dir / DATABASE, key, WORDS, tmp_path / "file", cost=CHEAP)
    await store.run(lambda tx: tx.drop_code("code-1"))
    await store.close()

    restore(tmp_path / "file", WORDS, data_dir, now=NOW, replace=True)
    store = await SqliteStore.open(data_dir, Vault(key))
    assert await store.run(lambda tx: tx.code("code-1")) == CODE
    await store.close()


def test_the_file_is_private_and_shows_nothing(hub: Path, saved: Path, tmp_path: Path) -> None:
    """Neither PINs, names, the key nor those of locks; nothing is left beside it or beside the database."""
    content = saved.read_bytes()

    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    for secret in (*PINS, "Günther", "access_code", load_key(hub, None).hex()):
        assert secret.encode() not in content
    assert load_key(hub, None) not in content
    assert SECRET not in content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "hub.backup"]
    assert sorted(path.name for path in hub.iterdir()) == ["key", DATABASE]


def test_a_backup_replaces_the_one_before_only_when_complete(hub: Path, saved: Path) -> None:
    """A nightly job writes the same name; one that fails must not cost the last good file."""
    first = saved.read_bytes()
    with pytest.raises(StorageFailed, match="cannot be opened"):
        backup(hub / "no-such.db", KEY, WORDS, saved, cost=CHEAP)
    assert saved.read_bytes() == first
    assert not (hub / "no-such.db").exists()

    backup(hub / DATABASE, load_key(hub, None), WORDS, saved, cost=CHEAP)
    assert saved.read_bytes() != first
    with saved.open("rb") as file:
        assert unseal(file, WORDS)[0] == load_key(hub, None)


def test_a_short_passphrase_is_refused(hub: Path, tmp_path: Path) -> None:
    """Whoever finds the file can try at leisure."""
    with pytest.raises(StorageFailed, match="at least 10 characters"):
        backup(hub / DATABASE, KEY, "123456789", tmp_path / "file", cost=CHEAP)
    assert not (tmp_path / "file").exists()


def test_a_target_that_cannot_be_written_is_named(hub: Path, tmp_path: Path) -> None:
    """For instance a stick that is not there."""
    with pytest.raises(StorageFailed, match=r"could not be written: .*/gone: No such file"):
        backup(hub / DATABASE, load_key(hub, None), WORDS, tmp_path / "gone" / "file", cost=CHEAP)


def test_an_existing_database_is_not_overwritten(hub: Path, saved: Path) -> None:
    """Restoring on the wrong hub would lose its codes."""
    before = (hub / DATABASE).read_bytes()

    with pytest.raises(RestoreRefused, match="--replace"):
        restore(saved, WORDS, hub, now=NOW)
    assert (hub / DATABASE).read_bytes() == before


def test_a_replaced_database_is_kept_with_its_key(hub: Path, saved: Path, tmp_path: Path) -> None:
    """It still opens, with what only its log held."""
    other = tmp_path / "other"
    old_key = load_key(other, None)
    vault = Vault(old_key)
    connection = open_database(other / DATABASE)
    run_unit(connection, vault, lambda tx: tx.save_meta("only here", "yes"))
    # Left open, so that the change is still in the log.
    kept = restore(saved, WORDS, other, now=NOW, replace=True)
    connection.close()

    assert [path.name for path in kept] == [
        "key.replaced-20260801T093000Z",
        f"{DATABASE}.replaced-20260801T093000Z",
        f"{DATABASE}.replaced-20260801T093000Z-wal",
    ]
    assert bytes.fromhex(kept[0].read_text()) == old_key
    with closing(open_database(kept[1])) as again:
        assert run_unit(again, vault, lambda tx: tx.meta("only here")) == "yes"
    assert load_key(other, None) == load_key(hub, None)
    with closing(open_database(other / DATABASE)) as restored:
        assert run_unit(restored, Vault(load_key(hub, None)), lambda tx: tx.code("code-1")) == CODE


def test_a_key_that_systemd_hands_over_is_not_laid_beside_the_database(hub: Path, saved: Path) -> None:
    """It may be sealed to the machine, and then is in no copy of the card. A left-over file is put aside."""
    key = load_key(hub, None)
    (hub / "key").write_text("11" * 32)

    kept = restore(saved, WORDS, hub, now=NOW, replace=True, handed=key)

    assert not (hub / "key").exists()
    assert "11" * 32 in [path.read_text() for path in kept if path.name.startswith("key.replaced")]
    with closing(open_database(hub / DATABASE)) as restored:
        assert run_unit(restored, Vault(key), lambda tx: tx.code("code-1")) == CODE


def test_another_key_than_systemd_hands_over_is_laid_there(hub: Path, saved: Path, tmp_path: Path) -> None:
    """Nothing but the backup has it."""
    restore(saved, WORDS, tmp_path / "new", now=NOW, handed=bytes(32))

    assert load_key(tmp_path / "new", None) == load_key(hub, None)


async def test_a_running_daemon_is_not_restored_under(
    store: SqliteStore, saved_elsewhere: Path, data_dir: Path
) -> None:
    """It would go on with the old database and write the old codes."""
    with pytest.raises(DataDirectoryInUse):
        restore(saved_elsewhere, WORDS, data_dir, now=NOW, replace=True)

    await store.run(lambda tx: tx.save_device(DEVICE))


@pytest.fixture
def saved_elsewhere(tmp_path: Path) -> Path:
    """Make a backup of another hub."""
    fill(tmp_path / "elsewhere", store_everything)
    target = tmp_path / "elsewhere.backup"
    key = load_key(tmp_path / "elsewhere", None)
    backup(tmp_path / "elsewhere" / DATABASE, key, WORDS, target, cost=CHEAP)
    return target


async def test_an_interrupted_restore_is_taken_up_again(hub: Path, saved: Path) -> None:
    """It had its permission; until it is through, no daemon starts."""
    (hub / RESTORING).touch()
    (hub / "key").unlink()

    restore(saved, WORDS, hub, now=NOW)

    store = await SqliteStore.open(hub, Vault(load_key(hub, None)))
    assert await store.run(lambda tx: tx.code("code-1")) == CODE
    await store.close()


@pytest.mark.parametrize("moved", range(4))
def test_a_restore_cut_off_anywhere_can_be_run_again(
    hub: Path, saved_elsewhere: Path, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    """Old and new files never mix, and the old database is still there in the end, with its key."""
    old_key, old_database = load_key(hub, None), (hub / DATABASE).read_bytes()
    rename, renamed = Path.rename, itertools.count()

    def dying(path: Path, target: Path) -> Path:
        if next(renamed) == moved:
            raise OSError(errno.EIO, "the card is gone")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", dying)
    with pytest.raises(StorageFailed, match="the card is gone"):
        restore(saved_elsewhere, WORDS, hub, now=NOW, replace=True)
    assert (hub / RESTORING).exists()

    restore(saved_elsewhere, WORDS, hub, now=NOW)

    assert not (hub / RESTORING).exists()
    vault = Vault(load_key(hub, None))
    with closing(open_database(hub / DATABASE)) as connection:
        run_unit(connection, vault, check_key(vault))
        assert run_unit(connection, vault, lambda tx: tx.code("code-1")) == CODE
    assert old_key.hex() in [path.read_text().strip() for path in hub.glob("key.replaced-*")]
    assert old_database in [path.read_bytes() for path in hub.glob(f"{DATABASE}.replaced-*")]


def test_a_backup_of_a_newer_release_is_refused(hub: Path, tmp_path: Path) -> None:
    """A fresh system may come with an older one than the hub had."""
    with closing(open_database(hub / DATABASE)) as connection:
        connection.execute("PRAGMA user_version = 9999")
    backup(hub / DATABASE, load_key(hub, None), WORDS, tmp_path / "file", cost=CHEAP)

    with pytest.raises(BackupUnreadable, match="newer pinsmith: install that release"):
        restore(tmp_path / "file", WORDS, tmp_path / "new", now=NOW)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda _: b"", "not a pinsmith backup"),
        (lambda _: b"SQLite format 3\0" * 100, "not a pinsmith backup"),
        (lambda good: good[:30], "not a pinsmith backup"),
        (lambda good: good[:60], "passphrase is wrong, or"),
        (lambda good: good[:1000], "damaged or cut short"),
        (lambda good: good[:-1], "damaged or cut short"),
        (lambda good: good + b"x", "damaged or cut short"),
        (lambda good: good[:-1] + bytes([good[-1] ^ 1]), "damaged or cut short"),
        (lambda good: good[:16] + b"\x02" + good[17:], "use a newer one"),
        (lambda good: good[:17] + b"\x1f" + good[18:], "use a newer one"),
        (lambda good: good[:17] + b"\x00" + good[18:], "use a newer one"),
        (lambda good: good[:19] + b"\xff" + good[20:], "use a newer one"),
        (lambda good: good[:17] + b"\x10\x01" + good[19:], "use a newer one"),
        (lambda good: good[:25] + b"????" + good[29:], "passphrase is wrong, or"),
    ],
    ids=[
        "empty",
        "a database",
        "half a header",
        "no key",
        "cut in a piece",
        "cut at the end",
        "longer",
        "a bit flipped",
        "newer format",
        "asks for too much memory",
        "asks for nothing",
        "asks for too many passes",
        "asks for what scrypt does not have",
        "other salt",
    ],
)
def test_a_file_that_is_not_whole_changes_nothing(
    saved: Path, tmp_path: Path, content: Callable[[bytes], bytes], said: str
) -> None:
    """All of it is checked before the first file is moved."""
    bad, new = tmp_path / "bad", tmp_path / "new"
    bad.write_bytes(content(saved.read_bytes()))

    with pytest.raises(BackupUnreadable, match=said):
        restore(bad, WORDS, new, now=NOW)
    assert [path.name for path in new.iterdir()] == ["lock"]


def test_a_wrong_passphrase_is_told_apart_from_damage(saved: Path, tmp_path: Path) -> None:
    """So that nobody throws a good backup away."""
    with pytest.raises(BackupUnreadable, match="passphrase is wrong"):
        restore(saved, WORDS + "!", tmp_path / "new", now=NOW)


def test_a_passphrase_is_the_same_however_it_is_typed(tmp_path: Path) -> None:
    """Keyboards differ in how they compose an umlaut."""
    fill(tmp_path / "hub", store_everything)
    key = load_key(tmp_path / "hub", None)
    backup(tmp_path / "hub" / DATABASE, key, "Schl\u00fcsselbund", tmp_path / "file", cost=CHEAP)

    restore(tmp_path / "file", "Schlu\u0308sselbund", tmp_path / "new", now=NOW)
    assert load_key(tmp_path / "new", None) == key


def test_a_machine_without_the_memory_says_so(
    saved: Path, hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not that the passphrase is wrong, nor with a traceback."""

    def derive(*_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr("cryptography.hazmat.primitives.kdf.scrypt.Scrypt.derive", derive)
    with pytest.raises(StorageFailed, match="needs 1 MiB of memory at once"):
        restore(saved, WORDS, tmp_path / "new", now=NOW)
    with pytest.raises(StorageFailed, match="needs 64 MiB of memory at once"):
        backup(hub / DATABASE, load_key(hub, None), WORDS, tmp_path / "another")
    assert not (tmp_path / "another").exists()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """And no database is made in its place."""
    with pytest.raises(StorageFailed, match="could not be restored: No such file"):
        restore(tmp_path / "gone", WORDS, tmp_path / "new", now=NOW)
    assert not (tmp_path / "new" / DATABASE).exists()
