"""Writing and clearing slots: what is claimed afterwards, and what it costs."""

import asyncio

import pytest

from drivers.zwave.codes import Waits
from gateway.domain.credential import Credential, Empty, Evidence, Known, Schedule, Unreadable
from gateway.domain.driver import LockSeen, LockUnreachable, NoAnswer, Refused, WriteRefused, Written
from gateway.domain.pin import Pin
from gateway.domain.placement import Refusal
from tests.zwave.running import NODES, ready, running, settings_for
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import Faults, Model, Slot

pytestmark = pytest.mark.zwave_bed
OURS = Credential(pin=Pin("4711"))
OTHER = Credential(pin=Pin("5822"))


@pytest.mark.parametrize("model", ["v2_s2", "masked_s2"])
async def test_a_supervised_lock_confirms_in_the_same_exchange(bed: ZwaveBed, model: Model) -> None:
    """One command to set, one to clear, and no look afterwards."""
    node = NODES[model].node_id
    async with ready(bed, model) as run, run.driver.session(model) as session:
        assert await session.write("3", OURS, replaces=None) == Written(slot="3", evidence=Evidence.ACCEPTED)
        assert await bed.slots(node) == {3: Slot(status=1, code="4711")}
        assert await session.clear("3", holds=OURS) == Written(slot="3", evidence=Evidence.ACCEPTED)
    assert await bed.slots(node) == {}
    counters = await bed.counters(node)
    assert (counters.set, counters.clear, counters.total) == (1, 1, 2)


@pytest.mark.parametrize("model", ["v1", "v2_plain"])
async def test_an_unsupervised_lock_is_looked_at_once(bed: ZwaveBed, model: Model) -> None:
    """Two commands to set and two to clear, the second of each a read."""
    node = NODES[model].node_id
    async with ready(bed, model) as run, run.driver.session(model) as session:
        written = await session.write("3", OURS, replaces=None)
        assert written == Written(slot="3", evidence=Evidence.READ_BACK, reading=Known(OURS))
        cleared = await session.clear("3", holds=OURS)
        assert cleared == Written(slot="3", evidence=Evidence.READ_BACK, reading=Empty())
    assert await bed.slots(node) == {}
    counters = await bed.counters(node)
    assert (counters.set, counters.clear, counters.get, counters.total) == (1, 1, 2, 4)


@pytest.mark.parametrize("model", ["masked_v1", "masked_s0"])
async def test_hidden_digits_prove_that_the_slot_is_taken(bed: ZwaveBed, model: Model) -> None:
    """And no more than that."""
    async with ready(bed, model) as run, run.driver.session(model) as session:
        written = await session.write("3", OURS, replaces=None)
    assert written == Written(slot="3", evidence=Evidence.OCCUPIED, reading=Unreadable(enabled=True))
    counters = await bed.counters(NODES[model].node_id)
    assert (counters.set, counters.get) == (1, 1)


async def test_a_lock_that_cannot_be_read_is_only_written(bed: ZwaveBed) -> None:
    """One command each, claimed as sent."""
    node = NODES["write_only"].node_id
    async with ready(bed, "write_only") as run, run.driver.session("write_only") as session:
        assert await session.write("3", OURS, replaces=None) == Written(slot="3", evidence=Evidence.SENT)
        assert await bed.slots(node) == {3: Slot(status=1, code="4711")}
        assert await session.clear("3", holds=OURS) == Written(slot="3", evidence=Evidence.SENT)
    assert await bed.slots(node) == {}
    assert (await bed.counters(node)).total == 2


@pytest.mark.parametrize("model", ["v1", "write_only"])
async def test_a_lock_that_tells_of_the_write_is_not_asked(bed: ZwaveBed, model: Model) -> None:
    """Its own word, in time, saves the look."""
    node = NODES[model].node_id
    async with ready(bed, model) as run, run.driver.session(model) as session:
        written, _ = await asyncio.gather(
            session.write("3", OURS, replaces=None), alarm_when_set(bed, node, 112)
        )
        assert written == Written(slot="3", evidence=Evidence.ACCEPTED)
    assert (await bed.counters(node)).total == 1


