"""Retained topics: what the broker holds is what is, and never a PIN."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from drivers.simulated import keypad
from gateway.config import Settings
from gateway.domain.pin import Pin
from gateway.system_clock import SystemClock
from storage.keys import load_key
from storage.store import SqliteStore
from storage.vault import Vault
from tests.daemon.bed import PINS, ROOT, Somebody, running, settings, somebody
from tests.mqtt.broker import Broker, eventually

pytestmark = pytest.mark.mosquitto

LOCKS = Path("data/simulated")


@pytest.fixture
def how(tmp_path: Path, broker: Broker) -> Settings:
    """A gateway with one simulated lock."""
    return settings(tmp_path, broker.port)


@pytest.fixture
async def app(broker: Broker) -> AsyncIterator[Somebody]:
    """Somebody who hears everything."""
    async with somebody(broker.port) as one:
        yield one


def code_state(one: Somebody, code_id: str) -> dict[str, Any]:
    """Return the newest state of a code; empty when emptied or never told."""
    told = one.under(f"access_code/{code_id}/state")
    return told[-1].json if told else {}


class TestTheHub:
    """`bridge/...`."""

    async def test_tells_that_it_is_there_what_it_is_and_how(
        self, how: Settings, app: Somebody, broker: Broker
    ) -> None:
        """Who comes late finds state, description and health; at the end the state is offline."""
        async with running(how, app):
            await eventually(lambda: app.under("bridge/health"))
            async with somebody(broker.port, "late") as late:
                await eventually(lambda: len(late.under("bridge/")) == 3)
                assert all(message.retain for message in late.under("bridge/"))
                info, health = late.last("bridge/info"), late.last("bridge/health")
        assert (info["gateway_id"], info["device_ids"]) == ("hub", ["front"])
        assert any("believed without synchronisation" in warning for warning in info["warnings"])
        assert health["memory_rss_bytes"] > 10_000_000
        assert (health["storage_trouble"], health["mqtt"]["state"]) == (None, "connected")
        await eventually(lambda: app.last("bridge/state") == {"state": "offline"})

    async def test_says_again_that_it_is_there_after_the_broker_was_killed(
        self, how: Settings, app: Somebody, broker: Broker
    ) -> None:
        """The broker tells the will when it is back itself, so the hub must contradict it."""
        async with running(how, app):
            before = len(app.under("bridge/state"))
            await broker.kill()
            await broker.start()
            await eventually(lambda: len(app.under("bridge/state")) > before)
            await eventually(lambda: app.last("bridge/state") == {"state": "online"})


class TestLocksAndCodes:
    """`lock/...` and `access_code/...`."""

    async def test_show_what_is_without_names_and_dates(
        self, how: Settings, app: Somebody, broker: Broker
    ) -> None:
        """By default guests stay anonymous on topics that everybody may read."""
        async with running(how, app):
            code_id = await app.create(PINS[0], name="Ada Guest", ends_at="2035-01-01T00:00:00Z")
            await eventually(lambda: code_state(app, code_id).get("status") == "set")
            await eventually(lambda: app.last("lock/front/state")["counts"]["on_lock"] == 1)
            async with somebody(broker.port, "late") as late:
                await eventually(lambda: code_state(late, code_id))
                assert late.under("access_code/")[-1].retain
        assert not {"name", "appearance", "starts_at", "ends_at", "code"} & code_state(app, code_id).keys()

    async def test_show_names_where_that_is_wanted(
        self, tmp_path: Path, broker: Broker, app: Somebody
    ) -> None:
        """`mqtt.publish_names` shows name and dates, and still no PIN."""
        async with running(settings(tmp_path, broker.port, mqtt_extra="publish_names = true"), app):
            code_id = await app.create(PINS[0], name="Ada Guest", ends_at="2035-01-01T00:00:00Z")
            await eventually(lambda: code_state(app, code_id))
        state = code_state(app, code_id)
        assert (state["name"], state["ends_at"]) == ("Ada Guest", "2035-01-01T00:00:00.000Z")
        assert "code" not in state

    async def test_are_emptied_when_the_code_is_gone(
        self, how: Settings, app: Somebody, broker: Broker
    ) -> None:
        """A deleted code leaves nothing on the broker once it is off the lock."""
        async with running(how, app):
            code_id = await app.create(PINS[0])
            await eventually(lambda: code_state(app, code_id))
            await app.ask("access_codes/delete", access_code_id=code_id)
            topic = f"access_code/{code_id}/state"
            await eventually(lambda: app.under(topic)[-1].payload == b"")
            async with somebody(broker.port, "late") as late:
                await eventually(lambda: late.under("bridge/health"))
                assert late.under("access_code/") == []

    async def test_are_emptied_also_after_a_restart(
        self, how: Settings, app: Somebody, tmp_path: Path
    ) -> None:
        """A topic to be emptied is remembered until the broker acknowledged, and no longer."""
        await app.send(f"{ROOT}/access_code/gone/state", b"{}", retain=True)
        data = tmp_path / "data"
        store = await SqliteStore.open(data, Vault(load_key(data, None)))
        await store.run(lambda tx: tx.add_tombstone("access_code/gone/state"))
        await store.close()
        async with running(how, app):
            await eventually(lambda: app.under("access_code/gone/state")[-1].payload == b"")
            await eventually(lambda: app.under("bridge/health"))
        store = await SqliteStore.open(data, Vault(load_key(data, None)))
        assert await store.run(lambda tx: tx.tombstones()) == []
        await store.close()

    async def test_come_back_to_a_broker_that_forgot_everything(
        self, how: Settings, app: Somebody, tmp_path: Path, broker: Broker
    ) -> None:
        """On every new connection all states are published."""
        async with running(how, app):
            code_id = await app.create(PINS[0])
            await eventually(lambda: code_state(app, code_id))
            await broker.stop()
            (tmp_path / "mosquitto.db").unlink()
            await broker.start()
            async with somebody(broker.port, "late") as late:
                await eventually(lambda: code_state(late, code_id).get("status") == "set")
                await eventually(lambda: late.under("lock/front/state"))

    async def test_are_published_only_when_they_changed(self, how: Settings, app: Somebody) -> None:
        """Commands that change nothing and looks at the lock leave the states alone."""
        async with running(how, app):
            code_id = await app.create(PINS[0])
            await eventually(lambda: code_state(app, code_id).get("status") == "set")
            await eventually(lambda: app.last("lock/front/state")["counts"]["slots_not_read_yet"] == 0)
            before = len(app.under(f"access_code/{code_id}"))
            await app.ask("devices/pause", device_id="front")
            await eventually(lambda: app.last("lock/front/state")["is_paused"])
            # What was published with the pause arrives before what is published with its end.
            await app.ask("devices/resume", device_id="front")
            await eventually(lambda: not app.last("lock/front/state")["is_paused"])
            assert len(app.under(f"access_code/{code_id}")) == before


async def test_no_pin_is_ever_seen_outside_the_replies(
    how: Settings, app: Somebody, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Creating, changing, editing by hand, refusing and deleting: topics, log and files hold no PIN."""
    caplog.set_level(logging.DEBUG)
    clock = SystemClock()
    folder = tmp_path / LOCKS
    async with running(how, app):
        changed, edited = await app.create(PINS[0]), await app.create(PINS[1])
        await app.ask("access_codes/update", access_code_id=changed, code=PINS[2])
        refused = await app.ask("access_codes/create", device_id="front", code=PINS[2])
        assert refused["error"]["type"] == "duplicate_access_code"
        await app.ask("access_codes/create", device_id="front", code=PINS[3] + "9", starts_at=PINS[3])
        slot = next(slot for slot, held in keypad.show(folder, "front").items() if held.pin == Pin(PINS[1]))
        keypad.set_code(folder, "front", slot, Pin(PINS[4]), at=clock.now())
        keypad.set_code(folder, "front", None, Pin(PINS[5]), at=clock.now())
        keypad.open_door(folder, "front", Pin(PINS[6]), at=clock.now())
        keypad.open_door(folder, "front", Pin(PINS[0]), at=clock.now())
        # Right after an own write the lock's report counts as its echo, so the hub is told to look.
        await app.ask("devices/sync", device_id="front")
        seen = {"access_code.modified_external_to_gateway", "lock.access_denied"}
        await eventually(lambda: seen <= set(app.event_types()))
        await app.ask("access_codes/delete", access_code_id=edited)
        await eventually(lambda: "access_code.deleted" in app.event_types())
        await app.ask("events/list")
        await app.ask("plan/get")
    private = (f"{ROOT}/request/", f"{ROOT}/response/app/access_codes/")
    walked = [message for message in app.heard if not message.topic.startswith(private)]
    assert len(walked) > 20
    found = [
        message.topic for message in walked for value in _texts(message.json) for pin in PINS if pin in value
    ]
    assert found == []
    assert not any(pin in line for line in caplog.text.splitlines() for pin in PINS)
    stored = b"".join(file.read_bytes() for file in (tmp_path / "data").glob("pinsmith.db*"))
    assert stored
    assert not any(pin.encode() in stored for pin in PINS)
    assert not any(task.get_name() == "link" for task in asyncio.all_tasks())


def _texts(value: object) -> list[str]:
    """Return everything in a JSON value that could be read: keys, texts and numbers, at any depth."""
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in _texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    return [json.dumps(value)]
