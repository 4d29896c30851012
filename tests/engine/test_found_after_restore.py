"""Codes of the hub that came onto a lock after the backup was made that is restored.

The backup knows them as waiting. They are told by their PIN, in the first look at each slot.
"""

import pytest
from msgspec.structs import replace

from drivers.simulated.models import CHOOSER, NATIVE, READABLE, TINY, Model
from gateway.domain.credential import Credential
from gateway.domain.driver import NoAnswer
from gateway.domain.pin import Pin
from gateway.engine.mutations import instant
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON
from tests.engine.conftest import Hang
from tests.engine.restoring import ANNA, ENDS, OTHER, STARTS, WAITS, Save, opens, put, unmanaged

TELLS = pytest.mark.parametrize("model", [READABLE, NATIVE, CHOOSER, TINY], ids=lambda m: m.name)


@TELLS
async def test_one_whose_window_runs_is_kept_and_ended(hang: Hang, saved: Save, model: Model) -> None:
    """It stays as it is, without a write; nobody is said to have put it there."""
    bench = await hang(model)
    code_id = await bench.create(ANNA, **WAITS)
    house = saved(bench)
    await bench.settle(STARTS + HOUR - NOON)
    on_lock = bench.on_lock()
    await house.restore()
    await house.confirm()
    shown = await bench.shown(code_id)
    assert (shown["status"], shown["errors"], bench.on_lock()) == ("set", [], on_lock)
    assert bench.driver.taken("write", "clear") == []
    assert not any("unmanaged" in told for told in bench.events())
    await bench.settle(ENDS + HOUR - bench.clock.wall)
    assert bench.on_lock() == {}
    assert (await bench.shown(code_id))["status"] == "unset"


@TELLS
async def test_one_that_is_over_by_now_is_taken_off(hang: Hang, saved: Save, model: Model) -> None:
    """The hub was away when its window ended."""
    bench = await hang(model)
    code_id = await bench.create(ANNA, **WAITS)
    house = saved(bench)
    await bench.settle(STARTS + HOUR - NOON)
    bench.clock.pass_by(ENDS + HOUR - bench.clock.wall)
    await house.restore()
    await house.confirm()
    assert bench.on_lock() == {}
    assert "access_code.removed_from_device" in bench.events()
    assert (await bench.shown(code_id))["status"] == "unset"


@TELLS
async def test_one_that_was_deleted_before_the_looks_is_taken_off(
    hang: Hang, saved: Save, model: Model
) -> None:
    """Whoever deletes it while the lock is held means the code, wherever it is."""
    bench = await hang(model)
    code_id = await bench.create(ANNA, **WAITS)
    house = saved(bench)
    await bench.settle(STARTS + HOUR - NOON)
    await house.restore()
    await bench.do("access_codes/delete", access_code_id=code_id)
    assert code_id in bench.snap().codes
    await house.confirm()
    assert bench.on_lock() == {}
    assert code_id not in bench.snap().codes


async def test_one_that_was_deleted_and_is_nowhere_goes_with_the_last_look(hang: Hang, saved: Save) -> None:
    """Nothing was on the lock."""
    bench = await hang(READABLE)
    code_id = await bench.create(ANNA, **WAITS)
    house = saved(bench)
    await house.restore()
    await bench.do("access_codes/delete", access_code_id=code_id)
    await house.confirm(MINUTE)
    assert code_id not in bench.snap().codes
    assert bench.snap().device.restored_from is None


@TELLS
async def test_the_pin_of_nobody_stays_somebody_else_s(hang: Hang, saved: Save, model: Model) -> None:
    """Beside it the hub's own code is found."""
    bench = await hang(model)
    code_id = await bench.create(ANNA, **WAITS)
    house = saved(bench)
    await bench.settle(STARTS + HOUR - NOON)
    theirs = put(bench, "1", OTHER)
    await house.restore()
    await house.confirm()
    assert unmanaged(bench) == [theirs]
    assert (await bench.shown(code_id))["status"] == "set"
    await bench.settle(ENDS + HOUR - bench.clock.wall)
    assert bench.on_lock() == {theirs: OTHER}


