"""Codes whose windows come back: on the lock while one is open, or kept there by the lock itself."""

import pytest
from msgspec.structs import replace

from drivers.simulated.models import MASKED, NATIVE, READABLE, Model
from gateway.domain.driver import ClockChecked, Refused, SlotTouched
from gateway.domain.lock import NativeWindows, Reach
from gateway.domain.placement import Refusal
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON, SECOND
from tests.engine.conftest import Hang

# NOON is Wednesday 2026-07-01, 14:00 in Berlin.
THURSDAYS = {"cron": "0 9 * * 4", "minutes": 180, "time_zone": "Europe/Berlin"}
OPENS = NOON + 19 * HOUR
WEEKLY = replace(
    NATIVE,
    name="native",
    capabilities=replace(
        NATIVE.capabilities,
        native_windows=NativeWindows.DATES_AND_WEEKDAYS,
        schedule_zone="Europe/Berlin",
    ),
)
DAILY = {"cron": "0 9 * * *", "minutes": 720, "time_zone": "UTC"}
EITHER = replace(
    WEEKLY,
    capabilities=replace(
        WEEKLY.capabilities, native_windows=NativeWindows.DATES_OR_WEEKDAYS, schedule_zone="UTC"
    ),
)
ENABLED_ONLY = replace(EITHER, capabilities=replace(EITHER.capabilities, disabled_status=False))


