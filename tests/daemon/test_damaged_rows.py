"""One row that does not open, in a whole gateway: the other lock is served, and it is told once."""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.daemon.bed import PINS, Somebody, running, settings
from tests.mqtt.broker import Broker, eventually

pytestmark = pytest.mark.mosquitto

LOCKS = '[locks.front]\ndriver = "simulated"\n[locks.back]\ndriver = "simulated"\n'


async def test_the_hub_starts_and_serves_the_other_lock(
    broker: Broker, app: Somebody, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Health and one line of the log name lock and table and say what to do, until the lock is forgotten."""
    how = settings(tmp_path, broker.port, locks=LOCKS)
    async with running(how, app):
        await app.create(PINS[0])
    with closing(sqlite3.connect(tmp_path / "data/pinsmith.db", isolation_level=None)) as database:
        [sealed] = database.execute("SELECT pin FROM access_code").fetchone()
        database.execute("UPDATE access_code SET pin = ?", (bytes([sealed[0], sealed[1] ^ 1]) + sealed[2:],))
    app.heard.clear()
    with caplog.at_level(logging.INFO):
        async with running(how, app):
            await eventually(lambda: app.under("bridge/health") and _trouble(app))
            assert "front: a row of `access_code` does not open" in _trouble(app)
            assert (await app.ask("access_codes/list"))["error"]["type"] == "internal_error"
            made = await app.ask("access_codes/create", device_id="back", code=PINS[1])
            assert made["status"] == "ok"
            await eventually(lambda: "access_code.set_on_device" in app.event_types())
            assert (await app.ask("devices/forget", device_id="front"))["status"] == "ok"
            await eventually(lambda: not _trouble(app))
            assert len((await app.ask("access_codes/list"))["data"]["access_codes"]) == 1
    told = [record for record in caplog.records if "does not open" in record.getMessage()]
    assert [(record.levelno, record.name) for record in told] == [(logging.ERROR, "storage.store")]
    assert PINS[0] not in caplog.text


def _trouble(app: Somebody) -> str:
    return app.last("bridge/health")["storage_trouble"] or ""
