"""What a reload shows to whoever watches over the daemon."""

import asyncio
from pathlib import Path
from typing import cast

from gateway.config import Settings
from gateway.daemon.attendant import Attendant
from gateway.daemon.notify import Notifier
from gateway.daemon.reload import Reloader
from gateway.daemon.wiring import Gateway
from gateway.domain.pulse import Beat, Limits
from tests.daemon.bed import settings


class Hanging:
    """A gateway that never has taken over what it was given."""

    def __init__(self) -> None:
        self.began = asyncio.Event()

    async def take_over(self, _: Settings, _beat: Beat) -> None:
        self.began.set()
        await asyncio.Event().wait()


async def test_a_reload_that_never_ends_is_told_and_waiting_for_one_is_life(tmp_path: Path) -> None:
    """Nobody may ask for one in years."""
    time = [0.0]
    beat, gateway, asked = Beat(lambda: time[0], Limits(radio_s=100)), Hanging(), asyncio.Event()
    file = settings(tmp_path, 1).file
    reloader = Reloader(
        cast("Gateway", gateway), cast("Attendant", None), Notifier({}, lambda: 0.0), file, beat
    )
    task = asyncio.create_task(reloader.run(asked))
    await asyncio.sleep(0)
    time[0] += 100_000_000
    assert beat.stuck() is None
    asked.set()
    await gateway.began.wait()
    time[0] += 99
    assert beat.stuck() is None
    time[0] += 2
    assert beat.stuck() == "at the radio, 1 s overdue"
    task.cancel()
