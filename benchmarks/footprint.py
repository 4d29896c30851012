"""How long the gateway needs to be there, and how much memory it then has.

What it takes with the drivers of all families, and at rest, is in `rest`.
"""

import re
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import peer
from benchmarks.broker import broker_and_app
from benchmarks.table import Table
from gateway.config import Settings
from tests.daemon import bed as simulated
from tests.daemon.bed import Somebody, online
from tests.daemon.manager import managing
from tests.daemon.process import ended, put_away, start
from tests.e2e import house
from tests.mqtt.broker import eventually
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import Model

STARTS = 3
PATIENCE_S = 60.0
"""For all locks of a large house on a busy machine."""
CODES = 100
SIMULATED = ("north", "east", "south", "west")
ZWAVE: tuple[Model, ...] = ("v2_s2", "v1", "masked_s2", "masked_v1")
# No code goes on a lock: with pauses of 2 s that would take minutes, and memory does not depend on it.
FAR = {"starts_at": "2099-01-01T15:00:00Z", "ends_at": "2099-01-02T11:00:00Z"}


@dataclass(frozen=True)
class Life:
    """One start: seconds until READY, `online` and every lock is there, and MiB resident after that."""

    ready_s: float
    online_s: float
    locks_s: float
    resident_mib: float


async def measure(bed: ZwaveBed, folder: Path) -> Table:
    """Measure with simulated locks, and with the locks of a bed; files go into `folder`."""
    await bed.reset()
    rows = []
    for name, locks in (("simulated", SIMULATED), ("Z-Wave", ZWAVE)):
        place = Path(tempfile.mkdtemp(dir=folder))
        async with broker_and_app(place) as (port, app):
            if locks == ZWAVE:
                how = house.settings(place, bed, port, *ZWAVE)
            else:
                how = simulated.settings(place, port, locks=_locks())
            for number in (0, CODES):
                lives = [await _live(how, app, place, locks, number) for _ in range(STARTS)]
                rows.append(_row(name, number, lives))
                if number == 0:
                    await _create(how, app, place, locks)
    rows.append(["peer", "10 on 2 locks", *(peer.NOT_MEASURED,) * 2, peer.START, peer.MEMORY])
    return Table(
        f"Start and memory (medians of {STARTS} starts, four locks)",
        ("driver", "codes", "until READY", "until online", "until every lock is there", "resident"),
        rows,
        [
            "Neither counts zwave-js-server and the broker, which are processes of their own.",
            "READY is what systemd is told: it waits for no network, broker or lock.",
        ],
    )


def _locks() -> str:
    return "".join(f'[locks.{lock}]\ndriver = "simulated"\n' for lock in SIMULATED)


def _row(name: str, codes: int, lives: list[Life]) -> list[str]:
    seconds = (
        median(life.ready_s for life in lives),
        median(life.online_s for life in lives),
        median(life.locks_s for life in lives),
    )
    return [
        name,
        str(codes),
        *(f"{it:.2f} s" for it in seconds),
        f"{median(life.resident_mib for life in lives):.0f} MiB",
    ]


@dataclass(frozen=True)
class Started:
    """A gateway that runs: the number of its process, and seconds until it had come so far."""

    pid: int
    ready_s: float
    online_s: float
    locks_s: float


@asynccontextmanager
async def running(
    how: Settings, app: Somebody, folder: Path, locks: tuple[str, ...]
) -> AsyncIterator[Started]:
    """Run the gateway as a process until the block ends; it begins when all locks are there."""
    app.heard.clear()
    # An abstract name: several starts use one folder.
    async with managing(folder, f"@pinsmith-bench-{time.monotonic_ns()}") as manager:
        began = time.monotonic()
        process = await start(how.file, folder / "log", told=manager.env())
        try:
            await online(app)
            online_s = time.monotonic() - began
            await eventually(lambda: all(_there(app, lock) for lock in locks), PATIENCE_S)
            locks_s = time.monotonic() - began
            await manager.ready()
            ready_s = next(at for at, message in manager.heard if "READY=1" in message) - began
            yield Started(process.pid, ready_s, online_s, locks_s)
            process.terminate()
            assert await ended(process) == 0
            # Its last word, so that the next start is not taken for this one.
            await eventually(lambda: app.last("bridge/state") == {"state": "offline"})
        finally:
            await put_away(process)


def _there(app: Somebody, lock: str) -> bool:
    """Say whether a lock was told to be online, by this life of the gateway."""
    topic = f"lock/{lock}/state"
    return bool(app.under(topic)) and app.last(topic)["properties"]["online"] is True


async def _live(how: Settings, app: Somebody, folder: Path, locks: tuple[str, ...], codes: int) -> Life:
    async with running(how, app, folder, locks) as it:
        answer = await app.ask("access_codes/list")
        assert len(answer["data"]["access_codes"]) == codes
        return Life(it.ready_s, it.online_s, it.locks_s, resident_mib(it.pid))


def resident_mib(pid: int) -> float:
    """Return the memory of a process that is in RAM, shared libraries included."""
    return _mib(pid, "VmRSS")


def own_mib(pid: int) -> float:
    """Return what of that is no page of a file: the kernel can only get it back by swapping."""
    return _mib(pid, "RssAnon")


def _mib(pid: int, name: str) -> float:
    found = re.search(rf"^{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


async def _create(how: Settings, app: Somebody, folder: Path, locks: tuple[str, ...]) -> None:
    async with running(how, app, folder, locks):
        for number in range(CODES):
            body = {"device_id": locks[number % len(locks)], "code": f"{471_100 + 7 * number}"}
            answer = await app.ask("access_codes/create", **body, **FAR)
            assert answer["status"] == "ok", answer["error"]
