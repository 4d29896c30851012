"""A PIN that is on the lock already: what forbids a new one holds back neither its dates nor its shutting."""

from typing import Any

from msgspec.structs import replace

from drivers.simulated.models import NATIVE, READABLE
from gateway.domain.driver import NoAnswer, Refused, SlotTouched
from gateway.domain.pin import Pin
from gateway.domain.placement import Refusal
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON
from tests.engine.conftest import Hang

PIN, OTHER = "582245", "471134"
HOURLY = {"cron": "0 * * * *", "minutes": 40, "time_zone": "UTC"}


async def forbid(bench: Bench) -> None:
    """Say that the lock takes no PIN as long as the one it holds."""
    await bench.do("access_codes/report_device_constraints", device_id=DOOR, supported_code_lengths=[4])


async def change(bench: Bench, code_id: str, **what: Any) -> None:  # noqa: ANN401 - JSON
    """Update the code."""
    await bench.do("access_codes/update", access_code_id=code_id, **what)


def enabled(bench: Bench) -> list[bool]:
    """Return what the door knows."""
    return [credential.enabled for credential in bench.lock.slots.values()]


class TestForbiddenForm:
    """The operator said later that the lock takes no such PIN."""

    async def test_it_is_disabled_between_its_windows(self, hang: Hang) -> None:
        """And enabled again."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN, recurrence=HOURLY)
        await bench.settle(70 * MINUTE)
        assert enabled(bench) == [True]
        await forbid(bench)
        await bench.settle(35 * MINUTE)
        assert enabled(bench) == [False]
        assert (await bench.shown(code_id))["errors"] == []
        await bench.settle(20 * MINUTE)
        assert enabled(bench) == [True]

    async def test_it_is_disabled_when_its_start_moves_away(self, hang: Hang) -> None:
        """Within the lead it stays on the lock."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN, ends_at=instant(NOON + DAY))
        await bench.settle(HOUR)
        await forbid(bench)
        await change(bench, code_id, starts_at=instant(NOON + HOUR + 29 * MINUTE))
        await bench.settle(20 * MINUTE)
        assert enabled(bench) == [False]

    async def test_its_dates_on_the_lock_follow(self, hang: Hang) -> None:
        """Opening a day early, or shutting a guest out, would be worse than a PIN of another length."""
        bench = await hang(NATIVE)
        code_id = await bench.create(PIN, starts_at=instant(NOON + DAY), ends_at=instant(NOON + 3 * DAY))
        await bench.settle(HOUR)
        await forbid(bench)
        window = instant(NOON + 2 * DAY), instant(NOON + 4 * DAY)
        await change(bench, code_id, starts_at=window[0], ends_at=window[1])
        await bench.settle(HOUR)
        [credential] = bench.lock.slots.values()
        assert credential.schedule is not None
        assert (instant(credential.schedule.starts_at), instant(credential.schedule.ends_at)) == window

    async def test_put_back_it_counts_as_new(self, hang: Hang) -> None:
        """Somebody changed it: the lock does not hold it any more."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN)
        await bench.settle(HOUR)
        await forbid(bench)
        [slot] = bench.lock.slots
        bench.by_hand(slot, "9753")
        await bench.tell(SlotTouched(device_id=DOOR, slot=slot))
        await bench.settle(HOUR)
        assert bench.on_lock() == {slot: "9753"}
        assert "code_constraints_violated" in bench.issues()
        assert (await bench.shown(code_id))["status"] == "setting"


class TestDuplicate:
    """Somebody edits a neighbour's slot again and again, to the PIN of a code that waits disabled."""

    async def contested(self, bench: Bench) -> str:
        """Return the id of the code that waits, a quarter of an hour before its start."""
        neighbour = await bench.create(OTHER)
        code_id = await bench.create(PIN, starts_at=instant(NOON + HOUR), ends_at=instant(NOON + 2 * DAY))
        await bench.settle(40 * MINUTE)
        slot = (await bench.shown(neighbour))["slot"]
        for _ in range(3):
            bench.lock.slots[slot] = replace(bench.lock.slots[slot], pin=bench.lock.slots["19"].pin)
            await bench.tell(SlotTouched(device_id=DOOR, slot=slot))
            await bench.settle(4 * MINUTE)
        assert bench.on_lock() == {"20": PIN, "19": PIN}
        bench.driver.operations.clear()
        return code_id

    async def test_it_is_enabled_at_its_start(self, hang: Hang) -> None:
        """No further slot has the PIN by that."""
        bench = await hang(replace(READABLE, refuses_duplicates=False))
        code_id = await self.contested(bench)
        await bench.settle(10 * MINUTE)
        shown = await bench.shown(code_id)
        assert (bench.lock.slots["19"].enabled, shown["status"], shown["errors"]) == (True, "set", [])

    async def test_a_lock_that_refuses_it_is_asked_once(self, hang: Hang) -> None:
        """Rule 11."""
        bench = await hang(READABLE)
        code_id = await self.contested(bench)
        await bench.settle(12 * MINUTE)
        assert bench.driver.taken("write").count(("write", "19")) == 1
        [error, *_] = (await bench.shown(code_id))["errors"]
        assert error["error_code"] == "duplicate_code_on_device"

    async def test_once_the_neighbour_is_right_again_it_is_enabled(self, hang: Hang) -> None:
        """A refusal that is explained by what the lock shows lasts no longer than that."""
        bench = await hang(READABLE)
        code_id = await self.contested(bench)
        await bench.settle(12 * MINUTE)
        assert not bench.lock.slots["19"].enabled
        writes: list[str | None] = []
        while bench.lock.slots["20"].pin.reveal() == PIN:
            await bench.settle(MINUTE)
            writes += [slot for _, slot in bench.driver.taken("write")]
        await bench.settle(MINUTE)
        assert (bench.lock.slots["19"].enabled, (await bench.shown(code_id))["status"]) == (True, "set")
        assert writes.count("19") <= 2

    async def test_an_unanswered_repair_of_the_neighbour_explains_it_too(self, hang: Hang) -> None:
        """Its slot may still have the PIN of before."""
        bench = await hang(READABLE)
        code_id = await self.contested(bench)
        await bench.settle(12 * MINUTE)
        bench.driver.faults = [("before", NoAnswer("the answer got lost"))] * 3
        while bench.lock.slots["20"].pin.reveal() == PIN:
            await bench.settle(MINUTE)
        await bench.settle(2 * MINUTE)
        assert (bench.lock.slots["19"].enabled, (await bench.shown(code_id))["status"]) == (True, "set")


