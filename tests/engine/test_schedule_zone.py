"""Another time zone in the configuration, where locks keep schedules by local time."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from drivers.simulated.models import NATIVE, Model
from gateway.domain.credential import Schedule
from gateway.domain.driver import AuthorityUp
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON
from tests.engine.conftest import Hang


def in_zone(zone: str) -> Model:
    """Return a lock that keeps local time."""
    return replace(NATIVE, capabilities=replace(NATIVE.capabilities, schedule_zone=zone))


async def moved(bench: Bench, before: str, now: str) -> None:
    """Set the lock's clock to another zone: what it holds opens and shuts at the same times of day there."""
    bench.lock.model = in_zone(now)
    for slot, taken in list(bench.lock.slots.items()):
        there = taken.schedule
        if there is not None:
            schedule = Schedule(
                starts_at=_as_read(there.starts_at, before, now), ends_at=_as_read(there.ends_at, before, now)
            )
            bench.lock.slots[slot] = replace(taken, schedule=schedule)
    await bench.engine.handle(AuthorityUp(device_ids=(DOOR,)))
    await bench.tell(bench.seen())


def _as_read(at: datetime | None, before: str, now: str) -> datetime | None:
    return at and at.astimezone(ZoneInfo(before)).replace(tzinfo=ZoneInfo(now)).astimezone(UTC)


@pytest.mark.parametrize("allowed", [False, True])
async def test_windows_that_lie_on_the_lock_are_written_anew(hang: Hang, *, allowed: bool) -> None:
    """At once, and nobody is told that somebody changed them: the hub itself did."""
    bench = await hang(in_zone("Europe/Berlin"))
    starts_at, ends_at = NOON + DAY, NOON + 3 * DAY
    code_id = await bench.create(
        "471134",
        starts_at=instant(starts_at),
        ends_at=instant(ends_at),
        is_external_modification_allowed=allowed,
    )
    await bench.settle(HOUR)
    bench.events()
    await moved(bench, "Europe/Berlin", "America/New_York")
    await bench.settle(MINUTE)
    assert bench.lock.slots["20"].schedule == Schedule(starts_at=starts_at, ends_at=ends_at)
    await bench.settle(DAY)
    shown = await bench.shown(code_id)
    assert (shown["starts_at"], shown["ends_at"]) == (instant(starts_at), instant(ends_at))
    assert "access_code.modified_external_to_gateway" not in bench.events()


async def test_the_same_zone_as_before_costs_nothing(hang: Hang) -> None:
    """As after every start."""
    bench = await hang(in_zone("Europe/Berlin"))
    await bench.create("471134", starts_at=instant(NOON + DAY), ends_at=instant(NOON + 3 * DAY))
    await bench.settle(HOUR)
    bench.driver.operations.clear()
    await moved(bench, "Europe/Berlin", "Europe/Berlin")
    await bench.settle(MINUTE)
    assert bench.driver.taken() == []
