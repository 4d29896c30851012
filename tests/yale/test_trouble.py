"""The link breaks, answers get lost, spoilt or late: what is told is what is true."""

import asyncio

import pytest
from yalexs_ble.const import OperationError

from drivers.ble.family import LockSession
from drivers.ble.yale.lock import YaleLock
from gateway.domain.credential import Empty, Known
from gateway.domain.driver import LockUnreachable, NoAnswer, Refused
from tests.ble_bed.virtual import LONG_S, in_virtual_time
from tests.ble_bed.yale.brain import Faults, Opcode
from tests.yale.door import Door, door
from tests.yale.hub import Sink, code, known_lock, session

WRITING = (Opcode.GET, Opcode.CLEAR, Opcode.SET, Opcode.ACCESS, Opcode.COMMIT)


def faults(kind: str, opcode: Opcode) -> Faults:
    """Return one fault at one command."""
    faults = Faults()
    getattr(faults, kind).add(opcode)
    return faults


async def write(work: LockSession) -> None:
    """Put a code into slot 1, which may hold another."""
    await work.write("1", code("222222"), replaces=None)


@pytest.mark.parametrize("opcode", WRITING)
@pytest.mark.parametrize("kind", ["lose_before", "lose_after"])
@in_virtual_time
async def test_a_link_lost_in_the_middle_of_a_write(kind: str, opcode: Opcode) -> None:
    """It may have been applied; the next session finds out, and the write can be made again."""
    async with door() as at:
        at.lock.memory.edit(1, "111111")
        at.lock.brain.faults = faults(kind, opcode)
        async with session(at) as work:
            with pytest.raises(LockUnreachable) as lost:
                await write(work)
            assert lost.value.may_have_been_applied
            with pytest.raises(LockUnreachable):
                await work.read("1")
        held = at.lock.memory.content().get(1)
        assert held in {"111111", None, "222222"}
        async with session(at) as work:
            assert await work.read("1") == (Empty() if held is None else Known(code(held)))
            await write(work)
        assert at.lock.memory.content() == {1: "222222"}
        assert at.lock.peripheral.connections == 2


@in_virtual_time
async def test_a_link_that_stands_at_the_second_attempt_is_worked_with() -> None:
    """The end of the first attempt is not taken for its end; its own end is told as ever."""
    async with door() as at:
        at.lock.peripheral.lose_at_once = 1
        async with session(at) as work:
            await write(work)
            lost = work.lost()
            assert lost is not None
            assert not lost.is_set()
            await at.lock.peripheral.drop()
            await lost.wait()
            with pytest.raises(LockUnreachable):
                await work.read("1")
        assert at.lock.memory.content() == {1: "222222"}
        assert at.lock.peripheral.connections == 2


@pytest.mark.parametrize("kind", ["lose_before", "lose_after"])
@pytest.mark.parametrize("opcode", [Opcode.CLEAR, Opcode.GET])
@in_virtual_time
async def test_a_link_lost_in_the_middle_of_a_removal(kind: str, opcode: Opcode) -> None:
    """A removal that the lock acknowledged is one, even where the look at it afterwards failed."""
    async with door() as at:
        at.lock.memory.edit(1, "111111")
        at.lock.brain.faults = faults(kind, opcode)
        async with session(at) as work:
            if opcode is Opcode.CLEAR:
                with pytest.raises(LockUnreachable):
                    await work.clear("1", holds=None)
            else:
                assert (await work.clear("1", holds=None)).reading is None
        async with session(at) as work:
            await work.clear("1", holds=None)
        assert at.lock.memory.content() == {}


@pytest.mark.parametrize("opcode", WRITING)
@pytest.mark.parametrize("kind", ["say_nothing", "garble"])
@in_virtual_time
async def test_an_answer_that_does_not_come_ends_the_session(kind: str, opcode: Opcode) -> None:
    """Nothing is repeated over a connection whose ciphers may be out of step."""
    async with door() as at:
        at.lock.brain.faults = faults(kind, opcode)
        async with session(at) as work:
            with pytest.raises(NoAnswer) as lost:
                await write(work)
            assert lost.value.may_have_been_applied
            told = len(at.lock.brain.heard)
            with pytest.raises(LockUnreachable):
                await work.read("1")
            assert len(at.lock.brain.heard) == told
        assert at.air.open_now == {}
        async with session(at) as work:
            await write(work)
        assert at.lock.memory.content() == {1: "222222"}


@in_virtual_time
async def test_late_answers_are_waited_for() -> None:
    """Up to ten seconds."""
    async with door() as at:
        at.lock.peripheral.weather.delay_s = 2.0
        async with session(at) as work:
            await write(work)
        assert at.lock.memory.content() == {1: "222222"}


@in_virtual_time
async def test_answers_that_come_twice_confuse_nobody() -> None:
    """The second one is of no use to anybody, and is dropped."""
    async with door() as at:
        at.lock.brain.acknowledges = False
        at.lock.peripheral.weather.doubled = True
        at.lock.memory.edit(2, "333333")
        at.lock.memory.enter("333333")
        sink = Sink()
        async with session(at) as work:
            await write(work)
            await work.read_log(sink)
            assert (await work.describe()).battery is not None
        assert len(sink.events) == 1
        assert at.lock.memory.content() == {1: "222222", 2: "333333"}


@in_virtual_time
async def test_an_acknowledgement_that_comes_twice_costs_the_connection_at_most() -> None:
    """The library takes the second one for a spoilt answer. That is told, and the next session works."""
    async with door() as at:
        at.lock.peripheral.weather.doubled = True
        async with session(at) as work:
            with pytest.raises(NoAnswer):
                await write(work)
        at.lock.peripheral.weather.doubled = False
        async with session(at) as work:
            await write(work)
        assert at.lock.memory.content() == {1: "222222"}


