"""Files come into being whole or not at all, for the right people."""

import grp
import os
import stat
from pathlib import Path

import pytest

from gateway.cli.exits import Failure, UsageError
from gateway.cli.init.writing import PASSWORD_FILE, demand_room, write

OLD, NEW, SECRET = "old\n", "new\n", "s3cret"


def mode(file: Path) -> int:
    """Who may do what with a file."""
    return stat.S_IMODE(file.stat().st_mode)


def everything(folder: Path) -> dict[str, str]:
    """All files below a folder, and what is in them."""
    return {str(one.relative_to(folder)): one.read_text() for one in folder.rglob("*") if one.is_file()}


def test_configuration_and_password_are_put_side_by_side(tmp_path: Path) -> None:
    """In a folder that is made for them; what checks sees the new file, with the password beside it."""
    file = tmp_path / "new" / "folder" / "config.toml"
    seen = write(file, NEW, SECRET, lambda new: everything(new.parent), replace=False, group="no such group")
    assert seen == everything(file.parent) == {"config.toml": NEW, PASSWORD_FILE: SECRET}
    assert (mode(file), mode(file.with_name(PASSWORD_FILE))) == (0o600, 0o600)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to a group")
def test_root_gives_them_to_the_group_of_the_daemon(tmp_path: Path) -> None:
    """Which may read and not write them."""
    group = grp.getgrgid(1)
    file = tmp_path / "config.toml"
    write(file, NEW, SECRET, lambda _: None, replace=False, group=group.gr_name)
    for one in (file, file.with_name(PASSWORD_FILE)):
        assert (mode(one), one.stat().st_gid) == (0o640, group.gr_gid)


def test_what_does_not_pass_the_check_leaves_nothing(tmp_path: Path) -> None:
    """Folders that were made for it included."""

    def refuse(_: Path) -> None:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        write(tmp_path / "new" / "config.toml", NEW, SECRET, refuse, replace=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["config.toml", PASSWORD_FILE])
def test_a_file_that_appeared_meanwhile_is_left_alone(tmp_path: Path, name: str) -> None:
    """Whichever of the two it is, the other is not written either."""

    def appear(_: Path) -> None:
        (tmp_path / name).write_text(OLD)

    with pytest.raises(Failure, match="meanwhile"):
        write(tmp_path / "config.toml", NEW, SECRET, appear, replace=False)
    assert everything(tmp_path) == {name: OLD}


def test_a_replacement_that_fails_puts_everything_back(tmp_path: Path) -> None:
    """The password was replaced already when the configuration cannot be."""
    file, password = tmp_path / "config.toml", tmp_path / PASSWORD_FILE
    password.write_text("before")

    def get_in_the_way(_: Path) -> None:
        file.mkdir()

    with pytest.raises(Failure, match="cannot write"):
        write(file, NEW, SECRET, get_in_the_way, replace=True)
    assert everything(tmp_path) == {PASSWORD_FILE: "before"}


def test_of_a_replaced_password_no_copy_is_left(tmp_path: Path) -> None:
    """Of the configuration one is."""
    file = tmp_path / "config.toml"
    for content, password in ((OLD, "before"), (NEW, SECRET)):
        write(file, content, password, lambda _: None, replace=True)
    assert everything(tmp_path) == {"config.toml": NEW, "config.toml.old": OLD, PASSWORD_FILE: SECRET}


def test_what_could_not_be_written_is_told_before_questions(tmp_path: Path) -> None:
    """A folder in the place of the file; a folder that this user may not write in."""
    with pytest.raises(UsageError, match="is a folder"):
        demand_room(tmp_path, replace=True)
    demand_room(tmp_path / "made" / "later.toml", replace=False)
    with pytest.raises(UsageError, match="may not write"):
        demand_room(Path("/proc/self/config.toml"), replace=False)
