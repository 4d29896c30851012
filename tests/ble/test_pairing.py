"""Pairing and unpairing."""

import asyncio

import pytest

from gateway.domain.driver import LockAlive, LockDead, LockSeen, LockUnreachable, PairingFailed
from tests.ble.running import DOORS, running
from tests.ble.tiny import PAIRING, configured, remembered, seen
from tests.ble_bed.virtual import in_virtual_time


async def nobody(_words: str, _seconds_left: float | None = None) -> None:
    """Listen to the words for people."""


@in_virtual_time
async def test_a_lock_is_managed_as_soon_as_it_is_paired() -> None:
    """Its secret is kept; the operator is told what to do."""
    words: list[str] = []

    async def tell(word: str, _seconds_left: float | None = None) -> None:
        words.append(word)

    async with running(paired=()) as run:
        assert run.driver.problems == {"front": "it is not paired yet"}
        with pytest.raises(LockUnreachable, match="not paired"):
            async with run.driver.session("front"):
                pass
        await run.doors["front"].advertise(PAIRING)
        await run.driver.pair("front", {}, tell)
        await asyncio.sleep(5)
        assert words == ["press the button"]
        assert run.keyring.secrets == {"front": DOORS["front"].encode()}
        assert run.driver.problems == {}
        assert run.sink.taken(LockSeen) == [remembered("front")]
        async with run.driver.session("front") as session:
            await session.read("1")


@in_virtual_time
async def test_a_lock_of_which_pairing_learned_nothing_is_asked_afterwards() -> None:
    """In a connection of the driver's own."""
    async with running(locks={"front": configured("front", is_known=False)}, paired=()) as run:
        await run.doors["front"].advertise(PAIRING)
        await run.driver.pair("front", {}, nobody)
        await asyncio.sleep(5)
        assert run.sink.taken(LockSeen) == [seen("front")]
        assert run.connects("front") == 1


@in_virtual_time
async def test_pairing_waits_for_its_turn_and_others_for_theirs() -> None:
    """While a lock in pairing mode is waited for, other locks are worked with."""
    async with running(("front", "back"), paired=("back",)) as run:
        pairing = asyncio.create_task(run.driver.pair("front", {}, nobody))
        await asyncio.sleep(1)
        async with run.driver.session("back") as session:
            await run.doors["front"].advertise(PAIRING)
            await asyncio.sleep(5)
            assert not pairing.done()
            await session.read("1")
        await pairing
        async with run.driver.session("back") as session:
            await session.read("1")


@in_virtual_time
async def test_devices_are_asked_for_all_they_say_only_while_one_is_looked_for() -> None:
    """Names often come only when asked for."""
    async with running(("front", "back"), paired=("back",)) as run:
        pairing = asyncio.create_task(run.driver.pair("front", {}, nobody))
        await asyncio.sleep(2)
        await run.doors["front"].advertise(PAIRING)
        await pairing
        await asyncio.sleep(2)
        assert run.air.modes == ["passive", "active", "passive"]


@in_virtual_time
async def test_a_lock_that_is_not_in_pairing_mode_is_not_found() -> None:
    """That ends after its time, and nothing is kept."""
    async with running(paired=()) as run:
        with pytest.raises(PairingFailed, match="5 s"):
            await run.driver.pair("front", {"seconds": "5"}, nobody)
        assert run.keyring.secrets == {}
        assert run.driver.problems == {"front": "it is not paired yet"}
        await run.doors["front"].advertise(PAIRING)
        await run.driver.pair("front", {}, nobody)


@in_virtual_time
async def test_without_an_adapter_nothing_is_paired() -> None:
    """It says why."""
    async with running(paired=(), plugged=False) as run:
        with pytest.raises(PairingFailed, match="no Bluetooth adapter"):
            await run.driver.pair("front", {}, nobody)
        with pytest.raises(PairingFailed, match="configured"):
            await run.driver.pair("cellar", {}, nobody)


@in_virtual_time
async def test_an_unpaired_lock_is_not_worked_with_any_more() -> None:
    """Its keys are gone, its connection ends."""
    async with running() as run:
        async with run.driver.session("front") as session:
            await session.read("1")
        await run.driver.unpair("front")
        assert not run.air.open_now
        assert run.keyring.secrets == {}
        await asyncio.sleep(1)
        assert LockDead(device_id="front") in run.sink.take()
        with pytest.raises(LockUnreachable, match="not paired"):
            async with run.driver.session("front"):
                pass
        with pytest.raises(PairingFailed, match="configured"):
            await run.driver.unpair("cellar")


@in_virtual_time
async def test_keys_that_make_no_sense_are_a_problem_of_that_lock_only() -> None:
    """The others are worked with."""
    async with running(("front", "back"), paired=("back",)) as run:
        run.keyring.secrets["front"] = b""
        await run.driver._keys.load(run.driver._locks["front"])
        assert run.driver.problems == {"front": "what is stored of its pairing cannot be used; pair it again"}
        async with run.driver.session("back") as session:
            await session.read("1")


