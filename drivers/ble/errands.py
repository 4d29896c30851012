"""What the driver itself wants from a lock: its log, and once in a while what it is and how it does.

All of it is done in the connections of the engine where there are some; only what does not wait for those
makes the driver connect by itself.
"""

from random import Random

from drivers.ble.family import Hearing
from gateway.domain.clock import Clock

DESCRIBE_EVERY_S = 86400.0
"""Between looks at clock and battery, in passing."""
LOG_IN_PASSING_S = 900.0
"""Between readings of the log in connections that are there anyway."""
CLEARED_AFTER_S = 10.0
"""Without a "changed" for so long, a lock has taken it back."""
PAUSE_FIRST_S, PAUSE_MOST_S = 60.0, 1800.0
"""After failures, doubling; also between readings of the log of a lock that goes on saying "changed"."""


class Errands:
    """What is due on one lock. Times are those of the boot-time clock."""

    def __init__(self, clock: Clock, random: Random, log_every_s: float) -> None:
        self._clock = clock
        self._random = random
        self._log_every_s = log_every_s
        self.begin_anew(unknown=False)

    def begin_anew(self, *, unknown: bool) -> None:
        """Forget all of the past: the lock was just paired, and may be another one.

        `unknown`: nobody knows what it can do, so that it must be asked before anything else.
        """
        self.unknown = unknown
        self._told_changes = False
        self._changed = False
        self._still_changed = 0
        """Readings of the log in a row after which the lock went on saying "changed"."""
        self._cleared = True
        self._flagged_at = 0.0
        self._described_at: float | None = None
        self._log_at: float | None = None
        self._describe_from = 0.0
        """When it may be asked again what it is, after it refused to tell."""
        self._started_at = self._clock.boot()
        self._failures = 0
        self._not_before = 0.0

    def heard(self, hearing: Hearing) -> None:
        """Take what an advertisement says."""
        if hearing.changed is None:
            return
        now = self._clock.boot()
        if not hearing.changed:
            # The flag of one lock may come and go within moments: a single one without it says little.
            if now - self._flagged_at > CLEARED_AFTER_S:
                self._cleared, self._still_changed = True, 0
            return
        self._told_changes, self._flagged_at = True, now
        if not self._changed:
            self._changed = True
            if not self._cleared:
                # It stands although the log was read: not every lock takes it down for everybody.
                self._still_changed += 1

    def silenced(self) -> None:
        """Note that connecting took back a "changed" that may not have been heard: the log is to be read."""
        self._changed = True

    def alive(self) -> None:
        """Forget earlier failures: there is a reason to hope."""
        self._failures, self._not_before = 0, 0.0

    def ask_again(self) -> None:
        """Let nothing wait for what failed or was refused before: a person asks for it."""
        self._describe_from = 0.0
        self.alive()

    @property
    def wants_description(self) -> bool:
        """Say whether the lock is to be asked what it is, in a connection that is there."""
        at, now = self._described_at, self._clock.boot()
        return now >= self._describe_from and (self.unknown or at is None or now - at >= DESCRIBE_EVERY_S)

    @property
    def wants_log(self) -> bool:
        """Say whether the log is to be read in a connection that is there."""
        at = self._log_at
        return self._changed or at is None or self._clock.boot() - at >= LOG_IN_PASSING_S

    @property
    def wants_something(self) -> bool:
        """Say whether there is something to do in a connection that is there."""
        return self.wants_description or self.wants_log

    def due_in(self) -> float | None:
        """Return the seconds until the driver should connect by itself; None: nothing makes it."""
        due = self._due_at()
        return None if due is None else max(0.0, max(due, self._not_before) - self._clock.boot())

    def _due_at(self) -> float | None:
        log_at = self._log_due_at()
        if not self.unknown:
            return log_at
        return self._describe_from if log_at is None else min(self._describe_from, log_at)

    def _log_due_at(self) -> float | None:
        last = self._started_at if self._log_at is None else self._log_at
        if self._changed:
            return last + self._pause(self._still_changed) if self._still_changed else 0.0
        if self._told_changes or self._log_every_s <= 0:
            return None
        return last + self._log_every_s

    def described(self) -> None:
        """Note that the lock has told what it is."""
        self.unknown, self._described_at = False, self._clock.boot()

    def description_refused(self) -> None:
        """Note that the lock did not want to tell: it is not asked again for a while."""
        self._describe_from = self._clock.boot() + PAUSE_MOST_S

    def log_read(self) -> None:
        """Note that the log was read to its end."""
        self._log_at = self._clock.boot()
        self._changed = self._cleared = False
        self.alive()

    def failed(self) -> None:
        """Wait after an attempt of the driver's own that failed, longer each time."""
        self._failures += 1
        pause = self._pause(self._failures) * self._random.uniform(0.75, 1.25)
        self._not_before = self._clock.boot() + pause

    def _pause(self, times: int) -> float:
        doubled: float = PAUSE_FIRST_S * 2.0 ** min(times - 1, 10)
        return min(doubled, PAUSE_MOST_S)
