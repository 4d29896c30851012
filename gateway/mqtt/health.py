"""What the hub says about itself: counters since the start, and what is wrong at the moment."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gateway.domain.clock import Clock
from gateway.domain.store import StorageFailed
from gateway.engine.lock_views import RadioOf, no_radio
from gateway.mqtt.link import Link

_STATM = Path("/proc/self/statm")


@dataclass(frozen=True)
class ConfigurationState:
    """Where the configuration that runs differs from the file."""

    mistakes: tuple[str, ...] = ()
    """Why the file was refused when it was read again."""
    restart_needed: tuple[str, ...] = ()
    """The settings in it that count only after a restart."""


class Health:
    """Collects what `bridge/health` tells."""

    def __init__(
        self, clock: Clock, drivers: Callable[[], dict[str, Any]], radio: RadioOf = no_radio
    ) -> None:
        """Count from now on.

        `drivers` says what the drivers find wrong, as JSON, by driver; `radio` how well a lock is reached.
        """
        self.radio = radio
        self.changed: Callable[[], None] = lambda: None
        """Called when a trouble came or went; the publisher sets it."""
        self._clock = clock
        self._drivers = drivers
        self._started = clock.boot()
        self._counters: Counter[str] = Counter()
        self._storage: str | None = None
        self._damaged: dict[str, str] = {}
        self._configuration = ConfigurationState()

    def count(self, what: str, times: int = 1) -> None:
        """Note that something happened that should not happen often."""
        if times:
            self._counters[what] += times

    def storage_failed(self, error: StorageFailed) -> None:
        """Note that the database could not be read or written. The message is ours and holds no secret."""
        trouble = str(error)
        if trouble != self._storage:
            self._storage = trouble
            self.changed()

    @property
    def storage_fails(self) -> bool:
        """Say whether the database could not be used the last time that something was to be stored."""
        return self._storage is not None

    def stored(self) -> None:
        """Note that something could be stored; that a full disk can be read from says nothing."""
        if self._storage is not None:
            self._storage = None
            self.changed()

    def looked_at(self, device_ids: Iterable[str], damaged: Mapping[str, str]) -> None:
        """Note which of these locks do not open in memory, and in words of ours why."""
        before = dict(self._damaged)
        for device_id in device_ids:
            self._damaged.pop(device_id, None)
        self._damaged |= damaged
        if self._damaged != before:
            self.changed()

    def configuration(self, state: ConfigurationState) -> None:
        """Note what became of reading the configuration again."""
        if state != self._configuration:
            self._configuration = state
            self.changed()

    def report(self, link: Link, events_waiting: int | None) -> dict[str, Any]:
        """Return the content of `bridge/health`.

        `events_waiting` counts events that the broker does not have; None if the database does not say.
        Counters count since the start.
        """
        return {
            "uptime_s": round(self._clock.boot() - self._started),
            "memory_rss_bytes": _resident_bytes(),
            "events_waiting": events_waiting,
            "storage_trouble": self._storage or next(iter(sorted(self._damaged.values())), None),
            "configuration": asdict(self._configuration),
            "mqtt": {"state": link.state.kind, "message": link.state.message} | asdict(link.counters),
            "counters": dict(sorted(self._counters.items())),
            "drivers": self._drivers(),
        }


def _resident_bytes() -> int:
    # Second field, in pages: proc(5).
    return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
