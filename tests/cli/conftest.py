"""The command as a person or a program runs it, with everything around it in the test's hands."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.asking import Line
from gateway.cli.context import Context
from gateway.cli.exits import RefusedByDaemon
from gateway.cli.main import carry_out, make_parser
from gateway.cli.terminal import Terminal
from gateway.config import Settings

CONFIG = """\
[gateway]
id = "home"
time_zone = "Europe/Berlin"
data_directory = "var"

[mqtt]
url = "mqtt://127.0.0.1:1"

[locks.front-door]
driver = "simulated"
model = "readable"
slots = 5

[locks.back-door]
driver = "zwave"
node = 7
"""
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Keys(io.StringIO):
    """Standard input, or output, with a person at it."""

    def isatty(self) -> bool:
        return True


@dataclass(kw_only=True)
class House:
    """A folder with a configuration, and a daemon that gives the answers it was told to give.

    That to a request for a further page is under the verb, a blank and the cursor.
    """

    folder: Path
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    refusal: tuple[str, str] | None = None
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    now: datetime = NOW
    events: list[dict[str, Any]] = field(default_factory=list)
    """What the daemon tells once it was asked."""
    watched: list[str] = field(default_factory=list)

    @contextmanager
    def watch(
        self, _settings: Settings, device_id: str, _seconds: float
    ) -> Iterator[Iterator[dict[str, Any]]]:
        """Take the place of the broker; nobody may be asked before somebody listens."""
        assert self.asked == []
        self.watched.append(device_id)
        yield iter(self.events)

    def answer(self, _settings: Settings, verb: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Take the place of the daemon."""
        self.asked.append((verb, dict(parameters)))
        if self.refusal is not None:
            raise RefusedByDaemon(*self.refusal)
        return self.answers.get(" ".join([verb, *filter(None, [parameters.get("page_cursor")])]), {})

    @contextmanager
    def line(self, settings: Settings, _events_of: str | None) -> Iterator[Line]:
        """Take the place of a connection that stays open; nothing happens on it."""

        class Quiet(Line):
            def __init__(self, house: House) -> None:
                self._house = house

            def ask(self, verb: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
                return self._house.answer(settings, verb, parameters)

        yield Quiet(self)


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The answer, line by line, with runs of blanks made one."""
        return [" ".join(line.split()) for line in self.out.splitlines() if line.strip()]


type Pinsmith = Callable[..., Done]


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house with one simulated lock and one Z-Wave lock."""
    (tmp_path / "pinsmith.toml").write_text(CONFIG)
    return House(folder=tmp_path)


@pytest.fixture
def pinsmith(house: House) -> Pinsmith:
    """Run a command line; `typed` is what the person types where it is not shown, `stdin` the input.

    `out` is where the answer goes, where it is no pipe.
    """

    def run(
        *argv: str,
        stdin: str | io.StringIO = "",
        typed: Sequence[str] = (),
        out: io.StringIO | None = None,
    ) -> Done:
        out, err, keys = out or io.StringIO(), io.StringIO(), iter(typed)
        terminal = Terminal(
            stdin=io.StringIO(stdin) if isinstance(stdin, str) else stdin,
            stdout=out,
            stderr=err,
            hidden=lambda _question: next(keys),
        )
        args = make_parser().parse_args(argv)
        args.config = args.config or house.folder / "pinsmith.toml"
        context = Context(
            args=args,
            terminal=terminal,
            env=house.env,
            service_credentials=house.folder / "pinsmith.service",
            ask_daemon=house.answer,
            watch_daemon=house.watch,
            open_line=house.line,
            now=lambda: house.now,
        )
        code = carry_out(context)
        return Done(code=code, out=out.getvalue(), err=err.getvalue())

    return run
