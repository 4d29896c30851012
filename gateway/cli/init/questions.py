"""Asks a person at a terminal, or a program that gives a line for each question."""

import shutil
import textwrap
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager

from gateway.cli.doctor import show_findings
from gateway.cli.exits import Failure, UsageError
from gateway.cli.output import plain
from gateway.cli.terminal import Terminal
from gateway.config.errors import Unexpected
from gateway.doctor.finding import Finding

NONE = "none"
"""What is typed for "there is none" where Enter would mean something else."""
_LEGIBLE = 100
"""Columns of a text beyond which nobody likes to read."""
_UNWRAPPED = 10_000


class Questions:
    """A conversation. It goes to standard error, so that the answer of the command stands alone.

    What is typed is never repeated in a message. Raises UsageError where nobody can be asked, and for an
    answer of a program that does not fit; a person is asked again.
    """

    def __init__(self, terminal: Terminal, *, from_stdin: bool) -> None:
        if not from_stdin and not terminal.stdin.isatty():
            raise UsageError(
                "init asks questions, so it needs a terminal; programs answer with --stdin, a line for each"
            )
        self._terminal = terminal
        self._from_stdin = from_stdin

    def say(self, text: str) -> None:
        """Print a paragraph."""
        for line in textwrap.wrap(
            text, self._width or 10_000, break_long_words=False, break_on_hyphens=False
        ):
            self._terminal.warn(line)

    def list(self, lines: Iterable[str]) -> None:
        """Print lines as they are; what came over the radio cannot steer the terminal."""
        for line in lines:
            self._terminal.warn(f"  {plain(line)}")

    def heading(self, text: str) -> None:
        """Begin a part of the conversation."""
        self._terminal.warn(f"\n{text}")

    def findings(self, findings: Iterable[Finding]) -> None:
        """Show what the doctor says."""
        show_findings(self._terminal.warn, findings, self._width)

    def ask[T](self, question: str, default: str, read: Callable[[str], T]) -> T:
        """Ask until `read` takes the answer; Enter is the default. `read` raises Unexpected."""
        while True:
            typed = self._line(question, default) or default
            try:
                return read(typed)
            except Unexpected as error:
                self._wrong(question, str(error))

    def yes(self, question: str, *, default: bool) -> bool:
        """Ask for yes or no."""
        return self.one_of(question, ("yes", "no"), "yes" if default else "no") == "yes"

    def one_of(self, question: str, choices: Collection[str], default: str) -> str:
        """Ask for one of some words; the beginning of a word will do."""

        def read(typed: str) -> str:
            meant = [choice for choice in choices if typed and choice.startswith(typed.lower())]
            if len(meant) != 1:
                raise Unexpected(f"expected {' or '.join(choices)}")
            return meant[0]

        return self.ask(f"{question} ({'/'.join(choices)})", default, read)

    def hidden(self, question: str) -> str:
        """Ask for a secret without showing what is typed; empty where nothing was."""
        if self._from_stdin:
            return self._next(question)
        try:
            return self._terminal.hidden(f"{question}: ")
        except EOFError:
            raise _ended(question) from None

    @contextmanager
    def progress(self, what: str, every_s: float = 1.0) -> Iterator[None]:
        """Say what is being done for as long as the block runs; at a terminal a dot shows that it goes on."""
        done = threading.Event()
        err = self._terminal.stderr

        def tick() -> None:
            while not done.wait(every_s):
                print(".", end="", file=err, flush=True)

        print(f"{what} ...", end="", file=err, flush=True)
        dots = threading.Thread(target=tick, daemon=True)
        if err.isatty():
            dots.start()
        try:
            yield
        finally:
            done.set()
            if dots.is_alive():
                dots.join()
            print(file=err, flush=True)

    @property
    def _width(self) -> int:
        return min(shutil.get_terminal_size().columns, _LEGIBLE) if self._terminal.stderr.isatty() else 0

    def _line(self, question: str, default: str) -> str:
        shown = f"{question} [{default}]: " if default else f"{question}: "
        print(shown, end="", file=self._terminal.stderr, flush=True)
        typed = self._next(question)
        if self._from_stdin:
            print(file=self._terminal.stderr)
        return typed.strip()

    def _next(self, question: str) -> str:
        line = self._terminal.stdin.readline()
        if not line:
            raise _ended(question)
        return line.rstrip("\r\n")

    def _wrong(self, question: str, expected: str) -> None:
        if self._from_stdin:
            raise UsageError(f"{question}: {expected}; nothing was written")
        self._terminal.warn(f"  {expected}")


def _ended(question: str) -> Failure:
    return Failure(f"no answer to: {question}; nothing was written")
