"""Errors and warnings as clients see them: they come, say whether the code or the lock has them, and go."""

from typing import Any

from msgspec.structs import replace

from drivers.simulated.models import NATIVE, READABLE, WRITE_ONLY
from gateway.domain.credential import Schedule
from gateway.domain.driver import BatteryLevel, LockUnreachable, Refused, SlotTouched
from gateway.domain.placement import Placement, Refusal
from gateway.engine.mutations import instant
from gateway.engine.planner import plan
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON, POLICY, TIMING, code, snapshot, view
from tests.engine.conftest import Hang

PIN, THEIRS = "471134", "998877"
BUSY = Refused(Refusal.BUSY, "the lock is busy")


async def found(bench: Bench, code_id: str) -> dict[str, dict[str, Any]]:
    """Return errors and warnings of a code by their code."""
    shown = await bench.shown(code_id)
    entries = {entry["error_code"]: entry for entry in shown["errors"]}
    return entries | {entry["warning_code"]: entry for entry in shown["warnings"]}


async def on_lock(bench: Bench) -> dict[str, dict[str, Any]]:
    """Return errors and warnings of the lock by their code."""
    shown = (await bench.do("devices/get", device_id=DOOR))["device"]
    entries = {entry["error_code"]: entry for entry in shown["errors"]}
    return entries | {entry["warning_code"]: entry for entry in shown["warnings"]}