class TestByTheHub:
    """Set before each window, removed after it."""

    @pytest.mark.parametrize("model", [READABLE, MASKED], ids=lambda m: m.name)
    async def test_it_is_on_the_lock_in_its_windows_only(self, hang: Hang, model: Model) -> None:
        """Thursday nine to twelve, this week and the next."""
        bench = await hang(model)
        code_id = await bench.create("471134", recurrence=THURSDAYS)
        await bench.settle()
        for week in range(2):
            opens = OPENS + week * 7 * DAY
            await bench.settle(opens - 31 * MINUTE - bench.clock.wall)
            assert (bench.on_lock(), (await bench.shown(code_id))["status"]) == ({}, "unset")
            await bench.settle(opens + MINUTE - bench.clock.wall)
            assert (list(bench.on_lock().values()), (await bench.shown(code_id))["status"]) == (
                ["471134"],
                "set",
            )
            await bench.settle(opens + 3 * HOUR - MINUTE - bench.clock.wall)
            assert list(bench.on_lock().values()) == ["471134"]
            await bench.settle(opens + 3 * HOUR + MINUTE - bench.clock.wall)
            assert (bench.on_lock(), (await bench.shown(code_id))["status"]) == ({}, "unset")

    async def test_it_is_staged_disabled_where_the_lock_can(self, hang: Hang) -> None:
        """So it comes neither late nor early."""
        bench = await hang(READABLE)
        await bench.create("471134", recurrence=THURSDAYS)
        await bench.settle(OPENS - 10 * MINUTE - NOON)
        assert [credential.enabled for credential in bench.lock.slots.values()] == [False]
        await bench.settle(11 * MINUTE)
        assert [credential.enabled for credential in bench.lock.slots.values()] == [True]

    async def test_every_window_is_told(self, hang: Hang) -> None:
        """Set and removed, once each."""
        bench = await hang(READABLE)
        await bench.create("471134", recurrence=THURSDAYS)
        await bench.settle(10 * DAY)
        told = bench.events()
        assert told.count("access_code.set_on_device") == 2
        assert told.count("access_code.removed_from_device") == 2

    async def test_start_and_end_bound_it(self, hang: Hang) -> None:
        """The window of next week lies behind the end."""
        bench = await hang(READABLE)
        code_id = await bench.create(
            "471134", recurrence=THURSDAYS, starts_at=instant(OPENS + HOUR), ends_at=instant(OPENS + 7 * DAY)
        )
        await bench.settle(OPENS + MINUTE - NOON)
        assert not any(credential.enabled for credential in bench.lock.slots.values())
        await bench.settle(HOUR)
        assert list(bench.on_lock().values()) == ["471134"]
        await bench.settle(8 * DAY)
        assert (bench.on_lock(), (await bench.shown(code_id))["display_status"]) == ({}, "Expired")

    @pytest.mark.parametrize(("cron", "minutes"), [("0 0 * * *", 1440), ("0 * * * *", 60)])
    async def test_windows_without_a_break_are_open_all_the_time(
        self, hang: Hang, cron: str, minutes: int
    ) -> None:
        """Within start and end: every day, all day, is what people write who mean always."""
        bench = await hang(READABLE)
        always = {"cron": cron, "minutes": minutes, "time_zone": "UTC"}
        start, end = instant(NOON + DAY), instant(NOON + 2 * DAY)
        code_id = await bench.create("471134", recurrence=always, starts_at=start, ends_at=end)
        await bench.settle(DAY - HOUR)
        assert (bench.on_lock(), (await bench.shown(code_id))["status"]) == ({}, "unset")
        await bench.settle(HOUR + MINUTE)
        assert (list(bench.on_lock().values()), (await bench.shown(code_id))["status"]) == (
            ["471134"],
            "set",
        )
        await bench.settle(DAY)
        assert bench.on_lock() == {}

    async def test_an_update_to_windows_without_a_break_takes_no_code_off(self, hang: Hang) -> None:
        """The lock is open to it as before."""
        bench = await hang(READABLE)
        code_id = await bench.create("471134")
        await bench.settle(HOUR)
        always = {"cron": "0 0 * * *", "minutes": 1440, "time_zone": "UTC"}
        await bench.do("access_codes/update", access_code_id=code_id, recurrence=always)
        await bench.settle(3 * DAY)
        assert list(bench.on_lock().values()) == ["471134"]
        assert ((await bench.shown(code_id))["status"], bench.issues()) == ("set", set())

    async def test_a_window_on_a_lock_that_keeps_the_code_is_an_alarm(self, hang: Hang) -> None:
        """Two minutes after it closed."""
        bench = await hang(MASKED)
        await bench.create("471134", recurrence=THURSDAYS)
        await bench.settle(OPENS + HOUR - NOON)
        bench.events()
        bench.driver.faults = [("before", Refused(Refusal.BUSY, "busy"))] * 50
        await bench.settle(2 * HOUR + 5 * MINUTE)
        assert "access_code.failed_to_expire" in bench.events()

    async def test_so_is_one_that_should_wait_disabled_for_the_next_window(self, hang: Hang) -> None:
        """It would be off the lock for less than its lead, so it stays there and is only disabled."""
        bench = await hang(READABLE)
        await bench.create("471134", recurrence={"cron": "0 * * * *", "minutes": 45, "time_zone": "UTC"})
        await bench.settle(44 * MINUTE)
        bench.events()
        bench.driver.faults = [("before", Refused(Refusal.BUSY, "busy"))] * 50
        await bench.settle(5 * MINUTE)
        assert "access_code.failed_to_expire" in bench.events()
        bench.driver.faults.clear()
        await bench.settle(5 * MINUTE)
        assert [credential.enabled for credential in bench.lock.slots.values()] == [False]
        assert bench.issues() == set()

    @pytest.mark.parametrize("model", [READABLE, MASKED], ids=lambda m: m.name)
    async def test_trouble_of_one_window_is_no_trouble_of_the_next(self, hang: Hang, model: Model) -> None:
        """Somebody removes the code, and the lock does not take it again until the window closes."""
        bench = await hang(model)
        await bench.create("471134", recurrence=THURSDAYS)
        await bench.settle(OPENS + HOUR - NOON)
        [slot] = bench.on_lock()
        bench.lock.delete(slot)
        await bench.tell(SlotTouched(device_id=DOOR, slot=slot))
        await bench.settle(29 * SECOND)
        bench.driver.faults = [None, *[("before", Refused(Refusal.BUSY, "busy"))] * 50]
        await bench.settle(HOUR)
        assert {"code_modified_external_to_gateway", "failed_to_set_on_device"} <= bench.issues()
        await bench.settle(2 * HOUR)
        assert bench.issues() == set()
        bench.driver.faults.clear()
        bench.events()
        await bench.settle(OPENS + 7 * DAY + HOUR - bench.clock.wall)
        assert list(bench.on_lock().values()) == ["471134"]
        assert [told for told in bench.events() if "access_code" in told] == [
            "access_code.changed",
            "access_code.changed",
            "access_code.set_on_device",
        ]

    async def test_a_write_that_did_not_stick_is_forgotten_with_its_window(self, hang: Hang) -> None:
        """The lock took it and had lost it at the second look."""
        bench = await hang(READABLE)
        code_id = await bench.create("471134", recurrence=THURSDAYS)
        await bench.settle(OPENS + HOUR - NOON)
        gone = replace(bench.snap().placement(code_id), confirmed=None, lost=1)
        bench.store.do(lambda tx: tx.save_placement(DOOR, gone))
        bench.lock.delete_all()
        bench.driver.faults = [("before", Refused(Refusal.BUSY, "busy"))] * 50
        await bench.settle(HOUR)
        assert "second_check_failed" in bench.issues()
        await bench.settle(2 * HOUR)
        assert bench.issues() == set()

    async def test_a_removal_that_the_code_allows_outlives_its_window(self, hang: Hang) -> None:
        """It stays away until an update."""
        bench = await hang(READABLE)
        code_id = await bench.create("471134", recurrence=THURSDAYS, is_external_modification_allowed=True)
        await bench.settle(OPENS + HOUR - NOON)
        [slot] = bench.on_lock()
        bench.lock.delete(slot)
        await bench.tell(SlotTouched(device_id=DOOR, slot=slot))
        await bench.settle(OPENS + 7 * DAY + HOUR - bench.clock.wall)
        assert (bench.on_lock(), bench.issues()) == ({}, {"external_modification_in_effect"})
        await bench.do("access_codes/update", access_code_id=code_id, name="Bo")
        await bench.settle(MINUTE)
        assert list(bench.on_lock().values()) == ["471134"]


