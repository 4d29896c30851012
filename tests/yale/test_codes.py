"""Codes on a virtual lock, through the session."""

import pytest

from drivers.ble.yale.settings import YaleLockSettings
from gateway.domain.credential import Credential, Empty, Evidence, Known, Schedule, Unreadable
from gateway.domain.driver import NoAnswer, Refused
from gateway.domain.pin import Pin
from gateway.domain.placement import Refusal
from tests.ble_bed.virtual import in_virtual_time
from tests.ble_bed.yale.brain import Opcode
from tests.ble_bed.yale.lock import ADDRESS
from tests.ble_bed.yale.memory import Held, Result
from tests.yale.door import door
from tests.yale.hub import code, known_lock, session


@in_virtual_time
async def test_all_work_of_a_session_goes_over_one_connection() -> None:
    """Looks, writes, removals and the end included."""
    async with door() as at:
        async with session(at) as work:
            for slot in ("1", "2", "3", "4"):
                written = await work.write(slot, code(f"10000{slot}"), replaces=None)
                assert written.evidence is Evidence.READ_BACK
            cleared = await work.clear("1", holds=None)
            assert (cleared.evidence, cleared.reading) == (Evidence.READ_BACK, Empty())
            assert await work.read("2") == Known(code("100002"))
        assert at.lock.memory.content() == {2: "100002", 3: "100003", 4: "100004"}
        assert at.lock.peripheral.connections == 1
        assert at.air.open_now == {}


@pytest.mark.parametrize("refused_at", [Opcode.SET, Opcode.ACCESS, Opcode.COMMIT])
@in_virtual_time
async def test_a_refusal_leaves_the_code_that_was_there(refused_at: Opcode) -> None:
    """The library has cleared the slot by then; what was read before is stored again."""
    async with door() as at:
        at.lock.memory.edit(3, "111111")
        at.lock.brain.faults.refuse[refused_at] = Result.DUPLICATE
        async with session(at) as work:
            with pytest.raises(Refused) as refused:
                await work.write("3", code("222222"), replaces=code("111111"))
        assert refused.value.reason is Refusal.DUPLICATE
        assert at.lock.memory.content() == {3: "111111"}


@in_virtual_time
async def test_a_code_that_cannot_be_put_back_is_no_refusal() -> None:
    """The slot is not as it was: it must be looked at again."""
    async with door() as at:
        at.lock.memory.codes[3] = Held(bytes.fromhex("aaaaaaffffffff"))
        at.lock.memory.edit(4, "222222")
        async with session(at) as work:
            assert await work.read("3") == Unreadable()
            with pytest.raises(NoAnswer):
                await work.write("3", code("222222"), replaces=None)


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (Result.DUPLICATE, Refusal.DUPLICATE),
        (Result.FULL, Refusal.FULL),
        (Result.IN_USE, Refusal.OTHER),
        (Result.BUSY, Refusal.BUSY),
        (Result.LOW_BATTERY, Refusal.OTHER),
        (0x7E, Refusal.OTHER),
    ],
)
@pytest.mark.parametrize("refused_at", [Opcode.CLEAR, Opcode.SET, Opcode.COMMIT])
@in_virtual_time
async def test_what_the_lock_refuses_has_a_reason(result: int, reason: Refusal, refused_at: Opcode) -> None:
    """The work goes on over the same connection."""
    async with door() as at:
        at.lock.brain.faults.refuse[refused_at] = result
        async with session(at) as work:
            with pytest.raises(Refused) as refused:
                await work.write("1", code("246810"), replaces=None)
            assert refused.value.reason is reason
            assert "246810" not in str(refused.value)
            assert await work.read("1") == Empty()
        assert at.lock.peripheral.connections == 1


@in_virtual_time
async def test_a_full_lock_says_so() -> None:
    """What it holds stays."""
    async with door() as at:
        at.lock.memory.capacity = 1
        at.lock.memory.edit(1, "111111")
        async with session(at) as work:
            with pytest.raises(Refused) as refused:
                await work.write("2", code("222222"), replaces=None)
        assert refused.value.reason is Refusal.FULL
        assert at.lock.memory.content() == {1: "111111"}


