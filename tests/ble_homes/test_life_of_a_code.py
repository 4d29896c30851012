"""A code from the wish to the door and off it again."""

import pytest

from tests.ble_bed.virtual import in_virtual_time
from tests.ble_homes.doors import Door, NukiDoor
from tests.ble_homes.families import TTLOCK, YALE, every_door
from tests.ble_homes.home import at_home

pytestmark = pytest.mark.slow

OURS, NEW, OTHER = "834947", "958736", "762519"
SET, REMOVED = "access_code.set_on_device", "access_code.removed_from_device"


@every_door
@in_virtual_time
async def test_a_code_is_created_set_and_told(door_type: type[Door]) -> None:
    """It is in the lock once, opens the door, and is told to be set once."""
    async with at_home(door_type) as home:
        code_id = await home.create(OURS, name="Ana")
        await home.settle()
        assert home.door.pins() == [OURS]
        shown = await home.shown(code_id)
        assert (shown["status"], shown["errors"], shown["warnings"]) == ("set", [], [])
        assert home.events().count(SET) == 1
        assert await home.door.type_in(OURS)


@every_door
@in_virtual_time
async def test_another_pin_takes_the_place_of_the_old_one(door_type: type[Door]) -> None:
    """The old one opens no more, and there is one code."""
    async with at_home(door_type) as home:
        code_id = await home.create(OURS)
        other = await home.create(OTHER)
        await home.settle()
        home.events()
        await home.update(code_id, code=NEW)
        await home.settle()
        assert home.door.pins() == sorted([NEW, OTHER])
        assert [(await home.shown(one))["status"] for one in (code_id, other)] == ["set", "set"]
        assert home.events().count("access_code.code_changed") == 1
        assert await home.unmanaged() == []


@in_virtual_time
async def test_another_name_is_written_where_the_lock_keeps_names() -> None:
    """A Nuki shows it in its app; the PIN stays."""
    async with at_home(NukiDoor) as home:
        assert isinstance(home.door, NukiDoor)
        code_id = await home.create(OURS, name="Ana")
        await home.settle()
        await home.update(code_id, name="Bea")
        await home.settle()
        [code] = home.door.brain.memory.codes.values()
        assert code.name.rstrip(b"\0") == b"Bea"
        assert home.door.pins() == [OURS]
        assert home.events().count("access_code.name_changed") == 1


@pytest.mark.parametrize("door_type", [YALE, TTLOCK])
@in_virtual_time
async def test_another_name_costs_nothing_where_the_lock_keeps_none(door_type: type[Door]) -> None:
    """The hub alone knows it."""
    async with at_home(door_type) as home:
        code_id = await home.create(OURS, name="Ana")
        await home.settle()
        home.connections()
        await home.update(code_id, name="Bea")
        await home.settle()
        assert home.connections() == 0
        assert (await home.shown(code_id))["name"] == "Bea"


@every_door
@in_virtual_time
async def test_a_deleted_code_leaves_the_lock_and_is_told_gone(door_type: type[Door]) -> None:
    """The other one stays."""
    async with at_home(door_type) as home:
        code_id, _ = await home.create(OURS), await home.create(OTHER)
        await home.settle()
        home.events()
        await home.delete(code_id)
        await home.settle()
        assert home.door.pins() == [OTHER]
        told = home.events()
        assert (told.count(REMOVED), told.count("access_code.deleted")) == (1, 1)
        assert (await home.ask("access_codes/get", access_code_id=code_id))["status"] == "error"
