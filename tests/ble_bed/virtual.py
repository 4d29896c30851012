"""Tests in virtual time: the event loop jumps from timer to timer; who waits for ever fails."""

import asyncio
import functools
from collections.abc import Awaitable, Callable

from tests.simulation.clock import SimClock
from tests.simulation.loop import run_virtual

LONG_S = 2 * 86_400.0
"""Virtual seconds. Whatever ends by itself has ended: a driver waits an hour at most, the engine a day."""
VirtualClock = SimClock
"""`gateway.domain.clock.Clock` on the running loop."""
_ROUNDS = 30
"""The end of one task wakes others, some of them by way of callbacks."""


def in_virtual_time[**P](test: Callable[P, Awaitable[None]]) -> Callable[P, None]:
    """Run an async test (its fixtures must not be async) in a virtual event loop."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        run_virtual(_alone(test(*args, **kwargs)))

    return run


async def _alone(test: Awaitable[None]) -> None:
    """Run a test and end what it left running."""
    try:
        await test
    finally:
        for _ in range(_ROUNDS):
            left = asyncio.all_tasks() - {asyncio.current_task()}
            for task in left:
                task.cancel()
            await asyncio.gather(asyncio.sleep(0), *left, return_exceptions=True)
