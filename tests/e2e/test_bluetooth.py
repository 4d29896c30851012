"""Bluetooth locks from pairing at the command line to unpairing: real broker, real daemon, virtual radio."""

import pytest

from tests.e2e.bluetooth import LOCKS, PINS, Hub

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow]


@pytest.mark.parametrize("lock", ["cellar", "attic", "shed"])
async def test_from_pairing_to_unpairing(hub: Hub, lock: str) -> None:
    """Secrets are typed; a code is set, used, put right, changed, deleted; the hub forgets the lock."""
    first, second, foreign = PINS[:3]
    await hub.pair(lock)
    code_id = await hub.create_set(lock, first)
    await hub.holds(lock, first)
    assert await hub.order("enter", lock, pin=first)
    await hub.order("let_pass", seconds=61)
    await hub.touched_until(lambda: hub.told("lock.unlocked", code_id), lock)
    await hub.order("edit", lock, old=first, new=foreign)
    await hub.do("devices/sync", device_id=lock)
    await hub.touched_until(lambda: hub.told("access_code.modified_external_to_gateway", code_id), lock)
    await hub.holds(lock, first)
    await hub.do("access_codes/update", access_code_id=code_id, code=second)
    await hub.touched_until(lambda: hub.told("access_code.code_changed", code_id), lock)
    await hub.holds(lock, second)
    await hub.do("access_codes/delete", access_code_id=code_id)
    await hub.touched_until(lambda: hub.told("access_code.deleted", code_id), lock)
    await hub.holds(lock)
    await hub.type("unpair", lock, "--yes")
    await hub.hears("device.unpaired", lock)
    assert await hub.stop() == 0
    assert " ERROR " not in hub.log.read_text()


async def test_a_restart_costs_no_lock_a_write(hub: Hub) -> None:
    """Ended in order and started anew, the hub needs no pairing and knows what it wrote."""
    await hub.pair("cellar", "attic", "shed")
    codes = {lock: await hub.create_set(lock, pin) for lock, pin in zip(LOCKS, PINS, strict=False)}
    await hub.order("let_pass", seconds=1000)
    assert await hub.stop() == 0
    await hub.start()
    for lock, pin in zip(LOCKS, PINS, strict=False):
        await hub.sync(lock)
        await hub.holds(lock, pin)
        assert await hub.order("writes", lock) == 0
        assert hub.code(codes[lock])["status"] == "set"
    told = {event["event_id"] for event in hub.told("access_code.set_on_device")}  # which may come twice
    assert len(told) == len(LOCKS)


@pytest.mark.parametrize("lock", LOCKS)
async def test_killed_in_the_middle_of_a_write_it_leaves_one_code(hub: Hub, lock: str) -> None:
    """The lock stored the code, its answer was never heard: the next life finds it and adds no second one."""
    await hub.pair(lock)
    await hub.order("answers_writes", lock, yes=False)
    code_id = await hub.create(lock, PINS[0])
    await hub.order("touch", lock)
    await hub.holds(lock, PINS[0])
    await hub.kill()
    assert not hub.told("access_code.set_on_device")
    await hub.start()
    await hub.touched_until(lambda: hub.told("access_code.set_on_device", code_id), lock)
    await hub.holds(lock, PINS[0])
    await hub.do("access_codes/delete", access_code_id=code_id)
    await hub.touched_until(lambda: hub.told("access_code.deleted", code_id), lock)
    await hub.holds(lock)


async def test_an_adapter_that_is_unplugged_is_told_and_comes_back(hub: Hub) -> None:
    """Everybody is told that its locks cannot be reached; what was asked for is done afterwards."""
    await hub.pair("cellar")
    first = await hub.create_set("cellar", PINS[0])
    await hub.order("unplug")
    await hub.order("let_pass", seconds=11)
    await hub.order("let_pass", seconds=60)
    await hub.comes_true(lambda: "there is no Bluetooth" in hub.health())
    second = await hub.create("cellar", PINS[1])
    await hub.order("let_pass", seconds=180)
    await hub.comes_true(lambda: hub.code(first).get("status") == "unknown")
    assert hub.state("cellar")["properties"]["online"] is False
    await hub.order("plug")
    await hub.hears("access_code.set_on_device", second)
    await hub.holds("cellar", *PINS[:2])
    await hub.comes_true(lambda: hub.code(first).get("status") == "set")
    assert hub.state("cellar")["properties"]["online"] is True
