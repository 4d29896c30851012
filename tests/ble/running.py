"""A running Bluetooth driver with made-up locks, in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from drivers.ble.driver import BleDriver
from drivers.ble.family import Configured
from drivers.ble.settings import BleSettings
from gateway.domain.driver import LockEvent
from gateway.domain.pulse import Pulse
from tests.ble.tiny import TinyDoor, configured
from tests.ble_bed.backend import bleak_on
from tests.ble_bed.keyring import MemoryKeyring
from tests.ble_bed.radio import Air
from tests.ble_bed.virtual import VirtualClock

DOORS = {"front": "C0:00:00:00:00:01", "back": "C0:00:00:00:00:02", "side": "C0:00:00:00:00:03"}


class Recorder:
    """Keeps every event in order; storing takes a moment, as it does in life."""

    def __init__(self) -> None:
        self.events: list[LockEvent] = []

    async def handle(self, event: LockEvent) -> None:
        await asyncio.sleep(0.01)
        self.events.append(event)

    def take(self) -> list[LockEvent]:
        """Return the events since the last time."""
        events, self.events = self.events, []
        return events

    def taken[E](self, kind: type[E]) -> list[E]:
        """Return those of one kind, and forget all."""
        return [event for event in self.take() if isinstance(event, kind)]


class Running:
    """The driver, its locks and what it tells."""

    def __init__(
        self,
        locks: Mapping[str, Configured],
        settings: BleSettings,
        paired: Sequence[str],
        pulse: Pulse | None,
    ) -> None:
        self.air = Air()
        self.sink = Recorder()
        self.doors: dict[str, TinyDoor] = {}
        self.keyring = MemoryKeyring({name: DOORS[name].encode() for name in paired})
        self.clock = VirtualClock(asyncio.get_running_loop())
        self.driver = BleDriver(
            settings, locks, clock=self.clock, random=Random(1), keyring=self.keyring, pulse=pulse
        )

    def connects(self, name: str) -> int:
        """Return how often the driver has connected to a lock."""
        return self.air.connects.get(DOORS[name], 0)


@asynccontextmanager
async def running(
    names: Sequence[str] = ("front",),
    *,
    locks: Mapping[str, Configured] | None = None,
    settings: BleSettings | None = None,
    paired: Sequence[str] | None = None,
    heard: bool = True,
    quiet: bool = True,
    every_s: float = 0.5,
    pulse: Pulse | None = None,
    **weather: Any,  # noqa: ANN401 - attributes of the air
) -> AsyncIterator[Running]:
    """Run a driver until the block ends. With `quiet` it has done what it wants when the block begins.

    Locks advertise every `every_s` seconds: rarely in tests that take hours.
    """
    known = locks or {name: configured(name) for name in names}
    run = Running(known, settings or BleSettings(), list(known) if paired is None else paired, pulse)
    for name, value in weather.items():
        setattr(run.air, name, value)
    for name in known:
        run.doors[name] = door = await TinyDoor.hung_up(run.air, DOORS[name], heard=False)
        door.peripheral.interval_s = every_s
        if heard:
            await door.advertise()
    with bleak_on(run.air):
        task = asyncio.create_task(run.driver.run(run.sink))
        try:
            if quiet:
                await asyncio.sleep(5)
            yield run
        finally:
            task.cancel()
            await asyncio.wait({task})
