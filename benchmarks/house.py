"""Fifty doors with twenty codes each, on file: what lists, plans and a restart cost the processor.

No radio: restarted locks are away, as they are until their driver tells. Every figure is processor time of
the whole process, so that other work on the machine does not count.
"""

import itertools
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from msgspec.structs import replace

from benchmarks.table import Table, milliseconds
from drivers.simulated.lock import SimulatedLock
from drivers.simulated.models import READABLE
from gateway.domain.code import AccessCode
from gateway.domain.credential import Credential, Empty, Evidence, Known
from gateway.domain.driver import AuthorityUp, LockSeen
from gateway.domain.lock import Device, Link, LockPolicy
from gateway.domain.pin import Pin
from gateway.domain.placement import Confirmed, Placement, Slot
from gateway.domain.store import Tx
from gateway.domain.timing import Timing
from gateway.engine.clock_guard import ClockGuard, ClockSettings
from gateway.engine.commands.desk import CommandDesk
from gateway.engine.engine import Engine
from gateway.engine.turn import Rules
from gateway.engine.work import Chance
from storage.store import SqliteStore
from storage.vault import Vault
from tests.engine.bench import KEY, BenchDriver, HandClock
from tests.engine.build import DAY, HOUR, IDENTITY, MARK, NOON

LOCKS = (10, 20, 50)
CODES = 20
"""On each lock: half of them there for good, half for guests who have come, are to come, or went."""
REPEATED = 7
MODEL = READABLE.with_slots(30)


async def measure(folder: Path) -> Table:
    """Measure; the databases are in `folder`."""
    rows = [await _house(Path(tempfile.mkdtemp(dir=folder)), locks) for locks in LOCKS]
    return Table(
        f"A house with {CODES} codes on every lock (processor time, medians of {REPEATED})",
        ("locks", "codes", "`access_codes/list`, all", "`plan/get`, all", "restart"),
        rows,
        ["Restart: the file is opened, the engine starts, and every lock has its first turn; no radio."],
    )


async def _house(folder: Path, locks: int) -> list[str]:
    policies = {f"door-{n:02}": LockPolicy(name=f"Door {n}", driver="none") for n in range(locks)}
    store = await SqliteStore.open(folder, Vault(KEY))
    for device_id, policy in policies.items():
        await store.run(partial(_furnish, device_id=device_id, policy=policy))
    await store.close()
    await _restart(folder, policies, [])  # the first start after an upgrade may write what later ones do not
    restarts: list[float] = []
    for _ in range(REPEATED):
        await _restart(folder, policies, restarts)
    store = await SqliteStore.open(folder, Vault(KEY))
    try:
        engine = await _started(store, policies)
        await engine.handle(AuthorityUp(device_ids=tuple(policies)))
        for device_id in policies:
            await engine.handle(
                LockSeen(device_id=device_id, identity=IDENTITY, capabilities=MODEL.capabilities)
            )
        desk = CommandDesk(engine, lambda _: None)
        listed: list[float] = []
        planned: list[float] = []
        for _ in range(REPEATED):
            shown = await _asked(desk, "access_codes/list", listed, limit=1000)
            assert len(shown["access_codes"]) == locks * CODES
            plans = (await _asked(desk, "plan/get", planned))["plans"]
            assert len(plans) == locks
            assert {plan["gate"] for plan in plans} == {"open"}
            assert not any(plan["steps"] for plan in plans)
    finally:
        await store.close()
    return [str(locks), str(locks * CODES), *map(milliseconds, (listed, planned, restarts))]


