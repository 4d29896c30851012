"""Signs of life: who watches over the hub learns which of its tasks no longer turns.

Each task has a `Beat` and says what it begins. Sleeping and waiting for a broker, a server or an adapter that
is away are life too; what counts as stuck is only work that should have ended by itself, or a timer that
should have gone off.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec import Struct


class Limits(Struct, frozen=True, kw_only=True):
    """Seconds after which work that has not ended counts as stuck.

    Far beyond what slow hardware takes: the only remedy is to start everything anew.
    """

    memory_s: float = 300.0
    """One unit in the database, with those that stand before it. Worn cards and large cleanings take long."""
    broker_s: float = 600.0
    """One exchange with the broker: connecting may wait for every name server in turn."""
    radio_s: float = 7_200.0
    """One operation on a lock. It may stand in line behind a pairing and the logs of other locks."""
    timer_s: float = 120.0
    """How late a sleeper may wake up."""


class Beat:
    """The sign of life of one task. One that nobody watches costs nothing."""

    def __init__(self, time: Callable[[], float] = lambda: 0.0, limits: Limits | None = None) -> None:
        """Count in the seconds of `time`, which must stand still while the machine sleeps."""
        self._time = time
        self._limits = limits or Limits()
        self._due: float | None = None
        self._doing = ""

    def idle(self) -> None:
        """Wait for others, for as long as it takes."""
        self._due = None

    def asleep(self, seconds: float) -> None:
        """Sleep, and wake up after so many seconds at the latest."""
        self._begin("asleep", seconds + self._limits.timer_s)

    def on_memory(self) -> None:
        """Begin a unit in the database."""
        self._begin("at the database", self._limits.memory_s)

    def on_broker(self) -> None:
        """Begin an exchange with the broker."""
        self._begin("at the broker", self._limits.broker_s)

    def on_radio(self) -> None:
        """Begin an operation on a lock."""
        self._begin("at the radio", self._limits.radio_s)

    def stuck(self) -> str | None:
        """Return in words what should have ended and since when; None while all is well."""
        late = 0.0 if self._due is None else self._time() - self._due
        return f"{self._doing}, {late:.0f} s overdue" if late > 0 else None

    def _begin(self, doing: str, seconds: float) -> None:
        self._doing, self._due = doing, self._time() + seconds


class Pulse:
    """The signs of life of all tasks, by name."""

    def __init__(self, time: Callable[[], float] = lambda: 0.0, limits: Limits | None = None) -> None:
        """Count in the seconds of `time`, which must stand still while the machine sleeps.

        Else all tasks would seem late at the moment it wakes up.
        """
        self._time = time
        self._limits = limits or Limits()
        self._beats: dict[str, Beat] = {}

    def beat(self, name: str) -> Beat:
        """Return the sign of life of that name; whoever takes a task over goes on with it."""
        return self._beats.setdefault(name, Beat(self._time, self._limits))

    @contextmanager
    def beating(self, name: str) -> Iterator[Beat]:
        """Lend the sign of life of that name to a task for as long as it runs."""
        try:
            yield self.beat(name)
        finally:
            self.drop(name)

    def drop(self, name: str) -> None:
        """Forget a task that has ended."""
        self._beats.pop(name, None)

    def stuck(self) -> dict[str, str]:
        """Return what is stuck, by name of the task, in words."""
        found = {name: beat.stuck() for name, beat in self._beats.items()}
        return {name: words for name, words in found.items() if words is not None}
