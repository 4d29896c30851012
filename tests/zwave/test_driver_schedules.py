"""Codes whose window the lock keeps by itself: what it holds at every moment, and what that costs."""

import pytest

from drivers.zwave.settings import ZwaveLockSettings
from gateway.domain.credential import Credential, Empty, Evidence, Known, Schedule, Unreadable
from gateway.domain.driver import (
    LockSeen,
    Refused,
    Written,
)
from gateway.domain.lock import NativeWindows
from gateway.domain.pin import Pin
from tests.zwave.running import NODES, ready, running
from tests.zwave.schedules import (
    CLEANER,
    GUEST,
    HERS,
    LONGER,
    MORNING,
    MORNING_ON_LOCK,
    NIGHT,
    NIGHT_ON_LOCK,
    NOTHING,
    OPEN,
    PIN,
    STAY_ON_LOCK,
    WITH_DATES,
    cost,
)
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import Model, Schedules

pytestmark = pytest.mark.zwave_bed


@pytest.mark.parametrize(
    ("model", "windows"),
    [
        ("scheduled", NativeWindows.DATES_OR_WEEKDAYS),
        ("scheduled_plain", NativeWindows.DATES),
        ("tiny", NativeWindows.NONE),
    ],
)
async def test_what_a_lock_keeps_is_known_without_asking_it(
    bed: ZwaveBed, model: Model, windows: NativeWindows
) -> None:
    """The server remembers it from the interview; a lock without the command class keeps nothing."""
    locks = {"door": ZwaveLockSettings(node=NODES[model].node_id, native_schedules=True)}
    async with running(bed, locks) as run:
        capabilities = (await run.told.one(LockSeen)).capabilities
    assert capabilities.native_windows is windows
    assert capabilities.schedule_zone == (None if windows is NativeWindows.NONE else "Europe/Berlin")
    assert capabilities.schedule_granularity.total_seconds() == 60
    # The checksum of User Code knows nothing of schedules: only a look finds one that somebody took off.
    assert capabilities.probe is (windows is NativeWindows.NONE)


async def test_a_lock_keeps_no_schedules_unless_that_is_allowed(bed: ZwaveBed) -> None:
    """It could; nobody said that this model does it well."""
    locks = {"scheduled": ZwaveLockSettings(node=NODES["scheduled"].node_id)}
    async with running(bed, locks) as run:
        capabilities = (await run.told.one(LockSeen)).capabilities
        await cost(bed, "scheduled")
        async with run.driver.session("scheduled") as session:
            with pytest.raises(Refused):
                await session.write("3", GUEST, replaces=None)
            assert await session.write("3", OPEN, replaces=None) is not None
    assert capabilities.native_windows is NativeWindows.NONE
    assert await cost(bed, "scheduled") == {"set": 1}


async def test_a_code_with_dates_is_confirmed_and_read_back(bed: ZwaveBed) -> None:
    """Two commands to write, two to read, two to remove, where the lock confirms."""
    node = NODES["scheduled"].node_id
    async with ready(bed, "scheduled") as run, run.driver.session("scheduled") as session:
        written = await session.write("3", GUEST, replaces=None)
        assert written == Written(slot="3", evidence=Evidence.ACCEPTED)
        assert await cost(bed, "scheduled") == {"schedule_set": 1, "set": 1}
        assert await bed.slots(node) == {3: HERS}
        assert await bed.schedules(node, 3) == Schedules(year_day={1: STAY_ON_LOCK})
        assert await session.read("3") == Known(GUEST)
        assert await cost(bed, "scheduled") == {"get": 1, "schedule_get": 1}
        assert await session.clear("3", holds=GUEST) == written
        assert await cost(bed, "scheduled") == {"clear": 1, "schedule_erase": 1}
    assert await bed.slots(node) == {}
    assert await bed.schedules(node, 3) == NOTHING


async def test_an_unsupervised_lock_is_asked_for_both_halves(bed: ZwaveBed) -> None:
    """Twice as many commands, and the digits are seen."""
    node = NODES["scheduled_plain"].node_id
    async with ready(bed, "scheduled_plain") as run, run.driver.session("scheduled_plain") as session:
        written = await session.write("3", GUEST, replaces=None)
        assert written == Written(slot="3", evidence=Evidence.READ_BACK, reading=Known(GUEST))
        assert await cost(bed, "scheduled_plain") == {
            "schedule_set": 1,
            "schedule_get": 1,
            "set": 1,
            "get": 1,
        }
        cleared = await session.clear("3", holds=GUEST)
        assert cleared == Written(slot="3", evidence=Evidence.READ_BACK, reading=Empty())
        assert await cost(bed, "scheduled_plain") == {
            "clear": 1,
            "get": 1,
            "schedule_erase": 1,
            "schedule_get": 1,
        }
    assert await bed.schedules(node, 3) == NOTHING


async def test_a_masked_lock_confirms_its_schedule_when_it_is_written(bed: ZwaveBed) -> None:
    """Later looks say "taken" and cost nothing for the schedule, which they could not show with the PIN."""
    node = NODES["scheduled_masked"].node_id
    async with ready(bed, "scheduled_masked") as run, run.driver.session("scheduled_masked") as session:
        written = await session.write("3", GUEST, replaces=None)
        assert written == Written(slot="3", evidence=Evidence.ACCEPTED)
        assert await bed.schedules(node, 3) == Schedules(year_day={1: STAY_ON_LOCK})
        assert await session.read("3") == Unreadable(enabled=True)
    assert await cost(bed, "scheduled_masked") == {"schedule_set": 1, "set": 1, "get": 1}


