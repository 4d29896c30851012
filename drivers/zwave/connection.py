"""Keeps the websocket to the server, and makes it anew whatever happens to it."""

import asyncio
import logging
from collections.abc import Callable
from random import Random
from typing import NoReturn

import aiohttp
from zwave_js_server.client import Client
from zwave_js_server.exceptions import InvalidServerVersion

from drivers.zwave.network import Network
from drivers.zwave.settings import ZwaveSettings
from gateway.domain.clock import Clock
from gateway.domain.pulse import Beat
from gateway.domain.trouble import Trouble

_LOG = logging.getLogger(__name__)

OPEN_TIMEOUT_S = 60.0
"""For connecting and receiving the state of all nodes: some MB on a large network."""


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
            async with aiohttp.ClientSession() as http:
                while True:
                    began = self._clock.boot()
                    trouble = await self._once(http)
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

    async def _once(self, http: aiohttp.ClientSession) -> str:
        """Hold one connection as long as it lasts; return why it ended."""
        # Connecting, and receiving the state: each has its time.
        self._beat.asleep(2 * OPEN_TIMEOUT_S)
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                client = Client(self._settings.url, http)
                # A server whose driver is not ready closes at once with 1013, which raises here.
                await client.connect()
            await self._hold(client)
        except InvalidServerVersion:
            return "the server is too old or too new: @zwave-js/server 3.10 is needed (schema 49 or 50)"
        except Exception as error:  # noqa: BLE001 - foreign errors of any kind end a connection, never the driver
            return type(error).__name__
        return "the server closed it"

    async def _hold(self, client: Client) -> None:
        ready = _Ready(lambda: self._network.attach(client))
        tasks = (
            asyncio.create_task(client.listen(ready)),
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


class _Ready(asyncio.Event):
    """Runs a callback the moment the library has the state, before it reads the first event after it."""

    def __init__(self, callback: Callable[[], None]) -> None:
        super().__init__()
        self._callback = callback

    def set(self) -> None:
        self._callback()
        super().set()
