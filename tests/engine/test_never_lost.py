"""A code's row is not dropped while any slot may still hold it, in whatever order readings come."""

from datetime import timedelta

import pytest

from drivers.simulated.models import CHOOSER, MASKED, READABLE, WRITE_ONLY, Model
from gateway.domain.credential import Credential, Evidence, Known, Reading, Unreadable
from gateway.domain.driver import (
    AllCleared,
    CodeUsed,
    LockEvent,
    LockUnreachable,
    NoAnswer,
    Refused,
    SlotReported,
    SlotTouched,
)
from gateway.domain.placement import Placement, Refusal
from gateway.engine.observations import absorb_event
from gateway.engine.readings import absorb_list, absorb_reading
from gateway.engine.turn import Rules, housekeeping
from gateway.engine.work import Work
from tests.engine.anything import SLOTS, Anything
from tests.engine.bench import Bench, Fault
from tests.engine.build import (
    CAN,
    CAN_BLIND,
    CAN_CHOOSE,
    CAN_MASKED,
    DAY,
    DOOR,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    TIMING,
    code,
    device,
    held,
    view,
)
from tests.engine.conftest import Hang
from tests.engine.working import chance, working

SEEDS, ROUNDS = 4, 250
RULES = Rules(timing=TIMING, removals_after_step=3, next_audit=lambda _cron, now: now + DAY)


def event(anything: Anything, name: str) -> LockEvent:
    """Return any report about a slot."""
    reports: list[LockEvent] = [
        SlotReported(device_id=DOOR, slot=name, reading=anything.reading()),
        SlotTouched(device_id=DOOR, slot=name),
        SlotTouched(device_id=DOOR, slot=None),
        AllCleared(device_id=DOOR),
        CodeUsed(device_id=DOOR, slot=name),
    ]
    return anything.one(reports)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_any_readings_in_any_order_are_taken_in(seed: int) -> None:
    """Nothing fails; a slot has one owner at most; an owned slot has no unmanaged id; ids are given once."""
    anything = Anything(seed)
    for turn in range(ROUNDS):
        snap = anything.snapshot()
        luck = chance()
        luck.randbelow = anything.rng.randrange
        work = Work(snap, anything.view(), TIMING, luck)
        for _ in range(8):
            name = anything.one(SLOTS)
            if anything.flag(0.3):
                absorb_event(work, event(anything, name))
            elif anything.flag(0.2):
                absorb_list(work, {n: anything.reading() for n in SLOTS if anything.flag()})
            else:
                absorb_reading(work, name, anything.reading())
            housekeeping(work, RULES)
            owned = [p.slot for p in work.placements.values() if p.slot is not None]
            assert len(owned) == len(set(owned)), turn
            assert not [n for n in owned if work.slot(n).unmanaged_id is not None], turn
            ids = [s.unmanaged_id for s in work.slots.values() if s.unmanaged_id is not None]
            assert len(ids) == len(set(ids)), turn
            assert set(snap.codes) <= set(work.codes), turn  # the pool of backups may have grown


@pytest.mark.parametrize("seed", range(SEEDS))
def test_while_every_reading_shows_the_code_or_a_taken_slot_it_may_be_there(seed: int) -> None:
    """Digits hidden, or its own: no report makes the hub forget a code that is to be removed."""
    anything = Anything(seed)
    for turn in range(ROUNDS):
        blind = anything.flag(0.2)
        can = CAN_BLIND if blind else anything.one([CAN, CAN_MASKED, CAN_CHOOSE])
        placed = held(content=anything.credential(), evidence=anything.one(list(Evidence)))
        work = working(device(can), code(deleted_at=NOON), placed)
        answers: list[Reading] = [
            Known(credential_of(placed)),
            Unreadable(),
            Unreadable(enabled=credential_of(placed).enabled),
        ]
        for step in range(12):
            work.t = view(NOON + step * MINUTE)
            report = event(anything, "20")
            if anything.flag():
                absorb_reading(work, "20", anything.one(answers))
            elif not (blind and isinstance(report, AllCleared)):
                absorb_event(work, report)
            assert work.snapshot().may_hold("ana"), turn


def credential_of(placement: Placement) -> Credential:
    """Return what was written."""
    assert placement.confirmed is not None
    return placement.confirmed.credential


FAULTS: list[Fault | None] = [
    None,
    None,
    ("before", NoAnswer("no answer")),
    ("after", NoAnswer("no answer")),
    ("before", LockUnreachable("no reaction")),
    ("after", LockUnreachable("no reaction")),
    ("before", Refused(Refusal.BUSY, "busy")),
]


def unaccounted(bench: Bench) -> list[str]:
    """Return the slots that hold a PIN of ours which the hub has forgotten."""
    snap = bench.snap()
    known = {p.slot for p in snap.placements.values() if snap.may_hold(p.access_code_id)}
    open_adds = any(intent.slot is None for intent in snap.intents)
    return [slot for slot in bench.lock.slots if slot not in known and not open_adds]


@pytest.mark.parametrize("model", [READABLE, MASKED, WRITE_ONLY, CHOOSER], ids=lambda m: m.name)
@pytest.mark.parametrize("seed", range(4))
async def test_what_is_on_the_lock_has_a_row_through_every_fault(hang: Hang, model: Model, seed: int) -> None:
    """Creating, changing, deleting, faults, waiting: no PIN of ours is ever on the lock without its row."""
    anything = Anything(seed)
    bench = await hang(model)
    pins = [f"{n}71345" for n in range(3, 10)]
    for _ in range(25):
        deed = anything.one(["create", "delete", "update", "wait", "wait", "boot"])
        codes = [c for c in bench.snap().codes.values() if c.deleted_at is None]
        bench.driver.faults = [anything.one(FAULTS) for _ in range(anything.one([0, 1, 3]))]
        if deed == "create":
            await bench.ask("access_codes/create", device_id=DOOR, code=anything.one(pins))
        elif deed == "delete" and codes:
            await bench.do("access_codes/delete", access_code_id=anything.one(codes).access_code_id)
        elif deed == "update" and codes:
            asked = anything.one(codes).access_code_id
            await bench.ask("access_codes/update", access_code_id=asked, code=anything.one(pins))
        elif deed == "boot":
            bench.boot()
            await bench.start()
        await bench.settle(anything.one([timedelta(0), SECOND, MINUTE, HOUR]))
        assert unaccounted(bench) == []
    bench.driver.faults = []
    await bench.settle(3 * HOUR)
    wanted = sorted(c.pin.reveal() for c in bench.snap().codes.values() if c.deleted_at is None)
    assert sorted(bench.on_lock().values()) == wanted
