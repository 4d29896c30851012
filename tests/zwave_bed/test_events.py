"""What the driver tells of things that happen at the lock."""

from typing import TYPE_CHECKING, Any

import pytest
from zwave_js_server.const.command_class.access_control import UserCredentialType

from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.client import USER_CODE, Heard, connected, invoke
from tests.zwave_bed.config import Model
from tests.zwave_bed.fixtures import NODES

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.zwave_bed
NOTIFICATION = 113
PIN = UserCredentialType.PIN_CODE


@pytest.mark.parametrize("model", ["v2_s2", "v1", "v2_plain", "masked_s0"])
async def test_user_code_report_updates_two_values_status_first(zwave_bed: ZwaveBed, model: Model) -> None:
    """A lock that reports keypad edits gives the daemon the slot without any radio command."""
    node_id = NODES[model].node_id
    async with connected(zwave_bed) as driver:
        heard = Heard(driver.controller.nodes[node_id], "value updated", "value added")
        await zwave_bed.edit(node_id, 2, "1357", "report")
        status, code = await heard.next(), await heard.next()
    assert (status["args"]["property"], status["args"]["newValue"]) == ("userIdStatus", 1)
    shown = "*" * 10 if model == "masked_s0" else "1357"
    assert (code["args"]["property"], code["args"]["newValue"]) == ("userCode", shown)
    assert (await zwave_bed.counters(node_id)).user_code == 0


@pytest.mark.parametrize(("action", "event"), [("edit", 0x0E), ("clear", 0x0D), ("unlock", 0x06)])
async def test_notification_names_the_slot_and_leaves_the_cache_alone(
    zwave_bed: ZwaveBed, action: str, event: int
) -> None:
    """The daemon must read the slot itself: the driver only passes the notification on."""
    node_id = NODES["v2_s2"].node_id
    async with connected(zwave_bed) as driver:
        node = driver.controller.nodes[node_id]
        notified = Heard(node, "notification")
        codes = Heard(node, "value updated", "value added", command_class=USER_CODE)
        if action == "edit":
            await zwave_bed.edit(node_id, 7, "2468", "notification")
        elif action == "clear":
            await zwave_bed.clear(node_id, 7, "notification")
        else:
            await zwave_bed.unlock(node_id, 7)
        notification = (await notified.next())["notification"]
        assert (notification.type_, notification.event) == (6, event)
        assert notification.parameters == {"userId": 7}
        # An answered command shows that nothing else was under way.
        await invoke(node, "getUserCodeChecksum")
        assert codes.is_silent()


async def test_all_codes_deleted_empties_the_cache_before_it_is_told(zwave_bed: ZwaveBed) -> None:
    """Every slot turns Available without having been read, and only then comes the notification.

    To a listener these value events look like readings; they are the driver's conclusion.
    """
    node_id = NODES["tiny"].node_id
    await zwave_bed.edit(node_id, 2, "8642", "report")
    async with connected(zwave_bed) as driver:
        node = driver.controller.nodes[node_id]
        values = Heard(node, "value updated", "notification")
        await zwave_bed.clear_all(node_id, "notification")
        heard: list[Mapping[str, Any]] = []
        while not heard or "notification" not in heard[-1]:
            heard.append(await values.next())
    assert heard.pop()["notification"].event == 0x0C
    emptied = [event["args"] for event in heard if event["args"]["property"] == "userIdStatus"]
    assert [(args["propertyKey"], args["newValue"]) for args in emptied] == [(1, 0), (2, 0), (3, 0)]
    assert (await zwave_bed.counters(node_id)).user_code == 0


async def test_version_2_notification_carries_empty_alarm_values(zwave_bed: ZwaveBed) -> None:
    """Every notification also updates alarmType and alarmLevel, to zero: not an alarm of an old lock."""
    node_id = NODES["v2_s2"].node_id
    async with connected(zwave_bed) as driver:
        node = driver.controller.nodes[node_id]
        alarms = Heard(node, "value updated", "value added", command_class=NOTIFICATION)
        await zwave_bed.unlock(node_id, 1)
        kind, level = await alarms.next(), await alarms.next()
    assert (kind["args"]["property"], kind["args"]["newValue"]) == ("alarmType", 0)
    assert (level["args"]["property"], level["args"]["newValue"]) == ("alarmLevel", 0)


@pytest.mark.parametrize(("action", "alarm"), [("edit", 112), ("clear", 33), ("clear_all", 32)])
async def test_v1_alarm_types_of_code_changes(zwave_bed: ZwaveBed, action: str, alarm: int) -> None:
    """On an old lock the change shows in the raw alarm values, whether the driver maps them or not."""
    node_id = NODES["v1"].node_id
    async with connected(zwave_bed) as driver:
        heard = Heard(driver.controller.nodes[node_id], "value updated", "value added")
        if action == "edit":
            await zwave_bed.edit(node_id, 3, "9753", "v1_alarm")
        elif action == "clear":
            await zwave_bed.clear(node_id, 3, "v1_alarm")
        else:
            await zwave_bed.clear_all(node_id, "v1_alarm")
        kind = await heard.next(lambda event: event["args"]["property"] == "alarmType")
        level = await heard.next(lambda event: event["args"]["property"] == "alarmLevel")
    assert kind["args"]["newValue"] == alarm
    assert level["args"]["newValue"] == (0 if action == "clear_all" else 3)


