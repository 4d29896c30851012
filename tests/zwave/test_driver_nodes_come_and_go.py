"""Nodes that are included, named and removed while the link stands. By hand: the bed includes none."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast, override
from zoneinfo import ZoneInfo

import pytest
from zwave_js_server.const import CommandClass

from drivers.zwave.lock import ZwaveLock
from drivers.zwave.network import Network
from drivers.zwave.settings import ZwaveLockSettings
from gateway.domain.driver import AllCleared, LockDead, LockEvent, LockSeen
from tests.zwave.hand_network import Air, Node, until
from tests.zwave.running import WallClock

DOOR = "Front door"


class Named(Node):
    """A node with a number and a name, that tells everybody who listens."""

    def __init__(self, number: int, name: str) -> None:
        super().__init__()
        self.node_id, self.name = number, name
        self.data: dict[str, object] = {}
        self.listeners: defaultdict[str, list[Callable[[dict[str, Any]], None]]] = defaultdict(list)

    @override
    def on(self, name: str, handler: Callable[[dict[str, Any]], None]) -> Callable[[], None]:
        self.listeners[name].append(handler)
        return lambda: self.listeners[name].remove(handler)

    def is_renamed(self, name: str) -> None:
        """Give it another name, as the server tells it."""
        self.name = name
        args = {"commandClass": CommandClass.NODE_NAMING, "property": "name", "newValue": name}
        for handler in list(self.listeners["value updated"]):
            handler({"args": args})


class House:
    """A network with one lock, configured by name."""

    def __init__(self, *nodes: Named) -> None:
        self.told: list[LockEvent] = []
        clock = WallClock()
        self.lock = ZwaveLock("front", ZwaveLockSettings(node_name=DOOR), clock, self.told.append)
        feed = cast("Any", SimpleNamespace(put=self.told.append))
        stubs = cast("Any", Air(20)), feed, cast("Any", SimpleNamespace(doubt=lambda _: None))
        self.network = Network({"front": self.lock}, *stubs, ZoneInfo("UTC"))
        self._nodes = {node.node_id: node for node in nodes}
        self._listeners: dict[str, Callable[[dict[str, Any]], None]] = {}
        controller = SimpleNamespace(on=self._listeners.__setitem__, nodes=self._nodes)
        driver = SimpleNamespace(controller=controller, on=lambda *_: None)
        version = SimpleNamespace(home_id=1, driver_version="15.29.0")
        self.client = cast("Any", SimpleNamespace(driver=driver, version=version))

    def includes(self, node: Named) -> None:
        """Take a node into the network."""
        self._nodes[node.node_id] = node
        self._listeners["node added"]({"node": node})

    def removes(self, node: Named) -> None:
        """Take a node out of it, as the library does: it is gone before that is told."""
        del self._nodes[node.node_id]
        self._listeners["node removed"]({"node": node})

    async def managed(self, node: Named) -> None:
        """Wait until the lock is that of a node, and is managed."""
        await until(lambda: self.lock.node is cast("Any", node) and self.lock.capabilities is not None)
        await until(lambda: any(isinstance(event, LockSeen) for event in self.told))


@asynccontextmanager
async def house(*nodes: Named) -> AsyncIterator[House]:
    """Let the link to such a network stand."""
    it = House(*nodes)
    it.network.attach(it.client)
    task = asyncio.create_task(it.network.serve(it.client))
    yield it
    task.cancel()


async def test_a_lock_that_takes_the_place_of_another_is_managed_when_that_one_goes() -> None:
    """It was included and named first; it has lost its codes."""
    old, new = Named(7, DOOR), Named(12, "")
    async with house(old) as it:
        await it.managed(old)
        it.told.clear()
        it.includes(new)
        new.is_renamed(DOOR)
        assert it.lock.node is cast("Any", old)
        it.removes(old)
        await it.managed(new)
        await until(lambda: AllCleared(device_id="front") in it.told)
        assert it.told[0] == LockDead(device_id="front")
        assert it.lock.problem is None


@pytest.mark.parametrize("is_removed", [True, False])
async def test_of_two_nodes_of_one_name_the_other_is_the_lock_once_one_goes(*, is_removed: bool) -> None:
    """Or has another name. It was there before, with all its codes."""
    one, other = Named(7, DOOR), Named(12, DOOR)
    async with house(one, other) as it:
        assert it.lock.problem is not None
        assert it.lock.problem.startswith("2 nodes")
        if is_removed:
            it.removes(one)
        else:
            one.is_renamed("Cellar")
        await it.managed(other)
        assert AllCleared(device_id="front") not in it.told


async def test_a_node_that_only_gets_its_name_back_has_lost_no_codes() -> None:
    """Somebody had renamed it while the hub was away."""
    node = Named(7, "Hall")
    async with house(node) as it:
        node.is_renamed(DOOR)
        await it.managed(node)
        assert AllCleared(device_id="front") not in it.told


async def test_a_removed_lock_says_so_until_there_is_another() -> None:
    """Nodes that are not meant change nothing of that."""
    node, lamp = Named(7, DOOR), Named(8, "Lamp")
    async with house(node, lamp) as it:
        await it.managed(node)
        it.removes(node)
        lamp.is_renamed("Bedside lamp")
        assert it.lock.problem == "it was removed from the network"
