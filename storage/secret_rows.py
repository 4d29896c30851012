"""What pairing with locks yielded: one sealed value per lock, of which only its driver knows the inside."""

from storage.codec import open_row
from storage.rows import Rows
from storage.vault import place

_TABLE = "lock_secret"


class SecretRows(Rows):
    """The part of a transaction that is about keys of locks; meanings as in `gateway.domain.store.Tx`."""

    def secret(self, device_id: str) -> bytes | None:
        """Return what is kept for the driver of a lock; SealBroken where it was sealed for another."""
        row = self._execute("SELECT sealed FROM lock_secret WHERE device_id = ?", (device_id,)).fetchone()
        return None if row is None else open_row(self._vault, row[0], _TABLE, device_id)

    def save_secret(self, device_id: str, secret: bytes) -> None:
        """Insert or replace it. The lock must exist when the unit ends."""
        self._execute(
            "INSERT INTO lock_secret (device_id, sealed) VALUES (?, ?) "
            "ON CONFLICT (device_id) DO UPDATE SET sealed = excluded.sealed",
            (device_id, self._vault.seal(secret, _row(device_id))),
        )

    def drop_secret(self, device_id: str) -> None:
        """Delete it, where there is one."""
        self._execute("DELETE FROM lock_secret WHERE device_id = ?", (device_id,))


def _row(device_id: str) -> bytes:
    return place(_TABLE, device_id)