async def test_v1_unlock_alarm_is_mapped_to_a_notification(zwave_bed: ZwaveBed) -> None:
    """With the real ids the driver's device configuration turns alarm 19 into event 6 with the slot."""
    node_id = NODES["v1"].node_id
    async with connected(zwave_bed) as driver:
        heard = Heard(driver.controller.nodes[node_id], "notification")
        await zwave_bed.unlock(node_id, 4)
        notification = (await heard.next())["notification"]
    assert (notification.type_, notification.event, notification.parameters) == (6, 6, {"userId": 4})


async def test_silent_edit_is_seen_only_by_reading(zwave_bed: ZwaveBed) -> None:
    """Some locks tell nothing: a checksum or a read is the only way to know."""
    node_id = NODES["v2_s2"].node_id
    async with connected(zwave_bed) as driver:
        node = driver.controller.nodes[node_id]
        heard = Heard(node, "notification", "value updated", "value added")
        await zwave_bed.edit(node_id, 6, "6789", "silent")
        assert await invoke(node, "getUserCodeChecksum") != 0
        assert heard.is_silent()


async def test_wrong_code_limit_is_reported(zwave_bed: ZwaveBed) -> None:
    """Too many wrong codes: notification 6/0x13, without any slot."""
    node_id = NODES["v2_s2"].node_id
    async with connected(zwave_bed) as driver:
        heard = Heard(driver.controller.nodes[node_id], "notification")
        await zwave_bed.wrong_code(node_id)
        assert (await heard.next())["notification"].event == 0x13


async def test_battery_level_is_reported(zwave_bed: ZwaveBed) -> None:
    """The battery report reaches the Battery level value."""
    node_id = NODES["v2_plain"].node_id
    async with connected(zwave_bed) as driver:
        heard = Heard(driver.controller.nodes[node_id], "value updated")
        await zwave_bed.battery(node_id, 17)
        level = await heard.next(lambda event: event["args"]["property"] == "level")
    assert level["args"]["newValue"] == 17


async def test_duplicate_is_refused_and_reported_on_a_version_2_lock(zwave_bed: ZwaveBed) -> None:
    """The result does not tell a duplicate from another failure; notification 6/0x0F does."""
    node_id = NODES["v2_s2"].node_id
    await zwave_bed.edit(node_id, 1, "4711", "silent")
    async with connected(zwave_bed) as driver:
        node = driver.controller.nodes[node_id]
        heard = Heard(node, "notification")
        assert await node.endpoints[0].access_control.set_credential(2, PIN, 2, "4711") == 255
        notification = (await heard.next())["notification"]
        assert (notification.event, notification.parameters) == (0x0F, {"userId": 2})
    assert set(await zwave_bed.slots(node_id)) == {1}
    assert (await zwave_bed.counters(node_id)).user_code == 2


async def test_duplicate_is_refused_and_reported_on_a_version_1_lock(zwave_bed: ZwaveBed) -> None:
    """Alarm 113 with the slot as its level is all that an old lock says."""
    node_id = NODES["v1"].node_id
    await zwave_bed.edit(node_id, 1, "4711", "silent")
    async with connected(zwave_bed) as driver:
        node = driver.controller.nodes[node_id]
        heard = Heard(node, "value updated", "value added")
        assert await invoke(node, "set", 2, 1, "4711") is None
        kind = await heard.next(lambda event: event["args"]["property"] == "alarmType")
        level = await heard.next(lambda event: event["args"]["property"] == "alarmLevel")
    assert (kind["args"]["newValue"], level["args"]["newValue"]) == (113, 2)
    assert set(await zwave_bed.slots(node_id)) == {1}


async def test_duplicates_pass_when_the_lock_does_not_check(zwave_bed: ZwaveBed) -> None:
    """With the switch off the same code may stand twice."""
    node_id = NODES["tiny"].node_id
    await zwave_bed.refuse_duplicates(node_id, on=False)
    await zwave_bed.edit(node_id, 1, "4711", "silent")
    async with connected(zwave_bed) as driver:
        await invoke(driver.controller.nodes[node_id], "set", 2, 1, "4711")
    assert {slot.code for slot in (await zwave_bed.slots(node_id)).values()} == {"4711"}
    assert set(await zwave_bed.slots(node_id)) == {1, 2}


async def test_frames_can_be_sent_as_told_true_or_not(zwave_bed: ZwaveBed) -> None:
    """A stale report, a notification without a slot, an alarm nobody maps: the lock itself stays as it is."""
    node_id = NODES["v1"].node_id
    await zwave_bed.edit(node_id, 1, "4711", "report")
    async with connected(zwave_bed) as driver:
        node = driver.controller.nodes[node_id]
        codes = Heard(node, "value updated", command_class=USER_CODE)
        await zwave_bed.send_report(node_id, 1, 0, "")
        assert (await codes.next())["args"]["newValue"] == 0
        notified = Heard(node, "notification")
        await zwave_bed.send_notification(node_id, 0x0E)
        notification = (await notified.next())["notification"]
        assert (notification.event, notification.parameters) == (0x0E, {})
        alarms = Heard(node, "value updated", "value added", command_class=NOTIFICATION)
        await zwave_bed.send_alarm(node_id, 131, 7)
        kind = await alarms.next(lambda event: event["args"]["newValue"] == 131)
        assert kind["args"]["property"] == "alarmType"
    assert set(await zwave_bed.slots(node_id)) == {1}
