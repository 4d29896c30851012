"""What the log says of a Z-Wave lock and of its server: once when a trouble begins, once when it ends."""

import pytest

from tests.daemon.bed import PINS
from tests.e2e.conftest import Start
from tests.e2e.house import NODES
from tests.heard import listening, the_end, troubles
from tests.zwave_bed.config import Faults

pytestmark = [pytest.mark.zwave_bed, pytest.mark.mosquitto, pytest.mark.slow]


async def test_a_lock_that_dies_and_comes_back_is_two_lines(start: Start) -> None:
    """However often it was tried meanwhile; so is the code that could not be set."""
    node = NODES["v2_s2"].node_id
    with listening("gateway.events") as records:
        async with start("v2_s2") as house:
            await house.settled("v2_s2")
            await house.bed.fault(node, Faults(dead=True))
            code_id = await house.create("v2_s2", PINS[0])
            await house.hears("device.disconnected")
            house.let_pass(minutes=20)
            await house.gate_is("v2_s2", "backing_off")
            await house.bed.alive(node)
            await house.hears("access_code.set_on_device", code_id)
            await house.until(lambda: not house.errors(house.lock("v2_s2")))
    assert troubles(records, "device_disconnected") == [
        ("WARNING", "device_disconnected", "begins", "v2_s2"),
        ("INFO", "device_disconnected", "ends", "v2_s2"),
    ]
    _, seconds, _ = the_end(records, "device_disconnected")
    assert seconds >= 180


async def test_a_server_that_is_restarted_is_two_lines(start: Start) -> None:
    """And none per lock."""
    with listening("drivers.zwave") as records:
        async with start("v2_s2", "tiny") as house:
            await house.settled("v2_s2")
            await house.bed.restart_server()
            await house.until(lambda: [r for r in records if getattr(r, "state", "") == "ends"])
            await house.settled("v2_s2")
    said = troubles(records, "zwave_server_away", "not_managed")
    assert said[0] == ("WARNING", "zwave_server_away", "begins", None)
    assert said[-1] == ("INFO", "zwave_server_away", "ends", None)
    assert {trouble for _, trouble, _, _ in said} == {"zwave_server_away"}
