"""Locks that listen only after a touch: nothing fails, nothing is tried, and it is told what waits."""

from typing import Any

import pytest
from msgspec.structs import replace

from drivers.simulated.models import MASKED, NATIVE, READABLE, Model
from gateway.domain.credential import Schedule
from gateway.domain.driver import AuthorityUp, BatteryLevel, LockAlive, LockAsleep, LockEvent
from gateway.domain.lock import Link, NativeWindows, Reach
from gateway.domain.recurrence import Recurrence
from gateway.engine.gates import Gate, lock_gate
from gateway.engine.planner import plan
from gateway.engine.waiting import Wake
from tests.engine.bench import Bench
from tests.engine.build import (
    DAY,
    DOOR,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    TIMING,
    code,
    credential,
    device,
    held,
    intent,
    snapshot,
    view,
)
from tests.engine.conftest import Hang

PIN = "471134"
TOUCHED = LockAlive(device_id=DOOR)


def on_touch(model: Model) -> Model:
    """Return the same lock, listening only when touched."""
    return replace(model, capabilities=replace(model.capabilities, reach=Reach.ON_TOUCH))


async def asleep(hang: Hang, model: Model = READABLE, **settings: Any) -> Bench:  # noqa: ANN401 - of Bench
    """Return a hub whose lock has been read, and sleeps now."""
    bench = await hang(on_touch(model), **settings)
    bench.driver.closed = LockAsleep("the lock listens only after a touch")
    return bench


async def touch(bench: Bench) -> None:
    """Let somebody come to the door, long enough for everything."""
    closed, bench.driver.closed = bench.driver.closed, None
    await bench.engine.handle(TOUCHED)
    await bench.settle()
    bench.driver.closed = closed


async def lock_shown(bench: Bench) -> dict[str, Any]:
    """Return the lock object."""
    found: dict[str, Any] = (await bench.do("devices/get", device_id=DOOR))["device"]
    return found


