"""One lock of the simulated kind with a whole hub behind it, on memory that leaves no trace.

Time stands still unless a test moves it; the radio fails where a test says so. Everything between is real.
"""

import itertools
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from drivers.simulated.lock import SimulatedLock
from drivers.simulated.models import READABLE, Model
from gateway.domain.credential import Credential, Evidence, Reading, SlotRef
from gateway.domain.driver import AuthorityUp, ClockChecked, EventSink, LockEvent, LockSeen, Session, Written
from gateway.domain.lock import LockPolicy, Readback
from gateway.domain.pin import Pin
from gateway.domain.placement import Snapshot
from gateway.domain.store import StorageFailed, Tx
from gateway.domain.timing import Timing
from gateway.engine.clock_guard import ClockGuard, ClockSettings
from gateway.engine.commands.desk import CommandDesk
from gateway.engine.engine import Engine
from gateway.engine.plan import Plan
from gateway.engine.turn import Rules, plan_for
from gateway.engine.work import Chance
from gateway.engine.worker import Worker
from storage.sqlite import open_database, run_unit
from storage.vault import Vault
from tests.engine.build import DAY, DOOR, IDENTITY, NOON, POLICY

KEY = bytes(range(32))


class HandClock:
    """`gateway.domain.clock.Clock` moved by hand; sleeping moves it too, and calls `slept`."""

    def __init__(self) -> None:
        self.wall = NOON
        self.booted = 1000.0
        self.boots = 1
        self.synced = True
        self.slept: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return self.wall

    def boot(self) -> float:
        return self.booted

    def boot_id(self) -> str:
        return f"boot {self.boots}"

    def synchronised(self) -> bool:
        return self.synced

    async def sleep(self, seconds: float) -> None:
        self.pass_by(timedelta(seconds=seconds))
        self.slept()

    def pass_by(self, span: timedelta) -> None:
        """Let time go on by both clocks."""
        self.wall += span
        self.booted += span.total_seconds()

    def jump(self, span: timedelta) -> None:
        """Set the wall clock alone."""
        self.wall += span

    def reboot(self, wall: datetime) -> None:
        """Start anew at that wall-clock time."""
        self.boots += 1
        self.booted = 1.0
        self.wall = wall


class MemoryStore:
    """`gateway.domain.store.Store` on the real storage logic, in memory."""

    def __init__(self) -> None:
        nonces = itertools.count()
        self._connection = open_database(":memory:")
        self._vault = Vault(KEY, nonce=lambda: next(nonces).to_bytes(12))
        self._kept: dict[str, Snapshot] = {}
        self.failing = False

    async def run[T](self, unit: Callable[[Tx], T]) -> T:
        return self.do(unit)

    def do[T](self, unit: Callable[[Tx], T]) -> T:
        """Carry out a unit without a loop."""

        def attempt(tx: Tx) -> T:
            result = unit(tx)
            if self.failing:
                raise StorageFailed("the disk is full")
            return result

        return run_unit(self._connection, self._vault, attempt, self._kept)

    def watch(self, note: Callable[[str], object] | None) -> None:
        """Tell `note` of every statement from now on, as after a start: nothing that was read is kept."""
        self._kept.clear()
        self._connection.set_trace_callback(note)

    def dump(self) -> list[str]:
        """Return everything stored, as SQL: to compare, and to search for what must not be there."""
        return list(self._connection.iterdump())

    def copy(self) -> sqlite3.Connection:
        """Return all of it as it is now, as a backup does."""
        copy = sqlite3.connect(":memory:")
        self._connection.backup(copy)
        return copy

    def put_back(self, copy: sqlite3.Connection) -> None:
        """Have everything as it was when the copy was made."""
        copy.backup(self._connection)
        self._kept.clear()

    def close(self) -> None:
        """Give the memory back."""
        self._connection.close()


type Fault = tuple[str, Exception]
"""When (`before` or `after` the lock did it), and what the hub is told."""


