"""Backups from the command line, on a real database."""

import io
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.cli.backup import shown
from gateway.cli.exits import Exit
from storage.keys import load_key
from storage.store import SqliteStore
from storage.vault import Vault
from tests.cli.conftest import House, Keys, Pinsmith
from tests.cli.samples import PLAN
from tests.mqtt.broker import eventually
from tests.storage.samples import store_everything

CLEARED = "\x1b[2K"
"""What a terminal is told before a line is written anew."""
PASSPHRASE = "correct horse battery"


async def opened(house: House) -> SqliteStore:
    """The gateway's memory as the daemon opens it."""
    folder = house.folder / "var"
    return await SqliteStore.open(folder, Vault(load_key(folder, None)))


@pytest.fixture
async def database(house: House) -> None:
    """A database that remembers one thing."""
    store = await opened(house)
    await store.run(lambda tx: tx.save_meta("gateway_id", "home"))
    await store.close()


@pytest.fixture
def backup(house: House, pinsmith: Pinsmith, database: None) -> Path:  # noqa: ARG001 - must be there
    """A backup of it."""
    file = house.folder / "backup.pinsmith"
    done = pinsmith("backup", str(file), typed=(PASSPHRASE, PASSPHRASE))
    assert done.code == Exit.OK
    assert PASSPHRASE not in done.out + done.err
    return file


async def test_a_backup_is_restored_and_must_be_confirmed(
    house: House, pinsmith: Pinsmith, backup: Path
) -> None:
    """The database that was there is kept aside; what follows is said."""
    secret = house.folder / "passphrase"
    secret.write_text(f"{PASSPHRASE}\n")
    store = await opened(house)
    await store.run(lambda tx: tx.save_meta("gateway_id", "changed since"))
    await store.close()

    done = pinsmith("restore", str(backup), "--replace", "--passphrase-file", str(secret))

    assert done.code == Exit.OK
    assert "pinsmith restore --confirm" in done.out
    assert any(line.startswith("kept: ") for line in done.lines)
    store = await opened(house)
    assert await store.run(lambda tx: tx.meta("gateway_id")) == "home"
    await store.close()


@pytest.mark.parametrize("handed", ["the same", "another", None])
def test_it_says_where_the_key_lies_unless_systemd_hands_it_over(
    house: House, pinsmith: Pinsmith, backup: Path, handed: str | None
) -> None:
    """Where the daemon takes it from a credential, it would not open the database with the one of before."""
    key = house.folder / "var" / "key"
    if handed is not None:
        credential = house.folder / "credentials" / "pinsmith.key"
        credential.parent.mkdir()
        credential.write_text(key.read_text() if handed == "the same" else "11" * 32)
        house.env["CREDENTIALS_DIRECTORY"] = str(credential.parent)

    done = pinsmith("restore", str(backup), "--replace", typed=(PASSPHRASE,))

    assert done.code == Exit.OK
    assert (f"the key is now in {key}" in done.out, key.exists()) == (handed != "the same",) * 2


@pytest.mark.parametrize(("typed", "sent"), [("y\n", True), ("\n", False)])
def test_the_plan_is_shown_before_a_restore_is_confirmed(
    house: House, pinsmith: Pinsmith, typed: str, *, sent: bool
) -> None:
    """Nothing goes on before somebody has said that it is right."""
    house.answers["plan/get"] = {"plans": [PLAN | {"gate": "held_for_restore"}]}

    done = pinsmith("restore", "--confirm", stdin=Keys(typed))

    assert done.lines[0].startswith("front-door: held for restore")
    assert any(PLAN["steps"][0]["why"] in line for line in done.lines)
    assert "Is this plan right?" in done.err
    assert [verb for verb, _ in house.asked] == ["plan/get"] + ["restore/confirm"] * sent
    assert done.code == (Exit.OK if sent else Exit.FAILED)


def test_where_nobody_can_be_asked_a_restore_is_not_confirmed(house: House, pinsmith: Pinsmith) -> None:
    """A program says --yes."""
    house.answers["plan/get"] = {"plans": [PLAN]}

    done = pinsmith("restore", "--confirm")

    assert done.code == Exit.USAGE
    assert "--yes" in done.err
    assert [verb for verb, _ in house.asked] == ["plan/get"]


def test_a_plan_that_nobody_sees_is_not_confirmed(house: House, pinsmith: Pinsmith) -> None:
    """With --json it would stand in the way of the answer."""
    done = pinsmith("restore", "--confirm", "--json", stdin=Keys("y\n"))

    assert done.code == Exit.USAGE
    assert house.asked == []


