"""What befalls a world now and then: outages, wipes, other locks, and clocks that lose the time."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from gateway.domain.driver import AuthorityLost
from storage.sqlite import run_unit
from tests.simulation.doors import Door

if TYPE_CHECKING:
    from tests.simulation.world import World


class Weather:
    """Everything that nobody asked for."""

    def __init__(self, world: "World") -> None:
        """Blow through `world`."""
        self._world = world

    async def run(self) -> None:
        """Let big things happen now and then."""
        world = self._world
        while True:
            await asyncio.sleep(world.rng.expovariate(1 / 7200))
            what = world.rng.choice(
                ("dead", "wipe", "broker", "authority", "refusing", "clock", "dead", "replace", "lock clock")
            )
            door = world.rng.choice(list(world.doors.values()))
            if what == "dead":
                world.kill(door)
            elif what == "wipe":
                world.wipe(door)
            elif what == "broker" and world.broker_up:
                await self._broker_outage()
            elif what == "authority" and world.authority_up:
                await self._authority_outage()
            elif what == "replace" and world.rng.random() < 0.1:
                self._replace(door)
            elif what == "refusing":
                door.refusing = True
                world.rules.trouble(door)
                world.note(f"{door.device_id} refuses all writes")
                world.later(world.rng.uniform(60, 7200), door.relent)
            elif what == "clock" and world.rng.random() < 0.4:
                await self._lose_clock()
            elif what == "lock clock":
                self._wrong_clock(door)

    def _replace(self, door: Door) -> None:
        """Put another lock behind the same address; a person notices hours later."""
        world = self._world
        snap = run_unit(world.connection, world.vault, lambda tx: tx.snapshot(door.device_id))
        if door.replaced_at is not None or snap is None or snap.device.identity is None:
            return  # To a hub that never saw one, it would be the first.
        world.wipe(door)
        world.rules.doubt(door, None)
        world.fate.counts["lock replaced"] += 1
        door.identity = msgspec.structs.replace(door.identity, serial=str(world.rng.randrange(10**6)))
        door.replaced_at = world.now()
        world.note(f"another lock is behind {door.device_id}")
        world.tell(world.seen(door))
        world.later(world.rng.uniform(600, 6 * 3600), lambda: world.people.accept_replacement(door))

    async def _broker_outage(self) -> None:
        world = self._world
        world.broker_up = False
        if world.hub is not None:
            world.hub.link.went()
        world.fate.counts["broker outage"] += 1
        world.note("the broker is away")
        await asyncio.sleep(world.rng.uniform(60, 30 * 3600 if world.rng.random() < 0.1 else 3600))
        self.broker_back()

    def broker_back(self) -> None:
        """Bring the broker back."""
        self._world.broker_up = True
        if self._world.hub is not None:
            self._world.hub.link.came()

    async def _authority_outage(self) -> None:
        world = self._world
        world.authority_up = False
        world.fate.counts["server outage"] += 1
        world.note("the server is away")
        if world.hub is not None:
            world.hub.driver.post(AuthorityLost(device_ids=tuple(world.doors)))
        await asyncio.sleep(world.rng.uniform(10, 1800))
        self.authority_back()

    async def _lose_clock(self) -> None:
        """Cut the power of a hub without clock chip: it comes back with a stale time."""
        world = self._world
        world.fate.counts["clock lost"] += 1
        world.clock.synced = False
        world.clock.boots += 1
        world.clock.offset = timedelta(seconds=world.rng.choice((-86400 * 20, -3600, 0, 3600, 86400 * 20)))
        world.note(f"the clock is lost, off by {world.clock.offset}")
        if world.hub is not None:
            world.hub.process.die()
        await asyncio.sleep(world.rng.uniform(600, 12 * 3600))
        world.clock.offset = timedelta(0)
        world.clock.synced = True
        world.clock_since = world.now()
        world.note("the clock is right again")

    def authority_back(self) -> None:
        """Bring the server back, and let the driver tell what it finds."""
        world = self._world
        world.authority_up = True
        for door in world.doors.values():
            world.rules.trouble(door)
        world.note("the server is back")
        if world.hub is not None:
            world.introduce(world.hub.driver)

    def _wrong_clock(self, door: Door) -> None:
        """Let a lock's own clock go wrong; the driver notices, and hours later it is right again."""
        world = self._world
        if not door.keeps_windows or door.clock_off:
            return
        world.fate.counts["lock clock wrong"] += 1
        self.set_clock(door, timedelta(seconds=world.rng.choice((-7200, -200, 60, 300, 86400))))
        world.later(world.rng.uniform(600, 6 * 3600), lambda: self.set_clock(door, timedelta(0)))

    def set_clock(self, door: Door, off_by: timedelta) -> None:
        """Let a lock's own clock be wrong by so much, and the driver tell it."""
        if door.clock_off == off_by:
            return
        world = self._world
        door.clock_off = off_by
        world.rules.trouble(door)
        world.note(f"the clock of {door.device_id} is off by {off_by}")
        if not door.dead and not world.touches.is_asleep(door):
            world.tell(world.clock_of(door))
