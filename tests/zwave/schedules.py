"""Codes with windows that a lock keeps, as the hub and the lock write them down; what they cost."""

from dataclasses import asdict
from datetime import UTC, datetime

from gateway.domain.credential import Credential, Schedule, WeeklyWindow
from gateway.domain.pin import Pin
from tests.zwave.running import NODES
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import Model, Schedules, Slot

STAY = Schedule(
    starts_at=datetime(2026, 12, 24, 14, 0, tzinfo=UTC), ends_at=datetime(2027, 4, 2, 9, 30, tzinfo=UTC)
)
STAY_ON_LOCK = {
    "startYear": 26,
    "startMonth": 12,
    "startDay": 24,
    "startHour": 15,
    "startMinute": 0,
    "stopYear": 27,
    "stopMonth": 4,
    "stopDay": 2,
    "stopHour": 11,
    "stopMinute": 30,
}
LONGER = Schedule(starts_at=STAY.starts_at, ends_at=datetime(2027, 4, 9, 9, 30, tzinfo=UTC))
MORNING = WeeklyWindow(weekdays=(0, 3), from_minute=8 * 60, until_minute=11 * 60 + 30)
NIGHT = WeeklyWindow(weekdays=(4,), from_minute=22 * 60, until_minute=1440 + 6 * 60)
WEEKLY = Schedule(weekly=(MORNING, NIGHT))
MORNING_ON_LOCK = {
    "weekdays": [1, 4],
    "startHour": 8,
    "startMinute": 0,
    "durationHour": 3,
    "durationMinute": 30,
}
NIGHT_ON_LOCK = {"weekdays": [5], "startHour": 22, "startMinute": 0, "durationHour": 8, "durationMinute": 0}
PIN = Pin("4711")
OPEN = Credential(pin=PIN)
GUEST = Credential(pin=PIN, schedule=STAY)
CLEANER = Credential(pin=PIN, schedule=WEEKLY)
HERS = Slot(status=1, code="4711")
NOTHING = Schedules()
WITH_DATES: list[Model] = ["scheduled", "scheduled_masked", "scheduled_plain"]


async def cost(bed: ZwaveBed, model: Model) -> dict[str, int]:
    """Return the commands that a lock has heard since the last question, by kind.

    Without nonces: the first exchange after a restart of the server needs one more.
    """
    node = NODES[model].node_id
    frames = asdict(await bed.counters(node))
    counted = {kind: count for kind, count in frames.items() if count > 0 and kind != "security"}
    await bed.reset_counters(node)
    return counted
