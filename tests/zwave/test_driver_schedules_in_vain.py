"""Codes whose window the lock keeps by itself, when something is lost or refused on the way."""

import asyncio
from datetime import UTC, datetime

import pytest

from drivers.zwave.settings import ZwaveLockSettings
from gateway.domain.credential import Credential, Empty, Evidence, Known, Schedule
from gateway.domain.driver import (
    LockSeen,
    LockUnreachable,
    NoAnswer,
    Refused,
    SlotReported,
    SlotTouched,
    Written,
)
from gateway.domain.pin import Pin
from gateway.domain.placement import Refusal
from tests.zwave.running import NODES, ready, running
from tests.zwave.schedules import GUEST, LONGER, MORNING, NOTHING, OPEN, PIN, STAY, STAY_ON_LOCK, WEEKLY, cost
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import Faults, Model, Schedules, Slot

pytestmark = pytest.mark.zwave_bed


@pytest.mark.parametrize(
    ("model", "faults"),
    [
        ("scheduled", Faults(refuse_schedules=None)),
        ("scheduled_masked", Faults(refuse_schedules=None)),
        ("scheduled_plain", Faults(refuse_schedules=None)),
        ("scheduled_plain", Faults(swallow_schedules=None)),
    ],
)
async def test_without_its_schedule_no_code_goes_onto_the_lock(
    bed: ZwaveBed, model: Model, faults: Faults
) -> None:
    """Whether the lock says no, or only does not do it. One that lies in its confirmation is believed."""
    node = NODES[model].node_id
    async with ready(bed, model) as run, run.driver.session(model) as session:
        await bed.fault(node, faults)
        with pytest.raises(Refused) as refused:
            await session.write("3", GUEST, replaces=None)
    assert refused.value.reason is Refusal.SCHEDULE
    assert await bed.slots(node) == {}
    assert "set" not in await cost(bed, model)


async def test_a_lost_confirmation_is_made_up_for_by_one_look_at_the_schedule(bed: ZwaveBed) -> None:
    """The code follows, and is confirmed by itself."""
    async with ready(bed, "scheduled") as run, run.driver.session("scheduled") as session:
        await bed.fault(NODES["scheduled"].node_id, Faults(lose_schedule_answers=1))
        written = await session.write("3", GUEST, replaces=None)
        assert written == Written(slot="3", evidence=Evidence.ACCEPTED)
        assert await cost(bed, "scheduled") == {"schedule_set": 1, "schedule_get": 1, "set": 1}
        await bed.fault(NODES["scheduled"].node_id, Faults(lose_schedule_answers=1))
        await session.write("3", OPEN, replaces=GUEST)
        assert await cost(bed, "scheduled") == {"set": 1, "schedule_erase": 1, "schedule_get": 1}
        assert await session.read("3") == Known(OPEN)


async def test_a_lost_acknowledgement_of_the_schedule_may_have_been_applied(bed: ZwaveBed) -> None:
    """The code is not sent then, and the schedule without a code opens for nobody."""
    node = NODES["scheduled_plain"].node_id
    async with ready(bed, "scheduled_plain") as run, run.driver.session("scheduled_plain") as session:
        await bed.fault(node, Faults(lose_schedule_answers=1))
        with pytest.raises(LockUnreachable) as unreachable:
            await session.write("3", GUEST, replaces=None)
        assert unreachable.value.may_have_been_applied
        assert await bed.slots(node) == {}
        assert await bed.schedules(node, 3) == Schedules(year_day={1: STAY_ON_LOCK})


@pytest.mark.parametrize("model", ["scheduled", "scheduled_plain"])
async def test_no_answer_about_a_schedule_is_not_its_absence(bed: ZwaveBed, model: Model) -> None:
    """The library gives both the same face; its count of answers waited for in vain does not."""
    async with ready(bed, model) as run, run.driver.session(model) as session:
        await session.write("3", GUEST, replaces=None)
        await bed.fault(NODES[model].node_id, Faults(silent_schedule_gets=1))
        with pytest.raises(NoAnswer):
            await session.read("3")
        assert await session.read("3") == Known(GUEST)