@pytest.mark.parametrize("writes", range(4))
@in_virtual_time
async def test_a_link_lost_while_connecting(writes: int) -> None:
    """During the agreement on a key, or at the first command: the lock is not reached, and free again."""
    async with door() as at:
        at.lock.peripheral.lose_after = writes
        lock = known_lock(at)
        with pytest.raises(LockUnreachable):
            await _look_twice(at, lock)
        assert at.air.open_now == {}
        async with session(at, lock) as work:
            assert await work.read("1") == Empty()


@pytest.mark.parametrize("writes", range(4))
@in_virtual_time
async def test_links_lost_while_connecting_are_no_refusal_of_the_key(writes: int) -> None:
    """However often: a lock at the edge of reach is not left alone until somebody asks."""
    async with door() as at:
        lock = known_lock(at)
        for _ in range(6):
            at.lock.peripheral.lose_after = writes
            with pytest.raises(LockUnreachable):
                await _look_twice(at, lock)
            assert lock.held_off() is None
        async with session(at, lock) as work:
            assert await work.read("1") == Empty()


@in_virtual_time
async def test_a_lock_that_is_away_is_given_up() -> None:
    """In the time that is set for it."""
    async with door() as at:
        await at.lock.peripheral.hide()
        began = at.clock.boot()
        with pytest.raises(LockUnreachable):
            async with session(at):
                pass
        assert at.clock.boot() - began <= 45


@in_virtual_time
async def test_a_lock_that_says_nothing_is_given_up() -> None:
    """It connects and does not answer; hanging up does not wait for it for long."""
    async with door() as at:
        at.lock.peripheral.weather.mute = True
        began = at.clock.boot()
        with pytest.raises(LockUnreachable):
            async with session(at):
                pass
        assert at.clock.boot() - began <= 50
        assert at.air.open_now == {}


@in_virtual_time
async def test_work_that_is_stopped_hangs_up() -> None:
    """The daemon ends in the middle of an operation."""
    async with door() as at:
        at.lock.peripheral.weather.delay_s = 4.0
        working = asyncio.ensure_future(_work(at))
        await asyncio.sleep(32)
        assert at.air.open_now
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        assert at.air.open_now == {}


async def _work(at: Door) -> None:
    async with session(at) as work:
        while True:
            await work.read("1")


async def _look_twice(at: Door, lock: YaleLock) -> None:
    async with session(at, lock) as work:
        await work.read("1")
        await work.read("2")


async def _refused(at: Door, lock: YaleLock) -> str:
    """Write a code, which is refused; return why."""
    with pytest.raises(Refused) as refusal:
        async with session(at, lock) as work:
            await write(work)
    return str(refusal.value)


@pytest.mark.parametrize("opcode", [Opcode.GET, Opcode.CLEAR, Opcode.SET])
@in_virtual_time
async def test_a_key_that_may_not_manage_codes_is_not_offered_on_and_on(opcode: Opcode) -> None:
    """The key of a guest: refused once, it is not offered again before a person asks for that."""
    async with door() as at:
        lock = known_lock(at)
        assert lock.trouble() is None
        at.lock.brain.faults.refuse = {opcode: OperationError.NOT_AUTHORIZED}
        assert "does not let this key" in await _refused(at, lock)
        before = dict(at.air.connects)
        await at.lock.peripheral.hide()
        await asyncio.sleep(LONG_S)
        await at.lock.advertise()
        assert "does not let this key" in await _refused(at, lock)
        assert at.air.connects == before
        assert "does not let this key" in (lock.trouble() or "")
        assert "locks sync" in (lock.trouble() or "")
        assert lock.refusal() == lock.trouble()
        lock.ask_again()
        assert lock.trouble() is None
        async with session(at, lock) as work:
            await write(work)
        at.lock.memory.erase(1)
        at.lock.brain.faults.refuse = {opcode: OperationError.NOT_AUTHORIZED}
        await _refused(at, lock)
        assert "does not let this key" in (lock.trouble() or "")


@in_virtual_time
async def test_a_batch_of_codes_is_no_batch_of_refusals() -> None:
    """Nothing more is sent in the same connection either."""
    async with door() as at, session(at) as work:
        for _ in range(4):
            at.lock.brain.faults.refuse = {Opcode.CLEAR: OperationError.NOT_AUTHORIZED}
            with pytest.raises(Refused, match="does not let this key"):
                await work.clear("1", holds=None)
        assert at.lock.brain.heard.count(Opcode.CLEAR) == 1


@in_virtual_time
async def test_an_audit_is_no_batch_of_refusals() -> None:
    """It reads slot after slot; what was refused for one is not asked for the next."""
    async with door() as at, session(at) as work:
        for slot in "123":
            at.lock.brain.faults.refuse = {Opcode.GET: OperationError.NOT_AUTHORIZED}
            with pytest.raises(Refused, match="does not let this key"):
                await work.read(slot)
        assert at.lock.brain.heard.count(Opcode.GET) == 1


@in_virtual_time
async def test_what_a_key_may_not_store_is_not_put_back_either() -> None:
    """That would be the refused command once more. Whether the code before is there is not known then."""
    async with door() as at, session(at) as work:
        at.lock.memory.edit(1, "111111")
        at.lock.brain.faults.refuse = {Opcode.SET: OperationError.NOT_AUTHORIZED}
        with pytest.raises(NoAnswer):
            await write(work)
        heard = at.lock.brain.heard
        assert (heard.count(Opcode.CLEAR), heard.count(Opcode.SET)) == (1, 1)
        with pytest.raises(Refused, match="does not let this key"):
            await write(work)
