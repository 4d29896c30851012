"""kill -9 at any moment with the real Z-Wave driver: nothing is lost, nothing is done twice (rules 7, 8, 12).

Locks of three kinds take their time to answer, and most kills come while one of them is spoken to.
"""

import asyncio
import contextlib
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.daemon.bed import Somebody, running
from tests.daemon.process import put_away, start
from tests.daemon.wishes import Held, Wishes
from tests.e2e import house
from tests.mqtt.broker import Broker, eventually
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import BedConfig, Faults, Model

pytestmark = [pytest.mark.zwave_bed, pytest.mark.mosquitto, pytest.mark.slow]

_ONLINE = {"state": "online"}
KILLS = 50
LOCKS: tuple[Model, ...] = ("v1", "v2_s2", "masked_s2")
"""Readable without supervision, readable with it, and one that hides its digits."""
NODES = {
    # A lock that refuses duplicates would hide that the gateway put a code into a second slot.
    model: replace(house.NODES[model], slots=16, refuse_duplicates=False)
    for model in LOCKS
}
"""On a bed of their own, with room for all codes: the locks of the other tests have three slots."""
_SLOW = Faults(answer_delay_ms=100)
_BLIND_SHARE = 0.2
"""Share of the lives that end at some time after their start, whatever they do then."""
_BLIND_S = 1.2
_ANSWERED_S = 0.2
"""A kill comes at most so long after a command has reached a lock: before or after its answer."""
_FRAMES = 3
"""A life gets so many commands through at most, one to each lock: the next ones wait for 2 s."""
_IDLE_S = 1.0
"""A life that has nothing to do ends all the same."""


async def test_killed_again_and_again_it_loses_nothing_and_doubles_nothing(
    tmp_path: Path, broker: Broker, app: Somebody
) -> None:
    """Every code promised is in one slot, every deleted one is gone, none was written without need."""
    rng = random.Random(20261121)
    wishes = Wishes(app, *LOCKS)
    async with ZwaveBed.start(BedConfig(nodes=tuple(NODES.values()))) as bed:
        how = house.settings(tmp_path, bed, broker.port, *LOCKS)
        for node in NODES.values():
            await bed.fault(node.node_id, _SLOW)
        for _ in range(KILLS):
            if rng.random() < 0.7:
                wishes.send_some(rng)
            await live(how.file, tmp_path / "daemon.log", bed, app, rng)
        # Else the kills came too early to show anything.
        assert len(await stored(bed)) > KILLS // 10
        async with running(how):
            await wishes.fulfilled(lambda: held(bed))
        # What became of a write that a kill cut off shows by a look, so none has to be repeated.
        assert set((await stored(bed)).values()) == {1}
    wishes.were_told_once()


async def live(config: Path, log: Path, bed: ZwaveBed, app: Somebody, rng: random.Random) -> None:
    """Start the gateway and kill it, mostly while it speaks to a lock."""
    before, already = await commands(bed), len(app.under("bridge/state"))
    process = await start(config, log)
    try:
        if rng.random() < _BLIND_SHARE:
            await asyncio.sleep(rng.uniform(0, _BLIND_S))
        else:
            await eventually(lambda: any(m.json == _ONLINE for m in app.under("bridge/state")[already:]), 60)
            frames = before + rng.randint(1, _FRAMES)
            with contextlib.suppress(TimeoutError):
                await house.in_time(lambda: reached(bed, frames), _IDLE_S)
            await asyncio.sleep(rng.uniform(0, _ANSWERED_S))
        assert process.returncode is None, f"it ended by itself: see {log}"
    finally:
        await put_away(process)


async def held(bed: ZwaveBed) -> Held:
    """Return the codes that truly open each door."""
    found: Held = Counter()
    for model, node in NODES.items():
        slots = await bed.slots(node.node_id)
        found.update((model, slot.code) for slot in slots.values() if slot.status == 1)
    return found


async def stored(bed: ZwaveBed) -> Held:
    """Return how often each code was stored, whichever slot it was for and whether it is still there."""
    found: Held = Counter()
    for model, node in NODES.items():
        found.update({(model, pin): times for pin, times in (await bed.stored(node.node_id)).items()})
    return found


async def commands(bed: ZwaveBed) -> int:
    """Return how many commands about codes have reached the locks."""
    return sum([(await bed.counters(node.node_id)).user_code for node in NODES.values()])


async def reached(bed: ZwaveBed, number: int) -> bool:
    """Say whether so many commands have reached the locks."""
    await asyncio.sleep(0.03)  # asking more often would keep the machine from its work
    return await commands(bed) >= number
