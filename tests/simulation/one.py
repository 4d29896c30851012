"""Runs the world of one seed."""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field

from tests.simulation.loop import VirtualLoop
from tests.simulation.rules import BrokenRule
from tests.simulation.world import World


@dataclass
class Outcome:
    """What became of one seed."""

    seed: int
    digest: str
    operations: Counter[str]
    faults: Counter[str]
    coverage: Counter[tuple[str, str, str]]
    broken: str | None = None
    rule: int | None = None
    story: list[str] = field(default_factory=list)


def _bury(loop: VirtualLoop) -> None:
    """End what the dead left behind."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left, timeout=1))


def run_seed(seed: int, *, storm_days: float = 1.5) -> Outcome:
    """Run the world of `seed`; a broken rule is in the outcome with the last things that happened."""
    log = logging.getLogger("gateway")
    level = log.level
    log.setLevel(logging.CRITICAL)  # what goes wrong here is meant to
    loop = VirtualLoop()
    world = World(seed, loop, storm_days=storm_days)
    outcome = Outcome(seed, "", world.operations, world.fate.counts, world.coverage)
    try:
        loop.run_until_complete(world.live())
    except BrokenRule as error:
        outcome.broken, outcome.rule, outcome.story = str(error), error.rule, list(world.log)
    finally:
        outcome.digest = world.digest
        _bury(loop)
        log.setLevel(level)
        world.connection.close()
        loop.close()
    return outcome
