"""How the hub stands with one lock: its keys, and the errors that must not be provoked again."""

import logging

import msgspec

from drivers.ble.nuki.errors import Lasting, LockError
from drivers.ble.nuki.keys import NukiKeys, encode
from gateway.domain.clock import Clock
from gateway.domain.driver import LockUnreachable, Refused
from gateway.domain.keyring import Keyring
from gateway.domain.placement import Refusal
from gateway.domain.store import StorageFailed

_LOG = logging.getLogger(__name__)
LOCKED_OUT_S = 3600.0
"""How long a lock that was offered wrong PINs is left alone; how long it sulks is not documented."""
_PIN_REFUSED = "the lock refused the security PIN; it is not tried again until it is changed (pair again)"
_LOCKED_OUT = "wrong security PINs were tried too often; the lock is left alone for an hour"
_REVOKED = "the lock does not know this hub any more: pair it again"


class Standing:
    """The keys of one lock, kept in the vault, and what follows from its refusals."""

    def __init__(self, device_id: str, keys: NukiKeys, keyring: Keyring, clock: Clock) -> None:
        """Start with `keys` as they are in the vault."""
        self.device_id = device_id
        self.keys = keys
        self._kept = keys
        self._keyring = keyring
        self._clock = clock
        self._revoked = False
        self._locked_out_until: float | None = None

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
        """Return what only a person can mend, in words; None where nothing is."""
        if self._revoked:
            return _REVOKED
        return _PIN_REFUSED if self.keys.pin_refused else None

    def check_known(self) -> None:
        """Raise LockUnreachable where the lock does not know us: a connection would be for nothing."""
        if self._revoked:
            raise LockUnreachable(_REVOKED)

    @property
    def may_use_pin(self) -> bool:
        """Say whether what needs the security PIN may be sent."""
        return not (self.keys.pin_refused or self._is_locked_out)

    def check_pin(self) -> None:
        """Raise Refused where nothing that needs the security PIN may be sent."""
        if self.keys.pin_refused:
            raise Refused(Refusal.OTHER, _PIN_REFUSED)
        if self._is_locked_out:
            raise Refused(Refusal.OTHER, _LOCKED_OUT)

    @property
    def _is_locked_out(self) -> bool:
        return self._locked_out_until is not None and self._clock.boot() < self._locked_out_until

    async def note(self, error: LockError) -> None:
        """Remember what stays true after an error."""
        if error.lasting is Lasting.PIN_WRONG:
            try:
                await self.keep(pin_refused=True)
            except StorageFailed:
                _LOG.error("%s: that its security PIN was refused cannot be stored", self.device_id)
        elif error.lasting is Lasting.PIN_LOCKED_OUT:
            self._locked_out_until = self._clock.boot() + LOCKED_OUT_S
        elif error.lasting is Lasting.REVOKED:
            self._revoked = True
        else:
            return
        _LOG.warning("%s: %s", self.device_id, error)
