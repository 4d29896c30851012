"""The driver contract on the Z-Wave bed."""

from collections.abc import AsyncIterator, Mapping

import pytest

from gateway.domain.credential import SlotRef
from gateway.domain.driver import LockSeen
from gateway.domain.pin import Pin
from tests.contract.bench import Bench
from tests.contract.driver_contract import DriverContract
from tests.zwave.running import NODES, running, settings_for
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import Model

pytestmark = pytest.mark.zwave_bed
MODELS: list[Model] = [
    "v2_s2",
    "v2_plain",
    "v1",
    "masked_v1",
    "write_only",
    "scheduled",
    "scheduled_plain",
]


class Somebody:
    """A person at the keypad of a lock on the bed, who is not heard by the radio."""

    def __init__(self, bed: ZwaveBed, node: int) -> None:
        self._bed = bed
        self._node = node

    async def set_code(self, slot: SlotRef | None, pin: Pin) -> SlotRef:
        assert slot is not None
        await self._bed.edit(self._node, int(slot), pin.reveal(), "silent")
        return slot

    async def delete(self, slot: SlotRef) -> None:
        await self._bed.clear(self._node, int(slot), "silent")

    async def codes(self) -> Mapping[SlotRef, Pin]:
        return {str(slot): Pin(held.code) for slot, held in (await self._bed.slots(self._node)).items()}


@pytest.fixture(params=MODELS)
async def bench(request: pytest.FixtureRequest, bed: ZwaveBed) -> AsyncIterator[Bench]:
    """Run a driver for an empty lock of each kind that User Code knows."""
    model: Model = request.param
    async with running(bed, settings_for(model)) as run:
        seen = await run.told.one(LockSeen)
        yield Bench(
            driver=run.driver,
            device_id=model,
            capabilities=seen.capabilities,
            at_the_lock=Somebody(bed, NODES[model].node_id),
            shows_digits=model not in {"masked_v1", "write_only"},
        )


class TestZwaveDriver(DriverContract):
    """Every kind keeps the contract."""
