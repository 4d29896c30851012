"""Retained topics that the broker refuses to empty: they are remembered until it takes that."""

import logging
from pathlib import Path

import pytest

from gateway.domain.pulse import Beat
from gateway.domain.store import Tx
from gateway.mqtt.health import Health
from gateway.mqtt.link_errors import PublishRefused
from gateway.mqtt.retained import Retained
from gateway.system_clock import SystemClock
from storage.keys import load_key
from storage.store import SqliteStore
from storage.vault import Vault
from tests.daemon.bed import ROOT, running, settings, somebody
from tests.mqtt.broker import Broker, eventually

GONE = "access_code/gone/state"
STALE = "homeassistant/device/pinsmith/hub-LOCK-gone/config"
BEHIND = {f"{ROOT}/bridge/health", "homeassistant/device/pinsmith/hub/config"}
ACL = "topic read #\ntopic write pinsmith/hub/bridge/#\ntopic write pinsmith/hub/event/#\n"


class Picky:
    """A broker that refuses the topics in `refused`."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.asked: list[tuple[str, bytes]] = []

    async def publish(self, topic: str, payload: bytes, *, retain: bool) -> None:
        """Take or refuse a message."""
        assert retain
        self.asked.append((topic, payload))
        if topic in self.refused:
            raise PublishRefused("not authorized")


@pytest.fixture
def retained() -> tuple[Picky, Retained]:
    """Topics on such a broker."""
    link, clock = Picky(), SystemClock()
    return link, Retained(link, Health(clock, dict), clock, Beat())  # type: ignore[arg-type]  # as much of a link as they use


async def test_what_is_refused_is_told_each_time_and_tried_once_a_connection(
    retained: tuple[Picky, Retained], caplog: pytest.LogCaptureFixture
) -> None:
    """The log says when it begins and when it is over."""
    caplog.set_level(logging.INFO)
    link, topics = retained
    link.refused = {"a"}
    both = {"a": b"", "b": b""}
    assert await topics.put(both) == {"a"}
    assert await topics.put(both) == {"a"}
    assert len(link.asked) == 2
    topics.forget()
    assert await topics.put({"b": b""}) == set()
    assert await topics.put(both) == {"a"}
    assert "takes retained states again" not in caplog.text
    link.refused = set()
    topics.forget()
    assert await topics.put(both) == set()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "takes retained states again" in caplog.text


async def test_what_is_forgotten_is_no_more_refused(
    retained: tuple[Picky, Retained], caplog: pytest.LogCaptureFixture
) -> None:
    """A topic that nobody wants to tell any more would keep the trouble for ever."""
    caplog.set_level(logging.INFO)
    link, topics = retained
    link.refused = {"a"}
    assert await topics.put({"a": b""}) == {"a"}
    topics.forget(["a"])
    assert await topics.put({"b": b""}) == set()
    assert "takes retained states again" in caplog.text


@pytest.fixture
async def remembering(tmp_path: Path) -> Path:
    """A memory with a topic of a code and one for Home Assistant to be emptied."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    store = await SqliteStore.open(data, Vault(load_key(data, None)))

    def unit(tx: Tx) -> None:
        tx.add_tombstone(GONE)
        tx.save_meta("homeassistant.topics", f'["{STALE}"]')

    await store.run(unit)
    await store.close()
    return data


async def remembered(data: Path) -> tuple[list[str], str | None]:
    """Return what is still to be emptied: below the root, and for Home Assistant."""
    store = await SqliteStore.open(data, Vault(load_key(data, None)))
    try:
        return await store.run(lambda tx: (list(tx.tombstones()), tx.meta("homeassistant.topics")))
    finally:
        await store.close()


@pytest.mark.mosquitto
async def test_an_emptying_that_is_refused_is_made_up_for(tmp_path: Path, remembering: Path) -> None:
    """Once the access list is put right, the next connection takes away what is gone."""
    async with Broker(tmp_path, acl=ACL) as broker:
        how = settings(tmp_path, broker.port)
        async with running(how), somebody(broker.port) as app:
            await eventually(
                lambda: (
                    app.under("bridge/health")
                    and app.last("bridge/health")["counters"].get("states_refused", 0) >= 2
                )
            )
    assert await remembered(remembering) == ([GONE], f'["{STALE}"]')
    async with Broker(tmp_path) as broker:
        how = settings(tmp_path, broker.port, mqtt_extra="[mqtt.homeassistant]\nenabled = true\n")
        async with somebody(broker.port) as app, running(how):
            # Each comes behind what is emptied; what the broker kept from before does not count.
            await eventually(lambda: {one.topic for one in app.heard if not one.retain} >= BEHIND)
    tombstones, topics = await remembered(remembering)
    assert (tombstones, STALE in (topics or "")) == ([], False)
