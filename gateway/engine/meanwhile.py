"""What falls due while a worker waits for its lock: an alarm must not wait with it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable


@contextlib.asynccontextmanager
async def telling_meanwhile(look: Callable[[], Awaitable[float]], due_in: float) -> AsyncIterator[None]:
    """While the block waits for something, `look` after `due_in` seconds; it returns when to look again.

    A block that does not wait costs nothing, not even a task. An exception of `look` ends the looking:
    whoever waits will meet its cause.
    """
    looking: asyncio.Task[None] | None = None

    async def look_on() -> None:
        pause = due_in
        while True:
            await asyncio.sleep(pause)
            pause = await look()

    def begin() -> None:
        nonlocal looking
        looking = asyncio.ensure_future(look_on())

    soon = asyncio.get_running_loop().call_soon(begin)
    try:
        yield
    finally:
        soon.cancel()
        if looking is not None:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
