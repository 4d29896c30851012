"""The hub's side of simulated locks: works on their files, and notices what people did to them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from drivers.simulated.session import FileSession
from drivers.simulated.settings import SimulatedLockSettings, SimulatedSettings
from drivers.simulated.watch import Watch
from gateway.domain.clock import Clock
from gateway.domain.driver import (
    AuthorityDown,
    AuthorityUp,
    EventSink,
    LockEvent,
    LockUnreachable,
    Session,
)
from gateway.domain.handing_over import hand_over
from gateway.domain.pulse import Beat

LOOK_EVERY_S = 0.3
"""Seconds between two looks at the files: quick for a person, nothing for the machine."""


class SimulatedDriver:
    """Locks in files below `directory` (the data directory, unless the settings name an absolute path).

    `locks` are the configured locks by device id.
    """

    def __init__(
        self,
        settings: SimulatedSettings,
        locks: Mapping[str, SimulatedLockSettings],
        *,
        clock: Clock,
        directory: Path,
        beat: Beat | None = None,
    ) -> None:
        """Touch nothing yet; `run` makes the files. `beat` takes the signs of life."""
        self._beat = beat or Beat()
        self._directory = directory / settings.directory
        self._watches = {
            device_id: Watch(self._directory, device_id, lock) for device_id, lock in locks.items()
        }
        self._clock = clock
        self._running = False

    async def run(self, sink: EventSink) -> None:
        """Hang up missing locks, then tell what people do to them, until cancelled."""

        async def tell(event: LockEvent) -> None:
            await hand_over(event, sink, self._clock, self._beat)

        self._running = True
        try:
            await tell(AuthorityUp(device_ids=tuple(self._watches)))
            for watch in self._watches.values():
                await watch.begin(tell)
            while True:
                self._beat.asleep(LOOK_EVERY_S)
                await self._clock.sleep(LOOK_EVERY_S)
                for watch in self._watches.values():
                    await watch.look(tell)
        finally:
            self._running = False
            self._beat.idle()

    @asynccontextmanager
    async def session(self, device_id: str) -> AsyncIterator[Session]:
        """Open one lock.

        Raises AuthorityDown while the driver does not run, LockUnreachable for a lock that it does not have.
        """
        if not self._running:
            raise AuthorityDown("the simulation does not run")
        if device_id not in self._watches:
            raise LockUnreachable("there is no such simulated lock")
        yield FileSession(self._directory, device_id)
