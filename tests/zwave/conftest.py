"""One bed for all tests of the Z-Wave driver."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.zwave.running import NODES
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import BedConfig


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
