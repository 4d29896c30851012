"""A door with its lock, and what the watchers must remember of it."""

from datetime import datetime, timedelta
from typing import Literal

from drivers.simulated.lock import SimulatedLock
from gateway.domain.credential import Empty, Known, Reading, SlotRef
from gateway.domain.lock import Identity, NativeWindows, OnWipe, Reach, Readback
from gateway.domain.pin import Pin
from gateway.domain.timing import EMPTY_TWICE

NOTED = timedelta(seconds=20)
"""The outcome of an operation is stored by then."""

type Origin = Literal["hub", "person", "edited"]


class Door:
    """One lock in the world. `origin` tells, for each taken slot, who filled it."""

    def __init__(self, device_id: str, lock: SimulatedLock, reports: str, kind: str) -> None:
        """Put a lock of a kind on a door."""
        self.device_id = device_id
        self.kind = kind
        self.lock = lock
        self.reports = reports
        self.dead = self.refusing = self.maybe_given_away = False
        """Does not answer, refuses writes, a client began to take it out of the hub's hands."""
        self.identity = Identity(network="sim", manufacturer="sim", product=lock.model.name, serial="1")
        self.origin: dict[SlotRef, Origin] = {}
        self.filled_at: dict[SlotRef, datetime] = {}
        self.seen: dict[SlotRef, list[tuple[datetime, bool]]] = {}
        """Readings delivered to the hub: (when, empty?)."""
        self.own: dict[SlotRef, tuple[Pin, datetime]] = {}
        """What the hub put into its slots, and when it did so or was shown it last."""
        self.last_seen: dict[SlotRef, Reading] = {}
        self.reported: set[SlotRef] = set()
        """Slots of which the lock told something since the hub read them last."""
        self.lies: set[SlotRef] = set()
        self.on_wipe = OnWipe.REFILL
        self.replaced_at: datetime | None = None
        self.changes = 0
        """Counts what changed in the lock, by whomever."""
        self.deleted_since_wipe = self.wipe_seen = False
        self.asked_in_vain_since_wipe_seen = 0
        self.filled_since_wipe: datetime | None = None
        self.wiped: set[str] = set()
        """What the hub had put into the slots that the last wipe emptied; others were empty before."""
        self.disturbed = False
        """Somebody changed this lock by hand."""
        self.held: dict[SlotRef, datetime] = {}
        """Slots that the hub filled (last: when) and did not clear since: its own, as far as it knows."""
        self.asked_for: dict[SlotRef, Pin] = {}
        """What the hub last asked a slot to hold, whatever came of it."""
        self.just_cleared: dict[SlotRef, datetime] = {}
        """Slots that the hub cleared, and when; whether it noted that shows only a little later."""
        self.lapses: list[datetime] = []
        """When the hub died, or could not store."""
        self.uncertain: set[SlotRef] = set()
        """Slots whose last operation of the hub went unanswered."""
        self.edited_at: dict[SlotRef, datetime] = {}
        """When somebody last changed a slot by hand."""
        self.named: set[SlotRef] = set()
        """Slots of others that a command named: the hub may take these, and no other (rule 1)."""
        self.clock_off = timedelta(0)
        """How wrong the lock's own clock is."""
        self.given_away_at: datetime | None = None
        self.awake_until: datetime | None = None
        """A lock that sleeps listens until then."""
        self.touched_at: datetime | None = None
        """When somebody woke it last."""

    @property
    def cannot_know(self) -> bool:
        """Say whether nobody could expect the hub to know: a lock that shows nothing, changed by hand."""
        hidden = self.lock.model.masks_digits or self.lock.model.capabilities.readback is Readback.NONE
        return hidden and (self.disturbed or bool(self.lies))

    @property
    def keeps_windows(self) -> bool:
        """Say whether the lock has a clock of its own, by which it opens and closes."""
        return self.lock.model.capabilities.native_windows is not NativeWindows.NONE

    @property
    def sleeps(self) -> bool:
        """Say whether the lock listens only for a while after a touch."""
        return self.lock.model.capabilities.reach is Reach.ON_TOUCH

    def wipe(self) -> None:
        """Empty the lock."""
        self.wiped = {pin.reveal() for slot, (pin, _) in self.own.items() if slot in self.lock.slots}
        self.lock.delete_all()
        self.origin.clear()
        self.named.clear()
        self.changes += 1
        self.deleted_since_wipe = False
        self.wipe_seen = False
        self.filled_since_wipe = None

    def relent(self) -> None:
        """Take writes again."""
        self.refusing = False

    def saw(self, slot: SlotRef, reading: Reading, at: datetime) -> None:
        """Remember what the hub was told of a slot."""
        is_new = self.last_seen.get(slot) != reading
        if is_new or slot in self.reported:
            self.changes += 1  # news to the hub
        self.reported.discard(slot)
        if is_new and isinstance(reading, Empty) and not self.wipe_seen:
            self.wipe_seen, self.asked_in_vain_since_wipe_seen = True, 0
        self.last_seen[slot] = reading
        self.seen.setdefault(slot, []).append((at, isinstance(reading, Empty)))
        shown = reading.credential.pin if isinstance(reading, Known) else None
        if shown is not None and shown == self.asked_for.get(slot):
            self.held.setdefault(slot, at)  # to the hub its write worked, whoever typed that PIN
        pin, _ = self.own.get(slot, (None, at))
        if pin is not None and shown == pin:
            self.own[slot] = pin, at

    def by_hub(self, slot: SlotRef, at: datetime) -> None:
        """Remember that the hub filled a slot."""
        self.changes += 1
        if self.filled_since_wipe is None:
            self.filled_since_wipe = at
        self.origin[slot] = "hub"
        self.held[slot] = at
        self.filled_at[slot] = at
        self.own[slot] = self.lock.slots[slot].pin, at

    def cleared_by_hub(self, slot: SlotRef, at: datetime) -> None:
        """Remember that the hub emptied a slot."""
        self.changes += 1
        self.origin.pop(slot, None)
        self.named.discard(slot)
        self.asked_for.pop(slot, None)
        self.reported.add(slot)  # that it is empty was not seen yet
        if self.held.pop(slot, None) is not None:
            self.just_cleared[slot] = at

    def hub_forgot(self, at: datetime) -> None:
        """Remember that the hub died or could not store: a slot that it just cleared may seem its own."""
        for slot, cleared_at in self.just_cleared.items():
            if at - cleared_at < NOTED:
                self.held.setdefault(slot, at)
        self.just_cleared.clear()
        self.lapses.append(at)

    def noted(self, at: datetime) -> bool:
        """Say whether the hub certainly stored what it was told then."""
        return not any(at <= lapse < at + NOTED for lapse in self.lapses)

    def seen_empty_twice(self, slot: SlotRef) -> bool:
        """Say whether the hub could know that its code is gone from a slot; what comes after is foreign."""
        empties: list[datetime] = []
        # Shown its own code again it knows that it is there, however often it was told otherwise.
        known = max(self.held[slot], self.own[slot][1]) if slot in self.own else self.held[slot]
        for at, empty in self.seen.get(slot, []):
            if at < known or (empty and not self.noted(at)):
                continue
            empties = [*empties, at] if empty else []
            if len(empties) > 1 and empties[-1] - empties[0] >= EMPTY_TWICE:
                return True
        return False

    def may_be_own(self, slot: SlotRef) -> bool:
        """Say whether the hub cannot tell what is there from its own code, which the lock did not clear.

        It was never shown the slot empty since, and the digits it is not shown.
        """
        if slot not in self.own or not self.lock.model.masks_digits:
            return False
        since = self.own[slot][1]
        return not any(at >= since and empty for at, empty in self.seen.get(slot, []))

    def by_person(self, slot: SlotRef, at: datetime) -> None:
        """Remember that somebody filled or changed a slot."""
        self.origin[slot] = "edited" if self.origin.get(slot) in {"hub", "edited"} else "person"
        self.filled_at[slot] = self.edited_at[slot] = at
        if not self.lock.model.masks_digits:
            self.named.discard(slot)  # the hub can see that it is another code

    def given_up(self, slot: SlotRef, at: datetime) -> None:
        """Remember that a client took a slot out of the hub's hands."""
        self.origin[slot] = "person"
        self.filled_at[slot] = at
        self.held.pop(slot, None)

    def taken_over(self, slot: SlotRef, pin: str, at: datetime) -> None:
        """Remember that a client gave a slot of others, as the hub knew it, into the hub's hands."""
        taken = self.lock.slots.get(slot)
        if taken is not None:
            self.origin[slot] = "hub" if taken.pin.reveal() == pin else "edited"
        self.held[slot] = self.filled_at[slot] = at

    def lied(self, slot: SlotRef | None) -> None:
        """Remember that the hub was told something false about a slot."""
        self.changes += 1
        if slot is not None:
            self.lies.add(slot)