class TestSetting:
    """A code that the lock does not take, or does not keep."""

    async def test_a_failure_is_an_error_that_goes_with_its_cause(self, hang: Hang) -> None:
        """Failed, then late and failed, and nothing as soon as the lock took it."""
        bench = await hang(READABLE)
        bench.driver.faults = [("before", BUSY)] * 99
        code_id = await bench.create(PIN)
        await bench.settle()
        errors = await found(bench, code_id)
        assert set(errors) == {"failed_to_set_on_device"}
        assert errors["failed_to_set_on_device"]["message"] == "the lock is busy"
        assert errors["failed_to_set_on_device"]["is_access_code_error"] is True
        await bench.settle(17 * MINUTE)
        assert set(await found(bench, code_id)) == {
            "failed_to_set_on_device",
            "delay_in_setting_on_device",
        }
        bench.driver.faults.clear()
        await bench.settle(2 * HOUR)
        assert await found(bench, code_id) == {}
        assert (await bench.shown(code_id))["status"] == "set"

    def test_many_attempts_in_a_row_are_an_error_of_their_own(self) -> None:
        """From the fifth on: then it is more than bad luck."""
        for failures, told in ((4, False), (5, True)):
            snap = snapshot(code(updated_at=NOON), Placement(access_code_id="ana", failures=failures))
            codes = {issue.code for issue in plan(snap, view(), TIMING).issues}
            assert "failed_to_set_on_device" in codes
            assert ("failed_after_retries" in codes) is told

    async def test_a_code_that_the_lock_forgot_is_told_and_set_again(self, hang: Hang) -> None:
        """The second look comes five minutes after the acknowledgement."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN)
        await bench.settle()
        bench.lock.delete("20")
        await bench.settle(6 * MINUTE)
        assert "second_check_failed" in await found(bench, code_id)
        await bench.settle(HOUR)
        assert PIN in bench.on_lock().values()
        assert "second_check_failed" not in await found(bench, code_id)

    async def test_a_lock_without_keypad_says_so_on_every_code(self, hang: Hang) -> None:
        """As an error of the lock; it can not be programmed now, and could be with one."""
        model = replace(READABLE, capabilities=replace(READABLE.capabilities, keypad=False))
        bench = await hang(model)
        code_id = await bench.create(PIN)
        errors = await found(bench, code_id)
        assert errors["keypad_missing"]["is_device_error"] is True
        shown = (await bench.do("devices/get", device_id=DOOR))["device"]
        assert shown["can_program_online_access_codes"] is False
        assert shown["properties"]["has_keypad"] is False


class TestRemoving:
    """A code that the lock does not let go."""

    async def test_a_removal_that_fails_is_an_error_and_ends_with_it(self, hang: Hang) -> None:
        """After a quarter of an hour it is late too; the code stays visible, as `removing`."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN)
        await bench.settle(HOUR)
        bench.driver.faults = [("before", BUSY)] * 99
        await bench.do("access_codes/delete", access_code_id=code_id)
        await bench.settle(16 * MINUTE)
        shown = await bench.shown(code_id)
        assert shown["status"] == "removing"
        assert set(await found(bench, code_id)) == {
            "failed_to_remove_from_device",
            "being_deleted",
            "delay_in_removing_from_device",
        }
        bench.driver.faults.clear()
        await bench.settle(2 * HOUR)
        reply = await bench.ask("access_codes/get", access_code_id=code_id)
        assert reply["error"]["type"] == "not_found"

    async def test_a_lock_that_confirms_nothing_leaves_the_removal_in_doubt_for_a_moment(
        self, hang: Hang
    ) -> None:
        """Until it was sent a second time."""
        bench = await hang(WRITE_ONLY)
        code_id = await bench.create(PIN)
        await bench.settle(HOUR)
        await bench.do("access_codes/delete", access_code_id=code_id)
        await bench.settle()
        assert "unable_to_confirm_deletion" in await found(bench, code_id)
        await bench.settle(MINUTE)
        assert bench.on_lock() == {}
        assert "unable_to_confirm_deletion" not in bench.issues()

    async def test_a_code_that_somebody_removed_is_not_set_again_after_its_end(self, hang: Hang) -> None:
        """The hub sets a code again only until its end."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN, ends_at=instant(NOON + HOUR))
        await bench.settle(30 * MINUTE)
        bench.lock.delete("20")
        bench.driver.closed = LockUnreachable("out of reach")
        await bench.settle(HOUR)
        bench.driver.closed = None
        bench.driver.taken()
        await bench.do("devices/sync", device_id=DOOR)
        await bench.settle(2 * HOUR)
        assert bench.driver.taken("write") == []
        assert (await bench.shown(code_id))["display_status"] == "Expired"


class TestOthers:
    """What somebody does at the keypad."""

    async def test_a_change_is_an_error_of_the_code_until_it_is_put_right(self, hang: Hang) -> None:
        """With the fields that changed, and with no value."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN)
        await bench.settle(HOUR)
        bench.by_hand("20", THEIRS)
        bench.driver.faults = [None, *[("before", BUSY)] * 3]
        await bench.tell(SlotTouched(device_id=DOOR, slot="20"))
        error = (await found(bench, code_id))["code_modified_external_to_gateway"]
        assert (error["change_type"], error["modified_fields"]) == ("modified", ["code"])
        assert error["is_access_code_error"] is True
        assert THEIRS not in str(error)
        assert (await bench.shown(code_id))["status"] == "setting"
        await bench.settle(HOUR)
        assert await found(bench, code_id) == {}
        assert bench.on_lock() == {"20": PIN}

    async def test_where_it_is_allowed_it_is_a_warning_and_stays(self, hang: Hang) -> None:
        """And is no error."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN, allow_external_modification=True)
        await bench.settle(HOUR)
        bench.by_hand("20", THEIRS)
        await bench.tell(SlotTouched(device_id=DOOR, slot="20"))
        await bench.settle(DAY)
        shown = await bench.shown(code_id)
        assert (shown["code"], shown["status"], shown["errors"]) == (THEIRS, "set", [])
        assert [w["warning_code"] for w in shown["warnings"]] == ["external_modification_in_effect"]

    async def test_a_code_that_somebody_disabled_and_may_opens_nothing_and_says_so(self, hang: Hang) -> None:
        """An update enables it again."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN, is_external_modification_allowed=True)
        await bench.settle(HOUR)
        bench.by_hand("20", PIN, enabled=False)
        await bench.tell(SlotTouched(device_id=DOOR, slot="20"))
        await bench.settle(HOUR)
        assert (await found(bench, code_id))["access_code_inactive"]["is_access_code_error"] is True
        await bench.do("access_codes/update", access_code_id=code_id, name="Bo")
        await bench.settle(HOUR)
        assert await found(bench, code_id) == {}
        assert bench.lock.slots["20"].enabled

    async def test_a_code_of_others_is_shown_as_the_lock_has_it(self, hang: Hang) -> None:
        """With its dates; disabled, or outside its dates, it is `unset`."""
        bench = await hang(NATIVE)
        dates = Schedule(starts_at=NOON, ends_at=NOON + DAY)
        bench.by_hand("3", THEIRS, schedule=dates)
        bench.by_hand("4", "864209", enabled=False)
        bench.by_hand("5", "753102", schedule=Schedule(starts_at=NOON - DAY, ends_at=NOON))
        bench.by_hand("6", "951073", schedule=Schedule(starts_at=NOON + DAY, ends_at=NOON + 2 * DAY))
        bench.clock.pass_by(MINUTE)
        await bench.do("devices/sync", device_id=DOOR)
        await bench.settle(MINUTE)
        listed = (await bench.do("access_codes/unmanaged/list"))["unmanaged_access_codes"]
        dated, disabled, ended, coming = sorted(listed, key=lambda shown: str(shown["slot"]))
        assert (dated["type"], dated["starts_at"], dated["ends_at"], dated["status"]) == (
            "time_bound",
            instant(NOON),
            instant(NOON + DAY),
            "set",
        )
        assert (disabled["type"], disabled["status"], disabled["display_status"]) == (
            "ongoing",
            "unset",
            "Not active",
        )
        for outside in (ended, coming):
            assert (outside["status"], outside["display_status"]) == ("unset", "Not active")

    async def test_a_window_changed_at_the_lock_is_put_back(self, hang: Hang) -> None:
        """Start and end on the lock follow those that were declared."""
        bench = await hang(NATIVE)
        code_id = await bench.create(PIN, starts_at=instant(NOON + HOUR), ends_at=instant(NOON + DAY))
        await bench.settle(2 * HOUR)
        declared = bench.lock.slots["20"].schedule
        bench.by_hand("20", PIN, schedule=Schedule(starts_at=NOON, ends_at=NOON + 9 * DAY))
        await bench.tell(SlotTouched(device_id=DOOR, slot="20"))
        await bench.settle(HOUR)
        assert bench.lock.slots["20"].schedule == declared
        assert bench.events().count("access_code.modified_external_to_gateway") == 1
        assert await found(bench, code_id) == {}


