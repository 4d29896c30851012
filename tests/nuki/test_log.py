"""What the lock noted: which code opened, and that a wrong one was tried."""

import asyncio
from datetime import timedelta

import pytest

from drivers.ble.feed import Feed
from drivers.ble.nuki.keys import decode
from gateway.domain.credential import Credential
from gateway.domain.driver import AccessDenied, CodeUsed, LockEvent
from gateway.domain.pin import Pin
from gateway.domain.store import StorageFailed
from gateway.system_clock import SystemClock
from tests.nuki.house import NOON, House, paired


async def with_code(home: House) -> str:
    """Put a code on the lock; return its slot."""
    async with home.session() as session:
        return (await session.write(None, Credential(pin=Pin("345678")), replaces=None)).slot


async def test_a_used_code_and_a_wrong_one_are_told_once() -> None:
    """In their order, with the time, without the digits that were typed."""
    async with paired() as home:
        slot = await with_code(home)
        home.brain.type_code(345678)
        home.brain.type_code(111119)
        assert await home.read_log() == [
            CodeUsed(device_id="door", slot=slot, at=NOON),
            AccessDenied(device_id="door", reason="unknown_code", at=NOON),
        ]
        assert await home.read_log() == []


async def test_a_code_that_is_not_allowed_now_is_told_with_its_slot() -> None:
    """Disabled by somebody, or past its end."""
    async with paired() as home:
        slot = await with_code(home)
        home.brain.memory.change(int(slot), enabled=False)
        home.brain.type_code(345678)
        denied = AccessDenied(device_id="door", reason="outside_schedule", slot=slot, at=NOON)
        assert await home.read_log() == [denied]


async def test_arrows_fingers_and_other_records_are_nobodys_code() -> None:
    """A finger's number is no code's."""
    async with paired() as home:
        slot = await with_code(home)
        home.brain.press_arrow()
        home.brain.show_finger(int(slot))
        home.brain.memory.note(NOON, 2, bytes(8), b"Marc")
        assert await home.read_log() == []


async def test_a_record_of_the_keypad_that_is_too_short_holds_up_no_other() -> None:
    """What it was cannot be said; the next one is told."""
    async with paired() as home:
        slot = await with_code(home)
        home.brain.memory.note(NOON, 5, b"\x01\x00\x00", b"")
        home.brain.type_code(345678)
        assert await home.read_log() == [CodeUsed(device_id="door", slot=slot, at=NOON)]


async def test_what_was_before_the_hub_is_not_told() -> None:
    """The first look only notes where the log stands."""
    async with paired() as home:
        await home.vault.save("door", home.vault.secrets["door"].replace(b',"log_index":0', b""))
        home.restart()
        slot = await with_code(home)
        home.brain.type_code(345678)
        assert await home.read_log() == []
        home.brain.type_code(345678)
        assert await home.read_log() == [CodeUsed(device_id="door", slot=slot, at=NOON)]


@pytest.mark.parametrize("count", [25, 250])
async def test_many_records_are_all_told_in_order(count: int) -> None:
    """More than the first look asks for, or the second."""
    async with paired() as home:
        slot = await with_code(home)
        for minute in range(count):
            home.clock.passed = timedelta(minutes=minute)
            home.brain.type_code(345678)
        assert await home.read_log() == [
            CodeUsed(device_id="door", slot=slot, at=NOON + timedelta(minutes=minute))
            for minute in range(count)
        ]


