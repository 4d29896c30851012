"""Locks that listen only after a touch, and those who touch them."""

import random
from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.domain.driver import LockAlive
from tests.simulation.doors import Door

if TYPE_CHECKING:
    from tests.simulation.world import World

AWAKE = timedelta(seconds=15)
SELDOM_S = 1800.0
"""Between touches of a lock, on average."""
LAST_TOUCH_S = 28.0
"""Before the verdict: what fell due with the last full minute is done by then."""


class Touches:
    """Somebody comes by now and then, in the storm and in the calm."""

    def __init__(self, world: "World") -> None:
        """Walk through `world`, by dice of its own: other worlds are as they were."""
        self._world = world
        self._rng = random.Random(f"touch {world.seed}")

    def begin(self) -> None:
        """Begin to come by."""
        for door in self._world.doors.values():
            if door.sleeps:
                self._come_again(door)

    def _come_again(self, door: Door) -> None:
        def come() -> None:
            self.touch(door)
            self._come_again(door)

        self._world.later(self._rng.expovariate(1 / SELDOM_S), come)

    def is_asleep(self, door: Door) -> bool:
        """Say whether the lock can not be connected to now. Who is connected keeps it awake."""
        if not door.sleeps:
            return False
        return door.awake_until is None or door.awake_until <= self._world.now()

    def touch(self, door: Door) -> None:
        """Wake a lock. One that does not sleep, or has died, does not care."""
        if not door.sleeps or door.dead:
            return
        world = self._world
        slept = self.is_asleep(door)
        door.awake_until = world.now() + AWAKE
        if not slept:
            return
        door.touched_at = world.now()
        world.note(f"{door.device_id} is touched")
        world.fate.counts["touch"] += 1
        world.tell(LockAlive(device_id=door.device_id))
        if door.keeps_windows:
            world.tell(world.clock_of(door))
        world.rules.ends.touched(door)

    def touch_all(self) -> None:
        """Wake every lock."""
        for door in self._world.doors.values():
            self.touch(door)
