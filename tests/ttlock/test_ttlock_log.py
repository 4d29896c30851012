"""The lock's log: who came in by which code, each thing told once, and no digits."""

from contextlib import suppress
from datetime import timedelta

import pytest

from gateway.domain.driver import (
    AccessDenied,
    AllCleared,
    BatteryLevel,
    ClockChecked,
    CodeUsed,
    DriverError,
    LockAlive,
    SlotTouched,
    Tampered,
)
from tests.ble_bed.ttlock.lock import VirtualLock
from tests.ble_bed.virtual import in_virtual_time
from tests.ttlock.home import ZONE, Home, code, home, wanted


async def read_log(at: Home) -> list[object]:
    """Have the log read; return what was told of people at the door."""
    before = len(at.told.events)
    at.driver._locks["door"].errands._changed = True
    async with at.session():
        pass
    kinds = (CodeUsed, AccessDenied, AllCleared, SlotTouched, Tampered)
    return [event for event in at.told.events[before:] if isinstance(event, kinds)]


@pytest.mark.parametrize("backwards", [False, True])
@in_virtual_time
async def test_openings_are_told_with_slot_and_time(*, backwards: bool) -> None:
    """Also where the log runs from the newest record to the oldest, and never twice."""

    def change(lock: VirtualLock) -> None:
        lock.log_backwards = backwards

    async with home(change=change) as at:
        async with at.session() as session:
            slot = (await session.write(None, wanted("4711"), replaces=None)).slot
        await read_log(at)
        seen = []
        for _ in range(3):
            opened = []
            for _ in range(3):
                await at.clock.sleep(3)
                assert at.lock.type_in("4711")
                opened.append(at.clock.now().replace(microsecond=0))
            told = await read_log(at)
            assert sorted(event.at for event in told if isinstance(event, CodeUsed) and event.at) == opened
            seen += told
            assert await read_log(at) == []
        assert {event.slot for event in seen if isinstance(event, CodeUsed)} == {slot}


@in_virtual_time
async def test_wrong_codes_are_told_without_digits() -> None:
    """With the time of the record; a window that is over is told with its slot."""
    async with home() as at:
        now = at.lock.face()
        past = (now - timedelta(days=9), now - timedelta(days=8))
        at.lock.store(code("815815", kind=3, window=past))
        slot = await at.slot_of("815815")
        assert not at.lock.type_in("1111")
        assert not at.lock.type_in("815815")
        typed = at.clock.now().replace(microsecond=0)
        await at.clock.sleep(60)
        await read_log(at)
        assert at.told.of(AccessDenied) == [
            AccessDenied(device_id="door", reason="unknown_code", at=typed),
            AccessDenied(device_id="door", reason="outside_schedule", slot=slot, at=typed),
        ]
        assert "1111" not in repr(at.told.events)
        assert b"1111" not in at.drawer.secrets["door"]


@in_virtual_time
async def test_what_people_do_to_codes_at_the_keypad_is_told() -> None:
    """All deleted; one changed; one pushed out by a new one."""
    async with home() as at:
        async with at.session() as session:
            slot = (await session.write(None, wanted("4711"), replaces=None)).slot
        await read_log(at)
        at.lock.change("4711", "1234")
        at.lock.journal.note(5, at.lock.face(), 90, "4711", "1234")
        assert await read_log(at) == [SlotTouched(device_id="door", slot=slot)]
        at.lock.journal.note(29, at.lock.face(), 90)
        assert await read_log(at) == [Tampered(device_id="door", what="forced opening")]
        at.lock.clear_at_keypad()
        assert await read_log(at) == [AllCleared(device_id="door")]


@in_virtual_time
async def test_our_own_codes_in_the_log_are_no_news() -> None:
    """Those of the vendor's app are."""
    async with home() as at:
        await read_log(at)
        async with at.session() as session:
            await session.write(None, wanted("4711"), replaces=None)
        assert await read_log(at) == []


@in_virtual_time
async def test_an_opening_before_its_code_was_stored_is_somebody_elses() -> None:
    """The same digits were another guest's then."""
    async with home() as at:
        at.lock.store(code("4711"))
        assert at.lock.type_in("4711")
        at.lock.forget("4711")
        at.clock.offset = timedelta(hours=2)
        at.lock.clock_off = timedelta(hours=2)
        async with at.session() as session:
            await session.write(None, wanted("4711"), replaces=None)
        assert at.told.of(CodeUsed) == []


@in_virtual_time
async def test_an_opening_is_told_although_the_lock_was_without_power_and_shows_another_year() -> None:
    """When it was, nobody knows. A code for one use has had its use all the same."""
    async with home() as at:
        at.lock.type_in("1111")
        await read_log(at)
        async with at.session() as session:
            slot = (await session.write(None, wanted("4711"), replaces=None)).slot
        at.lock.cut_power()
        at.lock.type_in("4711")
        await read_log(at)
        assert at.told.of(CodeUsed) == [CodeUsed(device_id="door", slot=slot)]


