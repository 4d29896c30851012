"""Commands typed as the wrong user: one line says which is the right one, and nothing is spoilt."""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest

import gateway.daemon
from gateway.cli import context
from gateway.cli.context import Context
from gateway.cli.exits import Exit, UsageError
from gateway.cli.init.writing import demand_room
from gateway.cli.main import carry_out, main, make_parser
from gateway.cli.terminal import Terminal
from storage.keys import load_key
from storage.store import SqliteStore
from storage.vault import Vault
from tests.cli.conftest import House, Pinsmith
from tests.other_users import NOBODY, ROOT_ONLY, nobody

pytestmark = ROOT_ONLY
PASSPHRASE = "correct horse battery"
NAME = pwd.getpwuid(NOBODY).pw_name


@pytest.fixture
async def data(house: House, pinsmith: Pinsmith) -> Path:
    """The data directory, with a database."""
    folder = house.folder / "var"
    store = await SqliteStore.open(folder, Vault(load_key(folder, None)))
    await store.close()
    # Loads what these commands need, from folders that nobody may not enter.
    assert pinsmith("backup", str(house.folder / "backup"), typed=(PASSPHRASE, PASSPHRASE)).code == Exit.OK
    assert pinsmith("config", "check").code == Exit.OK
    return folder


@pytest.fixture
def theirs(data: Path) -> Path:
    """The same, of the user nobody, as the service's user has it."""
    for path in (data, *data.iterdir()):
        os.chown(path, NOBODY, NOBODY)
    return data


@pytest.fixture
def usual_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Path]]:
    """Two folders: the one somebody stands in, and that of the installed hub's configuration."""
    here, system = tmp_path / "here", tmp_path / "system"
    here.mkdir(mode=0o755)
    system.mkdir(mode=0o755)
    monkeypatch.setattr(context, "PLACES", (Path("pinsmith.toml"), system / "config.toml"))
    back = Path.cwd()
    os.chdir(here)
    yield here, system
    os.chdir(back)


