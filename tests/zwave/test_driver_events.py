"""What locks tell by themselves, and what the engine hears of it."""

import asyncio

import pytest

from gateway.domain.credential import Credential, Empty, Known, Unreadable
from gateway.domain.driver import (
    AccessDenied,
    AllCleared,
    BatteryLevel,
    CodeUsed,
    KeypadMode,
    LockAlive,
    LockDead,
    LockEvent,
    LockSeen,
    LockUnreachable,
    Refused,
    SlotReported,
    SlotTouched,
    Tampered,
)
from gateway.domain.pin import Pin
from gateway.domain.placement import Refusal
from tests.zwave.running import NODES, Running, ready, running, settings_for
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.client import connected
from tests.zwave_bed.config import Faults, Model, Report

pytestmark = pytest.mark.zwave_bed
OURS = Credential(pin=Pin("4711"))
V1_AND_V2: list[tuple[Model, Report]] = [("v2_s2", "notification"), ("v1", "v1_alarm")]


async def everything_told(run: Running, model: Model) -> list[LockEvent]:
    """Return all that was told so far.

    The driver holds some things back to combine them; an alarm that it holds back too, sent now, is told
    after all of those. No server maps alarm 162.
    """
    await run.bed.send_alarm(NODES[model].node_id, 162, 4)
    last = AccessDenied(device_id=model, reason="outside_schedule", slot="4")
    return (await run.told.until(lambda told: last in told))[:-1]


@pytest.mark.parametrize("model", ["v2_s2", "v2_plain", "v1"])
async def test_a_reported_edit_tells_slot_and_content(bed: ZwaveBed, model: Model) -> None:
    """Status and code come apart from the server and are told as one."""
    async with ready(bed, model) as run:
        await bed.edit(NODES[model].node_id, 2, "4711", "report")
        assert await run.told.one(SlotReported) == SlotReported(
            device_id=model, slot="2", reading=Known(OURS)
        )
        await bed.clear(NODES[model].node_id, 2, "report")
        assert await run.told.one(SlotReported) == SlotReported(device_id=model, slot="2", reading=Empty())
        assert await everything_told(run, model) == []


async def test_a_report_with_hidden_digits_says_taken(bed: ZwaveBed) -> None:
    """An edit on a masking lock cannot be compared, only noticed."""
    async with ready(bed, "masked_s2") as run:
        await bed.edit(NODES["masked_s2"].node_id, 2, "4711", "report")
        assert (await run.told.one(SlotReported)).reading == Unreadable(enabled=True)


async def test_reports_of_a_lock_that_always_says_available_are_not_believed(bed: ZwaveBed) -> None:
    """They would look like deletions."""
    async with ready(bed, "write_only") as run:
        await bed.edit(NODES["write_only"].node_id, 2, "4711", "report")
        assert await everything_told(run, "write_only") == []


@pytest.mark.parametrize(("model", "report"), V1_AND_V2)
async def test_an_announced_edit_or_deletion_names_the_slot(
    bed: ZwaveBed, model: Model, report: Report
) -> None:
    """What is in it now has to be read; repeats are told again."""
    node = NODES[model].node_id
    async with ready(bed, model) as run:
        for code in ("4711", "5822"):
            await bed.edit(node, 2, code, report)
            assert await run.told.one(SlotTouched) == SlotTouched(device_id=model, slot="2")
        for slot in (2, 3):
            await bed.clear(node, slot, report)
            assert await run.told.one(SlotTouched) == SlotTouched(device_id=model, slot=str(slot))
        assert await everything_told(run, model) == []


async def test_an_edit_without_a_slot_says_that_something_changed(bed: ZwaveBed) -> None:
    """Some locks do not say where."""
    async with ready(bed, "v2_s2") as run:
        await bed.send_notification(NODES["v2_s2"].node_id, 0x0E)
        assert await run.told.one(SlotTouched) == SlotTouched(device_id="v2_s2", slot=None)


@pytest.mark.parametrize(("model", "report"), V1_AND_V2)
async def test_deleting_all_codes_is_told_once(bed: ZwaveBed, model: Model, report: Report) -> None:
    """The server empties its memory of every slot, but no lock reported those slots."""
    node = NODES[model].node_id
    await bed.edit(node, 2, "4711", "silent")
    async with ready(bed, model) as run:
        await bed.clear_all(node, report)
        assert await everything_told(run, model) == [AllCleared(device_id=model)]


@pytest.mark.parametrize("model", ["v2_s2", "v1"])
async def test_a_used_code_is_told_once_with_its_slot(bed: ZwaveBed, model: Model) -> None:
    """V1 locks tell by an alarm, of which the server makes a notification too."""
    async with ready(bed, model) as run:
        for slot in (2, 2, 3):
            await bed.unlock(NODES[model].node_id, slot)
            events = await everything_told(run, model)
            assert events == [CodeUsed(device_id=model, slot=str(slot))]


async def test_a_v1_alarm_that_the_server_does_not_map_is_understood_all_the_same(bed: ZwaveBed) -> None:
    """A lock unknown to the device database only shows alarm type and level."""
    async with ready(bed, "write_only") as run:
        await bed.unlock(NODES["write_only"].node_id, 3)
        assert await everything_told(run, "write_only") == [CodeUsed(device_id="write_only", slot="3")]


