"""The work on one Nuki lock in one connection: the contract of `gateway.domain.driver` over its keypad."""

import asyncio
import struct
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Final, override

from msgspec.structs import replace

from drivers.ble.family import LockSession, never
from drivers.ble.hold import KeysRefused
from drivers.ble.nuki.asking import Asker
from drivers.ble.nuki.clock import ahead, set_where_due
from drivers.ble.nuki.commands import Command
from drivers.ble.nuki.errors import NO_SUCH_ID, Lasting, LockError
from drivers.ble.nuki.facts import lock_seen
from drivers.ble.nuki.frames import BadFrame, Message
from drivers.ble.nuki.keypad import StoredCode, add_code, read_code, update_code
from drivers.ble.nuki.log import tell_new
from drivers.ble.nuki.records import States, read_config, read_states
from drivers.ble.nuki.settings import NukiLockSettings
from drivers.ble.nuki.standing import Standing
from gateway.domain.clock import Clock
from gateway.domain.credential import Credential, Empty, Evidence, Known, Reading, SlotRef
from gateway.domain.driver import LockEvent, LockSeen, NoAnswer, Refused, Written
from gateway.domain.placement import Refusal

_LISTED_AT_ONCE: Final = 100
_NUMBER = struct.Struct("<H")


class NukiSession(LockSession):
    """One connection. Its first question is for the states.

    On a bridge's behalf that takes back the advertised "something changed", so that whatever happens from
    then on is advertised anew.
    """

    def __init__(
        self,
        ask: Asker,
        states: States,
        standing: Standing,
        settings: NukiLockSettings,
        clock: Clock,
        lost: asyncio.Event,
    ) -> None:
        """Use `begin`."""
        self._lost = lost
        self._ask = ask
        self._states = states
        self._asked_at = clock.boot()
        """When the lock told its states, by the hub's clock since it was started."""
        self._standing = standing
        self._settings = settings
        self._clock = clock

    @classmethod
    async def begin(
        cls, ask: Asker, standing: Standing, settings: NukiLockSettings, clock: Clock, lost: asyncio.Event
    ) -> "NukiSession":
        """Ask for the states; return the session. `lost` is set once the connection is gone.

        Raises KeysRefused where the lock does not know us, Refused for its other errors (it was reached, and
        its words are what helps), LockUnreachable and NoAnswer.
        """
        try:
            states = read_states(await ask.fetch(Command.STATES))
        except LockError as error:
            if error.lasting is Lasting.REVOKED:
                raise KeysRefused(str(error)) from None
            raise
        except BadFrame as error:
            raise NoAnswer(str(error)) from None
        standing.hold.lift()
        return cls(ask, states, standing, settings, clock, lost)

    @override
    async def read(self, slot: SlotRef) -> Reading:
        return (await self.read_all()).get(slot, Empty())

    @override
    async def read_all(self) -> Mapping[SlotRef, Reading]:
        return {str(code.code_id): Known(code.credential) for code in await self._list()}

    @override
    async def probe(self) -> str:
        raise Refused(Refusal.OTHER, "a Nuki lock answers no checksum")

    @override
    async def write(
        self, slot: SlotRef | None, credential: Credential, *, replaces: Credential | None
    ) -> Written:
        if slot is None:
            return await self._add(credential)
        number = _number(slot)
        try:
            await self._ask.with_pin(Command.UPDATE_CODE, update_code(number, credential))
        except LockError as error:
            if error.code in NO_SUCH_ID and not await self._is_listed(number):
                raise Refused(Refusal.OTHER, "the lock has no such code any more") from None
            raise
        return Written(slot=slot, evidence=Evidence.ACCEPTED)

    @override
    async def clear(self, slot: SlotRef, *, holds: Credential | None) -> Written:
        number = _number(slot)
        try:
            await self._ask.with_pin(Command.REMOVE_CODE, _NUMBER.pack(number))
        except LockError as error:
            # What a lock says of a code that is not there is not documented: the list tells.
            if error.code not in NO_SUCH_ID or await self._is_listed(number):
                raise
            return Written(slot=slot, evidence=Evidence.ACCEPTED, reading=Empty())
        return Written(slot=slot, evidence=Evidence.ACCEPTED)

    @override
    async def read_log(
        self, sink: Callable[[LockEvent], Awaitable[None]], asked_to_stop: Callable[[], bool] = never
    ) -> bool:
        try:
            self._standing.check_pin(Command.REQUEST_LOG)
        except Refused:
            return True  # Why not is told elsewhere; asking again and again for a log would change nothing.
        now = self._clock.now()
        told = tell_new(self._ask, self._standing, ahead(self._states_now(), now), now, sink, asked_to_stop)
        return await told

    @override
    async def describe(self) -> LockSeen:
        keys, version = self._standing.keys, self._states.config_version
        config = keys.config
        if config is None or keys.config_version != version:
            try:
                config = read_config(await self._ask.fetch_config())
            except BadFrame as error:
                raise NoAnswer(str(error)) from None
        await self._standing.keep(config=config, config_version=version)
        await set_where_due(self._ask, self._states_now(), self._clock, self._standing.device_id)
        return lock_seen(self._standing.device_id, config, self._settings, self._states.battery)

    @override
    def lost(self) -> asyncio.Event:
        return self._lost

    def _states_now(self) -> States:
        """Return the states with what the lock's clock shows by now: a connection may last for minutes."""
        shown = self._states.at
        if shown is None:
            return self._states
        passed = timedelta(seconds=self._clock.boot() - self._asked_at)
        return replace(self._states, at=shown + passed)

    async def _add(self, credential: Credential) -> Written:
        """Add a code; one that is to be disabled is so by a second command, because adding enables it."""
        answers = await self._ask.with_pin(
            Command.ADD_CODE, add_code(credential), wanted=(Command.CODE_ID,), enough=bool
        )
        if len(answers[0].payload) < _NUMBER.size:
            raise NoAnswer("the lock stored a code and did not say where")
        (number,) = _NUMBER.unpack_from(answers[0].payload)
        if not credential.enabled:
            await self._disable(number, credential)
        return Written(slot=str(number), evidence=Evidence.ACCEPTED)

    async def _disable(self, number: int, credential: Credential) -> None:
        try:
            await self._ask.with_pin(Command.UPDATE_CODE, update_code(number, credential))
        except Refused as refusal:
            raise NoAnswer(f"the code was added, and is enabled too early: {refusal}") from None

    async def _is_listed(self, number: int) -> bool:
        return any(code.code_id == number for code in await self._list())

    async def _list(self) -> list[StoredCode]:
        """Return all codes. The lock says how many there are, then tells as many as were asked for."""
        found: dict[int, StoredCode] = {}
        told, total = 0, 1
        while told < total:
            answers = await self._ask.with_pin(
                Command.REQUEST_CODES,
                struct.pack("<HH", told, _LISTED_AT_ONCE),
                wanted=(Command.CODE_COUNT, Command.CODE),
                enough=partial(_is_whole, told=told),
            )
            total = _total(answers)
            part = _codes(answers)
            if not part and told < total:
                raise NoAnswer("the lock told fewer codes than it has")
            found |= {code.code_id: code for code in part}
            told += len(part)
        return list(found.values())


def _is_whole(answers: Sequence[Message], *, told: int) -> bool:
    """Say whether a part of the list is complete: the count, and as many codes as there are or were asked."""
    return len(answers) > min(_total(answers) - told, _LISTED_AT_ONCE)


def _total(answers: Sequence[Message]) -> int:
    head = answers[0]
    if head.command != Command.CODE_COUNT or len(head.payload) < _NUMBER.size:
        raise NoAnswer("the lock did not say how many codes it has")
    (count,) = _NUMBER.unpack_from(head.payload)
    return int(count)


def _codes(answers: Sequence[Message]) -> list[StoredCode]:
    try:
        return [read_code(answer.payload) for answer in answers if answer.command == Command.CODE]
    except BadFrame as error:
        raise NoAnswer(str(error)) from None


def _number(slot: SlotRef) -> int:
    if not (slot.isascii() and slot.isdecimal() and int(slot) <= 0xFFFF):  # noqa: PLR2004 - two bytes
        raise Refused(Refusal.OTHER, "the lock has no such slot")
    return int(slot)
