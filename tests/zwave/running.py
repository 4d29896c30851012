"""A running Z-Wave driver against the bed, and what it tells."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from random import Random
from zoneinfo import ZoneInfo

from drivers.zwave.codes import Waits
from drivers.zwave.driver import ZwaveDriver
from drivers.zwave.settings import ZwaveLockSettings, ZwaveSettings
from gateway.domain.clock import Clock
from gateway.domain.driver import ClockChecked, LockEvent, LockSeen
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import MODELS, Model, NodeConfig

BERLIN = ZoneInfo("Europe/Berlin")
"""The zone of the hub, and that of the process of the server on the bed."""
PATIENCE_S = 20.0
"""Far more than anything on the bed takes: reaching it is a failure."""
SHORT = Waits(report_s=1.0, settle_s=0.5, duplicate_s=2.0)
"""Simulated locks tell at once, and the driver holds some of it back for 0.3 s."""
NODES = {
    model: NodeConfig(
        node_id=2 + place, model=model, name=f"{model} door", slots=4, serial=f"serial of {model}"
    )
    for place, model in enumerate(MODELS)
}
"""One lock of every model, with a serial number, so that nobody waits for those that have none."""


class WallClock:
    """The clocks of this machine, for attempts to connect."""

    def now(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC)

    def boot(self) -> float:
        """Return seconds of a clock that only goes forward."""
        return time.monotonic()

    def boot_id(self) -> str:
        """Return always the same boot."""
        return "this one"

    def synchronised(self) -> bool:
        """Say yes."""
        return True

    async def sleep(self, seconds: float) -> None:
        """Sleep for real."""
        await asyncio.sleep(seconds)


class CountingClock(WallClock):
    """Sleeps no time at all, and remembers how long it should have been."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self._more = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Note the wish and go on."""
        self.pauses.append(seconds)
        self._more.set()
        await asyncio.sleep(0)

    async def slept(self, times: int) -> None:
        """Wait until it was asked to sleep that often."""
        async with asyncio.timeout(20):
            while len(self.pauses) < times:
                self._more.clear()
                await self._more.wait()


class Told:
    """What the driver told, in order; a sink that can be waited at."""

    def __init__(self) -> None:
        self.events: list[LockEvent] = []
        self._more = asyncio.Event()

    async def handle(self, event: LockEvent) -> None:
        """Keep the event."""
        self.events.append(event)
        self._more.set()

    async def until(self, enough: Callable[[list[LockEvent]], bool]) -> list[LockEvent]:
        """Wait until enough has been told since the last time; return and forget that."""
        async with asyncio.timeout(PATIENCE_S):
            while not enough(self.events):
                self._more.clear()
                await self._more.wait()
        events, self.events = self.events, []
        return events

    async def one[E](self, kind: type[E]) -> E:
        """Wait for an event of a kind; return the first and forget everything told until now."""
        events = await self.until(lambda told: any(isinstance(event, kind) for event in told))
        return next(event for event in events if isinstance(event, kind))

    def forget(self) -> None:
        """Start anew."""
        self.events = []


class Running:
    """A driver in the middle of its work."""

    def __init__(self, driver: ZwaveDriver, told: Told, bed: ZwaveBed) -> None:
        self.driver = driver
        self.told = told
        self.bed = bed


def settings_for(*models: Model) -> dict[str, ZwaveLockSettings]:
    """Return settings of locks that are called like their model, and keep schedules if that says so."""
    return {
        model: ZwaveLockSettings(
            node=NODES[model].node_id,
            readback="none" if model == "write_only" else "auto",
            native_schedules=model.startswith("scheduled"),
        )
        for model in models
    }


@asynccontextmanager
async def running(
    bed: ZwaveBed,
    locks: Mapping[str, ZwaveLockSettings],
    *,
    waits: Waits = SHORT,
    clock: Clock | None = None,
    zone: ZoneInfo = BERLIN,
) -> AsyncIterator[Running]:
    """Run a driver until the block ends; when the block begins it just started."""
    settings = ZwaveSettings(url=bed.ws, reconnect_first_s=0.1, reconnect_most_s=1)
    driver = ZwaveDriver(
        settings, locks, clock=clock or WallClock(), zone=zone, random=Random(7), waits=waits
    )
    told = Told()
    task = asyncio.create_task(driver.run(told))
    try:
        yield Running(driver, told, bed)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def ready(bed: ZwaveBed, *models: Model) -> AsyncIterator[Running]:
    """Run a driver for locks of these models; at the beginning all are seen and counters at 0.

    Where they have schedules, their clocks are set too.
    """
    settings = settings_for(*models)
    clocks = sum(lock.native_schedules for lock in settings.values())
    kind, expected = (ClockChecked, clocks) if clocks > 0 else (LockSeen, len(models))
    async with running(bed, settings) as run:
        await run.told.until(lambda told: sum(isinstance(event, kind) for event in told) == expected)
        for model in models:
            await bed.reset_counters(NODES[model].node_id)
        yield run
