"""Facts of one lock open for change, without a store."""

import itertools

from gateway.domain.clock import TimeView
from gateway.engine.work import Chance, Work
from tests.engine.build import TIMING, Fact, snapshot, view


def chance() -> Chance:
    """Return a chance that is none: ids count up, waiting times have no jitter."""
    ids = itertools.count(1)
    return Chance(new_id=lambda: f"new-{next(ids)}", jitter=lambda: 0.0, randbelow=lambda _: 0)


def working(*facts: Fact, t: TimeView | None = None) -> Work:
    """Return facts open for change, at noon."""
    return Work(snapshot(*facts), t or view(), TIMING, chance())


def later(work: Work, t: TimeView) -> Work:
    """Return the same facts at another time, with nothing told yet."""
    return Work(work.snapshot(), t, TIMING, work.chance)


def told(work: Work) -> list[str]:
    """Return the types of the events told so far, in order."""
    return [event.event_type for event in work._events]


def outcomes(work: Work) -> list[str]:
    """Return what became of the operations that were closed."""
    return [outcome for _, outcome in work._closed]