@in_virtual_time
async def test_a_lock_paired_in_place_of_another_is_not_looked_for_where_that_one_hangs() -> None:
    """The old lock, heard a moment ago, is not offered the new one's keys: it would refuse them for good."""
    async with running(("front", "back"), paired=("front",)) as run:
        before = run.connects("front")
        await run.doors["back"].advertise(PAIRING)
        await run.driver.pair("front", {}, nobody)
        async with run.driver.session("front") as session:
            await session.read("1")
        assert (run.connects("front"), run.connects("back")) == (before, 1)


@in_virtual_time
async def test_nobody_waits_for_a_lock_that_is_being_paired() -> None:
    """A removal that is due is told to be late, and done as soon as the pairing has ended, well or not."""
    async with running() as run:
        await asyncio.sleep(5)
        pairing = asyncio.create_task(run.driver.pair("front", {}, nobody))
        await asyncio.sleep(1)
        run.sink.take()
        with pytest.raises(LockUnreachable, match="being paired"):
            async with asyncio.timeout(1), run.driver.session("front"):
                pass
        with pytest.raises(PairingFailed):
            await pairing
        await asyncio.sleep(1)
        assert run.sink.taken(LockAlive)
        async with run.driver.session("front") as session:
            await session.read("1")


@in_virtual_time
async def test_what_only_a_person_can_mend_is_told() -> None:
    """A family knows it of its lock."""
    door = configured("front", trouble="it refuses our keys: pair it again")
    async with running(locks={"front": door}) as run:
        assert run.driver.problems == {"front": "it refuses our keys: pair it again"}


@in_virtual_time
async def test_keys_that_cannot_be_stored_are_worked_with_and_stored_later() -> None:
    """The lock has them by now: nobody else could ever speak to it."""
    async with running(paired=()) as run:
        run.keyring.is_full = True
        await run.doors["front"].advertise(PAIRING)
        await run.driver.pair("front", {}, nobody)
        assert "disk full" in run.driver.problems["front"]
        async with run.driver.session("front") as session:
            await session.read("1")
        run.keyring.is_full = False
        await asyncio.sleep(60)
        assert run.keyring.secrets == {"front": DOORS["front"].encode()}
        assert run.driver.problems == {}


@pytest.mark.parametrize("paired", [(), ("front",)])
@in_virtual_time
async def test_keys_are_worked_with_and_stored_later_although_the_disk_cannot_be_read(
    paired: tuple[str, ...],
) -> None:
    """What was stored before the pairing cannot be known then, and is of no use any more."""
    async with running(paired=paired) as run:
        run.keyring.secrets.update(dict.fromkeys(paired, b"older"))
        await run.doors["front"].advertise(PAIRING)
        run.keyring.is_unreadable = True
        await run.driver.pair("front", {}, nobody)
        assert "disk full" in run.driver.problems["front"]
        async with run.driver.session("front") as session:
            await session.read("1")
        run.keyring.is_unreadable = False
        await asyncio.sleep(60)
        assert run.keyring.secrets == {"front": DOORS["front"].encode()}
        assert run.driver.problems == {}


@in_virtual_time
async def test_newer_keys_are_not_overwritten_by_those_that_waited() -> None:
    """The family has stored its own in the meantime, with all that it has learned."""
    async with running(paired=()) as run:
        run.keyring.is_full = True
        await run.doors["front"].advertise(PAIRING)
        await run.driver.pair("front", {}, nobody)
        run.keyring.is_full = False
        run.keyring.secrets["front"] = b"newer"
        await asyncio.sleep(60)
        assert run.keyring.secrets == {"front": b"newer"}
        assert run.driver.problems == {}


@in_virtual_time
async def test_one_lock_under_two_names_is_managed_under_the_first_only() -> None:
    """Each of them would clear what the other has set."""
    async with running(("front", "back")) as run:
        run.keyring.secrets["back"] = run.keyring.secrets["front"]
        await run.driver._keys.load(run.driver._locks["back"])
        assert "the same lock as front" in run.driver.problems["back"]
        with pytest.raises(LockUnreachable, match="same lock as front"):
            async with run.driver.session("back"):
                pass
        async with run.driver.session("front") as session:
            await session.read("1")
        await run.driver.unpair("front")
        assert run.driver.problems == {"front": "it is not paired yet"}


@in_virtual_time
async def test_a_lock_that_is_paired_under_another_name_is_not_paired_again() -> None:
    """It is said which one it is; the lock itself is not spoken to."""
    async with running(("front", "back"), paired=("front",)) as run:
        before = run.connects("front")
        await run.doors["front"].advertise(PAIRING)
        with pytest.raises(PairingFailed, match="front already"):
            await run.driver.pair("back", {"seconds": "5"}, nobody)
        assert run.connects("front") == before


@in_virtual_time
async def test_a_lock_in_place_of_another_is_asked_anew() -> None:
    """When the old one told its log and what it is says nothing of the new one."""
    async with running(("front", "back"), paired=("front",)) as run:
        async with run.driver.session("front"):
            pass
        await run.clock.sleep(1)  # nobody waits for what the driver asks in passing
        assert run.doors["front"].asked == ["who", "log"]
        await run.doors["back"].advertise(PAIRING)
        await run.driver.pair("front", {}, nobody)
        async with run.driver.session("front"):
            pass
        await run.clock.sleep(1)  # nobody waits for what the driver asks in passing
        assert run.doors["back"].asked == ["who", "log"]
