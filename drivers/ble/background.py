"""Tasks that nobody waits for and that end with whoever began them."""

import asyncio
from collections.abc import Coroutine


class Background:
    """Tasks that end by themselves, or when all are ended."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def create(self, work: Coroutine[None, None, None]) -> None:
        """Begin a task; it must not raise."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end(self) -> None:
        """Cancel what is left, and wait until it has ended."""
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
