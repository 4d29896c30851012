"""The person, or the pipe, at the other end of the command."""

import getpass
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from gateway.cli.exits import Failure, UsageError
from gateway.domain.errors import InvalidInput
from gateway.domain.pin import Pin


@dataclass(frozen=True, kw_only=True)
class Terminal:
    """Where the command reads and writes. `hidden` asks for a line without showing what is typed."""

    stdin: TextIO = field(default_factory=lambda: sys.stdin)
    stdout: TextIO = field(default_factory=lambda: sys.stdout)
    stderr: TextIO = field(default_factory=lambda: sys.stderr)
    hidden: Callable[[str], str] = getpass.getpass

    def say(self, text: str) -> None:
        """Print a line of the answer."""
        print(text, file=self.stdout, flush=True)

    def warn(self, text: str) -> None:
        """Print a line that is not part of the answer."""
        print(text, file=self.stderr, flush=True)

    def confirm(self, question: str) -> None:
        """Go on only when the person at the terminal says yes.

        Raises UsageError where nobody can be asked: programs say --yes.
        """
        if not self.stdin.isatty():
            raise UsageError("this cannot be undone: add --yes to do it without being asked")
        self.stderr.write(f"{question} [y/N] ")
        self.stderr.flush()
        if self.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise Failure("nothing was done")

    def pin(self, *, from_stdin: bool, twice: bool) -> Pin:
        """Ask for a PIN, or read it from the first line of standard input. Never from an argument."""
        digits = self.stdin.readline().rstrip("\r\n") if from_stdin else self._typed("PIN", twice=twice)
        try:
            return Pin(digits)
        except InvalidInput as error:
            raise UsageError(error.message) from None

    def secret(self, what: str, *, from_stdin: bool) -> str:
        """Ask for a secret of a lock without showing it, or read it from the next line of standard input.

        Never from an argument, where other users could see it.
        """
        given = self.stdin.readline().rstrip("\r\n") if from_stdin else self._typed(what, twice=False)
        if not given:
            raise UsageError(f"no {what} was given")
        return given

    def passphrase(self, file: Path | None, *, twice: bool) -> str:
        """Ask for the passphrase of a backup, or read it from a file without its last line break."""
        if file is None:
            return self._typed("Passphrase", twice=twice)
        try:
            return file.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
        except OSError as error:
            raise Failure(f"{file}: cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise Failure(f"{file}: cannot be read as text") from None

    def _typed(self, what: str, *, twice: bool) -> str:
        try:
            typed = self.hidden(f"{what}: ")
            if twice and self.hidden(f"{what} again: ") != typed:
                raise UsageError("what was typed the second time differs")
        except EOFError:
            raise UsageError(f"no {what} was typed") from None
        return typed
