"""The clocks of locks with schedules of their own: when they are set, what they show, what it costs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.domain.driver import ClockChecked, LockDead, LockSeen, LockUnreachable
from tests.zwave.hand_clock import HandClock
from tests.zwave.running import BERLIN, NODES, Running, running, settings_for
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import Faults, Model

pytestmark = pytest.mark.zwave_bed
NOON = datetime(2026, 3, 27, 11, 0, tzinfo=UTC)
"""Two days before the clocks of Berlin change."""
CHANGE = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
A_MOMENT = timedelta(seconds=30)
"""More than anything on the bed takes, less than what would be a wrong clock."""
LOCK: Model = "scheduled"
NODE = NODES[LOCK].node_id
LOST = ClockChecked(device_id=LOCK, off_by=None, lost=True)


@asynccontextmanager
async def keeping_time(
    bed: ZwaveBed, clock: HandClock, model: Model = LOCK, zone: ZoneInfo = BERLIN
) -> AsyncIterator[Running]:
    """Run a driver by a clock of the test."""
    async with running(bed, settings_for(model), clock=clock, zone=zone) as run:
        yield run


def right(checked: ClockChecked) -> bool:
    """Say whether the lock's clock was found right."""
    return checked.off_by is not None and abs(checked.off_by) < A_MOMENT


async def shows(bed: ZwaveBed, local: datetime, model: Model = LOCK) -> bool:
    """Say whether the face of a lock shows this local time."""
    return abs(await bed.clock(NODES[model].node_id) - local.replace(tzinfo=None)) < A_MOMENT


@pytest.mark.parametrize(("model", "commands"), [("scheduled", 4), ("scheduled_plain", 2)])
async def test_a_lock_that_is_seen_has_its_clock_set_to_local_time(
    bed: ZwaveBed, model: Model, commands: int
) -> None:
    """And read back. Where the lock is told a time zone, that is two commands more."""
    clock = HandClock(NOON)
    async with keeping_time(bed, clock, model) as run:
        checked = await run.told.one(ClockChecked)
        assert checked.device_id == model
        assert right(checked)
        assert await shows(bed, NOON.astimezone(BERLIN), model)
    assert (await bed.counters(NODES[model].node_id)).clock == commands


async def test_locks_without_schedules_are_left_alone(bed: ZwaveBed) -> None:
    """Their clock concerns nobody."""
    async with keeping_time(bed, HandClock(NOON), "v2_s2") as run:
        await run.told.one(LockSeen)
        async with run.driver.session("v2_s2") as session:
            await session.read("1")
    assert (await bed.counters(NODES["v2_s2"].node_id)).clock == 0


async def test_the_clock_is_set_daily_and_right_after_the_zone_changes(bed: ZwaveBed) -> None:
    """At three in the morning it shows three and not two, a second after the change.

    On a lock that is told no time zone: near a change the server finds that zone by the real time.
    """
    model: Model = "scheduled_plain"
    clock = HandClock(NOON)
    async with keeping_time(bed, clock, model) as run:
        await run.told.one(ClockChecked)
        clock.move(timedelta(days=1))
        assert right(await run.told.one(ClockChecked))
        clock.move(CHANGE - clock.now() + timedelta(seconds=1.5))
        assert right(await run.told.one(ClockChecked))
        assert await shows(bed, datetime(2026, 3, 29, 3, 0), model)  # noqa: DTZ001 - the face of the lock
        clock.move(timedelta(hours=23))
        async with run.driver.session(model) as session:
            await session.read("1")
        assert run.told.events == []
    assert (await bed.counters(NODES[model].node_id)).clock == 3 * 2


