"""One websocket to a zwave-js server: its greeting, the state of its nodes, commands and events.

Written for what the driver needs. zwave-js-server-python, which has all of it, would bring aiohttp and
pydantic: a third of the memory of the daemon (docs/decisions.md). The tests compare what both understand.
"""

import asyncio
import json
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any, override

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.protocol import State as LinkState

from drivers.zwave.messages import (
    NEWEST_SCHEMA,
    OLDEST_SCHEMA,
    Failure,
    LinkBroke,
    LinkFailed,
    Listening,
    Message,
    NodeData,
    NotSent,
    ServerRefused,
    Version,
    nodes_in,
)
from drivers.zwave.node import Nodes

_LOG = logging.getLogger(__name__)

MAX_MESSAGE = 64 * 2**20
"""Bytes. The state of a large network has some million."""
PING_S = 30.0
"""After so long without an answer to a ping, asked as often, the link counts as broken."""
ADDRESS_S = 0.25
"""Before the next address of a name is tried too, as RFC 8305 says."""
CLOSE_S = 2.0
"""For the server to say good-bye."""

_VERSION = msgspec.json.Decoder(Version)
_MESSAGE = msgspec.json.Decoder(Message)
_LISTENING = msgspec.json.Decoder(Listening)


class Client:
    """One connection. Nothing is known of the nodes before `listen` has called back."""

    def __init__(self, link: ClientConnection, version: Version) -> None:
        """Use an open websocket on which the server has said its `version`."""
        self.version = version
        self.nodes = Nodes()
        self._link = link
        self._over = False
        self._numbers = count(1)
        self._waiting: dict[str, asyncio.Future[Message | None]] = {}
        self._not_understood: set[str] = set()

    @property
    def connected(self) -> bool:
        """Say whether the link stands."""
        return not self._over and self._link.state is LinkState.OPEN

    async def listen(self, on_state: Callable[[], None]) -> None:
        """Learn the state of all nodes, call back, then take in events and answers until the link ends.

        `on_state` is called before the first event after that state. Whoever waits for an answer when this
        ends gets LinkBroke.

        Raises:
            LinkFailed: The server is too old or too new, or there was no state before the link ended.
        """
        version = self.version
        if version.min_schema_version > NEWEST_SCHEMA or version.max_schema_version < OLDEST_SCHEMA:
            raise LinkFailed(Failure.WRONG_VERSION)
        try:
            await self._first("initialize", schemaVersion=min(NEWEST_SCHEMA, version.max_schema_version))
            self.nodes = Nodes(_state_in(await self._first("start_listening")))
            on_state()
            while (message := await self._next()) is not None:
                self._take(message)
        finally:
            self._over = True
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_result(None)

    async def ask(self, command: str, **arguments: object) -> Any:  # noqa: ANN401 - JSON
        """Send a command and return the result.

        Waits as long as it takes; `listen` must be running.

        Raises:
            NotSent: There is no link.
            LinkBroke: It broke before the answer came.
            ServerRefused: The server did not carry it out.
        """
        if not self.connected:
            raise NotSent
        number = str(next(self._numbers))
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            await self._send(number, command, arguments)
            answer = await waiting
        except ConnectionClosed:
            raise LinkBroke from None
        finally:
            del self._waiting[number]
        if answer is None:
            raise LinkBroke
        if not answer.success:
            raise ServerRefused(answer.zwave_error_code)
        return msgspec.json.decode(answer.result)

    async def _first(self, command: str, **arguments: object) -> msgspec.Raw:
        """Send a command of the beginning, when nothing else is under way, and return its raw result."""
        with suppress(ConnectionClosed):
            await self._send(command, command, arguments)
            while (message := await self._next()) is not None:
                if message.message_id == command and message.success:
                    return message.result
                if message.message_id == command:
                    break
        raise LinkFailed(Failure.NOT_READY)

    async def _send(self, number: str, command: str, arguments: dict[str, object]) -> None:
        message = {"messageId": number, "command": command, **arguments}
        await self._link.send(msgspec.json.encode(message).decode())

    async def _next(self) -> Message | None:
        """Return the next message; None at the end of the link."""
        try:
            return _message(await self._link.recv(decode=False))
        except ConnectionClosed:
            return None
        except ValueError:
            raise LinkFailed(Failure.WRONG_VERSION) from None

    def _take(self, message: Message) -> None:
        if message.event is not None:
            self._take_event(message.event)
            return
        waiting = self._waiting.get(message.message_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(message)

    def _take_event(self, event: dict[str, Any]) -> None:
        try:
            self.nodes.heed(event)
        except (msgspec.ValidationError, LookupError, TypeError, AttributeError):
            # One message with news in it must not take the link of all locks. Its text may hold a PIN.
            name = str(event.get("event"))
            if name not in self._not_understood:
                self._not_understood.add(name)
                _LOG.warning("the Z-Wave server sends events that are not understood: %.40s", name)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Client]:
    """Connect to a server and read its greeting; the link ends with the block.

    Takes as long as it takes.

    Raises:
        LinkFailed: There is none, or what answers is no Z-Wave server.
    """
    link = await _link_to(url)
    try:
        yield Client(link, await _greeting(link))
    finally:
        await link.close()


class _Connect(connect):
    """Follows no redirect: the configuration says where PINs may go, and a redirect may lead past TLS."""

    @override
    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def _link_to(url: str) -> ClientConnection:
    try:
        return await _Connect(
            url,
            # A name may have an address of IPv6 from which nothing comes back, which takes minutes to show.
            happy_eyeballs_delay=ADDRESS_S,
            proxy=None,  # PINs go through no third party, whatever the environment says.
            compression=None,  # Its buffers take more memory than all nodes.
            open_timeout=None,
            ping_interval=PING_S,
            ping_timeout=PING_S,
            close_timeout=CLOSE_S,
            max_size=MAX_MESSAGE,
        )
    except (ssl.SSLError, ConnectionResetError, ConnectionAbortedError):  # the last two: it hangs up on TLS
        failure = Failure.NO_TLS
    except (socket.gaierror, ValueError):  # such as a part of the name that is too long
        failure = Failure.NAME_NOT_FOUND
    except OSError:
        failure = Failure.NOBODY_LISTENS
    except (InvalidHandshake, InvalidURI, ConnectionClosed):
        failure = Failure.NO_SERVER
    raise LinkFailed(failure)


async def _greeting(link: ClientConnection) -> Version:
    try:
        return _VERSION.decode(await link.recv(decode=False))
    except ConnectionClosed:
        failure = Failure.NOT_READY
    except ValueError:
        failure = Failure.NO_SERVER
    raise LinkFailed(failure)


def _message(text: bytes) -> Message:
    """Decode a message. Raises ValueError."""
    try:
        return _MESSAGE.decode(text)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        # JavaScript writes half of a pair of code units as it is, such as of a name that was cut in an emoji.
        whole = json.dumps(json.loads(text), ensure_ascii=False)
        return _MESSAGE.decode(whole.encode("utf-8", "replace"))


def _state_in(result: msgspec.Raw) -> tuple[NodeData, ...]:
    try:
        return nodes_in(_LISTENING.decode(result).state)
    except ValueError:
        raise LinkFailed(Failure.WRONG_VERSION) from None
