"""Events on their way to the engine."""

import asyncio

import pytest

from drivers.zwave.feed import MOST_WAITING, STORAGE_RETRY_S, Feed
from gateway.domain.driver import BatteryLevel, LockEvent, SlotTouched
from gateway.domain.store import StorageFailed
from tests.zwave.running import CountingClock, Told


def battery(level: float) -> BatteryLevel:
    """Return an event that differs from others by its level."""
    return BatteryLevel(device_id="door", level=level)


async def test_events_that_do_not_fit_make_the_lock_be_looked_at() -> None:
    """What was dropped is unknown, so all slots have to be read."""
    feed, told = Feed(CountingClock()), Told()
    for number in range(MOST_WAITING + 3):
        feed.put(battery(number / MOST_WAITING))
    task = asyncio.create_task(feed.run(told))
    events = await told.until(lambda events: len(events) > MOST_WAITING)
    task.cancel()
    assert events[:-1] == [battery(number / MOST_WAITING) for number in range(MOST_WAITING)]
    assert events[-1] == SlotTouched(device_id="door", slot=None)


async def test_an_event_is_kept_until_it_is_stored() -> None:
    """A full disk loses nothing and changes no order."""
    clock = CountingClock()
    feed, sink = Feed(clock), Failing(StorageFailed(), times=2)
    feed.put(battery(0.5))
    feed.put(battery(0.4))
    task = asyncio.create_task(feed.run(sink))
    assert await sink.told.until(lambda events: len(events) == 2) == [battery(0.5), battery(0.4)]
    task.cancel()
    assert clock.pauses == [STORAGE_RETRY_S, STORAGE_RETRY_S]


async def test_an_event_that_the_engine_stumbles_over_silences_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is logged by its kind, without what the error says."""
    feed, sink = Feed(CountingClock()), Failing(ValueError("4711"), times=1)
    feed.put(battery(0.5))
    feed.put(battery(0.4))
    task = asyncio.create_task(feed.run(sink))
    assert await sink.told.until(lambda events: len(events) == 1) == [battery(0.4)]
    task.cancel()
    assert "BatteryLevel was not taken: ValueError" in caplog.text
    assert "4711" not in caplog.text


class Failing:
    """A sink that fails some times before it works."""

    def __init__(self, error: Exception, *, times: int) -> None:
        self._error = error
        self._times = times
        self.told = Told()

    async def handle(self, event: LockEvent) -> None:
        """Fail, or keep the event."""
        if self._times > 0:
            self._times -= 1
            raise self._error
        await self.told.handle(event)


class Paced:
    """A sink that takes an event in, and is busy with it until let go."""

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
    feed, sink = Feed(CountingClock()), Paced()
    for level in (0.5, 0.4, 0.3):
        feed.put(battery(level))
    task = asyncio.create_task(feed.run(sink))
    await sink.busy.wait()
    task.cancel()
    await asyncio.wait([task])
    assert sink.taken == [battery(0.5), battery(0.4), battery(0.3)]
