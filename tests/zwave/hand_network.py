"""A network behind the driver's own connection, told and answered by hand: no server, no radio."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import msgspec
import pytest

from drivers.zwave.client import Client
from drivers.zwave.feed import Feed
from drivers.zwave.lock import ZwaveLock
from drivers.zwave.messages import ClassData, EndpointData, NodeData, Version
from drivers.zwave.network import Network
from drivers.zwave.node import Nodes
from drivers.zwave.numbers import CommandClass, NodeStatus
from drivers.zwave.settings import ZwaveLockSettings
from gateway.domain.driver import DriverError
from tests.zwave.running import WallClock

NODE = 5
PLAIN = {CommandClass.USER_CODE: 1, CommandClass.NOTIFICATION: 1}
"""What a lock offers, by version. The interview of it told no number of slots."""


def node_data(
    number: int = NODE,
    name: str = "door",
    *,
    offers: dict[CommandClass, int] = PLAIN,
    manufacturer: int = 1,
    dsk: str | None = None,
) -> NodeData:
    """Return what the server says of a lock that is alive and interviewed."""
    classes = tuple(ClassData(id=class_, version=version) for class_, version in offers.items())
    return NodeData(
        node_id=number,
        name=name,
        status=NodeStatus.ALIVE,
        ready=True,
        manufacturer_id=manufacturer,
        product_type=2,
        product_id=3,
        dsk=dsk,
        endpoints=(EndpointData(index=0, command_classes=classes),),
    )


def client_of(nodes: Nodes, home_id: int = 1) -> Client:
    """Return a connection that knows these nodes and nothing more."""
    version = Version(driver_version="15.29.0", server_version="3.10.2", home_id=home_id)
    return cast("Client", SimpleNamespace(nodes=nodes, version=version))


def says(nodes: Nodes, event: str, node: int = NODE, **more: object) -> None:
    """Let the server tell an event of a node."""
    nodes.heed({"source": "node", "event": event, "nodeId": node, **more})


def says_ready(nodes: Nodes, data: NodeData) -> None:
    """Let the server tell that the interview of a node is complete, and what it knows of it."""
    says(nodes, "ready", data.node_id, nodeState=msgspec.to_builtins(data))


def says_value(nodes: Nodes, command_class: int, name: str, value: object, *, node: int = NODE) -> None:
    """Let the server tell a value of a node."""
    args = {"commandClass": int(command_class), "property": name, "newValue": value}
    says(nodes, "value updated", node, args=args)


class Air:
    """The way to that node; `answers` are those to the question for its slots, the last for good."""

    def __init__(self, *answers: int | DriverError | dict[str, int] | None) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.up = True

    def connect(self, _: object) -> None:
        """Do nothing."""

    async def server_command(self, *_: object, **__: object) -> None:
        """Do nothing."""

    async def endpoint_command(self, *_: object) -> dict[str, Any]:
        """Tell what the interview left open."""
        return {"capabilities": {"maxUsers": 0, "supportsUsersWithoutCredentials": False}}

    async def from_server(self, *_: object) -> bool:
        """Say that there is no checksum."""
        return False

    async def on_air(self, *_: object) -> int | dict[str, int] | None:
        """Answer, or not."""
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, DriverError):
            raise answer
        return answer


@asynccontextmanager
async def examined(air: Air) -> AsyncIterator[tuple[ZwaveLock, Nodes]]:
    """Let a connection begin; the lock was examined once when the block begins."""
    clock, nodes = WallClock(), Nodes((node_data(),))
    feed = Feed(clock)
    lock = ZwaveLock("door", ZwaveLockSettings(node=NODE), clock, feed.put)
    stubs = cast("Any", air), feed, cast("Any", SimpleNamespace(doubt=lambda _: None))
    net = Network({"door": lock}, *stubs, ZoneInfo("UTC"))
    client = client_of(nodes)
    net.attach(client)
    task = asyncio.create_task(net.serve(client))
    await until(lambda: air.asked == 1)
    yield lock, nodes
    task.cancel()


async def until(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    for _ in range(5000):
        if true():
            return
        await asyncio.sleep(0.001)
    pytest.fail("it never was")
