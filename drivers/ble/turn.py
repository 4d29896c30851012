"""Whose turn it is, in the order of asking: to hold a connection on an adapter, to work with a lock."""

import asyncio
from types import TracebackType
from typing import Self


class Turn:
    """A fair queue. Who holds the turn sees by `wanted` that somebody waits for it."""

    def __init__(self) -> None:
        self.wanted = asyncio.Event()
        """Set while somebody waits."""
        self._lock = asyncio.Lock()
        self._waiting = 0

    @property
    def held(self) -> bool:
        """Say whether somebody has the turn."""
        return self._lock.locked()

    async def __aenter__(self) -> Self:
        await self.take()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give_back()

    async def take(self) -> None:
        """Wait until it is our turn."""
        self._waiting += 1
        self.wanted.set()
        try:
            await self._lock.acquire()
        finally:
            self._waiting -= 1
            if self._waiting == 0:
                self.wanted.clear()

    def give_back(self) -> None:
        """Let the next have it."""
        self._lock.release()