def test_a_configuration_in_a_closed_folder_asks_for_sudo(
    house: House, usual_places: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """As `pinsmith codes list` without sudo on an installed hub; whether the file is there, nobody sees."""
    _, system = usual_places
    system.chmod(0o750)

    with nobody(house.folder):
        code = main(["codes", "list"])

    told = capsys.readouterr().err
    assert (code, len(told.splitlines())) == (Exit.CONFIGURATION, 1)
    assert f"{system}/config.toml is closed to this user: put `sudo` before the command" in told


@pytest.mark.parametrize("mode", [0o640, 0o600])
def test_a_configuration_that_is_closed_itself_asks_for_sudo(
    house: House, pinsmith: Pinsmith, mode: int
) -> None:
    """Named by --config or found."""
    file = house.folder / "pinsmith.toml"
    file.chmod(mode)

    with nobody(house.folder):
        done = pinsmith("codes", "list")

    assert (done.code, done.out) == (Exit.CONFIGURATION, "")
    assert done.err == f"pinsmith: {file} is closed to this user: put `sudo` before the command\n"


def test_the_folder_somebody_stands_in_may_be_closed(
    house: House, usual_places: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """As with `sudo -u pinsmith pinsmith ...` in a person's own folder: the hub's configuration counts."""
    here, system = usual_places
    (system / "config.toml").write_text((house.folder / "pinsmith.toml").read_text())
    here.chmod(0o700)

    with nobody(house.folder):
        code = main(["config", "check"])

    assert code == Exit.OK
    assert f"{system}/config.toml is right" in capsys.readouterr().out


@pytest.mark.parametrize("command", [("backup", "file"), ("restore", "old"), ("config", "check"), ("run",)])
def test_a_closed_data_directory_asks_for_its_owner(
    house: House, pinsmith: Pinsmith, data: Path, command: tuple[str, ...]
) -> None:
    """A message and no traceback. Checking the configuration warns only."""
    os.chown(data, 1, 1)
    data.chmod(0o700)
    words = [str(house.folder / word) if word in {"file", "old"} else word for word in command]
    (house.folder / "old").write_bytes(b"SQLite format 3\0")

    with nobody(house.folder):
        done = pinsmith(*words, typed=(PASSPHRASE, PASSPHRASE))

    assert len(done.err.splitlines()) == 1
    if command[0] == "config":
        assert (done.code, "cannot be looked into" in done.err) == (Exit.OK, True)
    else:
        assert done.code == Exit.FAILED
        owner = pwd.getpwuid(1).pw_name
        assert f"is closed to this user: put `sudo -u {owner}` before the command" in done.err


def test_files_that_cannot_be_read_or_written_are_named(house: House, pinsmith: Pinsmith, data: Path) -> None:
    """Passphrase, backup, and the folder that a backup is to go to."""
    for name in ("passphrase", "old.backup"):
        (house.folder / name).write_text(PASSPHRASE)
        (house.folder / name).chmod(0o600)
    (house.folder / "stick").mkdir(mode=0o755)
    os.chown(data, NOBODY, NOBODY)
    for file in data.iterdir():
        os.chown(file, NOBODY, NOBODY)

    secret, old = str(house.folder / "passphrase"), str(house.folder / "old.backup")
    with nobody(house.folder):
        unread = pinsmith("backup", str(house.folder / "x"), "--passphrase-file", secret)
        unopened = pinsmith("restore", old)
        unwritten = pinsmith("backup", str(house.folder / "stick" / "x"), typed=(PASSPHRASE, PASSPHRASE))

    assert unread.err == f"pinsmith: {secret}: cannot be read: Permission denied\n"
    assert unopened.err == f"pinsmith: {old} cannot be read: Permission denied\n"
    stick = house.folder / "stick"
    assert unwritten.err == f"pinsmith: the backup could not be written: {stick}: Permission denied\n"


def test_init_says_where_it_may_not_look(tmp_path: Path) -> None:
    """Before it asks anything."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)

    with nobody(tmp_path), pytest.raises(UsageError, match=f"write below {closed}: use sudo"):
        demand_room(closed / "below" / "pinsmith.toml", replace=False)


def test_root_does_not_restore_into_the_directory_of_another(
    house: House, pinsmith: Pinsmith, theirs: Path
) -> None:
    """The service could not read what root puts there. Nothing is asked for first, nothing changed."""
    file = house.folder / "my old.backup"
    before = {path: path.stat().st_uid for path in theirs.iterdir()}

    done = pinsmith("restore", str(file), "--replace")

    assert done.code == Exit.USAGE
    config = house.folder / "pinsmith.toml"
    assert f"{theirs} belongs to {NAME}" in done.err
    assert f"`sudo -u {NAME} pinsmith --config {config} restore '{file}' --replace`" in done.err
    assert {path: path.stat().st_uid for path in theirs.iterdir()} == before


def test_root_restores_into_its_own_directory(house: House, pinsmith: Pinsmith, data: Path) -> None:
    """As where the daemon runs as root."""
    file = house.folder / "file.backup"
    assert pinsmith("backup", str(file), typed=(PASSPHRASE, PASSPHRASE)).code == Exit.OK

    done = pinsmith("restore", str(file), "--replace", typed=(PASSPHRASE,))

    assert (done.code, data.stat().st_uid) == (Exit.OK, 0)


def test_a_backup_by_root_leaves_nothing_of_root_behind(
    house: House, pinsmith: Pinsmith, theirs: Path
) -> None:
    """So it is not refused."""
    done = pinsmith("backup", str(house.folder / "file.backup"), typed=(PASSPHRASE, PASSPHRASE))

    assert done.code == Exit.OK
    assert {path.stat().st_uid for path in theirs.iterdir()} == {NOBODY}


def test_root_does_not_run_on_the_directory_of_another(
    house: House, theirs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The service could not write what root leaves there."""
    started: list[object] = []
    monkeypatch.setattr(gateway.daemon, "run", started.append)
    args = make_parser().parse_args(["run", "--config", str(house.folder / "pinsmith.toml")])

    code = carry_out(Context(args=args, terminal=Terminal(), env={}))

    assert (code, started) == (Exit.USAGE, [])
    assert f"{theirs} belongs to {NAME}" in capsys.readouterr().err
