"""A broker that lost its last half hour in a power cut: what was emptied in it is emptied again."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Collection
from pathlib import Path
from typing import Any

import pytest

from gateway.config import Settings
from gateway.domain.store import Tx
from storage.keys import load_key
from storage.store import SqliteStore
from storage.vault import Vault
from tests.daemon.bed import PINS, ROOT, Somebody, running, settings, somebody
from tests.docs.test_mqtt_examples import PageClock
from tests.mqtt.broker import Broker, eventually

pytestmark = pytest.mark.mosquitto

GONE = "access_code/gone/state"
STALE = "homeassistant/device/pinsmith/hub-LOCK-gone/config"
ON = "[mqtt.homeassistant]\nenabled = true\n"
TWO = '[locks.front]\ndriver = "simulated"\n[locks.side]\ndriver = "simulated"\n'
DAY_S = 86_400


@pytest.fixture
def how(tmp_path: Path, broker: Broker) -> Settings:
    """A gateway with one simulated lock."""
    return settings(tmp_path, broker.port)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Where the hub remembers."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
async def app(broker: Broker) -> AsyncIterator[Somebody]:
    """Somebody who hears everything."""
    async with somebody(broker.port) as one:
        yield one


async def retained(broker: Broker) -> dict[str, bytes]:
    """Return what stands on the broker."""
    async with somebody(broker.port, "late") as late, somebody(broker.port, "probe") as probe:
        # Comes behind what is retained.
        await probe.send("probe", b"x")
        await eventually(lambda: any(message.topic == "probe" for message in late.heard))
        return {message.topic: message.payload for message in late.heard if message.retain}


async def becomes(broker: Broker, holds: Callable[[Collection[str]], bool]) -> None:
    """Wait until the topics that stand on the broker are such."""
    async with asyncio.timeout(20):
        while not holds(await retained(broker)):
            pass


class Saved:
    """What the broker wrote to its disk, and how it comes back."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self._file = folder / "mosquitto.db"
        self._broker = broker
        self._content = b""

    async def now(self) -> None:
        """Write, as mosquitto does every half hour."""
        await self._broker.stop()
        self._content = self._file.read_bytes()
        await self._broker.start()

    async def comes_back(self) -> None:
        """Cut the power, and forget what was not written."""
        await self._broker.kill()
        self._file.write_bytes(self._content)
        await self._broker.start()


async def remember(data: Path, unit: Callable[[Tx], None]) -> None:
    """Change what the hub, which does not run, remembers."""
    store = await SqliteStore.open(data, Vault(load_key(data, None)))
    await store.run(unit)
    await store.close()


async def remembered(data: Path, key: str) -> Any:  # noqa: ANN401 - JSON
    """Return what the hub, which does not run, remembers."""
    store = await SqliteStore.open(data, Vault(load_key(data, None)))
    try:
        stored = await store.run(lambda tx: tx.meta(key))
        return json.loads(stored or "null")
    finally:
        await store.close()


async def test_a_deleted_code_does_not_come_back(
    how: Settings, app: Somebody, tmp_path: Path, broker: Broker
) -> None:
    """Nobody else would ever empty a topic of which nobody knows any more."""
    saved = Saved(tmp_path, broker)
    async with running(how, app):
        code_id = await app.create(PINS[0])
        topic = f"{ROOT}/access_code/{code_id}/state"
        await eventually(lambda: app.under("access_code/") and app.under("access_code/")[-1].payload)
        await saved.now()
        await eventually(app.client.is_connected)
        await app.ask("access_codes/delete", access_code_id=code_id)
        await eventually(lambda: app.under("access_code/")[-1].payload == b"")
        await saved.comes_back()
        await becomes(broker, lambda topics: topic not in topics and f"{ROOT}/lock/front/state" in topics)


@pytest.mark.parametrize("extra", [ON, ""], ids=["used", "not used"])
async def test_discovery_of_a_removed_lock_does_not_come_back(
    tmp_path: Path, data: Path, broker: Broker, extra: str
) -> None:
    """Neither while Home Assistant is told of other locks nor when it is told nothing any more."""
    saved = Saved(tmp_path, broker)
    async with somebody(broker.port) as app:
        await app.send(STALE, b"{}", retain=True)
    await saved.now()
    await remember(data, lambda tx: tx.save_meta("homeassistant.topics", f'["{STALE}"]'))
    async with running(settings(tmp_path, broker.port, mqtt_extra=extra)):
        await becomes(broker, lambda topics: STALE not in topics)
        await saved.comes_back()
        await becomes(broker, lambda topics: STALE not in topics)


async def test_a_topic_that_is_in_use_again_stays(
    tmp_path: Path, data: Path, broker: Broker, app: Somebody
) -> None:
    """A lock that was given up and is configured again within a day."""
    both = settings(tmp_path, broker.port, mqtt_extra=ON, locks=TWO)
    topics = {f"{ROOT}/lock/side/state", STALE.replace("gone", "side")}
    async with running(both, app):
        await becomes(broker, lambda there: topics <= set(there))
    async with running(settings(tmp_path, broker.port, mqtt_extra=ON), app):
        assert (await app.ask("devices/forget", device_id="side"))["status"] == "ok"
        await becomes(broker, topics.isdisjoint)
    assert len(await remembered(data, "mqtt.emptied")) == 1
    before = len(app.heard)
    async with running(settings(tmp_path, broker.port, mqtt_extra=ON, locks=TWO), app):
        await becomes(broker, lambda there: topics <= set(there))
        await broker.kill()
        await broker.start()
        told = len(app.under("bridge/health"))
        await eventually(lambda: len(app.under("bridge/health")) > told)
        await becomes(broker, lambda there: topics <= set(there))
    assert [one.topic for one in app.heard[before:] if one.topic in topics and not one.payload] == []
    assert await remembered(data, "mqtt.emptied") == {}


@pytest.mark.parametrize("key", ["mqtt.emptied", "homeassistant.emptied"])
async def test_it_is_remembered_for_a_day(
    tmp_path: Path, data: Path, app: Somebody, broker: Broker, key: str
) -> None:
    """And emptied once more before it is forgotten: the power may have been away for as long."""
    clock = PageClock()
    how = settings(tmp_path, broker.port, mqtt_extra=ON)
    topic = {"mqtt.emptied": f"{ROOT}/{GONE}", "homeassistant.emptied": STALE}[key]
    behind = {f"{ROOT}/bridge/health", STALE.replace("-LOCK-gone", "")}

    def unit(tx: Tx) -> None:
        tx.add_tombstone(GONE)
        tx.save_meta("homeassistant.topics", f'["{STALE}"]')

    await remember(data, unit)
    for skipped_s, is_kept in ((0, True), (DAY_S - 600, True), (1200, False)):
        clock.skip(skipped_s)
        app.heard.clear()
        async with running(how, clock=clock):
            await eventually(lambda: {one.topic for one in app.heard} >= {topic, *behind})
        assert [one.payload for one in app.heard if one.topic == topic] == [b""]
        assert (topic in (await remembered(data, key) or {})) is is_kept
