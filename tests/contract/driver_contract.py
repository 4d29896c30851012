"""What every driver must do with every kind of lock.

A test module derives a class from `DriverContract` and gives it a fixture `bench`: an empty lock behind a
running driver. What the lock says it cannot do is left out.
"""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.credential import Credential, Empty, Evidence, Known, Reading, Schedule, WeeklyWindow
from gateway.domain.driver import DriverError, Refused
from gateway.domain.lock import NativeWindows, Readback
from gateway.domain.pin import Pin
from gateway.domain.placement import Refusal
from tests.contract.bench import Bench

STARTS = datetime(2031, 7, 1, 15, 0, tzinfo=UTC)
STAY = Schedule(starts_at=STARTS, ends_at=STARTS + timedelta(days=3, minutes=45))


def shows(bench: Bench, reading: Reading | None, credential: Credential) -> bool:
    """Say whether a reading is what this lock shows of a credential."""
    if isinstance(reading, Known):
        granularity = bench.capabilities.schedule_granularity
        return bench.shows_digits and reading.credential.same_access(credential, granularity)
    return reading is not None and not isinstance(reading, Empty) and not bench.shows_digits


class DriverContract:
    """The tests; not collected by themselves."""

    async def test_a_written_code_is_on_the_lock(self, bench: Bench) -> None:
        """The PIN stands in the slot that the outcome names, and nowhere else."""
        (pin,) = bench.pins(1)
        slot = await bench.write(0, Credential(pin=pin))
        assert slot == (bench.place(0) or slot)
        assert await bench.at_the_lock.codes() == {slot: pin}

    async def test_a_written_code_is_read_back(self, bench: Bench) -> None:
        """A look at the slot shows the code, or that it is taken where digits are hidden."""
        bench.needs_readings()
        credential = Credential(pin=bench.pins(1)[0])
        async with bench.driver.session(bench.device_id) as session:
            written = await session.write(bench.place(0), credential, replaces=None)
            assert shows(bench, await session.read(written.slot), credential)

    async def test_an_outcome_claims_no_more_than_is_known(self, bench: Bench) -> None:
        """Without a look at the slot a write is accepted at best; the look, if taken, shows the code."""
        credential = Credential(pin=bench.pins(1)[0])
        async with bench.driver.session(bench.device_id) as session:
            written = await session.write(bench.place(0), credential, replaces=None)
        if written.reading is None:
            assert written.evidence <= Evidence.ACCEPTED
        else:
            assert bench.capabilities.readback is Readback.DIGITS
            assert shows(bench, written.reading, credential)

    async def test_an_overwritten_slot_holds_the_new_code_only(self, bench: Bench) -> None:
        """The old PIN is gone from the lock."""
        old, new = bench.pins(2)
        slot = await bench.write(0, Credential(pin=old))
        async with bench.driver.session(bench.device_id) as session:
            written = await session.write(slot, Credential(pin=new), replaces=Credential(pin=old))
        assert written.slot == slot
        assert await bench.at_the_lock.codes() == {slot: new}

    async def test_writing_the_same_again_changes_nothing(self, bench: Bench) -> None:
        """It is no duplicate of itself, and takes no second slot."""
        credential = Credential(pin=bench.pins(1)[0])
        slot = await bench.write(0, credential)
        async with bench.driver.session(bench.device_id) as session:
            await session.write(slot, credential, replaces=credential)
        assert await bench.at_the_lock.codes() == {slot: credential.pin}

    async def test_a_cleared_slot_is_empty(self, bench: Bench) -> None:
        """The PIN is gone, its neighbour stays."""
        gone, stays = (Credential(pin=pin) for pin in bench.pins(2))
        slot, neighbour = await bench.write(0, gone), await bench.write(1, stays)
        async with bench.driver.session(bench.device_id) as session:
            await session.clear(slot, holds=gone)
            if bench.capabilities.readback is not Readback.NONE:
                assert await session.read(slot) == Empty()
        assert await bench.at_the_lock.codes() == {neighbour: stays.pin}

    async def test_clearing_twice_is_no_error(self, bench: Bench) -> None:
        """After a lost answer the hub clears again."""
        credential = Credential(pin=bench.pins(1)[0])
        slot = await bench.write(0, credential)
        async with bench.driver.session(bench.device_id) as session:
            await session.clear(slot, holds=credential)
            written = await session.clear(slot, holds=credential)
        assert written.slot == slot
        assert await bench.at_the_lock.codes() == {}

    async def test_a_duplicate_is_refused_and_the_slot_stays_empty(self, bench: Bench) -> None:
        """The error says why, and never the digits."""
        bench.needs(bench.refuses_duplicates, "check for duplicates")
        (pin,) = bench.pins(1)
        slot = await bench.write(0, Credential(pin=pin))
        with pytest.raises(Refused) as refused:
            await bench.write(1, Credential(pin=pin))
        assert refused.value.reason is Refusal.DUPLICATE
        assert pin.reveal() not in str(refused.value)
        assert await bench.at_the_lock.codes() == {slot: pin}

    async def test_a_refused_duplicate_leaves_the_old_code(self, bench: Bench) -> None:
        """A slot that is overwritten with a PIN of another slot keeps what it had."""
        bench.needs(bench.refuses_duplicates, "check for duplicates")
        first, second = bench.pins(2)
        slot, other = (
            await bench.write(0, Credential(pin=first)),
            await bench.write(1, Credential(pin=second)),
        )
        async with bench.driver.session(bench.device_id) as session:
            with pytest.raises(Refused):
                await session.write(other, Credential(pin=first), replaces=Credential(pin=second))
        assert await bench.at_the_lock.codes() == {slot: first, other: second}

    async def test_a_code_of_somebody_else_is_a_duplicate_too(self, bench: Bench) -> None:
        """The lock compares with all slots, not only with those of the hub."""
        bench.needs(bench.refuses_duplicates, "check for duplicates")
        (pin,) = bench.pins(1)
        slots = bench.capabilities.slots
        theirs = await bench.at_the_lock.set_code(slots[0] if slots else None, pin)
        with pytest.raises(Refused) as refused:
            await bench.write(0, Credential(pin=pin))
        assert refused.value.reason is Refusal.DUPLICATE
        assert await bench.at_the_lock.codes() == {theirs: pin}

    async def test_a_pin_of_the_wrong_length_is_refused_for_good(self, bench: Bench) -> None:
        """Nothing is stored, cut or padded."""
        too_long = Pin("7" + "4" * max(bench.capabilities.pin_rules.lengths))
        with pytest.raises(Refused) as refused:
            await bench.write(0, Credential(pin=too_long))
        assert refused.value.reason is Refusal.FORMAT
        assert too_long.reveal() not in str(refused.value)
        assert await bench.at_the_lock.codes() == {}

    async def test_a_slot_that_the_lock_does_not_have_is_refused(self, bench: Bench) -> None:
        """Writing to it stores nothing anywhere."""
        slots = bench.capabilities.slots
        beyond = str(int(slots[-1]) + 1) if slots else "4711"
        async with bench.driver.session(bench.device_id) as session:
            with pytest.raises(Refused):
                await session.write(beyond, Credential(pin=bench.pins(1)[0]), replaces=None)
        assert await bench.at_the_lock.codes() == {}

    async def test_what_somebody_else_did_is_what_is_read(self, bench: Bench) -> None:
        """A reading comes from the lock, not from what the hub wrote last."""
        bench.needs_readings()
        ours, theirs = (Credential(pin=pin) for pin in bench.pins(2))
        slot = await bench.write(0, ours)
        await bench.at_the_lock.set_code(slot, theirs.pin)
        async with bench.driver.session(bench.device_id) as session:
            assert shows(bench, await session.read(slot), theirs)
        await bench.at_the_lock.delete(slot)
        async with bench.driver.session(bench.device_id) as session:
            assert await session.read(slot) == Empty()

    async def test_a_lock_that_chooses_lists_what_it_holds(self, bench: Bench) -> None:
        """Every taken slot and no other, codes of other people included."""
        bench.needs(bench.capabilities.lock_chooses_slot, "choice of slots")
        first, second, third = bench.pins(3)
        ours = [await bench.write(number, Credential(pin=pin)) for number, pin in enumerate((first, second))]
        theirs = await bench.at_the_lock.set_code(None, third)
        async with bench.driver.session(bench.device_id) as session:
            await session.clear(ours[0], holds=Credential(pin=first))
            listed = await session.read_all()
        assert set(listed) == {ours[1], theirs}
        assert shows(bench, listed[ours[1]], Credential(pin=second))
        assert shows(bench, listed[theirs], Credential(pin=third))

    async def test_a_full_lock_that_chooses_says_so(self, bench: Bench) -> None:
        """What it holds stays."""
        bench.needs(bench.capabilities.lock_chooses_slot, "choice of slots")
        *fit, too_many = bench.pins(bench.capabilities.max_codes + 1)
        held = {await bench.write(number, Credential(pin=pin)): pin for number, pin in enumerate(fit)}
        with pytest.raises(Refused) as refused:
            await bench.write(len(fit), Credential(pin=too_many))
        assert refused.value.reason is Refusal.FULL
        assert await bench.at_the_lock.codes() == held

    async def test_the_checksum_follows_the_content(self, bench: Bench) -> None:
        """It changes with every edit, not with looks, and comes back with the content."""
        bench.needs(bench.capabilities.probe, "checksum")
        ours, theirs = bench.pins(2)
        async with bench.driver.session(bench.device_id) as session:
            empty = await session.probe()
        slot = await bench.write(0, Credential(pin=ours))
        async with bench.driver.session(bench.device_id) as session:
            written = await session.probe()
            await session.read(slot)
            assert await session.probe() == written
        await bench.at_the_lock.set_code(slot, theirs)
        async with bench.driver.session(bench.device_id) as session:
            edited = await session.probe()
            await session.clear(slot, holds=None)
            assert await session.probe() == empty
        assert len({empty, written, edited}) == 3

    async def test_dates_are_kept(self, bench: Bench) -> None:
        """Both ends of the window come back as exactly as the lock keeps times, and can be taken off."""
        can = bench.capabilities
        bench.needs(can.native_windows is not NativeWindows.NONE or can.fence is not None, "schedules")
        await self._kept(bench, Credential(pin=bench.pins(1)[0], schedule=STAY))

    async def test_weekdays_are_kept(self, bench: Bench) -> None:
        """Days and hours come back."""
        kinds = {NativeWindows.DATES_OR_WEEKDAYS, NativeWindows.DATES_AND_WEEKDAYS}
        bench.needs(bench.capabilities.native_windows in kinds, "weekdays")
        mornings = WeeklyWindow(weekdays=(0, 3), from_minute=8 * 60, until_minute=11 * 60 + 30)
        await self._kept(bench, Credential(pin=bench.pins(1)[0], schedule=Schedule(weekly=(mornings,))))

    async def test_a_code_can_stay_on_the_lock_disabled(self, bench: Bench) -> None:
        """A staged code is there and does not open; enabling it is a write like any other."""
        bench.needs(bench.capabilities.disabled_status, "disabled codes")
        await self._kept(bench, Credential(pin=bench.pins(1)[0], enabled=False))

    async def test_names_are_kept_as_far_as_they_fit(self, bench: Bench) -> None:
        """A name that just fits comes back whole."""
        bench.needs(bench.capabilities.name_length, "names")
        name = ("Cleaner, first floor " * 9)[: bench.capabilities.name_length].strip()
        async with bench.driver.session(bench.device_id) as session:
            credential = Credential(pin=bench.pins(1)[0], name=name)
            written = await session.write(bench.place(0), credential, replaces=None)
            assert await session.read(written.slot) == Known(credential)

    async def test_a_lock_that_nobody_knows_raises_a_driver_error(self, bench: Bench) -> None:
        """The engine handles nothing else."""
        with pytest.raises(DriverError):
            async with bench.driver.session("nobody-knows-this-lock"):
                pass

    async def _kept(self, bench: Bench, special: Credential) -> None:
        """Write a special credential, then the plain one over it; both are read back."""
        plain = Credential(pin=special.pin)
        async with bench.driver.session(bench.device_id) as session:
            written = await session.write(bench.place(0), special, replaces=None)
            assert shows(bench, await session.read(written.slot), special)
            await session.write(written.slot, plain, replaces=special)
            assert shows(bench, await session.read(written.slot), plain)
