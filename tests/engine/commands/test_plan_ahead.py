"""What a plan says will come is what will be done then, at the same cost on the radio."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from drivers.simulated.models import MASKED, NATIVE, READABLE, Model
from gateway.domain.lock import NativeWindows, Reach
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON, SECOND, TIMING
from tests.engine.conftest import Hang

PIN = "471134"
BY_WEEKDAY = replace(
    NATIVE,
    capabilities=replace(
        NATIVE.capabilities, native_windows=NativeWindows.DATES_AND_WEEKDAYS, schedule_zone="UTC"
    ),
)
BY_WEEKDAY_OR_DATE = replace(
    BY_WEEKDAY,
    capabilities=replace(BY_WEEKDAY.capabilities, native_windows=NativeWindows.DATES_OR_WEEKDAYS),
)
STAY = {"starts_at": instant(NOON + 10 * DAY), "ends_at": instant(NOON + 12 * DAY)}
TENTH = {"recurrence": {"cron": "0 12 10 * *", "minutes": 60, "time_zone": "UTC"}}
FRIDAYS = {"recurrence": {"cron": "0 12 * * 5", "minutes": 60, "time_zone": "UTC"}}
HOURLY = {"recurrence": {"cron": "0 * * * *", "minutes": 45, "time_zone": "UTC"}}

type Due = list[tuple[str, timedelta, int]]


async def plan(bench: Bench) -> dict[str, Any]:
    """Return the plan of the lock."""
    [found] = (await bench.do("plan/get"))["plans"]
    return dict(found)


async def coming(bench: Bench) -> Due:
    """Return what the plan says will come: what, how long after noon, at which cost."""
    due = (await plan(bench))["coming"]
    return [
        (step["action"], datetime.fromisoformat(step["at"]) - NOON, step["radio_commands"]) for step in due
    ]


@pytest.mark.parametrize(
    ("model", "window", "due"),
    [
        (
            READABLE,
            STAY,
            [("write", 10 * DAY - TIMING.lead, 1), ("write", 10 * DAY, 1), ("clear", 12 * DAY, 1)],
        ),
        (MASKED, STAY, [("write", 10 * DAY - TIMING.lead, 2), ("clear", 12 * DAY, 2)]),
        (NATIVE, STAY, [("write", 7 * DAY, 2), ("clear", 12 * DAY, 1)]),
        (
            READABLE,
            TENTH,
            [("write", 9 * DAY - TIMING.lead, 1), ("write", 9 * DAY, 1), ("clear", 9 * DAY + HOUR, 1)],
        ),
        (BY_WEEKDAY, FRIDAYS, []),
        (
            BY_WEEKDAY_OR_DATE,
            FRIDAYS | {"starts_at": instant(NOON + DAY)},
            [("write", DAY - TIMING.lead, 2), ("write", DAY, 2)],
        ),
    ],
    ids=[
        "readable",
        "masked",
        "native",
        "window that comes back",
        "windows that the lock keeps",
        "windows that the lock keeps from a first day on",
    ],
)
async def test_what_comes_is_what_will_be_done_then(
    hang: Hang, model: Model, window: dict[str, Any], due: Due
) -> None:
    """Written before its start, enabled then if it can wait disabled, cleared at its end.

    Where the lock keeps the windows, neither. Nothing else is done.
    """
    bench = await hang(model)
    await bench.create(PIN, **window)
    await bench.settle(MINUTE)
    assert await coming(bench) == due
    done: list[str] = []
    bench.driver.operations.clear()
    for action, ahead, cost in due:
        await bench.settle(NOON + ahead - MINUTE - bench.clock.wall)
        for _ in range(2):  # so that no slot has to be read before its first use
            await bench.do("devices/sync", device_id=DOOR)
            await bench.worker.reconcile()
            bench.clock.pass_by(30 * SECOND)
        steps = (await plan(bench))["steps"]
        assert [(step["action"], step["radio_commands"]) for step in steps] == [(action, cost)]
        await bench.settle()
        done += [kind for kind, _ in bench.driver.taken("write", "clear")]
    assert done == [action for action, _, _ in due]


@pytest.mark.parametrize(
    ("reach", "due"),
    [
        (Reach.ALWAYS, [("write", 29 * DAY - TIMING.lead, 1), ("write", 29 * DAY, 1)]),
        (Reach.ON_TOUCH, [("write", 29 * DAY, 1)]),
    ],
)
async def test_no_more_than_the_month_ahead_is_told(hang: Hang, reach: Reach, due: Due) -> None:
    """Also of a code that waits disabled for long, as on a lock that listens only when touched."""
    bench = await hang(replace(READABLE, capabilities=replace(READABLE.capabilities, reach=reach)))
    for start in (29, 31):
        await bench.create(starts_at=instant(NOON + start * DAY), ends_at=instant(NOON + 60 * DAY))
    await bench.settle(MINUTE)
    assert await coming(bench) == due


async def test_a_code_that_waits_disabled_is_enabled_at_its_start(hang: Hang) -> None:
    """And disabled after it, where its windows come so close that it stays on the lock."""
    bench = await hang(READABLE)
    await bench.create(PIN, **HOURLY)
    await bench.settle(30 * MINUTE)
    assert await coming(bench) == [("write", 45 * MINUTE, 1)]
    await bench.settle(20 * MINUTE)
    assert await coming(bench) == [("write", HOUR, 1), ("write", 105 * MINUTE, 1)]
