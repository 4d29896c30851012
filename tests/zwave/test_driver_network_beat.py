"""What the examination of the nodes shows to whoever watches over it."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

from drivers.zwave.lock import ZwaveLock
from drivers.zwave.network import Network
from drivers.zwave.node import Nodes
from drivers.zwave.settings import ZwaveLockSettings
from gateway.domain.pulse import Beat, Limits
from tests.zwave.hand_network import Air, client_of, node_data
from tests.zwave.running import WallClock
from tests.zwave.test_driver_clocks_beat import rounds


class Held(Air):
    """An air that keeps every question until it is let go."""

    def __init__(self) -> None:
        super().__init__(30)
        self.free = asyncio.Event()

    async def on_air(self, *_: object) -> int | dict[str, int] | None:
        """Answer once it may."""
        await self.free.wait()
        return await super().on_air()


async def test_an_examination_that_never_ends_is_told_and_waiting_is_life() -> None:
    """Locks whose turn comes behind it would never be managed."""
    time, air = [0.0], Held()
    beat = Beat(lambda: time[0], Limits(radio_s=100))
    lock = ZwaveLock("door", ZwaveLockSettings(node=5), WallClock(), lambda _: None)
    feed, clocks = SimpleNamespace(put=lambda _: None), SimpleNamespace(doubt=lambda _: None)
    network = Network({"door": lock}, *cast("tuple[Any, Any, Any]", (air, feed, clocks)), ZoneInfo("UTC"))
    client = client_of(Nodes((node_data(),)))
    network.attach(client)
    task = asyncio.create_task(network.serve(client, beat))
    await rounds()
    time[0] += 99
    assert beat.stuck() is None
    time[0] += 2
    assert beat.stuck() == "at the radio, 1 s overdue"
    air.free.set()
    await rounds()
    assert lock.capabilities is not None
    assert beat.stuck() is None
    time[0] += 1_000_000
    assert beat.stuck() is None
    task.cancel()
