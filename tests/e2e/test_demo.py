"""`make demo-zwave`: what it says to type works, and nothing is left of it."""

import asyncio
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from tests.daemon.process import PROJECT, ended, put_away
from tests.mqtt.broker import eventually
from tests.zwave_bed.bed import ZwaveBed

pytestmark = [pytest.mark.zwave_bed, pytest.mark.slow]


async def test_the_demonstration_does_what_it_says(tmp_path: Path) -> None:
    """A code by the printed command, seen on the radio; somebody at the keypad; Ctrl-C ends everything."""
    said = tmp_path / "said"
    with said.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.zwave_bed.demo",
            stdout=output,
            stderr=output,
            cwd=PROJECT,
            env=os.environ | {"TMPDIR": str(tmp_path)},
            start_new_session=True,
        )
    try:
        await eventually(lambda: "the link to the Z-Wave server stands" in said.read_text(), 60)
        await run(line(said, "codes create front-door"))
        await eventually(lambda: "access_code.set_on_device" in said.read_text())
        await eventually(lambda: re.search(r"radio {2}front-door .*set 1 \(\+1\)", said.read_text()))
        bed = ZwaveBed(ws="", control=line(said, "/unlock").split()[-1].removesuffix("/unlock"))
        await bed.unlock(2, slot=8)
        await eventually(lambda: "lock.unlocked" in said.read_text())
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the bed gets it too
        assert await ended(process) == 0
    finally:
        await put_away(process)
    assert "ERROR" not in said.read_text()
    assert os.listdir(tmp_path) == ["said"]  # noqa: PTH208 - nothing waits for this folder


def line(said: Path, words: str) -> str:
    """Return the line to type that has these words."""
    return next(line for line in said.read_text().splitlines() if words in line and line.startswith("  "))


async def run(command: str) -> None:
    """Type a line."""
    shell = await asyncio.create_subprocess_shell(command, cwd=PROJECT, stdout=asyncio.subprocess.DEVNULL)
    assert await asyncio.wait_for(shell.wait(), 30) == 0