class BenchDriver:
    """`gateway.domain.driver.Driver` of one `SimulatedLock`; `faults` are used up one per operation."""

    def __init__(self, lock: SimulatedLock) -> None:
        self.lock = lock
        self.operations: list[tuple[str, SlotRef | None]] = []
        self.faults: list[Fault | None] = []
        self.meanwhile: dict[tuple[str, SlotRef | None], Callable[[], object]] = {}
        """What somebody does at the door right after an operation, once."""
        self.closed: Exception | None = None
        self.sink: EventSink | None = None

    async def run(self, sink: EventSink) -> None:
        self.sink = sink

    @asynccontextmanager
    async def session(self, device_id: str) -> AsyncIterator[Session]:
        assert device_id == DOOR
        if self.closed is not None:
            raise self.closed
        yield self

    async def read(self, slot: SlotRef) -> Reading:
        return self._operate("read", slot, lambda: self.lock.read(slot))

    async def read_all(self) -> Mapping[SlotRef, Reading]:
        return self._operate("list", None, self.lock.read_all)

    async def probe(self) -> str:
        return self._operate("probe", None, self.lock.checksum)

    async def write(
        self, slot: SlotRef | None, credential: Credential, *, replaces: Credential | None
    ) -> Written:
        del replaces
        return self._written(self._operate("write", slot, lambda: self.lock.write(slot, credential)))

    async def clear(self, slot: SlotRef, *, holds: Credential | None) -> Written:
        del holds
        self._operate("clear", slot, lambda: self.lock.clear(slot))
        return self._written(slot)

    def _written(self, slot: SlotRef) -> Written:
        can = self.lock.model.capabilities
        if can.supervised:
            return Written(slot=slot, evidence=Evidence.ACCEPTED)
        reading = None if can.readback is Readback.NONE else self.lock.read(slot)
        return Written(slot=slot, evidence=Evidence.SENT, reading=reading)

    def _operate[T](self, kind: str, slot: SlotRef | None, effect: Callable[[], T]) -> T:
        self.operations.append((kind, slot))
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None and fault[0] == "before":
            raise fault[1]
        result = effect()
        self.meanwhile.pop((kind, slot), lambda: None)()
        if fault is not None:
            raise fault[1]
        return result

    def taken(self, *kinds: str) -> list[tuple[str, SlotRef | None]]:
        """Return the operations so far, of these kinds, and forget all."""
        found = [operation for operation in self.operations if not kinds or operation[0] in kinds]
        self.operations.clear()
        return found


