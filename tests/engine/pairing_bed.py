"""A hub with a lock that must be paired, and a driver that pairs it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from drivers.simulated.models import READABLE, Model
from gateway.domain.driver import PairingFailed, Progress
from gateway.engine.keyring import StoredKeys
from tests.engine.bench import Bench, BenchDriver

PIN = "97531864"
KEYS = b"keys"


class PairingDriver(BenchDriver):
    """A driver whose lock must be paired. It repeats everything it was given, as no driver should."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench.lock)
        self.keyring = StoredKeys(bench.store)
        self.failure: Exception | None = None
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.asked_again: list[str] = []

    def ask_again(self, device_id: str) -> None:
        self.asked_again.append(device_id)

    async def pair(self, device_id: str, given: Mapping[str, str], progress: Progress) -> None:
        await progress("hold the button for five seconds", 120.0)
        await progress(f"got {sorted(given.values())} and {given}")
        await self.go_on.wait()
        if self.failure is not None:
            raise self.failure
        await self.keyring.save(device_id, KEYS)

    async def unpair(self, device_id: str) -> None:
        if self.failure is not None:
            raise self.failure
        await self.keyring.forget(device_id)


class BrokeOff(PairingFailed):
    """The lock took its keys; what was left to do failed."""

    has_keys = True


@asynccontextmanager
async def unpaired(model: Model = READABLE) -> AsyncIterator[tuple[Bench, PairingDriver]]:
    """Run a hub with a lock that was never paired."""
    bench = Bench(model)
    driver = bench.driver = PairingDriver(bench)
    bench.boot()
    await bench.engine.start()
    running = asyncio.ensure_future(bench.engine.pairings.run())
    try:
        yield bench, driver
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        bench.store.close()


async def until(done: Callable[[], bool]) -> None:
    """Let others work until something came about."""
    for _ in range(100):
        if done():
            return
        await asyncio.sleep(0)
    raise AssertionError("it did not come about")


async def attempt(bench: Bench, begun: dict[str, Any]) -> dict[str, Any]:
    """Return how the attempt that a reply names has ended."""
    attempt_id = begun["action_attempt"]["action_attempt_id"]

    def ended() -> bool:
        found = bench.store.do(lambda tx: tx.attempt(attempt_id))
        return found is not None and found.status != "pending"

    await until(ended)
    found: dict[str, Any] = await bench.do("action_attempts/get", action_attempt_id=attempt_id)
    return dict(found["action_attempt"])


def told(bench: Bench) -> list[tuple[str, str | None]]:
    """Return events with their words."""
    stored = bench.store.do(lambda tx: tx.undelivered(1000))
    return [(one.event.event_type, one.event.payload.get("message")) for one in stored]
