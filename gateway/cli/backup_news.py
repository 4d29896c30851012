"""Tells whoever listens to the hub of a backup: that it goes on, was made, or failed.

The command works beside the daemon, or without it. So the events go into the outbox in the database, and the
daemon sends them: within a minute while it runs, otherwise once it does.
"""

from collections.abc import Callable
from typing import override

from gateway.domain.events import Event
from gateway.domain.store import Source
from gateway.mqtt.own_events import OwnEvents

EVERY_S = 10.0
"""Seconds from one event of progress to the next, at least: most backups are made sooner."""


class News:
    """The news of one backup. A tenth of its work is told once."""

    def __init__(self, note: Callable[[Event], None], own: OwnEvents, seconds: Callable[[], float]) -> None:
        """Hand events made by `own` to `note`; `seconds` is a clock that only goes forward."""
        self._note = note
        self._own = own
        self._seconds = seconds
        self._began = self._told_at = seconds()
        self._tenth = 0

    def copied(self, done: int, of: int) -> None:
        """Say how many bytes of the database are copied: the first half of the work."""
        self._progress(done / of / 2 if of else 0.0)

    def sealing(self, source: Source, size: int) -> Source:
        """Return what reads from `source` and tells of it: the second half."""
        return _Watched(source, lambda done: self._progress(0.5 + done / size / 2 if size else 1.0))

    def made(self) -> None:
        """Say that it is there."""
        self._note(self._own.make("gateway.backup_made", seconds=round(self._seconds() - self._began)))

    def failed(self, message: str) -> None:
        """Say that there is none, and why."""
        # Files may be called anything, and a message may not.
        readable = message.encode("utf-8", "backslashreplace").decode()
        self._note(self._own.make("gateway.backup_failed", message=readable))

    def _progress(self, share: float) -> None:
        now, tenth = self._seconds(), int(share * 10)
        if tenth <= self._tenth or now - self._told_at < EVERY_S:
            return
        self._tenth, self._told_at = tenth, now
        left = round((now - self._began) * (1 - share) / share)
        self._note(self._own.make("gateway.backup_progress", percent=10 * tenth, seconds_left=left))


class _Watched(Source):
    """A file of which it is told how much was read."""

    def __init__(self, source: Source, told: Callable[[int], None]) -> None:
        self._source = source
        self._told = told
        self._done = 0

    @override
    def read(self, size: int, /) -> bytes:
        piece = self._source.read(size)
        self._done += len(piece)
        self._told(self._done)
        return piece