class TestWaiting:
    """Until somebody comes."""

    async def test_nothing_counts_as_failed(self, hang: Hang) -> None:
        """No back-off, no error, no second attempt however often it is looked at."""
        bench = await asleep(hang)
        code_id = await bench.create(PIN)
        await bench.settle()

        lock = bench.snap().device
        assert (lock.failures, lock.retry_at, lock.link) == (0, None, Link.ONLINE)
        assert bench.snap().placement(code_id).failures == 0
        assert bench.snap().intents == ()
        assert bench.issues() == {"waiting_for_touch"}
        bench.driver.closed = AssertionError("the lock was tried again")
        await bench.settle(10 * MINUTE)
        assert bench.issues() == {"waiting_for_touch"}

    async def test_a_touch_brings_everything_that_waits(self, hang: Hang) -> None:
        """In one session, and the warnings end with it."""
        bench = await asleep(hang)
        code_id = await bench.create(PIN)
        await bench.settle(DAY)

        await touch(bench)

        assert list(bench.on_lock().values()) == [PIN]
        assert (await bench.shown(code_id))["status"] == "set"
        assert bench.issues() == set()
        assert not (await lock_shown(bench))["is_waiting_for_touch"]

    async def test_the_lock_says_since_when_and_what_will_happen(self, hang: Hang) -> None:
        """People decide by it whether to walk to the door."""
        bench = await asleep(hang)
        bench.driver.closed = None
        gone = await bench.create("551177")
        await bench.settle()
        bench.driver.closed = LockAsleep("the lock listens only after a touch")
        await bench.create(PIN)
        await bench.create("682934")
        await bench.do("access_codes/delete", access_code_id=gone)
        await bench.settle()

        shown = await lock_shown(bench)
        [warning] = shown["warnings"]
        assert warning["warning_code"] == "waiting_for_touch"
        assert warning["message"] == (
            "this lock listens only after somebody touches it; then 1 code is removed and 2 codes are set"
        )
        assert shown["is_waiting_for_touch"] is True
        assert shown["waiting_for_touch_since"] == warning["created_at"] == "2026-07-01T12:00:00.000Z"
        assert shown["errors"] == []
        assert shown["properties"]["online"] is True
        assert shown["properties"]["reach"] == "on_touch"

    async def test_each_code_that_waits_says_what_a_touch_brings(self, hang: Hang) -> None:
        """Codes that are as they should be say nothing."""
        bench = await asleep(hang)
        bench.driver.closed = None
        fine, moved, gone = [await bench.create(pin) for pin in ("551177", "682934", "903175")]
        await bench.settle()
        bench.driver.closed = LockAsleep("the lock listens only after a touch")
        new = await bench.create(PIN)
        await bench.do("access_codes/update", access_code_id=moved, code="771923")
        await bench.do("access_codes/delete", access_code_id=gone)
        await bench.settle()

        told = {
            issue.access_code_id: issue.message.partition("does, ")[2]
            for issue in bench.store.do(lambda tx: tx.issues(DOOR))
            if issue.code == "waiting_for_touch" and issue.access_code_id is not None
        }
        assert told == {
            new: "it is set",
            moved: "its change is written",
            gone: "it is removed. Until then the PIN may still open the door",
        }
        assert (await bench.shown(fine))["warnings"] == []

    async def test_the_plan_shows_what_waits(self, hang: Hang) -> None:
        """The gate says why nothing is done."""
        bench = await asleep(hang)
        code_id = await bench.create(PIN)
        await bench.settle()

        [plan] = (await bench.do("plan/get", device_id=DOOR))["plans"]

        assert plan["gate"] == "asleep"
        assert [(step["action"], step["access_code_id"]) for step in plan["steps"]] == [("write", code_id)]
        assert bench.plan().steps == ()

    async def test_an_audit_waits_without_a_word(self, hang: Hang) -> None:
        """Nobody walks to a door for a look."""
        bench = await asleep(hang)
        bench.clock.pass_by(2 * DAY)
        await bench.settle()

        assert bench.snap().device.asleep_since is not None
        assert bench.issues() == set()
        await touch(bench)
        assert bench.driver.taken() != []

    async def test_whoever_does_not_want_to_wait_is_refused(self, hang: Hang) -> None:
        """As for a lock that is offline."""
        bench = await asleep(hang)
        await bench.create(PIN)
        await bench.settle()

        reply = await bench.ask("access_codes/create", device_id=DOOR, attempt_for_offline_device=False)

        assert reply["error"]["type"] == "device_refused"
        assert "touches it" in reply["error"]["message"]

    async def test_a_touch_during_the_attempt_is_not_lost(self, hang: Hang) -> None:
        """The driver may have heard it after it gave up."""
        bench = await asleep(hang)
        await bench.create(PIN)
        bench.worker.wake()

        await bench.worker.reconcile()

        assert bench.snap().device.asleep_since is None


