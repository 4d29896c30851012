"""Events of a lock as a whole: found, given out of the hub's hands and back, held after a clock jump."""

from msgspec.structs import replace

from drivers.simulated.models import READABLE
from gateway.domain.driver import KeypadMode, LockDead, LockSeen
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, IDENTITY, MINUTE, NOON
from tests.engine.conftest import Hang


async def test_a_lock_is_told_as_added_once() -> None:
    """At first sight, and never again after a restart."""
    bench = Bench(READABLE)
    await bench.start()
    assert bench.events().count("device.added") == 1
    bench.boot()
    await bench.start()
    assert "device.added" not in bench.events()
    bench.store.close()


async def test_taking_it_out_of_the_hub_s_hands_and_back_is_told(hang: Hang) -> None:
    """Once each; its codes become codes of others."""
    bench = await hang(READABLE)
    await bench.create("471134")
    await bench.settle(HOUR)
    bench.events()
    await bench.do("devices/update", device_id=DOOR, is_managed=False)
    told = bench.events()
    assert told.count("device.converted_to_unmanaged") == 1
    assert "access_code.unmanaged.created" in told
    await bench.do("devices/update", device_id=DOOR, is_managed=True)
    assert bench.events().count("device.unmanaged.converted_to_managed") == 1


async def test_a_jump_that_holds_removals_is_told_once(hang: Hang) -> None:
    """With the errors of that moment."""
    bench = await hang(READABLE)
    for first in range(4, 8):
        await bench.create(f"{first}71134", ends_at=instant(NOON + DAY))
    await bench.settle(2 * MINUTE)
    bench.clock.jump(2 * DAY)
    await bench.settle(HOUR)
    stored = bench.store.do(lambda tx: tx.undelivered(1000))
    [event] = [e.event for e in stored if e.event.event_type == "gateway.clock_step_held"]
    assert event.payload["error_code"] == "clock_step_held"
    assert "clock_step_held" in [shown["error_code"] for shown in event.payload["device_errors"]]


async def test_a_keypad_that_goes_and_comes_back_is_told(hang: Hang) -> None:
    """Once each; a lock that had one from the beginning tells nothing."""
    bench = await hang(READABLE)
    gone, back = "device.accessory_keypad_disconnected", "device.accessory_keypad_connected"
    for keypad, expected in ((True, []), (False, [gone]), (False, []), (True, [back])):
        can = replace(READABLE.capabilities, keypad=keypad)
        await bench.tell(LockSeen(device_id=DOOR, identity=IDENTITY, capabilities=can))
        await bench.settle(HOUR)
        assert [told for told in bench.events() if "keypad" in told] == expected


async def test_a_lock_that_leaves_the_configuration_is_not_told_as_mended() -> None:
    """What was wrong with it is not over because nobody looks any more."""
    model = replace(READABLE, capabilities=replace(READABLE.capabilities, keypad=False))
    bench = Bench(model)
    await bench.start()
    await bench.tell(LockDead(device_id=DOOR))
    await bench.settle()
    assert "device.disconnected" in bench.events()
    bench.configured = False
    bench.boot()
    await bench.engine.start()
    await bench.settle()
    assert "removed_from_configuration" in bench.issues()
    assert not {"device.accessory_keypad_connected", "device.connected"} & set(bench.events())
    bench.store.close()


async def test_a_lock_that_leaves_the_configuration_is_told_once_each_time() -> None:
    """Its codes may open the door for ever, and those to come are not set: nobody may have meant that."""
    bench = Bench(READABLE)
    await bench.start()
    await bench.create("471134", starts_at=instant(NOON + 20 * DAY))
    bench.events()
    left = "device.removed_from_configuration"
    for configured, expected in ((False, [left]), (False, []), (True, []), (False, [left])):
        bench.configured = configured
        bench.boot()
        await bench.engine.start()
        await bench.settle()
        assert [told for told in bench.events() if told.startswith("device.")] == expected
    bench.store.close()


async def test_a_keypad_that_is_switched_off_is_a_warning_until_it_is_on_again(hang: Hang) -> None:
    """Codes are kept in step meanwhile: it concerns who types, not what the lock holds."""
    bench = await hang(READABLE)
    await bench.tell(KeypadMode(device_id=DOOR, off="it is in privacy mode"))
    await bench.create("471134")
    await bench.settle(HOUR)
    [warning] = (await bench.do("devices/get", device_id=DOOR))["device"]["warnings"]
    assert warning["warning_code"] == "privacy_mode"
    assert warning["message"] == "the keypad takes no codes: it is in privacy mode"
    assert bench.on_lock() == {"20": "471134"}
    await bench.tell(KeypadMode(device_id=DOOR, off=None))
    await bench.settle(MINUTE)
    assert bench.issues() == set()
