"""Somebody changes the lock behind the gateway's back: found, told, and put right or honoured."""

import pytest

from tests.daemon.bed import PINS
from tests.e2e.conftest import Start
from tests.e2e.house import NODES, TimedHouse
from tests.zwave_bed.config import Faults, Model, Report

pytestmark = [pytest.mark.zwave_bed, pytest.mark.mosquitto, pytest.mark.slow]
MODIFIED = "access_code.modified_external_to_gateway"
REMOVED = "access_code.deleted_external_to_gateway"
WAYS: list[tuple[Model, Report]] = [
    ("v2_s2", "report"),
    ("v2_s2", "notification"),
    ("v1", "v1_alarm"),
    ("tiny", "silent"),
]


async def rested(house: TimedHouse, model: Model) -> None:
    """Let our own writes be long ago, the second look at them included, and count the radio from here."""
    house.let_pass(minutes=6)
    await house.settled(model)
    await house.forget_radio(model)


async def find(house: TimedHouse, model: Model, report: Report) -> None:
    """Make the gateway look where the lock said nothing."""
    if report == "silent":
        await house.do("devices/sync", device_id=model)


@pytest.mark.parametrize(("model", "report"), WAYS, ids=[report for _, report in WAYS])
async def test_an_edit_is_put_right_or_honoured(start: Start, model: Model, report: Report) -> None:
    """Told either way; a code that allows it keeps its new PIN, another gets its own back."""
    node = NODES[model].node_id
    async with start(model) as house:
        strict = await house.create_set(model, PINS[0])
        lenient = await house.create_set(model, PINS[1], is_external_modification_allowed=True)
        slots = {pin: slot for slot, pin in (await house.on_lock(model)).items()}
        await rested(house, model)
        for pin, edited in ((PINS[0], PINS[2]), (PINS[1], PINS[3])):
            await house.bed.edit(node, slots[pin], edited, report)
        await find(house, model, report)
        await house.hears(MODIFIED, strict)
        await house.hears(MODIFIED, lenient)
        await house.becomes(model, PINS[0], PINS[3])
        await house.settled(model)
        assert {event["change_type"] for event in house.told(MODIFIED)} == {"modified"}
        assert len(house.told(MODIFIED)) == 2
        await house.until(lambda: house.code(strict)["status"] == "set" and not house.code(strict)["errors"])
        await house.until(lambda: house.warnings(house.code(lenient)) == {"external_modification_in_effect"})
        shown = (await house.do("access_codes/get", access_code_id=lenient))["access_code"]
        assert (shown["code"], shown["status"]) == (PINS[3], "set")
        radio = await house.radio(model)
        assert (radio.set, radio.clear) == (1, 0)


@pytest.mark.parametrize(("model", "report"), WAYS, ids=[report for _, report in WAYS])
async def test_a_removal_is_put_right_or_honoured(start: Start, model: Model, report: Report) -> None:
    """Only after two looks at least 30 s apart; a third code on the lock shows that it was no wipe."""
    node = NODES[model].node_id
    async with start(model) as house:
        strict = await house.create_set(model, PINS[0])
        lenient = await house.create_set(model, PINS[1], is_external_modification_allowed=True)
        await house.create_set(model, PINS[2])
        slots = {pin: slot for slot, pin in (await house.on_lock(model)).items()}
        await rested(house, model)
        for pin in PINS[:2]:
            await house.bed.clear(node, slots[pin], report)
        await find(house, model, report)
        await house.radio_reaches(model, get=2)
        await house.settled(model)
        assert not house.told(REMOVED)
        house.let_pass(seconds=31)
        await house.hears(REMOVED, strict)
        await house.hears(REMOVED, lenient)
        await house.becomes(model, PINS[0], PINS[2])
        await house.settled(model)
        await house.until(lambda: house.code(strict)["status"] == "set")
        await house.until(lambda: house.code(lenient)["status"] == "unset")
        radio = await house.radio(model)
        assert (radio.set, radio.clear) == (1, 0)


async def test_a_silent_edit_is_found_by_the_audit(start: Start) -> None:
    """At the time of night that the configuration says, by the checksum first."""
    async with start("v2_s2") as house:
        code_id = await house.create_set("v2_s2", PINS[0])
        await house.settled("v2_s2")
        await house.do("devices/sync", device_id="v2_s2")
        await house.settled("v2_s2")
        await house.bed.edit(NODES["v2_s2"].node_id, 3, PINS[1], "silent")
        house.let_pass(hours=6)
        await house.settled("v2_s2")
        assert not house.told(MODIFIED)
        house.let_pass(hours=18)
        await house.hears(MODIFIED, code_id)
        await house.becomes("v2_s2", PINS[0])
        assert (await house.radio("v2_s2")).checksum >= 1


async def test_a_masked_lock_is_believed_about_edits_and_not_misled_by_echoes(start: Start) -> None:
    """A report just after our own write changes nothing; a later one costs exactly one rewrite."""
    node = NODES["masked_s2"].node_id
    async with start("masked_s2") as house:
        code_id = await house.create_set("masked_s2", PINS[0])
        await house.bed.send_report(node, 3, 1, "*" * 10)
        await house.heard_out("masked_s2")
        await house.settled("masked_s2")
        assert not house.told(MODIFIED)
        assert (await house.radio("masked_s2")).set == 1
        await rested(house, "masked_s2")
        await house.bed.edit(node, 3, PINS[1], "report")
        await house.hears(MODIFIED, code_id)
        await house.becomes("masked_s2", PINS[0])
        await house.until(lambda: house.code(code_id)["status"] == "set")
        await house.settled("masked_s2")
        assert (await house.radio("masked_s2")).set == 1


async def test_an_edit_allowed_on_a_masked_lock_stays(start: Start) -> None:
    """The new digits cannot be known, so the code says that the change is in effect."""
    node = NODES["masked_s2"].node_id
    async with start("masked_s2") as house:
        code_id = await house.create_set("masked_s2", PINS[0], is_external_modification_allowed=True)
        await rested(house, "masked_s2")
        await house.bed.edit(node, 3, PINS[1], "notification")
        await house.hears(MODIFIED, code_id)
        await house.until(lambda: house.warnings(house.code(code_id)) == {"external_modification_in_effect"})
        await house.settled("masked_s2")
        assert await house.on_lock("masked_s2") == {3: PINS[1]}
        assert (await house.radio("masked_s2")).set == 0


async def test_an_edit_during_an_audit_is_found_when_somebody_asks(start: Start) -> None:
    """A checksum that was on its way when `devices/sync` came says nothing of slots read before."""
    node = NODES["v2_s2"].node_id
    async with start("v2_s2") as house:
        code_id = await house.create_set("v2_s2", PINS[0])
        await rested(house, "v2_s2")
        await house.bed.fault(node, Faults(answer_delay_ms=700))
        await house.do("devices/sync", device_id="v2_s2")
        await house.radio_reaches("v2_s2", checksum=1)
        await house.bed.edit(node, 3, PINS[1], "silent")
        await house.do("devices/sync", device_id="v2_s2")
        await house.bed.fault(node, Faults())
        await house.hears(MODIFIED, code_id)
        await house.becomes("v2_s2", PINS[0])