class TestDelays:
    """What is late is said to be late, with what it waits for."""

    async def test_a_late_code_says_that_it_waits_for_a_touch(self, hang: Hang) -> None:
        """It is late all the same."""
        bench = await asleep(hang)
        code_id = await bench.create(PIN)
        await bench.settle(HOUR)

        messages = {w["warning_code"]: w["message"] for w in (await bench.shown(code_id))["warnings"]}
        assert messages["delay_in_setting_on_device"].endswith("it waits until somebody touches the lock")
        assert "access_code.delay_in_setting_on_device" in bench.events()

    async def test_a_code_past_its_end_is_an_alarm(self, hang: Hang) -> None:
        """A lock without schedules opens to it until somebody comes."""
        bench = await asleep(hang)
        bench.driver.closed = None
        await bench.create(PIN, ends_at=(NOON + HOUR).isoformat())
        await bench.settle()
        bench.driver.closed = LockAsleep("the lock listens only after a touch")
        await bench.settle(2 * HOUR)

        assert bench.issues() == {
            "failed_to_expire",
            "delay_in_removing_from_device",
            "waiting_for_touch",
        }
        await touch(bench)
        assert bench.on_lock() == {}
        assert bench.issues() == set()

    async def test_a_code_that_the_lock_itself_ended_is_no_alarm(self, hang: Hang) -> None:
        """Its own clock closed the window; what is left is a slot to tidy up."""
        bench = await asleep(hang, NATIVE)
        bench.driver.closed = None
        await bench.create(PIN, starts_at=NOON.isoformat(), ends_at=(NOON + HOUR).isoformat())
        await bench.settle()
        bench.driver.closed = LockAsleep("the lock listens only after a touch")
        await bench.settle(2 * HOUR)

        assert bench.issues() == {"delay_in_removing_from_device", "waiting_for_touch"}
        assert "access_code.failed_to_expire" not in bench.events()

    @pytest.mark.parametrize(
        ("lock", "unsure"),
        [
            (device(asleep_since=NOON, is_clock_right=False), []),
            (device(asleep_since=NOON), [intent()]),
        ],
        ids=["its clock is wrong", "a later write may be on it"],
    )
    def test_what_the_lock_may_not_have_ended_is_an_alarm(self, lock: Any, unsure: list[Any]) -> None:  # noqa: ANN401
        """Careful where it is not certain."""
        window = Schedule(starts_at=NOON - DAY, ends_at=NOON - HOUR)
        facts = snapshot(
            lock,
            code(ends_at=NOON - HOUR),
            held(content=credential(schedule=window), removal_began=NOON - HOUR),
            *unsure,
        )
        assert "failed_to_expire" in {issue.code for issue in plan(facts, view(), TIMING).issues}


HOURLY: dict[str, Any] = {"cron": "0 * * * *", "minutes": 15, "time_zone": "UTC"}
DAILY: dict[str, Any] = {"cron": "0 11 * * *", "minutes": 60, "time_zone": "UTC"}
WEEKLY = {"cron": "0 9 * * 4", "minutes": 180, "time_zone": "UTC"}


class TestWindowsThatComeBack:
    """Nobody touches the lock just because a window begins or ends."""

    @pytest.mark.parametrize("verb", ["create", "create_multiple", "update"])
    async def test_where_the_code_would_open_between_them_it_is_refused(self, hang: Hang, verb: str) -> None:
        """The lock holds no disabled codes, and keeps no such windows itself."""
        bench = await asleep(hang, MASKED)
        body: dict[str, Any] = {"device_id": DOOR}
        if verb == "update":
            body = {"access_code_id": await bench.create(PIN)}
        elif verb == "create_multiple":
            body = {"device_ids": [DOOR]}
        codes = bench.snap().codes

        reply = await bench.ask(f"access_codes/{verb}", **body, recurrence=HOURLY)

        assert reply["error"]["type"] == "unsupported_device"
        assert "touches it" in reply["error"]["message"]
        assert bench.snap().codes == codes

    async def test_such_a_code_may_still_be_renamed_and_loses_its_windows_if_asked(self, hang: Hang) -> None:
        """It was made before anybody knew the lock."""
        bench = await asleep(hang, MASKED)
        code_id = await bench.create(PIN)
        there = replace(bench.snap().codes[code_id], recurrence=Recurrence(**HOURLY))
        bench.store.do(lambda tx: tx.save_code(there))
        await bench.do("access_codes/update", access_code_id=code_id, name="Bo")
        await bench.do("access_codes/update", access_code_id=code_id, recurrence=None)

    async def test_a_lock_that_keeps_them_itself_takes_them(self, hang: Hang) -> None:
        """Whether it can hold disabled codes or not."""
        can = replace(
            NATIVE.capabilities,
            native_windows=NativeWindows.DATES_AND_WEEKDAYS,
            schedule_zone="UTC",
            disabled_status=False,
        )
        bench = await asleep(hang, replace(NATIVE, capabilities=can))
        code_id = await bench.create(PIN, recurrence=WEEKLY)
        await touch(bench)
        assert list(bench.on_lock().values()) == [PIN]
        refused = await bench.ask(
            "access_codes/update", access_code_id=code_id, prefer_native_scheduling=False
        )
        assert refused["error"]["type"] == "unsupported_device"

    async def test_a_window_that_the_lock_refuses_to_keep_brings_the_code_for_its_time_only(
        self, hang: Hang
    ) -> None:
        """A touch between two windows puts nothing there, one after a window takes it off."""
        bench = await asleep(hang, MASKED)
        code_id = await bench.create(PIN)
        there = replace(bench.snap().codes[code_id], recurrence=Recurrence(**DAILY))
        bench.store.do(lambda tx: tx.save_code(there))
        await touch(bench)
        assert bench.on_lock() == {}
        await bench.settle(DAY - HOUR + MINUTE)
        await touch(bench)
        assert list(bench.on_lock().values()) == [PIN]
        await bench.settle(HOUR + 2 * MINUTE)
        assert {"failed_to_expire", "waiting_for_touch"} <= bench.issues()
        await touch(bench)
        assert (bench.on_lock(), bench.issues()) == ({}, set())

    async def test_one_that_stays_open_after_its_window_is_an_alarm(self, hang: Hang) -> None:
        """Told once for each window, until a touch disables it."""
        bench = await asleep(hang)
        code_id = await bench.create(PIN, recurrence=HOURLY)
        await touch(bench)
        assert [it.enabled for it in bench.lock.slots.values()] == [True]
        await bench.settle(16 * MINUTE)
        assert bench.issues() == {"waiting_for_touch"}
        [waits] = [i for i in bench.store.do(lambda tx: tx.issues(DOOR)) if i.access_code_id == code_id]
        assert waits.message.endswith("it is disabled. Until then the PIN may still open the door")
        await bench.settle(2 * MINUTE)
        assert bench.issues() == {"waiting_for_touch", "failed_to_expire"}
        await bench.settle(HOUR)
        assert bench.events().count("access_code.failed_to_expire") == 2
        await touch(bench)
        assert [it.enabled for it in bench.lock.slots.values()] == [False]
        assert bench.issues() == set()


