"""Who a lock is, its battery, its key, and what it advertises."""

import logging

import pytest
from msgspec.structs import replace

from drivers.ble.family import Advert
from drivers.ble.hold import KeysRefused
from drivers.ble.yale.settings import YaleLockSettings
from gateway.domain.driver import DriverError, LockUnreachable, Refused
from gateway.domain.lock import NativeWindows, Reach
from tests.ble_bed.virtual import LONG_S, in_virtual_time
from tests.ble_bed.yale.brain import Opcode
from tests.ble_bed.yale.lock import ADDRESS, KEY, MODEL, SERIAL, YALE
from tests.yale.door import door
from tests.yale.hub import KEYS, Sink, code, known_lock, session

APPLE = 76


@in_virtual_time
async def test_what_pairing_stored_is_known_without_a_connection() -> None:
    """Model and serial are what pins the lock; windows are the hub's business."""
    async with door() as at:
        lock = known_lock(at)
        seen = lock.known()
        assert (seen.identity.product, seen.identity.serial) == (MODEL, SERIAL)
        assert seen.capabilities.native_windows is NativeWindows.NONE
        assert not seen.capabilities.disabled_status
        assert (lock.address, lock.reach) == (ADDRESS, Reach.ALWAYS)
        assert at.lock.peripheral.connections == 0


@pytest.mark.parametrize(("millivolts", "level"), [(6300, 1.0), (5600, 0.65), (4960, 0.0), (3700, None)])
@in_virtual_time
async def test_the_battery_is_told_where_it_can_be(millivolts: int, level: float | None) -> None:
    """The table is one for alkaline cells: a rechargeable pack would always look empty."""
    async with door() as at, session(at) as work:
        at.lock.memory.battery_mv = millivolts
        assert (await work.describe()).battery == level


@in_virtual_time
async def test_a_lock_that_does_not_tell_its_battery_is_worked_with_all_the_same() -> None:
    """It is asked once in a session."""
    async with door() as at:
        at.lock.brain.answers_battery = False
        async with session(at) as work:
            for _ in range(2):
                assert (await work.describe()).battery is None
            await work.write("1", code("123456"), replaces=None)
        assert at.lock.brain.heard.count(Opcode.STATUS) == 1


@in_virtual_time
async def test_a_model_known_to_be_silent_is_not_asked() -> None:
    """The library has a list of them."""
    async with door() as at:
        lock = known_lock(at, keys=replace(KEYS, model="SL-103-EU"))
        async with session(at, lock) as work:
            assert (await work.describe()).battery is None
        assert at.lock.brain.heard == []


@in_virtual_time
async def test_a_wrong_key_is_not_tried_again_before_a_person_asks() -> None:
    """However often something is to be done, and however much time passes."""
    async with door() as at:
        at.lock.brain.hangs_up_on_strangers = False
        lock = known_lock(at, keys=replace(KEYS, key=bytes(16)))
        for seen in (1, 2):
            for _ in range(3):
                with pytest.raises(KeysRefused):
                    async with session(at, lock):
                        pass
                await at.lock.peripheral.hide()
                await at.clock.sleep(LONG_S)
                await at.lock.advertise()
            assert at.lock.peripheral.connections == seen
            lock.ask_again()
        at.lock.brain.keys[KEYS.key_slot] = bytes(16)
        async with session(at, lock) as work:
            await work.read("1")


@in_virtual_time
async def test_a_lock_that_hangs_up_on_a_wrong_key_is_not_reached() -> None:
    """It cannot be told from a lost link."""
    async with door() as at:
        with pytest.raises(LockUnreachable):
            async with session(at, known_lock(at, keys=replace(KEYS, key=bytes(16)))):
                pass


def heard(manufacturer: dict[int, bytes]) -> Advert:
    """Return an advertisement with this data."""
    return Advert(
        address=ADDRESS,
        name="M1E0012",
        rssi=-60,
        manufacturer=manufacturer,
        services=(),
        service_data={},
    )


@in_virtual_time
async def test_a_bolt_that_moved_is_noticed() -> None:
    """A byte changes, or HomeKit's counter. The lock's name in the cloud, sent in between, means nothing."""
    async with door() as at:
        lock = known_lock(at)

        def changed(manufacturer: dict[int, bytes]) -> bool:
            return lock.hears(heard(manufacturer)).changed is True

        assert not changed({YALE: b"\x00"})
        assert not changed({YALE: bytes(18)})
        assert not changed({YALE: b"\x00"})
        assert changed({YALE: b"\x01"})
        assert not changed({302: b"\x01"})
        assert not changed({})
        homekit = bytes.fromhex("06310011223344556601000700 0200")
        assert not changed({APPLE: homekit})
        assert changed({APPLE: homekit.replace(b"\x07", b"\x08")})
        assert not changed({APPLE: b"\x06\x31"})
        assert not changed({APPLE: b"\x11secret1"})
        assert changed({APPLE: b"\x11secret2"})
        assert not changed({APPLE: b"\x02\x15", YALE: b""})


@in_virtual_time
async def test_moving_the_bolt_of_a_log_that_is_not_ours_is_no_news() -> None:
    """Nothing would come of a connection."""
    async with door() as at:
        lock = known_lock(at, YaleLockSettings(address=ADDRESS, activity_log=False))
        lock.hears(heard({YALE: b"\x00"}))
        assert not lock.hears(heard({YALE: b"\x01"})).changed


@pytest.mark.slow
@in_virtual_time
async def test_no_log_line_shows_a_pin_or_a_key(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever goes wrong, and however much everything else may log."""
    caplog.set_level(logging.DEBUG)
    async with door() as at:
        lock = known_lock(at)
        at.lock.memory.edit(1, "135791")
        brain, said = at.lock.brain, []
        async with session(at, lock) as work:
            await work.read("1")
            await work.write("2", code("246802"), replaces=None)
            with pytest.raises(Refused) as refused:
                await work.write("3", code("246802"), replaces=None)
            said.append(str(refused.value))
            at.lock.memory.enter("246802")
            await work.read_log(Sink())
        for opcode in (Opcode.GET, Opcode.SET, Opcode.COMMIT):
            brain.faults.garble.add(opcode)
            async with session(at, lock) as work:
                with pytest.raises(DriverError) as failed:
                    await work.write("1", code("975310"), replaces=None)
            said.append(str(failed.value))
    foreign = [record for record in caplog.records if record.name.startswith("yalexs_ble")]
    assert not foreign
    text = caplog.text + "".join(said)
    for secret in ("135791", "246802", "975310", KEY.hex(), repr(KEY)):
        assert secret not in text
    assert KEY.hex() not in repr(KEYS)
    assert repr(KEY) not in f"{KEYS} {KEYS!r}"
