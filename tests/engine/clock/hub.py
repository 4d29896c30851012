"""A hub that can be switched off, whose clocks are set by hand."""

from datetime import datetime

from gateway.engine.clock_guard import ClockGuard, ClockSettings
from tests.engine.bench import HandClock, MemoryStore


class Hub:
    """A clock, its guard, and the memory that outlives both."""

    def __init__(self, store: MemoryStore, settings: ClockSettings | None = None) -> None:
        self.clock = HandClock()
        self.store = store
        self._settings = settings or ClockSettings()
        self.guard = ClockGuard(self.clock, self._settings)

    def persist(self, *, now: bool = True) -> str | None:
        """Store the lower bound; return what is stored."""
        self.store.do(lambda tx: self.guard.persist(tx, now=now))
        return self.store.do(lambda tx: tx.meta("clock_floor"))

    def reboot(self, wall: datetime, *, synced: bool) -> None:
        """Start the machine anew, with that wall clock."""
        self.clock.reboot(wall)
        self.clock.synced = synced
        self.restart()

    def restart(self) -> None:
        """Start the process anew; the boot-time clock runs on."""
        self.guard = ClockGuard(self.clock, self._settings)
        self.store.do(self.guard.load)

    def trust(self) -> None:
        """Say that the wall clock is right."""
        self.store.do(self.guard.save_trust)
        self.guard.trust()
