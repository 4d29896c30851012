"""A lock that is paired again: it may have been reset, and hold codes of others in slots that were ours."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from drivers.simulated.models import CHOOSER, READABLE, Model
from gateway.domain.driver import AuthorityUp, NoAnswer
from gateway.domain.pin import Pin
from gateway.domain.placement import Former
from gateway.domain.store import StorageFailed, Tx
from gateway.engine.doubt import doubt
from gateway.engine.mutations import instant
from gateway.engine.plan import ClearSlot, ReadSlot
from gateway.engine.planner import plan
from gateway.engine.readings import absorb_reading
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON, TIMING, known, slot, view
from tests.engine.conftest import Hang
from tests.engine.pairing_bed import KEYS, BrokeOff, PairingDriver, attempt, unpaired
from tests.engine.working import working

GUESTS, FAMILY = ("471134", "471135"), ("864213", "864214")
BOTH = pytest.mark.parametrize("model", [READABLE, CHOOSER], ids=lambda m: m.name)


@asynccontextmanager
async def hub(model: Model) -> AsyncIterator[tuple[Bench, PairingDriver]]:
    """Pair a hub with a lock, and let two guests' codes settle on it; one of them leaves in a day."""
    async with unpaired(model) as (bench, driver):
        await attempt(bench, await bench.do("devices/pair", device_id=DOOR))
        await bench.engine.handle(bench.seen())
        await bench.settle()
        await bench.create(GUESTS[0])
        await bench.create(GUESTS[1], ends_at=instant(NOON + DAY))
        await bench.settle(HOUR)
        assert set(bench.on_lock().values()) == set(GUESTS)
        bench.events()
        driver.operations.clear()
        yield bench, driver


def reset(bench: Bench) -> list[str]:
    """Take everything off the lock; return the slots that were taken."""
    slots = sorted(bench.on_lock())
    bench.lock.delete_all()
    bench.lock.next_id = int(slots[0])
    return slots


def moved_in(bench: Bench, slots: list[str]) -> None:
    """Let others add codes, which get these slots."""
    chooses = bench.lock.model.capabilities.lock_chooses_slot
    for ref, pin in zip(slots, FAMILY, strict=True):
        assert bench.by_hand(None if chooses else ref, pin) == ref


async def pair_again(bench: Bench, **given: str) -> None:
    """Pair the lock that is known already."""
    await attempt(bench, await bench.do("devices/pair", device_id=DOOR, given=given))
    await bench.engine.handle(bench.seen())


@BOTH
async def test_codes_of_others_in_slots_that_were_ours_before_a_reset_stay(model: Model) -> None:
    """The same lock, the same slots, other people: the guests get other slots."""
    async with hub(model) as (bench, _):
        moved_in(bench, reset(bench))
        await pair_again(bench)
        await bench.settle(HOUR)
        assert set(bench.on_lock().values()) == {*FAMILY, *GUESTS}
        assert bench.issues() == set()
        told = bench.events()
        assert told.count("access_code.unmanaged.created") == len(FAMILY)
        assert "access_code.modified_external_to_gateway" not in told


@BOTH
async def test_the_end_of_a_code_takes_nobody_else_s_off(model: Model) -> None:
    """Its slot is looked at first, also where the hub comes to that long after the reset."""
    async with hub(model) as (bench, driver):
        moved_in(bench, reset(bench))
        driver.failure = BrokeOff("its keys are kept")
        await pair_again(bench)
        bench.clock.pass_by(2 * DAY)
        await bench.settle(HOUR)
        assert set(bench.on_lock().values()) == {*FAMILY, GUESTS[0]}


@BOTH
async def test_a_code_that_comes_while_the_hub_looks_again_stays(model: Model) -> None:
    """One look showed the slot empty. That made it nobody's, not ours."""
    async with hub(model) as (bench, _):
        slots = reset(bench)
        await pair_again(bench)
        await bench.settle()
        moved_in(bench, slots)
        await bench.settle(HOUR)
        assert set(bench.on_lock().values()) == {*FAMILY, *GUESTS}


@BOTH
@pytest.mark.parametrize("given", [{}, {"keep_keys": "yes"}], ids=["anew", "the PIN alone"])
async def test_what_is_still_there_is_looked_at_and_not_written(model: Model, given: dict[str, str]) -> None:
    """Each slot that may be ours is read once, a lock that chooses its slots is listed once."""
    async with hub(model) as (bench, driver):
        before = bench.on_lock()
        await pair_again(bench, **given)
        await bench.settle(HOUR)
        assert bench.on_lock() == before
        done = driver.taken()
        assert {kind for kind, _ in done} <= {"read", "list", "probe"}
        looks = [look for look in done if look[0] != "probe"]
        assert len(looks) == len(set(looks))
        assert bench.events() == ["device.pairing_progress", "device.pairing_progress", "device.paired"]