class TestEnd:
    """What wakes the hub."""

    @pytest.mark.parametrize(
        "event",
        [
            TOUCHED,
            AuthorityUp(device_ids=(DOOR,)),
            BatteryLevel(device_id=DOOR, level=0.5),
        ],
        ids=["a sign of life", "the adapter is back", "it says something"],
    )
    async def test_waiting_ends(self, hang: Hang, event: LockEvent) -> None:
        """Whatever it says, it speaks."""
        bench = await asleep(hang)
        await bench.create(PIN)
        await bench.settle()

        await bench.engine.handle(event)

        assert bench.snap().device.asleep_since is None

    async def test_a_lock_that_falls_asleep_half_way_is_waited_for_again(self, hang: Hang) -> None:
        """What was journalled and never sent is taken back."""
        bench = await asleep(hang)
        await bench.create(PIN)
        await bench.settle()
        bench.driver.closed = None
        bench.driver.faults = [("before", LockAsleep("nobody is there any more"))]
        await bench.engine.handle(TOUCHED)
        await bench.worker.reconcile()

        assert bench.snap().intents == ()
        assert bench.issues() == {"waiting_for_touch"}
        await touch(bench)
        assert list(bench.on_lock().values()) == [PIN]

    async def test_a_restart_asks_once_and_goes_on_waiting(self, hang: Hang) -> None:
        """A touch while the hub was off was not heard."""
        bench = await asleep(hang)
        await bench.create(PIN)
        await bench.settle()

        bench.boot()
        await bench.engine.start()
        await bench.engine.handle(bench.seen())
        await bench.settle()

        assert bench.issues() == {"waiting_for_touch"}


def test_a_pause_goes_before_a_touch() -> None:
    """Whoever paused the lock wants nothing written at a touch either."""
    lock = device(asleep_since=NOON, paused_until=NOON + HOUR)
    assert lock_gate(snapshot(lock), view(), Wake(NOON)) is Gate.PAUSED
    later = replace(lock, retry_at=NOON + SECOND, paused_until=None)
    assert lock_gate(snapshot(later), view(), Wake(NOON)) is Gate.ASLEEP