def test_a_wrong_passphrase_changes_nothing(house: House, pinsmith: Pinsmith, backup: Path) -> None:
    """The message does not repeat it."""
    before = (house.folder / "var" / "pinsmith.db").read_bytes()

    done = pinsmith("restore", str(backup), "--replace", typed=("wrong horse battery",))

    assert done.code == Exit.FAILED
    assert "wrong horse" not in done.err
    assert (house.folder / "var" / "pinsmith.db").read_bytes() == before


def test_a_database_is_not_overwritten_unasked(pinsmith: Pinsmith, backup: Path) -> None:
    """The message names the option."""
    done = pinsmith("restore", str(backup), typed=(PASSPHRASE,))

    assert done.code == Exit.FAILED
    assert "--replace" in done.err


def test_without_a_database_there_is_nothing_to_back_up(house: House, pinsmith: Pinsmith) -> None:
    """No empty database and no key appear by asking; it says where it looked and what to do."""
    done = pinsmith("backup", str(house.folder / "backup.pinsmith"))

    assert done.code == Exit.USAGE
    assert f"no database in {house.folder}/var" in done.err
    assert "gateway.data_directory" in done.err
    assert not (house.folder / "var").exists()


def test_a_passphrase_file_that_cannot_be_read_is_named(
    house: House, pinsmith: Pinsmith, backup: Path
) -> None:
    """Nothing is asked for in its place: nobody may be there."""
    done = pinsmith("restore", str(backup), "--passphrase-file", str(house.folder / "absent"))

    assert (done.code, done.err) == (
        Exit.FAILED,
        f"pinsmith: {house.folder}/absent: cannot be read: No such file or directory\n",
    )


@pytest.mark.parametrize("at_a_terminal", [True, False])
def test_a_terminal_sees_how_far_the_backup_is(tmp_path: Path, *, at_a_terminal: bool) -> None:
    """A file or a timer's log sees nothing of it."""
    (tmp_path / "file").write_bytes(b"x" * 5000)
    out = Keys() if at_a_terminal else io.StringIO()
    with shown(out) as (_, watched), (tmp_path / "file").open("rb") as source:
        assert watched(source).read() == b"x" * 5000
    assert ("Sealing" in out.getvalue(), "100%" in out.getvalue()) == (at_a_terminal, at_a_terminal)


def test_a_terminal_sees_that_the_database_is_copied_first(tmp_path: Path) -> None:
    """A large one takes a minute, in which nothing is sealed yet; then that takes the place of this."""
    (tmp_path / "file").write_bytes(b"x" * 5000)
    out = Keys()
    with shown(out) as (_, watched), (tmp_path / "file").open("rb") as source:
        assert "Copying the database" in out.getvalue()
        watched(source).read()
    *_, last, _ = out.getvalue().split(CLEARED)
    assert ("Copying" in last, "Sealing" in last) == (False, True)


async def test_a_terminal_sees_how_long_it_takes_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of it was sealed, 500 bytes each 10 s."""
    (tmp_path / "file").write_bytes(b"x" * 5000)
    now, out = [0.0], Keys()
    monkeypatch.setattr("rich.console.monotonic", lambda: now[0])
    with shown(out) as (_, watched), (tmp_path / "file").open("rb") as source:
        sealed = watched(source)
        for _ in range(5):
            now[0] += 10
            sealed.read(500)
        await eventually(lambda: "0:00:50" in out.getvalue())


async def test_a_terminal_sees_how_long_copying_takes_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of it was copied, 500 bytes each 10 s."""
    now, out = [0.0], Keys()
    monkeypatch.setattr("rich.console.monotonic", lambda: now[0])
    with shown(out) as (copied, _):
        for turn in range(1, 6):
            now[0] += 10
            copied(500 * turn, 5000)
        await eventually(lambda: "0:00:50" in out.getvalue())


def dated(folder: Path) -> list[str]:
    """Names of the files in a folder, in their order."""
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.usefixtures("database")
def test_only_the_newest_dated_backups_are_kept(house: House, pinsmith: Pinsmith) -> None:
    """Of this hub: what else is in the folder stays."""
    folder = house.folder / "backups"
    folder.mkdir()
    old = [f"pinsmith-home-2020010{day}T000000Z.backup" for day in range(1, 6)]
    for name in (*old, "pinsmith-other-20200101T000000Z.backup", "pinsmith-home-mine.backup"):
        (folder / name).touch()

    done = pinsmith("backup", "--keep", "3", str(folder), typed=(PASSPHRASE, PASSPHRASE))

    assert done.code == Exit.OK
    kept = [name for name in dated(folder) if name.startswith("pinsmith-home-20")]
    assert kept[:2] == old[-2:]
    assert len(kept) == 3
    assert kept[2] in done.out
    assert {"pinsmith-other-20200101T000000Z.backup", "pinsmith-home-mine.backup"} <= set(dated(folder))


