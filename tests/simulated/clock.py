"""A clock that stands still until the test lets it go on."""

import asyncio
from datetime import UTC, datetime

NOON = datetime(2031, 7, 1, 12, 0, tzinfo=UTC)


class StoppedClock:
    """Sleepers wake one beat at a time; `beat` returns when the sleeper has done its round."""

    def __init__(self) -> None:
        self._asleep = asyncio.Event()
        self._wake = asyncio.Event()

    def now(self) -> datetime:
        """Return always the same moment."""
        return NOON

    def boot(self) -> float:
        """Return always the same second."""
        return 0.0

    def boot_id(self) -> str:
        """Return always the same boot."""
        return "boot"

    def synchronised(self) -> bool:
        """Say yes."""
        return True

    async def sleep(self, seconds: float) -> None:
        """Sleep until the next beat."""
        assert seconds > 0
        self._wake.clear()
        self._asleep.set()
        await self._wake.wait()

    def start(self) -> None:
        """Forget the sleeper of before."""
        self._asleep.clear()

    async def until_asleep(self) -> None:
        """Wait until the one sleeper has gone to sleep; give up on one that died."""
        async with asyncio.timeout(10):
            await self._asleep.wait()

    async def beat(self) -> None:
        """Wake the sleeper and wait until it sleeps again."""
        await self.until_asleep()
        self._asleep.clear()
        self._wake.set()
        await self.until_asleep()
