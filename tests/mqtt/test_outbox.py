"""Events: all of them, in order, whatever becomes of broker and gateway in between."""

import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from drivers.simulated import keypad
from gateway.config import Settings
from gateway.daemon.wiring import Gateway
from gateway.domain.events import Event
from gateway.domain.pin import Pin
from gateway.domain.store import Tx
from gateway.mqtt.link_errors import LinkDown
from gateway.system_clock import SystemClock
from storage.keys import load_key
from storage.store import SqliteStore
from storage.vault import Vault
from tests.daemon.bed import PINS, Somebody, running, settings, somebody
from tests.daemon.with_clock import ShiftedClock
from tests.mqtt.broker import Broker, eventually

pytestmark = pytest.mark.mosquitto

THEN = datetime(2031, 7, 1, 12, 30, 15, 123000, tzinfo=UTC)


@pytest.fixture
def how(tmp_path: Path, broker: Broker) -> Settings:
    """A gateway with one simulated lock and the smallest outbox there may be."""
    return settings(tmp_path, broker.port, mqtt_extra="outbox_limit = 100")


@pytest.fixture
async def app(broker: Broker) -> AsyncIterator[Somebody]:
    """Somebody whom the broker keeps events for."""
    async with somebody(broker.port) as one:
        yield one


async def open_store(how: Settings) -> SqliteStore:
    """Open the store of a gateway that does not run."""
    data = how.gateway.data_directory
    return await SqliteStore.open(data, Vault(load_key(data, None)))


def event(number: int, event_type: str = "device.low_battery", **payload: float) -> Event:
    """Return an event like many others."""
    return Event(
        event_id=f"event-{number}",
        event_type=event_type,
        device_id="front",
        occurred_at=THEN,
        created_at=THEN + timedelta(seconds=number),
        payload=payload,
    )


async def put(how: Settings, *events: Event) -> None:
    """Store events that nobody has told yet."""
    store = await open_store(how)
    for one in events:
        await store.run(lambda tx, one=one: tx.emit(one))  # type: ignore[misc]
    await store.close()


