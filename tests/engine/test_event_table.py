"""Which event when: each row of the reference's table of transitions, and exactly the events it names.

A row is a kind of lock, what was before, what happens then, and every event that follows, in order.
`access_code.` is left out.
"""

from datetime import timedelta
from typing import Any

import pytest

from drivers.simulated.models import CHOOSER, NATIVE, READABLE, TINY, Model
from gateway.domain.driver import (
    AccessDenied,
    AuthorityLost,
    AuthorityUp,
    BatteryLevel,
    CodeUsed,
    LockAlive,
    LockDead,
    Refused,
    SlotTouched,
)
from gateway.domain.placement import Refusal
from gateway.engine.mutations import instant
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON, SECOND
from tests.engine.conftest import Hang
from tests.engine.deeds import (
    OURS,
    PIN,
    Deed,
    by_hand,
    create,
    delete,
    failing,
    found,
    off,
    told,
    update,
    wait,
)

type Row = tuple[Model, list[Deed], list[Deed], list[str]]
OTHER = "998877"
NEAR = HOUR + MINUTE
BUSY = ("before", Refused(Refusal.BUSY, "the lock is busy"))
DUPLICATE = ("before", Refused(Refusal.DUPLICATE, "the lock has it"))
FORMAT = ("before", Refused(Refusal.FORMAT, "the lock does not take it"))
TOUCHED = SlotTouched(device_id=DOOR, slot=OURS)
THERE = SlotTouched(device_id=DOOR, slot="3")
LOST, UP = AuthorityLost(device_ids=(DOOR,)), AuthorityUp(device_ids=(DOOR,))


def window(begins: timedelta, ends: timedelta) -> dict[str, Any]:
    """Return start and end, from noon."""
    return {"starts_at": instant(NOON + begins), "ends_at": instant(NOON + ends)}


ONGOING = [create(), wait(HOUR)]
LATER = create(**window(HOUR, DAY))
NOW = create(**window(-HOUR, HOUR))
ALLOWED = create(is_external_modification_allowed=True)
SET = ["changed", "set_on_device"]
ENDED = ["changed", "changed", "removed_from_device"]
ASKED = "mutations_requested"

