"""Who may read the files that the configuration names. Their content is not looked at."""

import os
import pwd
import stat
from contextlib import suppress
from pathlib import Path

from gateway.config import Settings

_ACL = "system.posix_acl_access"


def files_open(settings: Settings) -> list[Path]:
    """Return the files with secrets that others may read, or the group write."""
    named = _there(settings.mqtt.password_file, settings.mqtt.key_file)
    return [file for file in named if file.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP)]


def files_closed(settings: Settings, uid: int) -> list[Path]:
    """Return the files that the user of the daemon may not read, while this one may."""
    mqtt = settings.mqtt
    user = user_of(uid)
    if user is None or uid in {0, os.geteuid()}:
        return []
    groups = set(os.getgrouplist(user.pw_name, user.pw_gid))
    named = _there(mqtt.password_file, mqtt.ca_file, mqtt.cert_file, mqtt.key_file)
    return [file for file in named if not _may_read(file.resolve(), uid, groups)]


def user_of(uid: int) -> pwd.struct_passwd | None:
    """Return what the machine knows of a user."""
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        return None


def _there(*files: Path | None) -> list[Path]:
    """Leave out what is not configured, and a credential that only the service gets."""
    return [file for file in files if file is not None and os.access(file, os.F_OK)]


def _may_read(file: Path, uid: int, groups: set[int]) -> bool:
    return _may(file, 4, uid, groups) and all(_may(folder, 1, uid, groups) for folder in file.parents)


def _may(path: Path, right: int, uid: int, groups: set[int]) -> bool:
    """Say whether a user has a right (4: read, 1: enter), by owner, group and mode."""
    with suppress(OSError):  # Not every file system has such lists.
        if _ACL in os.listxattr(path):
            return True  # As systemd gives to credentials. It says more than the mode: nothing is claimed.
    told = path.stat()
    shift = 6 if told.st_uid == uid else 3 if told.st_gid in groups else 0
    return bool(told.st_mode >> shift & right)