async def test_a_code_is_staged_as_disabled_and_then_enabled(bed: ZwaveBed) -> None:
    """The status is what we say, not what the server remembers of the slot."""
    node = NODES["v2_s2"].node_id
    staged = Credential(pin=OURS.pin, enabled=False)
    async with ready(bed, "v2_s2") as run, run.driver.session("v2_s2") as session:
        await session.write("3", staged, replaces=None)
        assert await bed.slots(node) == {3: Slot(status=2, code="4711")}
        assert await session.read("3") == Known(staged)
        await session.write("3", OURS, replaces=staged)
        assert await bed.slots(node) == {3: Slot(status=1, code="4711")}


@pytest.mark.parametrize("model", ["v2_s2", "v2_plain", "v1", "masked_v1", "masked_s2", "write_only"])
async def test_a_refused_duplicate_costs_two_commands_at_most(bed: ZwaveBed, model: Model) -> None:
    """The old code stays, and the error says that trying again is useless."""
    node = NODES[model].node_id
    await bed.edit(node, 1, "4711", "silent")
    await bed.edit(node, 3, "5822", "silent")
    async with ready(bed, model) as run, run.driver.session(model) as session:
        with pytest.raises(Refused) as refused:
            await session.write("3", OURS, replaces=OTHER)
    assert refused.value.reason is Refusal.DUPLICATE
    assert "4711" not in str(refused.value)
    assert await bed.slots(node) == {1: Slot(status=1, code="4711"), 3: Slot(status=1, code="5822")}
    counters = await bed.counters(node)
    assert (counters.set, counters.clear) == (1, 0)
    assert counters.user_code <= 2


async def test_a_duplicate_told_late_is_not_claimed_as_written(bed: ZwaveBed) -> None:
    """Hidden digits look the same before and after, so the look alone would be believed."""
    node = NODES["masked_v1"].node_id
    await bed.edit(node, 3, "5822", "silent")
    async with ready(bed, "masked_v1") as run, run.driver.session("masked_v1") as session:
        await bed.fault(node, Faults(swallow_sets=1))

        async def alarm_after_the_look() -> None:
            while (await bed.counters(node)).get == 0:
                pass
            await bed.send_alarm(node, 113, 3)

        alarm = asyncio.create_task(alarm_after_the_look())
        with pytest.raises(Refused) as refused:
            await session.write("3", OURS, replaces=OTHER)
        await alarm
    assert refused.value.reason is Refusal.DUPLICATE
    assert (await bed.counters(node)).total == 2


async def test_a_duplicate_told_after_the_lock_said_yes_takes_the_write_back(bed: ZwaveBed) -> None:
    """It acknowledged the command before it looked into its slots: the PIN from before goes on opening."""
    node = NODES["masked_s2"].node_id
    await bed.edit(node, 3, "5822", "silent")
    async with ready(bed, "masked_s2") as run, run.driver.session("masked_s2") as session:
        await bed.fault(node, Faults(swallow_sets=1))
        written = await session.write("3", OURS, replaces=OTHER)
        assert written == Written(slot="3", evidence=Evidence.ACCEPTED)
        await bed.send_notification(node, 0x0F, [3])
        refused = WriteRefused(device_id="masked_s2", slot="3", reason=Refusal.DUPLICATE)
        assert await run.told.one(WriteRefused) == refused
    assert (await bed.counters(node)).total == 1


