"""The gateway as a process of its own, to be signalled and killed."""

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).parents[2]


async def start(
    config: Path,
    log: Path,
    *,
    offset: Path | None = None,
    wedge: str | None = None,
    told: Mapping[str, str] | None = None,
) -> Process:
    """Start it with the command, or with a shifted clock if there is a file with an `offset`.

    With `wedge` that part gets stuck on SIGUSR1. `told` is what the environment has besides.
    """
    if wedge is not None:
        arguments = ["-m", "tests.daemon.with_wedge", str(config), wedge]
    elif offset is not None:
        arguments = ["-m", "tests.daemon.with_clock", str(config), str(offset)]
    else:
        arguments = ["-m", "gateway.cli.main", "run", "--config", str(config)]
    environment = {name: value for name, value in os.environ.items() if name != "CREDENTIALS_DIRECTORY"}
    environment |= told or {}
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=PROJECT,
            env=environment,
        )


async def ended(process: Process, seconds: float = 20.0) -> int:
    """Wait for its end and return the exit status; negative for a signal."""
    async with asyncio.timeout(seconds):
        return await process.wait()


async def put_away(process: Process) -> None:
    """Make sure that it does not outlive the test."""
    if process.returncode is None:
        process.kill()
    await process.wait()