async def test_records_that_the_lock_does_not_tell_any_more_are_missed_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Somebody may wonder where an opening is."""
    async with paired() as home:
        await with_code(home)
        home.brain.type_code(345678)
        await home.read_log()
        assert "more happened" not in caplog.text
        for _ in range(5):
            home.brain.type_code(345678)
        del home.brain.memory.log[:3]
        assert len(await home.read_log()) == 3
        assert "more happened" in caplog.text


async def test_a_restart_tells_nothing_twice() -> None:
    """What was told last is kept in the vault."""
    async with paired() as home:
        await with_code(home)
        home.brain.type_code(345678)
        assert len(await home.read_log()) == 1
        home.restart()
        assert await home.read_log() == []


async def test_what_could_not_be_stored_is_told_again() -> None:
    """And only that: an event counts as told when its sink has stored it."""
    async with paired() as home:
        slot = await with_code(home)
        home.brain.type_code(345678)
        home.brain.type_code(111119)
        stored: list[LockEvent] = []

        async def full_disk(event: LockEvent) -> None:
            if stored:
                raise OSError
            stored.append(event)

        async with home.session() as session:
            with pytest.raises(OSError):  # noqa: PT011 - its text is nobody's business
                await session.read_log(full_disk)
        assert stored == [CodeUsed(device_id="door", slot=slot, at=NOON)]
        assert await home.read_log() == [AccessDenied(device_id="door", reason="unknown_code", at=NOON)]


async def test_what_waits_for_room_on_the_disk_is_told_once() -> None:
    """A reading that is cut off meanwhile leaves what it was telling to the driver's queue."""
    async with paired() as home:
        slot = await with_code(home)
        home.brain.type_code(345678)
        home.brain.type_code(111119)
        home.brain.type_code(345678)
        feed = Feed(SystemClock())
        home.vault.is_full = True
        for _ in range(2):
            async with home.session() as session:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.5):
                        await session.read_log(feed.store)
        home.vault.is_full = False
        feeding = asyncio.create_task(feed.run(home))
        async with home.session() as session:
            await session.read_log(feed.store)
        feeding.cancel()
        used = CodeUsed(device_id="door", slot=slot, at=NOON)
        assert home.events == [used, AccessDenied(device_id="door", reason="unknown_code", at=NOON), used]
        home.restart()
        assert await home.read_log() == []


async def test_a_hub_that_is_killed_while_it_reads_a_long_log_tells_little_of_it_again() -> None:
    """How far it came is stored on the way."""
    async with paired() as home:
        await with_code(home)
        for _ in range(250):
            home.brain.type_code(345678)
        told = 0

        async def until_the_power_is_cut(_: LockEvent) -> None:
            nonlocal told
            if told == 200:
                home.vault.is_full = True
            told += 1

        async with home.session() as session:
            with pytest.raises(StorageFailed):
                await session.read_log(until_the_power_is_cut)
        home.vault.is_full = False
        home.restart()
        assert 50 <= len(await home.read_log()) < 100


async def test_a_log_begun_anew_is_read_from_its_start() -> None:
    """Its numbers are lower than the last one told."""
    async with paired() as home:
        slot = await with_code(home)
        for _ in range(3):
            home.brain.type_code(345678)
        await home.read_log()
        home.brain.memory.log.clear()
        home.brain.memory.next_record = 1
        home.brain.type_code(345678)
        assert await home.read_log() == [CodeUsed(device_id="door", slot=slot, at=NOON)]
        keys = decode(home.vault.secrets["door"])
        assert keys is not None
        assert keys.log_index == 1


async def test_times_are_told_in_utc_whichever_way_the_lock_keeps_them() -> None:
    """It tells the offset of its zone, and what its clock shows now says whether it is in there."""
    async with paired() as home:
        home.brain.local_time = True
        slot = await with_code(home)
        home.brain.type_code(345678)
        assert await home.read_log() == [CodeUsed(device_id="door", slot=slot, at=NOON)]


async def test_a_wrong_clock_gives_no_times() -> None:
    """That a code was used is still told, and that a wrong one was."""
    async with paired() as home:
        home.brain.faults.clock_off = timedelta(days=-400)
        slot = await with_code(home)
        home.brain.type_code(345678)
        home.brain.type_code(111119)
        assert await home.read_log() == [
            CodeUsed(device_id="door", slot=slot, at=None),
            AccessDenied(device_id="door", reason="unknown_code", at=None),
        ]


async def test_numbers_of_records_begin_anew_after_the_largest() -> None:
    """They have four bytes; nothing is told twice, and nothing left out."""
    async with paired() as home:
        slot = await with_code(home)
        home.brain.memory.next_record = (1 << 32) - 2
        for minute in range(2):
            home.clock.passed = timedelta(minutes=minute)
            home.brain.type_code(345678)
        assert len(await home.read_log()) == 2
        home.brain.memory.next_record = 0
        for minute in range(2, 4):
            home.clock.passed = timedelta(minutes=minute)
            home.brain.type_code(345678)
        assert await home.read_log() == [
            CodeUsed(device_id="door", slot=slot, at=NOON + timedelta(minutes=minute)) for minute in (2, 3)
        ]
        assert await home.read_log() == []
