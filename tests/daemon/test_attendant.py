"""What the log says of a part that hangs, for people and for programs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.daemon import attendant as module
from gateway.daemon.attendant import Attendant
from gateway.daemon.notify import Notifier
from gateway.domain.pulse import Limits, Pulse
from storage.store import SqliteStore
from storage.vault import Vault
from tests.mqtt.broker import eventually


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """A database with nothing in it."""
    opened = await SqliteStore.open(tmp_path, Vault(bytes(32)))
    yield opened
    await opened.close()


async def test_what_hangs_is_told_once_when_it_begins_and_once_when_it_ends(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Programs find both ends by one name; that it goes on again is no warning."""
    monkeypatch.setattr(module, "UNWATCHED_S", 0.001)
    caplog.set_level(logging.INFO)
    now = [0.0]
    pulse = Pulse(lambda: now[0], Limits(radio_s=100))
    beat = pulse.beat("lock front")
    beat.on_radio()
    running = asyncio.create_task(
        Attendant(
            Notifier({}, lambda: 0.0), pulse, store, broker=lambda: "connected", clock=lambda: now[0]
        ).run()
    )
    try:
        now[0] = 101.0
        await eventually(said(caplog, 1))
        now[0] = 161.0
        await asyncio.sleep(0.02)
        beat.idle()
        await eventually(said(caplog, 2))
    finally:
        running.cancel()
        await asyncio.wait([running])
    first, last = stuck(caplog)
    assert first.getMessage() == (
        "Stuck: lock front (at the radio, 1 s overdue); no more signs of life are given"
    )
    assert last.getMessage() == "No longer stuck: lock front, after 1 min 0 s"
    assert (first.levelname, vars(first)["state"]) == ("CRITICAL", "begins")
    assert (last.levelname, vars(last)["state"], vars(last)["lasted_s"]) == ("INFO", "ends", 60)


def stuck(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return the lines that programs find by this trouble."""
    return [record for record in caplog.records if vars(record).get("trouble") == "stuck"]


def said(caplog: pytest.LogCaptureFixture, lines: int) -> Callable[[], bool]:
    """Return whether so many lines were said of it."""
    return lambda: len(stuck(caplog)) == lines
