"""Nodes that are included, named and removed while the link stands. By hand: the bed includes none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import msgspec
import pytest

from drivers.zwave.lock import ZwaveLock
from drivers.zwave.messages import NodeData
from drivers.zwave.network import Network
from drivers.zwave.node import Nodes
from drivers.zwave.numbers import CommandClass
from drivers.zwave.settings import ZwaveLockSettings
from gateway.domain.driver import AllCleared, LockDead, LockEvent, LockSeen
from tests.zwave.hand_network import Air, client_of, node_data, says_value, until
from tests.zwave.running import WallClock

DOOR = "Front door"


class House:
    """A network with one lock, configured by name."""

    def __init__(self, *nodes: NodeData) -> None:
        self.told: list[LockEvent] = []
        clock = WallClock()
        self.lock = ZwaveLock("front", ZwaveLockSettings(node_name=DOOR), clock, self.told.append)
        feed = cast("Any", SimpleNamespace(put=self.told.append))
        stubs = cast("Any", Air(20)), feed, cast("Any", SimpleNamespace(doubt=lambda _: None))
        self.network = Network({"front": self.lock}, *stubs, ZoneInfo("UTC"))
        self._nodes = Nodes(nodes)
        self.client = client_of(self._nodes)

    def includes(self, node: NodeData) -> None:
        """Take a node into the network."""
        told = msgspec.to_builtins(node)
        self._nodes.heed({"source": "controller", "event": "node added", "node": told})

    def removes(self, number: int) -> None:
        """Take a node out of it."""
        told = {"nodeId": number}
        self._nodes.heed({"source": "controller", "event": "node removed", "node": told, "reason": 0})

    def renames(self, number: int, name: str) -> None:
        """Give a node another name."""
        says_value(self._nodes, CommandClass.NODE_NAMING, "name", name, node=number)

    def is_at(self, number: int) -> bool:
        """Say whether the lock is that node."""
        return self.lock.node is not None and self.lock.node.node_id == number

    async def managed(self, number: int) -> None:
        """Wait until the lock is that node, and is managed."""
        await until(lambda: self.is_at(number) and self.lock.capabilities is not None)
        await until(lambda: any(isinstance(event, LockSeen) for event in self.told))


@asynccontextmanager
async def house(*nodes: NodeData) -> AsyncIterator[House]:
    """Let the link to such a network stand."""
    it = House(*nodes)
    it.network.attach(it.client)
    task = asyncio.create_task(it.network.serve(it.client))
    yield it
    task.cancel()


async def test_a_lock_that_takes_the_place_of_another_is_managed_when_that_one_goes() -> None:
    """It was included and named first; it has lost its codes."""
    old, new = node_data(7, DOOR), node_data(12, "")
    async with house(old) as it:
        await it.managed(7)
        it.told.clear()
        it.includes(new)
        it.renames(12, DOOR)
        assert it.is_at(7)
        it.removes(7)
        await it.managed(12)
        await until(lambda: AllCleared(device_id="front") in it.told)
        assert it.told[0] == LockDead(device_id="front")
        assert it.lock.problem is None


@pytest.mark.parametrize("is_removed", [True, False])
async def test_of_two_nodes_of_one_name_the_other_is_the_lock_once_one_goes(*, is_removed: bool) -> None:
    """Or has another name. It was there before, with all its codes."""
    one, other = node_data(7, DOOR), node_data(12, DOOR)
    async with house(one, other) as it:
        assert it.lock.problem is not None
        assert it.lock.problem.startswith("2 nodes")
        if is_removed:
            it.removes(7)
        else:
            it.renames(7, "Cellar")
        await it.managed(12)
        assert AllCleared(device_id="front") not in it.told


async def test_a_node_that_only_gets_its_name_back_has_lost_no_codes() -> None:
    """Somebody had renamed it while the hub was away."""
    node = node_data(7, "Hall")
    async with house(node) as it:
        it.renames(7, DOOR)
        await it.managed(7)
        assert AllCleared(device_id="front") not in it.told


async def test_a_removed_lock_says_so_until_there_is_another() -> None:
    """Nodes that are not meant change nothing of that."""
    node, lamp = node_data(7, DOOR), node_data(8, "Lamp")
    async with house(node, lamp) as it:
        await it.managed(7)
        it.removes(7)
        it.renames(8, "Bedside lamp")
        assert it.lock.problem == "it was removed from the network"
