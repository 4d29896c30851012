"""A server that a test writes: it says what no real one does."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from drivers.zwave.client import Client, opened
from drivers.zwave.messages import Failure, LinkFailed

GREETING = {
    "type": "version",
    "driverVersion": "15.29.0",
    "serverVersion": "3.10.2",
    "homeId": 77,
    "minSchemaVersion": 0,
    "maxSchemaVersion": 50,
}
STATE: dict[str, Any] = {
    "state": {"driver": {}, "controller": {}, "nodes": [{"nodeId": 2, "status": 4, "ready": True}]}
}

type Script = Callable[["Server"], Awaitable[None]]


class Server:
    """The server's end of one connection."""

    def __init__(self, link: ServerConnection) -> None:
        self._link = link

    async def says(self, message: object) -> None:
        """Send a message, whatever it is."""
        await self._link.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def hears(self) -> dict[str, Any]:
        """Return the next command."""
        command: dict[str, Any] = json.loads(await self._link.recv())
        return command

    async def answers(self, result: object = None) -> dict[str, Any]:
        """Carry out the next command, and return it."""
        command = await self.hears()
        await self.says(result_of(command, success=True, result=result))
        return command

    async def begins(self) -> None:
        """Do what every server does first."""
        await self.says(GREETING)
        await self.answers({})
        await self.answers(STATE)

    @classmethod
    async def begins_on(cls, link: ServerConnection) -> None:
        """Begin, and keep the link."""
        server = cls(link)
        await server.begins()
        await server.stays()

    async def stays(self) -> None:
        """Keep the link until the other side ends it."""
        await self._link.wait_closed()


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[str]:
    """Run a server that does this on each connection, and give its address."""

    async def handle(link: ServerConnection) -> None:
        await script(Server(link))

    async with serve(handle, "127.0.0.1", 0, close_timeout=0.1, ping_interval=None) as server:
        [socket] = server.sockets
        yield f"ws://127.0.0.1:{socket.getsockname()[1]}"


@asynccontextmanager
async def listening(script: Script) -> AsyncIterator[tuple[Client, asyncio.Task[None]]]:
    """Give a client that has the state of such a server, and the task that listens."""
    async with serving(script) as url, opened(url) as client:
        ready = asyncio.Event()
        task = asyncio.create_task(client.listen(ready.set))
        async with asyncio.timeout(10):
            await ready.wait()
        yield client, task
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def failure(url: str) -> Failure:
    """Return why there is no link with a state."""
    with pytest.raises(LinkFailed) as failed:
        async with asyncio.timeout(10), opened(url) as client:
            await client.listen(lambda: None)
    assert str(failed.value) == failed.value.failure.value
    return failed.value.failure


def result_of(command: dict[str, Any], **more: object) -> dict[str, object]:
    """Return the message that answers a command."""
    return {"type": "result", "messageId": command["messageId"], **more}


async def and_stays(server: Server) -> None:
    """Begin, hear one command, and never answer it."""
    await server.begins()
    await server.hears()
    await server.stays()
