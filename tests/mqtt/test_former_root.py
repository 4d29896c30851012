"""Another root: what was retained below the one before, and who it was about."""

from pathlib import Path

import pytest

from storage.keys import load_key
from storage.store import SqliteStore
from storage.vault import Vault
from tests.daemon.bed import PINS, ROOT, running, settings, somebody
from tests.mqtt.broker import Broker, eventually

pytestmark = pytest.mark.mosquitto

OTHER = "elsewhere/house"
GONE = "access_code/gone/state"


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
            await eventually(lambda: any(one.topic == f"{OTHER}/bridge/health" for one in app.heard))
            heard = {one.topic: one.payload for one in app.heard}
        assert heard[f"{ROOT}/{state}"] == heard[f"{ROOT}/{GONE}"] == b""
        assert heard[f"{OTHER}/{state}"]
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
