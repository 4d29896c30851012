"""From any facts, on a lock that does what it is told, work comes to an end (rules 6 and 10)."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from drivers.simulated.models import CHOOSER, MASKED, NATIVE, READABLE, Model
from gateway.domain.credential import Credential, Known, SlotRef
from gateway.domain.placement import Snapshot
from gateway.domain.store import Tx
from gateway.engine.desire import status
from tests.engine.anything import SLOTS, Anything
from tests.engine.bench import Bench
from tests.engine.build import DAY, NOON, TIMING

HOUSES = 20
SETTLED_AFTER = timedelta(days=4)
"""Past every moment that facts may name, and a day for a refusal to be tried again."""


def stored(anything: Anything, model: Model) -> Snapshot:
    """Return any facts of such a lock, none read in the future.

    Windows that come back are left out: they bring work for ever.
    """
    snap = anything.snapshot(model.capabilities)
    codes = {code_id: replace(code, recurrence=None) for code_id, code in snap.codes.items()}
    slots = {
        name: replace(state, read_at=min(state.read_at or NOON, NOON)) for name, state in snap.slots.items()
    }
    snap = replace(snap, codes=codes, slots=slots)
    return _placed(snap) if model.capabilities.lock_chooses_slot else snap


def _placed(snap: Snapshot) -> Snapshot:
    """Return the facts as a lock that chooses its slots allows them: a code is in one, or has none."""
    placements = {
        code_id: it if (it.slot is None) == (it.confirmed is None) else replace(it, slot=None, confirmed=None)
        for code_id, it in snap.placements.items()
    }
    intents = tuple(i for i in snap.intents if i.slot == placements[i.access_code_id or ""].slot)
    return replace(snap, placements=placements, intents=intents)


def truth(anything: Anything, snap: Snapshot) -> dict[SlotRef, Credential]:
    """Return what the lock holds: mostly what it showed, sometimes something else, no PIN twice."""
    held: dict[SlotRef, Credential] = {}
    for name in SLOTS:
        state = snap.slots.get(name)
        shown = state.reading if state is not None else None
        content = shown.credential if isinstance(shown, Known) and anything.flag(0.7) else None
        if content is None and anything.flag(0.3):
            content = anything.credential()
        if content is not None and content.pin not in {other.pin for other in held.values()}:
            held[name] = content
    return held


def unmanaged(snap: Snapshot, name: SlotRef) -> str | None:
    """Return the id of the code of others in a slot, unless a command asked for its removal."""
    state = snap.slots.get(name)
    return state.unmanaged_id if state is not None and state.doomed_at is None else None


def remember(bench: Bench, snap: Snapshot) -> None:
    """Put facts into the store, besides those of the lock itself."""
    device_id = snap.device.device_id

    def unit(tx: Tx) -> None:
        known = tx.snapshot(device_id)
        assert known is not None
        for slot in known.slots:
            tx.drop_slot(device_id, slot)
        # The checksum of before does not belong to these readings.
        tx.save_device(replace(known.device, probe=None, probe_open=None, probed_at=None))
        for code in snap.codes.values():
            tx.save_code(code)
        for placement in snap.placements.values():
            tx.save_placement(device_id, placement)
        for state in snap.slots.values():
            tx.save_slot(device_id, state)
        for intent in snap.intents:
            tx.open_intent(device_id, intent)

    bench.store.do(unit)


@pytest.mark.parametrize("model", [READABLE, MASKED, NATIVE, CHOOSER], ids=lambda m: m.name)
@pytest.mark.parametrize("seed", range(HOUSES))
async def test_from_any_facts_work_comes_to_an_end(seed: int, model: Model) -> None:
    """What is over is gone, the rest is set or says why not, others' codes are as they were."""
    anything = Anything(seed)
    bench = Bench(model.with_slots(len(SLOTS)))
    try:
        await bench.start()
        snap = stored(anything, bench.lock.model)
        bench.lock.slots = truth(anything, snap)
        before = dict(bench.lock.slots)
        remember(bench, snap)
        await bench.settle(SETTLED_AFTER)
        bench.driver.operations.clear()
        await bench.settle(DAY)
        after, t = bench.snap(), bench.guard.view()
        told = {
            issue.access_code_id for issue in bench.store.do(lambda tx: tx.issues(after.device.device_id))
        }
        unhappy = told & set(after.codes)
        for code_id, code in after.codes.items():
            assert code_id in unhappy or status(code, after, t, TIMING) in {"set", "unset"}
            if code_id not in unhappy and status(code, after, t, TIMING) == "set":
                assert bench.lock.slots[after.placement(code_id).slot or ""].pin == code.pin
        for name, state in after.slots.items():
            if state.unmanaged_id is not None and state.unmanaged_id == unmanaged(snap, name):
                assert bench.lock.slots[name] == before[name]
        for name in bench.lock.slots:
            assert after.owner(name) is not None or after.slots[name].unmanaged_id is not None
        if not unhappy:
            assert bench.driver.taken("write", "clear") == []
    finally:
        bench.store.close()
