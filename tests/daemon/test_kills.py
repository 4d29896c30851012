"""kill -9 at any moment: nothing promised is lost and nothing is done twice (rules 7, 8 and 12).

Here on a simulated lock, which answers at once, so that kills fall into the store's and the broker's work;
tests/e2e/test_kills.py has the many kills, on locks that take their time.
"""

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest

from drivers.simulated import keypad
from tests.daemon.bed import Somebody, running, settings
from tests.daemon.process import put_away, start
from tests.daemon.wishes import Held, Wishes
from tests.mqtt.broker import Broker, eventually

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow]

KILLS = 15
LOCK = (
    '[locks.front]\ndriver = "simulated"\nmodel = "native"\nslots = 60\n[timing]\nreads_per_hour = 100000\n'
)
_LIFE_S = (0.0, 1.8, 1.4)
"""Shortest, longest and most frequent life. A start takes 0.8 s: kills fall before, into and after it."""


async def test_killed_again_and_again_it_loses_nothing_and_doubles_nothing(
    tmp_path: Path, broker: Broker, app: Somebody
) -> None:
    """Every code promised is on the lock once, every deleted one is gone, and all is told in order."""
    rng = random.Random(20261121)
    how = settings(tmp_path, broker.port, locks=LOCK)
    wishes = Wishes(app, "front")

    async def held() -> Held:
        return Counter(
            ("front", taken.pin.reveal())
            for taken in keypad.show(tmp_path / "data/simulated", "front").values()
        )

    async with running(how, app):
        wishes.send_some(rng)
        await eventually(wishes.answers)
    for _ in range(KILLS):
        process = await start(how.file, tmp_path / "daemon.log")
        try:
            if rng.random() < 0.7:
                wishes.send_some(rng)
            await asyncio.sleep(rng.triangular(*_LIFE_S))
            assert process.returncode is None, (tmp_path / "daemon.log").read_text()
        finally:
            await put_away(process)
    async with running(how):
        await wishes.fulfilled(held)
    wishes.were_told_once()
