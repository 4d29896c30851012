"""Codes of ours that another controller exchanged on the lock: every PIN is there, in the slot of another."""

import pytest
from msgspec.structs import replace

from drivers.simulated.models import CHOOSER, NATIVE, READABLE, Model
from gateway.domain.credential import Empty
from gateway.domain.driver import CodeUsed, SlotTouched
from gateway.engine.readings import absorb_reading
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, MINUTE, Fact, code, held, intent, known, slot
from tests.engine.conftest import Hang
from tests.engine.working import working

PINS = ["471134", "998877", "582245"]


async def hold(bench: Bench, count: int) -> list[str]:
    """Create so many codes and let all be well."""
    codes = [await bench.create(pin) for pin in PINS[:count]]
    await bench.settle(10 * MINUTE)
    bench.driver.taken()
    bench.events()
    return codes


async def turn_round(bench: Bench) -> None:
    """Move the content of every slot into the next one; the lock reports it."""
    slots = bench.lock.slots
    places, contents = list(slots), list(slots.values())
    slots.update(zip(places, contents[1:] + contents[:1], strict=True))
    for place in places:
        await bench.engine.handle(SlotTouched(device_id=DOOR, slot=place))


async def assert_all_well(bench: Bench, *code_ids: str) -> None:
    """Expect that every code is set and nothing is said to be wrong."""
    for code_id in code_ids:
        shown = await bench.shown(code_id)
        assert (shown["status"], shown["errors"]) == ("set", [])


@pytest.mark.parametrize("model", [READABLE, CHOOSER])
@pytest.mark.parametrize("count", [2, 3])
async def test_exchanged_codes_are_taken_where_they_lie(hang: Hang, model: Model, count: int) -> None:
    """It is told of each, and at no time is a guest outside."""
    bench = await hang(model)
    codes = await hold(bench, count)
    await turn_round(bench)
    await bench.settle(MINUTE)
    await assert_all_well(bench, *codes)
    assert bench.driver.taken("clear") == []
    assert sorted(bench.on_lock().values()) == sorted(PINS[:count])
    assert bench.events().count("access_code.modified_external_to_gateway") == count
    await bench.settle(DAY)
    assert bench.driver.taken("write", "clear") == []


async def test_an_exchange_while_the_hub_was_off_is_found(hang: Hang) -> None:
    """By the look at the whole lock after its start."""
    bench = await hang(READABLE)
    codes = await hold(bench, 2)
    await turn_round(bench)
    bench.boot()
    await bench.start()
    await bench.settle(DAY)
    await assert_all_well(bench, *codes)


async def test_one_that_is_deleted_then_goes_and_the_other_stays(hang: Hang) -> None:
    """Each has the slot in which its PIN is."""
    bench = await hang(READABLE)
    first, second = await hold(bench, 2)
    await turn_round(bench)
    await bench.settle(MINUTE)
    await bench.do("access_codes/delete", access_code_id=first)
    await bench.settle(MINUTE)
    assert list(bench.on_lock().values()) == [PINS[1]]
    await assert_all_well(bench, second)


async def test_an_opening_is_told_of_the_code_whose_pin_it_was(hang: Hang) -> None:
    """The slot is that of the other code now."""
    bench = await hang(READABLE)
    first, _ = await hold(bench, 2)
    await turn_round(bench)
    await bench.settle(MINUTE)
    [place] = [name for name, pin in bench.on_lock().items() if pin == PINS[0]]
    await bench.tell(CodeUsed(device_id=DOOR, slot=place))
    assert (await bench.shown(first))["first_used_at"] is not None


async def test_dates_that_stayed_in_their_slots_are_put_right(hang: Hang) -> None:
    """Only the PINs were exchanged: each has the window of the other."""
    bench = await hang(NATIVE)
    until = ["2026-07-02T11:00:00Z", "2026-07-04T11:00:00Z"]
    codes = [await bench.create(pin, ends_at=end) for pin, end in zip(PINS, until, strict=False)]
    await bench.settle(10 * MINUTE)
    right = {held.pin: held.schedule for held in bench.lock.slots.values()}
    await turn_round(bench)
    for place, lies in bench.lock.slots.items():
        [other] = [schedule for pin, schedule in right.items() if pin != lies.pin]
        bench.lock.slots[place] = replace(lies, schedule=other)
    await bench.settle(MINUTE)
    assert {held.pin: held.schedule for held in bench.lock.slots.values()} == right
    await assert_all_well(bench, *codes)


BOTH = (code(), held(), code("bo", "9999"), held("bo", "19", "9999"), slot("20", known()))


@pytest.mark.parametrize(
    "facts",
    [
        (slot("19", known("4711"), touched=True),),
        (slot("19", known("4711")), intent("bo", "19")),
        (slot("19", Empty()),),
        (slot("19", known("8888")),),
        (),
    ],
)
def test_what_may_be_otherwise_by_now_moves_no_code(facts: tuple[Fact, ...]) -> None:
    """A slot to look at, an operation under way, no ring."""
    work = working(*BOTH, *facts)
    absorb_reading(work, "20", known("9999"))
    assert (work.placement("ana").slot, work.placement("bo").slot) == ("20", "19")


def test_a_code_that_only_leads_to_a_ring_is_not_moved_with_it() -> None:
    """Its own PIN lies nowhere: it is written as before, and the ring shows when one of its slots is read."""
    facts = (
        code("cy", "5822"),
        held("cy", "18", "5822"),
        slot("19", known("5822")),
        slot("18", known("9999")),
    )
    work = working(*BOTH, *facts)
    absorb_reading(work, "20", known("9999"))
    assert [work.placement(name).slot for name in ("ana", "bo", "cy")] == ["20", "19", "18"]
    absorb_reading(work, "19", known("5822"))
    assert [work.placement(name).slot for name in ("ana", "bo", "cy")] == ["20", "18", "19"]
