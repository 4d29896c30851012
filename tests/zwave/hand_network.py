"""One lock and its network behind the driver's own connection, answered by hand: no server, no radio."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from zwave_js_server.const import NodeStatus

from drivers.zwave.feed import Feed
from drivers.zwave.lock import ZwaveLock
from drivers.zwave.network import Network
from drivers.zwave.settings import ZwaveLockSettings
from gateway.domain.driver import DriverError
from tests.zwave.running import WallClock

USER_CODE, NOTIFICATION = 99, 113


class Node:
    """A lock of which the interview told no number of slots."""

    def __init__(self) -> None:
        self.node_id, self.name, self.is_controller_node = 5, "door", False
        self.status, self.ready = NodeStatus.ALIVE, True
        self.manufacturer_id, self.product_type, self.product_id = 1, 2, 3
        self.command_classes = [SimpleNamespace(id=number, version=1) for number in (USER_CODE, NOTIFICATION)]
        self.values: dict[str, object] = {}
        self.dsk: str | None = None
        self.handlers: dict[str, Callable[[dict[str, Any]], None]] = {}

    def on(self, name: str, handler: Callable[[dict[str, Any]], None]) -> Callable[[], None]:
        """Take the handler of a kind of event."""
        self.handlers[name] = handler
        return lambda: None


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
async def examined(air: Air) -> AsyncIterator[tuple[ZwaveLock, Node]]:
    """Let a connection begin; the lock was examined once when the block begins."""
    clock, node = WallClock(), Node()
    feed = Feed(clock)
    lock = ZwaveLock("door", ZwaveLockSettings(node=5), clock, feed.put)
    stubs = cast("Any", air), feed, cast("Any", SimpleNamespace(doubt=lambda _: None))
    net = Network({"door": lock}, *stubs, ZoneInfo("UTC"))
    controller = SimpleNamespace(on=lambda *_: None, nodes={5: node})
    driver = SimpleNamespace(controller=controller, on=lambda *_: None)
    version = SimpleNamespace(home_id=1, driver_version="15.29.0")
    client = cast("Any", SimpleNamespace(driver=driver, version=version))
    net.attach(client)
    task = asyncio.create_task(net.serve(client))
    await until(lambda: air.asked == 1)
    yield lock, node
    task.cancel()


async def until(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    for _ in range(5000):
        if true():
            return
        await asyncio.sleep(0.001)
    pytest.fail("it never was")
