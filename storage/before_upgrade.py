"""The copy of a database that is made before it is brought to a new format.

It lies beside the database, as `pinsmith.db.format-N`, where N is the format it has. Its PINs are sealed with
the key of the database, which upgrades do not touch. `pinsmith restore` takes it back.
"""

import logging
import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from gateway.domain.store import StorageFailed
from storage.errors import in_plain_words
from storage.private_files import sync_folder
from storage.room import free_in, lack, size_of

KEPT = 2
"""Copies: of the newest formats. Each is as large as the database was."""
_ROOM = 2
"""How many times the size of the database must be free: for the copy, and for the upgrade itself."""
_log = logging.getLogger(__name__)


def keep_copy(
    connection: sqlite3.Connection, path: Path, version: int, *, free: Callable[[Path], int] | None = None
) -> None:
    """Copy the database at `path`, which has format `version`, and drop copies of formats long past.

    A copy of the same format is replaced once the new one is complete. `free` tells how many bytes are free
    in a folder.

    Raises:
        StorageFailed: there is no room, or writing failed; then everything is as before.
    """
    target = path.with_name(f"{path.name}.format-{version}")
    unfinished = path.with_name(f".{target.name}")
    try:
        _check_room(connection, path, (free or free_in)(path.parent))
        unfinished.unlink(missing_ok=True)
        try:
            # SQLite fills an empty file that is there, and leaves it to its owner.
            os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
            connection.execute("VACUUM INTO ?", (str(unfinished),))
            _sync(unfinished)
            unfinished.replace(target)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
        for copy in list(copies(path).values())[KEPT:]:
            copy.unlink()
    except sqlite3.Error as error:
        raise _failed(path, in_plain_words(error)) from error
    except OSError as error:
        raise _failed(path, str(error.strerror)) from error
    _log.info("The database is brought to a new format; the old one is kept as %s", target)


def copies(path: Path) -> dict[int, Path]:
    """Return the copies of the database at `path` by their formats, newest first."""
    shape = re.compile(re.escape(path.name) + r"\.format-([0-9]+)")
    found = {int(match[1]): file for file in path.parent.iterdir() if (match := shape.fullmatch(file.name))}
    return dict(sorted(found.items(), reverse=True))


def _check_room(connection: sqlite3.Connection, path: Path, free: int) -> None:
    lacking = lack(path.parent, _ROOM * size_of(connection), free)
    if lacking is not None:
        raise _failed(path, lacking)


def _sync(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _failed(path: Path, why: str) -> StorageFailed:
    return StorageFailed(
        f"{path} has an older format, and no copy of it could be made before the upgrade, so it was left as "
        f"it is: {why}"
    )
