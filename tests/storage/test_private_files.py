"""A file is there as a whole or not at all, and nobody else's."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.private_files import write_new, write_over


def breaking_off() -> Iterator[bytes]:
    """Yield half a file."""
    yield b"half"
    raise LookupError


def test_a_new_file_never_replaces_one(tmp_path: Path) -> None:
    """Two first starts at once must not end with two keys."""
    write_new(tmp_path / "key", [b"fi", b"rst"])
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "key", [b"second"])

    assert (tmp_path / "key").read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [tmp_path / "key"]


def test_writing_over_replaces_and_makes_private(tmp_path: Path) -> None:
    """Whatever the mode of the file before."""
    path = tmp_path / "file"
    path.write_bytes(b"before")
    path.chmod(0o644)
    write_over(path, [b"after"])

    assert path.read_bytes() == b"after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_breaks_off_leaves_nothing_and_spares_what_was_there(tmp_path: Path) -> None:
    """Neither half a file nor a temporary one."""
    path = tmp_path / "file"
    write_new(path, [b"before"])
    with pytest.raises(LookupError):
        write_over(path, breaking_off())
    with pytest.raises(LookupError):
        write_new(tmp_path / "other", breaking_off())

    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]
