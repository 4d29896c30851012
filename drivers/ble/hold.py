"""What is left alone because a lock refused it. All families give up in this one way.

What a lock has refused is not tried again before a person asks for it: locks shut everybody out after some
wrong attempts, and only a person can put it right. That a refusal may be somebody else's, sent in the lock's
name, changes nothing: the answer to a wrong key cannot be proven, and is never repeated either.
"""

from math import inf
from typing import Final

from gateway.domain.clock import Clock
from gateway.domain.driver import LockUnreachable, Refused
from gateway.domain.placement import Refusal

_UNTIL_ASKED: Final = (
    "it is not tried again by itself: put that right, then `pinsmith locks sync` or pair the lock again"
)


class KeysRefused(LockUnreachable):
    """The lock does not take our keys."""


class Hold:
    """One thing that is not to be tried at the moment, and why."""

    def __init__(self, clock: Clock) -> None:
        """Hold nothing back yet."""
        self._clock = clock
        self._words = ""
        self._until = 0.0

    def refused(self, words: str, seconds: float | None = None) -> None:
        """Hold back for so many seconds, or until a person asks; `words` say what it was and what to do.

        What is held back for longer already stays so, with its words.
        """
        until = inf if seconds is None else self._clock.boot() + seconds
        if until < self._until:
            return
        self._words, self._until = words if seconds is not None else f"{words}; {_UNTIL_ASKED}", until

    def lift(self) -> None:
        """Let it be tried again: it worked, or a person asks."""
        self._until = 0.0

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
