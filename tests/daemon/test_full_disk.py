"""A disk that is full while the hub runs, on a real broker."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from gateway.daemon import serve
from gateway.domain.store import StorageFailed, Tx
from storage.store import SqliteStore
from tests.daemon.bed import Somebody, running, settings
from tests.mqtt.broker import Broker, eventually

pytestmark = pytest.mark.mosquitto


def may_grow(store: SqliteStore, *, more: int) -> Callable[[Tx], None]:
    """Return a unit that sets the limit of the database's size, in its own thread."""

    def unit(_: Tx) -> None:
        connection: sqlite3.Connection = store._connection
        [pages] = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + more}")

    return unit


async def test_health_tells_of_it_until_something_could_be_stored_again(
    broker: Broker, app: Somebody, tmp_path: Path
) -> None:
    """While commands that cannot be stored come again and again."""
    opened: list[SqliteStore] = []
    really = SqliteStore.open

    async def noted(*given: Any, **more: Any) -> SqliteStore:  # noqa: ANN401 - passed on
        opened.append(await really(*given, **more))
        return opened[0]

    def trouble() -> str | None:
        told: str | None = app.last("bridge/health")["storage_trouble"]
        return told

    with patch.object(SqliteStore, "open", noted):
        async with running(settings(tmp_path, broker.port), app):
            await eventually(lambda: app.under("bridge/health"))
            [store] = opened
            await store.run(may_grow(store, more=0))
            for number in range(20):
                body = b'{"transaction":"%d","device_id":"front","name":"%s"}' % (number, b"x" * 200)
                await app.send("pinsmith/hub/request/app/access_codes/create", body)
            await eventually(trouble, 30)
            # Every try tells of its failure, and to tell it the database is read.
            await eventually(lambda: app.last("bridge/health")["mqtt"]["not_stored"] >= 3, 60)
            await store.run(may_grow(store, more=1000))
            await eventually(lambda: trouble() is None, 60)
    told = [message.json["storage_trouble"] is not None for message in app.under("bridge/health")]
    # In between, what needs no room may be stored, and that is news.
    came_and_went = [failed for failed, _ in groupby(told)]
    assert came_and_went[:2] == [False, True]
    assert came_and_went[-1] is False


async def test_a_start_on_a_full_disk_fails_and_says_so(broker: Broker, tmp_path: Path) -> None:
    """Whoever watches over the daemon tries again; nothing is half done meanwhile."""
    really = SqliteStore.open

    async def full(*given: Any, **more: Any) -> SqliteStore:  # noqa: ANN401 - passed on
        store = await really(*given, **more)
        await store.run(may_grow(store, more=0))
        return store

    locks = "".join(f'[locks.door-{number}]\ndriver = "simulated"\n' for number in range(60))
    how = settings(tmp_path, broker.port, locks=locks)
    with (
        patch.object(SqliteStore, "open", full),
        pytest.raises(StorageFailed, match="disk is full: free"),
    ):
        await serve(how)
    with closing(sqlite3.connect(tmp_path / "data/pinsmith.db")) as database:
        assert database.execute("SELECT count(*) FROM device").fetchone() == (0,)
