"""Whether the configuration in the current folder can only have been put there by who runs the command.

It names the broker that PINs and the password go to, so in a folder like /tmp it must not be anybody's.
"""

import os
import stat
from pathlib import Path

_ROOT = 0


def why_not(file: Path) -> str | None:
    """Say why a file in the current folder does not count; None where it does."""
    for path, what in ((file, "file"), (file.absolute().parent, "folder")):
        state = path.stat()
        if state.st_uid not in {_ROOT, os.geteuid()}:
            return f"this {what} belongs to another user"
        if _others_write(state):
            return f"others may write to this {what}"
    return None


def _others_write(state: os.stat_result) -> bool:
    # The own group may: where every user has one, files are often made so.
    of_own_group = state.st_gid == os.getegid()
    return bool(state.st_mode & (stat.S_IWOTH if of_own_group else stat.S_IWOTH | stat.S_IWGRP))
