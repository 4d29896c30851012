"""What the service manager hears of a daemon that is well, and of one that hangs."""

import asyncio
import itertools
import signal
import time
from pathlib import Path

import pytest

from tests.daemon.bed import PINS, Somebody, online, settings
from tests.daemon.manager import Manager, managing
from tests.daemon.process import ended, put_away, start
from tests.daemon.with_wedge import LIMITS
from tests.mqtt.broker import Broker, eventually

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow]

WATCHDOG_S = 1.0
NOBODY = 1
"""A port on which no broker listens."""


async def test_it_says_how_it_is(tmp_path: Path, broker: Broker, app: Somebody) -> None:
    """Ready, one line that follows what happens, and that it leaves."""
    how = settings(tmp_path, broker.port)
    async with managing(tmp_path) as manager:
        process = await start(how.file, tmp_path / "daemon.log", told=manager.env())
        try:
            await manager.ready()
            await eventually(lambda: manager.status() == "0 codes on 1 lock; broker: connected")
            await online(app)
            await app.create(PINS[0])
            await eventually(lambda: manager.status() == "1 code on 1 lock; broker: connected", 15)
            (tmp_path / "data/simulated/front.json").rename(tmp_path / "taken down")
            await eventually(lambda: "1 code on 1 lock, 1 in trouble" in manager.status(), 15)
            process.send_signal(signal.SIGTERM)
            assert await ended(process) == 0
        finally:
            await put_away(process)
        assert manager.lines()[-1] == "STOPPING=1"
        assert manager.signs() == []  # nobody asked for them
    assert not any(PINS[0] in line for line in manager.lines())


async def test_it_is_ready_and_alive_without_a_broker(tmp_path: Path) -> None:
    """It waits for nobody, gives signs of life twice in the time allowed, and says what is missing."""
    how = settings(tmp_path, NOBODY)
    async with managing(tmp_path, f"@pinsmith-test-{tmp_path.name}-{time.monotonic_ns()}") as manager:
        process = await start(how.file, tmp_path / "daemon.log", told=manager.env(WATCHDOG_S))
        try:
            await manager.ready()
            await eventually(lambda: len(manager.signs()) > 10, 20)
        finally:
            await put_away(process)
        signs = manager.signs()
        gaps = [later - earlier for earlier, later in itertools.pairwise(signs)]
        assert sorted(gaps)[len(gaps) // 2] == pytest.approx(WATCHDOG_S * 0.4, abs=0.1)
        assert "broker: unreachable" in manager.status()


async def test_a_broker_that_stays_away_is_no_hang(tmp_path: Path) -> None:
    """However long: neither knocking nor the pauses in between count as work that does not end."""
    how = settings(tmp_path, NOBODY)
    async with managing(tmp_path) as manager:
        process = await start(
            how.file, tmp_path / "daemon.log", wedge="nothing", told=manager.env(WATCHDOG_S)
        )
        try:
            await manager.ready()
            # That nothing is called stuck shows only with time: longer than any exchange may take.
            await asyncio.sleep(3 * LIMITS.broker_s)
            await eventually(lambda: time.monotonic() - max(manager.signs()) < WATCHDOG_S)
        finally:
            await put_away(process)
        gaps = [later - earlier for earlier, later in itertools.pairwise(manager.signs())]
        assert max(gaps) < 3 * WATCHDOG_S
    assert "Stuck" not in (tmp_path / "daemon.log").read_text()


@pytest.mark.parametrize("part", ["database", "worker", "broker", "timer", "loop"])
async def test_a_part_that_hangs_ends_the_signs_of_life(
    tmp_path: Path, broker: Broker, app: Somebody, part: str
) -> None:
    """The database's thread, an operation on a lock, the exchange with the broker, a timer, the event loop.

    Each is noticed, and named.
    """
    how = settings(tmp_path, broker.port)
    log = tmp_path / "daemon.log"
    async with managing(tmp_path) as manager:
        process = await start(how.file, log, wedge=part, told=manager.env(WATCHDOG_S))
        try:
            await manager.ready()
            await online(app)
            await app.create(PINS[0])
            await eventually(lambda: len(manager.signs()) > 5)
            process.send_signal(signal.SIGUSR1)
            if part in {"worker", "broker", "timer"}:
                await app.ask("access_codes/create", device_id="front", code=PINS[1])
            await _silence(manager)
        finally:
            await put_away(process)
    if part != "loop":
        name = {
            "database": "database (at the database",
            "worker": "lock front (at the radio",
            "broker": "outbox (at the broker",
            "timer": "publisher (asleep",
        }[part]
        assert f"Stuck: {name}" in log.read_text()
        assert manager.status().startswith("stuck: ")


async def test_a_busy_database_is_no_reason_to_end_it(tmp_path: Path, broker: Broker, app: Somebody) -> None:
    """A unit that fails comes back too: a full or busy disk does not get better by starting anew."""
    how = settings(tmp_path, broker.port)
    async with managing(tmp_path) as manager:
        process = await start(how.file, tmp_path / "daemon.log", told=manager.env(WATCHDOG_S))
        try:
            await manager.ready()
            await online(app)
            await app.create(PINS[0])
            holder = await asyncio.create_subprocess_exec(
                "python3",
                "-c",
                "import sqlite3,sys,time; c=sqlite3.connect(sys.argv[1], isolation_level=None);"
                "c.execute('BEGIN IMMEDIATE'); print(flush=True); time.sleep(8)",
                str(tmp_path / "data/pinsmith.db"),
                stdout=asyncio.subprocess.PIPE,
            )
            assert holder.stdout is not None
            await holder.stdout.readline()
            since = time.monotonic()
            await holder.wait()
            assert len(manager.signs(since)) > 10
        finally:
            await put_away(process)


async def _silence(manager: Manager) -> None:
    """Wait until no sign of life has come for three times as long as is allowed."""
    await eventually(
        lambda: time.monotonic() - max(manager.signs()) > 3 * WATCHDOG_S,
        30,
    )
