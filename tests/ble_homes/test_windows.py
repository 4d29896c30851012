"""Codes with a start and an end: who keeps the window, and when the code goes onto the lock."""

from datetime import datetime, timedelta

import pytest

from tests.ble_bed.nuki.memory import stamp_time
from tests.ble_bed.virtual import in_virtual_time
from tests.ble_homes.doors import Door, NukiDoor, TTLockDoor, YaleDoor
from tests.ble_homes.families import SLEEPY, TTLOCK, every_family
from tests.ble_homes.home import Home, at_home

pytestmark = pytest.mark.slow

OURS = "834947"
SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))
REMOVED = "access_code.removed_from_device"


def _window(home: Home, begins_in: timedelta) -> tuple[datetime, datetime]:
    """Return a window of two hours."""
    starts_at = home.clock.true().replace(second=0, microsecond=0) + begins_in
    return starts_at, starts_at + 2 * HOUR


async def _create(home: Home, window: tuple[datetime, datetime]) -> str:
    return await home.create(OURS, starts_at=window[0].isoformat(), ends_at=window[1].isoformat())


@every_family
@in_virtual_time
async def test_a_code_opens_in_its_window_and_at_no_other_time(door_type: type[Door]) -> None:
    """Whoever keeps the window; at its end the code leaves the lock within seconds."""
    async with at_home(door_type) as home:
        window = _window(home, HOUR)
        code_id = await _create(home, window)
        await home.until(window[0] - 2 * MINUTE)
        if door_type is not YaleDoor:
            assert not await home.door.type_in(OURS)
        await home.until(window[0] + MINUTE)
        assert await home.door.type_in(OURS)
        assert (await home.shown(code_id))["status"] == "set"
        await home.until(window[1] - MINUTE)
        assert await home.door.type_in(OURS)
        # The lock is heard every ten seconds, and connected to when it is heard.
        await home.until(window[1] + 20 * SECOND)
        assert home.door.pins() == []
        await home.settle()
        assert (await home.shown(code_id))["status"] == "unset"
        told = home.events()
        assert told.count("access_code.set_on_device") == 1
        assert told.count(REMOVED) == 1
        assert "access_code.failed_to_expire" not in told


@in_virtual_time
async def test_yale_gets_a_code_half_an_hour_before_its_start_and_no_earlier() -> None:
    """The lock keeps no windows."""
    async with at_home(YaleDoor) as home:
        window = _window(home, HOUR)
        code_id = await _create(home, window)
        await home.until(window[0] - 31 * MINUTE)
        assert home.door.pins() == []
        assert not (await home.shown(code_id))["is_scheduled_on_device"]
        await home.until(window[0] - 28 * MINUTE)
        assert home.door.pins() == [OURS]
        assert (await home.shown(code_id))["status"] == "setting"
        await home.until(window[0] + 5 * SECOND)
        assert (await home.shown(code_id))["status"] == "set"


@in_virtual_time
async def test_nuki_holds_a_code_shut_until_its_start_behind_a_wider_fence() -> None:
    """The hub opens and closes; should it fail, the lock ends the code hours later, never earlier."""
    async with at_home(NukiDoor) as home:
        assert isinstance(home.door, NukiDoor)
        codes = home.door.brain.memory.codes
        window = _window(home, HOUR)
        await _create(home, window)
        await home.until(window[0] - 31 * MINUTE)
        assert codes == {}
        await home.until(window[0] - 28 * MINUTE)
        assert [code.enabled for code in codes.values()] == [False]
        await home.until(window[0] + 10 * SECOND)
        [code] = codes.values()
        assert code.enabled
        assert code.limits is not None
        ends = stamp_time(code.limits.last, home.clock.true())
        assert window[1] + 14 * HOUR < ends <= window[1] + 16 * HOUR
        await home.away_until(window[1] + MINUTE)
        assert home.door.brain.type_code(int(OURS))
        await home.until(window[1] + 16 * HOUR)
        assert not home.door.brain.type_code(int(OURS))


@in_virtual_time
async def test_a_wired_ttlock_is_given_the_window_three_days_before() -> None:
    """It is told to be scheduled, and nothing is written at the start."""
    async with at_home(TTLockDoor) as home:
        window = _window(home, 72 * HOUR + 10 * MINUTE)
        code_id = await _create(home, window)
        await home.until(window[0] - 72 * HOUR - MINUTE)
        assert home.door.pins() == []
        await home.until(window[0] - 72 * HOUR + MINUTE)
        assert home.door.pins() == [OURS]
        shown = await home.shown(code_id)
        assert (shown["status"], shown["is_scheduled_on_device"]) == ("unset", True)
        assert home.events().count("access_code.scheduled_on_device") == 1
        written = home.door.changes()
        await home.away_until(window[0] - 10 * MINUTE)
        await home.back()
        await home.until(window[0] + 10 * MINUTE)
        shown = await home.shown(code_id)
        assert (shown["status"], shown["is_scheduled_on_device"]) == ("set", False)
        assert home.events().count("access_code.set_on_device") == 1
        assert home.door.changes() == written


@in_virtual_time
async def test_a_ttlock_that_sleeps_is_given_the_window_at_the_first_touch() -> None:
    """Nobody may come by three days before."""
    async with at_home(SLEEPY.values[0]) as home:  # type: ignore[arg-type]
        window = _window(home, 20 * DAY)
        code_id = await _create(home, window)
        await home.settle()
        assert home.door.pins() == [OURS]
        assert (await home.shown(code_id))["is_scheduled_on_device"]
        assert not await home.door.type_in(OURS)


@pytest.mark.parametrize("door_type", [TTLOCK, SLEEPY])
@in_virtual_time
async def test_a_ttlock_ends_a_code_by_itself_when_the_hub_is_gone(door_type: type[Door]) -> None:
    """The window is in the lock."""
    async with at_home(door_type) as home:
        window = _window(home, HOUR)
        await _create(home, window)
        await home.settle()
        await home.away_until(window[0] - MINUTE)
        assert not await home.door.type_in(OURS)
        await home.until(window[0] + MINUTE)
        assert await home.door.type_in(OURS)
        await home.until(window[1] + 2 * MINUTE)
        assert not await home.door.type_in(OURS)


@every_family
@in_virtual_time
async def test_moved_times_are_what_counts(door_type: type[Door]) -> None:
    """A code that is in its window leaves the lock or is shut; it comes back for the new window."""
    async with at_home(door_type) as home:
        window = _window(home, -HOUR)
        code_id = await _create(home, window)
        await home.settle()
        assert await home.door.type_in(OURS)
        moved = window[0] + 4 * HOUR, window[1] + 4 * HOUR
        await home.update(code_id, starts_at=moved[0].isoformat(), ends_at=moved[1].isoformat())
        await home.settle()
        assert not await home.door.type_in(OURS)
        await home.until(moved[0] + MINUTE)
        assert await home.door.type_in(OURS)
        assert len(home.door.pins()) == 1
        await home.until(moved[1] + MINUTE)
        assert home.door.pins() == []


@every_family
@in_virtual_time
async def test_a_window_that_is_prolonged_does_not_end(door_type: type[Door]) -> None:
    """There is no moment at which the guest stands before a closed door."""
    async with at_home(door_type) as home:
        window = _window(home, -HOUR)
        code_id = await _create(home, window)
        await home.settle()
        await home.until(window[1] - HOUR)
        await home.update(code_id, ends_at=(window[1] + HOUR).isoformat())
        await home.until(window[1] + 10 * MINUTE)
        assert await home.door.type_in(OURS)
        await home.until(window[1] + HOUR + MINUTE)
        assert home.door.pins() == []
