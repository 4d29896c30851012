"""Events on their way from Bluetooth locks to the engine."""

import asyncio

from drivers.ble.feed import Feed
from gateway.domain.driver import BatteryLevel, LockEvent
from gateway.system_clock import SystemClock


class Paced:
    """A sink that is busy with the first event until it is cancelled."""

    def __init__(self) -> None:
        self.taken: list[LockEvent] = []
        self.busy = asyncio.Event()

    async def handle(self, event: LockEvent) -> None:
        self.taken.append(event)
        self.busy.set()
        if len(self.taken) == 1:
            await asyncio.Event().wait()


async def test_what_was_heard_before_the_end_is_stored() -> None:
    """A driver that is replaced, or a daemon that ends, takes nothing with it."""
    feed, sink = Feed(SystemClock()), Paced()
    events = [BatteryLevel(device_id="door", level=level) for level in (0.5, 0.4, 0.3)]
    for event in events:
        feed.put(event)
    task = asyncio.create_task(feed.run(sink))
    await sink.busy.wait()
    task.cancel()
    await asyncio.wait([task])
    assert sink.taken == events
