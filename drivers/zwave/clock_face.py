"""Compares what the clock of a lock shows with the time.

zwave-js answers with what it could read: hours and minutes, perhaps seconds, a date, a day of the week.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

type Shown = Mapping[str, Any]


def utc_off_by(shown: Shown, now: datetime) -> timedelta | None:
    """Return how much a clock is ahead that was read by Time Parameters; None where nothing was read.

    The server has turned the lock's time into UTC, by its own time zone where the lock keeps local time.
    """
    try:
        year, month, day = shown["year"], shown["month"], shown["day"]
        face = datetime(year, month, day, shown["hour"], shown["minute"], shown["second"], tzinfo=UTC)
    except (KeyError, TypeError, ValueError):
        return None
    return face - now


def local_off_by(shown: Shown, now: datetime, zone: ZoneInfo) -> timedelta | None:
    """Return how much a clock is ahead that shows local time; None where nothing was read.

    Without a date, by less than half a week, without a day of the week, by less than half a day: such a clock
    does not know more.
    """
    local = now.astimezone(zone).replace(tzinfo=None)
    if shown.get("hour") is None or shown.get("minute") is None:
        return None
    try:
        face = local.replace(hour=shown["hour"], minute=shown["minute"], second=shown.get("second") or 0)
        if shown.get("year") is not None:
            return face.replace(year=shown["year"], month=shown["month"], day=shown["day"]) - local
    except (KeyError, TypeError, ValueError):
        return None
    round_trip = timedelta(days=1)
    if shown.get("weekday"):
        # 1 is Monday and 7 Sunday in the Clock Command Class; 0 is "unknown".
        face += timedelta(days=shown["weekday"] - local.isoweekday())
        round_trip = timedelta(days=7)
    return (face - local + round_trip / 2) % round_trip - round_trip / 2
