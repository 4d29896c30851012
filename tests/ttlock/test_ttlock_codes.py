"""Codes on a TTLock: stored, changed and deleted under names that carry no PIN."""

from datetime import UTC, datetime, timedelta

import pytest

from drivers.ble.ttlock.settings import TTLockSettings
from gateway.domain.credential import Credential, Empty, Known, Schedule, Unreadable, WeeklyWindow
from gateway.domain.driver import LockAsleep, NoAnswer, Refused
from gateway.domain.pin import Pin
from gateway.domain.placement import Refusal
from tests.ble_bed.ttlock.lock import VirtualLock
from tests.ble_bed.virtual import in_virtual_time
from tests.ttlock.home import code, home, wanted, without_modify

SUMMER = datetime(2026, 7, 1, 13, 0, tzinfo=UTC)


@pytest.mark.parametrize("mtu", [23, 247])
@in_virtual_time
async def test_a_code_is_stored_changed_and_deleted(mtu: int) -> None:
    """Under one name all the while, at any MTU."""
    async with home(mtu=mtu) as at:
        async with at.session() as session:
            slot = (await session.write(None, wanted("4711"), replaces=None)).slot
            assert at.pins() == ["4711"]
            changed = await session.write(slot, wanted("815815"), replaces=wanted("4711"))
            assert changed.slot == slot
            assert changed.reading == Known(wanted("815815"))
            assert at.pins() == ["815815"]
            await session.clear(slot, holds=wanted("815815"))
            assert await session.read(slot) == Empty()
        assert at.pins() == []
        assert at.air.connects == {at.on_air.peripheral.address: 1}


@in_virtual_time
async def test_names_outlive_a_restart_and_edits_in_the_app() -> None:
    """The name is in the keyring, and the lock keeps the digits that a code was created with."""
    async with home() as at:
        async with at.session() as session:
            slot = (await session.write(None, wanted("4711"), replaces=None)).slot
        at.lock.change("4711", "1234")
        await at.restart()
        async with at.running():
            assert dict(await at.listed()) == {slot: Known(wanted("1234"))}


@in_virtual_time
async def test_names_show_no_digits() -> None:
    """Nor does anything that the secret prints."""
    async with home() as at:
        at.lock.store(code("815815"))
        async with at.session() as session:
            written = await session.write(None, wanted("4711"), replaces=None)
        texts = [written.slot, *await at.listed(), repr(at.secret), repr(at.secret.held), str(at.secret)]
        assert not [text for text in texts if "4711" in text or "815815" in text]
        assert str(at.secret.admin_ps) not in repr(at.secret)


@in_virtual_time
async def test_digits_that_move_to_another_code_do_not_confuse_names() -> None:
    """What was 4711 becomes 815815, and a new code gets 4711."""
    async with home() as at:
        async with at.session() as session:
            first = (await session.write(None, wanted("4711"), replaces=None)).slot
            await session.write(first, wanted("815815"), replaces=wanted("4711"))
            second = (await session.write(None, wanted("4711"), replaces=None)).slot
            await session.write(first, wanted("9999"), replaces=wanted("815815"))
            await session.write(second, wanted("5555"), replaces=wanted("4711"))
        assert dict(await at.listed()) == {first: Known(wanted("9999")), second: Known(wanted("5555"))}


@in_virtual_time
async def test_a_code_deleted_by_us_and_stored_again_by_somebody_is_another_code() -> None:
    """It is not mistaken for a late effect of our own."""
    async with home() as at:
        async with at.session() as session:
            slot = (await session.write(None, wanted("4711"), replaces=None)).slot
            await session.clear(slot, holds=wanted("4711"))
        at.lock.store(code("4711"))
        assert slot not in await at.listed()


@in_virtual_time
async def test_a_list_that_was_wrong_once_changes_no_name() -> None:
    """A code that is there again has its name again."""
    async with home() as at:
        async with at.session() as session:
            slot = (await session.write(None, wanted("4711"), replaces=None)).slot
        kept, at.lock.codes = at.lock.codes, []
        assert await at.listed() == {}
        at.lock.codes = kept
        assert dict(await at.listed()) == {slot: Known(wanted("4711"))}


