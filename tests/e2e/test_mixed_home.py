"""Locks of two kinds of radio behind one gateway: the real Z-Wave driver and Bluetooth."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.daemon.bed import Somebody
from tests.e2e.bluetooth import Hub, written_settings
from tests.e2e.house import NODES, PATIENCE_S, in_time
from tests.mqtt.broker import Broker, eventually
from tests.zwave_bed.bed import ZwaveBed

pytestmark = [pytest.mark.zwave_bed, pytest.mark.mosquitto, pytest.mark.slow]
_NODE = NODES["v2_s2"].node_id


@pytest.fixture
async def mixed(tmp_path: Path, bed: ZwaveBed, broker: Broker, app: Somebody) -> AsyncIterator[Hub]:
    """A gateway with the Bluetooth locks and a Z-Wave lock called `gate`."""
    zwave = f"""
        [drivers.zwave]
        url = "{bed.ws}"
        reconnect_first_s = 0.1
        reconnect_most_s = 1
        [locks.gate]
        driver = "zwave"
        node = {_NODE}
        """
    hub = Hub(written_settings(tmp_path, broker.port, zwave), app)
    await hub.start()
    try:
        yield hub
    finally:
        await hub.kill()


async def test_one_command_sets_one_pin_on_both(mixed: Hub, bed: ZwaveBed) -> None:
    """The PIN is one that the Nuki's keypad takes too; gone from both when its codes are deleted."""
    await mixed.pair("cellar")
    await mixed.knows("gate")
    made = await mixed.do("access_codes/create_multiple", device_ids=["gate", "cellar"], name="Guest")
    codes = {one["device_id"]: one["access_code_id"] for one in made["access_codes"]}
    assert codes.keys() == {"gate", "cellar"}
    for code_id in codes.values():
        await mixed.hears("access_code.set_on_device", code_id)
    (slot,) = (await bed.slots(_NODE)).values()
    assert slot.code is not None
    assert await mixed.order("pins", "cellar") == [slot.code]
    assert len(slot.code) == 6
    assert "0" not in slot.code
    for code_id in codes.values():
        await mixed.do("access_codes/delete", access_code_id=code_id)

    async def is_empty() -> bool:
        return not await bed.slots(_NODE)

    await mixed.holds("cellar")
    await in_time(is_empty, PATIENCE_S)


async def test_one_radio_does_not_hold_up_the_other(mixed: Hub, bed: ZwaveBed) -> None:
    """With the Bluetooth adapter unplugged the Z-Wave lock gets its code; the Nuki gets it afterwards."""
    await mixed.pair("cellar")
    await mixed.knows("gate")
    await mixed.order("unplug")
    made = await mixed.do("access_codes/create_multiple", device_ids=["gate", "cellar"], name="Guest")
    codes = {one["device_id"]: one["access_code_id"] for one in made["access_codes"]}
    await mixed.hears("access_code.set_on_device", codes["gate"])
    assert await mixed.order("pins", "cellar") == []
    await mixed.order("plug")
    await mixed.touched_until(lambda: mixed.told("access_code.set_on_device", codes["cellar"]), "cellar")
    (slot,) = (await bed.slots(_NODE)).values()
    assert await mixed.order("pins", "cellar") == [slot.code]
    await eventually(lambda: mixed.code(codes["gate"])["status"] == "set")
