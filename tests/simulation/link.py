"""The way to the broker and back, with the losses of a real link: what outbox and intake of one life see."""

import asyncio
from typing import TYPE_CHECKING

from gateway.mqtt.link_errors import LinkDown
from tests.simulation.crash import Process

if TYPE_CHECKING:
    from tests.simulation.world import World

ROOT = "pinsmith/hub"
EVENTS, REQUESTS = f"{ROOT}/event/", f"{ROOT}/request/"


class SimLink:
    """Publishes in the order of the calls; what is on its way when a connection breaks fails with it."""

    def __init__(self, world: "World", process: Process) -> None:
        """Connect, if the broker is there."""
        self._world = world
        self._process = process
        self._connection = 0
        self._line = asyncio.Lock()
        self.connected = asyncio.Event()
        self.answers: dict[bytes, bytes] = {}
        """What was answered, by correlation data."""
        if world.broker_up:
            self.connected.set()

    def came(self) -> None:
        """Connect: the broker is back."""
        self.connected.set()

    def went(self) -> None:
        """Lose the connection."""
        self._connection += 1
        self.connected.clear()

    async def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        qos: int = 1,
        correlation_data: bytes | None = None,
    ) -> None:
        """Deliver, and return when the broker has acknowledged. Raises LinkDown."""
        del retain, qos
        connection, fate = self._connection, self._world.fate
        async with self._line:
            self._process.check()
            fate.maybe_die(self._process, "before a message")
            await asyncio.sleep(0.002)
            self._process.check()
            if connection != self._connection or not self._world.broker_up:
                raise LinkDown
            if topic.startswith(EVENTS):
                self._world.broker.receive(payload)
            elif correlation_data is not None:
                self.answers[correlation_data] = payload
            fate.maybe_die(self._process, "after a message")
            if fate.happens("ack_lost"):
                # The connection breaks after all; the next one is there at once.
                self._connection += 1
                raise LinkDown
