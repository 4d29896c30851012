"""A window that was moved while a lock cannot be reached: the one on the lock may still open the door."""

from typing import Any

import pytest
from msgspec.structs import replace

from drivers.simulated.models import CHOOSER, NATIVE, READABLE, Model
from gateway.domain.driver import LockAlive, LockAsleep, LockUnreachable
from gateway.domain.lock import NativeWindows, Reach
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON
from tests.engine.conftest import Hang

PIN = "471134"
AWAY = LockUnreachable("no answer")
ASLEEP = LockAsleep("the lock listens only after a touch")
LATE = "access_code.delay_in_removing_from_device"
OPEN = {"starts_at": instant(NOON - HOUR), "ends_at": instant(NOON + 30 * DAY)}
MOVED = {"starts_at": instant(NOON + 2 * DAY), "ends_at": instant(NOON + 3 * DAY)}
WEEKLY = replace(
    NATIVE,
    name="weekly",
    capabilities=replace(
        NATIVE.capabilities, native_windows=NativeWindows.DATES_OR_WEEKDAYS, schedule_zone="UTC"
    ),
)
SLEEPY = replace(
    CHOOSER,
    name="sleepy",
    capabilities=replace(
        CHOOSER.capabilities,
        reach=Reach.ON_TOUCH,
        disabled_status=False,
        native_windows=NativeWindows.DATES,
    ),
)
SLEEPY_READABLE = replace(
    READABLE, name="sleepy readable", capabilities=replace(READABLE.capabilities, reach=Reach.ON_TOUCH)
)


def windows(cron: str, minutes: int) -> dict[str, Any]:
    """Return windows that come back."""
    return {"recurrence": {"cron": cron, "minutes": minutes, "time_zone": "UTC"}}


async def moved(
    hang: Hang, model: Model, closed: Exception, before: dict[str, Any] = OPEN, after: dict[str, Any] = MOVED
) -> tuple[Bench, str]:
    """Return a hub and its code, whose window was moved two minutes ago while the lock was out of reach."""
    bench = await hang(model)
    code_id = await bench.create(PIN, **before)
    await bench.settle(MINUTE)
    assert (await bench.shown(code_id))["status"] in {"set", "unset"}
    bench.driver.closed = closed
    await bench.do("access_codes/update", access_code_id=code_id, **after)
    await bench.settle(2 * MINUTE)
    bench.events()
    return bench, code_id


@pytest.mark.parametrize(
    ("model", "closed", "before", "after"),
    [
        (NATIVE, AWAY, OPEN, MOVED),
        (SLEEPY, ASLEEP, OPEN, MOVED),
        (WEEKLY, AWAY, windows("0 8 * * *", 720), windows("0 8 * * SAT", 60)),
    ],
    ids=["out of reach", "asleep", "weekdays"],
)
async def test_it_is_shown_and_told_until_the_lock_has_the_new_one(
    hang: Hang, model: Model, closed: Exception, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """As of a code that the hub keeps: nobody may think that the door is shut to it."""
    bench, code_id = await moved(hang, model, closed, before, after)
    shown = await bench.shown(code_id)
    assert (shown["status"], shown["display_status"]) == ("removing", "Removing")
    await bench.do("access_codes/update", access_code_id=code_id, name="Bo")
    await bench.settle(12 * MINUTE)
    assert LATE not in bench.events()
    await bench.settle(MINUTE)
    assert bench.events() == [LATE]
    [warning] = [
        one["message"]
        for one in (await bench.shown(code_id))["warnings"]
        if one["warning_code"] == "delay_in_removing_from_device"
    ]
    assert "may open by the old one" in warning

    bench.driver.closed = None
    await bench.engine.handle(LockAlive(device_id=DOOR))
    await bench.settle(HOUR)
    shown = await bench.shown(code_id)
    assert (shown["status"], shown["is_scheduled_on_device"]) == ("unset", True)
    assert bench.issues() == set()


async def test_a_paused_lock_is_no_exception(hang: Hang) -> None:
    """Whoever paused it may have forgotten it."""
    bench = await hang(NATIVE)
    code_id = await bench.create(PIN, **OPEN)
    await bench.settle(HOUR)
    await bench.do("devices/pause", device_id=DOOR, minutes=1440)
    await bench.do("access_codes/update", access_code_id=code_id, **MOVED)
    await bench.settle(16 * MINUTE)
    assert (await bench.shown(code_id))["status"] == "removing"
    assert LATE in bench.events()


async def test_a_touch_is_said_to_end_it(hang: Hang) -> None:
    """Until then the PIN opens the door."""
    bench, code_id = await moved(hang, SLEEPY, ASLEEP)
    issues = bench.store.do(lambda tx: tx.issues(DOOR))
    [waits] = [i.message for i in issues if i.code == "waiting_for_touch" and i.access_code_id == code_id]
    assert waits.endswith("its change is written. Until then the PIN may still open the door")


async def test_so_it_is_where_the_code_is_to_wait_disabled(hang: Hang) -> None:
    """The hub keeps the window of such a code, and it stays on the lock."""
    bench, _ = await moved(hang, SLEEPY_READABLE, ASLEEP)
    await bench.settle(14 * MINUTE)
    assert LATE in bench.events()


async def test_a_window_that_ended_on_the_lock_is_no_alarm_any_more(hang: Hang) -> None:
    """The lock keeps it as it was told."""
    soon = {"starts_at": instant(NOON - HOUR), "ends_at": instant(NOON + HOUR)}
    bench, code_id = await moved(hang, NATIVE, AWAY, soon)
    await bench.settle(40 * MINUTE)
    assert "delay_in_removing_from_device" in bench.issues()
    await bench.settle(18 * MINUTE)
    assert "delay_in_removing_from_device" not in bench.issues()
    assert (await bench.shown(code_id))["status"] == "setting"


async def test_what_opens_too_early_goes_before_what_is_only_late(hang: Hang) -> None:
    """As removals do."""
    bench = await hang(NATIVE)
    code_id = await bench.create(PIN, **OPEN)
    await bench.settle(MINUTE)
    await bench.create("551177", **OPEN)
    await bench.do("access_codes/update", access_code_id=code_id, **MOVED)
    bench.driver.operations.clear()
    await bench.settle()
    assert bench.driver.taken("write") == [("write", "20"), ("write", "19")]
