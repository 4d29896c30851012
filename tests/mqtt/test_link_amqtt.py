"""The embedded broker of the demo: MQTT 3.1.1 on loopback is enough for a first look."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from amqtt.broker import Broker

from tests.mqtt.broker import eventually, free_port
from tests.mqtt.link_bed import COMMANDS, bed

COMMAND = COMMANDS.replace("#", "app/create")


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """The port of a running amqtt broker."""
    # It logs whole payloads.
    logging.getLogger("amqtt").setLevel(logging.WARNING)
    at = free_port()
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{at}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await broker.start()
    yield at
    await broker.shutdown()


async def test_commands_go_in_and_events_go_out(port: int) -> None:
    """The link works against it as against mosquitto, in both directions."""
    hub, app = bed(port, "3.1.1"), bed(port, "3.1.1", client_id="app")
    async with hub.running() as link, app.running() as other:
        await asyncio.gather(*(other.publish(COMMAND, b"%d" % i) for i in range(10)))
        await eventually(lambda: len(hub.seen) == 10)
        await link.publish(COMMAND, b"event")
        await eventually(lambda: app.payloads[-1:] == [b"event"])
    assert hub.payloads[:10] == [b"%d" % i for i in range(10)]


@pytest.mark.slow
async def test_mqtt_5_is_answered_with_words(port: int) -> None:
    """Configured for MQTT 5 by mistake, the link says that the version may be wrong."""
    hub = bed(port, "5", keepalive_s=5)
    async with hub.running(connected=False):
        await eventually(lambda: hub.states)
    assert "version" in hub.states[0].message
