"""What an access code can be beyond a PIN with two times, on the real Z-Wave stack."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.daemon.bed import PINS
from tests.e2e.conftest import Start
from tests.e2e.house import NODES, TimedHouse
from tests.zwave_bed.config import Model

pytestmark = [pytest.mark.zwave_bed, pytest.mark.mosquitto, pytest.mark.slow]


async def timeline(house: TimedHouse, code_id: str) -> list[dict[str, Any]]:
    """Return what is remembered of a code."""
    found = await house.do("access_codes/get_timeline", access_code_id=code_id)
    entries: list[dict[str, Any]] = found["timeline_events"]
    return entries


async def test_a_lock_with_schedules_keeps_the_window_days_before(start: Start) -> None:
    """Preloaded 72 h ahead with its dates, `unset` and scheduled; `set` at its start, removed at its end."""
    node = NODES["scheduled"].node_id
    async with start("scheduled") as house:
        await house.settled("scheduled")
        code_id = await house.create(
            "scheduled", PINS[0], starts_at=house.in_time(hours=100), ends_at=house.in_time(hours=104)
        )
        await house.settled("scheduled")
        assert await house.on_lock("scheduled") == {}
        house.let_pass(hours=28, seconds=1)
        await house.hears("access_code.scheduled_on_device", code_id)
        assert await house.on_lock("scheduled") == {3: PINS[0]}
        assert (await house.bed.schedules(node, 3)).year_day
        shown = (await house.do("access_codes/get", access_code_id=code_id))["access_code"]
        assert (shown["status"], shown["is_scheduled_on_device"]) == ("unset", True)
        assert not house.told("access_code.set_on_device", code_id)
        house.let_pass(hours=72)
        await house.hears("access_code.set_on_device", code_id)
        house.let_pass(hours=4)
        await house.hears("access_code.removed_from_device", code_id)
        assert await house.on_lock("scheduled") == {}
        assert not (await house.bed.schedules(node, 3)).year_day


async def test_without_the_wish_the_hub_keeps_the_window(start: Start) -> None:
    """`prefer_native_scheduling: false`: just in time, without a schedule."""
    async with start("scheduled") as house:
        code_id = await house.create(
            "scheduled",
            PINS[0],
            starts_at=house.in_time(hours=2),
            ends_at=house.in_time(hours=4),
            prefer_native_scheduling=False,
        )
        await house.settled("scheduled")
        assert await house.bed.slots(NODES["scheduled"].node_id) == {}
        house.let_pass(hours=2)
        await house.hears("access_code.set_on_device", code_id)
        assert not (await house.bed.schedules(NODES["scheduled"].node_id, 3)).year_day


async def test_a_cleaner_s_windows_come_back(start: Start) -> None:
    """On the lock in its window, off it afterwards, and on it again the next time."""
    async with start("v2_s2") as house:
        opens = house.clock.now().replace(minute=0, second=0)
        hour = (opens.hour + 3) % 24
        windows = {"cron": f"0 {hour} * * *", "minutes": 60, "time_zone": "UTC"}
        code_id = await house.create("v2_s2", PINS[0], recurrence=windows)
        for times in (1, 2):
            await house.settled("v2_s2")
            ahead = (hour - house.clock.now().hour - 1) % 24
            house.let_pass(hours=ahead, minutes=60 - house.clock.now().minute, seconds=1)
            await house.hears("access_code.set_on_device", code_id, times=times)
            assert list((await house.on_lock("v2_s2")).values()) == [PINS[0]]
            await house.settled("v2_s2")
            house.let_pass(hours=1)
            await house.hears("access_code.removed_from_device", code_id, times=times)
            assert await house.on_lock("v2_s2") == {}


async def test_a_lock_that_keeps_weekdays_opens_and_closes_a_cleaner_s_windows_itself(start: Start) -> None:
    """Written once; when the window opens and closes nothing goes over the air."""
    node = NODES["scheduled"].node_id
    async with start("scheduled") as house:
        opens = (house.clock.now() + timedelta(hours=3)).astimezone(ZoneInfo("Europe/Berlin"))
        windows = {"cron": f"0 {opens.hour} * * *", "minutes": 60, "time_zone": "Europe/Berlin"}
        code_id = await house.create("scheduled", PINS[0], recurrence=windows)
        await house.hears("access_code.scheduled_on_device", code_id)
        await house.settled("scheduled")
        assert (await house.bed.schedules(node, 3)).daily
        house.let_pass(minutes=10)
        await house.settled("scheduled")
        await house.forget_radio("scheduled")
        begin = opens.replace(minute=0, second=1)
        house.let_pass(seconds=(begin - house.clock.now()).total_seconds())
        await house.hears("access_code.set_on_device", code_id)
        house.let_pass(hours=1)
        await house.until(lambda: house.code(code_id)["status"] == "unset")
        radio = await house.radio("scheduled")
        assert (radio.set, radio.clear) == (0, 0)
        assert list((await house.on_lock("scheduled")).values()) == [PINS[0]]
        assert not house.told("access_code.removed_from_device", code_id)


async def test_a_code_for_one_use_goes_after_it(start: Start) -> None:
    """As soon as the lock reports the use."""
    async with start("v2_s2") as house:
        code_id = await house.create_set("v2_s2", PINS[0], is_one_time_use=True)
        await house.settled("v2_s2")
        await house.bed.unlock(NODES["v2_s2"].node_id, 3)
        await house.hears("access_code.first_used", code_id)
        await house.becomes("v2_s2")
        await house.hears("access_code.removed_from_device", code_id)


async def test_a_backup_is_given_out_when_a_code_does_not_work(start: Start) -> None:
    """It is on the lock already: no radio is used, and it ends with the guest's code."""
    async with start("v2_s2") as house:
        await house.do("devices/update", device_id="v2_s2", backup_access_code_pool_enabled=True)
        await house.until(lambda: house.lock("v2_s2")["counts"]["backups_available"] == 3)
        await house.settled("v2_s2")
        before = set((await house.on_lock("v2_s2")).values())
        code_id = await house.create("v2_s2", PINS[0], ends_at=house.in_time(hours=5))
        # A backup made room: the lock has three slots.
        await house.hears("access_code.set_on_device", code_id)
        await house.settled("v2_s2")
        await house.forget_radio("v2_s2")
        done = await house.do("access_codes/pull_backup_access_code", access_code_id=code_id)
        pin = done["backup_access_code"]["code"]
        assert pin in before
        assert (await house.radio("v2_s2")).user_code == 0
        house.let_pass(hours=5)
        await house.hears("access_code.removed_from_device", done["backup_access_code"]["access_code_id"])
        assert pin not in (await house.on_lock("v2_s2")).values()