async def test_a_lock_that_comes_back_has_its_clock_set(bed: ZwaveBed) -> None:
    """It may have been without power; while it is away nothing is tried."""
    clock = HandClock(NOON)
    async with keeping_time(bed, clock) as run:
        await run.told.one(ClockChecked)
        await bed.fault(NODE, Faults(dead=True))
        async with run.driver.session(LOCK) as session:
            with pytest.raises(LockUnreachable):
                await session.read("1")
        await run.told.one(LockDead)
        await bed.reset_counters(NODE)
        clock.move(timedelta(days=1))
        await bed.alive(NODE)
        assert right(await run.told.one(ClockChecked))
        assert await shows(bed, clock.now().astimezone(BERLIN))
    assert (await bed.counters(NODE)).clock == 4


async def test_new_batteries_have_the_clock_set_but_not_every_minute(bed: ZwaveBed) -> None:
    """A lock that comes and goes would be spoken to all day."""
    clock = HandClock(NOON)
    await bed.battery(NODE, 5)
    async with keeping_time(bed, clock) as run:
        await run.told.one(ClockChecked)
        await bed.battery(NODE, 100)
        await run.told.until(lambda told: len(told) > 0)
        async with run.driver.session(LOCK) as session:
            await session.read("1")
        assert run.told.events == []
        clock.move(timedelta(minutes=10))
        assert right(await run.told.one(ClockChecked))


async def test_a_clock_that_cannot_be_read_is_told_as_unknown_and_tried_again(bed: ZwaveBed) -> None:
    """After a minute, then after an hour, and logged once."""
    clock = HandClock(NOON)
    await bed.fault(NODE, Faults(silent_clock=3))
    async with keeping_time(bed, clock) as run:
        assert await run.told.one(ClockChecked) == ClockChecked(device_id=LOCK, off_by=None)
        clock.move(timedelta(minutes=1))
        assert await run.told.one(ClockChecked) == LOST
        clock.move(timedelta(hours=1))
        assert await run.told.one(ClockChecked) == LOST
        clock.move(timedelta(hours=1))
        assert right(await run.told.one(ClockChecked))


async def test_a_lock_with_new_batteries_that_does_not_answer_has_lost_its_clock(bed: ZwaveBed) -> None:
    """It was right before. One lost answer is no reason yet."""
    clock = HandClock(NOON)
    await bed.battery(NODE, 5)
    async with keeping_time(bed, clock) as run:
        await run.told.one(ClockChecked)
        clock.move(timedelta(minutes=20))
        await bed.fault(NODE, Faults(silent_clock=2))
        await bed.battery(NODE, 100)
        assert await run.told.one(ClockChecked) == ClockChecked(device_id=LOCK, off_by=None)
        clock.move(timedelta(minutes=1))
        assert await run.told.one(ClockChecked) == LOST
        clock.move(timedelta(hours=1))
        assert right(await run.told.one(ClockChecked))


async def test_a_clock_that_is_not_heard_at_the_daily_look_goes_on(bed: ZwaveBed) -> None:
    """It was right and had power; but an hour of summer time it does not add by itself."""
    clock = HandClock(NOON)
    async with keeping_time(bed, clock) as run:
        await run.told.one(ClockChecked)
        await bed.fault(NODE, Faults(silent_clock=5))
        clock.move(timedelta(days=1))
        for _ in range(2):
            assert await run.told.one(ClockChecked) == ClockChecked(device_id=LOCK, off_by=None)
            clock.move(timedelta(hours=1))
        clock.move(CHANGE - clock.now() + timedelta(seconds=1.5))
        assert await run.told.one(ClockChecked) == ClockChecked(device_id=LOCK, off_by=None)
        clock.move(timedelta(minutes=1))
        assert await run.told.one(ClockChecked) == LOST


