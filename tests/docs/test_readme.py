"""What the README tells people to type works, and answers what the README shows."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import pytest

from tests.docs.examples import differences
from tests.docs.pages import ROOT, UUID, Block, Names, blocks
from tests.mqtt.broker import free_port

PORT = "18831"
PATIENCE_S = 10.0
PROMISED_S = 300.0
"""From a fresh clone to a code that was overwritten at the keypad and put right."""
INSTALLING_S = 180.0
"""Of these, for `make run` to set up what it needs, which is not done here."""
WAITING_S = 20
OVERWRITTEN = "keypad set front-door"
_VOLATILE = (
    (UUID, "ID"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? [A-Z]{3,4}"), "TIME"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"), "TIME"),
    (re.compile(r"\b\d{6}\b"), "PIN"),
    (re.compile(r"─+"), "─"),
)


@dataclass(frozen=True)
class Terminal:
    """A copy of the folder in which somebody follows the README, on a port of its own."""

    folder: Path
    port: str

    def type(self, text: str) -> str:
        """Run a block of the README and return what is printed; fails with what went wrong."""
        done = subprocess.run(  # noqa: S603 - the README's own lines
            ["/bin/sh", "-eu", "-c", text.replace(PORT, self.port)],
            cwd=self.folder,
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        return done.stdout

    def look_again(self, typed: str, printed: str) -> str:
        """Repeat the look that ends a block: on a slow machine a reader would have been slower too."""
        last = typed.splitlines()[-1]
        if not re.search(r" (list|show|events)\b", last):
            return printed
        first = printed.splitlines()[: len(typed.splitlines()) > 1 and printed.startswith("stored")]
        return "\n".join([*first, self.type(last)])


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """The second terminal; in the first one runs what `make run` runs."""
    port = str(free_port())
    example = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    assert example.count(PORT) == 1
    (tmp_path / "config.example.toml").write_text(example.replace(PORT, port), encoding="utf-8")
    command = tmp_path / ".venv" / "bin" / "pinsmith"
    command.parent.mkdir(parents=True)
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gateway.cli.main "$@"\n')
    command.chmod(0o755)
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - a line of the Makefile
            ["/bin/sh", "-c", f"exec {_recipe('run')}"],
            cwd=tmp_path,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=output,
        )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if b"Ctrl-C ends it." in line:
                break
        else:
            pytest.fail(log.read_text())
        yield Terminal(tmp_path, port)
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 0, log.read_text()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def _recipe(target: str) -> str:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = re.search(rf"^{target}:.*\n\t(.+)$", makefile, re.MULTILINE)
    assert found is not None
    return found[1].replace("$(CONFIG)", "config.example.toml")


def _settled(text: str) -> list[str]:
    """Return the lines with blanks made one and what differs from run to run made the same."""
    for pattern, word in _VOLATILE:
        text = pattern.sub(word, text)
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


@pytest.mark.slow
@pytest.mark.mosquitto
def test_the_first_five_minutes_go_as_shown(terminal: Terminal) -> None:
    """Every command is typed in order; where an answer is shown, it is that answer."""
    names, typed, printed, compared = Names(), "", "", 0
    began, put_right = time.monotonic(), 0.0
    for block in blocks("README.md"):
        if block.kind == "sh":
            typed = names.put_in(block.text)
            printed = terminal.type(typed)
        elif block.kind == "text" or (block.kind == "json" and printed.startswith("{")):
            names.learn(block.text, printed)
            deadline = time.monotonic() + PATIENCE_S
            while _unlike(block, printed) and time.monotonic() < deadline:
                printed = terminal.look_again(typed, printed)
            assert _unlike(block, printed) == [], f"README.md:{block.line}"
            if OVERWRITTEN in typed:
                put_right = time.monotonic() - began
            printed, compared = "", compared + 1
    assert 0 < put_right < PROMISED_S - INSTALLING_S
    assert compared == len([block for block in blocks("README.md") if block.kind == "text"]) + 1


def _unlike(block: Block, text: str) -> list[str]:
    """Say where the answer is not the one that is shown; of JSON a part may be left out there."""
    if block.kind == "json":
        return differences(json.loads(block.text), json.loads(text))
    return list(unified_diff(_settled(block.text), _settled(text), lineterm=""))


def test_the_reader_is_asked_for_little_patience() -> None:
    """The first minutes are no waiting: what the page itself pauses for, before the code is put right."""
    typed = "".join(block.text for block in blocks("README.md") if block.kind == "sh")
    pauses = re.findall(r"^sleep (\d+)$", typed, re.MULTILINE)
    assert 0 < sum(map(int, pauses)) <= WAITING_S


def test_what_is_not_typed_here_is_what_its_own_page_says() -> None:
    """Two blocks cannot be tried beside a test: the hub of the first terminal, and the installation.

    The first is what runs beside all of them, the second the steps that docs/install.md has.
    """
    hub, install = (_without_remarks(block) for block in blocks("README.md") if not block.kind)
    assert hub == ["make run"]
    page = [
        line for block in blocks("docs/install.md") if block.kind == "sh" for line in _without_remarks(block)
    ]
    first = page.index(install[0])
    assert page[first : first + 3] == install[:3]
    assert install[3:] == ["sudo pinsmith doctor"]


def _without_remarks(block: Block) -> list[str]:
    """Return the lines of a block; three blanks begin what is said about one."""
    return [re.split(r" {3,}", line)[0] for line in block.text.splitlines()]


def test_every_target_of_make_exists() -> None:
    """What is said of make is there to be typed, in the README and in every other page."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    named = {
        name for page in pages for name in re.findall(r"\bmake ([a-z-]+)\b(?:`| {2,})", page.read_text())
    }
    assert {"run", "test"} <= named
    for name in named:
        assert re.search(rf"^{name}:", makefile, re.MULTILINE), name
