"""What the log says of locks and codes: one line when a trouble begins, one when it ends, with their ids."""

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta

import pytest

from drivers.simulated.models import READABLE
from gateway.domain.driver import AllCleared, AuthorityLost, BatteryLevel, LockUnreachable, Refused
from gateway.domain.lines import Line
from gateway.domain.placement import Refusal
from gateway.domain.store import StorageFailed, Tx
from gateway.domain.trouble import Trouble, lasted
from gateway.engine.clock_guard import ClockGuard, ClockSettings
from gateway.engine.mutations import instant
from tests.engine.bench import Bench, HandClock
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON
from tests.engine.conftest import Hang
from tests.heard import the_end, troubles

PIN = "81471921"
GUEST = "Ottilie Krause"
BUSY = Refused(Refusal.BUSY, "the lock is busy")


@pytest.fixture
async def bench(hang: Hang, caplog: pytest.LogCaptureFixture) -> Bench:
    """A readable lock that was seen, and a log of which nothing was said yet."""
    hung = await hang(READABLE)
    await hung.settle()
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    return hung


async def test_a_write_that_fails_again_and_again_is_told_once(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """Its end says how often it was tried; every try is there at DEBUG."""
    bench.driver.faults = [("before", BUSY)] * 99
    code_id = await bench.create(PIN, name=GUEST)
    await bench.settle(10 * MINUTE)
    bench.driver.faults.clear()
    await bench.settle(HOUR)
    assert list(bench.on_lock().values()) == [PIN]
    assert troubles(caplog.records, "failed_to_set_on_device") == [
        ("WARNING", "failed_to_set_on_device", "begins", DOOR),
        ("INFO", "failed_to_set_on_device", "ends", DOOR),
    ]
    attempts, seconds, words = the_end(caplog.records, "failed_to_set_on_device")
    assert seconds > 600
    assert f"{DOOR} {code_id}: failed_to_set_on_device: over after " in words
    tries = [r for r in caplog.records if "WriteCode: the lock is busy" in r.getMessage()]
    assert {(r.levelno, r.lock, r.code) for r in tries} == {(logging.DEBUG, DOOR, code_id)}  # type: ignore[attr-defined]
    assert attempts == len(tries) == 3
    assert PIN not in caplog.text
    assert GUEST not in caplog.text


async def test_a_code_can_be_followed_through_its_life(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """Every line about it carries its id and that of its lock."""
    code_id = await bench.create(PIN, name=GUEST, ends_at=instant(NOON + HOUR))
    await bench.settle(2 * HOUR)
    await bench.do("access_codes/delete", access_code_id=code_id)
    await bench.settle()
    about = [r for r in caplog.records if code_id in r.getMessage()]
    assert {(r.lock, r.code) for r in about} == {(DOOR, code_id)}  # type: ignore[attr-defined]
    told = [r.event for r in about if r.levelno == logging.INFO and hasattr(r, "event")]
    assert told[0] == "access_code.created"
    assert {"access_code.set_on_device", "access_code.removed_from_device"} < set(told)
    assert GUEST not in caplog.text


@pytest.mark.parametrize(
    ("trouble", "level"),
    [("device_wiped", "ERROR"), ("device_disconnected", "WARNING"), ("low_battery", "WARNING")],
)
async def test_each_trouble_of_a_lock_has_its_level(
    bench: Bench, caplog: pytest.LogCaptureFixture, trouble: str, level: str
) -> None:
    """What must wake somebody is an ERROR; all of them end at INFO."""
    await bench.create(PIN)
    await bench.settle(HOUR)
    if trouble == "device_wiped":
        bench.lock.slots.clear()
        await bench.tell(AllCleared(device_id=DOOR))
    elif trouble == "low_battery":
        await bench.tell(BatteryLevel(device_id=DOOR, level=0.1))
        await bench.tell(BatteryLevel(device_id=DOOR, level=0.9))
    else:
        bench.driver.closed = LockUnreachable("out of reach")
        await bench.do("devices/sync", device_id=DOOR)
        await bench.settle(2 * HOUR)
        bench.driver.closed = None
    await bench.settle(2 * HOUR)
    said = troubles(caplog.records, trouble)
    assert said == [(level, trouble, "begins", DOOR), ("INFO", trouble, "ends", DOOR)]


async def test_a_code_past_its_end_on_a_lock_out_of_reach_wakes_somebody(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """Once, and not once per attempt."""
    await bench.create(PIN, ends_at=instant(NOON + HOUR))
    await bench.settle(HOUR / 2)
    bench.driver.closed = LockUnreachable("out of reach")
    await bench.settle(DAY)
    assert troubles(caplog.records, "failed_to_expire") == [("ERROR", "failed_to_expire", "begins", DOOR)]


async def test_a_server_that_is_away_is_not_told_once_per_lock(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """Its driver says it."""
    await bench.tell(AuthorityLost(device_ids=(DOOR,)))
    await bench.settle(HOUR)
    assert "hub_disconnected" in bench.issues()
    assert troubles(caplog.records, "hub_disconnected") == []


async def test_what_was_rolled_back_is_not_told(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """It did not happen, and would be told again with every try."""
    bench.store.failing = True
    with pytest.raises(StorageFailed):
        await bench.engine.shop.turn(DOOR, absorb=lambda work: work.tell("device.tampered"))
    assert caplog.records == []
    with pytest.raises(ZeroDivisionError):
        bench.store.do(_notes_and_fails)
    assert caplog.records == []


def _notes_and_fails(tx: Tx) -> None:
    tx.note(Line(logging.ERROR, "never", {}))
    _ = 1 / 0


class TickingClock(HandClock):
    """A clock on which the watch sleeps until the test lets it."""

    async def sleep(self, seconds: float) -> None:
        self.pass_by(timedelta(seconds=seconds))
        await asyncio.sleep(0)


async def test_a_clock_that_is_lost_and_found_is_told_once_for_all_locks(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """However long it lasts; and so is a jump."""
    caplog.set_level(logging.DEBUG)
    clock = TickingClock()
    clock.synced = False
    watch = asyncio.create_task(ClockGuard(clock, ClockSettings()).watch(1.0, lambda: None))
    await _ticks(100)
    clock.synced = True
    await _ticks(100)
    clock.jump(5 * MINUTE)
    await _ticks(100)
    clock.jump(-5 * MINUTE)
    await _ticks(100)
    watch.cancel()
    with suppress(asyncio.CancelledError):
        await watch
    assert troubles(caplog.records, "clock_untrusted", "clock_jumped") == [
        ("WARNING", "clock_untrusted", "begins", None),
        ("INFO", "clock_untrusted", "ends", None),
        ("WARNING", "clock_jumped", "begins", None),
        ("INFO", "clock_jumped", "ends", None),
    ]
    assert len(caplog.records) == 4
    attempts, seconds, words = the_end(caplog.records, "clock_untrusted")
    assert attempts is None
    assert 90 < seconds < 110
    assert "attempt" not in words


async def _ticks(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_another_reason_is_told_once_however_often_reasons_alternate(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A person who mends the first wants to know of the second."""
    caplog.set_level(logging.DEBUG)
    now = [0.0]
    trouble = Trouble(logging.getLogger("gateway.x"), "x_away", lambda: now[0])
    trouble.ends("nothing was wrong")
    for reason in ("no route", "refused", "no route", "refused"):
        trouble.begins(reason)
        now[0] += 3600
    trouble.ends("it is back")
    told = [(r.levelname, r.getMessage()) for r in caplog.records if r.levelno > logging.DEBUG]
    assert told == [
        ("WARNING", "no route"),
        ("WARNING", "refused"),
        ("INFO", "it is back, after 4 h 0 min and 4 failed attempts"),
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "less than 1 s"), (1.2, "1 s"), (61, "1 min 1 s"), (7500, "2 h 5 min"), (90_000, "1 d 1 h")],
)
def test_a_length_of_time_is_said_by_its_two_largest_units(seconds: float, words: str) -> None:
    """More would hide how long it was."""
    assert lasted(seconds) == words
