"""One bed for the run; a broker, somebody and a gateway for every test."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import pytest_asyncio

from tests.daemon.bed import Somebody, somebody
from tests.e2e.bluetooth import Hub, written_settings
from tests.e2e.clock import PassingClock
from tests.e2e.house import NODES, TimedHouse, at_work, settings
from tests.mqtt.broker import Broker
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import BedConfig, Model

type Start = Callable[..., AbstractAsyncContextManager[TimedHouse]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def started_bed() -> AsyncIterator[ZwaveBed]:
    """Start one bed for the run."""
    async with ZwaveBed.start(BedConfig(nodes=tuple(NODES.values()))) as bed:
        yield bed


@pytest_asyncio.fixture
async def bed(started_bed: ZwaveBed) -> ZwaveBed:
    """Hand out the bed with every lock empty, healthy and uncounted."""
    await started_bed.reset()
    return started_bed


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    """A plain mosquitto that lets everybody in."""
    async with Broker(tmp_path) as running:
        yield running


@pytest.fixture
async def app(broker: Broker) -> AsyncIterator[Somebody]:
    """Somebody who gives commands and hears everything."""
    async with somebody(broker.port) as one:
        yield one


@pytest.fixture
def start(tmp_path: Path, bed: ZwaveBed, broker: Broker, app: Somebody) -> Start:
    """Start a gateway for locks of these models; it runs until the block ends."""

    def begin(*models: Model, clock: PassingClock | None = None) -> AbstractAsyncContextManager[TimedHouse]:
        return at_work(settings(tmp_path, bed, broker.port, *models), bed, app, clock)

    return begin


@pytest.fixture
async def hub(tmp_path: Path, broker: Broker, app: Somebody) -> AsyncIterator[Hub]:
    """A gateway with a lock of each family, none of them paired."""
    one = Hub(written_settings(tmp_path, broker.port), app)
    await one.start()
    try:
        yield one
    finally:
        await one.kill()
