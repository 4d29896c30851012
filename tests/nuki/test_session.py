"""Codes on a lock that answers as it should, and as locks sometimes do."""

import asyncio
from datetime import timedelta

import pytest

from drivers.ble.nuki.settings import NukiLockSettings
from gateway.domain.credential import Credential, Empty, Evidence, Known, Schedule
from gateway.domain.driver import DriverError, LockUnreachable, NoAnswer, Refused
from gateway.domain.pin import Pin
from gateway.domain.placement import Refusal
from tests.ble_bed.nuki.memory import Code
from tests.ble_bed.virtual import LONG_S
from tests.nuki.house import NOON, House, paired

GUEST = Credential(pin=Pin("345678"), name="Guest")
OTHER = Credential(pin=Pin("987654"), name="Other")
IMPATIENT = NukiLockSettings(answer_s=1.0)
LEAVES = Schedule(ends_at=NOON + timedelta(days=3, minutes=1, seconds=30))


def codes(home: House) -> dict[str, int]:
    """Return what is really on the lock."""
    return {str(number): code.pin for number, code in home.brain.memory.codes.items()}


async def add_and_clear(home: House) -> None:
    """Five writes: for the states, and twice for a challenge and a command."""
    async with home.session() as session:
        slot = (await session.write(None, GUEST, replaces=None)).slot
        await session.clear(slot, holds=GUEST)


async def test_a_code_is_added_changed_and_removed_in_one_connection() -> None:
    """The lock chooses the number; everything else is as written."""
    async with paired() as home:
        before = sum(home.air.connects.values())
        async with home.session() as session:
            written = await session.write(None, GUEST, replaces=None)
            assert written.evidence is Evidence.ACCEPTED
            assert await session.read(written.slot) == Known(GUEST)
            await session.write(written.slot, OTHER, replaces=GUEST)
            assert await session.read_all() == {written.slot: Known(OTHER)}
            await session.clear(written.slot, holds=OTHER)
            assert await session.read(written.slot) == Empty()
        assert codes(home) == {}
        assert sum(home.air.connects.values()) == before + 1


async def test_an_end_is_kept_to_the_second() -> None:
    """And taken away by writing the code without it."""
    async with paired() as home, home.session() as session:
        fenced = Credential(pin=GUEST.pin, name="Guest", schedule=LEAVES)
        slot = (await session.write(None, fenced, replaces=None)).slot
        assert await session.read(slot) == Known(fenced)
        await session.write(slot, GUEST, replaces=fenced)
        assert await session.read(slot) == Known(GUEST)


async def test_disabling_keeps_the_end() -> None:
    """Each update carries everything: on other software, disabling a code took its limits away."""
    async with paired() as home, home.session() as session:
        fenced = Credential(pin=GUEST.pin, name="Guest", schedule=LEAVES)
        slot = (await session.write(None, fenced, replaces=None)).slot
        shut = Credential(pin=GUEST.pin, name="Guest", schedule=LEAVES, enabled=False)
        await session.write(slot, shut, replaces=fenced)
        assert await session.read(slot) == Known(shut)


async def test_a_code_is_added_disabled() -> None:
    """By two commands, because adding enables it."""
    async with paired() as home:
        shut = Credential(pin=GUEST.pin, name="Guest", enabled=False)
        async with home.session() as session:
            slot = (await session.write(None, shut, replaces=None)).slot
            assert await session.read(slot) == Known(shut)
        assert not home.brain.type_code(345678)


async def test_a_reset_clock_locks_nobody_out() -> None:
    """What the hub writes has no start that a clock could be before."""
    async with paired() as home:
        async with home.session() as session:
            fenced = Credential(pin=GUEST.pin, schedule=LEAVES)
            await session.write(None, fenced, replaces=None)
        home.brain.faults.clock_reset_to = NOON.replace(year=2000, month=1, day=1)
        assert home.brain.type_code(345678)


@pytest.mark.slow
@pytest.mark.parametrize("mtu", [23, 247])
@pytest.mark.parametrize("tells_all_limits", [True, False])
async def test_a_long_list_arrives_whole_at_any_packet_size(mtu: int, *, tells_all_limits: bool) -> None:
    """With and without limits behind codes that have none."""
    async with paired(mtu=mtu) as home:
        home.brain.tells_all_limits = tells_all_limits
        pins = [pin for pin in range(311111, 311288) if "0" not in str(pin)]
        for pin in pins:
            home.brain.memory.add(Code(pin=pin, name=b"x".ljust(20, b"\0"), created=NOON))
        async with home.session() as session:
            listed = await session.read_all()
        assert [int(r.credential.pin.reveal()) for r in listed.values() if isinstance(r, Known)] == pins


async def test_a_list_without_a_word_at_its_end_is_understood() -> None:
    """The count says how many come; whether "complete" follows is not documented."""
    async with paired() as home:
        home.brain.faults.lists_status = False
        async with home.session() as session:
            assert await session.read_all() == {}
            slot = (await session.write(None, GUEST, replaces=None)).slot
            assert await session.read_all() == {slot: Known(GUEST)}


@pytest.mark.parametrize("split", [5, 20])
async def test_indications_in_pieces_twice_and_late_are_put_together(split: int) -> None:
    """Pieces of any size, each sent twice, with pauses."""
    async with paired() as home:
        home.lock.peripheral.weather.split = split
        home.lock.peripheral.weather.doubled = True
        home.lock.peripheral.weather.delay_s = 0.0001
        async with home.session() as session:
            slot = (await session.write(None, GUEST, replaces=None)).slot
            assert await session.read_all() == {slot: Known(GUEST)}
        assert codes(home) == {slot: 345678}


