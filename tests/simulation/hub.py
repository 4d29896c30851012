"""One life of the hub: the real engine, desk and outbox order, on simulated memory, radio and broker."""

import asyncio
import contextlib
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from gateway.domain.lock import LockPolicy
from gateway.domain.store import StorageFailed, Tx
from gateway.engine.clock_guard import ClockGuard, ClockSettings
from gateway.engine.commands.desk import CommandDesk
from gateway.engine.engine import Engine
from gateway.engine.turn import Rules
from gateway.engine.work import Chance
from gateway.schedule import next_audit
from tests.simulation.crash import Died, Process
from tests.simulation.memory import SimStore
from tests.simulation.radio import SimDriver

if TYPE_CHECKING:
    from tests.simulation.world import World

UTC_ZONE = ZoneInfo("UTC")


class Hub:
    """A running hub. `run` returns when it died."""

    def __init__(self, world: "World", number: int) -> None:
        """Boot on the world's disk."""
        self.process = Process(number)
        self._world = world
        store = SimStore(world.connection, world.vault, self.process, world.fate, world.rules.doubt_recent)
        chance = Chance(new_id=world.new_id, jitter=world.hub_rng.random, randbelow=world.hub_rng.randrange)
        self.guard = ClockGuard(world.clock, ClockSettings(untrusted_policy=world.clock_policy))
        self.driver = SimDriver(world, self.process)
        self._news = asyncio.Event()
        rules = Rules(
            timing=world.timing,
            removals_after_step=3,
            next_audit=lambda cron, now: next_audit(cron, now, UTC_ZONE),
        )
        self.engine = Engine(
            store=store,
            clock=world.clock,
            guard=self.guard,
            rules=rules,
            chance=chance,
            drivers={"sim": self.driver},
            policies={
                door.device_id: LockPolicy(name=door.device_id, driver="sim", on_wipe=door.on_wipe)
                for door in world.doors.values()
            },
            told=lambda _device_id: self._news.set(),
            clock_period=world.clock_period,
        )
        self.desk = CommandDesk(self.engine, lambda _device_id: self._news.set())
        self._store = store

    async def run(self) -> None:
        """Live until death."""
        with contextlib.suppress(Died, asyncio.CancelledError):
            while True:
                try:
                    await self.engine.start()
                    break
                except StorageFailed:
                    await asyncio.sleep(5)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self.engine.run())
                    group.create_task(self._deliver())
            except BaseExceptionGroup as deaths:
                _, other = deaths.split((Died, asyncio.CancelledError))
                if other is not None:
                    raise other from None

    async def _deliver(self) -> None:
        """Hand events to the broker in order, marking them only after its acknowledgement."""
        while True:
            self._news.clear()
            try:
                await self._deliver_all()
            except StorageFailed:
                await asyncio.sleep(5)
                continue
            if self._world.broker_up:
                await self._news.wait()
            else:
                await asyncio.sleep(20)

    async def _deliver_all(self) -> None:
        if not self._world.connection.execute(_NEWS).fetchone():
            return  # a unit that finds nothing attacks nothing
        while events := await self._store.run(lambda tx: tx.undelivered(20)):
            taken = []
            for stored in events:
                await asyncio.sleep(0.002)
                self.process.check()
                if not self._world.broker.receive(stored, up=self._world.broker_up):
                    break  # the ones after it wait for it, also when the broker comes back just now
                taken.append(stored.seq)
            await self._store.run(partial(_mark, taken, self._world.clock.now()))
            if len(taken) < len(events):
                return


_NEWS = "SELECT 1 FROM event WHERE delivered_at IS NULL LIMIT 1"


def _mark(seqs: list[int], now: datetime, tx: Tx) -> None:
    tx.mark_delivered(seqs, now)
