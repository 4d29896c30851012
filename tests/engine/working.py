"""Facts of one lock open for change, without a store."""

import itertools
from datetime import datetime

from gateway.domain.clock import TimeView
from gateway.domain.driver import CodeUsed
from gateway.engine.observations import absorb_event
from gateway.engine.work import Chance, Work
from tests.engine.build import DOOR, TIMING, Fact, snapshot, view


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


def used(at: datetime | None, *facts: Fact) -> Work:
    """Take in at noon a use of slot 20, by a record of that time."""
    work = working(*facts)
    absorb_event(work, CodeUsed(device_id=DOOR, slot="20", at=at))
    return work


def told(work: Work) -> list[str]:
    """Return the types of the events told so far, in order."""
    return [event.event_type for event in work._events]


def outcomes(work: Work) -> list[str]:
    """Return what became of the operations that were closed."""
    return [outcome for _, outcome in work._closed]