class TestLock:
    """What is wrong with the lock stands on the lock, and its errors on each of its codes."""

    async def test_errors_are_copied_onto_its_codes_and_warnings_are_not(self, hang: Hang) -> None:
        """An unreachable lock with low batteries."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN)
        await bench.settle(HOUR)
        await bench.tell(BatteryLevel(device_id=DOOR, level=0.1))
        bench.driver.closed = LockUnreachable("out of reach")
        await bench.do("devices/sync", device_id=DOOR)
        await bench.settle(HOUR)
        lock = await on_lock(bench)
        assert lock["low_battery"]["battery_level"] == 0.1
        assert "device_disconnected" in lock
        of_code = await found(bench, code_id)
        assert set(of_code) == {"device_disconnected"}
        assert of_code["device_disconnected"]["is_device_error"] is True

    async def test_a_full_lock_counts_its_codes(self, hang: Hang) -> None:
        """Of the slots that the hub may use; the error of a code without room counts codes of others."""
        bench = await hang(READABLE, policy=replace(POLICY, managed_slots=("1", "2")))
        bench.by_hand("1", THEIRS)
        bench.clock.pass_by(MINUTE)
        await bench.do("devices/sync", device_id=DOOR)
        await bench.create(PIN)
        await bench.settle()
        homeless = await bench.create("582245")
        await bench.settle(HOUR)
        warning = (await on_lock(bench))["max_access_codes_reached"]
        assert (warning["active_access_code_count"], warning["max_active_access_code_count"]) == (2, 2)
        error = (await found(bench, homeless))["no_space_for_access_code_on_device"]
        assert (error["managed"], error["unmanaged"]) == (1, 1)
