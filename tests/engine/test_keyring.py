"""What pairing yielded: kept for the driver, gone with the lock."""

from gateway.engine.keyring import StoredKeys
from tests.engine.bench import Bench
from tests.engine.build import DOOR
from tests.engine.conftest import Hang

KEYS = b"\x00keys"


async def test_keys_are_kept_until_they_are_forgotten(hang: Hang) -> None:
    """Over a restart too."""
    bench = await hang()
    keyring = StoredKeys(bench.store)
    assert await keyring.load(DOOR) is None

    await keyring.save(DOOR, KEYS)
    bench.boot()
    await bench.engine.start()
    assert await keyring.load(DOOR) == KEYS

    await keyring.forget(DOOR)
    assert await keyring.load(DOOR) is None


async def test_a_forgotten_lock_has_no_keys(hang: Hang) -> None:
    """Also one that stays configured: it must be paired again."""
    bench = await hang()
    await StoredKeys(bench.store).save(DOOR, KEYS)

    await bench.do("devices/forget", device_id=DOOR)

    assert await StoredKeys(bench.store).load(DOOR) is None
    assert bench.snap().device.policy is not None


async def test_a_retired_lock_loses_its_keys_when_it_leaves(hang: Hang) -> None:
    """They are needed until its codes are off, and to unpair it."""
    bench = await hang()
    keyring = StoredKeys(bench.store)
    await keyring.save(DOOR, KEYS)
    await bench.create("471134")
    await bench.settle()

    await bench.do("devices/retire", device_id=DOOR)
    await _restart(bench, configured=False)
    assert await keyring.load(DOOR) == KEYS  # the code is still on the lock

    await _restart(bench, configured=True)
    await bench.engine.handle(bench.seen())
    await bench.settle()
    assert bench.on_lock() == {}
    assert await keyring.load(DOOR) == KEYS

    await _restart(bench, configured=False)
    assert await keyring.load(DOOR) is None


async def test_a_lock_lost_from_the_configuration_keeps_its_keys(hang: Hang) -> None:
    """A typing mistake must not cost the way to the door."""
    bench = await hang()
    await StoredKeys(bench.store).save(DOOR, KEYS)

    await _restart(bench, configured=False)

    assert await StoredKeys(bench.store).load(DOOR) == KEYS


async def _restart(bench: Bench, *, configured: bool) -> None:
    bench.configured = configured
    bench.boot()
    await bench.engine.start()