@in_virtual_time
async def test_an_opening_is_told_although_the_lock_does_not_know_of_summer_time() -> None:
    """By its clock the code was used before it was there."""
    async with home() as at:
        await read_log(at)
        at.lock.clock_off = timedelta(hours=-1)
        async with at.session() as session:
            slot = (await session.write(None, wanted("4711"), replaces=None)).slot
        at.lock.type_in("4711")
        await read_log(at)
        assert [used.slot for used in at.told.of(CodeUsed)] == [slot]


@in_virtual_time
async def test_an_opening_is_told_although_the_hub_does_not_know_the_time() -> None:
    """It cannot say whether the lock's time can be believed."""
    async with home() as at:
        at.lock.type_in("1111")
        await read_log(at)
        async with at.session() as session:
            slot = (await session.write(None, wanted("4711"), replaces=None)).slot
        at.knows_time = False
        at.lock.cut_power()
        at.lock.type_in("4711")
        await read_log(at)
        assert at.told.of(CodeUsed) == [CodeUsed(device_id="door", slot=slot)]


@in_virtual_time
async def test_old_history_of_a_lock_in_use_is_left_alone() -> None:
    """What is older than a day when the log is read for the first time."""
    async with home() as at:
        at.lock.store(code("4711"))
        old = at.lock.face() - timedelta(days=2)
        at.lock.journal.note(4, old, 90, "4711", "4711")
        at.lock.type_in("4711")
        await read_log(at)
        assert len(at.told.of(CodeUsed)) == 1


@in_virtual_time
async def test_a_log_that_broke_off_goes_on_where_it_was() -> None:
    """Each record is told once."""
    async with home() as at:
        at.lock.store(code("4711"))
        await read_log(at)
        for _ in range(10):
            await at.clock.sleep(3)
            at.lock.type_in("4711")
        at.driver._locks["door"].errands._changed = True
        at.on_air.peripheral.lose_after = 12
        with suppress(DriverError):
            async with at.session():
                pass
        assert at.on_air.peripheral.drops == 1, "the link held"
        assert len(at.told.of(CodeUsed)) < 10
        await read_log(at)
        assert len(at.told.of(CodeUsed)) == 10


@in_virtual_time
async def test_what_waits_for_room_on_the_disk_is_told_once() -> None:
    """A reading that is cut off meanwhile leaves what it was telling to the driver's queue."""
    async with home() as at:
        at.lock.store(code("4711"))
        await read_log(at)
        at.lock.type_in("4711")
        await read_log(at)
        at.told.events.clear()
        for _ in range(3):
            await at.clock.sleep(60)
            at.lock.type_in("4711")
        at.told.is_full = True
        for _ in range(2):
            await read_log(at)
        at.told.is_full = False
        await at.clock.sleep(60)
        await read_log(at)
        moments = [used.at for used in at.told.of(CodeUsed)]
        assert (len(moments), len(set(moments))) == (3, 3)


@in_virtual_time
async def test_a_look_at_the_clock_that_waits_for_room_on_the_disk_is_told_once() -> None:
    """It was looked at for a code with a window, and is told with the log."""
    async with home() as at:
        await read_log(at)
        at.told.events.clear()
        at.told.is_full = True
        async with at.session() as session:
            await session.write(
                None, wanted("4711", at.clock.now().replace(second=0, microsecond=0), days=1), replaces=None
            )
        for _ in range(2):
            await read_log(at)
        at.told.is_full = False
        await at.clock.sleep(60)
        await read_log(at)
        assert len(at.told.of(ClockChecked)) == 1


@in_virtual_time
async def test_a_touch_is_a_sign_of_life_and_brings_battery_and_new_records() -> None:
    """The advertisement alone makes the driver read the log."""
    async with home() as at:
        at.lock.store(code("4711"))
        await read_log(at)
        at.told.events.clear()
        at.lock.battery = 40
        await at.on_air.peripheral.hide()
        await at.clock.sleep(100)
        assert at.lock.type_in("4711")
        await at.on_air.touch()
        await at.clock.sleep(10)
        assert at.told.of(LockAlive)
        assert at.told.of(BatteryLevel)[0].level == pytest.approx(0.4)
        (used,) = at.told.of(CodeUsed)
        assert used.at is not None
        assert used.at.astimezone(ZONE).second == at.lock.journal.records[-1][6]


@in_virtual_time
async def test_a_quiet_day_has_no_connections() -> None:
    """Nobody touches the lock, nothing is due."""
    async with home() as at:
        await read_log(at)
        before = dict(at.air.connects)
        await at.clock.sleep(3600)
        assert at.air.connects == before
