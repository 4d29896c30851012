"""Runs the gateway with a part that gets stuck on SIGUSR1: `python -m tests.daemon.with_wedge CONFIG PART`.

PART is `database` (its thread), `worker` (an operation on a lock never ends), `broker` (nor does publishing
an event), `timer` (no sleep ends), `loop` or `nothing`. The limits are shorter than the product's, which has
no such switches.
"""

import asyncio
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from drivers.simulated.driver import SimulatedDriver
from gateway import logs
from gateway.config import load
from gateway.daemon import run_until_signalled, serve
from gateway.domain.driver import Session
from gateway.domain.pulse import Limits
from gateway.mqtt.link import Link
from gateway.system_clock import SystemClock
from storage.data_dir import DataDirectory
from storage.store import SqliteStore
from storage.vault import Vault

LIMITS = Limits(memory_s=1.0, broker_s=3.0, radio_s=1.0, timer_s=2.0)


class Wedge:
    """Gets the part stuck, for good."""

    def __init__(self, part: str) -> None:
        self._part = part
        self._store: SqliteStore | None = None
        self._hangs = False
        make, session = SqliteStore.__init__, SimulatedDriver.session
        publish, sleep = Link.publish, SystemClock.sleep

        def made(
            store: SqliteStore, data_dir: DataDirectory, vault: Vault, boot: Callable[[], float]
        ) -> None:
            make(store, data_dir, vault, boot)
            self._store = store
            asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self.drive)

        @asynccontextmanager
        async def hanging(driver: SimulatedDriver, device_id: str) -> AsyncIterator[Session]:
            if self._hangs and self._part == "worker":
                await asyncio.Event().wait()
            async with session(driver, device_id) as one:
                yield one

        async def publishing(link: Link, topic: str, payload: bytes, **more: Any) -> None:  # noqa: ANN401 - theirs
            if self._hangs and "/event/" in topic:
                await asyncio.Event().wait()
            await publish(link, topic, payload, **more)

        async def sleeping(clock: SystemClock, seconds: float) -> None:
            if self._hangs:
                await asyncio.Event().wait()
            await sleep(clock, seconds)

        if self._part == "broker":
            Link.publish = publishing  # type: ignore[method-assign,assignment]
        if self._part == "timer":
            SystemClock.sleep = sleeping  # type: ignore[method-assign,assignment]
        SqliteStore.__init__ = made  # type: ignore[method-assign,assignment]
        SimulatedDriver.session = hanging  # type: ignore[method-assign,assignment]

    def drive(self) -> None:
        """Do it."""
        if self._part == "loop":
            threading.Event().wait()
        if self._part == "database" and self._store is not None:
            self._store._thread.submit(threading.Event().wait)
        self._hangs = True


def main() -> None:
    """Run until signalled."""
    config, part = sys.argv[1:]
    Wedge(part)
    logs.set_up({})
    run_until_signalled(serve(load(Path(config), {}), limits=LIMITS))


if __name__ == "__main__":
    main()
