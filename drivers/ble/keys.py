"""By which keys a lock is worked with: what pairing yielded, what is stored, which lock is there twice."""

import logging
from collections.abc import Mapping
from contextlib import suppress

from drivers.ble.lock import BleLock, Unsaved
from gateway.domain.keyring import Keyring
from gateway.domain.store import StorageFailed
from gateway.domain.trouble import about

_LOG = logging.getLogger(__name__)
UNSAVED = (
    "it is paired, but its keys cannot be stored: is the disk full? Make room, and do not stop the hub "
    "before; until then it works with them and goes on trying"
)
_NOT_PAIRED = "it is not paired yet"


class Keys:
    """The keys of the configured locks, in memory and in the vault."""

    def __init__(self, locks: Mapping[str, BleLock], keyring: Keyring) -> None:
        """Know the locks by device id; nothing is loaded yet."""
        self._locks = locks
        self._keyring = keyring

    async def load(self, lock: BleLock) -> None:
        """Work with a lock by what is stored of it."""
        secret = await self._keyring.load(lock.device_id)
        if secret is None:
            lock.drop(_NOT_PAIRED)
            return
        self._work_with(lock, secret)

    async def take(self, lock: BleLock, address: str, secret: bytes) -> None:
        """Keep what pairing yielded, and work with it, even where it cannot be stored yet."""
        try:
            lock.unsaved = Unsaved(before=await self._keyring.load(lock.device_id), secret=secret)
        except StorageFailed:
            lock.unsaved = Unsaved(before=None, secret=secret, knows_before=False)
        _LOG.info("%s is paired, at %s", lock.device_id, address, extra=about(lock=lock.device_id))
        await self.save(lock)
        if lock.unsaved is not None:
            # The lock has these keys by now: without them nobody could speak to it.
            _LOG.error("%s: %s", lock.device_id, UNSAVED, extra=about(lock=lock.device_id))
        self._work_with(lock, secret)

    async def save(self, lock: BleLock) -> None:
        """Store what is not stored yet; keys not over newer ones that the family has stored meanwhile."""
        unsaved = lock.unsaved
        if unsaved is None:
            if lock.family is not None:
                with suppress(StorageFailed):  # Told when it failed first.
                    await lock.family.save()
            return
        try:
            stored = await self._keyring.load(lock.device_id)
            if stored == unsaved.before or not unsaved.knows_before:
                await self._keyring.save(lock.device_id, unsaved.secret)
        except StorageFailed:
            return
        if lock.unsaved is unsaved:
            lock.unsaved = None

    async def forget(self, lock: BleLock) -> None:
        """Work with a lock no more, and drop its keys."""
        await self._keyring.forget(lock.device_id)
        lock.unsaved = None
        lock.drop(_NOT_PAIRED)
        for other in self._locks.values():
            if other is not lock and other.family is None and not other.is_pairing:
                await self.load(other)  # It may have been the same lock under another name.

    def other_at(self, lock: BleLock, address: str) -> str | None:
        """Return which other lock has this address."""
        others = (other for other in self._locks.values() if other is not lock and other.family is not None)
        return next((it.device_id for it in others if it.family and it.family.address == address), None)

    def _work_with(self, lock: BleLock, secret: bytes) -> None:
        try:
            family = lock.configured.lock(secret)
        except ValueError:
            lock.drop("what is stored of its pairing cannot be used; pair it again")
            return
        if (other := self.other_at(lock, family.address)) is not None:
            # Under two names each would clear what the other has set.
            lock.drop(f"it is the same lock as {other}: take one of them out of the configuration")
            return
        lock.adopt(family)
