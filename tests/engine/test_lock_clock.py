"""The clock of a lock that keeps windows itself: right, wrong, never read, and lost."""

from typing import Any

from msgspec.structs import replace

from drivers.simulated.models import NATIVE
from gateway.domain.driver import ClockChecked, Refused
from gateway.domain.placement import Refusal
from gateway.engine.mutations import instant
from gateway.engine.planner import plan
from tests.engine.bench import Bench
from tests.engine.build import CAN_NATIVE, DAY, DOOR, HOUR, MINUTE, NOON, TIMING, code, device, snapshot, view
from tests.engine.conftest import Hang

LOCAL = replace(NATIVE, capabilities=replace(CAN_NATIVE, schedule_zone="Europe/Berlin"))
STAY: dict[str, Any] = {"starts_at": NOON + DAY, "ends_at": NOON + 2 * DAY}
UNREAD = ClockChecked(device_id=DOOR, off_by=None)
RIGHT = ClockChecked(device_id=DOOR, off_by=0 * MINUTE)


async def guest(bench: Bench) -> str:
    """Ask for a code for tomorrow."""
    times = {name: instant(moment) for name, moment in STAY.items()}
    code_id = await bench.create("471134", **times)
    await bench.settle(MINUTE)
    return code_id


def test_a_window_is_left_only_to_a_clock_that_was_read() -> None:
    """A lock that is told windows in UTC has none that a driver reads; it is taken at its word."""
    for capabilities, is_right, left in (
        (LOCAL.capabilities, None, False),
        (LOCAL.capabilities, True, True),
        (CAN_NATIVE, None, True),
        (CAN_NATIVE, False, False),
    ):
        snap = snapshot(device(capabilities, is_clock_right=is_right), code(**STAY))
        assert bool(plan(snap, view(), TIMING).steps) is left, (capabilities.schedule_zone, is_right)


async def test_a_clock_that_is_never_read_leaves_the_windows_to_the_hub(hang: Hang) -> None:
    """A warning of the lock says so; the code comes in time nevertheless."""
    bench = await hang(LOCAL)
    await bench.tell(replace(UNREAD, lost=True))
    code_id = await guest(bench)
    assert (bench.on_lock(), bench.issues()) == ({}, {"device_clock_wrong"})
    await bench.settle(DAY + MINUTE)
    assert (await bench.shown(code_id))["status"] == "set"
    [credential] = bench.lock.slots.values()
    assert credential.schedule is None
    await bench.tell(RIGHT)
    assert bench.issues() == set()


def test_nothing_is_said_before_the_clock_was_asked_for() -> None:
    """The driver does that right after it found the lock."""
    for unread in (False, True):
        snap = snapshot(device(LOCAL.capabilities, clock_unread=unread), code(**STAY))
        found = {issue.code for issue in plan(snap, view(), TIMING).issues}
        assert found == ({"device_clock_wrong"} if unread else set())


async def test_a_clock_that_may_have_stopped_takes_the_windows_back(hang: Hang) -> None:
    """New batteries, and no answer: a window that the lock keeps may open years late."""
    bench = await hang(LOCAL)
    await guest(bench)
    assert list(bench.on_lock().values()) == ["471134"]
    await bench.tell(UNREAD)
    await bench.settle(HOUR)
    assert (list(bench.on_lock().values()), bench.issues()) == (["471134"], set())
    await bench.tell(replace(UNREAD, lost=True))
    await bench.settle(HOUR)
    assert (bench.on_lock(), bench.issues()) == ({}, {"device_clock_wrong"})


async def test_a_hub_that_does_not_know_the_time_did_not_ask(hang: Hang) -> None:
    """It says nothing of the lock's clock, and takes nothing back (rule 5)."""
    bench = await hang(LOCAL)
    await guest(bench)
    bench.clock.synced = False
    bench.clock.reboot(bench.clock.wall)
    bench.boot()
    await bench.start()
    await bench.tell(replace(UNREAD, lost=True))
    await bench.settle(HOUR)
    assert list(bench.on_lock().values()) == ["471134"]
    assert "device_clock_wrong" not in bench.issues()


async def test_a_clock_that_came_right_is_given_the_windows_that_it_was_refused_for(hang: Hang) -> None:
    """The hub cannot end a code whose lock listens only when touched: its end belongs on the lock.

    A clock that is as it was brings no second try: a lock that cannot keep a window refuses it every time.
    """
    bench = await hang(LOCAL)
    bench.driver.faults = [("before", Refused(Refusal.SCHEDULE, "the clock cannot be read"))]
    code_id = await guest(bench)
    await bench.tell(RIGHT)
    assert (bench.on_lock(), (await bench.shown(code_id))["is_scheduled_on_device"]) == ({}, False)
    await bench.tell(UNREAD)
    await bench.tell(RIGHT)
    [credential] = bench.lock.slots.values()
    assert credential.schedule is not None
    assert (await bench.shown(code_id))["is_scheduled_on_device"]