async def test_windows_by_weekdays_are_kept_and_read_back(bed: ZwaveBed) -> None:
    """One command for each, and a look beyond the last that nothing older follows."""
    node = NODES["scheduled"].node_id
    async with ready(bed, "scheduled") as run, run.driver.session("scheduled") as session:
        await session.write("3", CLEANER, replaces=None)
        assert await cost(bed, "scheduled") == {
            "schedule_set": 2,
            "schedule_get": 1,
            "schedule_erase": 1,  # of dates, about which nothing is known
            "set": 1,
        }
        on_lock = Schedules(daily={1: MORNING_ON_LOCK, 2: NIGHT_ON_LOCK})
        assert await bed.schedules(node, 3) == on_lock
        assert await session.read("3") == Known(CLEANER)
        assert await cost(bed, "scheduled") == {"get": 1, "schedule_get": 4}
        await session.clear("3", holds=CLEANER)
        assert await cost(bed, "scheduled") == {"clear": 1, "schedule_erase": 2}
    assert await bed.schedules(node, 3) == NOTHING


@pytest.mark.parametrize(
    ("before", "after", "held"),
    [
        (GUEST, Credential(pin=Pin("5822"), schedule=LONGER), {"schedule_set": 1, "set": 1}),
        (GUEST, CLEANER, {"schedule_set": 2, "schedule_erase": 1, "set": 1}),
        (CLEANER, GUEST, {"schedule_set": 1, "schedule_erase": 2, "set": 1}),
        (
            CLEANER,
            Credential(pin=PIN, schedule=Schedule(weekly=(NIGHT,))),
            {"schedule_set": 1, "schedule_erase": 1, "set": 1},
        ),
        (GUEST, OPEN, {"set": 1, "schedule_erase": 1}),
        (CLEANER, OPEN, {"set": 1, "schedule_erase": 2}),
        (OPEN, GUEST, {"schedule_set": 1, "set": 1}),
        (OPEN, Credential(pin=Pin("5822")), {"set": 1}),
    ],
)
async def test_a_schedule_replaces_another_and_nothing_of_that_is_left(
    bed: ZwaveBed, before: Credential, after: Credential, held: dict[str, int]
) -> None:
    """What is known to be there is not asked for."""
    async with ready(bed, "scheduled") as run, run.driver.session("scheduled") as session:
        await session.write("3", before, replaces=None)
        assert await session.read("3") == Known(before)
        await cost(bed, "scheduled")
        await session.write("3", after, replaces=before)
        assert await cost(bed, "scheduled") == held
        assert await session.read("3") == Known(after)
        kinds = await bed.schedules(NODES["scheduled"].node_id, 3)
    schedule = after.schedule or Schedule()
    assert (len(kinds.year_day), len(kinds.daily)) == (1 if schedule.ends_at else 0, len(schedule.weekly))


@pytest.mark.parametrize("model", WITH_DATES)
async def test_a_code_without_schedule_frees_a_slot_of_which_nothing_is_known(
    bed: ZwaveBed, model: Model
) -> None:
    """What a former user left there would keep the new one out."""
    node = NODES[model].node_id
    await bed.put_year_day(node, 3, STAY_ON_LOCK)
    if model != "scheduled_plain":
        await bed.put_daily(node, 3, 1, MORNING_ON_LOCK)
        await bed.put_daily(node, 3, 2, NIGHT_ON_LOCK)
    async with ready(bed, model) as run, run.driver.session(model) as session:
        await session.write("3", OPEN, replaces=None)
    assert await bed.slots(node) == {3: HERS}
    assert await bed.schedules(node, 3) == NOTHING


async def test_the_first_code_in_a_slot_costs_two_commands_more_and_later_ones_none(bed: ZwaveBed) -> None:
    """One to erase dates, one to see that there are no weekdays."""
    async with ready(bed, "scheduled") as run, run.driver.session("scheduled") as session:
        await session.write("3", OPEN, replaces=None)
        assert await cost(bed, "scheduled") == {"set": 1, "schedule_erase": 1, "schedule_get": 1}
        await session.write("3", Credential(pin=Pin("5822")), replaces=OPEN)
        assert await cost(bed, "scheduled") == {"set": 1}
        assert await session.read("3") == Known(Credential(pin=Pin("5822")))
        assert await cost(bed, "scheduled") == {"get": 1, "schedule_get": 2}
        await session.clear("3", holds=OPEN)
        assert await cost(bed, "scheduled") == {"clear": 1}


async def test_a_schedule_that_somebody_put_on_a_code_is_seen_and_taken_away(bed: ZwaveBed) -> None:
    """The hub believes the code to be without one; the look says otherwise."""
    node = NODES["scheduled"].node_id
    async with ready(bed, "scheduled") as run, run.driver.session("scheduled") as session:
        await session.write("3", OPEN, replaces=None)
        await bed.put_daily(node, 3, 1, MORNING_ON_LOCK)
        assert await session.read("3") == Known(Credential(pin=PIN, schedule=Schedule(weekly=(MORNING,))))
        await session.write("3", OPEN, replaces=OPEN)
        assert await session.read("3") == Known(OPEN)
