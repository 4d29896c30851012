"""Who came in, from a log that reading takes away."""

from datetime import timedelta

import pytest

from drivers.ble.yale.settings import YaleLockSettings
from gateway.domain.driver import CodeUsed, LockEvent, LockUnreachable
from tests.ble_bed.virtual import in_virtual_time
from tests.ble_bed.yale.brain import Opcode
from tests.ble_bed.yale.lock import ADDRESS
from tests.yale.door import Door, door
from tests.yale.hub import Sink, known_lock, session


def somebody_lives_there(at: Door) -> None:
    """Give three people codes."""
    for slot, digits in ((1, "111111"), (2, "222222"), (3, "333333")):
        at.lock.memory.edit(slot, digits)


@in_virtual_time
async def test_an_opening_is_told_with_slot_and_time() -> None:
    """Whatever kind of record the lock makes of it. Other records tell nothing."""
    async with door() as at:
        somebody_lives_there(at)
        memory, sink = at.lock.memory, Sink()
        memory.master = "99999999"
        entered = at.clock.now().replace(microsecond=0)
        memory.enter("222222")
        memory.turn()
        memory.note_something_new()
        memory.enter("99999999")
        memory.enter_old_style(3)
        memory.enter_old_style(3, locking=True)
        async with session(at) as work:
            await work.read_log(sink)
        assert sink.events == [
            CodeUsed(device_id="door", slot="2", at=entered),
            CodeUsed(device_id="door", slot="3", at=entered),
        ]
        assert not memory.log


@in_virtual_time
async def test_a_record_is_stored_before_the_next_is_taken() -> None:
    """If storing fails, or the daemon dies, what was not handed on yet is still in the lock."""
    async with door() as at:
        somebody_lives_there(at)
        memory = at.lock.memory
        for digits in ("111111", "222222", "333333"):
            memory.enter(digits)
        left: list[int] = []

        async def store(_: LockEvent) -> None:
            left.append(len(memory.log))
            if len(left) == 2:
                raise OSError("disk full")

        async with session(at) as work:
            with pytest.raises(OSError, match="disk full"):
                await work.read_log(store)
        assert left == [2, 1]
        sink = Sink()
        async with session(at) as work:
            await work.read_log(sink)
        assert [event.slot for event in sink.events if isinstance(event, CodeUsed)] == ["3"]


@in_virtual_time
async def test_a_long_log_is_read_to_its_end() -> None:
    """The library reads 32 records at a time."""
    async with door() as at:
        somebody_lives_there(at)
        for _ in range(100):
            at.lock.memory.enter("111111")
        sink = Sink()
        async with session(at) as work:
            await work.read_log(sink)
        assert len(sink.events) == 100
        assert at.lock.peripheral.connections == 1


@pytest.mark.slow
@in_virtual_time
async def test_a_log_without_end_does_not_hold_the_adapter_for_ever() -> None:
    """What is left is read in the next session."""
    async with door() as at:
        somebody_lives_there(at)
        for _ in range(300):
            at.lock.memory.enter("111111")
        sink = Sink()
        for read in (256, 300):
            async with session(at) as work:
                await work.read_log(sink)
            assert len(sink.events) == read


@in_virtual_time
async def test_a_link_lost_while_reading_keeps_what_was_handed_on() -> None:
    """The record that was on its way is lost with the link: the lock has forgotten it."""
    async with door() as at:
        somebody_lives_there(at)
        at.lock.memory.enter("111111")
        at.lock.memory.enter("222222")
        sink = Sink()

        async def store(event: LockEvent) -> None:
            await sink(event)
            at.lock.brain.faults.lose_before.add(Opcode.ACTIVITY)

        async with session(at) as work:
            with pytest.raises(LockUnreachable):
                await work.read_log(store)
        at.lock.brain.faults.lose_before.clear()
        async with session(at) as work:
            await work.read_log(sink)
        assert [event.slot for event in sink.events if isinstance(event, CodeUsed)] == ["1", "2"]


@pytest.mark.parametrize("off", [timedelta(days=-3000), timedelta(hours=2)])
@in_virtual_time
async def test_the_time_of_a_wrong_clock_is_left_out(off: timedelta) -> None:
    """The hub cannot set the lock's clock: the library does not offer it."""
    async with door() as at:
        somebody_lives_there(at)
        at.lock.memory.now = lambda: at.clock.now() + off
        at.lock.memory.enter("111111")
        sink = Sink()
        async with session(at) as work:
            await work.read_log(sink)
        assert sink.events == [CodeUsed(device_id="door", slot="1")]


@in_virtual_time
async def test_a_log_left_to_the_vendors_app_is_not_touched() -> None:
    """Nor is it said that use is reported, and a bolt that moves is no reason to connect."""
    async with door() as at:
        somebody_lives_there(at)
        lock = known_lock(at, YaleLockSettings(address=ADDRESS, activity_log=False))
        at.lock.memory.enter("111111")
        sink = Sink()
        async with session(at, lock) as work:
            await work.read_log(sink)
        assert not sink.events
        assert len(at.lock.memory.log) == 1
        assert not lock.known().capabilities.reports_use
