"""A lock that is said to have fewer slots than before, and codes in those it had (`slots` of a Yale lock)."""

import pytest
from msgspec.structs import replace

from drivers.simulated.models import NATIVE
from gateway.domain.credential import Credential, Known
from gateway.domain.driver import LockSeen, SlotReported, SlotTouched
from gateway.domain.pin import Pin
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DOOR, HOUR, MINUTE, NOON
from tests.engine.conftest import Hang

STAYS, LEAVES = "4711", "4712"
HAS, SAID = 10, 5
HIGH, LOW = "10", "5"


def said(bench: Bench) -> LockSeen:
    """Return what the driver tells of the lock from now on."""
    can = bench.lock.model.capabilities
    return replace(bench.seen(), capabilities=replace(can, slots=can.slots[:SAID], max_codes=SAID))


async def lowered(hang: Hang, *others: str) -> tuple[Bench, str, str]:
    """Put two codes into slots 10 and 9, of which the second leaves in an hour; then say that there are five.

    `others` are in the lowest slots.
    """
    can = replace(NATIVE.with_slots(HAS).capabilities, name_length=0)
    bench = await hang(replace(NATIVE, capabilities=can))
    for number, pin in enumerate(others, 1):
        bench.by_hand(str(number), pin)
    stays = await bench.create(STAYS)
    await bench.settle()
    leaves = await bench.create(
        LEAVES, starts_at=instant(NOON), ends_at=instant(NOON + 2 * HOUR), prefer_native_scheduling=False
    )
    await bench.settle(HOUR)
    assert {bench.on_lock()[HIGH], bench.on_lock()["9"]} == {STAYS, LEAVES}
    await bench.engine.handle(said(bench))
    await bench.settle()
    bench.driver.operations.clear()
    bench.events()
    return bench, stays, leaves


async def test_codes_beyond_are_looked_at_and_end_as_ever(hang: Hang) -> None:
    """They open the door until then: the hub does not forget them there."""
    bench, stays, _ = await lowered(hang)
    await bench.do("devices/sync", device_id=DOOR)
    await bench.settle(HOUR + 10 * MINUTE)
    assert bench.on_lock() == {HIGH: STAYS}
    taken = bench.driver.taken()
    assert ("read", HIGH) in taken
    assert taken[-2:] == [("clear", "9"), ("read", "9")]
    bench.lock.delete(HIGH)
    await bench.do("devices/sync", device_id=DOOR)
    await bench.settle(HOUR)
    assert bench.on_lock() == {LOW: STAYS}
    assert "access_code.deleted_external_to_gateway" in bench.events()
    assert (await bench.shown(stays))["slot"] == LOW


async def test_the_map_shows_codes_beyond_as_in_slots_that_are_not_to_be_used(hang: Hang) -> None:
    """Whoever lowered the number sees what is still there."""
    bench, stays, leaves = await lowered(hang)
    slots = (await bench.do("devices/get", device_id=DOOR))["slots"]
    assert [slot["slot"] for slot in slots] == ["1", "2", "3", "4", "5", "9", "10"]
    assert [(slot["access_code_id"], slot["is_usable"]) for slot in slots[5:]] == [
        (leaves, False),
        (stays, False),
    ]


@pytest.mark.parametrize("others", [(), ("5821", "5822", "5823", "5824", "5825")])
async def test_a_code_beyond_is_changed_where_it_is(hang: Hang, others: tuple[str, ...]) -> None:
    """Moved, it would be off the lock for a moment, and for long where the new PIN is refused then."""
    bench, stays, _ = await lowered(hang, *others)
    await bench.do("access_codes/update", access_code_id=stays, code="9999")
    await bench.settle()
    assert bench.on_lock()[HIGH] == "9999"
    assert bench.driver.taken() == [("write", HIGH)]
    assert (await bench.shown(stays))["status"] == "set"


async def test_a_new_pin_that_cannot_be_leaves_the_old_one_beyond(hang: Hang) -> None:
    """The guest comes in with that of before, beside the error."""
    bench, stays, _ = await lowered(hang, "5821")
    await bench.do("access_codes/update", access_code_id=stays, code="5821")
    await bench.settle(10 * MINUTE)
    assert bench.on_lock()[HIGH] == STAYS
    assert "duplicate_code_on_device" in bench.issues()


async def test_a_window_closes_beyond_too_on_a_lock_that_is_full(hang: Hang) -> None:
    """What opens the door is shut where it is."""
    bench, stays, _ = await lowered(hang, "5821", "5822", "5823", "5824", "5825")
    soon = instant(bench.clock.now() + 20 * MINUTE)
    wish = {"starts_at": soon, "prefer_native_scheduling": False}
    await bench.do("access_codes/update", access_code_id=stays, **wish)
    await bench.settle(MINUTE)
    assert not bench.lock.slots[HIGH].enabled
    await bench.settle(30 * MINUTE)
    assert bench.lock.slots[HIGH].enabled


async def test_a_slot_that_only_the_lock_tells_of_keeps_no_look_from_others(hang: Hang) -> None:
    """Such as that of the master code of a Yale: no driver reads it, and each look would be refused."""
    bench, _, _ = await lowered(hang)
    master = Known(Credential(pin=Pin("7777")))
    await bench.engine.handle(SlotReported(device_id=DOOR, slot="251", reading=master))
    await bench.engine.handle(SlotTouched(device_id=DOOR, slot="251"))
    bench.by_hand("3", "5829")
    await bench.do("devices/sync", device_id=DOOR)
    await bench.settle(2 * HOUR)
    taken = bench.driver.taken()
    assert (("read", "251") in taken, ("read", "3") in taken) == (False, True)
