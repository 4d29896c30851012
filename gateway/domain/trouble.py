"""What is said in the log of something that goes wrong for a while: once when it begins, once when it ends.

No file, no clock and no radio here: time is passed in, and where lines go is for whoever runs the process.
"""

import logging
from collections.abc import Callable
from typing import Any

FIELDS = ("lock", "code", "event", "seq", "attempt", "trouble", "state", "lasted_s", "client")
"""What a line may carry besides its words, for programs: `about` names them, every format writes them."""
_TWO_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def about(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - ids and numbers
    """Return what a logger takes as `extra`; what is None is left out."""
    return {name: value for name, value in fields.items() if value is not None}


def lasted(seconds: float) -> str:
    """Say a length of time in words, by its two largest units."""
    rest, words = max(round(seconds), 0), list[str]()
    for size, unit in _TWO_UNITS:
        count, rest = divmod(rest, size)
        if count or (words and len(words) == 1):
            words.append(f"{count} {unit}")
    return " ".join(words[:2]) or "less than 1 s"


class Trouble:
    """One thing that may go wrong, be tried again and again, and be right again.

    It is told once when it begins, and once for every further reason that is found while it lasts; what
    repeats is told at DEBUG only. Its end says how long it lasted and how often it was tried.
    """

    def __init__(
        self,
        log: logging.Logger,
        name: str,
        clock: Callable[[], float],
        *,
        level: int = logging.WARNING,
        lock: str | None = None,
        client: str | None = None,
        tried: bool = True,
    ) -> None:
        """Name it for programs; `clock` returns seconds that never go back.

        `lock` or `client`, as an MQTT client calls itself, is whose trouble it is, where not that of the hub.
        With `tried` false it is a state that is looked at and not an attempt that failed: nothing is counted.
        """
        self._log = log
        self._name = name
        self._clock = clock
        self._level = level
        self._lock = lock
        self._client = client
        self._tried = tried
        self._since: float | None = None
        self._reasons: set[str] = set()
        self.attempts = 0
        """How often it failed since it began; 0 while nothing is wrong."""

    def begins(self, words: str, *, reason: str | None = None) -> None:
        """Note a failure; `reason` is what makes it another one, by default its words."""
        reason = words if reason is None else reason
        if self._since is None:
            self._since = self._clock()
        known = reason in self._reasons
        self._reasons.add(reason)
        self.attempts += 1
        if self._tried or not known:
            level = logging.DEBUG if known else self._level
            self._say(level, words, state="begins", attempt=self.attempts if self._tried else None)

    def ends(self, words: str) -> None:
        """Note that it works; nothing is said where nothing was wrong."""
        if self._since is None:
            return
        seconds, attempts = self._clock() - self._since, self.attempts
        self._since, self.attempts = None, 0
        self._reasons.clear()
        times = f" and {attempts} failed attempt{'' if attempts == 1 else 's'}" if self._tried else ""
        self._say(
            logging.INFO,
            f"{words}, after {lasted(seconds)}{times}",
            state="ends",
            attempt=attempts if self._tried else None,
            lasted_s=round(seconds),
        )

    def _say(self, level: int, words: str, **fields: object) -> None:
        extra = about(lock=self._lock, client=self._client, trouble=self._name, **fields)
        self._log.log(level, "%s", words, extra=extra)
