"""Errors and warnings: what stands between a code and where it should be."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from gateway.domain.catalogue import CATALOGUE, IssueKind


class Issue(Struct, frozen=True, kw_only=True):
    """One error or warning of a code, or of a whole lock when `access_code_id` is None."""

    code: str
    message: str
    access_code_id: str | None = None
    created_at: datetime | None = None
    data: dict[str, Any] = {}

    @property
    def kind(self) -> IssueKind:
        """Return the catalogue entry."""
        return CATALOGUE[self.code]


class Announced(Struct, frozen=True, kw_only=True):
    """What was last told about a code; stored only together with the events that told it."""

    status: str
    is_scheduled_on_device: bool = False
    confirmed_revision: int = 0
    on_lock: bool = False
    """The code was proven on the lock and may still be there."""
    was_set: bool = False
    """The status is `unknown`, and was `set` before: should it be so again, that is no new success."""
    waits: bool = False
    """Its one window was still to come, and only the hub could have opened the door in it."""
