"""When the next audit of a lock is due."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from croniter import croniter


def next_audit(cron: str, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the next time after `now` that `cron` (five fields) names in `zone`, as UTC."""
    following: datetime = croniter(cron, now.astimezone(zone)).get_next(datetime)
    return following.astimezone(UTC)