@BOTH
async def test_another_security_pin_leaves_no_doubt(model: Model) -> None:
    """The keys are those from before, so the lock was not reset."""
    async with hub(model) as (bench, _):
        await pair_again(bench, keep_keys="yes")
        assert not any(placement.doubted for placement in bench.snap().placements.values())


@BOTH
async def test_a_code_that_somebody_disabled_meanwhile_is_put_right(model: Model) -> None:
    """It has our PIN: it is no code of others."""
    async with hub(model) as (bench, _):
        before = bench.on_lock()
        for ref, pin in before.items():
            bench.by_hand(ref, pin, enabled=False)
        await pair_again(bench)
        await bench.settle(HOUR)
        assert bench.on_lock() == before
        assert all(credential.enabled for credential in bench.lock.slots.values())
        assert "access_code.unmanaged.created" not in bench.events()


@BOTH
async def test_a_hub_that_died_before_it_noted_the_new_keys_looks_first_too(model: Model) -> None:
    """They are in the vault by then, so the lock is reached."""
    async with hub(model) as (bench, driver):
        moved_in(bench, reset(bench))
        driver.go_on.clear()
        await bench.do("devices/pair", device_id=DOOR)
        await driver.keyring.save(DOOR, KEYS)
        bench.boot()
        await bench.engine.start()
        await bench.engine.handle(AuthorityUp(device_ids=(DOOR,)))
        await bench.engine.handle(bench.seen())
        await bench.settle(HOUR)
        assert set(bench.on_lock().values()) == {*FAMILY, *GUESTS}


async def test_a_start_that_breaks_off_forgets_no_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full after its first unit; the next start finds no pairing that was cut off."""
    async with hub(READABLE) as (bench, driver):
        moved_in(bench, reset(bench))
        driver.go_on.clear()
        await bench.do("devices/pair", device_id=DOOR)
        await driver.keyring.save(DOOR, KEYS)
        bench.boot()
        run, units = bench.store.run, []

        async def fills_up[T](unit: Callable[[Tx], T]) -> T:
            units.append(unit)
            if len(units) > 1:
                raise StorageFailed("the disk is full")
            return await run(unit)

        with monkeypatch.context() as full:
            full.setattr(bench.store, "run", fills_up)
            with suppress(StorageFailed):
                await bench.engine.start()
        bench.boot()
        await bench.engine.start()
        await bench.engine.handle(AuthorityUp(device_ids=(DOOR,)))
        await bench.engine.handle(bench.seen())
        await bench.settle(2 * DAY)
        assert set(bench.on_lock().values()) == {*FAMILY, GUESTS[0]}


def test_what_a_command_wanted_deleted_is_not_what_came_into_its_slot() -> None:
    """The reading from before says which code was meant."""
    work = working(slot("20", known("4711"), unmanaged_id="theirs", doomed_at=NOON - MINUTE))
    doubt(work)
    absorb_reading(work, "20", known("9999"))
    assert work.slot("20").doomed_at is None


@pytest.mark.parametrize(("pin", "clears"), [("4711", True), ("9999", False)])
def test_what_came_back_of_our_own_is_cleared_while_it_is_that(pin: str, *, clears: bool) -> None:
    """A removed code had shown up again, and the lock was reset before it was cleared."""
    former = Former(pin=Pin("4711"), removed_at=NOON - HOUR)
    work = working(slot("20", known("4711"), ghost=True, former=former))
    doubt(work)
    assert isinstance(plan(work.snapshot(), view(), TIMING).steps[0], ReadSlot)
    absorb_reading(work, "20", known(pin))
    planned = plan(work.snapshot(), view(), TIMING).steps
    assert any(isinstance(step, ClearSlot) for step in planned) is clears


async def test_a_slot_that_does_not_answer_is_not_cleared_unseen(hang: Hang) -> None:
    """Else it would be: it is ours as far as anybody knows, which is not so here."""
    bench = await hang(READABLE)
    await bench.create(GUESTS[0], ends_at=instant(NOON + DAY))
    await bench.settle(HOUR)
    [ref] = bench.on_lock()
    bench.lock.delete_all()
    bench.by_hand(ref, FAMILY[0])
    await bench.engine.shop.turn(DOOR, absorb=doubt)
    bench.clock.pass_by(DAY)
    bench.driver.faults = [("before", NoAnswer("nothing came"))]
    await bench.settle()
    assert bench.on_lock() == {ref: FAMILY[0]}
    await bench.settle(HOUR)
    assert bench.on_lock() == {ref: FAMILY[0]}
    assert "access_code.unmanaged.created" in bench.events()
