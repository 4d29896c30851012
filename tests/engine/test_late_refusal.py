"""A lock that accepts a code and refuses it a moment later: what it holds then nobody knows."""

from msgspec.structs import replace

from drivers.simulated.models import MASKED, READABLE, WRITE_ONLY, Model
from gateway.domain.driver import WriteRefused
from gateway.domain.placement import Refusal
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE
from tests.engine.conftest import Hang

PIN, OTHER = "471134", "998877"
HIDES = replace(MASKED, capabilities=replace(MASKED.capabilities, supervised=True))


def refused(reason: Refusal = Refusal.DUPLICATE) -> WriteRefused:
    """Return what the driver tells."""
    return WriteRefused(device_id=DOOR, slot="20", reason=reason)


async def problems(bench: Bench, code_id: str) -> set[str]:
    """Return the errors of a code."""
    return {error["error_code"] for error in (await bench.shown(code_id))["errors"]}


async def test_it_is_not_called_set_and_not_tried_again_until_something_changes(hang: Hang) -> None:
    """As if the lock had said no at once: hidden digits at a later look prove nothing (rule 11)."""
    for model in (HIDES, WRITE_ONLY):
        bench: Bench = await hang(model)
        code_id = await bench.create(PIN)
        await bench.settle()
        bench.driver.taken()
        await bench.tell(refused())
        await bench.settle(6 * HOUR)
        assert (await bench.shown(code_id))["status"] == "setting"
        assert "duplicate_code_on_device" in await problems(bench, code_id)
        assert bench.driver.taken("write") == []
        await bench.do("access_codes/update", access_code_id=code_id, code=OTHER)
        await bench.settle(HOUR)
        assert await problems(bench, code_id) == set()
        assert OTHER in bench.on_lock().values()


async def test_it_is_tried_again_after_a_day(hang: Hang) -> None:
    """What was in the way may be gone, and this lock will not say."""
    bench = await hang(HIDES)
    code_id = await bench.create(PIN)
    await bench.settle()
    await bench.tell(refused())
    bench.driver.taken()
    await bench.settle(DAY + HOUR)
    assert bench.driver.taken("write") == [("write", "20")]
    assert await problems(bench, code_id) == set()


async def test_a_refusal_that_may_pass_is_tried_again_soon(hang: Hang) -> None:
    """Later and later."""
    bench = await hang(HIDES)
    await bench.create(PIN)
    await bench.settle()
    await bench.tell(refused(Refusal.BUSY))
    bench.driver.taken()
    await bench.settle(5 * MINUTE)
    assert bench.driver.taken("write") == [("write", "20")]


async def test_a_code_that_was_seen_on_the_lock_was_not_refused(hang: Hang) -> None:
    """The slot is looked at once more, that is all."""
    model: Model = replace(READABLE, capabilities=replace(READABLE.capabilities, supervised=False))
    bench = await hang(model)
    code_id = await bench.create(PIN)
    await bench.settle(HOUR)
    bench.driver.taken()
    await bench.tell(refused())
    await bench.settle(MINUTE)
    assert (await bench.shown(code_id))["status"] == "set"
    assert bench.driver.taken() == [("read", "20")]


async def test_a_refusal_in_a_slot_of_nobody_changes_nothing(hang: Hang) -> None:
    """Its code was deleted meanwhile, perhaps."""
    bench = await hang(HIDES)
    await bench.tell(refused())
    await bench.settle(HOUR)
    assert bench.issues() == set()
