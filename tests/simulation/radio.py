"""The way to the locks, with all that goes wrong on it. `SimDriver` implements the driver contract."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from gateway.domain.credential import Credential, Empty, Evidence, Reading, SlotRef
from gateway.domain.driver import (
    AuthorityDown,
    EventSink,
    LockAsleep,
    LockEvent,
    LockUnreachable,
    NoAnswer,
    Refused,
    Session,
    Written,
)
from gateway.domain.handing_over import STORAGE_RETRY_S
from gateway.domain.lock import Readback
from gateway.domain.placement import Refusal
from gateway.domain.store import StorageFailed
from tests.simulation.crash import Process
from tests.simulation.doors import Door

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.simulation.world import World


class SimDriver:
    """One life's driver: operations on the doors of the world, and the reports they send."""

    def __init__(self, world: "World", process: Process) -> None:
        """Reach the doors of `world` for as long as `process` lives."""
        self._world = world
        self._process = process
        self._events: asyncio.Queue[LockEvent] = asyncio.Queue()

    def post(self, event: LockEvent) -> None:
        """Queue a report for the hub."""
        if self._process.alive:
            self._events.put_nowait(event)

    async def run(self, sink: EventSink) -> None:
        """Hand reports on in order, until cancelled."""
        if self._world.authority_up:
            self._world.introduce(self)
        while True:
            event = await self._events.get()
            await self._hand_over(event, sink)

    async def _hand_over(self, event: LockEvent, sink: EventSink) -> None:
        """Wait for a full disk as the drivers' `hand_over` does; all else that goes wrong ends the world."""
        while True:
            self._process.check()
            try:
                return await sink.handle(event)
            except StorageFailed:
                await asyncio.sleep(STORAGE_RETRY_S)

    @asynccontextmanager
    async def session(self, device_id: str) -> "AsyncIterator[Session]":
        """Open a door's lock."""
        self._process.check()
        door = self._world.doors[device_id]
        if self._world.touches.is_asleep(door):
            raise LockAsleep("the lock listens only after a touch")
        yield SimSession(self._world, self._process, door)


