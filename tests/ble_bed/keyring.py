"""Keys of locks, kept in memory."""

from collections.abc import Mapping


class MemoryKeyring:
    """`gateway.domain.keyring.Keyring` for tests."""

    def __init__(self, secrets: Mapping[str, bytes] | None = None) -> None:
        self.secrets = dict(secrets or {})

    async def load(self, device_id: str) -> bytes | None:
        return self.secrets.get(device_id)

    async def save(self, device_id: str, secret: bytes) -> None:
        self.secrets[device_id] = secret

    async def forget(self, device_id: str) -> None:
        self.secrets.pop(device_id, None)