class Bench:
    """A hub with one lock."""

    def __init__(
        self,
        model: Model = READABLE,
        *,
        policy: LockPolicy = POLICY,
        timing: Timing | None = None,
        clock_policy: ClockSettings | None = None,
    ) -> None:
        self.clock = HandClock()
        self.store = MemoryStore()
        self.lock = SimulatedLock(model)
        self.driver = BenchDriver(self.lock)
        self.policy = policy
        self.configured = True
        self.driver_names: tuple[str, ...] = ("bench",)
        self.told: list[str] = []
        ids = itertools.count(1)
        self._chance = Chance(
            new_id=lambda: f"id-{next(ids)}", jitter=lambda: 0.0, randbelow=lambda n: next(ids) * 7 % n
        )
        self._rules = Rules(
            timing=timing or Timing(), removals_after_step=3, next_audit=lambda _cron, now: now + DAY
        )
        self._clock_policy = clock_policy or ClockSettings()
        self.boot()

    def boot(self) -> None:
        """Start the process anew on what is stored."""
        self.guard = ClockGuard(self.clock, self._clock_policy)
        self.engine = Engine(
            store=self.store,
            clock=self.clock,
            guard=self.guard,
            rules=self._rules,
            chance=self._chance,
            drivers=dict.fromkeys(self.driver_names, self.driver),
            policies={DOOR: self.policy} if self.configured else {},
            told=self.told.append,
        )
        self.worker = Worker(DOOR, self.engine.shop, self.driver, self.told.append)
        self.desk = CommandDesk(self.engine, self.told.append)
        self._numbers = itertools.count(1)

    def seen(self, **identity: str) -> LockSeen:
        """Return what the driver tells when it finds the lock."""
        return LockSeen(
            device_id=DOOR,
            identity=replace(IDENTITY, product=self.lock.model.name, **identity),
            capabilities=self.lock.model.capabilities,
        )

    async def start(self) -> None:
        """Start, find the lock, and look at all of it."""
        await self.engine.start()
        await self.engine.handle(AuthorityUp(device_ids=(DOOR,)))
        await self.engine.handle(self.seen())
        if self.lock.model.capabilities.schedule_zone is not None:
            await self.engine.handle(ClockChecked(device_id=DOOR, off_by=timedelta(0)))
        await self.settle()
        self.driver.operations.clear()

    async def tell(self, event: LockEvent) -> None:
        """Let the lock report something, and the hub do what follows at once."""
        await self.engine.handle(event)
        await self.worker.reconcile()

    async def settle(self, span: timedelta = timedelta(0)) -> datetime | None:
        """Work now and whenever due within `span`; return when the hub wants to look again."""
        until = self.clock.wall + span
        due = await self.worker.reconcile()
        while due is not None and due <= until:
            self.clock.pass_by(due - self.clock.wall)
            due = await self.worker.reconcile()
        self.clock.pass_by(until - self.clock.wall)
        return await self.worker.reconcile() if span else due

    async def ask(self, verb: str, *, client: str = "me", **params: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Give a command under a fresh transaction and return the whole reply."""
        body = {"transaction": f"t-{self.clock.boots}-{next(self._numbers)}", **params}
        return await self.send(verb, msgspec.json.encode(body), client=client)

    async def send(self, verb: str, body: bytes, *, client: str = "me") -> dict[str, Any]:
        """Give any bytes as a command."""
        reply: dict[str, Any] = msgspec.json.decode(await self.desk.execute(client, verb, body))
        return reply

    async def do(self, verb: str, **params: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Give a command that must succeed; return its data."""
        reply = await self.ask(verb, **params)
        assert reply["status"] == "ok", reply["error"]
        data: dict[str, Any] = reply["data"]
        return data

    async def create(self, pin: str | None = None, **params: Any) -> str:  # noqa: ANN401 - JSON
        """Create a code on the lock; return its id."""
        asked = params if pin is None else {"code": pin, **params}
        shown = await self.do("access_codes/create", device_id=DOOR, **asked)
        return str(shown["access_code"]["access_code_id"])

    async def shown(self, code_id: str) -> dict[str, Any]:
        """Return the access code object."""
        found: dict[str, Any] = (await self.do("access_codes/get", access_code_id=code_id))["access_code"]
        return found

    def snap(self) -> Snapshot:
        """Return the facts."""
        found = self.store.do(lambda tx: tx.snapshot(DOOR))
        assert found is not None
        return found

    def plan(self) -> Plan:
        """Return what the hub would do now."""
        return plan_for(self.snap(), self.guard.view(), self._rules)

    def issues(self) -> set[str]:
        """Return the codes of what stands in the way now."""
        return {issue.code for issue in self.store.do(lambda tx: tx.issues(DOOR))}

    def events(self) -> list[str]:
        """Return the types of the events told since the last call, in order."""
        stored = self.store.do(lambda tx: tx.undelivered(1000))
        self.store.do(lambda tx: tx.mark_delivered([event.seq for event in stored], self.clock.wall))
        return [event.event.event_type for event in stored]

    def on_lock(self) -> dict[SlotRef, str]:
        """Return the PINs that are really on the lock."""
        return {slot: credential.pin.reveal() for slot, credential in self.lock.slots.items()}

    def by_hand(self, slot: SlotRef | None, pin: str, **content: Any) -> SlotRef:  # noqa: ANN401 - see SimulatedLock
        """Store a PIN at the keypad."""
        return self.lock.set_code(slot, Pin(pin), **content)
