"""The vault for what pairing yielded, over the store."""

from gateway.domain.store import LastingFailure, Store


class StoredKeys:
    """`gateway.domain.keyring.Keyring`: secrets of locks, sealed in the database. Raises StorageFailed."""

    def __init__(self, store: Store) -> None:
        """Keep secrets in `store`."""
        self._store = store

    async def load(self, device_id: str) -> bytes | None:
        """Return the secret of a lock; None where it was never paired, or where it does not open any more."""
        try:
            return await self._store.run(lambda tx: tx.secret(device_id))
        except LastingFailure:
            return None  # The store has told of it; to pair the lock anew is all that helps.

    async def save(self, device_id: str, secret: bytes) -> None:
        """Store the secret of a lock in place of the one before; durable on return."""
        await self._store.run(lambda tx: tx.save_secret(device_id, secret))

    async def forget(self, device_id: str) -> None:
        """Delete the secret of a lock, if there is one."""
        await self._store.run(lambda tx: tx.drop_secret(device_id))