async def test_a_backup_that_would_not_be_whole_costs_no_older_one(house: House, pinsmith: Pinsmith) -> None:
    """Every night one good backup less: in the end only those would be left in which the same is missing."""
    store = await opened(house)
    await store.run(store_everything)
    await store.close()
    with closing(sqlite3.connect(house.folder / "var" / "pinsmith.db")) as database:
        database.execute("UPDATE access_code SET pin = zeroblob(40)")
        database.commit()
    folder = house.folder / "backups"
    folder.mkdir()
    old = [f"pinsmith-home-2020010{day}T000000Z.backup" for day in range(1, 6)]
    for name in old:
        (folder / name).touch()

    done = pinsmith("backup", "--keep", "3", str(folder), typed=(PASSPHRASE, PASSPHRASE))

    assert done.code == Exit.FAILED
    assert "pinsmith locks forget front" in done.err
    assert dated(folder) == old


async def test_a_damaged_copy_is_taken_only_when_asked_for(house: House, pinsmith: Pinsmith) -> None:
    """The message names the option."""
    store = await opened(house)
    await store.run(store_everything)
    await store.close()
    folder = house.folder / "var"
    copy = folder / "pinsmith.db.format-3"
    with closing(sqlite3.connect(folder / "pinsmith.db")) as database:
        database.execute("VACUUM INTO ?", (str(copy),))
    with closing(sqlite3.connect(copy)) as database:
        database.execute("UPDATE access_code SET pin = zeroblob(40)")
        database.commit()

    refused = pinsmith("restore", str(copy), "--replace")
    assert refused.code == Exit.FAILED
    assert "--damaged" in refused.err
    assert pinsmith("restore", str(copy), "--replace", "--damaged").code == Exit.OK


@pytest.mark.usefixtures("database")
def test_the_backup_just_made_stays_whatever_the_clock_says(house: House, pinsmith: Pinsmith) -> None:
    """After a start with a clock in the past its name is the oldest."""
    folder = house.folder / "backups"
    folder.mkdir()
    future = [f"pinsmith-home-2999010{day}T000000Z.backup" for day in (1, 2)]
    for name in future:
        (folder / name).touch()

    pinsmith("backup", "--keep", "1", str(folder), typed=(PASSPHRASE, PASSPHRASE))

    (kept,) = dated(folder)
    assert kept not in future


TRUE = datetime(2026, 3, 1, tzinfo=UTC)
AHEAD, BEHIND = TRUE.replace(year=2031), TRUE.replace(year=2020)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("nights", "left"),
    [
        ([TRUE] * 4 + [AHEAD] * 4 + [TRUE], [6, 7, 8]),
        ([TRUE] * 4 + [AHEAD] * 4 + [TRUE] * 4, [9, 10, 11]),
        ([TRUE] * 4 + [AHEAD] + [TRUE] * 2, [3, 5, 6]),
        ([TRUE] * 4 + [BEHIND], [2, 3, 4]),
        ([TRUE] * 4 + [BEHIND, TRUE], [2, 3, 5]),
        ([TRUE] * 4 + [BEHIND] * 4, [5, 6, 7]),
        ([TRUE] * 4 + [BEHIND] * 4 + [TRUE], [6, 7, 8]),
    ],
    ids=[
        "put right after weeks ahead",
        "right for weeks after weeks ahead",
        "ahead for a night",
        "behind for a night",
        "right again after a night behind",
        "behind for weeks",
        "right again after weeks behind",
    ],
)
def test_a_clock_that_is_wrong_for_a_while_costs_no_good_backup(
    house: House,
    pinsmith: Pinsmith,
    monkeypatch: pytest.MonkeyPatch,
    nights: list[datetime],
    left: list[int],
) -> None:
    """Each night one goes, and it is an old one, or one of the nights on which the clock was wrong."""
    monkeypatch.setattr("storage.backup.backup", lambda _database, _key, _words, target, **_: target.touch())
    folder = house.folder / "backups"
    folder.mkdir()
    names: list[str] = []
    for night, clock in enumerate(nights):
        house.now = clock + timedelta(days=night)
        before = set(dated(folder))
        pinsmith("backup", "--keep", "3", str(folder), typed=(PASSPHRASE, PASSPHRASE))
        names += set(dated(folder)) - before
        assert len(dated(folder)) == min(night + 1, 3)

    assert [night for night, name in enumerate(names) if (folder / name).exists()] == left


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("keep", ["0", "-1", "7"])
def test_keeping_needs_a_number_and_a_folder(house: House, pinsmith: Pinsmith, keep: str) -> None:
    """Nothing is written and nothing deleted."""
    target = house.folder / ("absent" if keep == "7" else ".")
    before = dated(house.folder)

    done = pinsmith("backup", "--keep", keep, str(target), typed=(PASSPHRASE, PASSPHRASE))

    assert done.code == Exit.USAGE
    assert dated(house.folder) == before


