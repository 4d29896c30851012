"""Another root: what was retained below the one before, and who it was about."""

import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.config import load
from gateway.domain.store import Tx
from gateway.mqtt.link import Link
from gateway.mqtt.link_errors import LinkDown
from storage.keys import load_key
from storage.store import SqliteStore
from storage.vault import Vault
from tests.daemon.bed import PINS, ROOT, Somebody, running, settings, somebody
from tests.mqtt.broker import Broker, eventually

pytestmark = pytest.mark.mosquitto

OTHER = "elsewhere/house"
GONE = "access_code/gone/state"
ELSEWHERE = f'root = "{OTHER}"'
ONLY_ELSEWHERE = f"topic read #\ntopic write {OTHER}/#\n"


async def remember(folder: Path, emptied: dict[str, str]) -> None:
    """Have the hub, which does not run yet, come from another root and remember these topics."""
    data = folder / "data"
    data.mkdir(mode=0o700)
    store = await SqliteStore.open(data, Vault(load_key(data, None)))

    def unit(tx: Tx) -> None:
        tx.save_meta("mqtt.root", OTHER)
        tx.save_meta("mqtt.emptied", json.dumps(emptied))

    await store.run(unit)
    await store.close()


async def remembered(folder: Path) -> dict[str, str]:
    """Return the topics that the hub, which does not run any more, will empty again."""
    data = folder / "data"
    store = await SqliteStore.open(data, Vault(load_key(data, None)))
    try:
        stored = await store.run(lambda tx: tx.meta("mqtt.emptied"))
        found: dict[str, str] = json.loads(stored or "{}")
        return found
    finally:
        await store.close()


async def told(app: Somebody, root: str) -> None:
    """Wait until a hub that starts has told below this root how it and its lock are."""
    topics = {f"{root}/lock/front/state", f"{root}/bridge/health"}
    await eventually(lambda: {one.topic for one in app.heard if one.payload and not one.retain} >= topics)


async def test_codes_are_taken_off_the_former_root(tmp_path: Path, broker: Broker) -> None:
    """Those that are, with names of guests perhaps, and those that were still to be emptied there."""
    async with somebody(broker.port) as app:
        async with running(settings(tmp_path, broker.port), app):
            code_id = await app.create(PINS[0])
            state = f"access_code/{code_id}/state"
            await eventually(lambda: app.under(state))
        store = await SqliteStore.open(tmp_path / "data", Vault(load_key(tmp_path / "data", None)))
        await store.run(lambda tx: tx.add_tombstone(GONE))
        await store.close()
        app.heard.clear()
        async with running(settings(tmp_path, broker.port, mqtt_extra=f'root = "{OTHER}"')):
            former = {f"{ROOT}/{state}", f"{ROOT}/{GONE}"}
            await eventually(lambda: {one.topic for one in app.heard if not one.payload} >= former)
            heard = {one.topic: one.payload for one in app.heard}
        assert heard[f"{OTHER}/{state}"]
        assert heard[f"{OTHER}/bridge/health"]
        assert f"{OTHER}/{GONE}" not in heard


async def test_going_back_shows_the_codes_again(tmp_path: Path, broker: Broker) -> None:
    """Also within the day in which they are remembered as emptied there."""
    async with somebody(broker.port) as app:
        async with running(settings(tmp_path, broker.port), app):
            code_id = await app.create(PINS[0])
        async with running(settings(tmp_path, broker.port, mqtt_extra=f'root = "{OTHER}"')):
            await eventually(lambda: any(one.topic == f"{OTHER}/bridge/health" for one in app.heard))
        app.heard.clear()
        async with running(settings(tmp_path, broker.port)):
            await eventually(lambda: app.under("bridge/health"))
            assert app.last(f"access_code/{code_id}/state")["status"] == "set"


async def test_a_broker_that_ends_the_connection_over_them_is_told_all_else(
    tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And only for a day, also where it never takes them."""
    refused: list[str] = []
    publish = Link.publish

    async def ends(link: Link, topic: str, payload: bytes, **how: Any) -> None:  # noqa: ANN401 - as it came
        if topic.startswith(ROOT):
            refused.append(topic)
            link.generation += 1
            raise LinkDown
        await publish(link, topic, payload, **how)

    monkeypatch.setattr(Link, "publish", ends)
    now = datetime.now(UTC)
    old, new = f"{ROOT}/access_code/old/state", f"{ROOT}/access_code/new/state"
    times = {old: now - timedelta(days=1, hours=1), new: now - timedelta(hours=1)}
    await remember(tmp_path, {topic: at.isoformat() for topic, at in times.items()})
    async with somebody(broker.port) as app, running(settings(tmp_path, broker.port, mqtt_extra=ELSEWHERE)):
        await told(app, OTHER)
        await eventually(lambda: refused.count(new) > 1)
    assert refused.count(old) == 1
    assert set(await remembered(tmp_path)) == {new}


@pytest.mark.parametrize("first", [ELSEWHERE, ""], ids=["first another id", "both at once"])
async def test_a_copied_card_leaves_the_codes_of_the_hub_before(
    tmp_path: Path, broker: Broker, first: str
) -> None:
    """It gets an id of its own, and the other one goes on with the same codes below the old root."""
    async with somebody(broker.port) as app:
        async with running(settings(tmp_path, broker.port, mqtt_extra=first)):
            await told(app, OTHER if first else ROOT)
            request = {"transaction": "1", "device_id": "front", "code": PINS[0]}
            verb = f"{OTHER if first else ROOT}/request/app/access_codes/create"
            await app.send(verb, json.dumps(request).encode())
            await eventually(lambda: any("/access_code/" in one.topic for one in app.heard))
        for extra in dict.fromkeys([first, ""]):
            settings(tmp_path, broker.port, mqtt_extra=extra)
            file = tmp_path / "pinsmith.toml"
            file.write_text(file.read_text().replace('id = "hub"', 'id = "copy"'))
            app.heard.clear()
            async with running(load(file, {})):
                await told(app, OTHER if extra else "pinsmith/copy")
    assert await remembered(tmp_path) == {}


async def test_an_access_list_for_the_new_root_alone_is_right(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody is sent to look for a mistake in it."""
    caplog.set_level(logging.INFO)
    topic = f"{ROOT}/{GONE}"
    await remember(tmp_path, {topic: datetime.now(UTC).isoformat()})
    async with Broker(tmp_path, acl=ONLY_ELSEWHERE) as broker, somebody(broker.port) as app:
        async with running(settings(tmp_path, broker.port, mqtt_extra=ELSEWHERE)):
            await told(app, OTHER)
            await eventually(lambda: f"'{topic}'" in broker.log())
            # The minute's report would show what was counted.
            await broker.kill()
            app.heard.clear()
            await broker.start()
            await told(app, OTHER)
        health = [one.json for one in app.heard if one.topic == f"{OTHER}/bridge/health"]
    assert "states_refused" not in health[-1]["counters"]
    assert "refuses retained states" not in caplog.text
