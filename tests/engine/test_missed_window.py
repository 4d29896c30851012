"""A window that came and went while the hub was off: the guest stood outside, and somebody must know."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from drivers.simulated.models import MASKED, NATIVE, READABLE, Model
from gateway.domain.driver import Refused, SlotTouched
from gateway.domain.placement import Refusal
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON
from tests.engine.conftest import Hang
from tests.engine.deeds import PIN, failing, off

MISSED = "access_code.failed_to_set_on_device"
WORDS = "its window passed while the hub was off"
FAR = {"starts_at": instant(NOON + 9 * DAY), "ends_at": instant(NOON + 10 * DAY)}
NEAR = {"starts_at": instant(NOON + HOUR), "ends_at": instant(NOON + DAY)}
HOURLY = {"cron": "0 * * * *", "minutes": 20, "time_zone": "UTC"}


def told(bench: Bench) -> list[dict[str, Any]]:
    """Return what every event of a missed window said."""
    stored = bench.store.do(lambda tx: tx.events(event_types=[MISSED], limit=100))
    return [one.event.payload for one in stored if one.event.payload["message"].startswith(WORDS)]


@pytest.mark.parametrize("model", [READABLE, NATIVE])
@pytest.mark.parametrize("window", [NEAR, FAR])
async def test_it_is_told_once_at_the_next_start(hang: Hang, model: Model, window: dict[str, str]) -> None:
    """With what happened, and with no word of a success; no later start tells it again."""
    bench = await hang(model)
    await bench.create(PIN, **window)
    await off(20 * DAY)(bench)
    [event] = told(bench)
    assert event["error_code"] == "failed_to_set_on_device"
    assert [error["message"] for error in event["access_code_errors"]] == [event["message"]]
    for _ in range(2):
        await off(HOUR)(bench)
    assert len(told(bench)) == 1
    assert "access_code.set_on_device" not in bench.events()


async def test_a_code_that_lay_on_the_lock_disabled_is_told_too(hang: Hang) -> None:
    """It was staged, and nobody was there to enable it."""
    bench = await hang(READABLE)
    await bench.create(PIN, **NEAR)
    await bench.settle(45 * MINUTE)
    assert bench.on_lock() == {"20": PIN}
    for _ in range(2):
        await off(2 * DAY)(bench)
    assert len(told(bench)) == 1


@pytest.mark.parametrize("model", [READABLE, NATIVE])
async def test_one_that_was_open_when_the_hub_went_off_is_not_told(hang: Hang, model: Model) -> None:
    """It worked, until its end and longer."""
    bench = await hang(model)
    await bench.create(PIN, ends_at=instant(NOON + HOUR))
    await bench.settle(MINUTE)
    await off(DAY)(bench)
    assert told(bench) == []


async def test_one_that_the_lock_opened_by_itself_is_not_told(hang: Hang) -> None:
    """It had the dates, and needed nobody."""
    bench = await hang(NATIVE)
    await bench.create(PIN, **NEAR)
    await bench.settle(MINUTE)
    await off(2 * DAY)(bench)
    assert told(bench) == []


async def test_one_whose_start_the_hub_saw_is_not_told(hang: Hang) -> None:
    """That it was late was told then."""
    bench = await hang(READABLE)
    await bench.create(PIN, **NEAR)
    await failing(("before", Refused(Refusal.BUSY, "the lock is busy")))(bench)
    await bench.settle(2 * HOUR)
    assert "access_code.delay_in_setting_on_device" in bench.events()
    await off(2 * DAY)(bench)
    assert told(bench) == []


async def test_without_the_time_nobody_says_so_before_it_is_known(hang: Hang) -> None:
    """The power came back, and with it a clock that nobody had set; the restarts in between tell nothing."""
    bench = await hang(READABLE)
    await bench.create(PIN, **NEAR)
    bench.clock.synced = False
    for _ in range(2):
        bench.clock.reboot(NOON + 2 * DAY)
        bench.boot()
        await bench.start()
        await bench.settle(2 * HOUR)  # by the lower bound of time it has begun
    assert told(bench) == []
    bench.clock.synced = True
    await bench.settle(MINUTE)
    bench.boot()
    await bench.start()
    assert len(told(bench)) == 1


async def test_a_clock_that_jumped_and_comes_back_misses_nothing(hang: Hang) -> None:
    """The window is still to come."""
    bench = await hang(READABLE)
    await bench.create(PIN, **NEAR)
    bench.clock.jump(3 * DAY)
    await bench.settle(5 * MINUTE)
    bench.clock.jump(-3 * DAY)
    await bench.settle(DAY + HOUR)
    assert told(bench) == []
    assert "access_code.set_on_device" in bench.events()


async def test_one_that_opened_while_a_jump_of_the_clock_was_pending_is_not_told(hang: Hang) -> None:
    """The jump holds nothing and is believed after a day; the code was on its lock all the while."""
    bench = await hang(READABLE)
    await bench.create(PIN, **NEAR | {"ends_at": instant(NOON + 6 * HOUR)})
    bench.clock.jump(5 * MINUTE)
    await bench.settle(2 * HOUR)
    assert bench.on_lock() == {"20": PIN}
    await bench.settle(DAY + HOUR)
    assert bench.on_lock() == {}
    assert told(bench) == []


class Killed(BaseException):
    """The power is gone in the middle of something."""


async def test_one_that_may_have_been_written_last_is_not_told(hang: Hang) -> None:
    """The hub died while it was on the air, and the lock may have taken it."""
    bench = await hang(MASKED)

    def die() -> None:
        raise Killed

    bench.driver.meanwhile["write", "20"] = die
    await bench.create(PIN, **NEAR)
    with pytest.raises(Killed):
        await bench.settle(45 * MINUTE)
    assert bench.on_lock() == {"20": PIN}
    await off(2 * DAY)(bench)
    assert told(bench) == []


@pytest.mark.parametrize("is_time_known", [True, False])
async def test_after_a_restore_nobody_knows_what_the_hub_of_before_did(
    hang: Hang, *, is_time_known: bool
) -> None:
    """It may have put the code on the lock after the backup was made."""
    bench = await hang(READABLE)
    await bench.create(PIN, **FAR)
    held = replace(bench.snap().device, held_for_restore=True)
    bench.store.do(lambda tx: tx.save_device(held))
    bench.clock.synced = is_time_known
    bench.clock.reboot(NOON + 20 * DAY)
    bench.boot()
    await bench.start()
    await bench.do("restore/confirm")
    bench.clock.synced = True
    await off(HOUR)(bench)
    assert told(bench) == []


async def test_one_that_somebody_removed_who_may_is_not_told(hang: Hang) -> None:
    """Nobody wanted it to open the door."""
    bench = await hang(NATIVE)
    window = {"starts_at": instant(NOON + DAY), "ends_at": instant(NOON + 2 * DAY)}
    await bench.create(PIN, is_external_modification_allowed=True, **window)
    await bench.settle(HOUR)
    bench.lock.clear("20")
    await bench.tell(SlotTouched(device_id=DOOR, slot="20"))
    await bench.settle(5 * MINUTE)
    assert "access_code.deleted_external_to_gateway" in bench.events()
    await off(3 * DAY)(bench)
    assert told(bench) == []


async def test_one_of_many_windows_is_not_told(hang: Hang) -> None:
    """The next comes, and the last may have been open."""
    bench = await hang(READABLE)
    await bench.create(PIN, recurrence=HOURLY, ends_at=instant(NOON + DAY))
    await bench.settle(30 * MINUTE)
    await off(2 * DAY)(bench)
    assert told(bench) == []


async def test_another_window_of_the_same_code_can_be_missed_as_well(hang: Hang) -> None:
    """Its owner moved it, and the hub was off again."""
    bench = await hang(READABLE)
    code_id = await bench.create(PIN, **NEAR)
    await off(2 * DAY)(bench)
    now = bench.clock.wall
    later: dict[str, timedelta] = {"starts_at": HOUR, "ends_at": DAY}
    window = {name: instant(now + span) for name, span in later.items()}
    await bench.do("access_codes/update", access_code_id=code_id, **window)
    assert len(told(bench)) == 1
    await off(2 * DAY)(bench)
    assert len(told(bench)) == 2