async def test_the_copy_made_before_an_upgrade_is_taken_back_without_a_passphrase(
    house: House,
    pinsmith: Pinsmith,
    database: None,  # noqa: ARG001 - must be there
) -> None:
    """The key stays where it is; the database that was there is kept aside."""
    folder = house.folder / "var"
    key = (folder / "key").read_bytes()
    with closing(sqlite3.connect(folder / "pinsmith.db")) as connection:
        connection.execute("VACUUM INTO ?", (str(folder / "pinsmith.db.format-3"),))
        connection.execute("PRAGMA user_version = 999")

    done = pinsmith("restore", str(folder / "pinsmith.db.format-3"), "--replace")

    assert done.code == Exit.OK
    assert "pinsmith restore --confirm" in done.out
    assert [line for line in done.lines if line.startswith("kept: ")] == [
        f"kept: {path}" for path in folder.glob("pinsmith.db.replaced-*")
    ]
    assert (folder / "key").read_bytes() == key
    store = await opened(house)
    assert await store.run(lambda tx: tx.meta("gateway_id")) == "home"
    await store.close()


@pytest.fixture
def credentials(house: House, database: None) -> Path:  # noqa: ARG001 - must be there
    """A folder with the key, as systemd hands it to the daemon; there is no file `key`."""
    folder = house.folder / "credentials"
    folder.mkdir()
    (house.folder / "var" / "key").rename(folder / "pinsmith.key")
    return folder


def test_a_backup_without_the_credential_says_how_to_get_it(
    house: House, pinsmith: Pinsmith, credentials: Path
) -> None:
    """A restore is no way out: the daemon is well, and its newest codes would be lost."""
    target = str(house.folder / "file.backup")

    without = pinsmith("backup", target, typed=(PASSPHRASE, PASSPHRASE))
    house.env = {"CREDENTIALS_DIRECTORY": str(credentials)}

    assert without.code == Exit.FAILED
    assert "`env CREDENTIALS_DIRECTORY=/run/credentials/pinsmith.service`" in without.err
    assert pinsmith("backup", target, typed=(PASSPHRASE, PASSPHRASE)).code == Exit.OK


def test_going_back_makes_no_key(house: House, pinsmith: Pinsmith, credentials: Path) -> None:
    """The newer database was moved aside, as the page says. A new key would only fit nothing."""
    folder = house.folder / "var"
    copy = (folder / "pinsmith.db").rename(folder / "pinsmith.db.format-3")

    without = pinsmith("restore", str(copy))
    assert (without.code, (folder / "key").exists()) == (Exit.FAILED, False)
    assert "the credential pinsmith.key" in without.err
    house.env = {"CREDENTIALS_DIRECTORY": str(credentials)}

    assert pinsmith("restore", str(copy)).code == Exit.OK
    assert (folder / "key").exists() is False


def test_a_copy_under_another_key_is_refused(
    house: House,
    pinsmith: Pinsmith,
    database: None,  # noqa: ARG001 - must be there
) -> None:
    """Nothing is put in place: with that key its PINs could not be read."""
    folder = house.folder / "var"
    copy = folder / "pinsmith.db.format-3"
    with closing(sqlite3.connect(folder / "pinsmith.db")) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    (folder / "key").write_text("00" * 32)
    before = (folder / "pinsmith.db").read_bytes()

    done = pinsmith("restore", str(copy), "--replace")

    assert done.code == Exit.FAILED
    assert "another key" in done.err
    assert (folder / "pinsmith.db").read_bytes() == before
