"""The gateway, the Z-Wave server, its driver and the broker come and go; what was promised stays true."""

from itertools import pairwise
from pathlib import Path

import pytest

from tests.daemon.bed import PINS, Somebody, online
from tests.daemon.process import put_away
from tests.daemon.process import start as start_process
from tests.e2e.conftest import Start
from tests.e2e.house import NODES, House, at_work, keeps_secrets, settings
from tests.mqtt.broker import Broker
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import Faults

pytestmark = [pytest.mark.zwave_bed, pytest.mark.mosquitto, pytest.mark.slow]


async def test_a_masked_lock_is_not_written_again_after_a_restart(
    tmp_path: Path, bed: ZwaveBed, broker: Broker, app: Somebody
) -> None:
    """Killed and started anew, the gateway still knows what it wrote, although the lock does not show it."""
    how = settings(tmp_path, bed, broker.port, "masked_s2")
    log = tmp_path / "daemon.log"
    house = House(bed, app)
    process = await start_process(how.file, log)
    try:
        await online(app)
        code_id = await house.create_set("masked_s2", PINS[0])
        await house.settled("masked_s2")
    finally:
        await put_away(process)
    await house.forget_radio("masked_s2")
    async with at_work(how, bed, app) as again:
        await again.do("devices/sync", device_id="masked_s2")
        await again.radio_reaches("masked_s2", get=3)
        await again.settled("masked_s2")
        radio = await again.radio("masked_s2")
        assert (radio.set, radio.clear) == (0, 0)
        assert again.code(code_id)["status"] == "set"
    assert len(house.told("access_code.set_on_device")) == 1
    keeps_secrets(app, log.read_text())


async def test_a_kill_in_the_middle_of_a_write_leaves_one_code_in_one_slot(
    tmp_path: Path, bed: ZwaveBed, broker: Broker, app: Somebody
) -> None:
    """The next life looks before it writes, finds the code and tells that it is set, once."""
    how = settings(tmp_path, bed, broker.port, "v2_s2")
    house = House(bed, app)
    process = await start_process(how.file, tmp_path / "daemon.log")
    try:
        await online(app)
        await house.until(lambda: house.lock("v2_s2").get("capabilities_supported"))
        await bed.fault(NODES["v2_s2"].node_id, Faults(answer_delay_ms=900))
        code_id = await house.create("v2_s2", PINS[0])
        await house.radio_reaches("v2_s2", set=1)
    finally:
        await put_away(process)
    await bed.fault(NODES["v2_s2"].node_id, Faults())
    assert not house.told("access_code.set_on_device")
    async with at_work(how, bed, app) as again:
        await again.hears("access_code.set_on_device", code_id)
        await again.settled("v2_s2")
        assert await again.on_lock("v2_s2") == {3: PINS[0]}
        assert (await again.radio("v2_s2")).set == 1


async def test_a_restart_of_the_server_costs_no_write(start: Start) -> None:
    """The link comes back by itself; what is on the lock stays, and new codes get there."""
    async with start("v2_s2") as house:
        await house.create_set("v2_s2", PINS[0])
        await house.settled("v2_s2")
        await house.forget_radio("v2_s2")
        await house.bed.restart_server()
        await house.create_set("v2_s2", PINS[1])
        assert (await house.radio("v2_s2")).set == 1
        assert await house.on_lock("v2_s2") == {3: PINS[0], 2: PINS[1]}


async def test_after_a_restart_of_the_driver_edits_are_still_heard(start: Start) -> None:
    """The nodes are others then, the locks the same."""
    node = NODES["v2_s2"].node_id
    async with start("v2_s2") as house:
        code_id = await house.create_set("v2_s2", PINS[0])
        await house.settled("v2_s2")
        await house.forget_radio("v2_s2")
        await house.bed.restart_driver(keep_cache=True)
        await house.create_set("v2_s2", PINS[1])
        assert (await house.radio("v2_s2")).set == 1
        house.let_pass(minutes=6)
        await house.settled("v2_s2")
        await house.bed.edit(node, 3, PINS[2], "report")
        await house.hears("access_code.modified_external_to_gateway", code_id)
        await house.becomes("v2_s2", PINS[0], PINS[1])


async def test_what_happens_without_a_broker_is_told_afterwards_in_order(
    start: Start, broker: Broker
) -> None:
    """Killed and started again: every event arrives, first arrivals count up by one."""
    node = NODES["v2_s2"].node_id
    async with start("v2_s2") as house:
        code_id = await house.create_set("v2_s2", PINS[0])
        house.let_pass(minutes=6)
        await house.settled("v2_s2")
        await broker.kill()
        await house.bed.edit(node, 3, PINS[1], "report")
        await house.becomes("v2_s2", PINS[0])
        for _ in range(3):
            await house.bed.unlock(node, 3)
        await broker.start()
        await house.hears("lock.unlocked", code_id, times=3)
        await house.hears("access_code.modified_external_to_gateway", code_id)
        seqs = list(dict.fromkeys(event["seq"] for event in house.app.events()))
        assert seqs[0] == 1
        assert all(later == earlier + 1 for earlier, later in pairwise(seqs))
        await house.do("access_codes/delete", access_code_id=code_id)
        await house.hears("access_code.deleted", code_id)
