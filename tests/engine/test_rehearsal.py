"""Trouble that can be foreseen stands on the code days before its start, and costs no radio."""

from msgspec.structs import replace

from drivers.simulated.models import NATIVE, READABLE, TINY
from gateway.domain.driver import ClockChecked, LockAlive, LockUnreachable
from gateway.engine.mutations import instant
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON, POLICY, SECOND
from tests.engine.conftest import Hang

STAY = {"starts_at": instant(NOON + 20 * DAY), "ends_at": instant(NOON + 22 * DAY)}


async def test_a_pin_of_somebody_else_is_told_nine_days_before(hang: Hang) -> None:
    """With the other code's id; gone as soon as the other one is."""
    bench = await hang(READABLE)
    bench.by_hand("3", "471134")
    bench.clock.pass_by(MINUTE)
    await bench.do("devices/sync", device_id=DOOR)
    await bench.settle()
    code_id = await bench.create("471134", **STAY)
    await bench.settle(11 * DAY - 2 * MINUTE)
    assert (await bench.shown(code_id))["errors"] == []
    bench.driver.taken()
    await bench.settle(2 * MINUTE)
    assert bench.driver.taken("write", "clear", "read") == []
    [error] = (await bench.shown(code_id))["errors"]
    assert error["error_code"] == "duplicate_code_on_device"
    assert error["unmanaged_access_code_id"]
    bench.lock.delete("3")
    await bench.do("devices/sync", device_id=DOOR)
    await bench.settle(HOUR)
    assert (await bench.shown(code_id))["errors"] == []


async def test_a_lock_that_will_be_full_then_is_told(hang: Hang) -> None:
    """Codes that are gone by then do not count."""
    bench = await hang(TINY)
    leaving = await bench.create("582245", ends_at=instant(NOON + 19 * DAY))
    await bench.create("693356")
    code_id = await bench.create("471134", **STAY)
    await bench.settle(12 * DAY)
    assert (await bench.shown(code_id))["errors"] == []
    await bench.do("access_codes/update", access_code_id=leaving, type="ongoing")
    await bench.settle(MINUTE)
    [error] = (await bench.shown(code_id))["errors"]
    assert (error["error_code"], error["managed"], error["unmanaged"]) == (
        "no_space_for_access_code_on_device",
        2,
        0,
    )


async def test_codes_in_slots_that_are_no_longer_granted_take_no_room(hang: Hang) -> None:
    """They go on where they are; of the slots granted now one is free for who comes later."""
    bench = await hang(READABLE)
    await bench.create("582245")
    await bench.create("693356")
    await bench.settle(HOUR)
    bench.policy = replace(POLICY, managed_slots=("1", "2"))
    bench.clock.reboot(bench.clock.wall)
    bench.boot()
    await bench.start()
    code_id = await bench.create("471134", **STAY)
    await bench.settle(12 * DAY)
    assert (await bench.shown(code_id))["errors"] == []


async def test_a_pin_that_the_lock_turns_out_not_to_take_is_told(hang: Hang) -> None:
    """An operator reported its lengths later."""
    bench = await hang(READABLE)
    code_id = await bench.create("471134", **STAY)
    await bench.do("access_codes/report_device_constraints", device_id=DOOR, supported_code_lengths=[4])
    await bench.settle(12 * DAY)
    [error] = (await bench.shown(code_id))["errors"]
    assert (error["error_code"], "4 characters" in error["message"]) == ("code_constraints_violated", True)


async def test_a_lock_out_of_reach_is_told_on_codes_for_later_and_its_clock_on_the_lock_alone(
    hang: Hang,
) -> None:
    """Whenever it is known, however many days ahead: the clock keeps no code from coming."""
    bench = await hang(NATIVE)
    code_id = await bench.create("471134", **STAY)
    await bench.tell(ClockChecked(device_id=DOOR, off_by=5 * MINUTE))
    bench.driver.closed = LockUnreachable("out of reach")
    bench.clock.pass_by(MINUTE)
    await bench.do("devices/sync", device_id=DOOR)
    await bench.settle(HOUR)
    shown = await bench.shown(code_id)
    assert {error["error_code"] for error in shown["errors"]} == {"device_disconnected"}
    assert shown["warnings"] == []
    assert "device_clock_wrong" in bench.issues()
    bench.driver.closed = None
    await bench.tell(LockAlive(device_id=DOOR))
    assert (await bench.shown(code_id))["errors"] == []


MONTHLY = {"cron": "0 7 25 * *", "minutes": 180, "time_zone": "UTC"}
"""From the 25th of July on, 24 days and some hours ahead."""


def on(weekday: int) -> dict[str, object]:
    """Return windows on that day of the week, nine to twelve."""
    return {"cron": f"0 9 * * {weekday}", "minutes": 180, "time_zone": "UTC"}


class TestWindowsThatComeBack:
    """Looked into before each window, also where no first day was given."""

    async def test_a_pin_of_somebody_else_is_told_nine_days_before(self, hang: Hang) -> None:
        """Not only when the code is to be written."""
        bench = await hang(READABLE)
        bench.by_hand("3", "471134")
        bench.clock.pass_by(MINUTE)
        await bench.do("devices/sync", device_id=DOOR)
        await bench.settle()
        code_id = await bench.create("471134", recurrence=MONTHLY)
        opens = NOON + 24 * DAY - 5 * HOUR
        await bench.settle(opens - 9 * DAY - MINUTE - bench.clock.wall)
        assert (await bench.shown(code_id))["errors"] == []
        assert bench.plan().next_wake == opens - 9 * DAY
        bench.driver.taken()
        await bench.settle(MINUTE)
        assert bench.driver.taken("write", "clear", "read") == []
        [error] = (await bench.shown(code_id))["errors"]
        assert error["error_code"] == "duplicate_code_on_device"

    async def test_a_lock_that_will_be_full_then_is_told(self, hang: Hang) -> None:
        """Two codes stay on it for good."""
        bench = await hang(TINY)
        await bench.create("582245")
        await bench.create("693356")
        code_id = await bench.create("471134", recurrence=on(4))
        await bench.settle(MINUTE)
        [error] = (await bench.shown(code_id))["errors"]
        assert error["error_code"] == "no_space_for_access_code_on_device"

    async def test_codes_that_take_turns_need_one_place_each_at_a_time(self, hang: Hang) -> None:
        """Three codes of three days, and room for two."""
        bench = await hang(TINY)
        for day, pin in ((4, "471134"), (5, "582245"), (6, "693356")):
            await bench.create(pin, recurrence=on(day))
        for _ in range(4):
            await bench.settle(2 * DAY)
            assert "no_space_for_access_code_on_device" not in bench.issues()

    async def test_codes_that_meet_need_a_place_each(self, hang: Hang) -> None:
        """The one that came last has none."""
        bench = await hang(TINY)
        ids = []
        for pin in ("471134", "582245", "693356"):
            bench.clock.pass_by(SECOND)
            ids.append(await bench.create(pin, recurrence=on(4)))
        await bench.settle(MINUTE)
        assert bench.issues() == {"no_space_for_access_code_on_device"}
        assert (await bench.shown(ids[-1]))["errors"]