TABLE: dict[str, Row] = {
    # from nothing
    "created for later": (READABLE, [], [LATER, wait(MINUTE)], ["created"]),
    "created for now": (READABLE, [], [create()], ["created", "changed"]),
    # unset
    "unset: the lock took its dates": (NATIVE, [LATER], [wait(MINUTE)], ["scheduled_on_device"]),
    "unset: its lead is reached": (READABLE, [LATER], [wait(45 * MINUTE)], ["changed"]),
    "unset: its start comes, and the lock fails": (
        NATIVE,
        [failing(BUSY), LATER, wait(HOUR - SECOND)],
        [wait(MINUTE)],
        ["delay_in_setting_on_device", "changed"],
    ),
    "unset: never on the lock, and deleted": (READABLE, [LATER], [delete(), wait(HOUR)], [ASKED, "deleted"]),
    "scheduled: its start comes": (NATIVE, [LATER, wait(MINUTE)], [wait(NEAR)], SET),
    # setting
    "setting: the lock confirms": (READABLE, [create()], [wait(MINUTE)], SET),
    "setting: staged, and its start comes": (READABLE, [LATER, wait(45 * MINUTE)], [wait(HOUR)], SET),
    "setting: an attempt fails": (
        READABLE,
        [create()],
        [failing(BUSY), wait(5 * MINUTE)],
        ["failed_to_set_on_device"],
    ),
    "setting: attempts go on failing": (
        READABLE,
        [create(), failing(BUSY), wait(5 * MINUTE)],
        [wait(5 * MINUTE)],
        [],
    ),
    "setting: late": (
        READABLE,
        [create(), failing(BUSY), wait(10 * MINUTE)],
        [wait(10 * MINUTE)],
        ["delay_in_setting_on_device"],
    ),
    "setting: the lock refuses a duplicate": (
        READABLE,
        [create(), failing(DUPLICATE)],
        [wait(MINUTE)],
        ["failed_to_set_on_device"],
    ),
    "setting: the lock refuses the form": (
        READABLE,
        [create(), failing(FORMAT)],
        [wait(MINUTE)],
        ["failed_to_set_on_device"],
    ),
    "setting: somebody else has the PIN": (
        READABLE,
        [by_hand("3", PIN, THERE), wait(HOUR)],
        [create(), wait(MINUTE)],
        ["created", "failed_to_set_on_device", "changed"],
    ),
    "setting: no room": (
        TINY,
        [create(), create("5822"), wait(MINUTE)],
        [create("6933"), wait(MINUTE)],
        ["created", "failed_to_set_on_device", "changed"],
    ),
    # set
    "set: another PIN": (
        READABLE,
        ONGOING,
        [update(code=OTHER), wait(MINUTE)],
        [ASKED, "changed", "code_changed", *SET],
    ),
    "set: another name, which the lock stores": (
        CHOOSER,
        ONGOING,
        [update(name="Ana"), wait(MINUTE)],
        [ASKED, "name_changed"],
    ),
    "set: another name, of which the lock knows nothing": (
        READABLE,
        ONGOING,
        [update(name="Ana"), wait(MINUTE)],
        [ASKED, "name_changed"],
    ),
    "set: another end, which the lock keeps": (
        NATIVE,
        [NOW, wait(MINUTE)],
        [update(ends_at=instant(NOON + DAY)), wait(MINUTE)],
        [ASKED, "changed", "time_frame_changed", *SET],
    ),
    "set: another end, which the hub keeps": (
        READABLE,
        [NOW, wait(MINUTE)],
        [update(ends_at=instant(NOON + DAY)), wait(MINUTE)],
        [ASKED, "time_frame_changed"],
    ),
    "set: a flag alone": (
        READABLE,
        ONGOING,
        [update(is_external_modification_allowed=True), wait(MINUTE)],
        [],
    ),
    "set: changed by somebody": (
        READABLE,
        ONGOING,
        [by_hand(OURS, OTHER, TOUCHED), wait(MINUTE)],
        ["modified_external_to_gateway", "changed", *SET],
    ),
    "set: removed by somebody": (
        READABLE,
        ONGOING,
        [by_hand(OURS, None, TOUCHED), wait(2 * MINUTE)],
        ["deleted_external_to_gateway", "changed", *SET],
    ),
    "set: changed by somebody who may": (
        READABLE,
        [ALLOWED, wait(HOUR)],
        [by_hand(OURS, OTHER, TOUCHED), wait(MINUTE)],
        ["modified_external_to_gateway"],
    ),
    "set: removed by somebody who may": (
        READABLE,
        [ALLOWED, wait(HOUR)],
        [by_hand(OURS, None, TOUCHED), wait(2 * MINUTE)],
        ["deleted_external_to_gateway", "changed", "removed_from_device"],
    ),
    "set: used": (
        READABLE,
        ONGOING,
        [told(CodeUsed(device_id=DOOR, slot=OURS)), told(CodeUsed(device_id=DOOR, slot=OURS))],
        ["lock.unlocked", "first_used", "lock.unlocked"],
    ),
    "set: its end comes": (READABLE, [NOW, wait(MINUTE)], [wait(HOUR)], ENDED),
    "set: its window is moved": (
        READABLE,
        [NOW, wait(MINUTE)],
        [update(**window(2 * HOUR, DAY)), wait(MINUTE)],
        [ASKED, "time_frame_changed", "changed", "changed", "removed_from_device"],
    ),
    # removing
    "removing: an attempt fails": (
        READABLE,
        [*ONGOING, failing(BUSY)],
        [delete(), wait(5 * MINUTE)],
        [ASKED, "changed", "failed_to_remove_from_device"],
    ),
    "removing: past its end": (
        READABLE,
        [NOW, wait(HOUR - SECOND), failing(BUSY)],
        [wait(5 * MINUTE)],
        ["changed", "failed_to_remove_from_device", "failed_to_expire"],
    ),
    "removing: slow": (
        READABLE,
        [*ONGOING, failing(BUSY), delete(), wait(10 * MINUTE)],
        [wait(10 * MINUTE)],
        ["delay_in_removing_from_device"],
    ),
    "removing: the lock confirms": (
        READABLE,
        [*ONGOING, delete()],
        [wait(MINUTE)],
        ["changed", "removed_from_device", "deleted"],
    ),
    # unknown
    "any: the server is lost": (
        READABLE,
        ONGOING,
        [told(LOST), wait(5 * MINUTE)],
        ["device.disconnected", "changed"],
    ),
    "unknown: the server is back": (
        READABLE,
        [*ONGOING, told(LOST), wait(5 * MINUTE)],
        [told(UP), found()],
        ["device.connected", "changed"],
    ),
    "any: only the lock is lost, and comes back": (
        READABLE,
        ONGOING,
        [told(LockDead(device_id=DOOR)), told(LockAlive(device_id=DOOR))],
        ["device.disconnected", "device.connected"],
    ),
    # of the lock
    "lock: somebody else's code, there and gone": (
        READABLE,
        [],
        [by_hand("3", OTHER, THERE), wait(MINUTE), by_hand("3", None, THERE), wait(2 * MINUTE)],
        ["unmanaged.created", "unmanaged.removed"],
    ),
    "lock: its battery": (
        READABLE,
        [],
        [told(*(BatteryLevel(device_id=DOOR, level=level) for level in (0.5, 0.3, 0.19, 0.18)))],
        ["device.battery_status_changed", "device.battery_status_changed", "device.low_battery"],
    ),
    "lock: somebody is not let in": (
        READABLE,
        ONGOING,
        [told(AccessDenied(device_id=DOOR, reason="outside_schedule", slot=OURS))],
        ["lock.access_denied"],
    ),
    # the hub is switched off meanwhile
    "off: nothing happens": (READABLE, ONGOING, [off(HOUR), off(HOUR)], []),
    "off: a window begins that the lock keeps": (
        NATIVE,
        [LATER, wait(MINUTE)],
        [off(2 * HOUR), off(HOUR)],
        SET,
    ),
    "off: a window begins that the hub keeps": (
        READABLE,
        [LATER],
        [off(2 * HOUR), wait(MINUTE), off(HOUR)],
        ["delay_in_setting_on_device", "changed", *SET],
    ),
    "off: a staged window begins": (
        READABLE,
        [LATER, wait(45 * MINUTE)],
        [off(HOUR), wait(MINUTE), off(HOUR)],
        ["delay_in_setting_on_device", "changed", "set_on_device"],
    ),
    "off: a staged window begins right then": (
        READABLE,
        [LATER, wait(HOUR - SECOND)],
        [off(30 * SECOND), wait(MINUTE), off(HOUR)],
        SET,
    ),
    "off: a window ends right then": (READABLE, [NOW, wait(HOUR - SECOND)], [off(MINUTE), off(HOUR)], ENDED),
    "off: a window ends that the lock keeps": (
        NATIVE,
        [NOW, wait(MINUTE)],
        [off(2 * HOUR), off(HOUR)],
        ["failed_to_expire", *ENDED],
    ),
    "off: a window ends that the hub keeps": (
        READABLE,
        [NOW, wait(MINUTE)],
        [off(2 * HOUR), off(HOUR)],
        ["failed_to_expire", *ENDED],
    ),
    "off: a window comes and goes": (
        READABLE,
        [LATER],
        [off(2 * DAY), off(HOUR)],
        ["failed_to_set_on_device"],
    ),
}


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
async def test_these_events_and_no_others(hang: Hang, row: Row) -> None:
    """In this order, each once."""
    model, before, deeds, events = row
    bench = await hang(model)
    for deed in before:
        await deed(bench)
    bench.events()
    for deed in deeds:
        await deed(bench)
    assert [event.removeprefix("access_code.") for event in bench.events()] == events