@TELLS
async def test_one_created_anew_during_the_hold_takes_its_place_again(
    hang: Hang, saved: Save, model: Model
) -> None:
    """The backup does not know it; with the same PIN it is known again."""
    bench = await hang(model)
    house = saved(bench)
    await bench.create(ANNA)
    await bench.settle(HOUR)
    on_lock = bench.on_lock()
    await house.restore()
    code_id = await bench.create(ANNA)
    await house.confirm()
    assert ((await bench.shown(code_id))["status"], bench.on_lock()) == ("set", on_lock)
    assert (unmanaged(bench), bench.driver.taken("write")) == ([], [])


class TestWhatItIsHeldTo:
    """The database decides how a code is to be, as of any other code."""

    async def test_one_that_waits_disabled_goes_on_to_wait(self, hang: Hang, saved: Save) -> None:
        """And opens the door when it starts."""
        bench = await hang(READABLE)
        code_id = await bench.create(ANNA, **WAITS)
        house = saved(bench)
        await bench.settle(STARTS - 20 * MINUTE - NOON)
        assert not opens(bench, "20")
        await house.restore()
        await house.confirm(5 * MINUTE)
        assert bench.driver.taken("write", "clear") == []
        assert not opens(bench, "20")
        await bench.settle(HOUR)
        assert opens(bench, "20")
        assert (await bench.shown(code_id))["status"] == "set"

    async def test_one_that_is_disabled_although_it_should_open_is_enabled(
        self, hang: Hang, saved: Save
    ) -> None:
        """The hub was away when it started."""
        bench = await hang(READABLE)
        code_id = await bench.create(ANNA, **WAITS)
        house = saved(bench)
        bench.clock.pass_by(STARTS + HOUR - NOON)
        put(bench, "7", ANNA, enabled=False)
        await house.restore()
        await house.confirm()
        assert bench.lock.slots == {"7": Credential(pin=Pin(ANNA))}
        assert (await bench.shown(code_id))["status"] == "set"

    @pytest.mark.parametrize("model", [NATIVE, CHOOSER], ids=lambda m: m.name)
    async def test_other_dates_are_put_right(self, hang: Hang, saved: Save, model: Model) -> None:
        """They were changed after the backup was made; the lock keeps those of the database."""
        bench = await hang(model)
        code_id = await bench.create(ANNA, **WAITS)
        house = saved(bench)
        await bench.do("access_codes/update", access_code_id=code_id, ends_at=instant(ENDS + 9 * DAY))
        await bench.settle(STARTS + HOUR - NOON)
        [slot] = bench.on_lock()
        await house.restore()
        await house.confirm()
        schedule = bench.lock.slots[slot].schedule
        assert schedule is not None
        assert schedule.ends_at == ENDS
        assert list(bench.on_lock()) == [slot]

    async def test_one_that_somebody_was_allowed_to_remove_counts_as_there_again(
        self, hang: Hang, saved: Save
    ) -> None:
        """It would stay for ever otherwise: what somebody removed is not looked after."""
        bench = await hang(READABLE)
        code_id = await bench.create(ANNA, ends_at=instant(ENDS), is_external_modification_allowed=True)
        await bench.settle(HOUR)
        bench.lock.clear("20")
        await bench.do("devices/sync", device_id=DOOR)
        await bench.settle(HOUR)
        assert (await bench.shown(code_id))["status"] == "unset"
        house = saved(bench)
        put(bench, "20", ANNA)
        await house.restore()
        await house.confirm()
        shown = await bench.shown(code_id)
        assert (shown["status"], shown["warnings"]) == ("set", [])

    async def test_what_came_back_soon_after_its_removal_is_the_code(self, hang: Hang, saved: Save) -> None:
        """It is not cleared as a late write: its next window has begun since."""
        bench = await hang(READABLE)
        window = {"cron": "0 10 * * *", "minutes": 60, "time_zone": "UTC"}
        await bench.create(ANNA, ends_at=instant(ENDS), recurrence=window)
        await bench.settle(DAY)
        bench.lock.clear("20")
        await bench.settle(DAY)
        house = saved(bench)
        await bench.settle(DAY - 90 * MINUTE)
        assert bench.lock.slots["20"].enabled
        await house.restore()
        await house.confirm(5 * MINUTE)
        assert bench.driver.taken("write", "clear") == []


