"""The access code: what somebody asked for."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from gateway.domain.pin import Pin
from gateway.domain.recurrence import Recurrence


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
    common_code_key: str | None = None
    """Codes of one key on several locks share one PIN."""
    recurrence: Recurrence | None = None
    """The code works only in these windows, between `starts_at` and `ends_at`."""
    is_one_time_use: bool = False
    """The code goes after its first use."""
    backup: Literal["waiting", "pulled"] | None = None
    """A code of the lock's backup pool: waiting on the lock, or pulled for a guest."""
    pulled_backup_access_code_id: str | None = None
    """The backup that was pulled in place of this code."""
    first_used_at: datetime | None = None
    """When the PIN that the code has now first opened the door; of one for one use, or that of its backup."""

    @property
    def type(self) -> Literal["ongoing", "time_bound"]:
        """Return `time_bound` for a code that ends, `ongoing` for one that does not."""
        return "ongoing" if self.ends_at is None else "time_bound"

    @property
    def has_window(self) -> bool:
        """Say whether time decides anything about this code."""
        return self.starts_at is not None or self.ends_at is not None or self.recurrence is not None

    @property
    def is_used_up(self) -> bool:
        """Say whether a code for one use has had it."""
        return self.is_one_time_use and self.first_used_at is not None

    def is_over(self, at: datetime) -> bool:
        """Say whether the code is to be gone for good at a moment: deleted, past its end, or used up."""
        ended = self.ends_at is not None and self.ends_at <= at
        return self.deleted_at is not None or self.is_used_up or ended
