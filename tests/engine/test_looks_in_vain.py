"""After a restore things wait for the first look at each slot, but not for ever where no look comes of it."""

import pytest
from msgspec.structs import replace

from drivers.simulated.models import MASKED, READABLE
from gateway.domain.credential import Reading, SlotRef
from gateway.domain.driver import DriverError, LockAlive, LockUnreachable, NoAnswer, Refused
from gateway.domain.lock import Readback
from gateway.domain.placement import Refusal
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON, POLICY
from tests.engine.conftest import Hang
from tests.engine.restoring import ANNA, STARTS, WAITS, Save

PINS = ("471134", "582245", "693356", "714467", "825578", "936689")


def fails(bench: Bench, patch: pytest.MonkeyPatch, error: DriverError, *slots: SlotRef) -> None:
    """Let looks at these slots come to nothing; at every slot where none is named."""
    hear = bench.driver.read

    async def read(slot: SlotRef) -> Reading:
        if not slots or slot in slots:
            bench.driver.operations.append(("read", slot))
            raise error
        return await hear(slot)

    patch.setattr(bench.driver, "read", read)


async def deleted_at_once(bench: Bench) -> str:
    """Create a code that is far from its start, and delete it: it was never on the lock."""
    starts, ends = instant(bench.clock.wall + 30 * DAY), instant(bench.clock.wall + 31 * DAY)
    code_id = await bench.create(ANNA, starts_at=starts, ends_at=ends)
    await bench.do("access_codes/delete", access_code_id=code_id)
    return code_id


async def test_where_looks_are_refused_what_is_over_comes_off(
    hang: Hang, saved: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody learns more from asking at every slot."""
    bench = await hang(READABLE)
    for pin in PINS:
        await bench.create(pin, ends_at=instant(NOON + 2 * HOUR))
    await bench.settle(MINUTE)
    assert len(bench.on_lock()) == len(PINS)
    house = saved(bench)
    bench.clock.pass_by(3 * HOUR)
    await house.restore()
    fails(bench, monkeypatch, Refused(Refusal.OTHER, "no looks"))
    await house.confirm(HOUR)
    assert bench.on_lock() == {}


async def test_where_looks_are_refused_what_was_deleted_is_done_with(
    hang: Hang, saved: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was deleted during the hold."""
    bench = await hang(READABLE)
    house = saved(bench)
    await house.restore()
    code_id = await deleted_at_once(bench)
    fails(bench, monkeypatch, Refused(Refusal.OTHER, "no looks"))
    await house.confirm(HOUR)
    assert code_id not in bench.snap().codes


async def test_slots_that_refuse_do_not_keep_the_others_from_being_looked_at(
    hang: Hang, saved: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What failed less often comes first."""
    bench = await hang(READABLE)
    house = saved(bench)
    await house.restore()
    fails(bench, monkeypatch, Refused(Refusal.OTHER, "no looks"), "1", "2", "3", "4", "5", "6")
    await house.confirm(3 * HOUR)
    assert {state.slot for state in bench.snap().slots.values() if state.reading is None} == set("123456")


async def test_a_lock_that_is_not_to_be_read_any_more_is_not_waited_for(hang: Hang, saved: Save) -> None:
    """Its configuration says so since the confirmation."""
    granted = tuple(str(slot) for slot in range(1, 21))
    bench = await hang(MASKED, policy=replace(POLICY, managed_slots=granted))
    house = saved(bench)
    await house.restore()
    code_id = await deleted_at_once(bench)
    bench.driver.closed = LockUnreachable("away")
    await house.confirm(MINUTE)
    assert code_id in bench.snap().codes
    bench.driver.closed = None
    seen = bench.seen()
    await bench.tell(replace(seen, capabilities=replace(seen.capabilities, readback=Readback.NONE)))
    await bench.settle(MINUTE)
    assert code_id not in bench.snap().codes
    assert bench.snap().device.restored_from is None


async def test_signs_of_life_do_not_make_a_silent_slot_last_for_ever(
    hang: Hang, saved: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With each the slot gets another chance; after a day one look in vain is enough."""
    bench = await hang(READABLE)
    house = saved(bench)
    await house.restore()
    code_id = await deleted_at_once(bench)
    fails(bench, monkeypatch, NoAnswer("no answer"), "7")
    await house.confirm(MINUTE)
    for _ in range(100):
        assert code_id in bench.snap().codes
        await bench.settle(12 * MINUTE)
        await bench.tell(LockAlive(device_id=DOOR))
    for _ in range(40):
        await bench.settle(12 * MINUTE)
        await bench.tell(LockAlive(device_id=DOOR))
    assert code_id not in bench.snap().codes


class TestALockThatIsAway:
    """The restore is confirmed while nothing reaches it."""

    async def test_what_was_created_afterwards_and_deleted_is_done_with(
        self, hang: Hang, saved: Save
    ) -> None:
        """It cannot be on the lock."""
        bench = await hang(READABLE)
        house = saved(bench)
        await house.restore()
        bench.driver.closed = LockUnreachable("battery empty")
        await house.confirm()
        code_id = await deleted_at_once(bench)
        await bench.settle(MINUTE)
        assert code_id not in bench.snap().codes

    async def test_what_may_have_come_onto_it_is_taken_off_when_it_is_back(
        self, hang: Hang, saved: Save
    ) -> None:
        """Deleted during the hold, and kept in mind for as long as it takes."""
        bench = await hang(READABLE)
        code_id = await bench.create(ANNA, **WAITS)
        house = saved(bench)
        await bench.settle(STARTS + HOUR - NOON)
        assert bench.on_lock() != {}
        await house.restore()
        await bench.do("access_codes/delete", access_code_id=code_id)
        bench.driver.closed = LockUnreachable("battery empty")
        await house.confirm(4 * DAY)
        assert code_id in bench.snap().codes
        bench.driver.closed = None
        await bench.tell(LockAlive(device_id=DOOR))
        await bench.settle(HOUR)
        assert (bench.on_lock(), code_id in bench.snap().codes) == ({}, False)
