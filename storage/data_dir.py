"""What lies in the data directory, and who may work on it."""

import fcntl
import os
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
