"""How a configuration can be wrong."""

from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct


class Mistake(Struct, frozen=True, kw_only=True):
    """One thing to put right. Never holds a value of the file: a secret may have been put there.

    `key` is the dotted path, empty where the file as a whole is meant. `line` counts from 1; None where it
    could not be found cheaply.
    """

    file: Path
    key: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return ": ".join(part for part in (place, self.key, self.message) if part)


class ConfigError(Exception):
    """The configuration cannot be used; `mistakes` holds everything that is wrong with it."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        """Keep all mistakes, in the order of the file where lines are known."""
        self.mistakes = tuple(sorted(mistakes, key=lambda mistake: mistake.line or 0))
        super().__init__("\n".join(map(str, self.mistakes)))


class Unexpected(Exception):
    """A value does not fit. The message says what is expected and never what was found."""
