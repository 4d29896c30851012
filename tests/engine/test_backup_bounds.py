"""A backup lets nobody in at other times, or oftener, than the code it stands in for."""

from typing import Any

import pytest
from msgspec.structs import replace

from drivers.simulated.models import NATIVE, READABLE
from gateway.domain.credential import Schedule
from gateway.domain.driver import CodeUsed, NoAnswer, SlotTouched
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON, POLICY
from tests.engine.conftest import Hang

POOL = replace(POLICY, backup_pool=1)
UNTIL: dict[str, Any] = {"ends_at": instant(NOON + DAY)}


async def pull(bench: Bench, code_id: str) -> dict[str, Any]:
    """Ask for a backup; return the whole reply."""
    return await bench.ask("access_codes/pull_backup_access_code", access_code_id=code_id)


async def use(bench: Bench, pin: str) -> None:
    """Let somebody open the door with a PIN that is on the lock."""
    [slot] = [slot for slot, held in bench.on_lock().items() if held == pin]
    await bench.tell(CodeUsed(device_id=DOOR, slot=slot))
    await bench.settle(MINUTE)


async def test_windows_that_come_back_have_no_backup(hang: Hang) -> None:
    """It would open day and night until the code ends."""
    bench = await hang(READABLE, policy=POOL)
    await bench.settle()
    tuesdays = {"cron": "0 9 * * 2", "minutes": 180, "time_zone": "UTC"}
    code_id = await bench.create("471134", recurrence=tuesdays, ends_at=instant(NOON + 60 * DAY))
    refused = (await pull(bench, code_id))["error"]
    assert (refused["type"], refused["data"]) == ("invalid_input", {"field": "access_code_id"})
    assert "recurrence" in refused["message"]
    assert {code.backup for code in bench.snap().codes.values()} == {"waiting", None}


@pytest.mark.parametrize(
    "times",
    [
        {
            "recurrence": {"cron": "0 9 * * 2", "minutes": 180, "time_zone": "UTC"},
            "ends_at": instant(NOON + 60 * DAY),
        },
        {"starts_at": instant(NOON)},
        {"ends_at": instant(NOON + HOUR)},
    ],
    ids=["windows that come back", "without an end", "ended"],
)
async def test_none_is_said_to_be_available_where_none_is_given_out(
    hang: Hang, times: dict[str, Any]
) -> None:
    """Nobody counts on what will be refused."""
    bench = await hang(READABLE, policy=POOL)
    await bench.settle()
    code_id = await bench.create("471134", **times)
    await bench.settle(2 * HOUR)
    assert (await bench.shown(code_id))["is_backup_access_code_available"] is False
    assert (await pull(bench, code_id))["status"] == "error"


async def test_it_follows_an_end_that_somebody_moved_at_the_lock(hang: Hang) -> None:
    """Where the code allows that: whoever has the backup leaves with the original."""
    bench = await hang(NATIVE, policy=POOL)
    await bench.settle()
    code_id = await bench.create("471134", allow_external_modification=True, **UNTIL)
    await bench.settle(HOUR)
    backup = (await pull(bench, code_id))["data"]["backup_access_code"]
    [slot] = [slot for slot, held in bench.on_lock().items() if held == "471134"]
    bench.by_hand(slot, "471134", schedule=Schedule(ends_at=NOON + 5 * HOUR))
    await bench.tell(SlotTouched(device_id=DOOR, slot=slot))
    await bench.settle(MINUTE)
    for shown in (await bench.shown(code_id), await bench.shown(backup["access_code_id"])):
        assert shown["ends_at"] == instant(NOON + 5 * HOUR)
    await bench.settle(5 * HOUR)
    assert not {"471134", backup["code"]} & set(bench.on_lock().values())


async def test_before_the_code_begins_there_is_none(hang: Hang) -> None:
    """It opens at once; half an hour before the start a guest at the door is the one who is meant."""
    bench = await hang(READABLE, policy=POOL)
    await bench.settle()
    code_id = await bench.create("471134", starts_at=instant(NOON + 5 * HOUR), **UNTIL)
    refused = (await pull(bench, code_id))["error"]
    assert (refused["type"], refused["data"]) == ("invalid_input", {"field": "access_code_id"})
    assert "starts_at" in refused["message"]
    bench.driver.faults = [("before", NoAnswer("lost"))] * 2
    await bench.settle(4 * HOUR + 31 * MINUTE)
    assert (await pull(bench, code_id))["data"]["backup_access_code"]["status"] == "set"


