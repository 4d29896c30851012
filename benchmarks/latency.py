"""From the command on the broker to the slot in the lock, beside the bare library call on the same locks.

The gateway is a process of its own with the machine's clock, so the pauses of 2 s between two operations on
a lock are real here.
"""

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from zwave_js_server.model.node import Node

from benchmarks import peer
from benchmarks.broker import broker_and_app
from benchmarks.table import Table, milliseconds
from drivers.zwave.capabilities import SPACING
from tests.daemon.bed import ROOT, online
from tests.daemon.process import put_away, start
from tests.e2e.house import NODES, PATIENCE_S, House, settings
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.client import connected, invoke
from tests.zwave_bed.config import Model

LOCKS: tuple[Model, ...] = ("v2_s2", "v1")
CREATED = 5
CHANGED = 7
BARE = 9
# No inventory beside the measurement: it would keep the lock busy, and every slot would have been read.
QUIET = "[timing]\nreads_per_hour = 1"
# A lock is left alone between two commands, so that the pause it wants is not counted to the second.
REST_S = SPACING.total_seconds() + 0.1
_LOOK_S = 0.001


@dataclass
class Times:
    """Seconds from the moment a command was published, one entry per command; when the lock has rested."""

    answered: list[float] = field(default_factory=list)
    stored: list[float] = field(default_factory=list)
    told: list[float] = field(default_factory=list)
    rested_at: float = 0.0


async def measure(bed: ZwaveBed, folder: Path) -> Table:
    """Measure on a bed that has `LOCKS`; files go into `folder`."""
    await bed.reset()
    bare = {model: await _bare(bed, model) for model in LOCKS}
    await bed.reset()
    async with broker_and_app(folder) as (port, app):
        how = settings(folder, bed, port, *LOCKS, extra=QUIET)
        process = await start(how.file, folder / "log")
        try:
            await online(app)
            house = House(bed, app)
            await house.until(lambda: all(house.lock(it).get("capabilities_supported") for it in LOCKS))
            for model in LOCKS:
                await house.settled(model)
            created, changed = await _through_the_gateway(house)
        finally:
            await put_away(process)
    return _table(bare, created, changed)


async def _bare(bed: ZwaveBed, model: Model) -> Times:
    """Call the library as a script without a gateway would: one set, nothing before and nothing after."""
    times = Times()
    async with connected(bed) as driver:
        node = driver.controller.nodes[NODES[model].node_id]
        for pin in itertools.islice(_pins(5), BARE):
            began = time.perf_counter()
            answered, stored = await asyncio.gather(_set(node, pin), _stored(bed, model, pin))
            times.answered.append(answered - began)
            times.stored.append(stored - began)
    return times


async def _set(node: Node, pin: str) -> float:
    await invoke(node, "set", 1, 1, pin)
    return time.perf_counter()


async def _through_the_gateway(house: House) -> tuple[dict[Model, Times], dict[Model, Times]]:
    """Create codes in slots that were never read, then change one of them, on each lock in turn."""
    created = {model: Times() for model in LOCKS}
    changed = {model: Times() for model in LOCKS}
    pins = _pins(6)
    codes: dict[Model, str] = {}
    for _, model in itertools.product(range(CREATED), LOCKS):
        codes[model] = await _command(house, model, next(pins), created[model])
    for _, model in itertools.product(range(CHANGED), LOCKS):
        await _command(house, model, next(pins), changed[model], codes[model])
    for model in LOCKS:
        assert len(await house.on_lock(model)) == CREATED
        radio = await house.radio(model)
        assert radio.set == CREATED + CHANGED, radio
    return created, changed


async def _command(house: House, model: Model, pin: str, times: Times, code_id: str | None = None) -> str:
    """Create a code, or change the one given; note its times and return its id."""
    verb, event = "access_codes/create", "access_code.set_on_device"
    body = {"transaction": f"bench-{pin}", "code": pin, "device_id": model}
    if code_id is not None:
        verb, event = "access_codes/update", "access_code.code_changed"
        body["access_code_id"] = code_id
    await asyncio.sleep(max(times.rested_at - time.perf_counter(), 0))
    heard = len(house.app.heard)
    began = time.perf_counter()
    house.app.client.publish(f"{ROOT}/request/{house.app.name}/{verb}", json.dumps(body), 1)
    answered, stored, told = await asyncio.gather(
        _seen(lambda: any(f"/response/{house.app.name}/{verb}" in m.topic for m in house.app.heard[heard:])),
        _stored(house.bed, model, pin),
        _seen(lambda: any(m.topic.endswith(f"/{model}/{event}") for m in house.app.heard[heard:])),
    )
    answer = house.app.last(f"response/{house.app.name}/{verb}")
    assert (answer["status"], answer["transaction"]) == ("ok", f"bench-{pin}"), answer["error"]
    times.answered.append(answered - began)
    times.stored.append(stored - began)
    times.told.append(told - began)
    times.rested_at = told + REST_S
    about: str = answer["data"]["access_code"]["access_code_id"]
    return about


async def _seen(condition: Callable[[], bool]) -> float:
    """Return when a condition has come true, to about a millisecond."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - told by another thread
            await asyncio.sleep(_LOOK_S)
    return time.perf_counter()


async def _stored(bed: ZwaveBed, model: Model, pin: str) -> float:
    """Return when the lock itself holds a code, to the few milliseconds that asking takes."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            slots = await bed.slots(NODES[model].node_id)
            if any(slot.code == pin for slot in slots.values()):
                return time.perf_counter()


def _pins(first: int) -> Iterator[str]:
    """Return PINs that all differ, beginning with this digit."""
    return (f"{number}" for number in itertools.count(first * 100_000 + 12_345, 37))


def _table(bare: dict[Model, Times], created: dict[Model, Times], changed: dict[Model, Times]) -> Table:
    rows = []
    for model, name, theirs in zip(LOCKS, ("S2, v2", "v1"), peer.SET_S, strict=True):
        for what, times in (
            (f"library alone, n = {BARE}", bare[model]),
            (f"PIN changed, n = {CHANGED}", changed[model]),
            (f"created, slot never read, n = {CREATED}", created[model]),
        ):
            told = milliseconds(times.told) if times.told else peer.NOT_MEASURED
            is_set = times is created[model]
            row = [name, what, milliseconds(times.answered), milliseconds(times.stored), told]
            rows.append([*row, theirs if is_set else peer.NOT_MEASURED])
    return Table(
        "From the command to the lock (medians)",
        ("lock", "what", "answered", "in the lock", "told as set", "peer, set until in sync"),
        rows,
        ["A slot that was never read is read first; 2 s of pause follow, as between any two operations."],
    )
