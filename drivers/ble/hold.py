"""What is left alone for a while because a lock refused it. All families give up in this one way.

A refusal proves little: an imitation of the lock's address may have sent it, or the lock had a hiccup. So it
never counts for ever; and it is never answered by trying on and on, because locks shut everybody out after
some wrong attempts.
"""

from typing import Final

from gateway.domain.clock import Clock
from gateway.domain.driver import LockUnreachable, Refused
from gateway.domain.placement import Refusal

HOLD_S: Final = 86_400.0
"""How long a refusal counts that anybody may have sent. An attempt a day shuts nobody out."""
KEY_REFUSALS: Final = 2
"""Refusals of our keys in a row after which they are held back: one may be a disturbance."""


class KeysRefused(LockUnreachable):
    """The lock does not take our keys, or somebody says so in its place."""


class Hold:
    """One thing that is not to be tried at the moment, and why."""

    def __init__(self, clock: Clock, *, after: int = 1) -> None:
        """Hold back from the refusal number `after` in a row."""
        self._clock = clock
        self._after = after
        self._refusals = 0
        self._words = ""
        self._until = 0.0

    def refused(self, words: str, seconds: float = HOLD_S) -> None:
        """Note a refusal; `words` say for people what it was and what to do."""
        self._refusals += 1
        if self._refusals >= self._after:
            self._words, self._until = words, self._clock.boot() + seconds

    def accepted(self) -> None:
        """Note that it worked: earlier refusals count no more."""
        self._refusals, self._until = 0, 0.0

    @property
    def words(self) -> str | None:
        """Return why it is not to be tried; None where it may be."""
        return self._words if self._clock.boot() < self._until else None

    def check(self) -> None:
        """Raise KeysRefused, with nothing sent, while it is not to be tried."""
        if (words := self.words) is not None:
            raise KeysRefused(words)

    def refuse(self) -> None:
        """Raise Refused, with nothing sent, while it is not to be tried: the lock knows us and says no."""
        if (words := self.words) is not None:
            raise Refused(Refusal.OTHER, words)
