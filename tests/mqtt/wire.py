"""Things between a link and a broker, or in a broker's place, that do what no real broker does on demand."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

type Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

CONNECT, PUBLISH, PUBACK, SUBSCRIBE, DISCONNECT = 1, 3, 4, 8, 14
"""Types of MQTT packets."""


class Proxy:
    """Passes bytes between clients and a broker; can hold back what the broker says, and cut the line."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self.hold_answers = False
        self._target = target
        self._writers: list[asyncio.StreamWriter] = []

    def cut(self) -> None:
        """Break all connections without a goodbye."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        broker_reader, broker_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers += [writer, broker_writer]
        try:
            await asyncio.gather(
                self._pump(reader, broker_writer, answers=False),
                self._pump(broker_reader, writer, answers=True),
            )
        finally:
            broker_writer.transport.abort()

    async def _pump(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                if not (answers and self.hold_answers):
                    target.write(data)
        target.close()


@contextlib.asynccontextmanager
async def listening(conversation: Conversation, port: int = 0) -> AsyncIterator[int]:
    """Serve every connection with `conversation` on a loopback port, which is returned."""
    tasks: set[asyncio.Task[None]] = set()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await conversation(reader, writer)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(hold, "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)


@contextlib.asynccontextmanager
async def proxy(target: int) -> AsyncIterator[Proxy]:
    """Put a proxy before the broker on the loopback port `target`."""
    between = Proxy(target)
    async with listening(between.serve) as between.port:
        yield between


async def read_packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read one MQTT packet: its type (the high nibble of the first byte) and what follows the length."""
    first = (await reader.readexactly(1))[0]
    length = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return first >> 4, await reader.readexactly(length)


def publish_id(body: bytes) -> bytes:
    """Return the packet identifier of a QoS 1 PUBLISH, which follows the topic."""
    end = 2 + int.from_bytes(body[:2])
    return body[end : end + 2]


def saying(acknowledged: list[bytes], *sent: bytes) -> Conversation:
    """Be an MQTT 5 broker that sends this to who subscribes, and note what is acknowledged."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            kind, body = await read_packet(reader)
            if kind == CONNECT:
                writer.write(b"\x20\x03\x00\x00\x00")
            elif kind == SUBSCRIBE:
                writer.write(b"\x90\x04" + body[:2] + b"\x00\x01")
                for piece in sent:
                    writer.write(piece)
                    await writer.drain()
            elif kind == PUBLISH:
                writer.write(b"\x40\x02" + publish_id(body))
            elif kind == PUBACK:
                acknowledged.append(body)

    return converse
