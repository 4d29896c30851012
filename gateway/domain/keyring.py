"""The vault as drivers see it: one secret per lock, of which only the driver knows the inside."""

from typing import Protocol


class Keyring(Protocol):
    """Keeps what pairing yielded. Secrets are sealed before they are stored."""

    async def load(self, device_id: str) -> bytes | None:
        """Return the secret of a lock; None where it was never paired."""
        ...

    async def save(self, device_id: str, secret: bytes) -> None:
        """Store the secret of a lock in place of the one before; durable on return."""
        ...

    async def forget(self, device_id: str) -> None:
        """Delete the secret of a lock, if there is one."""
        ...
