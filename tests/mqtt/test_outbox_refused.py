"""Events that the broker refuses: what else is told meanwhile, and how often."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.domain.clock import Clock
from gateway.mqtt.health import Health
from gateway.mqtt.link_errors import LinkDown, PublishRefused
from gateway.mqtt.outbox import BATCH, REFUSED_S, Outbox
from gateway.mqtt.own_events import OwnEvents
from gateway.mqtt.topics import Topics
from gateway.system_clock import SystemClock
from storage.store import SqliteStore
from storage.vault import Vault
from tests.mqtt.broker import eventually
from tests.mqtt.test_outbox import event


class Strict:
    """A broker that refuses these `seq`, and is gone when it is asked for `lost`."""

    def __init__(self, *refused: int) -> None:
        self.connected = asyncio.Event()
        self.connected.set()
        self.refused = set(refused)
        self.lost: int | None = None
        self.heard: list[int] = []
        self.asked: list[int] = []

    async def publish(self, _topic: str, payload: bytes) -> None:
        """Take or refuse an event."""
        seq: int = json.loads(payload)["seq"]
        self.asked.append(seq)
        await asyncio.sleep(0)
        if seq == self.lost:
            raise LinkDown("gone")
        if seq in self.refused:
            raise PublishRefused("not authorized")
        self.heard.append(seq)


class Stepping(SystemClock):
    """Sleeps until the test lets it, and says how long it would have been."""

    def __init__(self) -> None:
        super().__init__()
        self.naps: list[float] = []
        self.goes_on = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Wait for the test."""
        self.naps.append(seconds)
        self.goes_on.clear()
        await self.goes_on.wait()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """An empty memory."""
    store = await SqliteStore.open(tmp_path, Vault(bytes(32)))
    yield store
    await store.close()


async def put(store: SqliteStore, count: int) -> None:
    """Store so many events that nobody has told yet."""
    for number in range(count):
        await store.run(lambda tx, number=number: tx.emit(event(number)))  # type: ignore[misc]


@contextlib.asynccontextmanager
async def telling(store: SqliteStore, link: Strict, clock: Clock) -> AsyncIterator[None]:
    """Run an outbox."""
    outbox = Outbox(
        link,  # type: ignore[arg-type]  # as much of a link as an outbox uses
        store,
        Topics("pinsmith/hub"),
        Health(clock, dict),
        own_events=OwnEvents("hub", clock.now, lambda: "id"),
        limit=1000,
        clock=clock,
    )
    task = asyncio.create_task(outbox.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def waiting(store: SqliteStore) -> list[int]:
    """Return what is still to be told."""
    return [one.seq for one in await store.run(lambda tx: tx.undelivered(1000))]


async def test_while_one_is_refused_only_that_one_is_tried(store: SqliteStore) -> None:
    """What went out with it is not told again every minute, and nothing more goes past it."""
    await put(store, BATCH + 10)
    link, clock = Strict(3), Stepping()
    async with telling(store, link, clock):
        await eventually(lambda: clock.naps == [REFUSED_S])
        assert link.heard == [1, 2, *range(4, BATCH + 1)]
        for minute in range(2, 5):
            clock.goes_on.set()
            await eventually(lambda minute=minute: len(clock.naps) == minute)  # type: ignore[misc]
        assert link.asked[BATCH:] == [3, 3, 3]
        assert await waiting(store) == [3, *range(BATCH + 1, BATCH + 11)]
        link.refused.clear()
        clock.goes_on.set()
        await eventually(lambda: len(link.heard) == BATCH + 10)
        assert link.heard[BATCH - 1 :] == [3, *range(BATCH + 1, BATCH + 11)]


async def test_behind_a_lost_connection_nothing_counts_as_told(store: SqliteStore) -> None:
    """Only an answer of the broker lets a later event be done before an earlier one."""
    await put(store, 6)
    link, clock = Strict(2), Stepping()
    link.lost = 4
    async with telling(store, link, clock):
        await eventually(lambda: clock.naps)
        assert await waiting(store) == [2, 4, 5, 6]
