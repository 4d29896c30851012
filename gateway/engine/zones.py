"""What becomes of schedules on a lock when its time zone changes. Works on a `Work`."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from gateway.engine.work import Work


def move_zone(work: Work, before: str | None, now: str | None) -> None:
    """Take in that a lock keeps its local times by another zone: what it was given means other moments now.

    So the planner finds the difference at once, and no look takes it for somebody's change.
    """
    if before is None or now is None or before == now:
        return
    for code_id, placement in list(work.placements.items()):
        confirmed = placement.confirmed
        schedule = confirmed.credential.schedule if confirmed is not None else None
        if confirmed is None or schedule is None:
            continue
        moved = replace(
            schedule,
            starts_at=_reread(schedule.starts_at, before, now),
            ends_at=_reread(schedule.ends_at, before, now),
        )
        credential = replace(confirmed.credential, schedule=moved)
        work.set_placement(code_id, confirmed=replace(confirmed, credential=credential))


def _reread(at: datetime | None, before: str, now: str) -> datetime | None:
    if at is None:
        return None
    return at.astimezone(ZoneInfo(before)).replace(tzinfo=ZoneInfo(now)).astimezone(UTC)
