"""`pinsmith watch` on a terminal, beside a whole gateway that comes and goes."""

import asyncio
import contextlib
import os
import pty
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.daemon.bed import PINS, Somebody, running, settings
from tests.mqtt.broker import Broker, eventually

pytestmark = pytest.mark.mosquitto


class Screen:
    """What a command printed on a terminal of its own."""

    def __init__(self) -> None:
        self.text = ""

    def heard(self, leader: int) -> None:
        """Take what is there; a terminal that nobody writes to any more says so by an error."""
        with contextlib.suppress(OSError):
            self.text += os.read(leader, 65_536).decode(errors="replace")

    async def shows(self, words: str) -> None:
        """Wait until these words were printed after now."""
        self.text = ""
        await eventually(lambda: words in self.text, 30)


@contextlib.asynccontextmanager
async def watching(config: Path) -> AsyncIterator[tuple[Screen, Process]]:
    """Run `pinsmith watch` on a terminal."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "gateway.cli.main", "--config", str(config), "watch"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "160", "LINES": "40"}
    process = await asyncio.create_subprocess_exec(
        *command, stdin=follower, stdout=follower, stderr=follower, env=environment
    )
    os.close(follower)
    screen, loop = Screen(), asyncio.get_running_loop()
    loop.add_reader(leader, screen.heard, leader)
    try:
        yield screen, process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        loop.remove_reader(leader)
        os.close(leader)


async def test_the_picture_follows_what_happens(broker: Broker, app: Somebody, tmp_path: Path) -> None:
    """A new code, a daemon that ends and comes back; Ctrl-C ends it. No PIN is ever shown."""
    how = settings(tmp_path, broker.port)
    async with watching(tmp_path / "pinsmith.toml") as (screen, process):
        await screen.shows("the daemon does not answer")
        async with running(how, app):
            await screen.shows("as it should be")
            everything = screen.text
            await app.create(PINS[0], name="Anna Huber")
            await screen.shows("Anna Huber")
            everything += screen.text
        await screen.shows("the daemon does not answer")
        async with running(how, app):
            await screen.shows("Anna Huber")
            everything += screen.text
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 10) == 0
    assert PINS[0] not in everything
