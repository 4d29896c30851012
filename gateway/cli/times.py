"""Times as people type and read them, in the gateway's zone; programs and the daemon speak UTC."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.cli.exits import UsageError

_FORMS = 'a time is written "2026-12-24 15:00" (in the time zone of the gateway) or 2026-12-24T15:00:00+01:00'
_WITH_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d.*")


def read_time(text: str, zone: ZoneInfo) -> str:
    """Return what was typed as UTC with milliseconds and `Z`.

    Raises:
        UsageError: not a time, or a local time that the change of the clocks skips or brings twice: a guess
            there could let somebody in an hour wrong.
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(_FORMS) from None
    if not _WITH_TIME.fullmatch(text):
        raise UsageError(_FORMS)
    if time.tzinfo is None:
        time = _local(time, zone)
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _local(time: datetime, zone: ZoneInfo) -> datetime:
    first, second = time.replace(tzinfo=zone), time.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first
    skipped = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != time
    problem = "does not exist" if skipped else "comes twice"
    raise UsageError(
        f"{time:%Y-%m-%d %H:%M} {problem} in {zone.key}, because the clocks change: "
        f"add the offset, such as {time:%Y-%m-%dT%H:%M}{_offset(first)}"
    )


def _offset(time: datetime) -> str:
    minutes = (time.utcoffset() or timedelta(0)) // timedelta(minutes=1)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def show_time(text: object, zone: ZoneInfo) -> str:
    """Return a time of the daemon in the gateway's zone; what is not a time comes back as it is."""
    if not isinstance(text, str):
        return ""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{time.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}".replace(":00 ", " ", 1)
