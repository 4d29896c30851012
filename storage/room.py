"""How much room there is and is wanted: looked at first, because a full disk stops the daemon too."""

import os
import sqlite3
from pathlib import Path

_MIB = 1 << 20


def size_of(connection: sqlite3.Connection) -> int:
    """Return how many bytes a database has."""
    [pages] = connection.execute("PRAGMA page_count").fetchone()
    [size] = connection.execute("PRAGMA page_size").fetchone()
    return int(pages * size)


def free_in(folder: Path) -> int:
    """Return how many bytes are free in a folder."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def lack(folder: Path, wanted: int, free: int) -> str | None:
    """Say what is missing and what to do; None where there is room enough."""
    if free >= wanted:
        return None
    return (
        f"it needs about {-(-wanted // _MIB)} MiB in {folder} and {free // _MIB} MiB are free: "
        "free some space"
    )
