"""What the link to the server shows to whoever watches over it."""

import asyncio
from random import Random
from types import SimpleNamespace
from typing import cast

from drivers.zwave.connection import Connection
from drivers.zwave.network import Network
from drivers.zwave.settings import ZwaveSettings
from gateway.domain.pulse import Beat
from tests.zwave.running import CountingClock


async def test_a_link_that_is_ended_while_it_sleeps_is_no_hanging() -> None:
    """Whoever comes after it may have to wait for hours until the new configuration is stored."""
    time, clock = [0.0], CountingClock()
    beat = Beat(lambda: time[0])
    network = cast("Network", SimpleNamespace(lost=lambda: None))
    connection = Connection(ZwaveSettings(url="ws://127.0.0.1:1"), network, clock, Random(7), beat)
    task = asyncio.create_task(connection.run())
    await clock.slept(2)
    task.cancel()
    await asyncio.wait({task})
    time[0] += 1_000_000
    assert beat.stuck() is None
