"""Radio commands per thing done: real gateway, broker, zwave-js and server, locks with a simulated radio.

The pauses of 2 s between two operations on a lock pass at once here, which changes no count.
"""

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks import peer
from benchmarks.broker import broker_and_app
from benchmarks.table import Table
from gateway.config import Settings
from tests.daemon.bed import PINS, Somebody
from tests.e2e.house import NODES, TimedHouse, at_work, settings
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import BedConfig, Faults, Model

SLOTS: dict[Model, int] = {"v2_s2": 10, "v1": 30, "masked_s2": 10, "masked_v1": 30}
BED = BedConfig(nodes=[replace(NODES[model], slots=slots) for model, slots in SLOTS.items()])
"""Locks as the peer had them, and the same with hidden digits."""
MASKED: tuple[Model, ...] = ("masked_s2", "masked_v1")

OURS, OTHER, THEIRS = PINS[:5], PINS[5], PINS[6]
DUPLICATE = "duplicate_code_on_device"
REFUSED_FOR_S = 20.0

ROWS = {
    "inventory": "every slot read once, at the first sight of a lock",
    "set": "PIN set, slot read less than 10 min ago",
    "set, look first": "PIN set, slot read longer ago",
    "change": "PIN changed",
    "clear": "code removed",
    "sync": "look at everything because somebody asked, 5 codes",
    "audit": "nightly audit of 5 codes, nothing has changed",
    "duplicate seen": "duplicate of a code that the lock shows: not sent",
    "duplicate refused": "change to a duplicate that only the lock knows",
    "duplicate refused, masked": "the same, digits hidden",
    "restart, masked": "restart with 5 codes, digits hidden",
    "write refused": f"new code, lock refuses every write, first {REFUSED_FOR_S:.0f} s",
    "change refused": f"changed PIN, lock refuses every write, first {REFUSED_FOR_S:.0f} s",
}

type Costs = dict[str, str]


class Meter:
    """Notes what things cost on one lock, beginning with all that was spent before it was made."""

    def __init__(self, house: TimedHouse, model: Model, costs: Costs) -> None:
        self._house = house
        self._model = model
        self._costs = costs

    async def note(self, what: str, *, within: int | None = None, hour: bool = True) -> None:
        """Note what was spent since the last note; with `hour`, the looks of the next hour after a plus.

        Stops the run when writes and removals were more than `within`.
        """
        at_once = await self._spent()
        for _ in range(6 if hour else 0):
            self._house.let_pass(minutes=10)
            await self._house.settled(self._model)
        radio = await self._house.radio(self._model)
        assert within is None or radio.set + radio.clear <= within, (what, self._model, radio)
        later = radio.user_code - at_once
        self._costs[what] = f"{at_once} + {later}" if later else str(at_once)
        await self._house.forget_radio(self._model)

    async def note_now(self, what: str) -> None:
        """Note what was spent since the last note by a gateway that is not done."""
        radio = await self._house.radio(self._model)
        assert radio.set > 0, (what, self._model, radio)
        assert radio.clear == 0, (what, self._model, radio)
        self._costs[what] = str(radio.user_code)

    async def forget(self) -> None:
        """Let what is spent in the next 10 minutes belong to nothing."""
        await self._spent()
        self._house.let_pass(minutes=10)
        await self._spent()
        await self._house.forget_radio(self._model)

    async def _spent(self) -> int:
        await self._house.settled(self._model)
        return (await self._house.radio(self._model)).user_code


async def measure(bed: ZwaveBed, folder: Path) -> Table:
    """Measure on a bed started with `BED`; files go into `folder`.

    Every lock has a gateway and a broker of its own, all at work at the same time: most of it is waiting.
    """
    await bed.reset()
    costs: dict[Model, Costs] = {model: {} for model in SLOTS}
    folders = {model: Path(tempfile.mkdtemp(dir=folder)) for model in SLOTS}
    async with asyncio.TaskGroup() as group:
        for model in SLOTS:
            group.create_task(_one_lock(bed, folders[model], model, costs[model]))
    return _table(costs)


async def _one_lock(bed: ZwaveBed, folder: Path, model: Model, costs: Costs) -> None:
    async with broker_and_app(folder) as (port, app):
        how = settings(folder, bed, port, model)
        if model in MASKED:
            await _hidden(how, bed, app, model, costs)
            return
        async with at_work(how, bed, app) as house:
            meter = Meter(house, model, costs)
            await _usual(house, model, meter)
            await _duplicates(house, model, meter)
            await _audits(house, model, meter)
            await _write_refused(house, model, meter)


async def _usual(house: TimedHouse, model: Model, meter: Meter) -> None:
    """Do what happens every day, on a lock that shows its codes."""
    await house.settled(model)
    assert (await house.radio(model)).get == SLOTS[model]
    await meter.note("inventory", within=0, hour=False)
    first = await house.create_set(model, OURS[0])
    await meter.note("set", within=1)
    await house.create_set(model, OURS[1])
    await meter.note("set, look first", within=1)
    await house.do("access_codes/update", access_code_id=first, code=OTHER)
    await house.hears("access_code.code_changed", first)
    await house.becomes(model, OTHER, OURS[1])
    await meter.note("change", within=1)
    await house.do("access_codes/delete", access_code_id=first)
    await house.hears("access_code.deleted", first)
    await house.becomes(model, OURS[1])
    await meter.note("clear", within=1)
    for pin in (OURS[0], *OURS[2:]):
        await house.create_set(model, pin)
    await meter.forget()


