"""Bluetooth locks from pairing at the command line to unpairing: real broker, real daemon, virtual radio."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.daemon.bed import Somebody
from tests.e2e.bluetooth import PINS, Hub, written_settings
from tests.mqtt.broker import Broker

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow]


@pytest.fixture
async def hub(tmp_path: Path, broker: Broker, app: Somebody) -> AsyncIterator[Hub]:
    """A gateway with a lock of each family, none of them paired."""
    one = Hub(written_settings(tmp_path, broker.port), app)
    await one.start()
    try:
        yield one
    finally:
        await one.kill()


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
    await hub.touched_until(lambda: hub.code(code_id).get("status") == "set", lock)
    await hub.holds(lock, second)
    await hub.do("access_codes/delete", access_code_id=code_id)
    await hub.touched_until(lambda: hub.told("access_code.deleted", code_id), lock)
    await hub.holds(lock)
    await hub.type("unpair", lock, "--yes")
    await hub.hears("device.unpaired", lock)
    assert await hub.stop() == 0
    assert " ERROR " not in hub.log.read_text()
