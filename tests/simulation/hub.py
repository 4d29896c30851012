"""One life of the hub: the real engine, desk, intake and outbox, on simulated memory, radio and link."""

import asyncio
import contextlib
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

from gateway.domain.lock import LockPolicy
from gateway.domain.store import StorageFailed
from gateway.engine.clock_guard import ClockGuard, ClockSettings
from gateway.engine.commands.desk import CommandDesk
from gateway.engine.engine import Engine
from gateway.engine.turn import Rules
from gateway.engine.work import Chance
from gateway.mqtt.health import Health
from gateway.mqtt.intake import Intake
from gateway.mqtt.link_connection import Incoming
from gateway.mqtt.link_errors import NotStored
from gateway.mqtt.outbox import Outbox
from gateway.mqtt.own_events import OwnEvents
from gateway.mqtt.topics import Topics
from gateway.schedule import next_audit
from tests.simulation.crash import Died, Process
from tests.simulation.link import REQUESTS, ROOT, SimLink
from tests.simulation.memory import SimStore
from tests.simulation.radio import SimDriver

if TYPE_CHECKING:
    from gateway.mqtt.link import Link
    from tests.simulation.world import World

UTC_ZONE = ZoneInfo("UTC")
SMALL = 30
"""Events that a hub with a small outbox keeps for a broker that is away."""


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
        self.link = SimLink(world, self.process)
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
            told=lambda _device_id: self.outbox.wake(),
            clock_period=world.clock_period,
        )
        topics, health = Topics(ROOT), Health(world.clock, dict)
        own_events = OwnEvents("hub", world.clock.now, world.new_id)
        link = cast("Link", self.link)
        limit = SMALL if world.has("small outbox") else 10_000
        self.outbox = Outbox(
            link, store, topics, health, own_events=own_events, limit=limit, clock=world.clock
        )
        desk = CommandDesk(self.engine, lambda _device_id: self.outbox.wake())
        self._intake = Intake(
            link,
            desk,
            store,
            topics,
            health,
            own_events=own_events,
            max_payload_bytes=65_536,
            clock=world.clock.boot,
        )
        self._one_at_a_time = asyncio.Lock()
        self._commands = 0

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
                    group.create_task(self.outbox.run())
                    group.create_task(self._every_minute())
            except BaseExceptionGroup as deaths:
                _, other = deaths.split((Died, asyncio.CancelledError))
                if other is not None:
                    raise other from None

    async def _every_minute(self) -> None:
        """Do what the daemon does each minute: make room for events, and look for those nobody told of."""
        while True:
            with contextlib.suppress(StorageFailed):
                await self.outbox.trim()
                await self._intake.trim()
            self.outbox.wake()
            await asyncio.sleep(60 if self._world.has("small outbox") else 600)

    async def command(self, verb: str, body: bytes) -> bytes | None:
        """Hand in a command as the link does, one at a time; None when no answer came. Raises Died."""
        self._commands += 1
        mark = str(self._commands).encode()
        topic = f"{REQUESTS}client/{verb}"
        async with self._one_at_a_time:
            self.process.check()
            with contextlib.suppress(NotStored):  # the broker sends it again, as the client does here
                await self._intake.handle(Incoming(topic, body, retain=False, correlation_data=mark))
        self.process.check()
        return self.link.answers.pop(mark, None)