async def test_an_empty_slot_is_not_asked_for_its_schedule(bed: ZwaveBed) -> None:
    """One command, as on any lock."""
    async with ready(bed, "scheduled") as run, run.driver.session("scheduled") as session:
        assert await session.read("3") == Empty()
    assert await cost(bed, "scheduled") == {"get": 1}


async def test_a_schedule_that_cannot_be_taken_away_is_no_success(bed: ZwaveBed) -> None:
    """The new code is on the lock and would be refused at the door: the hub looks and tries again."""
    node = NODES["scheduled"].node_id
    async with ready(bed, "scheduled") as run, run.driver.session("scheduled") as session:
        await session.write("3", GUEST, replaces=None)
        await bed.fault(node, Faults(refuse_schedules=1))
        with pytest.raises(NoAnswer) as doubtful:
            await session.write("3", OPEN, replaces=GUEST)
        assert doubtful.value.may_have_been_applied
        assert await session.read("3") == Known(GUEST)
        # Even who believes that there was none: the slot was seen with one.
        await session.write("3", OPEN, replaces=OPEN)
        assert await session.read("3") == Known(OPEN)


async def test_a_removal_is_done_when_the_code_is_gone(bed: ZwaveBed) -> None:
    """The schedule that is left opens for nobody, and the next code in the slot is rid of it."""
    node = NODES["scheduled"].node_id
    async with ready(bed, "scheduled") as run, run.driver.session("scheduled") as session:
        await session.write("3", GUEST, replaces=None)
        await bed.fault(node, Faults(refuse_schedules=1))
        assert await session.clear("3", holds=GUEST) == Written(slot="3", evidence=Evidence.ACCEPTED)
        assert await bed.slots(node) == {}
        assert await bed.schedules(node, 3) == Schedules(year_day={1: STAY_ON_LOCK})
        await session.write("3", OPEN, replaces=None)
        assert await session.read("3") == Known(OPEN)


@pytest.mark.parametrize("before", [OPEN, GUEST])
async def test_a_refused_code_leaves_the_schedule_of_the_one_before(
    bed: ZwaveBed, before: Credential
) -> None:
    """Refused means that the slot is as it was, for the PIN that goes on working there too."""
    node = NODES["scheduled"].node_id
    await bed.edit(node, 1, "5822", "silent")
    async with ready(bed, "scheduled") as run, run.driver.session("scheduled") as session:
        await session.write("3", before, replaces=None)
        with pytest.raises(Refused) as refused:
            await session.write("3", Credential(pin=Pin("5822"), schedule=LONGER), replaces=before)
        assert refused.value.reason is Refusal.DUPLICATE
        assert await session.read("3") == Known(before)


@pytest.mark.parametrize("what", ["write", "clear"])
async def test_a_code_that_the_lock_did_not_let_go_keeps_its_schedule(bed: ZwaveBed, what: str) -> None:
    """It swallowed the change: without the schedule the PIN of before would open at all times."""
    node = NODES["scheduled_plain"].node_id
    async with ready(bed, "scheduled_plain") as run, run.driver.session("scheduled_plain") as session:
        await session.write("3", GUEST, replaces=None)
        await bed.fault(node, Faults(swallow_sets=1))
        if what == "write":
            written = await session.write("3", Credential(pin=Pin("5822")), replaces=GUEST)
            assert written == Written(slot="3", evidence=Evidence.SENT, reading=Known(GUEST))
        else:
            assert (await session.clear("3", holds=GUEST)).evidence is Evidence.SENT
        assert await session.read("3") == Known(GUEST)


