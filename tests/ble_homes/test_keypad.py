"""What happens at the keypad: told once, without digits."""

import json

import pytest

from tests.ble_bed.virtual import in_virtual_time
from tests.ble_homes.doors import Door, NukiDoor
from tests.ble_homes.families import NUKI, SLEEPY, TTLOCK, every_door
from tests.ble_homes.home import at_home

pytestmark = pytest.mark.slow

OURS, OTHER, WRONG = "834947", "762519", "746382"


@every_door
@in_virtual_time
async def test_an_opening_is_told_and_is_the_best_evidence(door_type: type[Door]) -> None:
    """The first use is told once, openings each time."""
    async with at_home(door_type) as home:
        code_id = await home.create(OURS)
        await home.settle()
        home.events()
        assert await home.door.type_in(OURS)
        await home.settle()
        shown = await home.shown(code_id)
        assert shown["evidence"] == "used"
        assert shown["first_used_at"] is not None
        told = home.events()
        assert (told.count("lock.unlocked"), told.count("access_code.first_used")) == (1, 1)
        assert await home.door.type_in(OURS)
        await home.settle(3600)
        told = home.events()
        assert (told.count("lock.unlocked"), told.count("access_code.first_used")) == (1, 0)


@every_door
@in_virtual_time
async def test_an_opening_is_told_once_though_the_hub_is_started_anew(door_type: type[Door]) -> None:
    """What was told is remembered with the keys."""
    async with at_home(door_type) as home:
        await home.create(OURS)
        await home.settle()
        assert await home.door.type_in(OURS)
        await home.settle()
        home.events()
        await home.restart()
        await home.settle()
        assert home.events() == []


@in_virtual_time
async def test_an_opening_that_nobody_heard_of_is_told_with_the_next_connection() -> None:
    """A Nuki takes its "something changed" back when the hub connects, heard or not: so the log is read."""
    async with at_home(NukiDoor) as home:
        await home.create(OURS)
        await home.settle(60)
        assert home.connections() == 1
        home.events()
        assert home.door.open_with(OURS)
        await home.create(OTHER)
        await home.settle(60)
        assert home.connections() == 1
        assert home.events().count("lock.unlocked") == 1


@pytest.mark.parametrize("door_type", [NUKI, TTLOCK, SLEEPY])
@in_virtual_time
async def test_a_wrong_code_is_told_without_its_digits(door_type: type[Door]) -> None:
    """A Yale lock does not note it."""
    async with at_home(door_type) as home:
        await home.create(OURS)
        await home.settle()
        home.told()
        assert not await home.door.type_in(WRONG)
        await home.settle()
        told = home.told()
        assert [kind for kind, _ in told] == ["lock.access_denied"]
        assert WRONG not in json.dumps(told, default=str)
        assert not any(WRONG in line for line in home.store.dump())
