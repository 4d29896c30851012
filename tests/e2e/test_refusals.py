"""The lock says no: no storm, no loss of what worked, and a word about why."""

import pytest

from tests.daemon.bed import PINS
from tests.e2e.conftest import Start
from tests.e2e.house import NODES
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import Faults, Model

pytestmark = [pytest.mark.zwave_bed, pytest.mark.mosquitto, pytest.mark.slow]
DUPLICATE = "duplicate_code_on_device"
FULL = "no_space_for_access_code_on_device"


@pytest.mark.parametrize("model", ["masked_s2", "masked_v1", "v2_s2", "v2_plain", "v1"])
async def test_a_duplicate_that_only_the_lock_knows_leaves_the_old_pin_working(
    start: Start, bed: ZwaveBed, model: Model
) -> None:
    """Two commands at most, looks included, whether or not it says no by Supervision; no more that day.

    The other's code gets there unseen, so that the hub does not know better than to try.
    """
    async with start(model) as house:
        code_id = await house.create_set(model, PINS[0])
        (slot,) = await house.on_lock(model)
        other = 1 if slot != 1 else 2
        await house.settled(model)
        await bed.edit(NODES[model].node_id, other, PINS[1], "silent")
        house.let_pass(minutes=10)  # what is due after a write of the hub's own
        await house.settled(model)
        await house.forget_radio(model)
        await house.do("access_codes/update", access_code_id=code_id, code=PINS[1])
        await house.until(lambda: DUPLICATE in house.errors(house.code(code_id)))
        await house.settled(model)
        house.let_pass(hours=12)
        await house.settled(model)
        assert await house.on_lock(model) == {other: PINS[1], slot: PINS[0]}
        radio = await house.radio(model)
        assert (radio.set, radio.clear) == (1, 0)
        assert radio.user_code <= 2, radio
        assert house.code(code_id)["status"] == "setting"


async def test_a_duplicate_is_set_once_the_other_is_gone(start: Start, bed: ZwaveBed) -> None:
    """Whatever changes in the lock's memory is a reason to try again."""
    node = NODES["masked_s2"].node_id
    await bed.edit(node, 1, PINS[0], "silent")
    async with start("masked_s2") as house:
        await house.settled("masked_s2")
        code_id = await house.create("masked_s2", PINS[0])
        await house.until(lambda: DUPLICATE in house.errors(house.code(code_id)))
        await house.settled("masked_s2")
        await house.bed.clear(node, 1, "notification")
        await house.hears("access_code.set_on_device", code_id)
        assert await house.on_lock("masked_s2") == {3: PINS[0]}
        assert (await house.radio("masked_s2")).set == 2


async def test_a_code_of_others_with_the_same_pin_is_named_and_nothing_is_written(
    start: Start, bed: ZwaveBed
) -> None:
    """The gateway can read it, so it need not ask the lock; others' codes are listed and left alone."""
    node = NODES["v2_s2"].node_id
    await bed.edit(node, 1, PINS[0], "silent")
    async with start("v2_s2") as house:
        await house.hears("access_code.unmanaged.created")
        await house.settled("v2_s2")
        code_id = await house.create("v2_s2", PINS[0])
        await house.until(lambda: DUPLICATE in house.errors(house.code(code_id)))
        (unmanaged,) = (await house.do("access_codes/unmanaged/list"))["unmanaged_access_codes"]
        (error,) = house.code(code_id)["errors"]
        assert error["unmanaged_access_code_id"] == unmanaged["access_code_id"]
        assert (unmanaged["slot"], unmanaged["is_managed"]) == ("1", False)
        await house.settled("v2_s2")
        radio = await house.radio("v2_s2")
        assert (radio.set, radio.clear) == (0, 0)
        assert await house.on_lock("v2_s2") == {1: PINS[0]}


async def test_a_lock_that_refuses_everything_is_not_stormed(start: Start) -> None:
    """After 60 s, after 120 s more, and when it takes codes again, at the next attempt it has ours."""
    node = NODES["v2_s2"].node_id
    async with start("v2_s2") as house:
        await house.bed.fault(node, Faults(refuse_sets=None))
        code_id = await house.create("v2_s2", PINS[0])
        await house.hears("access_code.failed_to_set_on_device", code_id)
        await house.settled("v2_s2")
        assert (await house.radio("v2_s2")).set == 1
        house.let_pass(seconds=40)
        await house.settled("v2_s2")
        assert (await house.radio("v2_s2")).set == 1
        house.let_pass(seconds=25)
        await house.radio_reaches("v2_s2", set=2)
        await house.settled("v2_s2")
        house.let_pass(seconds=80)
        await house.settled("v2_s2")
        assert (await house.radio("v2_s2")).set == 2
        assert await house.on_lock("v2_s2") == {}
        await house.bed.fault(node, Faults())
        house.let_pass(seconds=60)
        await house.hears("access_code.set_on_device", code_id)
        await house.until(lambda: not house.code(code_id)["errors"])
        radio = await house.radio("v2_s2")
        assert (radio.set, radio.clear) == (3, 0)


async def test_a_full_lock_takes_the_next_code_when_one_goes(start: Start, bed: ZwaveBed) -> None:
    """The error says how many slots are whose, nothing is written for it, and it clears itself."""
    node = NODES["tiny"].node_id
    await bed.edit(node, 1, PINS[4], "silent")
    async with start("tiny") as house:
        first, second = [await house.create_set("tiny", pin) for pin in PINS[:2]]
        waiting = await house.create("tiny", PINS[2])
        await house.until(lambda: FULL in house.errors(house.code(waiting)))
        (error,) = house.code(waiting)["errors"]
        assert (error["managed"], error["unmanaged"]) == (2, 1)
        await house.settled("tiny")
        assert (await house.radio("tiny")).set == 2
        await house.do("access_codes/delete", access_code_id=first)
        await house.hears("access_code.set_on_device", waiting)
        await house.until(lambda: not house.code(waiting)["errors"])
        assert await house.on_lock("tiny") == {1: PINS[4], 2: PINS[1], 3: PINS[2]}
        assert house.code(second)["status"] == "set"