@pytest.mark.parametrize("model", ["v2_s2", "v1"])
async def test_wrong_codes_are_told_without_digits(bed: ZwaveBed, model: Model) -> None:
    """What was typed is nobody's business."""
    async with ready(bed, model) as run:
        await bed.wrong_code(NODES[model].node_id)
        assert await run.told.one(AccessDenied) == AccessDenied(device_id=model, reason="too_many_attempts")


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (0x2F, "blocklisted_code"),
        (0x30, "outside_schedule"),
        (0x31, "credential_error"),
        (0x32, "unknown_code"),
    ],
)
async def test_a_refused_code_is_told_as_denied(bed: ZwaveBed, event: int, reason: str) -> None:
    """Disabled, out of its schedule, one of two that are needed, or not known at all."""
    async with ready(bed, "v2_s2") as run:
        await bed.send_notification(NODES["v2_s2"].node_id, event)
        assert (await run.told.one(AccessDenied)).reason == reason


@pytest.mark.parametrize(
    ("mode", "off"),
    [
        (1, "it is in vacation mode"),
        (2, "it is in privacy mode"),
        (3, "it locked itself out after wrong codes"),
    ],
)
async def test_a_keypad_that_is_switched_off_is_told_with_its_reason(
    bed: ZwaveBed, mode: int, off: str
) -> None:
    """Told at once, known still when the driver starts anew, and over when it takes codes again."""
    node = NODES["v2_s2"].node_id
    async with ready(bed, "v2_s2") as run:
        await bed.keypad_mode(node, mode)
        assert (await run.told.one(KeypadMode)).off == off
    async with running(bed, settings_for("v2_s2")) as run:
        assert (await run.told.one(LockSeen)).keypad_off == off
        await bed.keypad_mode(node, 0)
        assert (await run.told.one(KeypadMode)).off is None


async def test_a_changed_administrator_code_is_told_as_tampering(bed: ZwaveBed) -> None:
    """Whoever has it can change everything."""
    async with ready(bed, "v2_s2") as run:
        await bed.send_notification(NODES["v2_s2"].node_id, 0x12)
        assert (await run.told.one(Tampered)).what == "the administrator code was changed"


async def test_a_duplicate_at_the_keypad_is_nobodys_business(bed: ZwaveBed) -> None:
    """Nothing changed on the lock, and no write of ours waits."""
    async with ready(bed, "v2_s2") as run:
        await bed.send_notification(NODES["v2_s2"].node_id, 0x0F, [2])
        assert await everything_told(run, "v2_s2") == []


async def test_battery_is_told_as_a_fraction(bed: ZwaveBed) -> None:
    """The lock reports per cent."""
    async with ready(bed, "v2_s2") as run:
        await bed.battery(NODES["v2_s2"].node_id, 37)
        assert await run.told.one(BatteryLevel) == BatteryLevel(device_id="v2_s2", level=0.37)


async def test_a_lock_that_falls_silent_and_returns_is_told(bed: ZwaveBed) -> None:
    """The first frame after the silence counts, and counts once."""
    node = NODES["v2_s2"].node_id
    async with ready(bed, "v2_s2") as run:
        await bed.fault(node, Faults(dead=True))
        async with run.driver.session("v2_s2") as session:
            with pytest.raises(LockUnreachable):
                await session.read("1")
        assert await run.told.one(LockDead) == LockDead(device_id="v2_s2")
        await bed.alive(node)
        await run.told.one(LockAlive)
        events = await everything_told(run, "v2_s2")
        assert [event for event in events if isinstance(event, LockAlive | LockDead)] == []
        async with run.driver.session("v2_s2") as session:
            assert await session.read("1") == Empty()


async def test_a_new_name_is_no_sign_of_life(bed: ZwaveBed) -> None:
    """The server writes it into its own memory; no frame came from the lock."""
    node = NODES["v2_s2"].node_id
    async with ready(bed, "v2_s2", "v1") as run, connected(bed) as operator:
        await bed.fault(node, Faults(dead=True))
        async with run.driver.session("v2_s2") as session:
            with pytest.raises(LockUnreachable):
                await session.read("1")
        await run.told.one(LockDead)
        try:
            await operator.controller.nodes[node].async_set_name("hall", update_cc=False)
            events = await everything_told(run, "v1")
        finally:
            await operator.controller.nodes[node].async_set_name("v2_s2 door", update_cc=False)
        assert events == []


async def test_the_report_that_confirms_a_write_is_not_told_others_are(bed: ZwaveBed) -> None:
    """A stale "available" after a set proves nothing, neither to the write nor by being swallowed."""
    node = NODES["v1"].node_id
    async with ready(bed, "v1") as run:

        async def report_when_set() -> None:
            while 3 not in await bed.slots(node):
                pass
            await bed.send_report(node, 3, 0, "")
            await bed.send_report(node, 3, 1, "4711")

        async with run.driver.session("v1") as session:
            written, _ = await asyncio.gather(session.write("3", OURS, replaces=None), report_when_set())
        events = await everything_told(run, "v1")
    assert written.reading == Known(OURS)
    assert events == [SlotReported(device_id="v1", slot="3", reading=Empty())]
    assert (await bed.counters(node)).get == 0


async def test_a_duplicate_of_the_master_code_is_ours_while_we_write(bed: ZwaveBed) -> None:
    """Alarm 113 with level 0 names no slot."""
    node = NODES["v1"].node_id
    async with ready(bed, "v1") as run:
        await bed.fault(node, Faults(swallow_sets=1))

        async def alarm_when_set() -> None:
            while (await bed.counters(node)).set == 0:
                pass
            await bed.send_alarm(node, 113, 0)

        alarm = asyncio.create_task(alarm_when_set())
        async with run.driver.session("v1") as session:
            with pytest.raises(Refused) as refused:
                await session.write("3", OURS, replaces=None)
        await alarm
    assert refused.value.reason is Refusal.DUPLICATE
    assert (await bed.counters(node)).total == 1