async def _duplicates(house: TimedHouse, model: Model, meter: Meter) -> None:
    """First one that nobody could know but the lock, then the same PIN once its slot has been read."""
    last = house.told("access_code.set_on_device", model)[-1]["access_code_id"]
    await house.bed.edit(NODES[model].node_id, 1, THEIRS, "silent")
    await _refuse(house, last, meter, "duplicate refused")
    await house.becomes(model, THEIRS, *OURS)
    await house.do("access_codes/update", access_code_id=last, code=OURS[-1])
    await house.bed.edit(NODES[model].node_id, 1, THEIRS, "report")
    await house.hears("access_code.unmanaged.created", model)
    await house.settled(model)
    await house.forget_radio(model)
    waiting = await house.create(model, THEIRS)
    await house.until(lambda: DUPLICATE in house.errors(house.code(waiting)))
    await meter.note("duplicate seen", within=0)
    await house.becomes(model, THEIRS, *OURS)
    await house.do("access_codes/delete", access_code_id=waiting)
    await house.hears("access_code.deleted", waiting)


async def _refuse(house: TimedHouse, code_id: str, meter: Meter, what: str) -> None:
    """Change a code to a PIN that the lock will refuse; it is sent once, and what worked goes on working."""
    await house.do("access_codes/update", access_code_id=code_id, code=THEIRS)
    await house.until(lambda: DUPLICATE in house.errors(house.code(code_id)))
    await meter.note(what, within=1)
    assert house.code(code_id)["status"] == "setting"


async def _audits(house: TimedHouse, model: Model, meter: Meter) -> None:
    """Look at everything because somebody asked, then at night, when nothing has changed."""
    await house.do("devices/sync", device_id=model)
    await meter.note("sync", within=0, hour=False)
    for what in ("first night", "audit"):
        house.let_pass(hours=24)
        await house.radio_reaches(model, user_code=1)
        await meter.note(what, within=0, hour=False)


async def _write_refused(house: TimedHouse, model: Model, meter: Meter) -> None:
    """Let a lock refuse to store anything while real time passes; then it takes what it should."""
    code_id = house.told("access_code.set_on_device", model)[-1]["access_code_id"]
    await house.bed.fault(NODES[model].node_id, Faults(refuse_sets=None))
    await house.do("access_codes/update", access_code_id=code_id, code=OTHER)
    await asyncio.sleep(REFUSED_FOR_S)
    assert house.code(code_id)["status"] == "setting"
    await meter.note_now("change refused")
    await house.do("access_codes/update", access_code_id=code_id, code=OURS[-1])
    await house.until(lambda: house.code(code_id)["status"] == "set")
    house.let_pass(minutes=5)
    await house.settled(model)
    await house.forget_radio(model)
    refused = await house.create(model, OTHER)
    await asyncio.sleep(REFUSED_FOR_S)
    assert house.code(refused)["status"] == "setting"
    await meter.note_now("write refused")
    await house.becomes(model, THEIRS, *OURS)
    await house.bed.fault(NODES[model].node_id, Faults())
    house.let_pass(minutes=5)
    await house.hears("access_code.set_on_device", refused)
    await house.becomes(model, THEIRS, OTHER, *OURS)


async def _hidden(how: Settings, bed: ZwaveBed, app: Somebody, model: Model, costs: Costs) -> None:
    """Restart a gateway whose lock hides its digits, then have a duplicate refused."""
    async with at_work(how, bed, app) as house:
        for pin in OURS:
            await house.create_set(model, pin)
        await Meter(house, model, {}).note("written", within=len(OURS))
        told = len(house.told("access_code.set_on_device"))
    async with at_work(how, bed, app, house.clock) as again:
        meter = Meter(again, model, costs)
        await meter.note("restart, masked", within=0)
        await again.becomes(model, *OURS)
        assert len(again.told("access_code.set_on_device")) == told
        last = again.told("access_code.set_on_device", model)[-1]["access_code_id"]
        await bed.edit(NODES[model].node_id, 1, THEIRS, "silent")
        await _refuse(again, last, meter, "duplicate refused, masked")
        await again.becomes(model, THEIRS, *OURS)


def _table(costs: dict[Model, Costs]) -> Table:
    rows = []
    for what, words in ROWS.items():
        theirs = peer.RADIO.get(what, (peer.NOT_MEASURED, peer.NOT_MEASURED))
        ours = [costs[model][what] for model in SLOTS if what in costs[model]]
        rows.append([words, ours[0], theirs[0], ours[1], theirs[1]])
    return Table(
        "Radio commands",
        ("what", "S2, v2, 10 slots", "peer", "v1, 30 slots", "peer"),
        rows,
        [
            "`1 + 1`: at once, and looks in the hour that follows.",
            "Counted are User Code commands. At the first sight of a lock one more may ask for its serial.",
        ],
    )
