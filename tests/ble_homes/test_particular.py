"""What only one family has: a security PIN that may be wrong, and locks that listen only after a touch."""

from datetime import timedelta

import pytest

from tests.ble_bed.virtual import in_virtual_time
from tests.ble_homes.doors import WRONG_PIN, NukiDoor, SleepyTTLockDoor
from tests.ble_homes.home import at_home

pytestmark = pytest.mark.slow

OURS, NEW, OTHER = "834947", "958736", "762519"


class _WrongPin(NukiDoor):
    kept_pin = WRONG_PIN


@in_virtual_time
async def test_a_wrong_security_pin_is_offered_to_a_nuki_once() -> None:
    """Not after a restart either; the error says what to do."""
    async with at_home(_WrongPin) as home:
        assert isinstance(home.door, NukiDoor)
        code_id = await home.create(OURS)
        await home.settle()
        assert home.door.brain.wrong_pins == 1
        assert "security PIN" in str(await home.shown(code_id))
        home.events()
        await home.restart()
        await home.settle(3600)
        assert home.door.brain.wrong_pins == 1
        assert home.door.pins() == []
        assert home.events().count("access_code.failed_to_set_on_device") <= 1


@pytest.mark.parametrize("command", [0x0001, 0x0043])
@in_virtual_time
async def test_a_nuki_in_whose_app_the_hub_is_disabled_is_left_alone_and_says_why(command: int) -> None:
    """It answers: nobody is sent to its batteries. Its own words are what helps."""
    async with at_home(NukiDoor) as home:
        assert isinstance(home.door, NukiDoor)
        home.door.brain.faults.refuses = {command: 0x25}
        code_id = await home.create(OURS)
        await home.settle(6 * 3600)
        assert home.connections() == 1
        assert "disabled in the Nuki app" in str((await home.errors(code_id))["failed_to_set_on_device"])
        assert "device_disconnected" not in await home.errors(code_id)
        await home.settle(3 * 24 * 3600)
        assert home.connections() == 0
        await home.sync()
        await home.settle(60)
        assert home.connections() == 1
        home.door.brain.faults.refuses = {}
        await home.sync()
        await home.settle(60)
        assert home.door.pins() == [OURS]
        assert (await home.shown(code_id))["status"] == "set"


@in_virtual_time
async def test_what_waits_for_a_touch_says_so_and_is_done_at_the_touch() -> None:
    """Setting, changing, removing."""
    async with at_home(SleepyTTLockDoor) as home:
        code_id = await home.create(OURS)
        await home.settle(50)
        assert home.door.pins() == []
        assert "waiting_for_touch" in str((await home.shown(code_id))["warnings"])
        assert (await home.lock())["is_waiting_for_touch"]
        assert home.connections() == 0
        await home.door.touch()
        await home.settle(50)
        assert home.door.pins() == [OURS]
        assert (await home.shown(code_id))["status"] == "set"
        assert not (await home.lock())["is_waiting_for_touch"]
        assert home.connections() == 1
        await home.settle(50)
        await home.update(code_id, code=NEW)
        await home.settle(50)
        assert home.door.pins() == [OURS]
        assert "waiting_for_touch" in str((await home.shown(code_id))["warnings"])
        await home.door.touch()
        await home.settle(50)
        assert home.door.pins() == [NEW]
        await home.settle(50)
        await home.delete(code_id)
        await home.settle(50)
        assert home.door.pins() == [NEW]
        assert "waiting_for_touch" in str((await home.shown(code_id))["warnings"])
        await home.door.touch()
        await home.settle(50)
        assert home.door.pins() == []


@in_virtual_time
async def test_one_touch_is_enough_although_the_connection_breaks_while_keys_are_proven() -> None:
    """The lock is tried again while it is awake."""
    async with at_home(SleepyTTLockDoor) as home:
        assert isinstance(home.door, SleepyTTLockDoor)
        home.door.peripheral.interval_s = 0.5
        code_id = await home.create(OURS)
        await home.settle(30)
        home.door.on_air.lose_before_answer_to = 0x41
        await home.door.touch()
        await home.settle(30)
        assert home.door.peripheral.drops == 1
        assert home.door.pins() == [OURS]
        assert (await home.shown(code_id))["status"] == "set"


@in_virtual_time
async def test_a_code_for_one_use_goes_though_the_log_runs_backwards_and_reading_gives_way() -> None:
    """The hub has a code to write at the same touch; the use lies at the oldest end of the log."""
    async with at_home(SleepyTTLockDoor) as home:
        assert isinstance(home.door, SleepyTTLockDoor)
        home.door.lock.log_backwards, home.door.lock.page = True, 4
        await home.create(OURS, is_one_time_use=True)
        await home.create(OTHER)
        await home.settle()
        home.events()
        assert home.door.open_with(OURS)
        for _ in range(6):
            await home.until(home.clock.true() + timedelta(minutes=5))
            assert home.door.open_with(OTHER)
        await home.create(NEW)
        await home.door.show_news()
        await home.settle()
        await home.settle()
        assert home.events().count("lock.unlocked") == 7
        assert home.door.pins() == sorted([NEW, OTHER])