async def test_a_refused_code_in_an_empty_slot_costs_nothing_more(bed: ZwaveBed) -> None:
    """Its schedule stays there without a code, until one comes."""
    node = NODES["scheduled"].node_id
    await bed.edit(node, 1, "4711", "silent")
    async with ready(bed, "scheduled") as run, run.driver.session("scheduled") as session:
        with pytest.raises(Refused):
            await session.write("3", GUEST, replaces=None)
        counted = await cost(bed, "scheduled")
        assert (counted["schedule_set"], counted["set"]) == (1, 1)
        assert "schedule_erase" not in counted


@pytest.mark.parametrize(
    ("model", "schedule"),
    [
        ("scheduled", Schedule(starts_at=STAY.starts_at, weekly=(MORNING,))),
        ("scheduled", Schedule(weekly=(MORNING,) * 8)),
        ("scheduled", Schedule(ends_at=datetime(2026, 12, 1, 12, 0, 30, tzinfo=UTC))),
        ("scheduled_plain", WEEKLY),
        ("v1", STAY),
    ],
)
async def test_a_schedule_that_the_lock_cannot_keep_is_refused_without_radio(
    bed: ZwaveBed, model: Model, schedule: Schedule
) -> None:
    """Dates and weekdays together, too many windows, seconds, or none at all."""
    async with ready(bed, model) as run, run.driver.session(model) as session:
        with pytest.raises(Refused) as refused:
            await session.write("3", Credential(pin=PIN, schedule=schedule), replaces=None)
    assert refused.value.reason is Refusal.SCHEDULE
    assert await cost(bed, model) == {}


async def test_a_report_of_a_slot_says_only_that_it_changed(bed: ZwaveBed) -> None:
    """It has the digits and not the schedule: told as a reading, every schedule would seem to be gone."""
    node = NODES["scheduled"].node_id
    async with ready(bed, "scheduled") as run:
        run.told.forget()
        await bed.edit(node, 2, "4711", "report")
        events = await run.told.until(lambda told: len(told) > 0)
        assert events == [SlotTouched(device_id="scheduled", slot="2")]
        await bed.clear(node, 2, "report")
        assert (await run.told.one(SlotReported)).reading == Empty()


async def test_a_schedule_is_erased_although_no_more_are_allowed(bed: ZwaveBed) -> None:
    """Somebody took the permission back; the codes that have schedules must not be kept by them for ever."""
    node = NODES["scheduled"].node_id
    async with ready(bed, "scheduled") as run, run.driver.session("scheduled") as session:
        for slot in ("3", "4"):
            pin = Pin(f"471{slot}")
            await session.write(slot, Credential(pin=pin, schedule=STAY), replaces=None)
    locks = {"scheduled": ZwaveLockSettings(node=node)}
    async with running(bed, locks) as run:
        await run.told.one(LockSeen)
        async with run.driver.session("scheduled") as session:
            held = Credential(pin=Pin("4713"), schedule=STAY)
            await session.write("3", Credential(pin=Pin("4713")), replaces=held)
            await session.clear("4", holds=Credential(pin=Pin("4714"), schedule=STAY))
    assert await bed.slots(node) == {3: Slot(status=1, code="4713")}
    assert (await bed.schedules(node, 3), await bed.schedules(node, 4)) == (NOTHING, NOTHING)


async def test_at_no_moment_is_a_code_on_the_lock_without_its_schedule(bed: ZwaveBed) -> None:
    """Seen from the door all the while."""
    node = NODES["scheduled"].node_id
    done = asyncio.Event()
    seen: set[tuple[bool, bool]] = set()

    async def watch() -> None:
        while not done.is_set():
            # The code is looked at first: had it come first, it would be seen alone.
            code = 3 in await bed.slots(node)
            seen.add((code, bool((await bed.schedules(node, 3)).year_day)))

    async def write() -> None:
        async with run.driver.session("scheduled") as session:
            await session.write("3", GUEST, replaces=None)
        done.set()

    async with ready(bed, "scheduled") as run:
        await asyncio.gather(watch(), write())
    assert (True, False) not in seen
