"""Keys of locks, kept in memory."""

import asyncio
from collections.abc import Mapping

from gateway.domain.store import StorageFailed


class MemoryKeyring:
    """`gateway.domain.keyring.Keyring` for tests."""

    def __init__(self, secrets: Mapping[str, bytes] | None = None) -> None:
        self.secrets = dict(secrets or {})
        self.is_full = False
        self.is_unreadable = False
        self.hangs = False

    async def load(self, device_id: str) -> bytes | None:
        if self.is_unreadable:
            raise StorageFailed("the disk cannot be read")
        if self.hangs:
            await asyncio.Event().wait()
        return self.secrets.get(device_id)

    async def save(self, device_id: str, secret: bytes) -> None:
        if self.is_full or self.is_unreadable:
            raise StorageFailed("the disk is full")
        self.secrets[device_id] = secret

    async def forget(self, device_id: str) -> None:
        self.secrets.pop(device_id, None)
