"""Commands per second, each durable before it is answered, against what the disk can sync."""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from benchmarks.broker import broker_and_app
from benchmarks.table import Table, milliseconds, per_second
from gateway.config import Settings
from gateway.daemon.wiring import Gateway
from gateway.engine.commands.desk import CommandDesk
from gateway.system_clock import SystemClock
from storage.keys import load_key
from storage.store import SqliteStore
from storage.vault import Vault
from tests.daemon.bed import ROOT, Somebody, online, settings
from tests.daemon.process import ended, put_away, start
from tests.mqtt.broker import eventually

LOCKS = tuple(f"door-{number}" for number in range(1, 11))
ONE_BY_ONE = 30
AT_ONCE = 120
STRAIGHT = 120
SYNCING_S = 1.0
PATIENCE_S = 60.0
# Nothing is to be done on a lock for a stay so far away: what is measured is the command alone.
FAR = {"starts_at": "2099-01-01T15:00:00Z", "ends_at": "2099-01-02T11:00:00Z"}
_PAGE = bytes(4096)


async def measure(folder: Path) -> Table:
    """Measure; the database, and the file for syncing, are in `folder`."""
    growing, again = _syncs(folder, 0), _syncs(folder, 256)
    bodies = _bodies()
    async with broker_and_app(folder) as (port, app):
        how = settings(folder, port, locks=_locks())
        process = await start(how.file, folder / "log")
        try:
            await online(app)
            await eventually(lambda: all(_known(app, lock) for lock in LOCKS))
            apart = [await _commands(app, bodies, 1, **FAR) for _ in range(ONE_BY_ONE)]
            together = await _commands(app, bodies, AT_ONCE, **FAR)
            busy = await _commands(app, bodies, AT_ONCE)
            on_locks = busy + await _carried_out(app, AT_ONCE)
            await _stored(app, ONE_BY_ONE + 2 * AT_ONCE)
            process.terminate()
            assert await ended(process) == 0
        finally:
            await put_away(process)
    straight = await _straight(how, bodies)
    rows = [
        ["4 KiB at the end of a growing file, synced (fdatasync)", per_second(*growing)],
        ["4 KiB over what a file has already, synced", per_second(*again)],
        ["command given to the desk, without a broker", per_second(STRAIGHT, straight)],
        ["command over MQTT, many at once, stay far away", per_second(AT_ONCE, together)],
        ["the same, for codes to be written now", per_second(AT_ONCE, busy)],
        ["until all those codes are on their simulated locks", per_second(AT_ONCE, on_locks)],
    ]
    note = (
        f"A single command over MQTT is answered after {milliseconds(apart)} (median of {ONE_BY_ONE}). "
        f"{len(LOCKS)} locks; {(ONE_BY_ONE + 2 * AT_ONCE + STRAIGHT) // len(LOCKS)} codes each in the end."
    )
    return Table(
        "Commands (`access_codes/create`), each durable before its answer", ("what", "rate"), rows, [note]
    )


def _syncs(folder: Path, pages: int) -> tuple[int, float]:
    """Write and sync a page at a time, going round in so many; return how often in how many seconds."""
    file = os.open(folder / f"syncing {pages}", os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        for page in range(pages):
            os.pwrite(file, _PAGE, page * len(_PAGE))
        os.fsync(file)
        began, done = time.perf_counter(), 0
        while (passed := time.perf_counter() - began) < SYNCING_S:
            os.pwrite(file, _PAGE, done % pages * len(_PAGE) if pages else done * len(_PAGE))
            os.fdatasync(file)
            done += 1
    finally:
        os.close(file)
    return done, passed


def _locks() -> str:
    return "".join(f'[locks.{lock}]\ndriver = "simulated"\nslots = 40\n' for lock in LOCKS)


def _known(app: Somebody, lock: str) -> bool:
    return bool(app.under(f"lock/{lock}/state") and app.last(f"lock/{lock}/state")["capabilities_supported"])


def _bodies() -> Iterator[dict[str, str]]:
    """Return commands to create codes, on one lock after another; no PIN comes twice."""
    for number in count():
        yield {
            "transaction": f"bench-{number}",
            "device_id": LOCKS[number % len(LOCKS)],
            "code": f"{471_100 + 7 * number}",
        }


async def _commands(app: Somebody, bodies: Iterator[dict[str, str]], times: int, **more: str) -> float:
    """Publish commands without waiting, and return the seconds until the last answer."""
    verb, heard = "access_codes/create", len(app.heard)
    topic = f"{ROOT}/response/{app.name}/{verb}"
    began = time.perf_counter()
    for _ in range(times):
        app.client.publish(f"{ROOT}/request/{app.name}/{verb}", json.dumps(next(bodies) | more), 1)
    async with asyncio.timeout(PATIENCE_S):
        while sum(m.topic == topic for m in app.heard[heard:]) < times:  # noqa: ASYNC110 - told by a thread
            await asyncio.sleep(0.001)
    passed = time.perf_counter() - began
    assert all(m.json["status"] == "ok" for m in app.heard[heard:] if m.topic == topic)
    return passed


async def _carried_out(app: Somebody, times: int) -> float:
    """Return the seconds until so many codes have been told to be on their locks since the start."""
    began = time.perf_counter()
    await eventually(lambda: app.event_types().count("access_code.set_on_device") >= times, PATIENCE_S)
    return time.perf_counter() - began


async def _stored(app: Somebody, number: int) -> None:
    answer = await app.ask("access_codes/list")
    assert len(answer["data"]["access_codes"]) == number


async def _straight(how: Settings, bodies: Iterator[dict[str, str]]) -> float:
    """Give commands to the desk of a gateway that does nothing else, and return the seconds."""
    store = await SqliteStore.open(
        how.gateway.data_directory, Vault(load_key(how.gateway.data_directory, None))
    )
    try:
        gateway = Gateway(how, store, SystemClock())
        await gateway.engine.start()
        desk = CommandDesk(gateway.engine, lambda _: None)
        began = time.perf_counter()
        for _ in range(STRAIGHT):
            body = json.dumps(next(bodies) | FAR).encode()
            reply = await desk.execute("bench", "access_codes/create", body)
            assert json.loads(reply)["status"] == "ok"
        passed = time.perf_counter() - began
        listed = json.loads(await desk.execute("bench", "access_codes/list", b"{}"))
        assert len(listed["data"]["access_codes"]) == ONE_BY_ONE + 2 * AT_ONCE + STRAIGHT
    finally:
        await store.close()
    return passed
