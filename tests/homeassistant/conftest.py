"""A broker with the documented access list, a hub, a Home Assistant, and who else is there."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.daemon.bed import Somebody, somebody
from tests.homeassistant.bed import AUTOMATIONS, DOCS, INSTALLED, NOTICES, PASSWORDS, Hub
from tests.homeassistant.house import House, house
from tests.mqtt.broker import Broker


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    """With the access list of the documentation, and a topic for what automations tell."""
    acl = (DOCS / "mosquitto.acl").read_text() + NOTICES
    async with Broker(tmp_path, passwords=PASSWORDS, acl=acl) as one:
        yield one


@pytest.fixture
async def hub(tmp_path: Path, broker: Broker) -> AsyncIterator[Hub]:
    """A hub that runs."""
    one = Hub(tmp_path, broker.port)
    await one.start()
    yield one
    await one.stop()


@pytest.fixture
async def alice(broker: Broker) -> AsyncIterator[Somebody]:
    """Somebody who gives commands."""
    async with somebody(broker.port, "alice", user="alice", password=PASSWORDS["alice"]) as one:
        yield one


@pytest.fixture
async def watcher(broker: Broker) -> AsyncIterator[Somebody]:
    """Somebody who hears what automations tell, and events."""
    async with somebody(broker.port, "watcher", user="watcher", password=PASSWORDS["watcher"]) as one:
        yield one


@pytest.fixture
async def home(tmp_path: Path, broker: Broker) -> AsyncIterator[House]:
    """Home Assistant with the MQTT integration."""
    async with house(Path(str(INSTALLED)) / "hass", tmp_path / "house", AUTOMATIONS) as one:
        await one.add_broker(broker.port, "homeassistant", PASSWORDS["homeassistant"])
        yield one
