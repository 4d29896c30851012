"""How the hub stands with one lock: its keys, and the errors that must not be provoked again."""

import logging
from typing import Final

import msgspec

from drivers.ble.hold import Hold
from drivers.ble.nuki.commands import Command
from drivers.ble.nuki.errors import Lasting, LockError
from drivers.ble.nuki.keys import NukiKeys, PinHeld, encode
from gateway.domain.clock import Clock
from gateway.domain.driver import Refused
from gateway.domain.keyring import Keyring
from gateway.domain.placement import Refusal
from gateway.domain.store import StorageFailed

_LOG = logging.getLogger(__name__)
LOCKED_OUT_S = 3600.0
"""How long a lock that was offered wrong PINs is left alone; how long it sulks is not documented."""
NOT_NOW_S = 3600.0
"""How long a lock that does not let us in at this time of day is left alone: no guest waits longer for it."""
_PIN_REFUSED = "the lock refused the security PIN; it is not tried again until it is changed (pair again)"
_PIN_DOUBTED = (
    "something at the lock's address refused the security PIN, without proof that it is the lock: "
    "check the PIN in the app"
)
_LOCKED_OUT = "wrong security PINs were tried too often; the lock is left alone for an hour"
_REVOKED = (
    "the lock says, without proof, that it does not know this hub any more: "
    "pair it again if it was reset or the hub was deleted in the app"
)
_NOT_NOW = "{}. The lock is asked again every hour"
_BESIDE: Final = {
    Command.REQUEST_CONFIG: "it does not tell what it is",
    Command.UPDATE_TIME: "its clock is not set",
    Command.REQUEST_LOG: "its log is not read",
}
"""What no code needs, and what follows where it is refused. Removals least of all are to wait for that."""


class Standing:
    """The keys of one lock, kept in the vault, and what follows from its refusals."""

    def __init__(self, device_id: str, keys: NukiKeys, keyring: Keyring, clock: Clock) -> None:
        """Start with `keys` as they are in the vault."""
        self.device_id = device_id
        self.keys = keys
        self._kept = keys
        self._keyring = keyring
        self.hold = Hold(clock)
        """The keys: whether the lock knows us."""
        self.access = Hold(clock)
        """What the lock's settings let us do."""
        self._beside = {command: Hold(clock) for command in _BESIDE}
        self._refused_over: Command | None = None
        """What was asked when they did not let us."""
        self._clock = clock
        self._pin_hold = Hold(clock)
        if keys.pin_held is not None:
            self._hold_pin(keys.pin_held)

    def remember(self, **changes: object) -> None:
        """Change what is known of the lock; the next `keep` makes it durable."""
        self.keys = msgspec.structs.replace(self.keys, **changes)

    async def keep(self, **changes: object) -> None:
        """Change what is kept of the lock; durable on return.

        Raises StorageFailed: the change counts nevertheless, and is kept with the next one.
        """
        self.remember(**changes)
        keys = self.keys
        if keys != self._kept:
            await self._keyring.save(self.device_id, encode(keys))
            self._kept = keys

    @property
    def trouble(self) -> str | None:
        """Return what a person should mend, in words; None where nothing is."""
        beside = next(filter(None, map(self.trouble_with, _BESIDE)), None)
        return self.hold.words or self.access.words or self.pin_trouble or beside

    def trouble_with(self, command: Command) -> str | None:
        """Return why a command that no code needs is left alone by itself; None where it is not."""
        return self._beside[command].words if command in self._beside else None

    def check(self, command: Command) -> None:
        """Raise Refused, with nothing sent, where a command is not to be tried."""
        for hold in (self.hold, self._hold_for(command), self.access):
            hold.refuse()

    def check_pin(self, command: Command) -> None:
        """Raise Refused, with nothing sent, where a command that needs the PIN is not to be tried."""
        self.check(command)
        if (words := self.pin_trouble) is not None:
            raise Refused(Refusal.OTHER, words)

    @property
    def pin_trouble(self) -> str | None:
        """Return why nothing that needs the security PIN may be sent; None where it may."""
        return _PIN_REFUSED if self.keys.pin_refused else self._pin_hold.words

    async def note(self, command: Command, error: LockError) -> None:
        """Remember what stays true after an error: of the PIN for ever only what the lock has sealed."""
        match error.lasting:
            case Lasting.PIN_WRONG if error.sealed:
                await self._keep_of_pin(pin_refused=True)
            case Lasting.PIN_WRONG | Lasting.PIN_LOCKED_OUT as lasting:
                held = PinHeld(since=self._clock.now(), locked_out=lasting is Lasting.PIN_LOCKED_OUT)
                self._pin_hold.refused(*_held_for(held))
                await self._keep_of_pin(pin_held=held)
            case Lasting.REVOKED:
                self.hold.refused(_REVOKED)
            case Lasting.BARRED:
                self._hold_over(command).refused(_of(command, error))
            case Lasting.NOT_NOW:
                self._hold_over(command).refused(_NOT_NOW.format(_of(command, error)), NOT_NOW_S)
            case _:
                return
        _LOG.warning("%s: %s", self.device_id, error)

    def ask_again(self) -> None:
        """Let all be tried again but a PIN that the lock itself refused: it shuts everybody out for that."""
        for hold in (self.hold, self.access, *self._beside.values()):
            hold.lift()
        if self.keys.pin_held is not None and not self.keys.pin_held.locked_out:
            self._pin_hold.lift()
            self.remember(pin_held=None)

    def granted(self, command: Command) -> None:
        """Note that the lock did what was asked for.

        Rights may differ: that the log can be read says nothing of a list that was refused.
        """
        if self._refused_over in {command, Command.REQUEST_DATA}:
            self.access.lift()
        if command in self._beside:
            self._beside[command].lift()

    async def proven(self, command: Command) -> None:
        """Note that the lock carried out a command that needs the security PIN: it takes the PIN."""
        self.granted(command)
        self._pin_hold.lift()
        if self.keys.pin_held is not None:
            await self._keep_of_pin(pin_held=None)

    def _hold_for(self, command: Command) -> Hold:
        return self._beside.get(command, self.access)

    def _hold_over(self, command: Command) -> Hold:
        """Return what to hold back after a refusal: the command alone, or all."""
        hold = self._hold_for(command)
        if hold is self.access:
            self._refused_over = command
        return hold

    async def _keep_of_pin(self, **changes: object) -> None:
        try:
            await self.keep(**changes)
        except StorageFailed:
            _LOG.error("%s: what became of its security PIN cannot be stored", self.device_id)

    def _hold_pin(self, held: PinHeld) -> None:
        """Hold the PIN back, for what is left of its time where that passes.

        Only a clock that is synchronised can say that some of it has passed, and one that shows an earlier
        time says nothing: then all of it is waited for again, by the clock that always runs.
        """
        words, seconds = _held_for(held)
        if seconds is None:
            self._pin_hold.refused(words)
            return
        passed = (self._clock.now() - held.since).total_seconds()
        if self._clock.synchronised() and passed > 0:
            seconds -= passed
        self._pin_hold.refused(words, seconds)


def _of(command: Command, error: LockError) -> str:
    """Return what the lock said, behind what follows where that is no more than one thing."""
    return f"{_BESIDE[command]}: {error}" if command in _BESIDE else str(error)


def _held_for(held: PinHeld) -> tuple[str, float | None]:
    """Return why the PIN is held back, in words, and for how many seconds; None: until a person asks."""
    return (_LOCKED_OUT, LOCKED_OUT_S) if held.locked_out else (_PIN_DOUBTED, None)
