"""A lock that changes no code in place: a new one is stored, then the old deleted."""

import pytest

from gateway.domain.credential import Known
from gateway.domain.driver import CodeUsed, DriverError
from tests.ble_bed.virtual import in_virtual_time
from tests.ttlock.home import home, wanted, without_modify
from tests.ttlock.test_ttlock_log import read_log


@in_virtual_time
async def test_a_change_in_two_steps_that_broke_shows_the_old_code_until_it_is_ended() -> None:
    """So that the engine ends it. Deleting ends it too, both codes at once."""
    async with home(change=without_modify) as at:
        async with at.session() as session:
            slots = [(await session.write(None, wanted(old), replaces=None)).slot for old in ("4711", "1234")]
        await at.quiet()
        for slot, old, new in [(slots[0], "4711", "815815"), (slots[1], "1234", "5678")]:
            at.on_air.lose_before_answer_to = 0x03
            with pytest.raises(DriverError):
                async with at.session() as session:
                    await session.write(slot, wanted(new), replaces=wanted(old))
            assert at.on_air.lose_before_answer_to is None, "the link held"
        assert at.pins() == ["1234", "4711", "5678", "815815"]
        await at.restart()
        async with at.running(), at.session() as session:
            readings = await session.read_all()
            assert dict(readings) == dict(zip(slots, map(Known, map(wanted, ("4711", "1234"))), strict=True))
            await session.write(slots[0], wanted("815815"), replaces=wanted("4711"))
            # The other change may be undone by now.
            assert at.pins() in (["1234", "5678", "815815"], ["1234", "815815"])
            await session.clear(slots[1], holds=wanted("1234"))
            assert at.pins() == ["815815"]


@in_virtual_time
async def test_a_change_in_two_steps_that_broke_and_was_taken_back_leaves_nothing() -> None:
    """The new PIN is seen under no name, and would open the door for as long as the old one does."""
    async with home(change=without_modify) as at:
        async with at.session() as session:
            slot = (await session.write(None, wanted("4711"), replaces=None)).slot
        at.on_air.lose_before_answer_to = 0x03
        with pytest.raises(DriverError):
            async with at.session() as session:
                await session.write(slot, wanted("815815"), replaces=wanted("4711"))
        assert at.pins() == ["4711", "815815"]
        async with at.session() as session:
            assert await session.read(slot) == Known(wanted("4711"))
        await read_log(at)
        assert at.pins() == ["4711"]
        async with at.session() as session:
            assert await session.read_all() == {slot: Known(wanted("4711"))}
            await session.write(slot, wanted("815815"), replaces=wanted("4711"))
        assert at.pins() == ["815815"]


@in_virtual_time
async def test_the_log_is_read_although_half_a_change_cannot_be_undone() -> None:
    """The lock refuses to let go of it: who came in matters all the same."""
    async with home(change=without_modify) as at:
        async with at.session() as session:
            slot = (await session.write(None, wanted("4711"), replaces=None)).slot
        await read_log(at)
        at.on_air.lose_before_answer_to = 0x03
        with pytest.raises(DriverError):
            async with at.session() as session:
                await session.write(slot, wanted("815815"), replaces=wanted("4711"))
        at.lock.faults.refuses = frozenset({0x03})
        assert at.lock.type_in("4711")
        assert CodeUsed in [type(event) for event in await read_log(at)]
