"""What is left alone because a lock refused it. All families give up in this one way.

What the lock itself has refused is not tried again before a person asks for it: locks shut everybody out
after some wrong attempts, and only a person can put it right. What somebody else may have sent in the lock's
name is tried a second time, since it may be a disturbance, and then once a day: nobody near the door is to
take a lock away from the hub for good.
"""

from math import inf
from typing import Final

from gateway.domain.clock import Clock
from gateway.domain.driver import LockUnreachable, Refused
from gateway.domain.placement import Refusal

HOLD_S: Final = 86_400.0
"""How long a refusal counts that anybody may have sent. An attempt a day shuts nobody out."""
DOUBTS: Final = 2
"""Refusals in a row that anybody may have sent after which it is held back: one may be a disturbance."""
_UNTIL_ASKED: Final = (
    "it is not tried again by itself: put that right, then `pinsmith locks sync` or pair the lock again"
)
_DAILY: Final = "it is tried once a day, or at once: `pinsmith locks sync`, or pair the lock again"


class KeysRefused(LockUnreachable):
    """The lock does not take our keys, or somebody says so in its place."""

    def __init__(self, words: str, *, proven: bool = False) -> None:
        """Say why, for people; `proven`: only the lock can have said it."""
        super().__init__(words)
        self.proven = proven


class Hold:
    """One thing that is not to be tried at the moment, and why."""

    def __init__(self, clock: Clock) -> None:
        """Hold nothing back yet."""
        self._clock = clock
        self._doubts = 0
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

    def doubted(self, words: str) -> None:
        """Note a refusal that anybody may have sent; hold back for a day from the second in a row."""
        self._doubts += 1
        if self._doubts >= DOUBTS:
            self.refused(f"{words}; {_DAILY}", HOLD_S)

    def keys_refused(self, refusal: KeysRefused) -> None:
        """Note that our keys were refused."""
        note = self.refused if refusal.proven else self.doubted
        note(str(refusal))

    def lift(self) -> None:
        """Forget earlier refusals: it worked."""
        self._doubts, self._until = 0, 0.0

    def ask_again(self) -> None:
        """Let what is held back be tried once more, because a person asks."""
        if self.words is not None:
            self._doubts, self._until = DOUBTS - 1, 0.0

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
