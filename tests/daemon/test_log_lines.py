"""What the log says of broker and database, which the whole hub needs: once in, once out."""

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.domain.store import StorageFailed, Tx
from gateway.mqtt.link_log import STEADY_S, LinkLog
from gateway.mqtt.link_state import CONNECTED, LOST, NOT_STORED, TAKEN_OVER, LinkState
from storage.store import SqliteStore
from storage.vault import Vault
from tests.daemon.bed import Somebody, running, settings
from tests.heard import the_end, troubles
from tests.mqtt.broker import Broker, eventually


@pytest.mark.mosquitto
@pytest.mark.slow
async def test_a_broker_that_goes_and_comes_back_is_two_lines_and_one_reason(
    tmp_path: Path, broker: Broker, app: Somebody, caplog: pytest.LogCaptureFixture
) -> None:
    """That it broke, why it cannot be made again, and that it is back."""
    caplog.set_level(logging.DEBUG, logger="gateway")
    async with running(settings(tmp_path, broker.port), app):
        caplog.clear()
        await broker.kill()
        await eventually(lambda: caplog.text.count("Nothing listens") >= 1)
        await broker.start()
        await eventually(lambda: "Connected to the broker again" in caplog.text)
        said = troubles(caplog.records, "broker_away")
        tried, _, words = the_end(caplog.records, "broker_away")
    assert said == [
        ("WARNING", "broker_away", "begins", None),
        ("WARNING", "broker_away", "begins", None),
        ("INFO", "broker_away", "ends", None),
    ]
    assert tried is not None
    assert tried >= 1
    assert "failed attempt" in words


@pytest.mark.slow
async def test_a_full_disk_is_two_lines_however_often_it_is_tried(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A real database that may not grow. That it can still be read from does not end the trouble."""
    caplog.set_level(logging.DEBUG)
    now = [0.0]
    store = await SqliteStore.open(tmp_path / "data", Vault(bytes(32)), boot=lambda: now[0])
    await store.run(lambda tx: tx.save_meta("before", "kept"))
    await store.run(_may_grow(store, more=0))
    for _ in range(5):
        now[0] += 10
        with pytest.raises(StorageFailed):
            await store.run(_much)
        assert await store.run(lambda tx: tx.meta("before")) == "kept"
    await store.run(_may_grow(store, more=10_000))
    await store.run(_much)
    await store.close()
    assert troubles(caplog.records, "storage") == [
        ("ERROR", "storage", "begins", None),
        ("INFO", "storage", "ends", None),
    ]
    assert the_end(caplog.records, "storage")[:2] == (5, 40)


def _much(tx: Tx) -> None:
    for number in range(500):
        tx.save_meta(f"{number}", "x" * 500)


def _may_grow(store: SqliteStore, *, more: int) -> Callable[[Tx], None]:
    """Return a unit that sets the limit of the database's size, in its own thread."""

    def unit(_: Tx) -> None:
        connection: sqlite3.Connection = store._connection
        [pages] = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + more}")

    return unit


class Link:
    """A link whose states the test decides, by a clock of its own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.log = LinkLog(lambda: self.now)

    def goes(self, *states: LinkState, failed: int = 0) -> None:
        """Let states come one second after the other."""
        for state in states:
            self.now += 1
            self.log.changed(state, failed)
            self.log.look()


def test_two_hubs_under_one_name_are_one_alarm_until_it_is_quiet(caplog: pytest.LogCaptureFixture) -> None:
    """They push each other out again and again."""
    caplog.set_level(logging.DEBUG)
    link = Link()
    link.goes(CONNECTED, *[LOST, CONNECTED] * 2)
    before = len(troubles(caplog.records, "broker_away"))
    link.goes(*[TAKEN_OVER, CONNECTED] * 20)
    assert troubles(caplog.records, "taken_over") == [("ERROR", "taken_over", "begins", None)]
    assert len(troubles(caplog.records, "broker_away")) == before
    link.now += STEADY_S
    link.log.look()
    assert troubles(caplog.records, "taken_over")[1:] == [("INFO", "taken_over", "ends", None)]


def test_a_command_that_cannot_be_stored_is_told_by_the_database_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The link is made anew with every try."""
    caplog.set_level(logging.INFO)
    Link().goes(CONNECTED, *[NOT_STORED, CONNECTED] * 9)
    assert [r.getMessage() for r in caplog.records] == [CONNECTED.message]
