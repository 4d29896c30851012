"""Files for their owner alone that are there as a whole or not at all, also after a power cut."""

import os
from collections.abc import Iterable
from pathlib import Path
from tempfile import mkstemp


def write_new(path: Path, chunks: Iterable[bytes]) -> None:
    """Create a file; FileExistsError where there is one already."""
    temporary = _written(path, chunks)
    try:
        # Unlike a rename, a link never replaces anything.
        os.link(temporary, path)
    finally:
        temporary.unlink()
    sync_folder(path.parent)


def write_over(path: Path, chunks: Iterable[bytes]) -> None:
    """Create or replace a file."""
    _written(path, chunks).replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make what was created, renamed or removed in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _written(path: Path, chunks: Iterable[bytes]) -> Path:
    handle, name = mkstemp(dir=path.parent, prefix=f".{path.name}-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        temporary.unlink()
        raise
    return temporary