class TestTelling:
    """What an event looks like and when it is told."""

    async def test_an_event_is_told_as_an_envelope_with_its_payload(
        self, how: Settings, app: Somebody
    ) -> None:
        """Times are UTC with milliseconds; it is not retained."""
        await put(how, event(1, battery_level=0.1))
        async with running(how):
            await eventually(app.events)
        message = app.under("event/")[0]
        assert message.topic.endswith("/event/front/device.low_battery")
        assert not message.retain
        assert message.json == {
            "event_id": "event-1",
            "seq": 1,
            "event_type": "device.low_battery",
            "device_id": "front",
            "access_code_id": None,
            "occurred_at": "2031-07-01T12:30:15.123Z",
            "created_at": "2031-07-01T12:30:16.123Z",
            "battery_level": 0.1,
        }

    async def test_what_was_told_is_not_told_again(
        self, how: Settings, app: Somebody, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A restart tells only what is new."""
        caplog.set_level(logging.DEBUG, logger="gateway.mqtt.outbox")
        await put(how, event(1))
        async with running(how):
            # Heard is not enough: without the broker's acknowledgement it would be told again, rightly.
            # Nor may the news that the lock was found be on its way when the first run ends.
            await eventually(lambda: "has the events up to 2" in caplog.text)
        await put(how, event(2))
        async with running(how):
            await eventually(lambda: len(app.events()) >= 3)
        assert [one["seq"] for one in app.events()] == [1, 2, 3]

    async def test_more_than_fits_at_once_comes_in_order(
        self, tmp_path: Path, broker: Broker, app: Somebody
    ) -> None:
        """Many batches of events arrive complete and in the order of their numbers."""
        how = settings(tmp_path, broker.port)
        await put(how, *(event(number) for number in range(350)))
        async with running(how):
            await eventually(lambda: len(app.events()) >= 350)
        assert [one["seq"] for one in app.events()][:350] == list(range(1, 351))

    async def test_what_happens_without_a_broker_is_told_later(
        self, how: Settings, app: Somebody, broker: Broker, tmp_path: Path
    ) -> None:
        """While the broker is down a person uses the lock; afterwards everything is told, in order."""
        folder, clock = tmp_path / "data/simulated", SystemClock()
        async with running(how, app):
            await app.create(PINS[0])
            await broker.kill()
            for _ in range(30):
                keypad.open_door(folder, "front", Pin(PINS[0]), at=clock.now())
                keypad.open_door(folder, "front", Pin(PINS[1]), at=clock.now())
            await broker.start()
            await eventually(lambda: app.event_types().count("lock.unlocked") >= 30)
            await eventually(lambda: app.event_types().count("lock.access_denied") >= 30)
        first = list(dict.fromkeys(one["seq"] for one in app.events()))
        assert all(later == earlier + 1 for earlier, later in pairwise(first))


class TestFailing:
    """Events that do not get through stay."""

    async def test_without_a_connection_nothing_counts_as_told(self, how: Settings) -> None:
        """What could not be published is still to be told."""
        await put(how, event(1), event(2))
        store = await open_store(how)
        with pytest.raises(LinkDown):
            await Gateway(how, store, SystemClock())._outbox._deliver()
        assert await store.run(lambda tx: tx.undelivered_count()) == 2
        await store.close()

    async def test_what_is_refused_stays_and_what_was_sent_with_it_is_done(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The broker refuses the third of four, and no other is told twice."""
        acl = "topic write pinsmith/hub/event/front/device.low_battery\ntopic read #\n"
        async with Broker(tmp_path, acl=acl) as strict, somebody(strict.port) as watcher:
            how = settings(tmp_path, strict.port)
            await put(how, event(1), event(2), event(3, "lock.unlocked"), event(4))
            async with running(how):
                await eventually(lambda: "The broker refuses events" in caplog.text)
                await eventually(lambda: len(watcher.events()) == 3)
        store = await open_store(how)
        # The fifth is that of the lock, found for the first time.
        assert [one.seq for one in await store.run(lambda tx: tx.undelivered(9))] == [3, 5]
        await store.close()


class TestRunningOutOfRoom:
    """A broker that stays away for too long."""

    async def test_the_unimportant_goes_first_and_the_gap_is_told(self, how: Settings) -> None:
        """Beyond the limit security events stay, a tenth is made free, and one event says what is missing."""
        store = await open_store(how)
        gateway = Gateway(how, store, SystemClock())
        for number in range(1, 106):
            kind = "lock.unlocked" if number <= 10 else "device.low_battery"
            await store.run(lambda tx, number=number, kind=kind: tx.emit(event(number, kind)))  # type: ignore[misc]
        await gateway._outbox.trim()
        left = await store.run(lambda tx: tx.undelivered(1000))
        await gateway._outbox.trim()
        assert await store.run(lambda tx: tx.undelivered_count()) == len(left)
        await store.close()
        assert [one.seq for one in left] == [*range(1, 11), *range(26, 107)]
        gap = left[-1].event
        assert (gap.event_type, gap.device_id) == ("gateway.gap", "hub")
        assert gap.payload == {"events_dropped": 15, "first_seq_dropped": 11}

    async def test_at_the_limit_nothing_is_dropped(self, how: Settings) -> None:
        """As many as allowed may wait."""
        store = await open_store(how)
        gateway = Gateway(how, store, SystemClock())
        for number in range(100):
            await store.run(lambda tx, number=number: tx.emit(event(number)))  # type: ignore[misc]
        await gateway._outbox.trim()
        assert await store.run(lambda tx: tx.undelivered_count()) == 100
        await store.close()

    async def test_a_running_gateway_makes_room_by_itself(self, tmp_path: Path, app: Somebody) -> None:
        """Too many events that wait are trimmed at the start, broker or not."""
        # Port 1: nobody listens there.
        away = settings(tmp_path, 1, mqtt_extra="outbox_limit = 100")
        await put(away, *(event(number) for number in range(150)))
        async with running(away):
            store = away.gateway.data_directory / "pinsmith.db"
            await eventually(lambda: b"gateway.gap" in _all_bytes(store))
        assert app.events() == []


def _all_bytes(database: Path) -> bytes:
    return b"".join(file.read_bytes() for file in database.parent.glob(f"{database.name}*"))


async def test_old_events_and_replies_are_dropped(how: Settings, app: Somebody) -> None:
    """What is older than its retention is gone after the start; what was not told stays until it was."""
    old = SystemClock().now() - timedelta(days=91)
    store = await open_store(how)

    def unit(tx: Tx) -> None:
        for number in (1, 2):
            tx.emit(
                Event(
                    event_id=f"old-{number}",
                    event_type="device.low_battery",
                    device_id="front",
                    occurred_at=old,
                    created_at=old,
                )
            )
        tx.mark_delivered([1], old)
        tx.save_reply("app", "access_codes/create", "t", b"digest of another body", b"{}", old)

    await store.run(unit)
    await store.close()
    async with running(how, app):
        await eventually(app.events)
        answer = await app.ask("access_codes/create", transaction="t", device_id="front")
        listed = await app.ask("events/list")
    assert answer["status"] == "ok"
    assert listed["data"]["events"][0]["event_id"] == "old-2"


async def test_a_jump_of_the_clock_that_is_in_doubt_makes_nothing_old(
    how: Settings, app: Somebody, tmp_path: Path
) -> None:
    """A reply is kept for seven days (rule 7); a year ahead by mistake, no command is carried out twice."""
    offset = tmp_path / "offset"
    order = {"transaction": "t", "device_id": "front"}
    async with running(how, app, clock=ShiftedClock(offset)):
        first = await app.ask("access_codes/create", **order)
    app.heard.clear()
    offset.write_text(str(timedelta(days=400).total_seconds()))
    async with running(how, app, clock=ShiftedClock(offset)):
        again = await app.ask("access_codes/create", **order)
    assert again == first
