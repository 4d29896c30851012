"""Keys that a lock takes no more: the codes say why, it is left alone, and a person has it tried again."""

from collections.abc import Callable

import pytest

from tests.ble_bed.virtual import in_virtual_time
from tests.ble_homes.doors import Door, NukiDoor, TTLockDoor, YaleDoor
from tests.ble_homes.home import Home, at_home

pytestmark = pytest.mark.slow

OURS, NEW = "834947", "958736"


def _forget(door: Door) -> Callable[[], None]:
    """Have a lock take our keys no more; return what puts that right."""
    match door:
        case NukiDoor():
            users = door.brain.memory.users
            known = dict(users)
            users.clear()
            return lambda: users.update(known)
        case YaleDoor():
            keys = door.lock.brain.keys
            known_keys = dict(keys)
            door.lock.brain.hangs_up_on_strangers = False
            keys.update(dict.fromkeys(keys, bytes(16)))
            return lambda: keys.update(known_keys)
        case TTLockDoor():
            right, door.lock.admin = door.lock.admin, (1, 2)
            return lambda: setattr(door.lock, "admin", right)
    raise AssertionError(door)


async def _says_why(home: Home, code_id: str, error: str, words: str) -> None:
    """See that a code says what the lock said, and sends nobody to the batteries."""
    errors = await home.errors(code_id)
    assert words in errors[error]["message"]
    assert "Where the message says what to put right" in errors[error]["remedy"]
    assert not {"device_disconnected", "failed_after_retries"} & errors.keys()
    assert (await home.lock())["properties"]["online"]


@pytest.mark.parametrize(
    ("door_type", "words"),
    [
        pytest.param(NukiDoor, "does not know this hub", id="nuki"),
        pytest.param(YaleDoor, "refuses this key", id="yale"),
        pytest.param(TTLockDoor, "refuses our keys", id="ttlock"),
    ],
)
@in_virtual_time
async def test_a_lock_that_takes_our_keys_no_more_says_so_on_its_codes(
    door_type: type[Door], words: str
) -> None:
    """It is connected to once. Asked to by a person, the hub tries once more."""
    async with at_home(door_type) as home:
        leaving = await home.create(OURS)
        await home.settle(3600)
        home.connections()
        put_right = _forget(home.door)
        coming = await home.create(NEW)
        await home.delete(leaving)
        await home.settle(6 * 3600)
        assert home.connections() == 1
        await _says_why(home, coming, "failed_to_set_on_device", words)
        await _says_why(home, leaving, "failed_to_remove_from_device", words)
        await home.sync()
        await home.settle(3600)
        assert home.connections() == 1
        await _says_why(home, coming, "failed_to_set_on_device", words)
        put_right()
        await home.do("devices/sync", device_id="door")
        await home.settle(120)
        assert home.door.pins() == [NEW]
        assert (await home.shown(coming))["status"] == "set"
        assert await home.errors(coming) == {}


@in_virtual_time
async def test_a_lock_that_took_our_keys_no_more_and_falls_silent_is_out_of_reach() -> None:
    """Nothing is heard of it any more: now its batteries are the news, once."""
    async with at_home(TTLockDoor) as home:
        _forget(home.door)
        code_id = await home.create(OURS)
        await home.settle(3600)
        home.events()
        await home.door.peripheral.hide()
        await home.settle(6 * 3600)
        assert "device_disconnected" in await home.errors(code_id)
        assert home.events().count("device.disconnected") == 1
        assert not (await home.lock())["properties"]["online"]
