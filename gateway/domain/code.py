"""The access code: what somebody asked for."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from gateway.domain.pin import Pin


class AccessCode(Struct, frozen=True, kw_only=True):
    """One PIN on one lock, as asked for. Nothing here says what the lock holds.

    `revision` counts the changes of what is desired; outcomes of radio operations attach to it.
    All times are aware UTC with millisecond precision. `deleted_at` is set from the delete command until no
    slot
    may hold the code any more, then the row goes.
    """

    access_code_id: str
    device_id: str
    name: str
    pin: Pin
    created_at: datetime
    updated_at: datetime
    revision: int = 1
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    is_external_modification_allowed: bool = False
    prefer_native_scheduling: bool = True
    deleted_at: datetime | None = None

    @property
    def type(self) -> Literal["ongoing", "time_bound"]:
        """Return `time_bound` for a code that ends, `ongoing` for one that does not."""
        return "ongoing" if self.ends_at is None else "time_bound"

    @property
    def has_window(self) -> bool:
        """Say whether time decides anything about this code."""
        return self.starts_at is not None or self.ends_at is not None
