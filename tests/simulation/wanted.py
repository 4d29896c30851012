"""What clients were told that the hub has taken on."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from gateway.domain.recurrence import Recurrence, current_window

type Times = tuple[datetime | None, datetime | None, Recurrence | None]


@dataclass
class Wanted:
    """One code as its client knows it."""

    access_code_id: str
    device_id: str
    pin: str
    starts_at: datetime | None
    ends_at: datetime | None
    pin_since: datetime
    """When the code got the PIN that it has."""
    allowed: bool
    deleted: bool = False
    leaving: bool = False
    """A delete went out; whether it arrived is not known."""
    unsure: bool = False
    """An update went out that was never answered."""
    changed_at: datetime | None = None
    recurrence: Recurrence | None = None
    one_time: bool = False
    used: bool = False
    """Somebody used it, and the lock may have told the hub."""
    released: bool = False
    """A client took it out of the hub's hands: what the lock holds is somebody else's."""
    backup_id: str | None = None
    """The backup that was pulled in its place; it ends when this code does."""
    former: set[str] = field(default_factory=set)
    """PINs that it had before: a lock that was not reached since holds one of them."""
    watches: int = 0
    """Counts how often somebody began to watch its ends; the newest watch counts."""

    @property
    def times(self) -> Times:
        """Return what decides when the code opens the door."""
        return self.starts_at, self.ends_at, self.recurrence

    @property
    def pins(self) -> set[str]:
        """Return every PIN by which a lock may hold this code."""
        return {self.pin, *self.former}

    @property
    def has_window(self) -> bool:
        """Say whether time decides anything about this code."""
        return self.times != (None, None, None)

    @property
    def is_settled(self) -> bool:
        """Say whether client and hub certainly agree that the code is to be there at its times."""
        return not (self.deleted or self.leaving or self.released or self.unsure or self.used)

    def window(self, at: datetime) -> tuple[datetime | None, datetime | None] | None:
        """Return the window that is open at a moment, or the next one; None: there is none any more."""
        if self.ends_at is not None and self.ends_at <= at:
            return None
        if self.recurrence is None:
            return self.starts_at, self.ends_at
        found = current_window(self.recurrence, max(at, self.starts_at or at))
        if found is None or (self.ends_at is not None and found[0] >= self.ends_at):
            return None
        return max(found[0], self.starts_at or found[0]), min(found[1], self.ends_at or found[1])

    def closes(self, at: datetime) -> datetime | None:
        """Return when the window ends that is open at a moment, or the next one."""
        found = self.window(at)
        return found[1] if found is not None else None

    def is_open(self, at: datetime) -> bool:
        """Say whether the code is to open the door at a moment."""
        found = self.window(at)
        return found is not None and (found[0] is None or found[0] <= at)

    def closes_later(self, at: datetime) -> bool:
        """Say whether the code has a window left."""
        return self.window(at) is not None


def times_of(shown: dict[str, Any]) -> Times:
    """Return the times of a code as a reply shows it."""
    starts_at, ends_at = (
        datetime.fromisoformat(shown[key]) if shown[key] is not None else None
        for key in ("starts_at", "ends_at")
    )
    return starts_at, ends_at, msgspec.convert(shown["recurrence"], Recurrence | None)
