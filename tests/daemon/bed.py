"""A whole gateway with simulated locks, in this process, and somebody who talks to it over a real broker."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.config import Settings, load
from gateway.daemon import serve
from gateway.domain.clock import Clock
from tests.mqtt.broker import eventually

ROOT = "pinsmith/hub"
PINS = tuple(f"8{number}47192{number}" for number in range(1, 10))
"""Long enough that no time and no id has one by chance."""


def settings(folder: Path, port: int, *, mqtt_extra: str = "", locks: str | None = None) -> Settings:
    """Write a configuration below `folder` and read it; a readable lock `front` unless `locks` says else."""
    file = folder / "pinsmith.toml"
    file.write_text(
        f"""
        [gateway]
        id = "hub"
        time_zone = "Europe/Berlin"
        data_directory = "data"
        [mqtt]
        url = "mqtt://127.0.0.1:{port}"
        {mqtt_extra}
        [clock]
        untrusted_policy = "run"
        """
        + (locks or '[locks.front]\ndriver = "simulated"\n')
    )
    return load(file, {})


@contextlib.asynccontextmanager
async def running(
    how: Settings, seen_by: "Somebody | None" = None, *, clock: Clock | None = None
) -> AsyncIterator[None]:
    """Serve for as long as the block runs; begin it when `seen_by` heard of it."""
    task = asyncio.create_task(serve(how, clock=clock))
    try:
        if seen_by is not None:
            await online(seen_by)
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@dataclass(frozen=True)
class Message:
    """What somebody heard."""

    topic: str
    payload: bytes
    retain: bool
    correlation_data: bytes | None

    @property
    def json(self) -> dict[str, Any]:
        """The payload read as a JSON object; empty for an empty payload."""
        content: dict[str, Any] = json.loads(self.payload) if self.payload else {}
        return content


class Somebody:
    """A client with a session that outlives the broker's restarts; hears all it may."""

    def __init__(
        self, name: str, user: str | None = None, password: str | None = None, *, patience_s: float = 15.0
    ) -> None:
        self.name = name
        self.patience_s = patience_s
        """How long it waits for an answer."""
        self.heard: list[Message] = []
        self.subscribed = False
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=f"test-{name}", protocol=MQTTProtocolVersion.MQTTv5
        )
        self.client.username_pw_set(user, password)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = self._on_subscribe
        self.client.on_message = self._on_message
        self._numbers = itertools.count(1)

    def under(self, path: str) -> list[Message]:
        """Return what was heard below `path` of the root, oldest first."""
        return [message for message in self.heard if message.topic.startswith(f"{ROOT}/{path}")]

    def events(self) -> list[dict[str, Any]]:
        """Return the events heard, oldest first."""
        return [message.json for message in self.under("event/")]

    def event_types(self) -> list[str]:
        """Return the types of the events heard, oldest first."""
        return [event["event_type"] for event in self.events()]

    def last(self, path: str) -> dict[str, Any]:
        """Return the newest content of a topic."""
        return self.under(path)[-1].json

    async def send(
        self, topic: str, payload: bytes, *, retain: bool = False, properties: Properties | None = None
    ) -> None:
        """Publish and wait until the broker has it."""
        info = self.client.publish(topic, payload, 1, retain, properties)
        await eventually(info.is_published)

    async def ask(self, verb: str, *, transaction: str | None = None, **parameters: object) -> dict[str, Any]:
        """Send a command and return the first answer to it that comes now."""
        transaction = transaction or f"{self.name}-{next(self._numbers)}"
        already = len(self.heard)
        body = json.dumps({"transaction": transaction, **parameters}).encode()
        await self.send(f"{ROOT}/request/{self.name}/{verb}", body)

        def answers() -> list[dict[str, Any]]:
            new = [m for m in self.heard[already:] if m.topic == f"{ROOT}/response/{self.name}/{verb}"]
            return [message.json for message in new if message.json["transaction"] == transaction]

        await eventually(answers, self.patience_s)
        return answers()[0]

    async def create(self, pin: str, **parameters: str) -> str:
        """Create a code on `front`, wait until it is set and return its id."""
        answer = await self.ask(
            "access_codes/create", device_id="front", code=pin, transaction=None, **parameters
        )
        assert answer["status"] == "ok", answer
        code_id: str = answer["data"]["access_code"]["access_code_id"]
        await eventually(
            lambda: any(
                event["event_type"] == "access_code.set_on_device" and event["access_code_id"] == code_id
                for event in self.events()
            )
        )
        return code_id

    def _on_connect(self, client: mqtt.Client, *_: object) -> None:
        client.subscribe("#", 1)

    def _on_subscribe(self, *_: object) -> None:
        self.subscribed = True

    def _on_message(self, _client: mqtt.Client, _: object, message: mqtt.MQTTMessage) -> None:
        correlation = getattr(message.properties, "CorrelationData", None)
        self.heard.append(Message(message.topic, bytes(message.payload), message.retain, correlation))


@contextlib.asynccontextmanager
async def somebody(
    port: int,
    name: str = "app",
    *,
    user: str | None = None,
    password: str | None = None,
    patience_s: float = 15.0,
) -> AsyncIterator[Somebody]:
    """Connect somebody to a broker on loopback, who waits so long for each answer."""
    one = Somebody(name, user, password, patience_s=patience_s)
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho leaves it so
    properties.SessionExpiryInterval = 3600
    one.client.connect("127.0.0.1", port, clean_start=False, properties=properties)
    one.client.loop_start()
    try:
        await eventually(lambda: one.subscribed)
        yield one
    finally:
        one.client.disconnect()
        one.client.loop_stop()
        # paho's sockets would wait for the garbage collector in a cycle of callbacks.
        one.client.on_connect = one.client.on_subscribe = one.client.on_message = None


async def online(one: Somebody) -> None:
    """Wait until the gateway tells that it is there."""
    # A process that starts on a machine that is busy with other tests takes its time.
    state = "bridge/state"
    await eventually(lambda: one.under(state) and one.last(state) == {"state": "online"}, 60)
