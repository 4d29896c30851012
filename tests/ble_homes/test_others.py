"""What people do in the vendor's app: found, told, and put right or allowed; their codes are left alone."""

import pytest

from tests.ble_bed.virtual import in_virtual_time
from tests.ble_homes.doors import Door
from tests.ble_homes.families import every_family
from tests.ble_homes.home import at_home

pytestmark = pytest.mark.slow

OURS, NEW, OTHER, THEIRS = "834947", "958736", "762519", "547398"
MODIFIED = "access_code.modified_external_to_gateway"
DELETED = "access_code.deleted_external_to_gateway"
DUPLICATE = "duplicate_code_on_device"


@every_family
@in_virtual_time
async def test_a_pin_changed_in_the_app_is_found_and_set_again(door_type: type[Door]) -> None:
    """It is told once."""
    async with at_home(door_type) as home:
        code_id, _ = await home.create(OURS), await home.create(OTHER)
        await home.settle()
        home.events()
        home.door.app_changes(OURS, NEW)
        await home.sync()
        assert home.door.pins() == sorted([OURS, OTHER])
        assert (await home.shown(code_id))["status"] == "set"
        assert home.events().count(MODIFIED) == 1
        assert await home.unmanaged() == []


@every_family
@in_virtual_time
async def test_a_code_deleted_in_the_app_is_found_and_set_again(door_type: type[Door]) -> None:
    """Once it was seen to be missing twice."""
    async with at_home(door_type) as home:
        code_id, _ = await home.create(OURS), await home.create(OTHER)
        await home.settle()
        home.events()
        home.door.app_deletes(OURS)
        await home.sync()
        assert home.door.pins() == sorted([OURS, OTHER])
        assert (await home.shown(code_id))["status"] == "set"
        assert home.events().count(DELETED) == 1


@every_family
@in_virtual_time
async def test_a_nightly_audit_finds_it_too(door_type: type[Door]) -> None:
    """Nobody asked for a look."""
    async with at_home(door_type) as home:
        await home.create(OURS)
        await home.create(OTHER)
        await home.settle()
        home.door.app_changes(OURS, NEW)
        await home.until(home.clock.true().replace(hour=4))
        assert home.door.pins() == sorted([OURS, OTHER])


@every_family
@in_virtual_time
async def test_where_changes_are_allowed_the_new_pin_is_taken_over(door_type: type[Door]) -> None:
    """Nothing is written; the code goes by its new PIN."""
    async with at_home(door_type) as home:
        code_id = await home.create(OURS, is_external_modification_allowed=True)
        await home.create(OTHER)
        await home.settle()
        written = home.door.changes()
        home.door.app_changes(OURS, NEW)
        await home.sync()
        assert home.door.pins() == sorted([NEW, OTHER])
        shown = await home.shown(code_id)
        assert (shown["code"], shown["status"]) == (NEW, "set")
        assert home.door.changes() == written


@every_family
@in_virtual_time
async def test_where_changes_are_allowed_a_deleted_code_stays_away(door_type: type[Door]) -> None:
    """Nothing is written."""
    async with at_home(door_type) as home:
        code_id = await home.create(OURS, is_external_modification_allowed=True)
        await home.create(OTHER)
        await home.settle()
        written = home.door.changes()
        home.door.app_deletes(OURS)
        await home.sync()
        assert home.door.pins() == [OTHER]
        assert (await home.shown(code_id))["status"] == "unset"
        assert home.door.changes() == written


@every_family
@in_virtual_time
async def test_a_code_of_the_app_is_told_and_left_alone(door_type: type[Door]) -> None:
    """Whatever the hub does besides."""
    async with at_home(door_type) as home:
        home.door.app_adds(THEIRS)
        await home.sync()
        [theirs] = await home.unmanaged()
        assert home.events().count("access_code.unmanaged.created") == 1
        code_id = await home.create(OURS)
        await home.settle()
        await home.update(code_id, code=NEW)
        await home.settle()
        await home.delete(code_id)
        await home.settle()
        assert home.door.pins() == [THEIRS]
        assert [one["access_code_id"] for one in await home.unmanaged()] == [theirs["access_code_id"]]


@every_family
@in_virtual_time
async def test_a_pin_that_the_app_gave_away_already_is_told_with_the_code_that_has_it(
    door_type: type[Door],
) -> None:
    """Nothing is written; once the other code is gone, ours is set."""
    async with at_home(door_type) as home:
        home.door.app_adds(THEIRS)
        await home.sync()
        [theirs] = await home.unmanaged()
        written = home.door.changes()
        reply = await home.ask("access_codes/create", device_id="door", code=THEIRS)
        if reply["status"] == "ok":
            await home.settle()
            code_id = reply["data"]["access_code"]["access_code_id"]
            error = (await home.errors(code_id))[DUPLICATE]
            assert theirs["access_code_id"] in str(error)
            assert (await home.shown(code_id))["status"] == "setting"
        else:
            assert reply["error"]["type"] == DUPLICATE
            assert theirs["access_code_id"] in str(reply["error"])
        assert home.door.pins() == [THEIRS]
        assert home.door.changes() == written


@every_family
@in_virtual_time
async def test_a_pin_that_the_app_gave_away_unseen_breaks_nothing(door_type: type[Door]) -> None:
    """The hub learns of it when it tries; the code of the app stays, and is named."""
    async with at_home(door_type) as home:
        home.door.app_adds(THEIRS)
        code_id = await home.create(THEIRS)
        await home.settle()
        assert home.door.pins() == [THEIRS]
        assert DUPLICATE in await home.errors(code_id)
        await home.sync()
        [theirs] = await home.unmanaged()
        error = (await home.errors(code_id))[DUPLICATE]
        assert theirs["access_code_id"] in str(error)
        home.door.app_deletes(THEIRS)
        await home.sync()
        assert home.door.pins() == [THEIRS]
        assert (await home.shown(code_id))["status"] == "set"
        assert await home.unmanaged() == []


@every_family
@in_virtual_time
async def test_an_update_to_a_pin_of_the_app_leaves_the_guest_with_the_old_one(door_type: type[Door]) -> None:
    """The door is not closed to anybody; the error tells why."""
    async with at_home(door_type) as home:
        code_id = await home.create(OURS)
        await home.settle()
        home.door.app_adds(THEIRS)
        await home.ask("access_codes/update", access_code_id=code_id, code=THEIRS)
        await home.settle()
        assert home.door.pins() == sorted([OURS, THEIRS])
        assert DUPLICATE in await home.errors(code_id)
