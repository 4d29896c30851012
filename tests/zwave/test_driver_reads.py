"""Reading slots: what is asked, what it costs, and what no answer means."""

import pytest

from gateway.domain.credential import Credential, Empty, Known, Unreadable
from gateway.domain.driver import LockUnreachable, NoAnswer, Refused, SlotReported
from gateway.domain.pin import Pin
from tests.zwave.running import NODES, ready
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import Faults, Model

pytestmark = pytest.mark.zwave_bed
READABLE: list[Model] = ["v2_s2", "v2_plain", "v1"]
HIDING: list[Model] = ["masked_v1", "masked_s0", "masked_s2", "withheld"]


@pytest.mark.parametrize("model", READABLE)
async def test_a_read_shows_the_slot_for_one_command(bed: ZwaveBed, model: Model) -> None:
    """The lock is asked, not the server's memory."""
    node = NODES[model].node_id
    async with ready(bed, model) as run, run.driver.session(model) as session:
        await bed.edit(node, 2, "4711", "silent")
        assert await session.read("2") == Known(Credential(pin=Pin("4711")))
        assert await session.read("3") == Empty()
    assert (await bed.counters(node)).get == 2
    assert (await bed.counters(node)).user_code == 2


@pytest.mark.parametrize("model", HIDING)
async def test_hidden_digits_read_as_taken(bed: ZwaveBed, model: Model) -> None:
    """Masked or withheld: somebody has a code there."""
    async with ready(bed, model) as run, run.driver.session(model) as session:
        await bed.edit(NODES[model].node_id, 2, "4711", "silent")
        assert await session.read("2") == Unreadable(enabled=True)
        assert await session.read("3") == Empty()


async def test_a_lock_whose_answers_prove_nothing_is_never_asked(bed: ZwaveBed) -> None:
    """It says "available" of every slot."""
    async with ready(bed, "write_only") as run, run.driver.session("write_only") as session:
        with pytest.raises(Refused):
            await session.read("2")
    assert (await bed.counters(NODES["write_only"].node_id)).total == 0


@pytest.mark.parametrize("model", READABLE)
async def test_no_answer_is_not_an_empty_slot(bed: ZwaveBed, model: Model) -> None:
    """What the server remembers of the slot does not help either."""
    node = NODES[model].node_id
    async with ready(bed, model) as run, run.driver.session(model) as session:
        await bed.edit(node, 2, "4711", "report")
        await run.told.one(SlotReported)
        await bed.fault(node, Faults(silent_gets=1))
        with pytest.raises(NoAnswer):
            await session.read("2")
        assert await session.read("2") == Known(Credential(pin=Pin("4711")))


async def test_a_lock_that_acknowledges_nothing_is_unreachable(bed: ZwaveBed) -> None:
    """No word of the server about it gets into the error."""
    async with ready(bed, "v2_s2") as run, run.driver.session("v2_s2") as session:
        await bed.fault(NODES["v2_s2"].node_id, Faults(dead=True))
        with pytest.raises(LockUnreachable) as unreachable:
            await session.read("2")
    assert unreachable.value.__cause__ is None
    assert unreachable.value.__context__ is None


@pytest.mark.parametrize("slot", ["0", "5", "251", "-1", "x", ""])
async def test_only_slots_of_the_lock_are_asked_for_or_cleared(bed: ZwaveBed, slot: str) -> None:
    """Slot 0 stands for all slots: clearing it would empty the lock."""
    node = NODES["v2_s2"].node_id
    async with ready(bed, "v2_s2") as run, run.driver.session("v2_s2") as session:
        await bed.edit(node, 1, "4711", "silent")
        with pytest.raises(Refused):
            await session.read(slot)
        with pytest.raises(Refused):
            await session.clear(slot, holds=None)
    assert (await bed.counters(node)).total == 0
    assert set(await bed.slots(node)) == {1}


async def test_our_own_reads_are_not_told_as_reports(bed: ZwaveBed) -> None:
    """On a lock that hides digits a report means an edit, and an audit would look like one."""
    node = NODES["masked_s2"].node_id
    async with ready(bed, "masked_s2") as run:
        await bed.edit(node, 2, "4711", "silent")
        async with run.driver.session("masked_s2") as session:
            await session.read("2")
            await session.read("2")
        await bed.battery(node, 41)
        events = await run.told.until(lambda told: len(told) > 0)
    assert [type(event).__name__ for event in events] == ["BatteryLevel"]


async def test_one_command_shows_whether_anything_changed(bed: ZwaveBed) -> None:
    """The checksum comes from the lock each time."""
    node = NODES["v2_s2"].node_id
    async with ready(bed, "v2_s2") as run, run.driver.session("v2_s2") as session:
        empty = await session.probe()
        assert await session.probe() == empty
        await bed.edit(node, 1, "1234", "silent")
        assert (empty, await session.probe()) == ("0000", "200a")
    counters = await bed.counters(node)
    assert (counters.checksum, counters.total) == (3, 3)
