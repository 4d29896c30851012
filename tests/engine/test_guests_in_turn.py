"""Guests who come and go on a lock that chooses its slots: what the hub took off makes room again."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from drivers.simulated.models import CHOOSER
from gateway.domain.driver import LockAlive, LockUnreachable
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, POLICY
from tests.engine.conftest import Hang

PINS = ("471134", "582245", "693356", "714467", "825578", "936689")


@pytest.mark.parametrize("after", [MINUTE, HOUR, 2 * DAY], ids=["at once", "an hour later", "two days later"])
async def test_each_gets_a_code_on_a_lock_that_is_empty_again(hang: Hang, after: timedelta) -> None:
    """Twice as many as the lock has places, one after the other."""
    bench = await hang(CHOOSER.with_slots(3))
    for pin in PINS:
        code_id = await bench.create(pin, ends_at=instant(bench.clock.wall + HOUR))
        await bench.settle(MINUTE)
        assert ((await bench.shown(code_id))["status"], bench.issues()) == ("set", set())
        await bench.settle(HOUR - MINUTE)
        assert bench.on_lock() == {}
        await bench.settle(after)


async def test_a_full_lock_takes_the_next_one_as_soon_as_one_has_gone(hang: Hang) -> None:
    """Not a day later, and it is told as full only while it is."""
    bench = await hang(CHOOSER.with_slots(2))
    first, _ = await bench.create(PINS[0]), await bench.create(PINS[1])
    await bench.settle(HOUR)
    assert bench.issues() == {"max_access_codes_reached"}
    await bench.do("access_codes/delete", access_code_id=first)
    await bench.settle(MINUTE)
    assert bench.issues() == set()
    code_id = await bench.create(PINS[2])
    bench.driver.operations.clear()
    await bench.settle()
    assert bench.driver.taken() == [("list", None), ("write", None)]
    assert (await bench.shown(code_id))["status"] == "set"


async def test_a_lock_that_others_filled_is_not_listed_again_and_again(hang: Hang) -> None:
    """The code waits for the next audit, or for a report."""
    bench = await hang(CHOOSER.with_slots(1))
    bench.by_hand(None, PINS[0])
    bench.clock.pass_by(MINUTE)
    await bench.do("devices/sync", device_id=DOOR)
    await bench.settle(HOUR)
    await bench.create(PINS[1])
    bench.driver.operations.clear()
    await bench.settle(6 * HOUR)
    assert bench.driver.taken() == []
    assert "no_space_for_access_code_on_device" in bench.issues()


async def _cleaned(bench: Bench, days: int) -> str:
    code_id = await bench.create(
        PINS[0],
        recurrence={"cron": "0 9 * * *", "minutes": 60, "time_zone": "UTC"},
        prefer_native_scheduling=False,
    )
    await bench.settle(days * DAY)
    return code_id


async def test_who_comes_every_day_comes_in_also_after_weeks(hang: Hang) -> None:
    """Each window is a removal, where the lock holds no disabled codes; what is left of them is forgotten."""
    model = CHOOSER.with_slots(10)
    bench = await hang(replace(model, capabilities=replace(model.capabilities, disabled_status=False)))
    code_id = await _cleaned(bench, 20)
    await bench.settle(bench.clock.wall.replace(hour=9, minute=30) + DAY - bench.clock.wall)
    assert list(bench.on_lock().values()) == [PINS[0]]
    assert (await bench.shown(code_id))["errors"] == []
    assert len(bench.snap().slots) < 4


async def test_room_that_was_just_made_costs_no_backup(hang: Hang) -> None:
    """The lock is listed before anybody says that it is full."""
    bench = await hang(CHOOSER.with_slots(2), policy=replace(POLICY, backup_pool=1))
    code_id = await bench.create(PINS[0])
    await bench.settle(HOUR)
    [waiting] = [code for code in bench.snap().codes.values() if code.backup == "waiting"]
    await bench.do("access_codes/delete", access_code_id=code_id)
    await bench.settle(MINUTE)
    bench.driver.closed = LockUnreachable("away")
    code_id = await bench.create(PINS[1])
    await bench.settle(MINUTE)
    bench.driver.closed = None
    await bench.tell(LockAlive(device_id=DOOR))
    await bench.settle(HOUR)
    assert set(bench.on_lock().values()) == {PINS[1], waiting.pin.reveal()}


async def test_the_pool_is_filled_again_where_guests_left(hang: Hang) -> None:
    """A place that is empty is one for a backup."""
    bench = await hang(CHOOSER.with_slots(6), policy=replace(POLICY, backup_pool=2))
    for pin in PINS:
        code_id = await bench.create(pin, ends_at=instant(bench.clock.wall + 2 * HOUR))
        await bench.settle(MINUTE)
        await bench.do("access_codes/pull_backup_access_code", access_code_id=code_id)
        await bench.settle(HOUR)
        assert (len(bench.on_lock()), bench.issues()) == (4, {"using_backup_access_code"})
        await bench.settle(3 * HOUR)


async def test_a_place_that_the_lock_gives_away_again_is_the_next_guest_s(hang: Hang) -> None:
    """Somebody deleted the code that was there, and the lock uses its number anew before the hub is sure."""
    bench = await hang(CHOOSER)
    first = await bench.create(PINS[0])
    await bench.settle(HOUR)
    bench.lock.delete("1")
    bench.lock.next_id = 1
    second = await bench.create(PINS[1])
    await bench.settle(HOUR)
    assert set(bench.on_lock().values()) == {PINS[0], PINS[1]}
    assert [(await bench.shown(code_id))["status"] for code_id in (first, second)] == ["set", "set"]
    assert bench.events().count("access_code.deleted_external_to_gateway") == 1


async def test_a_backup_makes_room_also_after_the_clock_was_wrong_for_a_while(hang: Hang) -> None:
    """A list of a time that is still to come tells nothing, so the lock is listed again before it is full."""
    bench = await hang(CHOOSER.with_slots(2), policy=replace(POLICY, backup_pool=1))
    await bench.create(PINS[0])
    await bench.settle(HOUR)
    right = bench.clock.wall
    for wall in (right - 20 * DAY, right + HOUR):
        bench.clock.reboot(wall)
        bench.boot()
        await bench.start()
        await bench.settle(HOUR)
    await bench.create(PINS[1])
    await bench.settle(HOUR)
    assert set(bench.on_lock().values()) == {PINS[0], PINS[1]}
