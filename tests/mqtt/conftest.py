"""Brokers for every test about MQTT."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.mqtt.broker import Broker, Peer, peer


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    """A plain mosquitto that lets everybody in."""
    async with Broker(tmp_path) as running:
        yield running


@pytest.fixture
async def other(broker: Broker) -> AsyncIterator[Peer]:
    """Somebody else on the plain broker, who hears everything."""
    async with peer(broker.port) as somebody:
        yield somebody