class TestByTheLock:
    """Where it keeps weekdays, in the same zone."""

    async def test_it_stays_on_the_lock_with_its_weekdays(self, hang: Hang) -> None:
        """One write for ever; the status follows the clock."""
        bench = await hang(WEEKLY)
        code_id = await bench.create("471134", recurrence=THURSDAYS)
        await bench.settle(MINUTE)
        [credential] = bench.lock.slots.values()
        assert credential.schedule is not None
        assert [(w.weekdays, w.from_minute, w.until_minute) for w in credential.schedule.weekly] == [
            ((3,), 540, 720)
        ]
        shown = await bench.shown(code_id)
        assert (shown["status"], shown["is_scheduled_on_device"]) == ("unset", True)
        bench.driver.taken()
        await bench.settle(OPENS + MINUTE - bench.clock.wall)
        assert (await bench.shown(code_id))["status"] == "set"
        await bench.settle(8 * DAY)
        assert bench.driver.taken("write", "clear") == []

    async def test_another_zone_or_a_wish_leaves_it_to_the_hub(self, hang: Hang) -> None:
        """The lock's clock shows Berlin."""
        bench = await hang(WEEKLY)
        await bench.create("471134", recurrence=THURSDAYS | {"time_zone": "America/New_York"})
        await bench.create("582245", recurrence=THURSDAYS, prefer_native_scheduling=False)
        await bench.settle(MINUTE)
        assert bench.on_lock() == {}

    async def test_a_lock_whose_clock_is_wrong_keeps_no_windows(self, hang: Hang) -> None:
        """The hub does, and says so, until the clock is right."""
        bench = await hang(WEEKLY)
        await bench.create("471134", recurrence=THURSDAYS)
        await bench.settle(MINUTE)
        await bench.tell(ClockChecked(device_id=DOOR, off_by=5 * MINUTE))
        await bench.settle(HOUR)
        assert (bench.on_lock(), "device_clock_wrong" in bench.issues()) == ({}, True)
        await bench.tell(ClockChecked(device_id=DOOR, off_by=MINUTE))
        await bench.settle(HOUR)
        assert (list(bench.on_lock().values()), bench.issues()) == (["471134"], set())

    async def test_a_window_that_the_lock_refuses_is_kept_by_the_hub(self, hang: Hang) -> None:
        """At once and without an error; a changed window is offered to the lock again."""
        bench = await hang(WEEKLY)
        bench.driver.faults = [("before", Refused(Refusal.SCHEDULE, "not by weekdays"))]
        code_id = await bench.create("471134", recurrence=THURSDAYS)
        await bench.settle(MINUTE)
        assert (bench.on_lock(), bench.issues()) == ({}, set())
        await bench.settle(OPENS + MINUTE - bench.clock.wall)
        [credential] = bench.lock.slots.values()
        assert (credential.schedule, (await bench.shown(code_id))["status"]) == (None, "set")
        await bench.do("access_codes/update", access_code_id=code_id, recurrence=THURSDAYS | {"minutes": 240})
        await bench.settle(MINUTE)
        [credential] = bench.lock.slots.values()
        assert credential.schedule is not None

    async def test_without_time_a_lock_whose_clock_is_wrong_is_left_as_it_is(self, hang: Hang) -> None:
        """Nobody knows whether the window is open: taking its schedule away would open it (rule 5)."""
        bench = await hang(WEEKLY)
        await bench.create("471134", recurrence=THURSDAYS)
        await bench.create("582245", starts_at=instant(NOON + DAY), ends_at=instant(NOON + 2 * DAY))
        await bench.settle(MINUTE)
        bench.clock.synced = False
        bench.clock.reboot(bench.clock.wall)
        bench.boot()
        await bench.start()
        await bench.tell(ClockChecked(device_id=DOOR, off_by=5 * MINUTE))
        await bench.settle(HOUR)
        assert sorted(bench.on_lock().values()) == ["471134", "582245"]
        assert all(credential.schedule is not None for credential in bench.lock.slots.values())

    async def test_weekdays_that_the_lock_keeps_stay_when_its_code_is_taken_over(self, hang: Hang) -> None:
        """Taken over without them it would open at any time, so the command is refused."""
        bench = await hang(WEEKLY)
        code_id = await bench.create("471134", recurrence=THURSDAYS)
        await bench.settle(MINUTE)
        await bench.do("access_codes/update", access_code_id=code_id, is_managed=False)
        await bench.settle(MINUTE)
        reply = await bench.ask("access_codes/unmanaged/convert_to_managed", access_code_id=code_id)
        assert reply["status"] == "error"
        await bench.settle(HOUR)
        [credential] = bench.lock.slots.values()
        assert credential.schedule is not None
        assert credential.schedule.weekly


