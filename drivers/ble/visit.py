"""One connection to one lock: opened when it is its turn, and kept a little for what comes next."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from drivers.ble.family import LockSession
from drivers.ble.link import BROKEN_LINK
from drivers.ble.turn import Turn
from drivers.ble.waiting import first_of
from gateway.domain.clock import Clock
from gateway.domain.driver import DriverError, LockUnreachable

_LOG = logging.getLogger(__name__)

type Open = Callable[[], contextlib.AbstractAsyncContextManager[LockSession]]


class Visit:
    """A connection, held by a task of its own, so that it is opened and closed in one place.

    Whoever works with the session calls `take` (the first one has taken it already) and `leave`.
    """

    def __init__(self, turn: Turn, open_: Open, clock: Clock, *, connect_s: float, idle_s: float) -> None:
        """Queue for the turn and connect within `connect_s`; stay `idle_s` seconds after the last session."""
        self.broken = False
        """The connection is not to be used any more."""
        self._turn = turn
        self._open = open_
        self._clock = clock
        self._connect_s, self._idle_s = connect_s, idle_s
        self._opened: asyncio.Future[LockSession] = asyncio.get_running_loop().create_future()
        self._left = asyncio.Event()
        self._taken = asyncio.Event()
        self._to_end = asyncio.Event()
        self._ending = False
        self._lost: asyncio.Event | None = None
        self._task = asyncio.create_task(self._run())

    async def session(self) -> LockSession:
        """Return the session once it stands. Raises any DriverError."""
        try:
            return await asyncio.shield(self._opened)
        except asyncio.CancelledError:
            self._task.cancel()
            raise

    def take(self) -> bool:
        """Use the connection again; False where it has ended or is about to, or another lock waits."""
        if self._ending or not self._left.is_set() or self._ends_when_left:
            return False
        self._left.clear()
        self._taken.set()
        return True

    def leave(self) -> None:
        """Be done with the session."""
        self._taken.clear()
        self._left.set()

    async def end(self) -> None:
        """Close the connection as soon as nobody uses it, and wait until it is closed."""
        self._to_end.set()
        await asyncio.wait({self._task})

    async def give_up(self) -> None:
        """Close the connection at once, whoever uses it."""
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _run(self) -> None:
        try:
            async with self._turn, contextlib.AsyncExitStack() as stack:
                session = await self._connected(stack)
                if not self._opened.done():
                    self._opened.set_result(session)
                self._lost = session.lost()
                await self._stay()
        except BROKEN_LINK:
            self._fail(LockUnreachable("no connection to the lock came about"))
        except asyncio.CancelledError:
            self._fail(LockUnreachable("the connection to the lock was given up"))
            raise
        except Exception as error:  # noqa: BLE001 - whoever waits for the session is told, whatever it is
            self._fail(error)
        finally:
            self._ending = True

    async def _connected(self, stack: contextlib.AsyncExitStack) -> LockSession:
        try:
            async with asyncio.timeout(self._connect_s):
                return await stack.enter_async_context(self._open())
        except TimeoutError:
            raise LockUnreachable(f"no connection to the lock within {self._connect_s:.0f} s") from None

    @property
    def _ends_when_left(self) -> bool:
        """Say whether the connection is not to wait for another session."""
        if self.broken or self._lost is None or self._idle_s <= 0:
            return True
        return any(event.is_set() for event in (self._to_end, self._turn.wanted, self._lost))

    async def _stay(self) -> None:
        while True:
            await self._left.wait()
            if self._left.is_set() and not self._ends_when_left and self._lost is not None:
                ends = (self._to_end, self._turn.wanted, self._lost)
                await first_of(self._idle_s, self._clock, self._taken, *ends)
            if self._left.is_set():  # Nobody took it before this task had its turn.
                break
        self._ending = True

    def _fail(self, error: Exception) -> None:
        if not self._opened.done():
            self._opened.set_exception(error)
            self._opened.exception()  # Whoever waited may have gone.
        elif not isinstance(error, DriverError):
            _LOG.error("a connection ended by a mistake: %s", type(error).__name__)
