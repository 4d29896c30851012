"""A running simulated driver, and what it tells."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from drivers.simulated.driver import SimulatedDriver
from drivers.simulated.settings import SimulatedLockSettings, SimulatedSettings
from gateway.domain.driver import LockEvent
from tests.simulated.clock import StoppedClock


class Recorder:
    """Keeps every event in order."""

    def __init__(self) -> None:
        self.events: list[LockEvent] = []

    async def handle(self, event: LockEvent) -> None:
        """Keep the event."""
        self.events.append(event)

    def take(self) -> list[LockEvent]:
        """Return the events since the last time."""
        events, self.events = self.events, []
        return events


class Running:
    """A driver with its locks in `directory`; `look` makes it look at the files once."""

    def __init__(self, data: Path, locks: Mapping[str, SimulatedLockSettings]) -> None:
        self.directory = data / "simulated"
        self.clock = StoppedClock()
        self.sink = Recorder()
        self.driver = SimulatedDriver(SimulatedSettings(), locks, clock=self.clock, directory=data)

    async def look(self) -> list[LockEvent]:
        """Let the driver look once; return what it told since the last time."""
        await self.clock.beat()
        return self.sink.take()


@asynccontextmanager
async def running(data: Path, locks: Mapping[str, SimulatedLockSettings]) -> AsyncIterator[Running]:
    """Run a driver until the block ends; it has told who is there when the block begins."""
    async with again(Running(data, locks)) as bench:
        yield bench


@asynccontextmanager
async def again(bench: Running) -> AsyncIterator[Running]:
    """Run a driver that ran before."""
    bench.clock.start()
    task = asyncio.create_task(bench.driver.run(bench.sink))
    try:
        await bench.clock.until_asleep()
        yield bench
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
