"""A hub with several simulated locks, on memory that leaves no trace."""

import itertools
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from msgspec.structs import replace

from drivers.simulated.lock import SimulatedLock
from drivers.simulated.models import Model
from gateway.domain.driver import AuthorityUp, LockEvent, LockSeen
from gateway.domain.lock import Identity, LockPolicy
from gateway.domain.store import Tx
from gateway.domain.timing import Timing
from gateway.engine.clock_guard import ClockGuard, ClockSettings
from gateway.engine.commands.desk import CommandDesk
from gateway.engine.engine import Engine
from gateway.engine.turn import Rules
from gateway.engine.work import Chance
from gateway.engine.worker import Worker
from tests.engine.bench import BenchDriver, HandClock, MemoryStore
from tests.engine.build import DAY


class _Doors(BenchDriver):
    """A driver of one of the locks; a bench knows one lock only."""

    def session(self, device_id: str) -> Any:  # noqa: ANN401 - a context manager
        del device_id
        return super().session("front-door")


class House:
    """A hub and its locks."""

    def __init__(self, models: dict[str, Model]) -> None:
        self.clock, self.store = HandClock(), MemoryStore()
        self.locks = {door: SimulatedLock(model) for door, model in models.items()}
        self.drivers = {door: _Doors(lock) for door, lock in self.locks.items()}
        ids = itertools.count(1)
        chance = Chance(
            new_id=lambda: f"id-{next(ids)}", jitter=lambda: 0.0, randbelow=lambda n: next(ids) * 7 % n
        )
        rules = Rules(timing=Timing(), removals_after_step=3, next_audit=lambda _cron, now: now + DAY)
        self.engine = Engine(
            store=self.store,
            clock=self.clock,
            guard=ClockGuard(self.clock, ClockSettings()),
            rules=rules,
            chance=chance,
            drivers=self.drivers,
            policies={
                door: LockPolicy(name=door, driver=door, pin_rules=model.capabilities.pin_rules)
                for door, model in models.items()
            },
            told=lambda _: None,
        )
        self.workers = [
            Worker(door, self.engine.shop, driver, lambda _: None) for door, driver in self.drivers.items()
        ]
        self.desk = CommandDesk(self.engine, lambda _: None)
        self._numbers = itertools.count(1)

    async def start(self, unseen: Collection[str] = ()) -> None:
        """Find the locks, but for those `unseen`, and look at all of them."""
        await self.engine.start()
        for door in self.locks:
            await self.engine.handle(AuthorityUp(device_ids=(door,)))
            if door in unseen:
                continue
            await self.engine.handle(self.seen(door))
        await self.settle()

    def seen(self, door: str) -> LockSeen:
        """Return what a lock says of itself when it is found."""
        model = self.locks[door].model
        identity = Identity(network="n", manufacturer="m", product=model.name, serial=door)
        return LockSeen(device_id=door, identity=identity, capabilities=model.capabilities)

    def set_device(self, door: str, **changes: Any) -> None:  # noqa: ANN401 - fields
        """Change what is remembered of a lock."""

        def unit(tx: Tx) -> None:
            device = tx.device(door)
            assert device is not None
            tx.save_device(replace(device, **changes))

        self.store.do(unit)

    async def tell(self, event: LockEvent) -> None:
        """Let a lock report something."""
        await self.engine.handle(event)
        await self.settle()

    async def settle(self) -> None:
        """Do on every lock what is due now."""
        for worker in self.workers:
            await worker.reconcile()

    async def ask(self, verb: str, **params: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Give a command and return the whole reply."""
        body = msgspec.json.encode({"transaction": f"t{next(self._numbers)}", **params})
        reply: dict[str, Any] = msgspec.json.decode(await self.desk.execute("me", verb, body))
        return reply

    async def do(self, verb: str, **params: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Give a command that must succeed; return its data."""
        reply = await self.ask(verb, **params)
        assert reply["status"] == "ok", reply["error"]
        data: dict[str, Any] = reply["data"]
        return data

    async def create_multiple(self, *doors: str, **params: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
        """Create a code on each of these locks."""
        done = await self.do("access_codes/create_multiple", device_ids=list(doors), **params)
        found: list[dict[str, Any]] = done["access_codes"]
        return found

    def stored(self) -> list[str]:
        """Return everything stored but the replies, as SQL: to compare."""
        return [line for line in self.store.dump() if 'INTO "reply"' not in line]

    def on_lock(self, door: str) -> list[str]:
        """Return the PINs that are really on a lock."""
        return [credential.pin.reveal() for credential in self.locks[door].slots.values()]


@asynccontextmanager
async def house(unseen: Collection[str] = (), /, **models: Model) -> AsyncIterator[House]:
    """Run a hub with these locks, of which nobody has heard those `unseen` yet."""
    it = House(models)
    await it.start(unseen)
    try:
        yield it
    finally:
        it.store.close()
