"""Waiting times that survive a clock which jumps. Pure."""

from datetime import datetime, timedelta

_LONGEST = timedelta(hours=25)
"""No waiting of the engine is longer; one that seems to be was set before the clock jumped back."""


_SIDE_BY_SIDE = timedelta(seconds=1)
"""Units that look at the clock one after the other may be stored the other way round."""


def is_due(at: datetime | None, now: datetime) -> bool:
    """Say whether a waiting time is over (None: there is none)."""
    return at is None or at <= now or at > now + _LONGEST


def age(since: datetime, now: datetime) -> timedelta:
    """Return how long ago something was; what seems to lie ahead was long ago."""
    if since - now > _SIDE_BY_SIDE:
        return _LONGEST
    return max(now - since, timedelta(0))


class Wake:
    """Collects the moments at which a plan would come out different, and keeps the earliest ahead."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self.at: datetime | None = None

    def note(self, moment: datetime | None) -> None:
        """Consider one moment; past ones and None do not count."""
        if moment is not None and moment > self._now and (self.at is None or moment < self.at):
            self.at = moment


def back_off(failures: int, first: timedelta, most: timedelta, jitter: float) -> timedelta:
    """Return the pause after so many failures in a row: doubling, up to `most`, less up to a fifth.

    `jitter` is uniform in 0..1.
    """
    exponent = min(max(failures - 1, 0), 20)
    pause: timedelta = min(first * 2**exponent, most)
    return pause * (1 - 0.2 * jitter)
