"""A lock's facts while one unit changes them: read once, changed in memory, saved in one go."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from gateway.domain.clock import TimeView
from gateway.domain.code import AccessCode
from gateway.domain.credential import SlotRef
from gateway.domain.events import Event
from gateway.domain.placement import Intent, Placement, Slot, Snapshot
from gateway.domain.store import Tx
from gateway.domain.timing import Timing
from gateway.engine.waiting import back_off


class Chance:
    """The randomness of the engine, passed in: ids, jitter, PIN digits."""

    def __init__(
        self, new_id: Callable[[], str], jitter: Callable[[], float], randbelow: Callable[[int], int]
    ) -> None:
        """Take `new_id` for UUIDs, `jitter` for 0..1, and `randbelow` from a secure source."""
        self.new_id = new_id
        self.jitter = jitter
        self.randbelow = randbelow


class Work:
    """The facts of one lock, open for change. `save` writes what changed and appends the events."""

    def __init__(self, snap: Snapshot, t: TimeView, timing: Timing, chance: Chance) -> None:
        """Start from what the store said."""
        self.t = t
        self.timing = timing
        self.chance = chance
        self.device = snap.device
        self.codes = dict(snap.codes)
        self.placements = dict(snap.placements)
        self.slots = dict(snap.slots)
        self.intents = list(snap.intents)
        self._before = snap
        self._events: list[Event] = []
        self._closed: list[tuple[str, str]] = []
        self._opened: list[Intent] = []
        self._dropped_codes: list[str] = []

    @property
    def now(self) -> datetime:
        """Return the wall clock of this unit."""
        return self.t.now

    @property
    def before(self) -> Snapshot:
        """Return the facts as they were when this unit began."""
        return self._before

    def snapshot(self) -> Snapshot:
        """Return the facts as they are now, for the pure functions."""
        return Snapshot(
            device=self.device,
            codes=self.codes,
            placements=self.placements,
            slots=self.slots,
            intents=tuple(self.intents),
        )

    def set_device(self, **changes: Any) -> None:  # noqa: ANN401 - fields of Device
        """Change fields of the lock."""
        self.device = msgspec.structs.replace(self.device, **changes)

    def placement(self, access_code_id: str) -> Placement:
        """Return the placement of a code."""
        return self.placements.get(access_code_id) or Placement(access_code_id=access_code_id)

    def set_placement(self, access_code_id: str, **changes: Any) -> Placement:  # noqa: ANN401 - fields of Placement
        """Change fields of a placement."""
        placement = msgspec.structs.replace(self.placement(access_code_id), **changes)
        self.placements[access_code_id] = placement
        return placement

    def slot(self, slot: SlotRef) -> Slot:
        """Return what is known of a slot."""
        return self.slots.get(slot) or Slot(slot=slot)

    def set_slot(self, slot: SlotRef, **changes: Any) -> Slot:  # noqa: ANN401 - fields of Slot
        """Change fields of a slot."""
        state = msgspec.structs.replace(self.slot(slot), **changes)
        self.slots[slot] = state
        return state

    def drop_slot(self, slot: SlotRef) -> None:
        """Forget a slot that the lock no longer lists."""
        self.slots.pop(slot, None)

    def set_code(self, code: AccessCode) -> None:
        """Change a code."""
        self.codes[code.access_code_id] = code

    def drop_code(self, access_code_id: str) -> None:
        """Drop a code whose placement is certainly empty."""
        self.codes.pop(access_code_id, None)
        self.placements.pop(access_code_id, None)
        self._dropped_codes.append(access_code_id)

    def open(self, intent: Intent) -> None:
        """Journal an operation."""
        self.intents.append(intent)
        self._opened.append(intent)

    def close(self, intent: Intent, outcome: str) -> None:
        """Attach the outcome to a journalled operation, unless it was settled while it was on the air."""
        if not self.is_open(intent):
            return
        self.intents = [known for known in self.intents if known.intent_id != intent.intent_id]
        self._closed.append((intent.intent_id, outcome))

    def is_open(self, intent: Intent) -> bool:
        """Say whether the outcome of an operation is still awaited."""
        return any(known.intent_id == intent.intent_id for known in self.intents)

    def close_all(self, access_code_id: str, outcome: str) -> None:
        """Attach the outcome to every open operation of a code."""
        for intent in [intent for intent in self.intents if intent.access_code_id == access_code_id]:
            self.close(intent, outcome)

    def failed_before(self, access_code_id: str | None) -> int:
        """Return how often in a row a code, or the lock (None), had failed when this unit began."""
        if access_code_id is None:
            return self._before.device.failures
        return self._before.placement(access_code_id).failures

    def retry_after(self, failures: int) -> datetime:
        """Return when to try again after so many failures in a row."""
        pause = back_off(
            failures, self.timing.back_off_first, self.timing.back_off_most, self.chance.jitter()
        )
        return self.now + pause

    def tell(
        self,
        event_type: str,
        access_code_id: str | None = None,
        *,
        asked: Mapping[str, Any] | None = None,
        **payload: Any,  # noqa: ANN401 - JSON
    ) -> None:
        """Add an event to the outbox; `asked` is for the timeline alone."""
        self.tell_past(self.now, event_type, access_code_id, asked=asked, **payload)

    def tell_past(
        self,
        occurred_at: datetime,
        event_type: str,
        access_code_id: str | None = None,
        *,
        asked: Mapping[str, Any] | None = None,
        **payload: Any,  # noqa: ANN401 - JSON
    ) -> None:
        """Add an event to the outbox that the lock noted earlier."""
        self._events.append(
            Event(
                event_id=self.chance.new_id(),
                event_type=event_type,
                device_id=self.device.device_id,
                occurred_at=occurred_at,
                created_at=self.now,
                access_code_id=access_code_id,
                payload=payload,
                asked=dict(asked or {}),
            )
        )

    def save(self, tx: Tx) -> None:
        """Write what changed."""
        device_id, before = self.device.device_id, self._before
        if self.device is not before.device:
            tx.save_device(self.device)
        for code in _changed(self.codes, before.codes):
            tx.save_code(code)
        for placement in _changed(self.placements, before.placements):
            tx.save_placement(device_id, placement)
        for state in _changed(self.slots, before.slots):
            tx.save_slot(device_id, state)
        for slot in before.slots:
            if slot not in self.slots:
                tx.drop_slot(device_id, slot)
        self._save_journal(tx)

    def _save_journal(self, tx: Tx) -> None:
        for intent in self._opened:
            tx.open_intent(self.device.device_id, intent)
        for intent_id, outcome in self._closed:
            tx.close_intent(intent_id, outcome, self.now)
        for access_code_id in self._dropped_codes:
            tx.drop_code(access_code_id)
            tx.add_tombstone(f"access_code/{access_code_id}/state")
        for event in self._events:
            tx.emit(event)


def _changed[T](after: Mapping[str, T], before: Mapping[str, T]) -> Iterator[T]:
    return (value for key, value in after.items() if before.get(key) is not value)