async def test_what_comes_behind_a_list_spoils_no_later_answer() -> None:
    """The list is whole before the lock says "complete": that is under way when the next question is sent."""
    async with paired(mtu=23, settings=IMPATIENT) as home:
        home.lock.peripheral.weather.delay_s = 0.005
        async with home.session() as session:
            for pause_ms in range(0, 20, 2):
                assert await session.read_all() == {}
                await asyncio.sleep(pause_ms / 1000)
            slot = (await session.write(None, GUEST, replaces=None)).slot
        assert codes(home) == {slot: 345678}


async def test_a_checksum_left_out_is_accepted() -> None:
    """As some locks send it; the seal proves the content."""
    async with paired() as home:
        home.brain.faults.zero_checksum = True
        async with home.session() as session:
            assert await session.read_all() == {}


@pytest.mark.parametrize(
    ("digits", "reason"),
    [("12345", "FORMAT"), ("123456", "FORMAT"), ("340678", "FORMAT"), ("3456789", "FORMAT")],
)
async def test_a_pin_that_no_keypad_takes_is_not_sent(digits: str, reason: str) -> None:
    """Six digits from 1 to 9 that do not begin with 12."""
    async with paired() as home:
        async with home.session() as session:
            with pytest.raises(Refused) as refused:
                await session.write(None, Credential(pin=Pin(digits)), replaces=None)
        assert refused.value.reason is Refusal[reason]
        assert 0x0041 not in home.brain.heard


async def test_full_and_duplicate_are_told_apart() -> None:
    """And change nothing."""
    async with paired() as home:
        home.brain.room = 1
        async with home.session() as session:
            slot = (await session.write(None, GUEST, replaces=None)).slot
            with pytest.raises(Refused) as full:
                await session.write(None, OTHER, replaces=None)
            with pytest.raises(Refused) as duplicate:
                await session.write(None, GUEST, replaces=None)
        assert full.value.reason is Refusal.FULL
        assert duplicate.value.reason is Refusal.DUPLICATE
        assert codes(home) == {slot: 345678}


@pytest.mark.parametrize("answer", [0x23, 0x24, None])
async def test_whatever_a_lock_says_of_a_code_that_is_gone(answer: int | None) -> None:
    """Clearing it is no failure."""
    async with paired() as home:
        home.brain.faults.unknown_id = answer
        async with home.session() as session:
            assert (await session.clear("1001", holds=GUEST)).evidence is Evidence.ACCEPTED


@pytest.mark.parametrize("answer", [0x23, 0x24])
async def test_a_code_that_is_gone_cannot_be_overwritten(answer: int) -> None:
    """That is not the fault of its PIN."""
    async with paired() as home:
        home.brain.faults.unknown_id = answer
        async with home.session() as session:
            with pytest.raises(Refused) as refused:
                await session.write("1001", GUEST, replaces=None)
        assert refused.value.reason is Refusal.OTHER


async def test_a_busy_lock_is_tried_again_later() -> None:
    """The session goes on."""
    async with paired() as home, home.session() as session:
        home.brain.faults.busy = 1
        with pytest.raises(Refused) as refused:
            await session.write(None, GUEST, replaces=None)
        assert refused.value.reason is Refusal.BUSY
        await session.write(None, GUEST, replaces=None)


@pytest.mark.parametrize("writes", range(5))
async def test_a_link_lost_anywhere_leaves_a_list_that_tells(writes: int) -> None:
    """The states, a challenge, the command: whatever was lost, the next list says what is there."""
    async with paired() as home:
        home.lock.peripheral.lose_after = writes
        with pytest.raises(LockUnreachable):
            await add_and_clear(home)
        async with home.session() as session:
            listed = await session.read_all()
        assert {
            slot: int(r.credential.pin.reveal()) for slot, r in listed.items() if isinstance(r, Known)
        } == (codes(home))


async def test_after_a_lost_answer_nothing_more_is_asked_in_that_connection() -> None:
    """It could come late and be taken for another; the code is on the lock all the same."""
    async with paired(settings=IMPATIENT) as home:
        async with home.session() as session:
            await session.read_all()
            home.brain.faults.mute_on = 0x0041
            with pytest.raises(NoAnswer):
                await session.write(None, GUEST, replaces=None)
            with pytest.raises(LockUnreachable):
                await session.read_all()
        assert list(codes(home).values()) == [345678]


async def test_a_hub_that_was_deleted_in_the_app_does_not_knock_again() -> None:
    """One connection tells; after that none is made before it is paired again, or a person asks for one."""
    async with paired() as home:
        home.brain.memory.users.clear()
        with pytest.raises(LockUnreachable, match="pair it again"):
            async with home.session():
                pass
        before = dict(home.air.connects)
        await home.clock.sleep(LONG_S)
        with pytest.raises(LockUnreachable, match="pair it again"):
            async with home.session():
                pass
        assert home.air.connects == before
        assert home.known is not None
        assert "pair it again" in (home.known.trouble() or "")
        await home.pair()
        assert home.known.trouble() is None
        async with home.session() as session:
            assert await session.read_all() == {}


async def test_no_error_shows_a_pin_or_key() -> None:
    """Neither of codes nor the security PIN."""
    async with paired() as home:
        told: list[str] = [repr(home.known), repr(home.vault.secrets.keys())]
        home.brain.room = 0
        for credential in (GUEST, Credential(pin=Pin("123999"))):
            async with home.session() as session:
                try:
                    await session.write(None, credential, replaces=None)
                except DriverError as error:
                    told.append(str(error))
        assert len(told) == 4
        assert not any(secret in line for line in told for secret in ("345678", "123999", "2468"))
