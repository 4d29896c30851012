"""A person who asks for a look has put something right, and does not wait for what was refused before."""

from drivers.simulated.models import READABLE
from gateway.domain.driver import Refused
from gateway.domain.placement import Refusal
from tests.engine.bench import Bench
from tests.engine.build import DOOR, HOUR, MINUTE
from tests.engine.conftest import Hang

PIN = "471134"
NO = ("before", Refused(Refusal.OTHER, "it lets nobody do that"))


async def refused_just_now(bench: Bench) -> None:
    """Let time pass until the hub has long been asking less and less, and was refused once more right now."""
    await bench.settle(3 * HOUR)
    bench.driver.taken()
    while not bench.driver.operations:
        await bench.settle(MINUTE)
    bench.driver.faults = []


async def test_a_code_that_was_refused_is_tried_at_once(hang: Hang) -> None:
    """It waited half an hour after some refusals."""
    bench = await hang(READABLE)
    await bench.settle(HOUR)
    bench.driver.faults = [NO] * 1000
    code_id = await bench.create(PIN)
    await refused_just_now(bench)
    assert (await bench.shown(code_id))["status"] != "set"
    await bench.do("devices/sync", device_id=DOOR)
    await bench.settle(MINUTE)
    assert (await bench.shown(code_id))["status"] == "set"


async def test_slots_whose_look_was_refused_are_looked_at_at_once(hang: Hang) -> None:
    """Each of them, and the lock as a whole, was asked less and less."""
    bench = await hang(READABLE)
    await bench.settle(HOUR)
    bench.driver.taken()
    bench.driver.faults = [None, *[NO] * 1000]
    await bench.do("devices/sync", device_id=DOOR)
    await refused_just_now(bench)
    refused = set(bench.driver.taken("read"))
    assert refused
    await bench.do("devices/sync", device_id=DOOR)
    await bench.settle(MINUTE)
    assert refused <= set(bench.driver.taken("read"))


async def test_what_was_refused_for_good_stays_refused(hang: Hang) -> None:
    """The same PIN would be refused again: only another one, or a change on the lock, helps."""
    bench = await hang(READABLE)
    await bench.settle(HOUR)
    bench.driver.faults = [("before", Refused(Refusal.DUPLICATE, "the lock has it"))]
    await bench.create(PIN)
    await bench.settle(HOUR)
    bench.driver.operations.clear()
    await bench.do("devices/sync", device_id=DOOR)
    await bench.settle(MINUTE)
    assert [kind for kind, _ in bench.driver.operations if kind == "write"] == []
