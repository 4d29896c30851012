"""What a backup or a restore that was killed leaves in the data directory."""

import os
import time
from pathlib import Path

import pytest

from storage.data_dir import DATABASE, KEY
from storage.store import SqliteStore
from storage.vault import Vault
from tests.storage.samples import KEY as SECRET

DAY_S = 86_400.0


def left(data_dir: Path, name: str, *files: str, hours: float) -> Path:
    """Make a folder with files as they are left behind, so many hours old."""
    data_dir.mkdir(mode=0o700, exist_ok=True)
    folder = data_dir / name
    folder.mkdir(mode=0o700)
    for file in files:
        (folder / file).write_bytes(b"PINs")
    then = time.time() - hours * 3600
    os.utime(folder, (then, then))
    return folder


async def started(data_dir: Path) -> None:
    """Open the store and close it again."""
    store = await SqliteStore.open(data_dir, Vault(SECRET))
    await store.close()


@pytest.mark.parametrize("name", ["backup-x1y2z3", "restore-x1y2z3"])
async def test_they_are_removed_at_the_next_start(data_dir: Path, name: str) -> None:
    """They hold copies of the database, and a key."""
    folder = left(data_dir, name, DATABASE, f"{DATABASE}-journal", f".{KEY}-1a2b", KEY, hours=25)
    await started(data_dir)
    assert not folder.exists()


async def test_those_of_today_stay(data_dir: Path) -> None:
    """The backup may be under way: it does not stop the daemon, nor the daemon it."""
    folder = left(data_dir, "backup-x1y2z3", DATABASE, hours=23)
    await started(data_dir)
    assert folder.exists()


async def test_what_is_not_ours_stays(data_dir: Path, tmp_path: Path) -> None:
    """Whoever calls a folder so keeps it: with other files, open to others, or elsewhere."""
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    other = left(data_dir, "backup-of-me", DATABASE, "holiday.jpg", hours=25)
    shared = left(data_dir, "backup-shared", DATABASE, hours=25)
    shared.chmod(0o755)
    nested = left(data_dir, "restore-nested", hours=25)
    (nested / KEY).mkdir()
    then = time.time() - 2 * DAY_S
    os.utime(nested, (then, then))
    elsewhere = left(tmp_path / "elsewhere", "folder", DATABASE, hours=25)
    link = data_dir / "backup-link"
    link.symlink_to(elsewhere)
    file = data_dir / "restore-file"
    file.write_bytes(b"")
    os.utime(file, (then, then))
    await started(data_dir)
    assert all(path.exists() for path in (other, shared, nested, elsewhere / DATABASE, link, file))