async def test_a_code_that_was_used_up_has_none(hang: Hang) -> None:
    """Its one use was had."""
    bench = await hang(READABLE, policy=POOL)
    await bench.settle()
    code_id = await bench.create("471134", is_one_time_use=True, **UNTIL)
    await bench.settle(HOUR)
    await use(bench, "471134")
    refused = (await pull(bench, code_id))["error"]
    assert (refused["type"], refused["data"]) == ("invalid_input", {"field": "access_code_id"})


@pytest.mark.parametrize("tried", [False, True], ids=["fresh", "tried by somebody while it waited"])
async def test_that_of_a_code_for_one_use_is_for_one_use(hang: Hang, *, tried: bool) -> None:
    """Counted from when it was pulled."""
    bench = await hang(READABLE, policy=POOL)
    await bench.settle()
    if tried:
        [waiting] = bench.on_lock().values()
        await use(bench, waiting)
    backup = (await pull(bench, await bench.create("471134", is_one_time_use=True, **UNTIL)))["data"][
        "backup_access_code"
    ]
    assert (backup["is_one_time_use"], backup["first_used_at"]) == (True, None)
    await bench.settle(HOUR)
    assert backup["code"] in bench.on_lock().values()
    await use(bench, backup["code"])
    assert backup["code"] not in bench.on_lock().values()


@pytest.mark.parametrize("of_backup", [True, False], ids=["the backup", "the original"])
async def test_a_code_for_one_use_and_its_backup_have_one_use_together(
    hang: Hang, *, of_backup: bool
) -> None:
    """Whichever PIN the guest types, both go; only the code whose PIN it was tells of its first use."""
    bench = await hang(READABLE, policy=POOL)
    await bench.settle()
    code_id = await bench.create("471134", is_one_time_use=True, **UNTIL)
    await bench.settle(HOUR)
    backup = (await pull(bench, code_id))["data"]["backup_access_code"]
    await bench.settle(MINUTE)
    bench.events()
    await use(bench, backup["code"] if of_backup else "471134")
    assert not {backup["code"], "471134"} & set(bench.on_lock().values())
    for shown in (await bench.shown(code_id), await bench.shown(backup["access_code_id"])):
        assert (shown["status"], shown["display_status"]) == ("unset", "Used")
    assert bench.events().count("access_code.first_used") == 1
    assert (await pull(bench, code_id))["error"]["type"] == "invalid_input"


async def test_a_new_pin_of_the_original_brings_no_used_backup_back(hang: Hang) -> None:
    """The code works once more, and a backup that is asked for then is another one."""
    bench = await hang(READABLE, policy=POOL)
    await bench.settle()
    code_id = await bench.create("471134", is_one_time_use=True, **UNTIL)
    await bench.settle(HOUR)
    first = (await pull(bench, code_id))["data"]["backup_access_code"]
    await bench.settle(MINUTE)
    await use(bench, "471134")
    await bench.do("access_codes/update", access_code_id=code_id, code="582245")
    await bench.settle(MINUTE)
    assert "582245" in bench.on_lock().values()
    assert first["code"] not in bench.on_lock().values()
    again = (await pull(bench, code_id))["data"]["backup_access_code"]
    assert again["access_code_id"] != first["access_code_id"]


async def test_uses_of_a_code_for_many_leave_its_backup_alone(hang: Hang) -> None:
    """And the other way round: the guest may have both PINs."""
    bench = await hang(READABLE, policy=POOL)
    await bench.settle()
    code_id = await bench.create("471134", **UNTIL)
    await bench.settle(HOUR)
    backup = (await pull(bench, code_id))["data"]["backup_access_code"]
    await use(bench, "471134")
    assert (await bench.shown(backup["access_code_id"]))["first_used_at"] is None
    await use(bench, backup["code"])
    assert {backup["code"], "471134"} <= set(bench.on_lock().values())


