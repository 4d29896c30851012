"""A Z-Wave network with locks that have something wrong with them."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.doctor.network import NODES
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import BedConfig


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def started_network() -> AsyncIterator[ZwaveBed]:
    """Start one bed for the run."""
    async with ZwaveBed.start(BedConfig(nodes=tuple(NODES.values()))) as bed:
        yield bed


@pytest_asyncio.fixture
async def network(started_network: ZwaveBed) -> ZwaveBed:
    """Hand out the bed with every lock healthy."""
    await started_network.reset()
    return started_network