async def test_a_refusal_without_a_reason_is_looked_at_once(bed: ZwaveBed) -> None:
    """A lock may say no and have it nevertheless; here it does not."""
    node = NODES["v2_s2"].node_id
    async with ready(bed, "v2_s2") as run, run.driver.session("v2_s2") as session:
        await bed.fault(node, Faults(refuse_sets=1))
        with pytest.raises(Refused) as refused:
            await session.write("3", OURS, replaces=None)
    assert refused.value.reason is Refusal.OTHER
    counters = await bed.counters(node)
    assert (counters.set, counters.get, counters.total) == (1, 1, 2)


@pytest.mark.parametrize("model", ["v1", "v2_plain"])
async def test_a_write_that_the_lock_swallowed_is_found_out(bed: ZwaveBed, model: Model) -> None:
    """The reading says what is there, and the evidence is no more than that something was sent."""
    node = NODES[model].node_id
    await bed.edit(node, 3, "5822", "silent")
    async with ready(bed, model) as run, run.driver.session(model) as session:
        await bed.fault(node, Faults(swallow_sets=1))
        written = await session.write("3", OURS, replaces=OTHER)
    assert written == Written(slot="3", evidence=Evidence.SENT, reading=Known(OTHER))


async def test_a_lost_confirmation_is_made_up_for_by_one_look(bed: ZwaveBed) -> None:
    """The code is on the lock although the supervision report never came."""
    node = NODES["v2_s2"].node_id
    async with ready(bed, "v2_s2") as run, run.driver.session("v2_s2") as session:
        await bed.fault(node, Faults(lose_answers=1))
        written = await session.write("3", OURS, replaces=None)
    assert written == Written(slot="3", evidence=Evidence.READ_BACK, reading=Known(OURS))
    assert (await bed.counters(node)).get == 1


async def test_a_lost_acknowledgement_may_have_been_applied(bed: ZwaveBed) -> None:
    """The lock has the code and the hub must not conclude that it has not."""
    node = NODES["v1"].node_id
    async with ready(bed, "v1") as run, run.driver.session("v1") as session:
        await bed.fault(node, Faults(lose_answers=1))
        with pytest.raises(LockUnreachable) as unreachable:
            await session.write("3", OURS, replaces=None)
    assert unreachable.value.may_have_been_applied
    assert await bed.slots(node) == {3: Slot(status=1, code="4711")}


async def test_a_look_that_stays_without_answer_may_have_been_applied(bed: ZwaveBed) -> None:
    """What was sent cannot be taken back."""
    node = NODES["v1"].node_id
    async with ready(bed, "v1") as run, run.driver.session("v1") as session:
        await bed.fault(node, Faults(silent_gets=1))
        with pytest.raises(NoAnswer) as lost:
            await session.write("3", OURS, replaces=None)
    assert lost.value.may_have_been_applied


@pytest.mark.parametrize("model", ["v1", "v2_plain"])
@pytest.mark.parametrize("what", ["write", "clear"])
async def test_a_refused_look_does_not_unsay_what_was_sent(bed: ZwaveBed, model: Model, what: str) -> None:
    """The lock took the command and then says that there is no such slot: a no to the look alone."""
    node = NODES[model].node_id
    await bed.edit(node, 3, "5822", "silent")
    async with ready(bed, model) as run, run.driver.session(model) as session:
        await bed.fault(node, Faults(silent_gets=1))
        change = (
            session.write("3", OURS, replaces=OTHER) if what == "write" else session.clear("3", holds=OTHER)
        )
        with pytest.raises(NoAnswer) as doubtful:
            await asyncio.gather(change, say_no_such_slot_when_asked(bed, node))
    assert doubtful.value.may_have_been_applied
    assert "no such slot" in str(doubtful.value)
    assert await bed.slots(node) == ({3: Slot(status=1, code="4711")} if what == "write" else {})


