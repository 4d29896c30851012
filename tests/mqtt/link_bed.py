"""A link with its surroundings in sight, for tests."""

import asyncio
import contextlib
import dataclasses
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Literal

from gateway.mqtt.link import Link
from gateway.mqtt.link_connection import Incoming
from gateway.mqtt.link_settings import LinkSettings, Will
from gateway.mqtt.link_state import LinkKind, LinkState

type Version = Literal["3.1.1", "5"]

WILL = Will("pinsmith/hub/bridge/state", b'{"state":"offline"}')
COMMANDS = "pinsmith/hub/request/#"


def settings(port: int, version: Version = "5") -> LinkSettings:
    """Return settings for a plain broker on loopback; `dataclasses.replace` changes single ones."""
    return LinkSettings(host="127.0.0.1", port=port, client_id="hub", will=WILL, version=version)


class LinkBed:
    """A link, what it was handed, what it told and how long it would have slept.

    It sleeps a hundredth of a second whatever it asks for. `handler` may be replaced; `seen` is kept anyway.
    """

    def __init__(self, how: LinkSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self.seen: list[Incoming] = []
        self.states: list[LinkState] = []
        self.naps: list[float] = []
        self.handler: Callable[[Incoming], Awaitable[None]] | None = None
        self.link = Link(
            how,
            [COMMANDS],
            self._handle,
            self.states.append,
            sleep=self._sleep,
            clock=clock,
            rng=random.Random(1),
        )

    @property
    def payloads(self) -> list[bytes]:
        """What came in, oldest first."""
        return [message.payload for message in self.seen]

    @property
    def kinds(self) -> list[LinkKind]:
        """The kinds of the states told, oldest first."""
        return [state.kind for state in self.states]

    @contextlib.asynccontextmanager
    async def running(self, *, connected: bool = True) -> AsyncIterator[Link]:
        """Run the link, normally until it is connected; leave it in the end."""
        task = asyncio.create_task(self.link.run())
        try:
            if connected:
                async with asyncio.timeout(15):
                    await self.link.connected.wait()
            yield self.link
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _handle(self, message: Incoming) -> None:
        self.seen.append(message)
        if self.handler is not None:
            await self.handler(message)

    async def _sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        await asyncio.sleep(0.01)


def bed(port: int, version: Version = "5", **changes: object) -> LinkBed:
    """Make a bed for a plain broker on loopback, with `changes` to the settings."""
    return LinkBed(dataclasses.replace(settings(port, version), **changes))  # type: ignore[arg-type]
