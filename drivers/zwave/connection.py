"""Keeps the websocket to the server, and makes it anew whatever happens to it."""

import asyncio
import logging
from contextlib import AsyncExitStack
from random import Random
from typing import NoReturn

from drivers.zwave.client import Client, opened
from drivers.zwave.messages import Failure, LinkFailed
from drivers.zwave.network import Network
from drivers.zwave.settings import ZwaveSettings
from gateway.domain.clock import Clock
from gateway.domain.pulse import Beat
from gateway.domain.trouble import Trouble

_LOG = logging.getLogger(__name__)

OPEN_TIMEOUT_S = 60.0
"""For connecting and receiving the state of all nodes: some MB on a large network."""

_WORDS = {
    Failure.NAME_NOT_FOUND: "its name is not known in the network",
    Failure.NOBODY_LISTENS: "nobody answers at its address",
    Failure.NO_TLS: "it does not speak TLS there, or with a certificate that is not trusted",
    Failure.NO_SERVER: "what answers at its address is no Z-Wave server",
    Failure.NOT_READY: "it closes at once: its driver is starting, or finds no stick",
    Failure.WRONG_VERSION: "it is too old or too new: @zwave-js/server 3.10 is needed (schema 49 or 50)",
}


class Connection:
    """The link to one server."""

    def __init__(
        self,
        settings: ZwaveSettings,
        network: Network,
        clock: Clock,
        random: Random,
        beat: Beat | None = None,
    ) -> None:
        """Wait `settings.reconnect_*` seconds, by `clock` and with jitter from `random`, between attempts."""
        self._settings = settings
        self._network = network
        self._clock = clock
        self._random = random
        self._beat = beat or Beat()
        self._up: bool | None = None
        self._apart = Trouble(_LOG, "zwave_server_away", clock.boot)
        self.trouble: str | None = None
        """Why there is no link, in words; None while there is one."""

    async def run(self) -> NoReturn:
        """Connect, serve and connect anew until cancelled."""
        delay = self._settings.reconnect_first_s
        try:
            while True:
                began = self._clock.boot()
                trouble = await self._once()
                # A link that breaks as soon as it stands counts as a failure too.
                if self._clock.boot() - began > self._settings.reconnect_most_s:
                    delay = self._settings.reconnect_first_s
                self._down(trouble)
                self._beat.asleep(delay)
                # Jitter, so that many hubs do not knock at one server in step.
                await self._clock.sleep(delay * self._random.uniform(0.5, 1.0))
                delay = min(delay * 2, self._settings.reconnect_most_s)
        finally:
            # Where another driver comes after it, that one may begin hours later.
            self._beat.idle()

    async def _once(self) -> str:
        """Hold one connection as long as it lasts; return why it ended."""
        # Connecting, and receiving the state: each has its time.
        self._beat.asleep(2 * OPEN_TIMEOUT_S)
        try:
            async with AsyncExitStack() as link:
                async with asyncio.timeout(OPEN_TIMEOUT_S):
                    client = await link.enter_async_context(opened(self._settings.url))
                await self._hold(client)
        except LinkFailed as error:
            return _WORDS[error.failure]
        except Exception as error:  # noqa: BLE001 - foreign errors of any kind end a connection, never the driver
            return type(error).__name__
        return "the server closed it"

    async def _hold(self, client: Client) -> None:
        ready = asyncio.Event()

        def attach() -> None:
            self._network.attach(client)
            ready.set()

        tasks = (
            asyncio.create_task(client.listen(attach)),
            asyncio.create_task(self._serve(client, ready)),
        )
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for task, result in zip(tasks, results, strict=True):
            if task in done and isinstance(result, Exception):
                raise result

    async def _serve(self, client: Client, ready: asyncio.Event) -> None:
        async with asyncio.timeout(OPEN_TIMEOUT_S):
            await ready.wait()
        if self._up is None:
            _LOG.info("the link to the Z-Wave server stands")
        self._apart.ends("the link to the Z-Wave server stands again")
        self._up, self.trouble = True, None
        await self._network.serve(client, self._beat)

    def _down(self, trouble: str) -> None:
        self.trouble = trouble
        self._apart.begins(f"there is no link to the Z-Wave server: {trouble}")
        if self._up is not False:
            self._network.lost()
        self._up = False
