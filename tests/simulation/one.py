"""Runs the world of one seed."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
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


class _Ear(logging.Handler):
    """Hears PINs (rule 9), and the hub say that it made a mistake of its own: no weather excuses that."""

    def __init__(self, world: World) -> None:
        """Listen to the hub of `world`."""
        super().__init__()
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        """Judge one line of the log."""
        said = record.getMessage()
        self._world.rules.no_pin(said, "the log")
        if record.levelno >= logging.ERROR and any(
            mistake in said for mistake in ("a mistake of pinsmith", "goes in circles", "the driver failed")
        ):
            self._world.rules.broken(0, said)


@contextmanager
def _overheard(world: World) -> Iterator[None]:
    """Listen to the log, and keep it from the screen: what goes wrong here is meant to."""
    log, ear = logging.getLogger("gateway"), _Ear(world)
    level, propagate = log.level, log.propagate
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(ear)
    try:
        yield
    finally:
        log.removeHandler(ear)
        log.propagate = propagate
        log.setLevel(level)


def _bury(loop: VirtualLoop) -> None:
    """End what the dead left behind."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left, timeout=1))


def run_seed(seed: int, *, storm_days: float = 1.5) -> Outcome:
    """Run the world of `seed`; a broken rule is in the outcome with the last things that happened."""
    loop = VirtualLoop()
    world = World(seed, loop, storm_days=storm_days)
    outcome = Outcome(seed, "", world.operations, world.fate.counts, world.coverage)
    try:
        with _overheard(world):
            loop.run_until_complete(world.live())
    except BrokenRule as error:
        outcome.broken, outcome.rule, outcome.story = str(error), error.rule, list(world.log)
    finally:
        outcome.digest = world.digest
        _bury(loop)
        world.connection.close()
        loop.close()
    return outcome
