"""When audits are due: cron expressions in the gateway's time zone."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from croniter import croniter


def audits_in(zone: ZoneInfo) -> Callable[[str, datetime], datetime]:
    """Return how to find the next time, after an aware one, that fits a cron expression of five fields.

    The configuration has checked the expression. The result is UTC.
    """

    def next_audit(expression: str, now: datetime) -> datetime:
        following: datetime = croniter(expression, now.astimezone(zone)).get_next(datetime)
        return following.astimezone(UTC)

    return next_audit
