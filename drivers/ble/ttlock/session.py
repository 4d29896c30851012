"""One connection to one lock: the driver's contract over its codes, its clock and its log."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import override

from msgspec.structs import replace

from drivers.ble.family import LockSession, never
from drivers.ble.feed import hand_on
from drivers.ble.ttlock.codes import Codes
from drivers.ble.ttlock.commands import (
    FACTS_NOT_ALLOWED,
    KEYS_DO_NOT_FIT,
    NOT_ALLOWED,
    Command,
    Failure,
    Feature,
    SaidNo,
)
from drivers.ble.ttlock.conversation import Conversation
from drivers.ble.ttlock.features import read_features
from drivers.ble.ttlock.log import Log
from drivers.ble.ttlock.passcodes import Entry, Kind, kind_of
from drivers.ble.ttlock.settings import LENGTHS
from drivers.ble.ttlock.slots import are_alike
from drivers.ble.ttlock.state import LockState
from drivers.ble.ttlock.times import Window, schedule_of, window_of
from gateway.domain.credential import (
    Credential,
    Empty,
    Evidence,
    Known,
    Reading,
    Schedule,
    SlotRef,
    Unreadable,
    WeeklyWindow,
)
from gateway.domain.driver import DriverError, LockEvent, LockSeen, NoAnswer, Refused, Written
from gateway.domain.errors import InvalidInput
from gateway.domain.pin import Pin
from gateway.domain.placement import Refusal
from gateway.domain.timing import CLOCK_TOLERANCE

_SOME_WEEKDAYS = WeeklyWindow(weekdays=(), from_minute=0, until_minute=0)
"""Stands for the times of a cyclic code, whose two bytes nobody has explained: equal to no window of ours."""


class TTLockSession(LockSession):
    """Work on one lock.

    What was changed is looked at afterwards: a list costs one question, and nobody has published what a real
    lock acknowledges.
    """

    def __init__(self, state: LockState, conversation: Conversation, lost: asyncio.Event) -> None:
        """Work over a connection on which we are logged in; `lost` is set when it ends."""
        self._lost = lost
        self._state = state
        self._book = state.book
        self._conversation = conversation
        self._codes = Codes(conversation, state.book, modifies=state.secret.can(Feature.MODIFY_PASSCODE))
        self._listed = False
        self._clock_checked = False
        self._clock_off_by: timedelta | None = None

    @override
    async def read(self, slot: SlotRef) -> Reading:
        await self._look()
        return self._reading(slot)

    @override
    async def read_all(self) -> Mapping[SlotRef, Reading]:
        await self._look()
        return {slot: self._reading(slot) for slot in self._book.listed}

    @override
    async def probe(self) -> str:
        raise Refused(Refusal.OTHER, "this lock answers no checksum")

    @override
    async def write(
        self, slot: SlotRef | None, credential: Credential, *, replaces: Credential | None
    ) -> Written:
        window = self._checked(credential)
        digits = credential.pin.reveal()
        await self._know()
        if slot is not None and not self._book.known(slot):
            raise Refused(Refusal.OTHER, "the lock has no such code to change")
        if self._book.clash(digits, slot) or are_alike(digits, self._state.secret.admin_passcode):
            raise Refused(Refusal.DUPLICATE, "the lock has this code already, or one that begins like it")
        if window is not None:
            await self._trust_clock()
        async with self._changing():
            if slot is None:
                slot = await self._add(digits, window)
            else:
                await self._replace(slot, digits, window)
        return await self._outcome(slot)

    @override
    async def clear(self, slot: SlotRef, *, holds: Credential | None) -> Written:
        await self._know()
        entries = [kept[slot] for kept in (self._book.seconds, self._book.listed) if slot in kept]
        async with self._changing():
            for entry in entries:
                await self._codes.delete(entry)
        written = await self._outcome(slot)
        if isinstance(written.reading, Empty):
            self._book.retire(slot)
            await self._state.save()
        return written

    @override
    async def read_log(
        self, sink: Callable[[LockEvent], Awaitable[None]], asked_to_stop: Callable[[], bool] = never
    ) -> bool:
        with suppress(Refused):  # Who came in is told all the same; the next reading tries again.
            await self._undo_half_changes()
        await self._tell_pending(sink)
        was_read = await Log(self._state, self._conversation, self._know).read(sink, asked_to_stop)
        if was_read and self._state.now() is not None and self._state.clock.due:
            # It may just have told that it was without power: codes wait in it that need the clock.
            await self._check_clock()
            await self._tell_pending(sink)
        return was_read

    @override
    async def describe(self) -> LockSeen:
        battery = None if self._state.facts.words is not None else await self._features()
        if self._state.clock.due:
            await self._check_clock()
        return self._state.seen(battery)

    @override
    def lost(self) -> asyncio.Event:
        return self._lost

    async def _features(self) -> float | None:
        """Ask what the lock can do; return its charge."""
        try:
            told = read_features(await self._conversation.ask(Command.FEATURES))
        except SaidNo as no:
            if no.code not in KEYS_DO_NOT_FIT:
                raise no.refusal() from None
            self._state.facts.refused(FACTS_NOT_ALLOWED)
            return None
        # An answer without them says nothing: a lock that could do nothing would not be here.
        self._state.secret = replace(self._state.secret, features=told.bits or self._state.secret.features)
        await self._state.save()
        return told.battery

    # Changes

    async def _undo_half_changes(self) -> None:
        """Delete what a change in two steps has stored before it broke, and nobody has ended since.

        The change may have been taken back: then nobody would delete it, and it would open the door unseen.
        """
        if not any(one.second for one in self._book.kept()):
            return
        await self._know()
        async with self._changing():
            for slot, entry in self._book.seconds.items():
                await self._codes.delete(entry)
                self._book.expect_no_second(slot)
        await self._state.save()

    async def _add(self, digits: str, window: Window | None) -> SlotRef:
        slot = self._book.expect(digits, self._state.now())
        await self._state.save()
        try:
            await self._codes.add(digits, window)
        except SaidNo:
            self._book.drop(slot)
            await self._state.save()
            raise
        return slot

    async def _replace(self, slot: SlotRef, digits: str, window: Window | None) -> None:
        """Make the code of a slot another one; by the least change that the lock is able to make."""
        entry, second = self._book.listed.get(slot), self._book.seconds.get(slot)
        if entry is None:
            await self._add_again(slot, digits, window)
        elif second is not None and _holds(second, digits, window):
            await self._codes.delete(entry)  # the first step of this very change was done before
        else:
            if second is not None:
                await self._codes.delete(second)
                self._book.expect_no_second(slot)
            if _holds(entry, digits, window):
                return
            if self._codes.in_place(entry, window):
                await self._codes.modify(entry, digits, window)
            elif digits == entry.current:
                await self._swap(slot, entry, digits, window)
            else:
                await self._succeed(slot, entry, digits, window)

    async def _add_again(self, slot: SlotRef, digits: str, window: Window | None) -> None:
        """Store a code in a slot whose code somebody deleted."""
        self._book.expect_again(slot, digits, self._state.now())
        await self._state.save()
        try:
            await self._codes.add(digits, window)
        except SaidNo:
            self._book.miss(slot)
            await self._state.save()
            raise

    async def _succeed(self, slot: SlotRef, entry: Entry, digits: str, window: Window | None) -> None:
        """Store the new code, then delete the old one.

        In this order: when the connection breaks in between, nobody stands before a closed door.
        """
        self._book.expect_second(slot, digits)
        await self._state.save()
        try:
            await self._codes.add(digits, window)
        except SaidNo as no:
            self._book.expect_no_second(slot)
            await self._state.save()
            if no.code != Failure.FULL:
                raise
            await self._swap(slot, entry, digits, window)
            return
        try:
            await self._codes.delete(entry)
        except SaidNo as no:
            self._noted(no)
            raise NoAnswer("the lock took the new code and does not let go of the old one") from None

    async def _swap(self, slot: SlotRef, entry: Entry, digits: str, window: Window | None) -> None:
        """Delete the old code, then store the new one: where both cannot be there at once."""
        await self._codes.delete(entry)
        self._book.expect_again(slot, digits, self._state.now())
        await self._state.save()
        try:
            await self._codes.add(digits, window)
        except SaidNo as no:
            self._book.expect_again(slot, entry.current, None)
            await self._state.save()
            refusal = self._noted(no)
            try:
                self._state.access.refuse()  # What these keys may not store is not tried again for that.
                await self._codes.restore(entry)
            except (SaidNo, Refused):
                raise NoAnswer("the lock refused a code and did not take the old one back") from None
            raise refusal from None

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[None]:
        """Turn the lock's "no" into ours. After any failure, list the codes before the next change."""
        self._state.access.refuse()
        self._listed = False
        try:
            yield
            self._state.access.lift()
        except SaidNo as no:
            raise self._noted(no) from None

    def _noted(self, no: SaidNo) -> Refused:
        """Return what a "no" means; remember where our keys may not do this, so that it does not go on."""
        if no.code in KEYS_DO_NOT_FIT:
            self._state.access.refused(NOT_ALLOWED)
        return no.refusal()

    async def _outcome(self, slot: SlotRef) -> Written:
        try:
            await self._look()
        except DriverError:
            return Written(slot=slot, evidence=Evidence.ACCEPTED)
        return Written(slot=slot, evidence=Evidence.ACCEPTED, reading=self._reading(slot))

    # What is known

    async def _look(self) -> None:
        self._state.access.refuse()
        self._listed = False
        try:
            await self._codes.look()
        except SaidNo as no:
            raise self._noted(no) from None
        self._listed = True
        await self._state.save()

    async def _know(self) -> None:
        """List the codes unless nothing happened since the last list of this connection."""
        if not self._listed:
            await self._look()

    async def _tell_pending(self, sink: Callable[[LockEvent], Awaitable[None]]) -> None:
        pending = self._state.pending
        while pending:
            await hand_on(pending[0], sink, partial(pending.pop, 0))

    async def _check_clock(self) -> None:
        checked = await self._state.clock.check(self._conversation)
        self._clock_off_by = checked.off_by
        self._clock_checked = not self._state.clock.was_busy
        self._state.pending.append(checked)

    async def _trust_clock(self) -> None:
        """Look at the lock's clock before a date is given to it, once per connection.

        Raises Refused. Without knowing what it shows no date is given to it: it may end a code years early,
        or never. Where it cannot be read the hub keeps the window; where the lock only did not tell it this
        time, or the hub does not know the time itself, the code waits.
        """
        if not self._clock_checked:
            await self._check_clock()
        if (off_by := self._clock_off_by) is not None:
            if abs(off_by) > CLOCK_TOLERANCE:
                raise Refused(Refusal.SCHEDULE, "the clock of the lock is wrong and cannot be set")
        elif self._state.now() is None:
            self._clock_checked = False
            raise Refused(
                Refusal.BUSY,
                "the hub does not know the time, so the lock's clock cannot be checked",
            )
        elif self._state.clock.was_busy:
            raise Refused(Refusal.BUSY, "the lock did not let its clock be read or set this time")
        else:
            raise Refused(Refusal.SCHEDULE, "the clock of the lock cannot be read")

    def _checked(self, credential: Credential) -> Window | None:
        """Return the window to give to the lock. Raises Refused for what it cannot hold."""
        pin = credential.pin.reveal()
        if not (pin.isascii() and pin.isdecimal() and len(pin) in LENGTHS):
            raise Refused(Refusal.FORMAT, "this lock takes codes of 4 to 9 digits")
        if not credential.enabled:
            raise Refused(Refusal.OTHER, "this lock cannot hold a code disabled")
        window = window_of(credential.schedule, self._state.clock.zone)
        if window is not None and not self._state.windows:
            raise Refused(Refusal.SCHEDULE, "this lock keeps no windows")
        return window

    def _reading(self, slot: SlotRef) -> Reading:
        entry = self._book.listed.get(slot)
        if entry is None:
            return Empty()
        try:
            pin = Pin(entry.current)
        except InvalidInput:
            return Unreadable()
        return Known(Credential(pin=pin, schedule=self._schedule(entry)))

    def _schedule(self, entry: Entry) -> Schedule | None:
        if entry.kind == Kind.PERMANENT:
            return None  # its start is the day it was made, or nothing at all
        schedule = schedule_of(entry.start, entry.end, self._state.clock.zone)
        if entry.kind == Kind.CYCLIC:
            return replace(schedule or Schedule(), weekly=(_SOME_WEEKDAYS,))
        return schedule


def _holds(entry: Entry, digits: str, window: Window | None) -> bool:
    """Say whether a code is what is wanted already."""
    if entry.current != digits or entry.kind != kind_of(window):
        return False
    return window is None or (entry.start, entry.end) == (window.start, window.end)