async def test_a_refusal_whose_look_is_refused_too_is_in_doubt(bed: ZwaveBed) -> None:
    """Some locks say no and have it nevertheless, and only a look would have told."""
    node = NODES["v2_s2"].node_id
    async with ready(bed, "v2_s2") as run, run.driver.session("v2_s2") as session:
        await bed.fault(node, Faults(refuse_sets=1, silent_gets=1))
        with pytest.raises(NoAnswer):
            await asyncio.gather(
                session.write("3", OURS, replaces=None), say_no_such_slot_when_asked(bed, node)
            )


async def test_a_link_that_breaks_before_the_look_does_not_unsay_what_was_sent(bed: ZwaveBed) -> None:
    """Without a link nothing is sent; but the write had gone out while there was one."""
    node = NODES["v1"].node_id
    # Long enough for the link to end while the report of the write is waited for.
    waits = Waits(report_s=3.0, settle_s=0.5, duplicate_s=2.0)
    async with running(bed, settings_for("v1", "v2_s2"), waits=waits) as run:
        await run.told.until(lambda told: sum(isinstance(event, LockSeen) for event in told) == 2)

        async def write() -> Written:
            async with run.driver.session("v1") as session:
                return await session.write("3", OURS, replaces=None)

        writing = asyncio.create_task(write())
        while 3 not in await bed.slots(node):
            pass
        async with run.driver.session("v2_s2") as other:
            # One command at a time: when this one has its answer, the write had its own.
            await other.read("1")
    with pytest.raises(NoAnswer) as doubtful:
        await writing
    assert "no link" in str(doubtful.value)
    assert await bed.slots(node) == {3: Slot(status=1, code="4711")}


@pytest.mark.parametrize("digits", ["471", "12345678901", "47a1", "47*1"])
async def test_a_code_of_the_wrong_form_is_refused_without_radio(bed: ZwaveBed, digits: str) -> None:
    """Four to ten digits; refused for good, digits not repeated in the error."""
    node = NODES["v1"].node_id
    async with ready(bed, "v1") as run, run.driver.session("v1") as session:
        with pytest.raises(Refused) as refused:
            await session.write("3", Credential(pin=Pin(digits)), replaces=None)
    assert refused.value.reason is Refusal.FORMAT
    assert digits not in str(refused.value)
    assert (await bed.counters(node)).total == 0


@pytest.mark.parametrize(
    ("slot", "credential"),
    [
        (None, OURS),
        ("3", Credential(pin=OURS.pin, schedule=Schedule())),
        ("3", Credential(pin=OURS.pin, enabled=False)),
    ],
)
async def test_what_the_lock_cannot_do_is_refused_without_radio(
    bed: ZwaveBed, slot: str | None, credential: Credential
) -> None:
    """It chooses no slots, keeps no schedule, and as version 1 holds nothing disabled."""
    async with ready(bed, "v1") as run, run.driver.session("v1") as session:
        with pytest.raises(Refused):
            await session.write(slot, credential, replaces=None)
    assert (await bed.counters(NODES["v1"].node_id)).total == 0


async def test_one_lock_waiting_for_its_report_leaves_the_channel_to_others(bed: ZwaveBed) -> None:
    """Waiting costs no radio, so it holds up nobody."""
    order: list[str] = []
    async with ready(bed, "v1", "v2_s2") as run:

        async def write(model: Model) -> None:
            async with run.driver.session(model) as session:
                await session.write("3", OURS, replaces=None)
            order.append(model)

        await asyncio.gather(write("v1"), write("v2_s2"))
    assert order == ["v2_s2", "v1"]


async def alarm_when_set(bed: ZwaveBed, node: int, kind: int) -> None:
    """Let the lock tell of the write with a V1 alarm, as soon as it has it."""
    while 3 not in await bed.slots(node):
        pass
    await bed.send_alarm(node, kind, 3)


async def say_no_such_slot_when_asked(bed: ZwaveBed, node: int) -> None:
    """Answer the next look at slot 3, which the lock itself leaves unanswered, with the status 0xFE."""
    while (await bed.counters(node)).get == 0:
        pass
    await bed.send_report(node, 3, 0xFE, "")
