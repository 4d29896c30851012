"""What lies in the data directory, and who may work on it."""

import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.domain.store import StorageFailed
from storage.errors import DataDirectoryInUse

DATABASE = "pinsmith.db"
KEY = "key"
RESTORING = "restore-in-progress"
"""Stands from the first to the last step of putting a restored database in place."""
LOCK = "lock"
"""Held by the daemon (flock) for as long as it runs."""
BACKING_UP, RESTORED = "backup-", "restore-"
"""What the folders are called in which a backup is made, or unpacked; something random follows."""
_LEFT_BEHIND_S = 86_400.0
"""Older ones belong to nobody: no backup takes a day."""


class DataDirectory:
    """Exclusive use of a data directory, created for its owner alone where it is missing.

    The kernel gives it up with the process, however that ends.

    Raises:
        DataDirectoryInUse: another process has it.
        StorageFailed: it cannot be created or written.
    """

    def __init__(self, path: Path) -> None:
        """Take the directory at `path`."""
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(path / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageFailed(f"{path} cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            message = (
                f"another pinsmith works on {path}: stop it first, or give this one its own data directory"
            )
            raise DataDirectoryInUse(message) from None

    def sweep(self) -> None:
        """Remove what backups and restores left here that were killed: copies of the database, and a key.

        By their dates against that of a file touched now; a clock that is behind removes nothing.
        """
        os.utime(self._file)
        now = os.fstat(self._file).st_mtime
        for folder in (*self.path.glob(f"{BACKING_UP}*"), *self.path.glob(f"{RESTORED}*")):
            # Gone meanwhile, or somebody else's: not worth a start that fails.
            with suppress(OSError):
                if _is_ours(folder) and now - folder.stat().st_mtime > _LEFT_BEHIND_S:
                    shutil.rmtree(folder)

    def release(self) -> None:
        """Let others use it."""
        os.close(self._file)

    def __enter__(self) -> Self:
        """Return itself, already taken."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let others use it."""
        self.release()


def _is_ours(folder: Path) -> bool:
    """Say whether a folder is private and holds nothing but what a backup consists of."""
    if folder.is_symlink() or not folder.is_dir() or folder.stat().st_mode & 0o077:
        return False
    return all(
        file.is_file() and file.name.removeprefix(".").startswith((DATABASE, KEY))
        for file in folder.iterdir()
    )
