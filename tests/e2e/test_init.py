"""`pinsmith init` against a Z-Wave network: it lists the locks, and its file makes a hub that manages one."""

import asyncio
from pathlib import Path

import pytest

from gateway.cli.exits import Exit
from gateway.config import load
from tests.daemon.bed import Somebody
from tests.e2e.house import NODES, at_work
from tests.init.person import Answers, alone, at_terminal
from tests.mqtt.broker import Broker
from tests.zwave_bed.bed import ZwaveBed

pytestmark = [pytest.mark.zwave_bed, pytest.mark.mosquitto, pytest.mark.slow]


async def test_from_nothing_to_a_code_on_the_door(
    bed: ZwaveBed, broker: Broker, app: Somebody, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked without radio: all locks with class and slots, unsafe ones with a warning and a proposed "no"."""
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/no-bus")
    file = tmp_path / "hub" / "pinsmith.toml"
    node, unsafe = NODES["v2_s2"].node_id, NODES["v2_plain"].node_id
    answers: Answers = alone() | {
        "Name of this hub": "hub",
        "Address of the broker": f"mqtt://127.0.0.1:{broker.port}",
        "zwave-js-server": ("ws://127.0.0.1:1", bed.ws),
        "Answer again": "again",
        f"Manage node {node} ": "yes",
        f"Manage node {unsafe} ": "",
        "Manage node": "no",
        "What people call it": "Front door",
        "Its id": "v2_s2",
        "Slots": ("2-4", ""),
    }
    for number in (node, unsafe):
        await bed.reset_counters(number)
    told = await asyncio.to_thread(at_terminal, file, answers)
    assert told.code == Exit.OK, told.err
    assert "no Z-Wave server listens at ws://127.0.0.1:1" in told.err
    assert f"{len(NODES)} locks in its network" in told.err
    [line] = [line for line in told.err.splitlines() if line.startswith(f"  node {node},")]
    assert "S2_ACCESS_CONTROL" in line
    assert "3 slots" in line
    assert "Anybody nearby can read PINs" in told.err
    assert f"Manage node {unsafe} (yes/no) [no]: " in told.asked
    assert "expected slots from 1 to 3, or all" in told.err
    assert [(await bed.counters(number)).total for number in (node, unsafe)] == [0, 0]

    settings = load(file, {})
    assert settings.policies["v2_s2"].managed_slots == ("2", "3")
    async with at_work(settings, bed, app) as house:
        await house.create_set("v2_s2", "847192")
        assert await house.on_lock("v2_s2") == {3: "847192"}
