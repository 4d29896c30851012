"""Events on their way to the engine."""

import asyncio

import pytest

from drivers.simulated.models import READABLE
from drivers.zwave.feed import MOST_WAITING, Feed
from gateway.domain.driver import AuthorityLost, AuthorityUp, BatteryLevel, LockEvent, LockSeen, SlotTouched
from gateway.domain.handing_over import STORAGE_RETRY_S
from gateway.domain.lock import Identity
from gateway.domain.pulse import Beat, Limits
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


async def test_an_event_that_is_never_taken_is_told_and_waiting_is_life() -> None:
    """The engine hangs, and with it all that the locks tell; that there is nothing to tell is no reason."""
    time = [0.0]
    beat = Beat(lambda: time[0], Limits(memory_s=10))
    feed, sink = Feed(CountingClock()), Hanging()
    task = asyncio.create_task(feed.run(sink, beat))
    await asyncio.sleep(0)
    time[0] += 1_000_000
    assert beat.stuck() is None
    feed.put(battery(0.5))
    await sink.busy.wait()
    time[0] += 9
    assert beat.stuck() is None
    time[0] += 2
    assert beat.stuck() == "at the database, 1 s overdue"
    task.cancel()


class Hanging:
    """A sink that never comes back."""

    def __init__(self) -> None:
        self.busy = asyncio.Event()

    async def handle(self, _: LockEvent) -> None:
        self.busy.set()
        await asyncio.Event().wait()


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


LOST, UP = AuthorityLost(device_ids=("door",)), AuthorityUp(device_ids=("door",))
SEEN = LockSeen(
    device_id="door",
    identity=Identity(network="a", manufacturer="b", product="c"),
    capabilities=READABLE.capabilities,
)


@pytest.mark.parametrize("last", [(LOST, UP, SEEN), (LOST, UP, SEEN, LOST)])
async def test_whether_there_is_a_link_is_never_dropped(last: tuple[LockEvent, ...]) -> None:
    """The disk was full while the server came and went: the newest counts, in order, each kind once."""
    feed, told = Feed(CountingClock()), Told()
    for number in range(MOST_WAITING):
        feed.put(battery(number / MOST_WAITING))
    for event in last * 50:
        feed.put(event)
    task = asyncio.create_task(feed.run(told))
    newest = list(last[-2:])
    events = await told.until(lambda events: len(events) == MOST_WAITING + len(newest))
    assert events[MOST_WAITING:] == newest
    feed.put(LOST)
    assert await told.until(lambda events: len(events) == 1) == [LOST]
    task.cancel()


async def test_what_comes_before_an_older_word_of_the_link_was_stored_comes_after_it() -> None:
    """There is room again, but the link would seem to stand otherwise."""
    feed, sink = Feed(CountingClock()), Slow()
    for number in range(MOST_WAITING):
        feed.put(battery(number / MOST_WAITING))
    feed.put(UP)
    task = asyncio.create_task(feed.run(sink))
    await sink.busy.wait()
    feed.put(LOST)
    sink.go.set()
    events = await sink.told.until(lambda events: LOST in events)
    assert UP not in events[events.index(LOST) :]
    await asyncio.sleep(0)
    assert sink.told.events == []
    task.cancel()


class Slow:
    """A sink that waits with its first event."""

    def __init__(self) -> None:
        self.told = Told()
        self.busy, self.go = asyncio.Event(), asyncio.Event()

    async def handle(self, event: LockEvent) -> None:
        """Keep the event when let go."""
        self.busy.set()
        await self.go.wait()
        await self.told.handle(event)