class SimSession:
    """Operations on one lock."""

    def __init__(self, world: "World", process: Process, door: Door) -> None:
        """Work on `door`."""
        self._world = world
        self._process = process
        self._door = door

    async def read(self, slot: SlotRef) -> Reading:
        """Ask for one slot."""
        reading: Reading = await self._operate("read", slot, lambda: self._door.lock.read(slot))
        self._door.saw(slot, reading, self._world.clock.true())
        if isinstance(reading, Empty):
            self._world.rules.doubt(self._door, slot)
        return reading

    async def read_all(self) -> Mapping[SlotRef, Reading]:
        """List all slots."""
        listed: dict[SlotRef, Reading] = await self._operate("list", None, self._door.lock.read_all)
        for slot in {**self._door.lock.slots, **self._door.seen, **self._door.held}:
            self._door.saw(slot, listed.get(slot, Empty()), self._world.clock.true())
        return listed

    async def probe(self) -> str:
        """Ask for the checksum."""
        return str(await self._operate("probe", None, self._door.lock.checksum))

    async def write(
        self, slot: SlotRef | None, credential: Credential, *, replaces: Credential | None
    ) -> Written:
        """Store a credential."""
        del replaces
        world, door = self._world, self._door
        world.rules.before_write(door, slot, credential)
        if slot is not None:
            door.asked_for[slot] = credential.pin

        def effect() -> SlotRef:
            if not world.fate.calm and door.refusing:
                raise Refused(Refusal.OTHER, "the lock refuses every write just now")
            stored = door.lock.write(slot, credential)
            door.by_hub(stored, world.clock.true())
            world.people.hands.awaited(door, stored)
            return stored

        try:
            with self._unanswered(slot):
                stored: SlotRef = await self._operate("write", slot, effect)
        except Refused as refused:
            if refused.reason.permanent:
                world.rules.rejected(door, credential)
            raise
        written = await self._written(stored)
        if not isinstance(written.reading, Empty):
            world.rules.written(door, stored, credential)
        return written

    async def clear(self, slot: SlotRef, *, holds: Credential | None) -> Written:
        """Empty a slot."""
        del holds
        world, door = self._world, self._door
        world.rules.before_clear(door, slot)

        def effect() -> SlotRef:
            door.lock.clear(slot)
            door.cleared_by_hub(slot, self._world.now())
            return slot

        with self._unanswered(slot):
            cleared: SlotRef = await self._operate("clear", slot, effect)
            world.rules.cleared(door, slot)
            return await self._written(cleared)

    @contextmanager
    def _unanswered(self, slot: SlotRef | None) -> "Iterator[None]":
        """Leave a masked slot to the hub after an operation of unknown effect: nobody can see whose it is."""
        try:
            yield
        except (Refused, AuthorityDown):
            raise
        except BaseException:
            if slot is not None and self._door.lock.model.masks_digits:
                self._door.held[slot] = self._world.clock.true()
            raise

    async def _written(self, slot: SlotRef) -> Written:
        """Answer as the family does: supervised, by a look of the driver's own, or not at all."""
        can = self._door.lock.model.capabilities
        if can.supervised:
            return Written(slot=slot, evidence=Evidence.ACCEPTED)
        if can.readback is Readback.NONE:
            return Written(slot=slot, evidence=Evidence.SENT)
        await asyncio.sleep(1.5)
        return Written(slot=slot, evidence=Evidence.SENT, reading=await self.read(slot))

    async def _operate[T](self, kind: str, slot: SlotRef | None, effect: Callable[[], T]) -> T:
        """Carry out one radio operation through everything that may go wrong."""
        world, door, process = self._world, self._door, self._process
        process.check()
        world.fate.maybe_die(process, "before an operation")
        if not world.authority_up:
            raise AuthorityDown("the server is away")
        can = door.lock.model.capabilities
        fault = world.fate.radio_fault(supervised=can.supervised, blind=can.readback is Readback.NONE)
        world.count(door, kind, fault)
        world.trace(
            f"{door.device_id} {kind} {slot} begins, {fault or 'no fault'}{', dead' if door.dead else ''}"
        )
        await asyncio.sleep(world.fate.rng.uniform(0.2, 1.5))
        process.check()
        world.fate.maybe_die(process, "during an operation")
        if fault == "dead_now":
            world.kill(door)
        if door.dead:
            if kind in {"write", "clear"}:
                world.rules.doubt(door, slot)
            await asyncio.sleep(8)
            process.check()
            raise LockUnreachable("the lock did not react")
        if fault is not None:
            world.rules.doubt(door, slot)
            door.asked_in_vain_since_wipe_seen += 1
            if slot is not None:
                door.uncertain.add(slot)
        result = await self._with_fault(kind, slot, effect, fault)
        process.check()
        world.fate.maybe_die(process, "after an operation")
        await asyncio.sleep(8 if fault == "slow_answer" else 0.3)
        process.check()
        world.fate.maybe_die(process, "before an answer")
        world.trace(f"{door.device_id} {kind} {slot} {type(result).__name__} {fault or 'ok'}")
        return result

    async def _with_fault[T](
        self, kind: str, slot: SlotRef | None, effect: Callable[[], T], fault: str | None
    ) -> T:
        world, door = self._world, self._door
        changes = kind in {"write", "clear"}
        if fault == "lost_request":
            raise await self._late(NoAnswer("the answer did not come"))
        if fault == "no_ack":
            raise await self._late(LockUnreachable("the lock did not react"))
        if fault == "busy" and changes:
            raise Refused(Refusal.BUSY, "the lock is busy")
        if fault == "late_effect":
            if changes:
                world.later(world.fate.rng.uniform(1, 20), lambda: world.quietly(effect))
            raise await self._late(NoAnswer("the answer did not come"))
        if fault == "false_accept" and changes and slot is not None:
            world.note(f"{door.device_id}: a lie: {kind} {slot} accepted and not done")
            door.lied(slot)
            return slot  # type: ignore[return-value]
        if fault == "false_empty" and kind == "read":
            door.lied(slot)
            return Empty()  # type: ignore[return-value]
        result = effect()
        if changes:
            world.echo(door, str(result))
        if fault == "lost_answer":
            raise await self._late(NoAnswer("the answer did not come"))
        if fault == "no_ack_applied":
            raise await self._late(LockUnreachable("the lock did not react"))
        return result

    async def _late[E: Exception](self, error: E) -> E:
        await asyncio.sleep(6)
        self._process.check()
        self._world.fate.maybe_die(self._process, "before an answer")
        return error
