"""A broker for every test about the daemon."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.daemon.bed import Somebody, somebody
from tests.mqtt.broker import Broker


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
