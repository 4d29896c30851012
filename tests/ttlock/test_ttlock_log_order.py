"""The lock's log, by its order and length: each record is told once, and old history never."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest

from gateway.domain.driver import AccessDenied, CodeUsed, DriverError, LockEvent
from tests.ble_bed.ttlock.lock import VirtualLock
from tests.ble_bed.virtual import in_virtual_time
from tests.ttlock.direct import Direct
from tests.ttlock.home import code, home
from tests.ttlock.test_ttlock_log import read_log

LOG = 0x25
ORDERS = pytest.mark.parametrize("backwards", [False, True])


def falling(lock: VirtualLock) -> None:
    """Go from the newest record to the oldest."""
    lock.log_backwards = True


def in_use(at: Direct, records: int, *, backwards: bool, page: int = 2) -> None:
    """Make it a lock with a history of half a year, openings and wrong codes."""
    at.lock.log_backwards, at.lock.page = backwards, page
    at.lock.store(code("4711"))
    at.lock.journal.records.clear()
    for number in range(records):
        then = at.lock.face() - timedelta(days=200) + timedelta(minutes=number)
        at.lock.journal.note(4 if number % 2 else 7, then, 90, "4711", "4711")


async def told(at: Direct, asked_to_stop: Callable[[], bool] = lambda: False) -> list[LockEvent]:
    """Have the log read after a restart of the hub; return what was told of people at the door."""
    events: list[LockEvent] = []

    async def sink(event: LockEvent) -> None:
        if isinstance(event, (CodeUsed, AccessDenied)):
            events.append(event)

    with suppress(DriverError):
        async with at.session() as session:
            await session.read_log(sink, asked_to_stop)
    return events


async def opened(at: Direct, times: int) -> None:
    """Type the code in, once a minute."""
    for _ in range(times):
        await at.clock.sleep(60)
        assert at.lock.type_in("4711")


@pytest.mark.parametrize("pages", range(1, 6))
@in_virtual_time
async def test_stopping_leaves_nothing_untold(pages: int) -> None:
    """Somebody waits for the lock after some pages: the older records come with the next reading."""
    at = Direct(falling)
    at.lock.store(code("4711"))
    await told(at)
    await opened(at, 10)
    before = at.lock.asked.count(LOG)
    first = await told(at, lambda: at.lock.asked.count(LOG) - before == pages)
    assert len(first) == 2 * pages
    rest = await told(at)
    assert len({event.at for event in (*first, *rest) if isinstance(event, CodeUsed)}) == 10
    assert len(first) + len(rest) == 10
    assert await told(at) == []


@in_virtual_time
async def test_a_link_that_breaks_wherever_it_does_leaves_nothing_untold() -> None:
    """Twice in a row, and with new records in between."""
    places = 0
    for answers in range(1, 30):
        at = Direct(falling)
        at.lock.store(code("4711"))
        await told(at)
        events = []
        for more in (10, 3):
            await opened(at, more)
            at.wire.answers_left = answers
            events += await told(at)
            places += at.wire.has_broken
        at.wire.answers_left = None
        events += await told(at)
        moments = [event.at for event in events if isinstance(event, CodeUsed)]
        assert (len(moments), len(set(moments))) == (13, 13), f"it broke at answer {answers}"
    assert places > 10, "the link held"


@ORDERS
@in_virtual_time
async def test_more_records_than_are_known_again_are_told_once(*, backwards: bool) -> None:
    """And a log with nothing new in it costs a question or two, however long it is."""
    at = Direct(falling if backwards else lambda _: None)
    at.lock.store(code("4711"))
    await told(at)
    for _ in range(3):
        await opened(at, 40)
        assert len(await told(at)) == 40
        before = at.lock.asked.count(LOG)
        assert await told(at) == []
        assert at.lock.asked.count(LOG) - before <= 2


@in_virtual_time
async def test_what_one_reading_does_not_reach_of_a_falling_log_is_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It would be in reach only through all that is newer, again and again. It is said."""
    at = Direct(falling)
    at.lock.store(code("4711"))
    await told(at)
    await opened(at, 140)
    assert len(await told(at)) == 128
    assert "the oldest records are left out" in caplog.text
    assert await told(at) == []
    await opened(at, 1)
    assert len(await told(at)) == 1


@ORDERS
@in_virtual_time
async def test_history_is_no_news_after_a_first_reading_that_broke_off(*, backwards: bool) -> None:
    """Wherever the link broke. What happened since is told."""
    for answers in range(1, 20):
        at = Direct(lambda _: None)
        in_use(at, 12, backwards=backwards)
        at.wire.answers_left = answers
        assert await told(at) == []
        at.wire.answers_left = None
        assert await told(at) == []
        await opened(at, 1)
        assert len(await told(at)) == 1


@ORDERS
@in_virtual_time
async def test_history_is_no_news_where_it_is_longer_than_one_reading(*, backwards: bool) -> None:
    """The first reading takes several connections, or ends where history begins."""
    at = Direct(lambda _: None)
    in_use(at, 900, backwards=backwards, page=8)
    for _ in range(3):
        assert await told(at) == []
    await opened(at, 1)
    assert len(await told(at)) == 1


@in_virtual_time
async def test_an_opening_is_told_although_the_lock_showed_another_year_after_an_empty_log() -> None:
    """The log of a new lock has no history: what comes is news, whenever the lock says that it was."""
    at = Direct(lambda _: None)
    await told(at)
    at.lock.cut_power()
    at.lock.codes.append(code("4711"))
    assert at.lock.type_in("4711")
    assert len(await told(at)) == 1


@in_virtual_time
async def test_a_log_is_not_begun_while_the_hub_does_not_know_the_time() -> None:
    """It could not tell history from news. The lock keeps both until it can."""
    async with home() as at:
        at.knows_time = False
        at.lock.store(code("4711"))
        at.lock.journal.note(4, at.lock.face() - timedelta(days=200), 90, "4711", "4711")
        at.lock.type_in("4711")
        assert await read_log(at) == []
        at.knows_time = True
        assert len([event for event in await read_log(at) if isinstance(event, CodeUsed)]) == 1
