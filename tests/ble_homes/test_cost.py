"""How often a lock is connected to: that is what its battery is spent on."""

import pytest

from tests.ble_bed.virtual import in_virtual_time
from tests.ble_homes.doors import Door
from tests.ble_homes.families import NUKI, TTLOCK, YALE, every_door
from tests.ble_homes.home import at_home

pytestmark = pytest.mark.slow

PINS = tuple(f"83{number}947" for number in range(1, 6))
CHANGED = tuple(f"95{number}836" for number in range(1, 6))
WORK_S, NIGHT_H = 50.0, 4


@every_door
@in_virtual_time
async def test_any_number_of_operations_takes_one_connection(door_type: type[Door]) -> None:
    """Five codes set, five changed, five removed."""
    async with at_home(door_type) as home:
        ids = [await home.create(pin) for pin in PINS]
        await home.door.touch() if home.door.sleeps else None
        await home.settle(WORK_S)
        assert home.door.pins() == sorted(PINS)
        assert home.connections() == 1
        await home.settle()
        assert home.connections() <= 1  # The second look, minutes later: some locks say yes and forget.
        for code_id, pin in zip(ids, CHANGED, strict=True):
            await home.update(code_id, code=pin)
        await home.door.touch() if home.door.sleeps else None
        await home.settle(WORK_S)
        assert home.door.pins() == sorted(CHANGED)
        assert home.connections() == 1
        await home.settle()
        assert home.connections() <= 1  # The second look, minutes later: some locks say yes and forget.
        for code_id in ids:
            await home.delete(code_id)
        await home.door.touch() if home.door.sleeps else None
        await home.settle(WORK_S)
        assert home.door.pins() == []
        assert home.connections() == 1


@pytest.mark.parametrize("door_type", [NUKI, YALE, TTLOCK])
@in_virtual_time
async def test_a_quiet_time_costs_the_nightly_audit_and_nothing_else(door_type: type[Door]) -> None:
    """From noon to noon would be the same: the clock is what costs the test its time."""
    async with at_home(door_type) as home:
        for pin in PINS[:2]:
            await home.create(pin)
        await home.settle()
        home.connections()
        written = home.door.changes()
        await home.until(home.clock.true().replace(hour=NIGHT_H))
        assert home.connections() == 1
        await home.settle(3 * 3600)
        assert home.connections() == 0
        assert home.door.changes() == written