class TestNewPinInVain:
    """The PIN of a code was changed to one that cannot be written: that of before stays on the lock."""

    async def open_now(self, bench: Bench, pin: str | None = None) -> str:
        """Return the id of a code whose window is open; `pin` is changed to one that somebody else has."""
        bench.by_hand("5", OTHER)
        await bench.tell(SlotTouched(device_id=DOOR, slot="5"))
        code_id = await bench.create(PIN, recurrence=HOURLY)
        await bench.settle(70 * MINUTE)
        assert bench.on_lock() == {"5": OTHER, "20": PIN}
        if pin is not None:
            await change(bench, code_id, code=pin)
        await bench.settle(MINUTE)
        return code_id

    async def test_it_opens_in_its_windows_only(self, hang: Hang) -> None:
        """A code that stays open at all hours is worse than a PIN that should be another."""
        bench = await hang(READABLE)
        code_id = await self.open_now(bench, OTHER)
        shown = await bench.shown(code_id)
        assert (shown["status"], [it["error_code"] for it in shown["errors"]]) == (
            "setting",
            ["duplicate_code_on_device"],
        )
        await bench.settle(35 * MINUTE)
        assert (bench.lock.slots["20"].pin, bench.lock.slots["20"].enabled) == (Pin(PIN), False)
        assert "access_code.failed_to_expire" not in bench.events()
        await bench.settle(20 * MINUTE)
        assert (bench.lock.slots["20"].pin, bench.lock.slots["20"].enabled) == (Pin(PIN), True)
        assert "duplicate_code_on_device" in bench.issues()

    async def test_a_pin_that_the_lock_refused_is_not_tried_again_for_that(self, hang: Hang) -> None:
        """Rule 11, though the lock takes what is written meanwhile."""
        bench = await hang(READABLE)
        code_id = await self.open_now(bench)
        bench.driver.faults = [("before", Refused(Refusal.DUPLICATE, "it has it"))]
        bench.driver.operations.clear()
        await change(bench, code_id, code="9753")
        await bench.settle(MINUTE)
        assert bench.driver.taken("write") == [("write", "20")]
        for is_enabled in (False, True, False):
            await bench.settle(30 * MINUTE)
            assert (bench.lock.slots["20"].pin, bench.lock.slots["20"].enabled) == (Pin(PIN), is_enabled)
            assert bench.driver.taken("write") == [("write", "20")]
        assert "duplicate_code_on_device" in bench.issues()

    async def test_a_lock_that_refuses_that_too_is_asked_once(self, hang: Hang) -> None:
        """Rule 11 again. That the code is open says its own error."""
        bench = await hang(READABLE)
        await self.open_now(bench, OTHER)
        bench.driver.faults = [("before", Refused(Refusal.DUPLICATE, "it has it"))]
        bench.driver.operations.clear()
        await bench.settle(40 * MINUTE)
        assert bench.driver.taken("write") == [("write", "20")]

    async def test_its_dates_on_the_lock_follow(self, hang: Hang) -> None:
        """A start that moved away shuts the PIN of before."""
        bench = await hang(NATIVE)
        bench.by_hand("5", OTHER)
        await bench.tell(SlotTouched(device_id=DOOR, slot="5"))
        code_id = await bench.create(PIN, ends_at=instant(NOON + 3 * DAY))
        await bench.settle(HOUR)
        later = instant(NOON + 2 * DAY)
        bench.driver.operations.clear()
        await change(bench, code_id, code=OTHER, name="Bo")
        await bench.settle(MINUTE)
        assert bench.driver.taken("write") == []
        await change(bench, code_id, starts_at=later)
        await bench.settle(MINUTE)
        held = bench.lock.slots["20"]
        assert (held.pin, held.schedule and instant(held.schedule.starts_at)) == (Pin(PIN), later)
        assert (await bench.shown(code_id))["errors"] != []

    async def test_once_it_may_be_written_it_is(self, hang: Hang) -> None:
        """The code of the others has gone."""
        bench = await hang(READABLE)
        code_id = await self.open_now(bench, OTHER)
        await bench.settle(35 * MINUTE)
        bench.lock.clear("5")
        await bench.tell(SlotTouched(device_id=DOOR, slot="5"))
        await bench.settle(2 * MINUTE)
        assert (bench.lock.slots["20"].pin, bench.lock.slots["20"].enabled) == (Pin(OTHER), False)
        assert (await bench.shown(code_id))["errors"] == []
