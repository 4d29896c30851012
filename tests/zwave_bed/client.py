"""zwave-js-server-python against the bed: a connected driver and a record of its events."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
from zwave_js_server.client import Client
from zwave_js_server.const import CommandClass
from zwave_js_server.model.driver import Driver
from zwave_js_server.model.node import Node

from tests.zwave_bed.bed import ZwaveBed

USER_CODE = int(CommandClass.USER_CODE)
# Radio attempts to a dead lock take about 3 s; anything near this limit is a hang.
ANSWER_TIMEOUT_S = 20.0


@asynccontextmanager
async def connected(bed: ZwaveBed) -> AsyncIterator[Driver]:
    """Connect to the bed's server and yield its driver while events are listened for."""
    async with aiohttp.ClientSession() as session, Client(bed.ws, session) as client:
        ready = asyncio.Event()
        listening = asyncio.create_task(client.listen(ready))
        try:
            await asyncio.wait_for(ready.wait(), ANSWER_TIMEOUT_S)
            assert client.driver is not None
            yield client.driver
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening


async def invoke(node: Node, method: str, *args: object) -> Any:  # noqa: ANN401 - whatever the call answers
    """Call the driver's User Code API directly; None is an unsupervised success or no answer."""
    return await asyncio.wait_for(
        node.endpoints[0].async_invoke_cc_api(CommandClass.USER_CODE, method, *args, wait_for_result=True),
        ANSWER_TIMEOUT_S,
    )


class Heard:
    """Events of one node in the order of their arrival; each can be waited for.

    With a `command_class`, only value events of that class are kept.
    """

    def __init__(self, node: Node, *kinds: str, command_class: int | None = None) -> None:
        self._events: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self._command_class = command_class
        for kind in kinds:
            node.on(kind, self._keep)

    def _keep(self, event: Mapping[str, Any]) -> None:
        if self._command_class in (None, event.get("args", {}).get("commandClass")):
            self._events.put_nowait(event)

    async def next(self, wanted: Callable[[Mapping[str, Any]], bool] = bool) -> Mapping[str, Any]:
        """The next event of the kind; those before it that are not wanted are passed over."""
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            while True:
                event = await self._events.get()
                if wanted(event):
                    return event

    def is_silent(self) -> bool:
        """True when nothing has arrived that was not taken."""
        return self._events.empty()
