"""Fits schedules to what a lock's own clock can tell apart.

A lock keeps times in steps, and some keep the local wall clock without knowing when clocks change. Such a
lock cannot tell the two passes of autumn's repeated hour apart. What does not fit is rounded outwards: a
guest is let in somewhat too early rather than kept out at the door.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from gateway.domain.credential import Schedule

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def on_grid(schedule: Schedule, granularity: timedelta, zone: str | None) -> Schedule:
    """Return the narrowest schedule around `schedule` that the lock can keep. `weekly` stays as it is.

    `starts_at` goes down and `ends_at` up to a multiple of `granularity` since 1970 (UTC); zero keeps them.
    `zone` (IANA) is where the lock keeps local time, None: it keeps UTC. In the repeated hour a start means
    its first occurrence and an end its second. So the wall time alone tells the moment again: read a start
    with fold 0, an end with fold 1. A schedule that lies on the grid comes back equal.
    """
    return replace(
        schedule,
        starts_at=schedule.starts_at and _start(schedule.starts_at, granularity, zone),
        ends_at=schedule.ends_at and _end(schedule.ends_at, granularity, zone),
    )


def _start(moment: datetime, granularity: timedelta, zone: str | None) -> datetime:
    # The second time for steps longer than the change of the clocks (half an hour on Lord Howe Island).
    return _down(_occurrence(_down(moment, granularity), zone, fold=0), granularity)


def _end(moment: datetime, granularity: timedelta, zone: str | None) -> datetime:
    return _up(_occurrence(_up(moment, granularity), zone, fold=1), granularity)


def _occurrence(moment: datetime, zone: str | None, *, fold: int) -> datetime:
    """Return when the wall clock of `zone` shows the same as at `moment` for the first or the second time."""
    if zone is None:
        return moment
    return moment.astimezone(ZoneInfo(zone)).replace(fold=fold).astimezone(UTC)


def _down(moment: datetime, granularity: timedelta) -> datetime:
    return moment - (moment - _EPOCH) % granularity if granularity else moment


def _up(moment: datetime, granularity: timedelta) -> datetime:
    return moment + (_EPOCH - moment) % granularity if granularity else moment
