"""Somebody at a terminal who runs `pinsmith init` and answers what is asked."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import override

from gateway.cli.context import Context
from gateway.cli.main import carry_out, make_parser
from gateway.cli.terminal import Terminal
from tests.mqtt.broker import free_port

type Answers = Mapping[str, str | Sequence[str]]
"""What is answered to the question that contains the key; several answers come one after the other, the last
of them again and again. Enter to every other question."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """How the command ended, what was shown, and what was asked."""

    code: int
    out: str
    err: str
    asked: Sequence[str]

    def was_asked(self, question: str) -> int:
        """How often a question that contains this was asked."""
        return sum(question in one for one in self.asked)


class Person(io.StringIO):
    """Standard input with a person at it, who reads what stands before the cursor."""

    def __init__(self, answers: Answers, shown: io.StringIO) -> None:
        super().__init__()
        self._answers = {key: [one] if isinstance(one, str) else list(one) for key, one in answers.items()}
        self._shown = shown
        self.asked: list[str] = []

    @override
    def isatty(self) -> bool:
        return True

    @override
    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]  # as StringIO itself does
        return self.answer(self._shown.getvalue().splitlines()[-1]) + "\n"

    def answer(self, question: str) -> str:
        """Answer one question."""
        self._shown.write("\n")
        self.asked.append(question)
        for key, answers in self._answers.items():
            if key in question:
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                if answer == CTRL_C:
                    raise KeyboardInterrupt
                return answer
        return ""


CTRL_C = "\x03"


def at_terminal(file: Path, answers: Answers, *extra: str) -> Told:
    """Run the command with this person at the terminal."""
    out, shown = io.StringIO(), io.StringIO()
    person = Person(answers, shown)
    terminal = Terminal(stdin=person, stdout=out, stderr=shown, hidden=person.answer)
    code = _run(file, terminal, extra)
    return Told(code=code, out=out.getvalue(), err=shown.getvalue(), asked=person.asked)


def piped(file: Path, lines: str, *extra: str) -> Told:
    """Run the command with lines from a program."""
    out, shown = io.StringIO(), io.StringIO()
    terminal = Terminal(stdin=io.StringIO(lines), stdout=out, stderr=shown)
    code = _run(file, terminal, extra)
    return Told(code=code, out=out.getvalue(), err=shown.getvalue(), asked=())


def _run(file: Path, terminal: Terminal, extra: Sequence[str]) -> int:
    args = make_parser().parse_args(["init", "--out", str(file), *extra])
    return carry_out(Context(args=args, terminal=terminal, env={"TZ": "Europe/Berlin"}))


def alone() -> dict[str, str | Sequence[str]]:
    """Answers of somebody with neither broker nor radios."""
    return {
        "Address of the broker": f"mqtt://127.0.0.1:{free_port()}",
        "Answer again": "keep",
        "zwave-js-server": "none",
    }
