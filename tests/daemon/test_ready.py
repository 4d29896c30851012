"""When the daemon says that it is up."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.engine.turn import Turn
from gateway.engine.worker import Worker
from tests.daemon.bed import running, settings
from tests.daemon.manager import managing
from tests.mqtt.broker import eventually

NOBODY = 1
"""A port on which no broker listens."""
TWO = '[locks.front]\ndriver = "simulated"\n[locks.back]\ndriver = "simulated"\n'


async def test_it_is_ready_once_every_lock_has_its_first_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What starts after it may rely on that: what is due is known, and what hangs there is a failed start."""
    held, planned, turn = asyncio.Event(), set[str](), Worker._turn

    async def turning(worker: Worker, **how: Any) -> Turn:  # noqa: ANN401 - as the original takes it
        if worker._device_id == "back":
            await held.wait()
        turned = await turn(worker, **how)
        planned.add(worker._device_id)
        return turned

    monkeypatch.setattr(Worker, "_turn", turning)
    async with managing(tmp_path) as manager:
        for name, value in manager.env().items():
            monkeypatch.setenv(name, value)
        async with running(settings(tmp_path, NOBODY, locks=TWO)):
            await eventually(lambda: "0 codes on 2 locks" in manager.status() and planned == {"front"})
            await asyncio.sleep(0.1)
            assert "READY=1" not in manager.lines()
            held.set()
            await manager.ready()
            assert planned == {"front", "back"}
