"""Whose `pinsmith.toml` in the current folder counts: what others put there would name their broker."""

import os
from pathlib import Path

import pytest

from gateway.cli.exits import Exit
from gateway.cli.main import main
from tests.cli.conftest import House

OTHER = 12345
"""A user, and a group, that the one who runs the tests is not."""


@pytest.fixture
def file(house: House, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in the current folder, both of the user's own; `config check` finds it."""
    monkeypatch.delenv("PINSMITH_CONFIG", raising=False)
    monkeypatch.chdir(house.folder)
    house.folder.chmod(0o755)
    found = house.folder / "pinsmith.toml"
    found.chmod(0o644)
    assert main(["config", "check"]) == Exit.OK
    return found


def _is_passed_over(told: pytest.CaptureFixture[str], *, why: str) -> None:
    told.readouterr()
    assert main(["config", "check"]) == Exit.CONFIGURATION
    first, second = told.readouterr().err.splitlines()
    assert (
        first
        == f"pinsmith: ./pinsmith.toml is passed over: {why}; --config ./pinsmith.toml takes it all the same"
    )
    assert second.startswith("pinsmith: no configuration: looked for")
    assert main(["config", "check", "--config", "./pinsmith.toml"]) == Exit.OK


def test_a_folder_that_all_may_write_to_is_not_looked_into(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As /tmp: `sudo pinsmith doctor` there would hand the broker's password to whoever put a file there."""
    file.parent.chmod(0o1777)
    _is_passed_over(capsys, why="others may write to this folder")


def test_a_file_that_all_may_write_to_does_not_count(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever may write to it says which broker it is."""
    file.chmod(0o646)
    _is_passed_over(capsys, why="others may write to this file")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_what_belongs_to_somebody_else_does_not_count(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Root in the home of a user: file or folder are the user's."""
    os.chown(file, OTHER, OTHER)
    _is_passed_over(capsys, why="this file belongs to another user")
    os.chown(file, 0, 0)
    os.chown(file.parent, OTHER, OTHER)
    _is_passed_over(capsys, why="this folder belongs to another user")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files to any group")
def test_a_group_of_others_may_not_write(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The user's own group may: many systems make files so."""
    file.chmod(0o664)
    assert main(["config", "check"]) == Exit.OK
    os.chown(file, 0, OTHER)
    _is_passed_over(capsys, why="others may write to this file")


@pytest.mark.usefixtures("file")
@pytest.mark.skipif(os.geteuid() != 0, reason="the file is to be root's")
def test_what_is_of_root_counts_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root could do anything anyway."""
    monkeypatch.setattr("os.geteuid", lambda: OTHER)
    assert main(["config", "check"]) == Exit.OK


def test_the_file_of_the_system_is_taken_instead(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And it is told, once, because somebody may have meant the other."""
    system = tmp_path / "config.toml"
    system.write_text(file.read_text())
    monkeypatch.setattr("gateway.cli.context.PLACES", (Path("pinsmith.toml"), system))
    file.chmod(0o666)
    capsys.readouterr()

    assert main(["config", "check"]) == Exit.OK

    told = capsys.readouterr()
    assert told.out.startswith(f"{system} is right")
    assert told.err.count("./pinsmith.toml is passed over") == 1
