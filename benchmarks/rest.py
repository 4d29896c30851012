"""What the gateway takes while nothing happens: processor, memory and what it writes to the disk."""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import footprint
from benchmarks.broker import broker_and_app
from benchmarks.table import Table
from gateway.config import Settings
from tests.daemon import bed as simulated
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import BedConfig, NodeConfig

SETTLE_S = 30.0
"""After the start: every slot of a new lock is read once, with 2 s between two."""
WATCHED_S = 60.0
LOCKS = 50
NODES = tuple(NodeConfig(node_id=2 + number, model="v2_plain", slots=3) for number in range(LOCKS))
WIRELESS = "".join(f'[locks.{family}]\ndriver = "{family}"\n' for family in ("nuki", "ttlock"))
WIRELESS += '[locks.yale]\ndriver = "yale"\naddress = "AA:BB:CC:DD:EE:FF"\n'
"""Not paired, and there is no adapter: the drivers are loaded and wait."""
_WRITTEN = re.compile(r"^write_bytes: (\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class House:
    """What is configured, and the locks that answer."""

    name: str
    tables: str
    answering: Sequence[str]


async def measure(folder: Path) -> Table:
    """Let houses of several sizes rest for a minute each; files go into `folder`."""
    rows = []
    async with ZwaveBed.start(BedConfig(nodes=NODES)) as bed:
        for number, house in enumerate(_houses(bed.ws)):
            place = folder / str(number)
            place.mkdir()
            async with _resting(place, house) as it:
                before = _used(it.pid)
                await asyncio.sleep(WATCHED_S)
                seconds, written = (after - then for after, then in zip(_used(it.pid), before, strict=True))
                rows.append(
                    [
                        house.name,
                        f"{it.ready_s:.2f} s",
                        f"{it.online_s:.2f} s",
                        f"{footprint.resident_mib(it.pid):.0f} MiB",
                        f"{footprint.own_mib(it.pid):.0f} MiB",
                        f"{100 * seconds / WATCHED_S:.2f} %",
                        f"{written * 3600 / WATCHED_S / 2**20:.1f} MiB",
                    ]
                )
    return Table(
        f"At rest (watched for {WATCHED_S:.0f} s each)",
        (
            "house",
            "until READY",
            "until online",
            "resident",
            "no pages of files",
            "of one core",
            "written in an hour",
        ),
        rows,
        ["A simulated lock is a file that is looked at three times a second; real locks are not polled."],
    )


def _houses(ws: str) -> list[House]:
    zwave = [f"door-{node.node_id}" for node in NODES]
    server = f'[drivers.zwave]\nurl = "{ws}"\n'
    tables = [f'[locks.{lock}]\ndriver = "zwave"\nnode = {lock[5:]}\n' for lock in zwave]
    toys = [f"toy-{number}" for number in range(4)]
    return [
        House(
            f"{LOCKS} Z-Wave locks; Nuki, Yale, TTLock, no adapter",
            server + "".join(tables) + WIRELESS,
            zwave,
        ),
        House(f"{LOCKS} Z-Wave locks", server + "".join(tables), zwave),
        House("4 simulated locks", "".join(f'[locks.{toy}]\ndriver = "simulated"\n' for toy in toys), toys),
    ]


@asynccontextmanager
async def _resting(place: Path, house: House) -> AsyncIterator[footprint.Started]:
    async with broker_and_app(place) as (port, app):
        how: Settings = simulated.settings(place, port, locks=house.tables)
        async with footprint.running(how, app, place, tuple(house.answering)) as it:
            await asyncio.sleep(SETTLE_S)
            yield it


def _used(pid: int) -> tuple[float, float]:
    """Return the processor's seconds and the bytes sent to the disk since the process began."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    found = _WRITTEN.search(Path(f"/proc/{pid}/io").read_text())
    assert found is not None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), float(found[1])
