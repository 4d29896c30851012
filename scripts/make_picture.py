"""Writes docs/pinsmith.svg, the terminal that the README shows: real commands on the hub of the example.

python -m scripts.make_picture
"""

import os
import pty
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from shutil import copy

from rich.console import Console
from rich.text import Text

PROJECT = Path(__file__).parent.parent
FILE = PROJECT / "docs" / "pinsmith.svg"
WIDTH = 112
TYPED = (
    'pinsmith codes create front-door --name "Anna"',
    "echo 555555 | pinsmith keypad set front-door 20 --pin-stdin   # somebody at the keypad",
    "pinsmith watch --once",
)
"""What the picture shows being typed."""
_SETTLED_S = 3.0
_ECHO_S = 11.0
"""A change within ten seconds of the hub's own write looks like its echo."""
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def main() -> None:
    """Record the story and write the picture."""
    with tempfile.TemporaryDirectory() as folder, _hub(Path(folder)):
        console = Console(record=True, width=WIDTH, file=Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - ends with us
        for typed, printed in _story(Path(folder)):
            console.print(Text("$ ", style="bold green") + Text(typed, style="bold"))
            console.print(Text.from_ansi(printed.rstrip("\n")))
            console.print()
    # Fonts would be fetched from elsewhere; any fixed-width one will do.
    drawn = _FONTS.sub("", console.export_svg(title="pinsmith"))
    FILE.write_text(drawn.replace("Fira Code", "monospace"), encoding="utf-8")


def _story(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield what is typed and what is printed."""

    def typed(line: str) -> tuple[str, str]:
        return line, _typed(folder, line)

    friday = date.today() + timedelta(days=2)  # noqa: DTZ011 - the day where the recording is made
    stay = f'--starts-at "{friday} 15:00" --ends-at "{friday + timedelta(days=2)} 11:00"'
    # Where the recording is made, nobody may keep the clock right.
    _typed(folder, "pinsmith clock trust")
    create, overwrite, watch = TYPED
    yield typed(create)
    _typed(folder, f'pinsmith codes create garden-gate --name "Family Weber" {stay}')
    time.sleep(_ECHO_S)
    yield typed(overwrite)
    time.sleep(_SETTLED_S)
    yield typed(watch)


def _typed(folder: Path, line: str) -> str:
    """Run a line of shell on a terminal and return what it printed."""
    leader, follower = pty.openpty()
    environment = {
        **os.environ,
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "PINSMITH_CONFIG": "config.example.toml",
        "COLUMNS": str(WIDTH),
        "TERM": "xterm-256color",
    }
    with subprocess.Popen(  # noqa: S603 - our own lines
        ["/bin/sh", "-c", line], cwd=folder, env=environment, stdout=follower, stderr=follower, text=True
    ) as process:
        os.close(follower)
        printed = b"".join(iter(lambda: _read(leader), b"")).decode()
    os.close(leader)
    if process.returncode:
        raise SystemExit(f"{line}\n{printed}")
    return printed.replace("\r", "")


def _read(leader: int) -> bytes:
    """Return what was printed; nothing once nobody can print any more."""
    try:
        return os.read(leader, 65_536)
    except OSError:
        return b""


@contextmanager
def _hub(folder: Path) -> Iterator[None]:
    """Run the hub of the example in a folder of its own."""
    copy(PROJECT / "config.example.toml", folder)
    command = folder / "bin" / "pinsmith"
    command.parent.mkdir()
    command.write_text(
        f'#!/bin/sh\nPYTHONPATH="{PROJECT}" exec "{sys.executable}" -m gateway.cli.main "$@"\n'
    )
    command.chmod(0o755)
    arguments: list[str | Path] = [command, "run", "--config", "config.example.toml"]
    with subprocess.Popen(arguments, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as hub:  # noqa: S603
        for line in hub.stdout or ():
            if b"Ctrl-C ends it." in line:
                break
        try:
            time.sleep(_SETTLED_S)
            yield
        finally:
            hub.terminate()


if __name__ == "__main__":
    main()
