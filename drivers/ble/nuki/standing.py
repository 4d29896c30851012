"""How the hub stands with one lock: its keys, and the errors that must not be provoked again."""

import logging

import msgspec

from drivers.ble.hold import KEY_REFUSALS, Hold
from drivers.ble.nuki.errors import Lasting, LockError
from drivers.ble.nuki.keys import NukiKeys, encode
from gateway.domain.clock import Clock
from gateway.domain.driver import Refused
from gateway.domain.keyring import Keyring
from gateway.domain.placement import Refusal
from gateway.domain.store import StorageFailed

_LOG = logging.getLogger(__name__)
LOCKED_OUT_S = 3600.0
"""How long a lock that was offered wrong PINs is left alone; how long it sulks is not documented."""
_PIN_REFUSED = "the lock refused the security PIN; it is not tried again until it is changed (pair again)"
_PIN_DOUBTED = (
    "something at the lock's address refused the security PIN, without proof that it is the lock: "
    "nothing that needs the PIN is tried for a day, or until it is given again (pair)"
)
_LOCKED_OUT = "wrong security PINs were tried too often; the lock is left alone for an hour"
_REVOKED = (
    "the lock says, without proof, that it does not know this hub any more: "
    "it is asked once a day; pair it again if it was reset or the hub was deleted in the app"
)


class Standing:
    """The keys of one lock, kept in the vault, and what follows from its refusals."""

    def __init__(self, device_id: str, keys: NukiKeys, keyring: Keyring, clock: Clock) -> None:
        """Start with `keys` as they are in the vault."""
        self.device_id = device_id
        self.keys = keys
        self._kept = keys
        self._keyring = keyring
        self.hold = Hold(clock, after=KEY_REFUSALS)
        """The keys: whether the lock knows us."""
        self._pin_hold = Hold(clock)

    async def keep(self, **changes: object) -> None:
        """Change what is kept of the lock; durable on return.

        Raises StorageFailed: the change counts nevertheless, and is kept with the next one.
        """
        self.keys = keys = msgspec.structs.replace(self.keys, **changes)
        if keys != self._kept:
            await self._keyring.save(self.device_id, encode(keys))
            self._kept = keys

    @property
    def trouble(self) -> str | None:
        """Return what a person should mend, in words; None where nothing is."""
        return self.hold.words or self.pin_trouble

    @property
    def may_use_pin(self) -> bool:
        """Say whether what needs the security PIN may be sent."""
        return self.pin_trouble is None

    def check_pin(self) -> None:
        """Raise Refused where nothing that needs the security PIN may be sent."""
        if (words := self.pin_trouble) is not None:
            raise Refused(Refusal.OTHER, words)

    @property
    def pin_trouble(self) -> str | None:
        """Return why nothing that needs the security PIN may be sent; None where it may."""
        return _PIN_REFUSED if self.keys.pin_refused else self._pin_hold.words

    async def note(self, error: LockError) -> None:
        """Remember what stays true after an error: for ever only what the lock has sealed."""
        match error.lasting:
            case Lasting.PIN_WRONG if error.sealed:
                try:
                    await self.keep(pin_refused=True)
                except StorageFailed:
                    _LOG.error("%s: that its security PIN was refused cannot be stored", self.device_id)
            case Lasting.PIN_WRONG:
                self._pin_hold.refused(_PIN_DOUBTED)
            case Lasting.PIN_LOCKED_OUT:
                self._pin_hold.refused(_LOCKED_OUT, LOCKED_OUT_S)
            case Lasting.REVOKED:
                self.hold.refused(_REVOKED)
            case _:
                return
        _LOG.warning("%s: %s", self.device_id, error)
