"""The broker that is measured with, and who talks to it."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.daemon.bed import Somebody, somebody
from tests.mqtt.broker import Broker


@asynccontextmanager
async def broker_and_app(folder: Path) -> AsyncIterator[tuple[int, Somebody]]:
    """Run an ordinary mosquitto; yield its port and somebody who gives commands without delay.

    It is set up as mosquitto is unless told otherwise. That of the tests saves after every message, so as to
    survive being killed, which costs more than the gateway.
    """
    async with (
        Broker(folder, extra="autosave_on_changes false\nautosave_interval 1800") as broker,
        somebody(broker.port) as app,
    ):
        # Else the kernel holds a command back until the broker acknowledged what was sent before: 40 ms.
        opened = app.client.socket()
        assert isinstance(opened, socket.socket)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield broker.port, app
