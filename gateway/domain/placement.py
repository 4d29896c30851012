"""One code on one lock: desired, confirmed and observed are three facts and never one.

desired differs from confirmed: work to do. observed differs from confirmed: somebody else changed the lock.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Literal

from msgspec import Struct

from gateway.domain.code import AccessCode
from gateway.domain.credential import Credential, Evidence, Reading, SlotRef
from gateway.domain.lock import Device
from gateway.domain.pin import Pin


class Confirmed(Struct, frozen=True, kw_only=True):
    """What we last wrote or adopted, and how well we know that the lock holds it."""

    credential: Credential
    evidence: Evidence
    at: datetime
    """Since when it is known so well."""
    revision: int


class Outside(Struct, frozen=True, kw_only=True):
    """What somebody else did to the slot of a code, until it is put right or honoured."""

    change: Literal["modified", "removed"]
    fields: tuple[str, ...]
    at: datetime
    honoured: bool = False


class Refusal(StrEnum):
    """Why a lock said no."""

    DUPLICATE = "duplicate"
    FORMAT = "format"
    SCHEDULE = "schedule"
    """The lock does not keep this window; the hub can."""
    FULL = "full"
    BUSY = "busy"
    OTHER = "other"

    @property
    def permanent(self) -> bool:
        """Say whether trying again without a change is useless (rule 11)."""
        return self in {Refusal.DUPLICATE, Refusal.FORMAT}


class Rejection(Struct, frozen=True, kw_only=True):
    """A refusal for good: stands until the code, or what else is on the lock, changes, or 24 h pass."""

    reason: Refusal
    at: datetime
    revision: int
    inventory_version: int
    explained: bool = False
    """The duplicate was known when the lock refused: the refusal lasts no longer than that."""


class Placement(Struct, frozen=True, kw_only=True):
    """One code on one lock. `slot` is None until the hub reserved one or the lock assigned one."""

    access_code_id: str
    slot: SlotRef | None = None
    confirmed: Confirmed | None = None
    pin_since: datetime | None = None
    """Since when the lock may hold the PIN that is confirmed; earlier uses were not of it. None: unknown."""
    outside: Outside | None = None
    empty_since: datetime | None = None
    """First of the two empty readings that it takes to say "removed by somebody" (rule 2)."""
    empty_twice: bool = False
    """The second one came too; whether the whole lock was wiped is still being looked into."""
    rewrite_due: bool = False
    """An unexplained report on digits that cannot be read: one rewrite is allowed (rule 3)."""
    rejection: Rejection | None = None
    held_rejection: Rejection | None = None
    """The same of dates or shutting for the PIN of before, where the one asked for cannot be written."""
    failures: int = 0
    failure: str | None = None
    """Why the last attempt failed, in plain words."""
    unanswered: bool = False
    """It got no answer, rather than a refusal: a lock that was silent and lives again is asked at once."""
    retry_at: datetime | None = None
    removal_began: datetime | None = None
    """Since when it is to be off the lock, or disabled because its window is over until the next one."""
    cleared_at: datetime | None = None
    """A clear that nothing can confirm went out (write-only lock); it is sent twice before it is believed."""
    hub_keeps: int | None = None
    """Revision of the code whose window the lock refused to keep: the hub keeps it."""
    lost: int = 0
    """Times in a row that the lock accepted the code and did not hold it at the second look."""
    contested: int = 0
    """Changes by somebody else within a day of each other that were put right: two controllers may fight."""
    contested_at: datetime | None = None
    doubted: bool = False
    """Known from a restored backup, or from before the lock was paired anew: another code may be in its slot
    by now, so it is looked at first."""
    was_on_lock: bool = False
    """The code has been proven on the lock, so its removal is worth telling."""


class Former(Struct, frozen=True, kw_only=True):
    """The PIN that we removed from a slot: should it show up there again soon, it is ours."""

    pin: Pin
    removed_at: datetime


class Slot(Struct, frozen=True, kw_only=True):
    """The newest reading of one slot, and what must still be looked at."""

    slot: SlotRef
    reading: Reading | None = None
    read_at: datetime | None = None
    empty_since: datetime | None = None
    check_at: datetime | None = None
    """Read this slot again at that time; None when nothing is due."""
    touched: bool = False
    """The lock reported a change here that no own operation explains, and nobody has looked yet."""
    own_write_at: datetime | None = None
    """End of our last operation on it: explains reports for 10 s (rule 3)."""
    unmanaged_id: str | None = None
    unmanaged_since: datetime | None = None
    former: Former | None = None
    doomed_at: datetime | None = None
    """A command asked for the removal of this very code of somebody else's."""
    ghost: bool = False
    """The slot holds a PIN again that we removed: an operation of ours took effect late. It is cleared."""
    refusals: int = 0
    """Times in a row that the lock did not clear it, of what is no code of ours (a ghost, or one doomed)."""
    doubted: bool = False
    """Nobody has looked since a backup was restored: what came there meanwhile may be ours."""
    failures: int = 0
    """Looks in a row that got no answer."""
    retry_at: datetime | None = None
    """Not to be looked at, nor chosen, before this."""


class IntentKind(StrEnum):
    """What a journalled operation does."""

    SET = "set"
    CLEAR = "clear"


class Intent(Struct, frozen=True, kw_only=True):
    """A journalled write whose outcome is not known yet. Written before the radio is used."""

    intent_id: str
    access_code_id: str | None
    revision: int
    slot: SlotRef | None
    kind: IntentKind
    target: Credential | None
    before: Reading | None
    opened_at: datetime
    why: str | None = None
    """What the plan said of it."""


class JournalEntry(Struct, frozen=True, kw_only=True):
    """What the journal keeps of an operation: no PIN, and once it ended, what became of it."""

    intent_id: str
    slot: SlotRef | None
    kind: IntentKind
    revision: int
    opened_at: datetime
    closed_at: datetime | None
    outcome: str | None
    why: str | None
    """Unknown of those that a release before this field wrote."""


class Snapshot(Struct, frozen=True, kw_only=True):
    """Everything that matters for one lock, read in one go."""

    device: Device
    codes: Mapping[str, AccessCode]
    placements: Mapping[str, Placement]
    slots: Mapping[SlotRef, Slot]
    intents: tuple[Intent, ...]

    def placement(self, access_code_id: str) -> Placement:
        """Return the placement of a code; a fresh one where nothing was ever done."""
        return self.placements.get(access_code_id) or Placement(access_code_id=access_code_id)

    def owner(self, slot: SlotRef) -> Placement | None:
        """Return the placement that this slot belongs to."""
        return next((p for p in self.placements.values() if p.slot == slot), None)

    def open_intents(self, access_code_id: str) -> tuple[Intent, ...]:
        """Return the open intents of a code, oldest first."""
        if not self.intents:
            return ()
        return tuple(intent for intent in self.intents if intent.access_code_id == access_code_id)

    def may_hold(self, access_code_id: str) -> bool:
        """Say whether any slot may hold the code: anything not proven empty, open intents included."""
        placement = self.placements.get(access_code_id)
        if placement is not None and placement.confirmed is not None:
            return True
        return bool(self.open_intents(access_code_id))

    @property
    def held(self) -> int:
        """Return how many codes are or may be on the lock."""
        return sum(map(self.may_hold, self.codes))

    def to_come(self, at: datetime) -> int:
        """Return how many codes are not on the lock and not over either. Backups are for nobody yet."""
        return sum(
            code.backup != "waiting" and not code.is_over(at) and not self.may_hold(code_id)
            for code_id, code in self.codes.items()
        )
