"""A PIN is told to the client that asked for it, and is nowhere else. Every other test here looks too."""

from pathlib import Path

import pytest

from tests.daemon.bed import PINS, Somebody, online
from tests.daemon.process import put_away
from tests.daemon.process import start as start_process
from tests.e2e.house import NODES, House, keeps_secrets, settings
from tests.mqtt.broker import Broker
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import Faults

pytestmark = [pytest.mark.zwave_bed, pytest.mark.mosquitto, pytest.mark.slow]


async def test_a_whole_life_leaks_no_pin(
    tmp_path: Path, bed: ZwaveBed, broker: Broker, app: Somebody
) -> None:
    """Not into the log, a topic of all, the database or the arguments of the process; mishaps included."""
    how = settings(tmp_path, bed, broker.port, "v2_s2", "masked_s2")
    node, masked = NODES["v2_s2"].node_id, NODES["masked_s2"].node_id
    log = tmp_path / "daemon.log"
    house = House(bed, app)
    await bed.edit(masked, 1, PINS[4], "silent")
    process = await start_process(how.file, log)
    try:
        await online(app)
        await house.until(lambda: house.lock("masked_s2").get("capabilities_supported"))
        duplicate = await house.create("masked_s2", PINS[4])
        await bed.fault(node, Faults(lose_answers=1))
        code_id = await house.create_set("v2_s2", PINS[0])
        shown = await house.do("access_codes/get", access_code_id=code_id)
        assert shown["access_code"]["code"] == PINS[0]
        for mistake in ({"code": PINS[1]}, {PINS[1]: "front"}):
            refused = await app.ask("access_codes/create", transaction=None, **mistake)
            assert refused["status"] == "error"
            assert PINS[1] not in str(refused)
        await house.until(lambda: "duplicate_code_on_device" in house.errors(house.code(duplicate)))
        await bed.edit(node, 2, PINS[2], "report")
        await house.hears("access_code.unmanaged.created")
        await bed.unlock(node, 3)
        await bed.wrong_code(node)
        await house.hears("lock.unlocked", code_id)
        await house.hears("lock.access_denied")
        arguments = (Path("/proc") / str(process.pid) / "cmdline").read_bytes()
    finally:
        await put_away(process)
    database = b"".join(file.read_bytes() for file in (tmp_path / "data").rglob("*") if file.is_file())
    assert b"SQLite format 3" in database
    assert app.under("bridge/health")
    assert "access_code.set_on_device" in log.read_text()
    keeps_secrets(app, log.read_text())
    for pin in PINS:
        assert pin.encode() not in database + arguments