@pytest.mark.parametrize("can", ["modify", "no modify", "modify by original digits"])
@in_virtual_time
async def test_windows_come_and_go(can: str) -> None:
    """A permanent code becomes one with dates and back; firmware that cannot change a code gets a new one."""

    def change(lock: VirtualLock) -> None:
        lock.by_original = "original" in can
        if can == "no modify":
            without_modify(lock)

    stay, longer = wanted("4711", SUMMER, 3), wanted("815815", SUMMER, 5)
    async with home(change=change) as at, at.session() as session:
        slot = (await session.write(None, wanted("4711"), replaces=None)).slot
        for before, after in [(wanted("4711"), stay), (stay, longer), (longer, wanted("815815"))]:
            written = await session.write(slot, after, replaces=before)
            assert (written.slot, written.reading) == (slot, Known(after))
            assert len(at.lock.codes) == 1


@in_virtual_time
async def test_dates_are_local_time_of_the_zone() -> None:
    """13:00 UTC is 15:00 in Berlin in summer."""
    async with home() as at, at.session() as session:
        await session.write(None, wanted("4711", SUMMER, 1), replaces=None)
        (stored,) = at.lock.codes
        assert stored.kind == 3
        assert (stored.start.hour, stored.end - stored.start) == (15, timedelta(days=1))


@in_virtual_time
async def test_a_window_may_be_open_on_one_side() -> None:
    """And comes back so."""
    async with home() as at, at.session() as session:
        for number, schedule in enumerate([Schedule(starts_at=SUMMER), Schedule(ends_at=SUMMER)]):
            credential = Credential(pin=Pin(f"471{number}"), schedule=schedule)
            written = await session.write(None, credential, replaces=None)
            assert written.reading == Known(credential)


@in_virtual_time
async def test_what_the_lock_cannot_hold_is_refused_before_it_is_asked() -> None:
    """Weekdays, seconds, disabled codes, letters."""
    mornings = Schedule(weekly=(WeeklyWindow(weekdays=(0,), from_minute=480, until_minute=600),))
    seconds = Schedule(starts_at=SUMMER + timedelta(seconds=1))
    cases = [
        (Credential(pin=Pin("4711"), schedule=mornings), Refusal.SCHEDULE),
        (Credential(pin=Pin("4711"), schedule=seconds), Refusal.SCHEDULE),
        (Credential(pin=Pin("4711"), enabled=False), Refusal.OTHER),
        (Credential(pin=Pin("47a1")), Refusal.FORMAT),
        (Credential(pin=Pin("471")), Refusal.FORMAT),
    ]
    async with home() as at, at.session() as session:
        for credential, reason in cases:
            with pytest.raises(Refused) as refused:
                await session.write(None, credential, replaces=None)
            assert refused.value.reason is reason
        assert 0x03 not in at.lock.asked


@in_virtual_time
async def test_locks_that_keep_no_dates_are_given_none() -> None:
    """By configuration, or because they have no clock."""
    settings = TTLockSettings(native_schedules=False)
    async with home(settings=settings) as at, at.session() as session:
        with pytest.raises(Refused) as refused:
            await session.write(None, wanted("4711", SUMMER, 1), replaces=None)
        assert refused.value.reason is Refusal.SCHEDULE


@in_virtual_time
async def test_the_administrators_code_is_no_code_for_guests() -> None:
    """It is in no list, and rule 4 holds nevertheless; nor is one that begins like it."""
    async with home(paired=False) as at:
        await at.on_air.touch()
        await at.driver.pair("door", {}, _silently)
        code_of_admin = at.lock.admin_code
        async with at.session() as session:
            for digits in (code_of_admin, code_of_admin[:4], code_of_admin + "0"):
                with pytest.raises(Refused) as refused:
                    await session.write(None, wanted(digits), replaces=None)
                assert refused.value.reason is Refusal.DUPLICATE


@in_virtual_time
async def test_a_full_lock_still_takes_a_change() -> None:
    """Where the new code does not fit beside the old one, the old one goes first."""

    def change(lock: VirtualLock) -> None:
        without_modify(lock)
        lock.capacity = 1

    async with home(change=change) as at, at.session() as session:
        slot = (await session.write(None, wanted("4711"), replaces=None)).slot
        with pytest.raises(Refused) as refused:
            await session.write(None, wanted("1234"), replaces=None)
        assert refused.value.reason is Refusal.FULL
        written = await session.write(slot, wanted("815815"), replaces=wanted("4711"))
        assert (written.slot, at.pins()) == (slot, ["815815"])