class TestFromItsFirstDay:
    """On a lock that keeps weekdays or dates of one code, and not both, the hub keeps the first day."""

    async def state(self, bench: Bench, code_id: str) -> tuple[list[bool], str, bool]:
        """Return which slots are enabled, and what is said of the code."""
        shown = await bench.shown(code_id)
        enabled = [credential.enabled for credential in bench.lock.slots.values()]
        return enabled, shown["status"], shown["is_scheduled_on_device"]

    async def test_it_waits_disabled_in_a_window_before_its_start(self, hang: Hang) -> None:
        """Its weekdays alone would open the door; at its start it is enabled, and that is all."""
        bench = await hang(EITHER)
        code_id = await bench.create("471134", recurrence=DAILY, starts_at=instant(NOON + 5 * HOUR))
        await bench.settle(4 * HOUR)
        assert await self.state(bench, code_id) == ([], "unset", False)
        await bench.settle(45 * MINUTE)
        assert await self.state(bench, code_id) == ([False], "setting", False)
        [attempt] = (await bench.do("action_attempts/list", access_code_id=code_id))["action_attempts"]
        assert attempt["status"] == "pending"
        await bench.settle(15 * MINUTE + SECOND)
        assert await self.state(bench, code_id) == ([True], "set", False)
        await bench.settle(5 * HOUR)
        assert await self.state(bench, code_id) == ([True], "unset", True)
        assert [kind for kind, _ in bench.driver.taken("write", "clear")] == ["write", "write"]

    async def test_where_it_cannot_wait_disabled_it_comes_at_its_start(self, hang: Hang) -> None:
        """And no sooner."""
        bench = await hang(ENABLED_ONLY)
        code_id = await bench.create("471134", recurrence=DAILY, starts_at=instant(NOON + 5 * HOUR))
        await bench.settle(5 * HOUR - SECOND)
        assert await self.state(bench, code_id) == ([], "unset", False)
        await bench.settle(MINUTE)
        assert await self.state(bench, code_id) == ([True], "set", False)

    @pytest.mark.parametrize("model", [EITHER, ENABLED_ONLY], ids=["disabled", "off the lock"])
    async def test_a_start_that_is_moved_ahead_shuts_it_at_once(self, hang: Hang, model: Model) -> None:
        """Also where the new start is so near that the code stays on the lock."""
        bench = await hang(model)
        code_id = await bench.create("471134", recurrence=DAILY)
        await bench.settle(MINUTE)
        await bench.do("access_codes/update", access_code_id=code_id, starts_at=instant(NOON + 20 * MINUTE))
        await bench.settle(SECOND)
        assert not any(credential.enabled for credential in bench.lock.slots.values())
        await bench.settle(20 * MINUTE)
        assert await self.state(bench, code_id) == ([True], "set", False)

    @pytest.mark.parametrize("model", [EITHER, ENABLED_ONLY], ids=["disabled", "off the lock"])
    async def test_a_lock_that_sleeps_until_touched_does_not_get_it_open_days_ahead(
        self, hang: Hang, model: Model
    ) -> None:
        """A touch near its start brings it, or enables it."""
        asleep = replace(model.capabilities, reach=Reach.ON_TOUCH)
        bench = await hang(replace(model, capabilities=asleep))
        await bench.create("471134", recurrence=DAILY, starts_at=instant(NOON + 2 * DAY))
        await bench.settle(DAY)
        assert not any(credential.enabled for credential in bench.lock.slots.values())
        await bench.settle(DAY + MINUTE)
        assert [credential.enabled for credential in bench.lock.slots.values()] == [True]
