"""The driver contract on every model of simulated lock."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import get_args

import pytest

from drivers.simulated import keypad
from drivers.simulated.models import MODELS
from drivers.simulated.settings import ModelName, SimulatedLockSettings
from gateway.domain.credential import SlotRef
from gateway.domain.driver import LockSeen
from gateway.domain.pin import Pin
from tests.contract.bench import Bench
from tests.contract.driver_contract import DriverContract
from tests.simulated.clock import NOON
from tests.simulated.running import running


class Somebody:
    """A person at the keypad, through the functions that the command line uses."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def set_code(self, slot: SlotRef | None, pin: Pin) -> SlotRef:
        return keypad.set_code(self._directory, "door", slot, pin, at=NOON)

    async def delete(self, slot: SlotRef) -> None:
        keypad.delete(self._directory, "door", slot, at=NOON)

    async def codes(self) -> Mapping[SlotRef, Pin]:
        return {slot: held.pin for slot, held in keypad.show(self._directory, "door").items()}


@pytest.fixture(params=get_args(ModelName.__value__))
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    """Hang up an empty lock of each model, small enough to be filled."""
    slots = 2 if request.param == "tiny" else 4
    settings = SimulatedLockSettings(model=request.param, slots=slots)
    async with running(tmp_path, {"door": settings}) as run:
        (seen,) = (event for event in run.sink.take() if isinstance(event, LockSeen))
        yield Bench(
            driver=run.driver,
            device_id="door",
            capabilities=seen.capabilities,
            at_the_lock=Somebody(run.directory),
            shows_digits=not MODELS[settings.model].masks_digits,
        )


class TestSimulatedDriver(DriverContract):
    """Every model keeps the contract."""
