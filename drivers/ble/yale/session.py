"""The work in one connection to one lock, through the library."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import override

from bleak.exc import BleakError
from yalexs_ble import KeycodeError, YaleXSBLEError
from yalexs_ble.lock import ActivityLogOverrunError, Lock

from drivers.ble.family import LockSession, never
from drivers.ble.hold import Hold
from drivers.ble.yale import activity
from drivers.ble.yale.errors import NOT_ALLOWED, refused, says_not_allowed, says_nothing_there
from drivers.ble.yale.settings import MOST_SLOTS
from gateway.domain.clock import Clock
from gateway.domain.credential import Credential, Empty, Evidence, Known, Reading, SlotRef, Unreadable
from gateway.domain.driver import (
    DriverError,
    LockEvent,
    LockSeen,
    LockUnreachable,
    NoAnswer,
    Refused,
    Written,
)
from gateway.domain.pin import Pin
from gateway.domain.placement import Refusal

OPERATION_S = 20.0
"""For one thing the library does. It waits 10 s for each answer, and setting a code takes four answers."""
_ROUNDS = 8
"""Rounds of 32 records in one connection; what is left is read in the next one."""
_NO_SLOT = "the lock has no such slot"
_BROKE = "the connection to the lock broke"
_LEAST_ALKALINE_V = 4.4
"""Four cells that have less turn no lock. It is another kind of battery then, whose charge cannot be told."""


class YaleSession(LockSession):
    """One connection. After an answer that did not come it is given up: the ciphers may be out of step."""

    def __init__(
        self,
        lock: Lock,
        lost: asyncio.Event,
        seen: LockSeen,
        clock: Clock,
        access: Hold,
        *,
        has_battery: bool,
        has_log: bool,
    ) -> None:
        """Work through a connected `lock`, of which `seen` tells all but the battery.

        `access` takes what the lock says of our key.
        """
        self._lock = lock
        self._lost = lost
        self._seen = seen
        self._clock = clock
        self._access = access
        self._has_battery = has_battery
        self._has_log = has_log
        self._spoilt = False

    @override
    async def read(self, slot: SlotRef) -> Reading:
        number = _number(slot)
        self._access.refuse()
        try:
            digits = await self._ask(lambda: self._lock.get_keycode(number))
        except KeycodeError as error:
            if says_nothing_there(error):
                return Empty()
            raise self._noted(error) from None
        except ValueError:
            # The field holds something else than digits: taken, and not to be read.
            return Unreadable()
        return Empty() if digits is None else Known(Credential(pin=Pin(digits)))

    @override
    async def read_all(self) -> Mapping[SlotRef, Reading]:
        raise Refused(Refusal.OTHER, "a Yale lock does not list its slots: read them one by one")

    @override
    async def probe(self) -> str:
        raise Refused(Refusal.OTHER, "a Yale lock has no checksum over its slots")

    @override
    async def write(
        self, slot: SlotRef | None, credential: Credential, *, replaces: Credential | None
    ) -> Written:
        if slot is None:
            raise Refused(Refusal.OTHER, "this lock wants a slot")
        if credential.schedule is not None:
            raise Refused(Refusal.SCHEDULE, "this lock keeps no schedules")
        if not credential.enabled:
            raise Refused(Refusal.OTHER, "this lock cannot hold a code disabled")
        lengths = self._seen.capabilities.pin_rules.lengths
        digits = credential.pin.reveal()
        if not (digits.isdecimal() and len(digits) in lengths):
            raise Refused(Refusal.FORMAT, f"this lock takes codes of {_either(lengths)} digits")
        # Where a code is, there is a slot, also beyond the number that is configured since.
        if slot not in self._seen.capabilities.slots and replaces is None:
            raise Refused(Refusal.OTHER, _NO_SLOT)
        number = _number(slot)
        # The library clears the slot before it sets it, and a refusal comes after that.
        before = await self.read(slot)
        try:
            await self._ask(lambda: self._lock.set_keycode(number, digits))
        except KeycodeError as error:
            refusal = self._noted(error)
            if error.command != "clear_keycode":
                await self._put_back(number, before)
            raise refusal from None
        self._access.lift()
        return await self._looked_at(slot, credential)

    @override
    async def clear(self, slot: SlotRef, *, holds: Credential | None) -> Written:
        number = _number(slot)
        self._access.refuse()
        try:
            await self._ask(lambda: self._lock.clear_keycode(number))
        except KeycodeError as error:
            if not says_nothing_there(error):
                raise self._noted(error) from None
        self._access.lift()
        return await self._looked_at(slot, None)

    @override
    async def read_log(
        self, sink: Callable[[LockEvent], Awaitable[None]], asked_to_stop: Callable[[], bool] = never
    ) -> bool:
        rounds = _ROUNDS if self._has_log else 0
        while rounds > 0 and await self._has_more(sink, asked_to_stop):
            rounds -= 1
        return not asked_to_stop()

    @override
    async def describe(self) -> LockSeen:
        level = await self._battery() if self._has_battery else None
        seen = self._seen
        return LockSeen(
            device_id=seen.device_id, identity=seen.identity, capabilities=seen.capabilities, battery=level
        )

    async def _has_more(
        self, sink: Callable[[LockEvent], Awaitable[None]], asked_to_stop: Callable[[], bool]
    ) -> bool:
        """Hand on what the library reads in one go; say whether that was not all and more is to be read."""
        # Each step of the iterator takes one record off the lock.
        records = self._lock.drain_lock_activity()
        try:
            while (
                not asked_to_stop() and (record := await self._ask(lambda: anext(records, None))) is not None
            ):
                event = activity.used(self._seen.device_id, record, self._clock.now())
                if event is not None:
                    await sink(event)
        except ActivityLogOverrunError:
            return True
        return False

    @override
    def lost(self) -> asyncio.Event:
        return self._lost

    async def _battery(self) -> float | None:
        """Return the charge; None where the lock does not answer such questions, as some models."""
        try:
            state = await self._ask(self._lock.battery)
        except NoAnswer:
            # Not even an acknowledgement came, so nothing is out of step.
            self._has_battery = self._spoilt = False
            return None
        return state.percentage / 100 if state.voltage >= _LEAST_ALKALINE_V else None

    async def _put_back(self, number: int, before: Reading) -> None:
        """Store again what a refused write took away: "refused" says that the slot is as before.

        Raises NoAnswer where that is not possible, or was what the lock does not let our key do.
        """
        if isinstance(before, Empty):
            return
        try:
            if isinstance(before, Known) and self._access.words is None:
                digits = before.credential.pin.reveal()
                await self._ask(lambda: self._lock.set_keycode(number, digits))
                return
        except KeycodeError:
            pass
        raise NoAnswer("the lock refused the code and may have lost the one before") from None

    async def _looked_at(self, slot: SlotRef, wanted: Credential | None) -> Written:
        """Return how a write or removal that the lock acknowledged looks on the lock."""
        try:
            reading = await self.read(slot)
        except DriverError:
            return Written(slot=slot, evidence=Evidence.ACCEPTED)
        if wanted is None:
            shown = isinstance(reading, Empty)
        else:
            shown = isinstance(reading, Known) and reading.credential.pin == wanted.pin
        return Written(slot=slot, evidence=Evidence.READ_BACK if shown else Evidence.SENT, reading=reading)

    async def _ask[T](self, operation: Callable[[], Awaitable[T]]) -> T:
        """Have the library do something.

        Its KeycodeError, ActivityLogOverrunError and ValueError come through: they mean different things.
        """
        if self._spoilt:
            raise LockUnreachable("the connection to the lock was given up")
        try:
            async with asyncio.timeout(OPERATION_S):
                return await operation()
        except (KeycodeError, ActivityLogOverrunError):
            raise
        except TimeoutError:
            failure: DriverError = NoAnswer("the lock did not answer")
        except YaleXSBLEError:
            failure = self._broken_or_garbled()
        except (BleakError, EOFError, OSError, AttributeError, KeyError):
            failure = LockUnreachable(_BROKE)
        self._spoilt = True
        raise failure from None

    def _noted(self, error: KeycodeError) -> Refused:
        """Return what an error means; remember where our key may not do this, so that it does not go on."""
        if says_not_allowed(error):
            self._access.refused(NOT_ALLOWED)
        return refused(error)

    def _broken_or_garbled(self) -> DriverError:
        if self._lock.is_connected:
            return NoAnswer("the lock's answer could not be read")
        return LockUnreachable(_BROKE)


def _number(slot: SlotRef) -> int:
    """Return the number of a slot. It may be beyond those that are configured: a code may be left there."""
    if not (slot.isascii() and slot.isdecimal() and 1 <= int(slot) <= MOST_SLOTS):
        raise Refused(Refusal.OTHER, _NO_SLOT)
    return int(slot)


def _either(lengths: tuple[int, ...]) -> str:
    return " or ".join(str(length) for length in sorted(lengths))