async def test_a_record_from_before_the_pull_is_not_of_the_guest(hang: Hang) -> None:
    """Somebody tried the backup while it waited, and the lock's log came late."""
    bench = await hang(READABLE, policy=POOL)
    await bench.settle(HOUR)
    tried = bench.clock.wall - 10 * MINUTE
    code_id = await bench.create("471134", is_one_time_use=True, **UNTIL)
    await bench.settle(MINUTE)
    backup = (await pull(bench, code_id))["data"]["backup_access_code"]
    [slot] = [slot for slot, held in bench.on_lock().items() if held == backup["code"]]
    await bench.tell(CodeUsed(device_id=DOOR, slot=slot, at=tried))
    await bench.settle(MINUTE)
    assert {backup["code"], "471134"} <= set(bench.on_lock().values())


@pytest.mark.parametrize(
    ("times", "field"),
    [
        ({"recurrence": {"cron": "0 9 * * *", "minutes": 180, "time_zone": "UTC"}}, "recurrence"),
        ({"starts_at": instant(NOON + 5 * HOUR)}, "starts_at"),
    ],
    ids=["windows", "a later start"],
)
async def test_a_code_with_a_backup_is_not_kept_to_times_that_the_backup_has_not(
    hang: Hang, times: dict[str, Any], field: str
) -> None:
    """Who wants that deletes the backup first; anything else of the code is changed as ever."""
    bench = await hang(READABLE, policy=POOL)
    await bench.settle()
    code_id = await bench.create("471134", common_code_key="stay", **UNTIL)
    backup = (await pull(bench, code_id))["data"]["backup_access_code"]
    refused = (await bench.ask("access_codes/update", access_code_id=code_id, **times))["error"]
    assert (refused["type"], refused["data"]) == ("invalid_input", {"field": field})
    if field == "starts_at":
        group = await bench.ask("access_codes/update_multiple", common_code_key="stay", **times)
        assert group["error"] == refused
    await bench.do("access_codes/update", access_code_id=code_id, ends_at=instant(NOON + 2 * DAY))
    await bench.do("access_codes/delete", access_code_id=backup["access_code_id"])
    await bench.do("access_codes/update", access_code_id=code_id, **times)


async def test_a_backup_that_has_ended_does_not_come_back_with_its_original(hang: Hang) -> None:
    """Its PIN may be somebody else's by now; whoever stays on gets another one."""
    bench = await hang(READABLE, policy=POOL)
    await bench.settle()
    code_id = await bench.create("471134", **UNTIL)
    first = (await pull(bench, code_id))["data"]["backup_access_code"]
    await bench.settle(DAY + MINUTE)
    await bench.create(first["code"])
    await bench.do("access_codes/update", access_code_id=code_id, ends_at=instant(NOON + 3 * DAY))
    await bench.settle(MINUTE)
    shown = await bench.shown(first["access_code_id"])
    assert (shown["status"], shown["ends_at"]) == ("unset", UNTIL["ends_at"])
    again = (await pull(bench, code_id))["data"]["backup_access_code"]
    assert (again["status"], again["ends_at"]) == ("set", instant(NOON + 3 * DAY))


@pytest.mark.parametrize("rebooted", [False, True], ids=["carried", "not trusted"])
async def test_one_that_is_pulled_while_the_clock_is_ahead_opens_at_once_and_goes_on(
    hang: Hang, *, rebooted: bool
) -> None:
    """It begins by the time that the hub goes by: the guest stands at the door."""
    bench = await hang(READABLE, policy=POOL)
    await bench.settle()
    code_id = await bench.create("471134", ends_at=instant(NOON + 5 * DAY))
    await bench.settle(HOUR)
    bench.clock.synced = False
    if rebooted:
        bench.clock.reboot(bench.clock.wall + 2 * DAY)
        bench.boot()
        await bench.start()
    else:
        bench.clock.jump(2 * DAY)
    await bench.settle(MINUTE)
    backup = (await pull(bench, code_id))["data"]["backup_access_code"]
    await bench.settle(MINUTE)
    assert backup["code"] in bench.on_lock().values()
    bench.clock.jump(-2 * DAY)
    bench.clock.synced = True
    await bench.settle(HOUR)
    assert backup["code"] in bench.on_lock().values()