class TestOtherSlots:
    """Where the code is said to be is not where it is."""

    @pytest.mark.parametrize("model", [READABLE, CHOOSER], ids=lambda m: m.name)
    async def test_one_that_was_moved_is_followed(self, hang: Hang, saved: Save, model: Model) -> None:
        """It was removed by somebody and set anew, after the backup."""
        bench = await hang(model)
        code_id = await bench.create(ANNA)
        await bench.settle(HOUR)
        house = saved(bench)
        bench.lock.delete_all()
        slot = put(bench, "3", ANNA)
        await house.restore()
        await house.confirm()
        assert ((await bench.shown(code_id))["status"], bench.on_lock()) == ("set", {slot: ANNA})
        assert (unmanaged(bench), bench.issues()) == ([], set())
        await bench.do("access_codes/delete", access_code_id=code_id)
        await bench.settle(HOUR)
        assert bench.on_lock() == {}

    @pytest.mark.parametrize("model", [READABLE, CHOOSER], ids=lambda m: m.name)
    async def test_two_that_changed_places_are_both_found(
        self, hang: Hang, saved: Save, model: Model
    ) -> None:
        """The first of the two waits until the slot of the other was looked at."""
        bench = await hang(model)
        codes = [await bench.create(pin) for pin in (ANNA, OTHER)]
        await bench.settle(HOUR)
        house = saved(bench)
        one, two = bench.lock.slots
        bench.lock.slots[one], bench.lock.slots[two] = bench.lock.slots[two], bench.lock.slots[one]
        on_lock = bench.on_lock()
        await house.restore()
        await house.confirm()
        assert [(await bench.shown(code_id))["status"] for code_id in codes] == ["set", "set"]
        assert (bench.on_lock(), unmanaged(bench), bench.issues()) == (on_lock, [], set())

    async def test_the_slot_of_an_ended_guest_has_the_next_one(self, hang: Hang, saved: Save) -> None:
        """Both are known: the one is off, the other is kept."""
        bench = await hang(READABLE)
        gone = await bench.create(OTHER, ends_at=instant(STARTS - DAY))
        code_id = await bench.create(ANNA, **WAITS)
        await bench.settle(HOUR)
        house = saved(bench)
        await bench.settle(STARTS + HOUR - bench.clock.wall)
        assert bench.on_lock() == {"20": ANNA}
        await house.restore()
        await house.confirm()
        assert [(await bench.shown(one))["status"] for one in (gone, code_id)] == ["unset", "set"]
        assert bench.on_lock() == {"20": ANNA}

    async def test_no_second_copy_is_written_while_slots_are_unseen(self, hang: Hang, saved: Save) -> None:
        """Some locks take a PIN twice: only one of the two would be taken off."""
        bench = await hang(replace(READABLE, refuses_duplicates=False))
        await bench.create(ANNA, **WAITS)
        house = saved(bench)
        bench.clock.pass_by(STARTS + HOUR - NOON)
        put(bench, "1", ANNA)
        await house.restore()
        await house.confirm()
        assert bench.on_lock() == {"1": ANNA}

    async def test_a_second_copy_leaves_the_code_where_it_is(self, hang: Hang, saved: Save) -> None:
        """Its own slot is looked at before another one is believed."""
        bench = await hang(replace(READABLE, refuses_duplicates=False))
        code_id = await bench.create(ANNA)
        await bench.settle(HOUR)
        house = saved(bench)
        put(bench, "1", ANNA)
        await house.restore()
        await house.confirm()
        assert bench.snap().placement(code_id).slot == "20"
        assert unmanaged(bench) == ["1"]

    async def test_a_slot_that_does_not_answer_keeps_no_guest_outside(self, hang: Hang, saved: Save) -> None:
        """The code is written elsewhere; the slot goes on to be asked."""
        bench = await hang(READABLE)
        code_id = await bench.create(ANNA, **WAITS)
        house = saved(bench)
        bench.clock.pass_by(STARTS + HOUR - NOON)
        await house.restore()
        bench.driver.faults = [("before", NoAnswer("no answer"))]
        await house.confirm(MINUTE)
        assert list(bench.on_lock().values()) == [ANNA]
        assert (await bench.shown(code_id))["status"] == "set"
