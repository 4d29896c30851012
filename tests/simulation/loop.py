"""An event loop whose time jumps from timer to timer."""

import asyncio
from asyncio import base_events
from typing import Any


class NothingLeftToDo(Exception):
    """Nobody waits for any time: the world would stand still for ever."""


class VirtualLoop(base_events.BaseEventLoop):
    """Runs callbacks in the order of their times, and sleeps by moving its clock."""

    def __init__(self) -> None:
        """Start at time 0."""
        super().__init__()
        self._virtual_now = 0.0
        self._selector = self

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._virtual_now

    def select(self, timeout: float | None) -> list[Any]:
        """Stand in for waiting: the next timer is due at once."""
        if timeout is None:
            raise NothingLeftToDo
        self._virtual_now += max(timeout, 0.0)
        return []

    def _process_events(self, event_list: list[Any]) -> None:
        """There is no I/O."""

    def _write_to_self(self) -> None:
        """Nobody calls from another thread."""


def run_virtual[T](main: "asyncio.Future[T] | Any") -> T:  # noqa: ANN401 - any coroutine
    """Run a coroutine in a fresh virtual loop."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        result: T = loop.run_until_complete(main)
        return result
    finally:
        asyncio.set_event_loop(None)
        loop.close()