@pytest.mark.parametrize("before", ["the time was not known", "a daily look got no answer"])
async def test_one_lost_answer_is_no_lost_clock_whatever_came_before(bed: ZwaveBed, before: str) -> None:
    """Every code with a window would be rewritten for it."""
    clock, unsure = HandClock(NOON), before.startswith("the time")
    clock.is_synchronised = not unsure
    await bed.battery(NODE, 5)
    async with keeping_time(bed, clock) as run:
        await run.told.one(ClockChecked)
        await bed.fault(NODE, Faults(silent_clock=2 if unsure else 3))
        if unsure:
            clock.is_synchronised = True
            clock.move(timedelta(minutes=1))
        else:
            clock.move(timedelta(days=1))
            await run.told.one(ClockChecked)
            await bed.battery(NODE, 100)
        assert await run.told.one(ClockChecked) == ClockChecked(device_id=LOCK, off_by=None)
        clock.move(timedelta(minutes=1))
        assert await run.told.one(ClockChecked) == LOST


async def test_a_clock_that_does_not_take_the_time_is_told_as_wrong(bed: ZwaveBed) -> None:
    """What it shows counts, not what it says of the command."""
    clock = HandClock(NOON)
    await bed.fault(NODE, Faults(deaf_clock=None))
    shown = (await bed.clock(NODE)).replace(tzinfo=BERLIN)
    async with keeping_time(bed, clock) as run:
        off_by = (await run.told.one(ClockChecked)).off_by
    assert off_by is not None
    assert abs(off_by - (shown - NOON)) < A_MOMENT


@pytest.mark.parametrize(
    ("zone", "now", "hours"),
    [
        ("America/New_York", NOON, 5),
        # The winter of Berlin looks like the summer of London.
        ("Europe/London", datetime(2026, 7, 1, 11, 0, tzinfo=UTC), 1),
        ("Europe/London", datetime(2026, 2, 1, 11, 0, tzinfo=UTC), 1),
        ("Europe/Paris", datetime(2026, 7, 1, 11, 0, tzinfo=UTC), 0),
    ],
)
async def test_a_server_in_another_time_zone_is_told_as_a_wrong_clock(
    bed: ZwaveBed, zone: str, now: datetime, hours: int
) -> None:
    """It reads back what it wrote, by its own zone; only the zone that it told the lock gives it away."""
    async with keeping_time(bed, HandClock(now), zone=ZoneInfo(zone)) as run:
        off_by = (await run.told.one(ClockChecked)).off_by
    assert off_by is not None
    assert abs(off_by - timedelta(hours=hours)) < A_MOMENT


async def test_while_the_hub_does_not_know_the_time_no_lock_is_told_any(bed: ZwaveBed) -> None:
    """A wrong time would open windows that are shut. It is known a minute after the hub knows it."""
    clock = HandClock(NOON)
    clock.is_synchronised = False
    async with keeping_time(bed, clock) as run:
        assert await run.told.one(ClockChecked) == ClockChecked(device_id=LOCK, off_by=None)
        assert (await bed.counters(NODE)).clock == 0
        clock.is_synchronised = True
        clock.move(timedelta(minutes=1))
        assert right(await run.told.one(ClockChecked))


async def test_a_time_server_that_is_away_takes_no_trust_away(bed: ZwaveBed) -> None:
    """The boot-time clock goes on; a wall clock that somebody puts elsewhere is not followed."""
    clock = HandClock(NOON)
    async with keeping_time(bed, clock) as run:
        await run.told.one(ClockChecked)
        clock.is_synchronised = False
        clock.step(timedelta(days=400))
        clock.move(timedelta(days=1))
        assert right(await run.told.one(ClockChecked))
        assert await shows(bed, (NOON + timedelta(days=1)).astimezone(BERLIN))


async def test_a_clock_is_not_set_in_the_middle_of_other_work_on_the_lock(bed: ZwaveBed) -> None:
    """A session has the lock to itself."""
    clock = HandClock(NOON)
    async with keeping_time(bed, clock) as run:
        await run.told.one(ClockChecked)
        async with run.driver.session(LOCK) as session:
            await bed.reset_counters(NODE)
            clock.move(timedelta(days=1))
            await session.read("1")
            await session.read("2")
            assert (await bed.counters(NODE)).clock == 0
        assert right(await run.told.one(ClockChecked))
