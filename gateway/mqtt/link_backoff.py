"""How long to wait before the next try."""

import random


class Backoff:
    """Delays in seconds: 1, 2, 4 ... 60, each lengthened by up to a quarter at random.

    The random part keeps many hubs from coming back in step after their broker restarted.
    """

    FIRST_S = 1.0
    LONGEST_S = 60.0

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._base = self.FIRST_S

    def next(self) -> float:
        """Return the delay to wait now; the one after it is twice as long, up to the longest."""
        base = self._base
        self._base = min(self.LONGEST_S, base * 2)
        return base * self._rng.uniform(1.0, 1.25)

    def reset(self) -> None:
        """Begin again with the shortest delay: things went well."""
        self._base = self.FIRST_S

    def to_longest(self) -> None:
        """Go straight to the longest delay: trying soon would only make things worse."""
        self._base = self.LONGEST_S