async def test_a_code_of_somebody_else_is_taken_over_and_another_deleted(start: Start) -> None:
    """Nothing is written for the first; the second is looked at and removed, by name."""
    node = NODES["v2_s2"].node_id
    async with start("v2_s2") as house:
        await house.settled("v2_s2")
        await house.bed.edit(node, 1, PINS[0], "report")
        await house.bed.edit(node, 2, PINS[1], "report")
        await house.hears("access_code.unmanaged.created", times=2)
        await house.settled("v2_s2")
        listed = (await house.do("access_codes/unmanaged/list"))["unmanaged_access_codes"]
        ids = {shown["slot"]: shown["access_code_id"] for shown in listed}
        await house.forget_radio("v2_s2")
        taken = await house.do("access_codes/unmanaged/convert_to_managed", access_code_id=ids["1"])
        assert (taken["access_code"]["code"], taken["access_code"]["status"]) == (PINS[0], "set")
        house.let_pass(seconds=1)
        await house.do("access_codes/unmanaged/delete", access_code_id=ids["2"])
        await house.hears("access_code.unmanaged.removed", ids["2"])
        assert await house.on_lock("v2_s2") == {1: PINS[0]}
        radio = await house.radio("v2_s2")
        assert (radio.set, radio.clear) == (0, 1)


async def test_one_command_sets_one_pin_on_two_locks(start: Start) -> None:
    """And one more changes both."""
    async with start("v2_s2", "masked_s2") as house:
        done = await house.do("access_codes/create_multiple", device_ids=["v2_s2", "masked_s2"], name="Ada")
        [pin] = {code["code"] for code in done["access_codes"]}
        both: tuple[Model, Model] = ("v2_s2", "masked_s2")
        for model in both:
            await house.becomes(model, pin)
        key = done["access_codes"][0]["common_code_key"]
        await house.do("access_codes/update_multiple", common_code_key=key, ends_at=house.in_time(hours=1))
        house.let_pass(hours=1)
        for model in both:
            await house.becomes(model)


async def test_two_controllers_that_fight_are_named_and_slowed_down(start: Start) -> None:
    """The third change within a day is put right half an hour later."""
    node = NODES["v2_s2"].node_id
    async with start("v2_s2") as house:
        await house.create_set("v2_s2", PINS[0])
        for number in (1, 2):
            await house.settled("v2_s2")
            house.let_pass(seconds=11)
            await house.bed.edit(node, 3, PINS[number], "report")
            await house.hears("access_code.modified_external_to_gateway", times=number)
            await house.becomes("v2_s2", PINS[0])
        await house.settled("v2_s2")
        house.let_pass(seconds=11)
        await house.bed.edit(node, 3, PINS[3], "report")
        await house.hears("device.third_party_integration_detected")
        await house.settled("v2_s2")
        assert list((await house.on_lock("v2_s2")).values()) == [PINS[3]]
        house.let_pass(minutes=30)
        await house.becomes("v2_s2", PINS[0])


async def test_the_timeline_tells_of_the_radio_and_of_the_door(start: Start) -> None:
    """From the command to the use, with what the lock said."""
    async with start("v2_s2") as house:
        code_id = await house.create_set("v2_s2", PINS[0])
        await house.settled("v2_s2")
        await house.bed.unlock(NODES["v2_s2"].node_id, 3)
        await house.hears("access_code.first_used", code_id)
        kinds = [entry["kind"] for entry in await timeline(house, code_id)]
        places = [
            kinds.index(kind)
            for kind in (
                "access_code.created",
                "internal.access_code.programming_started",
                "internal.access_code.programming_finished",
                "access_code.set_on_device",
                "lock.unlocked",
                "access_code.first_used",
            )
        ]
        assert places == sorted(places)


async def test_a_dry_run_uses_no_radio_and_names_its_cost(start: Start) -> None:
    """The step that would be taken, and nothing on the lock."""
    async with start("v2_s2") as house:
        await house.settled("v2_s2")
        await house.forget_radio("v2_s2")
        tried = await house.do("access_codes/create", device_id="v2_s2", code=PINS[0], dry_run=True)
        assert [step["action"] for step in tried["plans"][0]["steps"]] == ["write"]
        assert (await house.radio("v2_s2")).user_code == 0
        assert (await house.do("access_codes/list"))["access_codes"] == []
