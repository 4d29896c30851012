"""Which libraries the daemon loads: those of the drivers and families that have locks, and no others."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.daemon.bed import settings
from tests.daemon.process import PROJECT

pytestmark = pytest.mark.slow

HEAVY = {
    *("websockets", "amqtt", "bleak", "nacl", "yalexs_ble"),
    *("drivers.simulated.driver", "drivers.zwave.driver", "drivers.ble.driver"),
    *("drivers.ble.nuki.lock", "drivers.ble.ttlock.lock", "drivers.ble.yale.lock"),
}
RADIO = {"bleak", "drivers.ble.driver"}
CODE = f"""
import sys
from pathlib import Path
from gateway.config import load
from gateway.daemon.drivers import Drivers
from gateway.system_clock import SystemClock
Drivers(load(Path(sys.argv[1]), {{}}), SystemClock(), keyring=None, view=None)
print(*{HEAVY} & set(sys.modules))
"""
YALE = '[locks.a]\ndriver = "yale"\nbluetooth_name = "M1XY012"\n'


@pytest.mark.parametrize(
    ("locks", "loaded"),
    [
        ("[locks]\n", set()),
        ('[locks.a]\ndriver = "zwave"\nnode = 2\n', {"websockets", "drivers.zwave.driver"}),
        ('[locks.a]\ndriver = "nuki"\n', RADIO | {"nacl", "drivers.ble.nuki.lock"}),
        ('[locks.a]\ndriver = "ttlock"\n', RADIO | {"drivers.ble.ttlock.lock"}),
        (YALE, RADIO | {"yalexs_ble", "drivers.ble.yale.lock"}),
    ],
    ids=["none", "zwave", "nuki", "ttlock", "yale"],
)
async def test_a_lock_loads_its_own_family_and_no_other(tmp_path: Path, locks: str, loaded: set[str]) -> None:
    """Memory is scarce on a small hub, and a start takes as long as what is imported."""
    file = settings(tmp_path, 1, locks=locks).file
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CODE, str(file)), stdout=asyncio.subprocess.PIPE, cwd=PROJECT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    assert set(output.decode().split()) == loaded
