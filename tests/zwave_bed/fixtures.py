"""Fixtures for tests against the bed. Import both into the conftest.py of the tests that use them."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import MODELS, BedConfig, NodeConfig

FIRST_NODE = 2  # 1 is the controller
NODES = {
    model: NodeConfig(node_id=FIRST_NODE + place, model=model, name=model, location="Bed")
    for place, model in enumerate(MODELS)
}
"""One lock of every model, as the shared bed has them."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_zwave_bed() -> AsyncIterator[ZwaveBed]:
    """Start one bed for all tests of the run, with one lock of every model."""
    async with ZwaveBed.start(BedConfig(nodes=tuple(NODES.values()))) as bed:
        yield bed


@pytest_asyncio.fixture
async def zwave_bed(running_zwave_bed: ZwaveBed) -> ZwaveBed:
    """Hand out the shared bed with every lock empty, healthy and uncounted."""
    await running_zwave_bed.reset()
    return running_zwave_bed
