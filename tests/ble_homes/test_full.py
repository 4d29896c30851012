"""A lock with no room left."""

from typing import Any

import pytest

from tests.ble_bed.virtual import in_virtual_time
from tests.ble_homes.doors import Door, NukiDoor, TTLockDoor, YaleDoor
from tests.ble_homes.families import every_family
from tests.ble_homes.home import at_home

pytestmark = pytest.mark.slow

OURS, NEW, THEIRS, MORE = "834947", "958736", "547398", "653874"
FULL = "no_space_for_access_code_on_device"
ROOM = 3


def _leave_room(door: Door, most: int) -> None:
    """Have the lock itself hold fewer codes than the hub believes."""
    if isinstance(door, NukiDoor):
        door.brain.room = most
    elif isinstance(door, YaleDoor):
        door.lock.memory.capacity = most
    elif isinstance(door, TTLockDoor):
        door.lock.capacity = most


async def _error(home: Any, code_id: str) -> dict[str, Any]:  # noqa: ANN401 - Home
    found: dict[str, Any] = (await home.errors(code_id))[FULL]
    return found


@every_family
@in_virtual_time
async def test_the_error_counts_what_is_in_the_way(door_type: type[Door]) -> None:
    """The code is set as soon as there is room; nothing of others is touched."""
    async with at_home(door_type, room=ROOM) as home:
        home.door.app_adds(THEIRS)
        home.door.app_adds(MORE)
        await home.sync()
        await home.create(OURS)
        await home.settle()
        reply = await home.ask("access_codes/create", device_id="door", code=NEW)
        assert reply["status"] == "ok"
        code_id = reply["data"]["access_code"]["access_code_id"]
        await home.settle()
        error = await _error(home, code_id)
        assert (error["managed"], error["unmanaged"]) == (1, 2)
        assert home.door.pins() == sorted([OURS, THEIRS, MORE])
        home.door.app_deletes(MORE)
        await home.sync()
        assert home.door.pins() == sorted([OURS, THEIRS, NEW])
        assert (await home.shown(code_id))["status"] == "set"


@every_family
@in_virtual_time
async def test_a_lock_that_says_it_is_full_is_believed_and_not_pestered(door_type: type[Door]) -> None:
    """The hub took it for larger than it is: the codes that are in it stay."""
    async with at_home(door_type) as home:
        _leave_room(home.door, 2)
        await home.create(OURS)
        await home.create(THEIRS)
        await home.settle()
        code_id = await home.create(NEW)
        await home.settle()
        assert home.door.pins() == sorted([OURS, THEIRS])
        shown = await home.shown(code_id)
        assert shown["status"] == "setting"
        error = await _error(home, code_id)
        assert (error["managed"], error["unmanaged"]) == (2, 0)
        before = home.door.changes()
        await home.settle(3600)
        assert home.door.changes() - before < 12
        _leave_room(home.door, 3)
        await home.settle(3600)
        assert home.door.pins() == sorted([OURS, THEIRS, NEW])
        assert (await home.errors(code_id)) == {}


@every_family
@in_virtual_time
async def test_what_was_taken_off_makes_room_for_the_next_guest(door_type: type[Door]) -> None:
    """One guest after the other, more than the lock has places, and each of them comes in."""
    async with at_home(door_type, room=2) as home:
        for pin in (OURS, NEW, THEIRS):
            code_id = await home.create(pin)
            await home.settle()
            assert home.door.pins() == [pin]
            assert (await home.shown(code_id))["status"] == "set"
            await home.delete(code_id)
            await home.settle()
            assert home.door.pins() == []