@in_virtual_time
async def test_nothing_there_is_an_empty_slot() -> None:
    """Whether locks answer so is not known; both ways are understood."""
    async with door() as at, session(at) as work:
        faults = at.lock.brain.faults
        faults.refuse = {Opcode.CLEAR: Result.NOT_FOUND}
        assert (await work.clear("2", holds=None)).reading == Empty()
        faults.refuse = {Opcode.GET: Result.NOT_FOUND}
        assert await work.read("2") == Empty()
        faults.refuse = {Opcode.GET: Result.BUSY}
        with pytest.raises(Refused):
            await work.read("2")


@pytest.mark.parametrize(
    ("slot", "credential", "reason"),
    [
        (None, code("123456"), Refusal.OTHER),
        ("11", code("123456"), Refusal.OTHER),
        ("0", code("123456"), Refusal.OTHER),
        ("1", code("1234"), Refusal.FORMAT),
        ("1", code("12345a"), Refusal.FORMAT),
        ("1", Credential(pin=Pin("123456"), enabled=False), Refusal.OTHER),
        ("1", Credential(pin=Pin("123456"), schedule=Schedule()), Refusal.SCHEDULE),
    ],
)
@in_virtual_time
async def test_what_the_lock_cannot_hold_is_not_sent(
    slot: str | None, credential: Credential, reason: Refusal
) -> None:
    """The hub does what the lock cannot: windows are opened and closed by writing and clearing."""
    async with door() as at:
        async with session(at) as work:
            with pytest.raises(Refused) as refused:
                await work.write(slot, credential, replaces=None)
            assert refused.value.reason is reason
            for unable in (work.read_all, work.probe):
                with pytest.raises(Refused):
                    await unable()
        assert at.lock.brain.heard == []


@in_virtual_time
async def test_lengths_and_number_of_slots_are_configured() -> None:
    """The lock tells neither."""
    async with door() as at:
        lock = known_lock(at, YaleLockSettings(address=ADDRESS, slots=25, pin_lengths=(4, 8)))
        able = lock.known().capabilities
        assert (able.slots[0], able.slots[-1], able.max_codes) == ("1", "25", 25)
        async with session(at, lock) as work:
            await work.write("25", code("1234"), replaces=None)
            await work.write("24", code("12345678"), replaces=None)
        assert at.lock.memory.content() == {24: "12345678", 25: "1234"}


@in_virtual_time
async def test_a_code_beyond_the_number_of_slots_is_looked_after() -> None:
    """The number was lowered while it was there: it is read, changed and removed, and none comes to it."""
    async with door() as at:
        at.lock.memory.edit(9, "111111")
        lock = known_lock(at, YaleLockSettings(address=ADDRESS, slots=5))
        async with session(at, lock) as work:
            assert await work.read("9") == Known(code("111111"))
            with pytest.raises(Refused, match="no such slot"):
                await work.write("8", code("222222"), replaces=None)
            assert at.lock.memory.content() == {9: "111111"}
            await work.write("9", code("222222"), replaces=code("111111"))
            assert at.lock.memory.content() == {9: "222222"}
            assert (await work.clear("9", holds=code("222222"))).reading == Empty()
        assert at.lock.memory.content() == {}


@pytest.mark.parametrize("slot", ["0", "251", "-1", "x", "²"])
@in_virtual_time
async def test_what_no_lock_has_is_not_asked_for(slot: str) -> None:
    """A slot is a number in one byte."""
    async with door() as at:
        async with session(at) as work:
            for unable in (work.read(slot), work.clear(slot, holds=None)):
                with pytest.raises(Refused, match="no such slot"):
                    await unable
        assert at.lock.brain.heard == []


@in_virtual_time
async def test_what_the_vendors_app_did_is_what_is_read() -> None:
    """No reading is remembered."""
    async with door() as at, session(at) as work:
        await work.write("1", code("111111"), replaces=None)
        at.lock.memory.edit(1, "999999")
        assert await work.read("1") == Known(code("999999"))
        at.lock.memory.erase(1)
        assert await work.read("1") == Empty()


@in_virtual_time
async def test_reports_that_nobody_asked_for_are_no_answers() -> None:
    """A lock tells of its bolt at any time."""
    async with door() as at:
        at.lock.brain.talkative = True
        async with session(at) as work:
            await work.write("1", code("111111"), replaces=None)
            assert await work.read("1") == Known(code("111111"))
