"""What the driver's calls cost in radio commands and what they answer, by lock model."""

import pytest
from zwave_js_server.const import CommandClass
from zwave_js_server.const.command_class.access_control import UserCredentialType
from zwave_js_server.exceptions import FailedZWaveCommand

from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.client import USER_CODE, Heard, connected, invoke
from tests.zwave_bed.config import Model, Slot
from tests.zwave_bed.fixtures import NODES

pytestmark = pytest.mark.zwave_bed
PIN = UserCredentialType.PIN_CODE


@pytest.mark.parametrize(("model", "commands"), [("v2_s2", 1), ("v1", 2), ("v2_plain", 2)])
async def test_set_credential_reads_back_only_on_unsupervised_locks(
    zwave_bed: ZwaveBed, model: Model, commands: int
) -> None:
    """A supervised lock confirms in the same exchange; on others the driver adds a read."""
    node_id = NODES[model].node_id
    async with connected(zwave_bed) as driver:
        access = driver.controller.nodes[node_id].endpoints[0].access_control
        assert await access.set_credential(4, PIN, 4, "4711") == 0
    assert await zwave_bed.slots(node_id) == {4: Slot(status=1, code="4711")}
    assert (await zwave_bed.counters(node_id)).user_code == commands


@pytest.mark.parametrize(("model", "answer"), [("v2_s2", {"status": 255}), ("v1", None)])
async def test_direct_set_and_clear_are_one_command(
    zwave_bed: ZwaveBed, model: Model, answer: dict[str, int] | None
) -> None:
    """The User Code API sends what it is told and adds nothing; only supervision gives an answer."""
    node_id = NODES[model].node_id
    async with connected(zwave_bed) as driver:
        node = driver.controller.nodes[node_id]
        assert await invoke(node, "set", 5, 1, "5822") == answer
        assert await zwave_bed.slots(node_id) == {5: Slot(status=1, code="5822")}
        assert await invoke(node, "clear", 5) == answer
    assert await zwave_bed.slots(node_id) == {}
    counters = await zwave_bed.counters(node_id)
    assert (counters.set, counters.clear, counters.get) == (1, 1, 0)


@pytest.mark.parametrize("model", ["v2_s2", "v1", "v2_plain"])
async def test_direct_get_is_one_command(zwave_bed: ZwaveBed, model: Model) -> None:
    """A read of one slot answers status and code."""
    node_id = NODES[model].node_id
    await zwave_bed.edit(node_id, 5, "5822", "silent")
    async with connected(zwave_bed) as driver:
        node = driver.controller.nodes[node_id]
        assert await invoke(node, "get", 5) == {"userIdStatus": 1, "userCode": "5822"}
    assert (await zwave_bed.counters(node_id)).user_code == 1


async def test_checksum_changes_with_the_codes_for_one_command(zwave_bed: ZwaveBed) -> None:
    """One command shows whether anything changed on a version 2 lock; no code set reads as zero."""
    node_id = NODES["v2_s2"].node_id
    async with connected(zwave_bed) as driver:
        node = driver.controller.nodes[node_id]
        assert await invoke(node, "getUserCodeChecksum") == 0
        await zwave_bed.edit(node_id, 1, "1234", "silent")
        assert await invoke(node, "getUserCodeChecksum") == 0x200A
    assert (await zwave_bed.counters(node_id)).checksum == 2


async def test_version_1_locks_have_no_checksum(zwave_bed: ZwaveBed) -> None:
    """The driver refuses the call without asking the lock."""
    node_id = NODES["v1"].node_id
    async with connected(zwave_bed) as driver:
        with pytest.raises(FailedZWaveCommand, match="ZW0302"):
            await invoke(driver.controller.nodes[node_id], "getUserCodeChecksum")
    assert (await zwave_bed.counters(node_id)).total == 0


@pytest.mark.parametrize(("model", "slots"), [("tiny", 3), ("v1", 30)])
async def test_reading_all_users_is_one_command_per_slot(
    zwave_bed: ZwaveBed, model: Model, slots: int
) -> None:
    """A full scan costs a read of every slot, which is why nothing should do it often."""
    node_id = NODES[model].node_id
    async with connected(zwave_bed) as driver:
        await driver.controller.nodes[node_id].endpoints[0].access_control.get_users()
    counters = await zwave_bed.counters(node_id)
    assert (counters.get, counters.user_code) == (slots, slots)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["v2_s2", "v1"])
async def test_set_value_adds_a_read_a_second_later(zwave_bed: ZwaveBed, model: Model) -> None:
    """The generic way of writing always verifies, supervised or not: two commands instead of one."""
    node_id = NODES[model].node_id
    async with connected(zwave_bed) as driver:
        node = driver.controller.nodes[node_id]
        heard = Heard(node, "value updated", "value added", command_class=USER_CODE)
        await node.async_set_value(f"{node_id}-{USER_CODE}-0-userCode-2", "4711", wait_for_result=True)
        await heard.next(lambda event: event["args"].get("newValue") == "4711")
    counters = await zwave_bed.counters(node_id)
    assert (counters.set, counters.get) == (1, 1)


async def test_year_day_schedule_is_written_and_read_back(zwave_bed: ZwaveBed) -> None:
    """Schedule Entry Lock takes years as one byte, counted from 2000."""
    node_id = NODES["v2_s2"].node_id
    start = {"startYear": 26, "startMonth": 12, "startDay": 1, "startHour": 15, "startMinute": 0}
    stop = {"stopYear": 26, "stopMonth": 12, "stopDay": 3, "stopHour": 11, "stopMinute": 30}
    async with connected(zwave_bed) as driver:
        endpoint = driver.controller.nodes[node_id].endpoints[0]
        schedules = CommandClass.SCHEDULE_ENTRY_LOCK
        slot = {"userId": 1, "slotId": 1}
        answer = await endpoint.async_invoke_cc_api(
            schedules, "setYearDaySchedule", slot, start | stop, wait_for_result=True
        )
        assert answer == {"status": 255}
        read = await endpoint.async_invoke_cc_api(schedules, "getYearDaySchedule", slot, wait_for_result=True)
    assert read == start | stop
