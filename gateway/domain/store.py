"""The contract between the engine and its memory.

A unit is one synchronous function over a transaction: all of it is durable when `run` returns, or nothing of
it happened. Nothing else is executed
between its statements, and cancelling the caller does not cut it in two.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from typing import Protocol

from gateway.domain.attempts import ActionAttempt
from gateway.domain.code import AccessCode
from gateway.domain.events import Event, StoredEvent
from gateway.domain.issues import Announced, Issue
from gateway.domain.lines import Line
from gateway.domain.lock import Device
from gateway.domain.placement import Intent, JournalEntry, Placement, Slot, Snapshot


class Tx(Protocol):
    """What can be done inside one unit."""

    def part(self) -> AbstractContextManager[None]:
        """Delimit a part of the unit: if it raises, nothing of it happened, and the unit may go on."""
        ...

    def device_ids(self) -> Sequence[str]:
        """Return the ids of all locks remembered, in order, also of those that do not open."""
        ...

    def devices(self) -> Sequence[Device]:
        """Return every lock remembered, by device id."""
        ...

    def device(self, device_id: str) -> Device | None:
        """Return one lock."""
        ...

    def save_device(self, device: Device) -> None:
        """Insert or replace a lock."""
        ...

    def forget_device(self, device_id: str) -> None:
        """Drop a lock with its codes, placements, slots, issues and secret; events and journal stay."""
        ...

    def secret(self, device_id: str) -> bytes | None:
        """Return what pairing with a lock yielded; None where it was never paired. Only for its driver."""
        ...

    def save_secret(self, device_id: str, secret: bytes) -> None:
        """Insert or replace what pairing with a lock yielded; it is sealed before it is stored."""
        ...

    def drop_secret(self, device_id: str) -> None:
        """Forget what pairing with a lock yielded."""
        ...

    def snapshot(self, device_id: str) -> Snapshot | None:
        """Return everything about one lock."""
        ...

    def code_ids(self, device_id: str) -> Sequence[str]:
        """Return the ids of all codes of a lock, also of those that do not open."""
        ...

    def code(self, access_code_id: str) -> AccessCode | None:
        """Return one code, deleted ones included while they may be on a lock."""
        ...

    def codes(self) -> Sequence[AccessCode]:
        """Return all codes in order of creation."""
        ...

    def save_code(self, code: AccessCode) -> None:
        """Insert or replace a code."""
        ...

    def drop_code(self, access_code_id: str) -> None:
        """Drop a code with its placement, issues and announced state."""
        ...

    def save_placement(self, device_id: str, placement: Placement) -> None:
        """Insert or replace a placement."""
        ...

    def save_slot(self, device_id: str, slot: Slot) -> None:
        """Insert or replace a slot."""
        ...

    def drop_slot(self, device_id: str, slot: str) -> None:
        """Forget a slot: a lock that chooses its slots no longer lists it."""
        ...

    def open_intent(self, device_id: str, intent: Intent) -> None:
        """Journal an operation before it goes out."""
        ...

    def close_intent(self, intent_id: str, outcome: str, at: datetime) -> None:
        """Attach the outcome to a journalled operation."""
        ...

    def journal(
        self,
        access_code_id: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int,
    ) -> Sequence[JournalEntry]:
        """Return the newest `limit` writes for a code, oldest first, with what became of each.

        Only those that went out before `until` and were settled, as far as they are, at or after `since`.
        """
        ...

    def save_attempt(self, attempt: ActionAttempt) -> None:
        """Insert an action attempt, or note how it ended."""
        ...

    def attempt(self, action_attempt_id: str) -> ActionAttempt | None:
        """Return one action attempt."""
        ...

    def pending_attempts(self, device_id: str) -> Sequence[ActionAttempt]:
        """Return the action attempts on a lock that have not ended, oldest first."""
        ...

    def attempts(
        self, *, device_id: str | None, access_code_id: str | None, status: str | None, limit: int
    ) -> Sequence[ActionAttempt]:
        """Return the newest `limit` action attempts that fit, newest first."""
        ...

    def issues(self, device_id: str) -> Sequence[Issue]:
        """Return the errors and warnings of a lock and of its codes."""
        ...

    def replace_issues(self, device_id: str, issues: Iterable[Issue]) -> None:
        """Make these the issues of the lock and its codes."""
        ...

    def announced(self, device_id: str) -> Mapping[str, Announced]:
        """Return what was last told about each code of a lock."""
        ...

    def save_announced(self, device_id: str, access_code_id: str, announced: Announced) -> None:
        """Remember what was told."""
        ...

    def note(self, line: Line) -> None:
        """Write a line into the log once this unit is durable, and not at all if it is not."""
        ...

    def emit(self, event: Event) -> int:
        """Append to the outbox and note it for the log; return the gateway-wide `seq`."""
        ...

    def undelivered(self, limit: int) -> Sequence[StoredEvent]:
        """Return the oldest events that the broker has not acknowledged, in `seq` order."""
        ...

    def undelivered_count(self) -> int:
        """Return how many events the broker has not acknowledged."""
        ...

    def mark_delivered(self, seqs: Sequence[int], at: datetime) -> None:
        """Remember that the broker has these events."""
        ...

    def events(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        event_ids: Collection[str] | None = None,
        device_ids: Collection[str] | None = None,
        access_code_ids: Collection[str] | None = None,
        event_types: Collection[str] | None = None,
        after_seq: int | None = None,
        limit: int,
    ) -> Sequence[StoredEvent]:
        """Return the newest `limit` events that fit everything given, in `seq` order.

        With `after_seq` the first ones after that number instead.
        """
        ...

    def trim_outbox(self, most: int) -> tuple[int, int]:
        """Drop undelivered events beyond `most`, non-security first, oldest first.

        Return (events dropped, lowest seq dropped); (0, 0) when nothing had to go. What a dropped gap event
        told of counts again: nobody has heard of it.
        """
        ...

    def reply(self, client: str, verb: str, transaction: str) -> tuple[bytes, bytes] | None:
        """Return (body digest, stored reply) of a command that was already carried out."""
        ...

    def save_reply(
        self, client: str, verb: str, transaction: str, digest: bytes, reply: bytes, at: datetime
    ) -> None:
        """Remember the reply of a command; it is encrypted, because it may hold a PIN."""
        ...

    def trim_replies(self, most: int) -> int:
        """Forget the oldest replies of every client that has more than `most`; return how many went.

        Oldest is what was stored first, whatever the clock said.
        """
        ...

    def digest(self, body: bytes) -> bytes:
        """Return a keyed digest of a command body."""
        ...

    def tombstones(self) -> Sequence[str]:
        """Return the retained topics (below the root) that must still be emptied on the broker."""
        ...

    def add_tombstone(self, topic: str) -> None:
        """Note a retained topic to be emptied."""
        ...

    def drop_tombstone(self, topic: str) -> None:
        """Forget a retained topic that the broker has emptied."""
        ...

    def meta(self, key: str) -> str | None:
        """Return a single remembered value (clock floor, gateway id, ...)."""
        ...

    def save_meta(self, key: str, value: str) -> None:
        """Remember a single value."""
        ...

    def prune(self, *, replies_before: datetime, events_before: datetime) -> None:
        """Drop replies, delivered events, and ended attempts and journal entries older than that."""
        ...


class Store(Protocol):
    """The one writer."""

    async def run[T](self, unit: Callable[[Tx], T]) -> T:
        """Carry out a unit; durable on return.

        Raises whatever the unit raises (nothing was changed then), or StorageFailed.
        """
        ...


class Source(Protocol):
    """What is read piece by piece."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, this many at most; none at the end."""
        ...


class StorageFailed(Exception):
    """The database could not be read or written (disk full, damaged). Nothing of the unit happened."""


class LastingFailure(StorageFailed):
    """One that trying again does not mend: a row that does not open, a change against what is stored.

    It concerns what the unit was about, such as one lock: other units go on.
    """

    table: str = "the database"
    """Where it came up."""


@contextmanager
def spared(tx: Tx) -> Iterator[None]:
    """Delimit what a unit does about one of many locks: if its rows do not open, that is left out.

    Whoever works on that lock meets them too, and then it is told.
    """
    with suppress(LastingFailure), tx.part():
        yield
