"""Whose the hub's files are: a command typed as the wrong user says which is the right one."""

import os
import pwd
import shlex
from pathlib import Path

from gateway.cli.exits import Failure, UsageError


class Closed(Failure):
    """This user may not get at a file."""

    def __init__(self, file: Path) -> None:
        """Say which file, and how to type the command so that it may."""
        owner = _may_enter(file)
        way = "sudo" if owner == 0 else f"sudo -u {shlex.quote(_name(owner))}"
        # With the right user already it is something else, such as a share or a read-only file.
        do = f": put `{way}` before the command" if owner != os.geteuid() else ""
        super().__init__(f"{file} is closed to this user{do}")


def demand_open(file: Path) -> bool:
    """Say whether there is such a file. Raises Closed where it may not be read, or nobody here can tell."""
    try:
        file.stat()
    except PermissionError:
        raise Closed(file) from None
    except OSError:
        return False
    if not os.access(file, os.R_OK, effective_ids=True):
        raise Closed(file)
    return True


def demand_owner(data: Path, config: Path | None, *command: str) -> None:
    """Raise UsageError where root is about to leave files in a data directory that is another user's.

    That user's daemon could not read them. `command` is what was typed, to show it as it should have been.
    """
    owner = data.stat().st_uid if data.exists() else 0
    if os.geteuid() != 0 or owner == 0:
        return
    named = ["--config", str(config)] if config else []
    right = shlex.join(["sudo", "-u", _name(owner), "pinsmith", *named, *command])
    raise UsageError(
        f"{data} belongs to {_name(owner)}, whose daemon could not use what root leaves there: type `{right}`"
    )


def _may_enter(file: Path) -> int:
    """Return the owner of what is closed: the file, or the nearest folder above it that can be seen."""
    for place in (file, *file.absolute().parents):
        try:
            return place.stat().st_uid
        except OSError:
            continue
    return 0


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"#{user}"
