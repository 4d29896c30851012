"""A lock that takes codes and never shows them: its readings prove nothing."""

import pytest

from tests.daemon.bed import PINS
from tests.e2e.conftest import Start
from tests.e2e.house import NODES

pytestmark = [pytest.mark.zwave_bed, pytest.mark.mosquitto, pytest.mark.slow]


async def test_a_code_is_believed_when_the_door_was_opened_with_it(start: Start) -> None:
    """Until then it stays `setting` and says why, and is not sent again; no slot is ever read."""
    node = NODES["write_only"].node_id
    async with start("write_only") as house:
        code_id = await house.create("write_only", PINS[0])
        await house.until(lambda: "unable_to_confirm_code" in house.warnings(house.code(code_id)))
        await house.settled("write_only")
        house.let_pass(hours=30)
        await house.settled("write_only")
        assert house.code(code_id)["status"] == "setting"
        assert not house.told("access_code.set_on_device")
        await house.bed.unlock(node, 3)
        await house.hears("lock.unlocked", code_id)
        await house.hears("access_code.set_on_device", code_id)
        await house.until(
            lambda: house.code(code_id)["status"] == "set" and not house.code(code_id)["warnings"]
        )
        assert house.code(code_id)["evidence"] == "used"
        radio = await house.radio("write_only")
        assert (radio.set, radio.clear, radio.get) == (1, 0, 0)
        assert await house.on_lock("write_only") == {3: PINS[0]}
