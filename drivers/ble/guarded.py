"""A session with deadlines, which does not outlive its block."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import override

from drivers.ble.family import LockSession
from drivers.ble.link import BROKEN_LINK
from drivers.ble.visit import Visit
from gateway.domain.credential import Credential, Reading, SlotRef
from gateway.domain.driver import LockUnreachable, NoAnswer, NotSent, Refused, Session, Written

LIST_TIMEOUT_S = 300.0
"""For a look, which with some locks lists all codes: hundreds, in packets of 20 bytes. It must not be cut off
while the lock goes on telling: the next one would take as long. Families mind each message by themselves."""


class GuardedSession(Session):
    """What the engine works with. A connection on which an answer got lost is not used again."""

    def __init__(self, session: LockSession, visit: Visit, timeout_s: float) -> None:
        """Give every change `timeout_s` seconds."""
        self._session: LockSession | None = session
        self._visit = visit
        self._timeout_s = timeout_s

    def close(self) -> None:
        """Let nobody use it any more."""
        self._session = None

    @override
    async def read(self, slot: SlotRef) -> Reading:
        return await self.call(self._open().read(slot), LIST_TIMEOUT_S)

    @override
    async def read_all(self) -> Mapping[SlotRef, Reading]:
        return await self.call(self._open().read_all(), LIST_TIMEOUT_S)

    @override
    async def probe(self) -> str:
        return await self.call(self._open().probe())

    @override
    async def write(
        self, slot: SlotRef | None, credential: Credential, *, replaces: Credential | None
    ) -> Written:
        return await self.call(self._open().write(slot, credential, replaces=replaces))

    @override
    async def clear(self, slot: SlotRef, *, holds: Credential | None) -> Written:
        return await self.call(self._open().clear(slot, holds=holds))

    async def call[T](self, call: Awaitable[T], timeout_s: float | None = None) -> T:
        """Await an operation within its time. What is foreign becomes ours, without its text."""
        seconds = self._timeout_s if timeout_s is None else timeout_s
        try:
            async with asyncio.timeout(seconds):
                return await call
        except TimeoutError:
            self._visit.broken = True
            raise NoAnswer(f"no answer within {seconds:.0f} s") from None
        except BROKEN_LINK:
            self._visit.broken = True
            raise LockUnreachable("the connection to the lock broke") from None
        except Refused:
            raise
        except BaseException:
            # The lock may still be about to answer: the next question must not get this one's answer.
            self._visit.broken = True
            raise

    def _open(self) -> LockSession:
        if self._session is None:
            raise NotSent("the session is over")
        if self._visit.broken:
            raise NotSent("the connection to the lock broke")
        return self._session
