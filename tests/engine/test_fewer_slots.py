"""A lock that is said to have fewer slots than before, and codes in those it had (`slots` of a Yale lock)."""

from msgspec.structs import replace

from drivers.simulated.models import NATIVE
from gateway.domain.driver import AuthorityUp, LockSeen, NoAnswer
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


async def test_a_code_beyond_that_must_be_written_moves(hang: Hang) -> None:
    """Out of its slot first: no lock takes a PIN twice. The slot it goes to was read by then."""
    bench, stays, _ = await lowered(hang)
    bench.clock.pass_by(30 * MINUTE)
    await bench.do("access_codes/update", access_code_id=stays, code="9999")
    await bench.settle()
    assert bench.on_lock()[LOW] == "9999"
    assert HIGH not in bench.on_lock()
    assert bench.driver.taken() == [("read", LOW), ("clear", HIGH), ("write", LOW)]
    assert (await bench.shown(stays))["status"] == "set"


async def test_a_lost_answer_on_the_way_is_looked_into(hang: Hang) -> None:
    """The old slot is looked at, then the code comes into the new one."""
    bench, stays, _ = await lowered(hang)
    bench.driver.faults = [None, ("after", NoAnswer("lost"))]
    bench.clock.pass_by(30 * MINUTE)
    await bench.do("access_codes/update", access_code_id=stays, code="9999")
    await bench.settle(10 * MINUTE)
    assert (bench.on_lock()[LOW], HIGH in bench.on_lock()) == ("9999", False)


async def test_a_code_beyond_without_room_elsewhere_stays(hang: Hang) -> None:
    """Its old PIN opens the door, and its error says why the new one does not."""
    bench, stays, _ = await lowered(hang, "5821", "5822", "5823", "5824", "5825")
    await bench.do("access_codes/update", access_code_id=stays, code="9999")
    await bench.settle(10 * MINUTE)
    assert bench.on_lock()[HIGH] == STAYS
    assert "no_space_for_access_code_on_device" in bench.issues()


async def test_a_code_beyond_does_not_move_while_the_time_is_not_known(hang: Hang) -> None:
    """It might not come back (rule 5)."""
    bench, _, leaves = await lowered(hang)
    bench.clock.synced = False
    bench.clock.reboot(bench.clock.wall)
    bench.boot()
    await bench.engine.start()
    await bench.engine.handle(AuthorityUp(device_ids=(DOOR,)))
    await bench.engine.handle(said(bench))
    await bench.do("access_codes/update", access_code_id=leaves, code="9999")
    await bench.settle(MINUTE)
    assert bench.on_lock()["9"] == LEAVES
    bench.clock.synced = True
    await bench.settle(MINUTE)
    assert bench.on_lock()[LOW] == "9999"
