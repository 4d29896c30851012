"""Clock, time zone and disk of this machine."""

import os
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from gateway.system_clock import SystemClock

_ZONEINFO = "/zoneinfo/"


class ClockFacts(Struct, frozen=True, kw_only=True):
    """What the machine says of its time."""

    now: datetime
    synchronised: bool
    zone: str | None
    """The zone of the machine, where /etc/localtime tells."""


class DiskFacts(Struct, frozen=True, kw_only=True):
    """The file system under the data directory."""

    path: Path
    """The directory, or the nearest one above it that exists."""
    free_bytes: int
    """For users other than root."""
    free_inodes: int | None
    """None where the file system does not count them."""
    read_only: bool


def probe_clock(localtime: Path = Path("/etc/localtime")) -> ClockFacts:
    """Ask the kernel."""
    zone = None
    if localtime.is_symlink():
        _, found, name = str(localtime.readlink()).partition(_ZONEINFO)
        zone = name if found else None
    return ClockFacts(now=datetime.now(UTC), synchronised=SystemClock().synchronised(), zone=zone)


def probe_disk(directory: Path) -> DiskFacts:
    """Ask the file system."""
    path = next(place for place in (directory, *directory.parents) if os.path.exists(place))  # noqa: PTH110 - Path.exists raises where it may not look
    told = os.statvfs(path)
    return DiskFacts(
        path=path,
        free_bytes=told.f_bavail * told.f_frsize,
        free_inodes=told.f_favail if told.f_files else None,
        read_only=bool(told.f_flag & os.ST_RDONLY),
    )
