"""One lock as a state machine: what its memory holds, and what it answers to the hub and to people.

No I/O and no clock. What the hub may or should do is not decided here; the lock only does what locks do.
"""

from binascii import crc_hqx
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from msgspec.structs import replace

from drivers.simulated.models import Model
from gateway.domain.credential import (
    Credential,
    Empty,
    Known,
    Reading,
    Schedule,
    SlotRef,
    Unreadable,
    WeeklyWindow,
)
from gateway.domain.driver import Refused
from gateway.domain.lock import NativeWindows, Readback
from gateway.domain.pin import Pin
from gateway.domain.placement import Refusal

ADMIN = "admin"
"""Where `open_door` finds the administrator's PIN, which is in no slot."""

_CHECKSUM_START = 0x1D0F
_ENABLED, _DISABLED = 1, 2


class SimulatedLock:
    """A lock with its memory.

    `slots` is the truth (taken slots only). `admin_pin` opens the door from outside the slots and may stand
    in none. `next_id` is the id that a lock which chooses its slots gives next; ids do not come back.
    """

    __slots__ = ("admin_pin", "model", "next_id", "slots")

    def __init__(
        self,
        model: Model,
        *,
        slots: Mapping[SlotRef, Credential] | None = None,
        admin_pin: Pin | None = None,
        next_id: int = 1,
    ) -> None:
        """Take `slots` as they are, without the checks that `write` makes."""
        self.model = model
        self.slots: dict[SlotRef, Credential] = dict(slots or {})
        self.admin_pin = admin_pin
        self.next_id = next_id

    # What the hub asks over the air.

    def read(self, slot: SlotRef) -> Reading:
        """Answer for one slot as this model does. Raises Refused (format) for a slot it does not have."""
        self._must_have(slot)
        credential = self.slots.get(slot)
        if credential is None or self.model.capabilities.readback is Readback.NONE:
            return Empty()
        return Unreadable(credential.enabled) if self.model.masks_digits else Known(credential)

    def read_all(self) -> dict[SlotRef, Reading]:
        """Answer for all slots that are not empty, as far as this model tells."""
        readings = ((slot, self.read(slot)) for slot in self.slots)
        return {slot: reading for slot, reading in readings if not isinstance(reading, Empty)}

    def write(self, slot: SlotRef | None, credential: Credential) -> SlotRef:
        """Store or overwrite; return the slot. `slot` None adds, on locks that choose.

        Names are cut and times rounded down to what the lock can keep. Raises Refused, and nothing changed:
        format (PIN, slot, schedule or status that it cannot keep), duplicate (the PIN is in another slot, or
        the administrator's), full, other (a lock that chooses has no such slot to overwrite).
        """
        kept = self._keepable(credential)
        chooses = self.model.capabilities.lock_chooses_slot
        if slot is None and not chooses:
            _refuse(Refusal.FORMAT, "this lock wants to be told the slot")
        if slot is not None:
            self._must_have(slot)
            if chooses and slot not in self.slots:
                _refuse(Refusal.OTHER, "the lock has no such code to change")
        self._must_be_unique(slot, kept.pin)
        if slot is None:
            slot = self._new_id()
        self.slots[slot] = kept
        return slot

    def clear(self, slot: SlotRef) -> None:
        """Empty a slot; an empty one stays empty. Raises Refused (format) for a slot it does not have."""
        self._must_have(slot)
        self.slots.pop(slot, None)

    def checksum(self) -> str:
        """Return four hex digits over PIN and status of all taken slots; zeros when there is none.

        As the Z-Wave User Code checksum: CRC-CCITT from 0x1D0F over slot (2 bytes), status, digits.
        """
        crc = _CHECKSUM_START
        for slot in sorted(self.slots, key=int):
            credential = self.slots[slot]
            status = _ENABLED if credential.enabled else _DISABLED
            entry = int(slot).to_bytes(2) + bytes((status,)) + credential.pin.reveal().encode("ascii")
            crc = crc_hqx(entry, crc)
        return f"{crc if self.slots else 0:04x}"

    # What people do at the keypad or in the vendor's app.

    def set_code(
        self,
        slot: SlotRef | None,
        pin: Pin,
        *,
        enabled: bool = True,
        schedule: Schedule | None = None,
        name: str | None = None,
    ) -> SlotRef:
        """Store a PIN by hand; return the slot. `slot` None takes the lowest free one.

        Raises Refused as `write` does.
        """
        if slot is None and not self.model.capabilities.lock_chooses_slot:
            slot = next((free for free in self.model.capabilities.slots if free not in self.slots), None)
            if slot is None:
                _refuse(Refusal.FULL, "every slot is taken")
        return self.write(slot, Credential(pin=pin, enabled=enabled, schedule=schedule, name=name))

    def delete(self, slot: SlotRef) -> None:
        """Delete a code by hand. Raises Refused (format) for a slot it does not have."""
        self.clear(slot)

    def delete_all(self) -> None:
        """Delete all codes by hand; the administrator's PIN stays."""
        self.slots.clear()

    def set_admin_pin(self, pin: Pin) -> None:
        """Change the administrator's PIN. Raises Refused (duplicate) when a slot has it."""
        if self.model.refuses_duplicates and any(taken.pin == pin for taken in self.slots.values()):
            _refuse(Refusal.DUPLICATE, "a slot has this PIN")
        self.admin_pin = pin

    def open_door(self, pin: Pin, at: datetime) -> SlotRef | None:
        """Type a PIN at time `at` (aware). Return the slot it opened with, ADMIN, or None: door stays shut.

        The clock of a simulated lock is right and runs on UTC.
        """
        if pin == self.admin_pin:
            return ADMIN
        for slot, credential in self.slots.items():
            if credential.pin == pin and credential.enabled and _open_at(credential.schedule, at):
                return slot
        return None

    def slot_with(self, pin: Pin) -> SlotRef | None:
        """Return the slot that holds this PIN, whether it opens the door now or not."""
        return next((slot for slot, taken in self.slots.items() if taken.pin == pin), None)

    def _must_have(self, slot: SlotRef) -> None:
        slots = self.model.capabilities.slots
        if slot not in slots if slots else not slot.isdecimal():
            _refuse(Refusal.FORMAT, "the lock has no such slot")

    def _must_be_unique(self, slot: SlotRef | None, pin: Pin) -> None:
        if pin == self.admin_pin:
            _refuse(Refusal.DUPLICATE, "this is the administrator's PIN")
        if self.model.refuses_duplicates and any(
            taken.pin == pin for other, taken in self.slots.items() if other != slot
        ):
            _refuse(Refusal.DUPLICATE, "another slot has this PIN")

    def _new_id(self) -> SlotRef:
        if len(self.slots) >= self.model.capabilities.max_codes:
            _refuse(Refusal.FULL, "the lock has no room for another code")
        slot = str(self.next_id)
        self.next_id += 1
        return slot

    def _keepable(self, credential: Credential) -> Credential:
        can = self.model.capabilities
        digits, rules = credential.pin.reveal(), can.pin_rules
        if len(digits) not in rules.lengths or not set(digits) <= set(rules.alphabet):
            _refuse(Refusal.FORMAT, "the lock does not take PINs of this length or with these characters")
        if "cannot_start_with_12" in rules.constraints and digits.startswith("12"):
            _refuse(Refusal.FORMAT, "the lock does not take PINs that begin with 12")
        if not credential.enabled and not can.disabled_status:
            _refuse(Refusal.FORMAT, "the lock cannot keep a code disabled")
        name = credential.name[: can.name_length] if credential.name else None
        return replace(credential, name=name or None, schedule=self._keepable_schedule(credential.schedule))

    def _keepable_schedule(self, schedule: Schedule | None) -> Schedule | None:
        if schedule is None or schedule == Schedule():
            return None
        windows, step = self.model.capabilities.native_windows, self.model.capabilities.schedule_granularity
        if windows is NativeWindows.NONE:
            _refuse(Refusal.FORMAT, "the lock keeps no schedules")
        if schedule.weekly and windows is NativeWindows.DATES:
            _refuse(Refusal.FORMAT, "the lock keeps no weekdays")
        return replace(
            schedule,
            starts_at=_rounded_down(schedule.starts_at, step),
            ends_at=_rounded_down(schedule.ends_at, step),
        )


def _refuse(reason: Refusal, message: str) -> NoReturn:
    raise Refused(reason, message)


def _rounded_down(time: datetime | None, step: timedelta) -> datetime | None:
    return time and time - (time - datetime.min.replace(tzinfo=UTC)) % step


def _open_at(schedule: Schedule | None, at: datetime) -> bool:
    if schedule is None:
        return True
    if schedule.starts_at is not None and at < schedule.starts_at:
        return False
    if schedule.ends_at is not None and at >= schedule.ends_at:
        return False
    return not schedule.weekly or any(_within(window, at.astimezone(UTC)) for window in schedule.weekly)


def _within(window: WeeklyWindow, local: datetime) -> bool:
    minute = local.hour * 60 + local.minute
    return local.weekday() in window.weekdays and window.from_minute <= minute < window.until_minute