@pytest.mark.parametrize(("fault", "reason"), [("frozen", Refusal.BUSY), ("weak", Refusal.OTHER)])
@in_virtual_time
async def test_a_lock_that_will_not_says_why(fault: str, reason: Refusal) -> None:
    """Nothing is changed."""
    async with home() as at:
        at.lock.store(code("4711"))
        slot = await at.slot_of("4711")
        at.lock.faults.frozen = fault == "frozen"
        at.lock.battery = 0 if fault == "weak" else 90
        async with at.session() as session:
            for operation in (
                session.write(None, wanted("1234"), replaces=None),
                session.write(slot, wanted("1234"), replaces=wanted("4711")),
                session.clear(slot, holds=wanted("4711")),
            ):
                with pytest.raises(Refused) as refused:
                    await operation
                assert refused.value.reason is reason
        assert at.pins() == ["4711"]


@in_virtual_time
async def test_codes_that_are_not_understood_are_not_taken_for_ours() -> None:
    """A cyclic code has some weekdays; a one-time code has its dates."""
    async with home() as at:
        window = (datetime(2026, 7, 1, 15), datetime(2026, 7, 2, 15))  # noqa: DTZ001 - local time of the lock
        at.lock.store(code("4711", kind=4))
        at.lock.store(code("1234", kind=2, window=window))
        readings = [reading for reading in (await at.listed()).values() if isinstance(reading, Known)]
        cyclic, once = (reading.credential for reading in readings)
        assert cyclic.schedule is not None
        assert cyclic.schedule.weekly
        assert once == wanted("1234", SUMMER, 1)


@in_virtual_time
async def test_without_a_touch_nothing_is_sent() -> None:
    """The lock sleeps; after a touch it listens."""
    async with home() as at:
        with pytest.raises(LockAsleep):
            async with at.driver.session("door"):
                pass
        assert at.air.connects == {}
        assert await at.listed() == {}


@in_virtual_time
async def test_many_codes_are_listed_page_by_page() -> None:
    """More than fit into one answer."""
    async with home() as at:
        for number in range(15):
            at.lock.store(code(f"{4711 + number}"))
        assert len(await at.listed()) == 15


async def _silently(_words: str, _seconds_left: float | None = None) -> None:
    """Say nothing."""


@in_virtual_time
async def test_an_error_shows_no_digits() -> None:
    """Whatever goes wrong."""
    async with home() as at:
        at.lock.store(code("815815"))
        slot = await at.slot_of("815815")
        at.lock.faults.silent_on = frozenset({0x03})
        async with at.session() as session:
            with pytest.raises(NoAnswer) as error:
                await session.write(None, wanted("4711"), replaces=None)
        assert "4711" not in str(error.value)
        async with at.session() as session:
            with pytest.raises(NoAnswer) as error:
                await session.clear(slot, holds=wanted("815815"))
        assert "815815" not in str(error.value)


@in_virtual_time
async def test_a_code_that_begins_like_another_is_refused() -> None:
    """The keypad of a real lock was seen to take the shorter one, whichever was typed."""
    async with home() as at:
        at.lock.store(code("47115"))
        async with at.session() as session:
            for digits in ("4711", "471150"):
                with pytest.raises(Refused) as refused:
                    await session.write(None, wanted(digits), replaces=None)
                assert refused.value.reason is Refusal.DUPLICATE
            await session.write(None, wanted("47116"), replaces=None)


@in_virtual_time
async def test_an_entry_without_digits_is_like_no_code() -> None:
    """It cannot be read, and stands in nobody's way."""
    async with home() as at:
        at.lock.store(code("815815"))
        at.lock.codes.append(code(""))
        assert Unreadable() in (await at.listed()).values()
        async with at.session() as session:
            slot = (await session.write(None, wanted("4711"), replaces=None)).slot
            await session.write(slot, wanted("1234"), replaces=wanted("4711"))
        assert at.pins() == ["", "1234", "815815"]


@pytest.mark.parametrize("end", [0, 0xFFFF])
@in_virtual_time
async def test_both_ways_to_end_a_list_are_understood(end: int) -> None:
    """Locks were seen to say 0; other clients look for FFFF."""

    def change(lock: VirtualLock) -> None:
        lock.end_of_list = end

    async with home(change=change) as at:
        for number in range(4):
            at.lock.store(code(f"{4711 + number}"))
        assert len(await at.listed()) == 4
