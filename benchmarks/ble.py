"""How often a Bluetooth lock is connected to, which is what its battery is spent on.

The real engine and driver, in virtual time, on virtual locks. Nothing depends on the machine: the counts are
the same on every run.
"""

import asyncio
import logging

from benchmarks.ble_doors import FAMILIES, HangUp
from benchmarks.ble_hub import Hub, at_work
from benchmarks.table import Table
from tests.simulation.loop import run_virtual

PINS = tuple(f"83{number}947" for number in range(1, 6))
"""Six digits without a zero, which all families take."""
CHANGED = tuple(f"95{number}836" for number in range(1, 6))
AT_ONCE_S, LATER_S = 60.0, 840.0
DAY_S = 86400.0

ROWS = {
    "one": "one code set",
    "more": f"{len(PINS) - 1} more, asked for at once",
    "change": f"{len(PINS)} PINs changed at once",
    "sync": "a look at everything, because somebody asked",
    "quiet": "a quiet day with its nightly audit",
    "quiet again": "the day after",
    "remove": f"{len(PINS)} codes removed at once",
}

type Costs = dict[str, str]


async def measure() -> Table:
    """Measure every family."""
    # It warns of packets that were on their way when a link ended.
    logging.getLogger("bumble").setLevel(logging.ERROR)
    costs: dict[str, Costs] = {
        name: await asyncio.to_thread(run_virtual, _family(hang)) for name, hang in FAMILIES.items()
    }
    rows = [[words, *(costs[name][what] for name in FAMILIES)] for what, words in ROWS.items()]
    return Table(
        "Connections to a Bluetooth lock",
        ("what", *FAMILIES),
        rows,
        [
            "`1 + 1`: within a minute, and a look at the result in the quarter of an hour after.",
            "A TTLock is touched once before each, and not on quiet days.",
            "Nobody is at the door: an opening that a lock advertises costs one more, which reads the log.",
        ],
    )


async def _family(hang_up: HangUp) -> Costs:
    costs: Costs = {}
    async with at_work(hang_up) as hub:
        # The first sight: everything is read once, within the budget for reading.
        for _ in range(4):
            await hub.let_pass(AT_ONCE_S + LATER_S)
        hub.connections()
        ids = [await hub.create(PINS[0])]
        await _note(hub, costs, "one", set(PINS[:1]))
        ids += [await hub.create(pin) for pin in PINS[1:]]
        await _note(hub, costs, "more", set(PINS))
        for code_id, pin in zip(ids, CHANGED, strict=True):
            await hub.do("access_codes/update", access_code_id=code_id, code=pin)
        await _note(hub, costs, "change", set(CHANGED))
        await hub.do("devices/sync", device_id="door")
        await _note(hub, costs, "sync", set(CHANGED))
        for day in ("quiet", "quiet again"):
            await asyncio.sleep(DAY_S)
            connected = hub.connections()
            # Nothing but the nightly audit, and that only where the lock can be reached without a touch.
            assert connected == (0 if hub.door.touch else 1), day
            costs[day] = str(connected)
        for code_id in ids:
            await hub.do("access_codes/delete", access_code_id=code_id)
        await _note(hub, costs, "remove", set())
    return costs


async def _note(hub: Hub, costs: Costs, what: str, holds: set[str]) -> None:
    """Let the hub work; the lock must hold the right codes in the end."""
    await hub.let_pass(AT_ONCE_S)
    assert hub.door.codes() == holds, what
    at_once = hub.connections()
    assert at_once == 1, what
    await asyncio.sleep(LATER_S)
    later = hub.connections()
    assert later <= 1, what
    costs[what] = f"{at_once} + {later}" if later else str(at_once)
