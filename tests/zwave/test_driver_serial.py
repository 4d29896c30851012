"""The serial number, by which a lock is told from another of its model: how often it is asked for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, override
from zoneinfo import ZoneInfo

from drivers.zwave.lock import ZwaveLock
from drivers.zwave.network import Network
from drivers.zwave.node import Nodes
from drivers.zwave.numbers import CommandClass
from drivers.zwave.settings import ZwaveLockSettings
from gateway.domain.driver import DriverError, LockEvent, LockSeen, LockUnreachable, Refused
from gateway.domain.placement import Refusal
from tests.zwave.hand_network import (
    NODE,
    PLAIN,
    Air,
    client_of,
    node_data,
    says,
    says_ready,
    says_value,
    until,
)
from tests.zwave.running import WallClock

MANUFACTURER_SPECIFIC = CommandClass.MANUFACTURER_SPECIFIC


class Door(Air):
    """A lock that answers with `serials`, one for each question; None is a lost answer."""

    def __init__(self, *serials: str | DriverError | None, version: int = 2, dsk: str | None = None) -> None:
        super().__init__(30)
        self.serials = list(serials)
        self.questions = 0
        self.data = node_data(offers=PLAIN | {MANUFACTURER_SPECIFIC: version}, dsk=dsk)
        self.told: list[LockEvent] = []
        self.lock = ZwaveLock("door", ZwaveLockSettings(node=NODE), WallClock(), self.told.append)
        feed, clocks = SimpleNamespace(put=self.told.append), SimpleNamespace(doubt=lambda _: None)
        stubs: tuple[Any, Any, Any] = self, feed, clocks
        self._network = Network({"door": self.lock}, *stubs, ZoneInfo("UTC"))

    def disconnect(self) -> None:
        """Do nothing."""

    @override
    async def on_air(self, *args: Any) -> Any:
        if args[1] != MANUFACTURER_SPECIFIC:
            return 30
        self.questions += 1
        answer = self.serials.pop(0)
        if isinstance(answer, DriverError):
            raise answer
        if answer is not None:
            says_value(self.nodes, MANUFACTURER_SPECIFIC, "deviceId", answer)
        return answer

    @asynccontextmanager
    async def link(self, home_id: int = 1) -> AsyncIterator[None]:
        """Keep a connection; when the block begins the lock was met."""
        self.nodes = Nodes((self.data,))
        client = client_of(self.nodes, home_id)
        self._network.attach(client)
        task = asyncio.create_task(self._network.serve(client))
        await self.met()
        yield
        task.cancel()
        self._network.lost()

    async def says(self, event: str) -> str | None:
        """Let something happen to the lock; return the serial number with which it is introduced then."""
        if event == "ready":
            says_ready(self.nodes, self.data)
        else:
            says(self.nodes, event)
        return await self.met()

    async def met(self) -> str | None:
        """Wait until the lock is introduced."""
        await until(lambda: any(isinstance(event, LockSeen) for event in self.told))
        [seen] = [event for event in self.told if isinstance(event, LockSeen)]
        self.told.clear()
        self.seen = seen.identity
        return seen.identity.serial


async def test_a_lost_answer_is_asked_for_at_the_next_sign_of_life() -> None:
    """Otherwise another lock on this node would pass for the one before until the hub is started anew."""
    door = Door(None, "of a stranger")
    async with door.link():
        assert await door.says("node info received") == "of a stranger"
        says(door.nodes, "node info received")
        await asyncio.sleep(0.01)
        assert not any(isinstance(event, LockSeen) for event in door.told)
    assert door.questions == 2


async def test_after_three_questions_in_vain_it_is_left_alone() -> None:
    """Each may wake it three times."""
    door = Door(None, None, None)
    async with door.link():
        for _ in range(2):
            assert await door.says("node info received") is None
        says(door.nodes, "node info received")
        await asyncio.sleep(0.01)
        assert not any(isinstance(event, LockSeen) for event in door.told)
    assert door.questions == 3


async def test_a_lock_that_tells_no_serial_number_is_not_woken_by_each_connection() -> None:
    """A server that is started again and again would empty its batteries."""
    door = Door(None)
    for _ in range(3):
        async with door.link():
            pass
    assert door.questions == 1


async def test_another_network_and_another_interview_are_reasons_to_ask() -> None:
    """The node may be another lock by now."""
    door = Door(None, None, None)
    async with door.link():
        pass
    async with door.link(home_id=2):
        says(door.nodes, "interview started")
        assert await door.says("ready") is None
    assert door.questions == 3


async def test_a_no_is_an_answer_and_an_unreachable_lock_is_asked_when_it_comes_back() -> None:
    """A refusal comes from the server: nothing is lost."""
    door = Door(Refused(Refusal.OTHER, "the lock does not offer this"))
    async with door.link():
        says(door.nodes, "node info received")
        await asyncio.sleep(0.01)
    assert door.questions == 1
    door = Door(LockUnreachable("no acknowledgement"), "ours")
    async with door.link():
        says(door.nodes, "dead")
        assert await door.says("alive") == "ours"


async def test_a_lock_is_introduced_with_its_key_too() -> None:
    """The server knows it of each lock that was included with S2, without asking."""
    door = Door("ours", dsk="11111-22222")
    async with door.link():
        assert door.seen.dsk == "11111-22222"


async def test_an_older_lock_is_never_asked() -> None:
    """Version 1 has no such question."""
    door = Door(version=1)
    async with door.link():
        says(door.nodes, "node info received")
        await asyncio.sleep(0.01)
    assert door.questions == 0
