"""`pinsmith init` as a process at a real terminal: Ctrl-C, and a password that nobody sees."""

import contextlib
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mqtt.broker import free_port

pytestmark = pytest.mark.slow

_AT_TERMINAL = (
    "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.executable, [sys.executable, '-m', 'gateway.cli.main', *sys.argv[1:]])"
)
_PATIENCE_S = 60.0
_ROOT = Path(__file__).parents[2]


class Screen:
    """What the process shows, and the keys."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self.shown = ""

    def waits_at(self, question: str) -> None:
        """Read until the cursor stands behind a question."""
        deadline = time.monotonic() + _PATIENCE_S
        while not self._stands_behind(question):
            assert time.monotonic() < deadline, self.shown
            if select.select([self._handle], [], [], 1.0)[0]:
                try:
                    self.shown += os.read(self._handle, 4096).decode()
                except OSError:
                    raise AssertionError(f"it ended: {self.shown}") from None

    def _stands_behind(self, question: str) -> bool:
        line = self.shown.rpartition("\n")[2]
        return question in line and line.endswith(": ")

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._handle, keys.encode())


@contextlib.contextmanager
def init(file: Path) -> Iterator[tuple[Screen, subprocess.Popen[bytes]]]:
    """Run the command at a terminal of its own."""
    screen, terminal = pty.openpty()
    process = subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-c", _AT_TERMINAL, "init", "--out", str(file)],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
    )
    os.close(terminal)
    try:
        yield Screen(screen), process
    finally:
        process.kill()
        process.wait()
        os.close(screen)


def test_a_password_is_not_shown_and_ctrl_c_ends_it_at_once(file: Path) -> None:
    """While a question waits, after the password was tried. Nothing is left."""
    with init(file) as (screen, process):
        for question, answer in (
            ("MQTT topics", "hub"),
            ("Time zone", "Europe/Berlin"),
            ("Folder", ""),
            ("Address of the broker", f"mqtt://127.0.0.1:{free_port()}"),
            ("User of the hub", "pinsmith"),
            ("Password of pinsmith", "s3cret"),
        ):
            screen.waits_at(question)
            screen.type(f"{answer}\n")
        screen.waits_at("Answer again")
        screen.type("\x03")
        assert process.wait(_PATIENCE_S) == 130
    assert "Europe/Berlin" in screen.shown
    assert "s3cret" not in screen.shown
    assert "Traceback" not in screen.shown
    assert list(file.parent.iterdir()) == []
