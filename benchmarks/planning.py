"""What a look at a lock costs the processor: reading its facts, planning, and the whole unit of work."""

import time
from collections.abc import Callable
from datetime import timedelta

from benchmarks.table import Table, milliseconds
from drivers.simulated.models import READABLE
from gateway.domain.timing import Timing
from gateway.engine.planner import plan
from tests.engine.bench import Bench
from tests.engine.build import DOOR

CODES = (5, 20, 100)
SLOTS = 120
REPEATED = 200
# The first inventory of so many slots takes two hours of its budget.
SETTLED_AFTER = timedelta(hours=4)


async def measure() -> Table:
    """Measure on a simulated lock with a store in memory, its codes on it and nothing to be done."""
    rows = [await _lock_with(number) for number in CODES]
    return Table(
        f"One turn of a lock with {SLOTS} slots on which nothing is to be done (medians of {REPEATED})",
        ("codes on the lock", "facts read from the database", "planned", "whole turn"),
        rows,
        ["A turn that changes nothing writes nothing, so the disk has no part in it."],
    )


async def _lock_with(number: int) -> list[str]:
    bench = Bench(READABLE.with_slots(SLOTS))
    try:
        await bench.start()
        for pin in range(number):
            await bench.create(f"{471_100 + 7 * pin}")
        await bench.settle(SETTLED_AFTER)
        snap, view, timing = bench.snap(), bench.guard.view(), Timing()
        found = plan(snap, view, timing)
        assert (found.steps, found.issues) == ((), ())
        assert len(bench.on_lock()) == len(snap.codes) == number
        reading = _times(bench.snap)
        planning = _times(lambda: plan(snap, view, timing))
        turning = []
        for _ in range(REPEATED):
            began = time.perf_counter()
            turned = await bench.engine.shop.turn(DOOR, act=True)
            turning.append(time.perf_counter() - began)
            assert turned.step is None
    finally:
        bench.store.close()
    return [str(number), *map(milliseconds, (reading, planning, turning))]


def _times(call: Callable[[], object]) -> list[float]:
    times = []
    for _ in range(REPEATED):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return times
