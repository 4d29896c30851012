"""The work on one lock: the contract of `gateway.domain.driver` over its codes and its own schedules."""

import logging
from collections.abc import Mapping
from typing import override
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from drivers.zwave.codes import SlotCodes, Waits
from drivers.zwave.lock import ZwaveLock
from drivers.zwave.radio import Radio
from drivers.zwave.readings import UserIdStatus
from drivers.zwave.schedules import LAST_USER, Room, SlotSchedules
from gateway.domain.credential import Credential, Empty, Evidence, Known, Reading, Schedule, SlotRef
from gateway.domain.driver import (
    AuthorityDown,
    DriverError,
    NoAnswer,
    Refused,
    Session,
    Written,
)
from gateway.domain.lock import Readback
from gateway.domain.placement import Refusal
from gateway.domain.trouble import about

_LOG = logging.getLogger(__name__)

_OPEN = Schedule()
"""What a code without a schedule has."""
_ROOM_FOR_OURS = Room(year_day=1, daily=0)
"""Where the lock may keep no schedules any more, only those that it was given are erased."""


class ZwaveSession(Session):
    """Work on one lock. The lock's turn is held outside, the channel only while a command is on it."""

    def __init__(self, lock: ZwaveLock, radio: Radio, waits: Waits, zone: ZoneInfo) -> None:
        """Work on `lock`, which must have been found fit and keeps schedules in the time of `zone`."""
        self._lock = lock
        self._radio = radio
        self._waits = waits
        self._zone = zone

    @override
    async def read(self, slot: SlotRef) -> Reading:
        if self._lock.able().readback is Readback.NONE:
            raise Refused(Refusal.OTHER, "readings prove nothing on this lock")
        number = self._number(slot)
        reading = await self._codes.read(slot)
        if self._lock.room is None or not isinstance(reading, Known) or number > LAST_USER:
            return reading
        schedule = await self._schedules.read(number)
        self._lock.seen_schedules[slot] = schedule or _OPEN
        return _with(reading, schedule)

    @override
    async def read_all(self) -> Mapping[SlotRef, Reading]:
        raise Refused(Refusal.OTHER, "a Z-Wave lock does not list its slots: read them one by one")

    @override
    async def probe(self) -> str:
        return await self._codes.checksum()

    @override
    async def write(
        self, slot: SlotRef | None, credential: Credential, *, replaces: Credential | None
    ) -> Written:
        schedule = credential.schedule
        if slot is None:
            raise Refused(Refusal.OTHER, "this lock wants a slot")
        if schedule is not None and self._lock.room is None:
            raise Refused(Refusal.SCHEDULE, "this lock keeps no schedules")
        pin = credential.pin.reveal()
        if not (pin.isascii() and pin.isdecimal() and len(pin) in self._lock.able().pin_rules.lengths):
            raise Refused(Refusal.FORMAT, "Z-Wave locks take codes of 4 to 10 digits")
        if not credential.enabled and not self._lock.able().disabled_status:
            raise Refused(Refusal.OTHER, "this lock cannot hold a code disabled")
        self._number(slot)
        if schedule is None or schedule == _OPEN:
            return await self._write_open(slot, credential, replaces)
        return await self._write_scheduled(slot, credential, schedule, replaces)

    @override
    async def clear(self, slot: SlotRef, *, holds: Credential | None) -> Written:
        number = self._number(slot)
        cleared = await self._codes.change(slot, Empty(), "clear")
        schedule = None if holds is None else holds.schedule
        if schedule is not None and cleared.evidence >= Evidence.ACCEPTED:
            # The code is gone by now: without its schedule it would open at all times. What may be left of
            # the schedule lets nobody in, so a failure is no failure of the removal.
            try:
                await self._schedules.erase(number, schedule)
            except DriverError as failure:
                self._lock.seen_schedules[slot] = None
                words = f"{self._lock.device_id}: a cleared slot may keep its schedule: {failure}"
                _LOG.info("%s", words, extra=about(lock=self._lock.device_id))
        return cleared

    async def _write_open(
        self, slot: SlotRef, credential: Credential, replaces: Credential | None
    ) -> Written:
        """Write a code without a schedule, then take away the schedule that the slot may have.

        In this order: without its schedule, the PIN that was there would open at all times. Until the
        schedule is gone the new PIN opens no longer than the old schedule allows, its owner's loss for some
        seconds; and if it cannot be taken away, that is no success.
        """
        written = await self._set(slot, credential)
        held = self._held(slot, replaces)
        if held == _OPEN or (held is None and self._lock.room is None) or int(slot) > LAST_USER:
            return written
        if written.reading is not None and written.evidence < Evidence.ACCEPTED:
            # Something else is there still, and keeps its schedule.
            if isinstance(written.reading, Known):
                return replace(written, reading=None if held is None else _with(written.reading, held))
            return written
        try:
            await self._schedules.erase(int(slot), held)
        except DriverError as failure:
            self._lock.seen_schedules[slot] = None
            raise NoAnswer(f"the code went out, and its slot may keep a schedule: {failure}") from None
        self._lock.seen_schedules.pop(slot, None)
        return written

    async def _write_scheduled(
        self, slot: SlotRef, credential: Credential, schedule: Schedule, replaces: Credential | None
    ) -> Written:
        """Write a schedule, and the code only when the lock has it.

        In this order: a code whose schedule got lost on the way would open at all times.
        """
        schedules = self._schedules
        if int(slot) > LAST_USER:
            raise Refused(Refusal.SCHEDULE, f"the lock keeps schedules for slots up to {LAST_USER} only")
        entries = schedules.entries(schedule)
        try:
            await schedules.store(int(slot), entries, self._held(slot, replaces))
            written = await self._set(slot, credential)
        except Refused:
            if schedules.changed:
                await self._put_back(slot, schedule, replaces)
            raise
        except DriverError as failure:
            self._lock.seen_schedules[slot] = None
            if schedules.changed and isinstance(failure, AuthorityDown):
                raise NoAnswer(f"the schedule went out, and the code did not: {failure}") from None
            raise
        self._lock.seen_schedules.pop(slot, None)
        if isinstance(written.reading, Known):
            return replace(written, reading=_with(written.reading, schedule))
        return written

    async def _put_back(self, slot: SlotRef, schedule: Schedule, replaces: Credential | None) -> None:
        """Restore the schedule of a slot whose new code was refused: "refused" says that nothing changed."""
        if replaces is None:
            # No code of ours was there, and one that comes erases what it does not want.
            self._lock.seen_schedules[slot] = None
            return
        before = replaces.schedule or _OPEN
        schedules = self._schedules
        try:
            if before == _OPEN:
                await schedules.erase(int(slot), schedule)
            else:
                await schedules.store(int(slot), schedules.entries(before), schedule)
        except DriverError as failure:
            self._lock.seen_schedules[slot] = None
            raise NoAnswer(f"the lock refused the code and may keep its schedule: {failure}") from None

    async def _set(self, slot: SlotRef, credential: Credential) -> Written:
        status = UserIdStatus.ENABLED if credential.enabled else UserIdStatus.DISABLED
        wanted = Known(Credential(pin=credential.pin, enabled=credential.enabled))
        return await self._codes.change(slot, wanted, "set", int(status), credential.pin.reveal())

    def _held(self, slot: SlotRef, replaces: Credential | None) -> Schedule | None:
        """Return the schedule that the slot has as far as we know; None where that is unknown."""
        if replaces is None:
            return None
        believed = replaces.schedule or _OPEN
        return believed if self._lock.seen_schedules.get(slot, believed) == believed else None

    @property
    def _codes(self) -> SlotCodes:
        return SlotCodes(self._lock, self._radio, self._waits)

    @property
    def _schedules(self) -> SlotSchedules:
        room = self._lock.room or _ROOM_FOR_OURS
        return SlotSchedules(self._lock.reached(), self._radio, room, self._zone, self._waits.settle_s)

    def _number(self, slot: SlotRef) -> int:
        """Return the user id. Above all never 0, which would clear every code of the lock."""
        if slot not in self._lock.able().slots:
            raise Refused(Refusal.OTHER, "the lock has no such slot")
        return int(slot)


def _with(reading: Known, schedule: Schedule | None) -> Known:
    return Known(replace(reading.credential, schedule=schedule))