def _furnish(tx: Tx, device_id: str, policy: LockPolicy) -> None:
    """Store a lock as it is after years: all slots read, codes of others in the three lowest."""
    rng = Random(device_id)
    lock = Device(
        device_id=device_id,
        policy=policy,
        capabilities=MODEL.capabilities,
        identity=IDENTITY,
        seen_identity=IDENTITY,
        clock=MARK,
        link=Link.ONLINE,
        audit_at=NOON + DAY,
        probe="abcd",
        probed_at=NOON - HOUR,
    )
    tx.save_device(lock)
    free = list(reversed(MODEL.capabilities.slots))
    pins = [Pin(f"{number}") for number in rng.sample(range(200_000, 999_999), CODES + 3)]
    for number, pin in enumerate(pins[3:]):
        code = _code(device_id, number, pin)
        tx.save_code(code)
        if code.starts_at is None or code.starts_at <= NOON:
            slot, content = free.pop(0), Credential(pin=pin)
            confirmed = Confirmed(credential=content, evidence=Evidence.READ_BACK, at=NOON - DAY, revision=1)
            placed = Placement(
                access_code_id=code.access_code_id, slot=slot, confirmed=confirmed, was_on_lock=True
            )
            tx.save_placement(device_id, placed)
            tx.save_slot(device_id, Slot(slot=slot, reading=Known(content), read_at=NOON - HOUR))
    for slot in free:
        tx.save_slot(device_id, Slot(slot=slot, reading=Empty(), read_at=NOON - HOUR))
    for slot, pin in zip(MODEL.capabilities.slots, pins[:3], strict=False):
        reading = Known(Credential(pin=pin))
        theirs = Slot(slot=slot, reading=reading, read_at=NOON - HOUR, unmanaged_id=f"u {device_id} {slot}")
        tx.save_slot(device_id, replace(theirs, unmanaged_since=NOON - DAY))


def _code(device_id: str, number: int, pin: Pin) -> AccessCode:
    """Return a code: ten are ongoing, five end in days, five begin in days."""
    asked = NOON - 30 * DAY + number * timedelta(minutes=1)
    starts_at = None if number < CODES // 2 else NOON + (number - 15) * DAY + HOUR
    return AccessCode(
        access_code_id=f"code {device_id} {number:02}",
        device_id=device_id,
        name=f"Guest {number}",
        pin=pin,
        created_at=asked,
        updated_at=asked,
        starts_at=starts_at,
        ends_at=None if starts_at is None else starts_at + 7 * DAY,
    )


async def _restart(folder: Path, policies: dict[str, LockPolicy], took: list[float]) -> None:
    """Start as the daemon does, up to the first plan of every lock; note the processor time."""
    with _noted(took):
        store = await SqliteStore.open(folder, Vault(KEY))
        engine = await _started(store, policies)
        for device_id in policies:
            turned = await engine.shop.turn(device_id)
            assert turned.step is None
    await store.close()


async def _started(store: SqliteStore, policies: dict[str, LockPolicy]) -> Engine:
    clock, ids = HandClock(), itertools.count(1)
    guard = ClockGuard(clock, ClockSettings())
    chance = Chance(new_id=lambda: f"id-{next(ids)}", jitter=lambda: 0.0, randbelow=Random(1).randrange)
    rules = Rules(timing=Timing(), removals_after_step=3, next_audit=lambda _cron, now: now + DAY)
    engine = Engine(
        store=store,
        clock=clock,
        guard=guard,
        rules=rules,
        chance=chance,
        drivers={"none": BenchDriver(SimulatedLock(MODEL))},
        policies=policies,
        told=lambda _: None,
    )
    await engine.start()
    return engine


async def _asked(desk: CommandDesk, verb: str, took: list[float], **asked: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Give a command as bytes and note what it took until its reply is bytes again."""
    body = msgspec.json.encode({"transaction": verb, **asked})
    with _noted(took):
        answer = await desk.execute("me", verb, body)
    reply: dict[str, Any] = msgspec.json.decode(answer)
    assert reply["status"] == "ok", reply["error"]
    data: dict[str, Any] = reply["data"]
    return data


@contextmanager
def _noted(took: list[float]) -> Iterator[None]:
    began = time.process_time()
    yield
    took.append(time.process_time() - began)
