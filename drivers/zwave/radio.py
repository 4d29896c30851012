"""The way to the nodes: one command on the air at a time, and every failure in the domain's words.

Texts of foreign exceptions go nowhere: some quote the command that failed, PIN included.
"""

import asyncio
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any

from drivers.zwave.client import Client
from drivers.zwave.messages import LinkBroke, NotSent, ServerRefused
from drivers.zwave.node import Node
from drivers.zwave.numbers import CommandClass
from gateway.domain.driver import AuthorityDown, DriverError, LockUnreachable, NoAnswer, Refused
from gateway.domain.placement import Refusal

COMMAND_TIMEOUT_S = 120.0
"""For one command. Three missing acknowledgements take 16 s, up to 30 s each on bad links (zwave-js#7655)."""

# Error numbers of zwave-js (ZWaveErrorCodes).
_MESSAGE_DROPPED = 202
_NO_ACKNOWLEDGEMENT = 204
_MESSAGE_TOO_LARGE = 217
_ARGUMENT_INVALID = 322
_NOT_SUPPORTED = {302, 303, 304}


class Supervised(IntEnum):
    """Answers of the Supervision Command Class, as zwave-js numbers them."""

    NO_SUPPORT = 0
    WORKING = 1
    FAIL = 2
    SUCCESS = 255


def supervised(answer: object) -> int | None:
    """Return what supervision said of a command; None: it was not supervised, or the report got lost."""
    status = answer.get("status") if isinstance(answer, dict) else None
    return status if isinstance(status, int) else None


class TooLargeForNow(Refused):
    """The command does not fit into one frame; nothing was sent.

    After a restart of zwave-js the first S2 command to a node carries 18 bytes more (the SPAN extension of
    CC:009F.01.03, which synchronises the two), and then a supervised code of 8 digits has no room.
    """


class Radio:
    """What goes to the server of one Z-Wave network. Methods raise any `DriverError`."""

    def __init__(self) -> None:
        self._air = asyncio.Lock()
        self._client: Client | None = None

    @property
    def up(self) -> bool:
        """Say whether the link to the server stands."""
        return self._client is not None and self._client.connected

    def connect(self, client: Client) -> None:
        """Use this connection from now on."""
        self._client = client

    def disconnect(self) -> None:
        """Forget the connection: everything fails with AuthorityDown until there is a new one."""
        self._client = None

    async def on_air(self, node: Node, command_class: CommandClass, method: str, *args: object) -> Any:  # noqa: ANN401 - what the method answers
        """Send one command to a node and return its answer; None where none came or none was due.

        Waits for its turn: the whole network shares one channel.
        """
        async with self._air:
            return await self.from_server(node, command_class, method, *args)

    async def from_server(self, node: Node, command_class: CommandClass, method: str, *args: object) -> Any:  # noqa: ANN401 - what the method answers
        """Ask what the server knows without the radio, as `on_air` but without waiting for a turn."""
        if command_class not in node.command_classes:
            raise Refused(Refusal.OTHER, "the node does not offer this")
        told = {"commandClass": int(command_class), "methodName": method, "args": args}
        answer = await self._ask("endpoint.invoke_cc_api", nodeId=node.node_id, endpoint=0, **told)
        return (answer or {}).get("response")

    async def node_command(
        self, node: Node, command: str, arguments: Callable[[], Mapping[str, object]] = dict
    ) -> dict[str, Any]:
        """Let the server speak with a node over the air; as `on_air` for its commands for nodes.

        `arguments` is asked when the turn has come, so that a time in them is that of the sending.
        """
        async with self._air:
            return await self._node_command(node, command, **arguments())

    async def remembered(self, node: Node, command_class: CommandClass, name: str) -> int | None:
        """Return a number that the server learned from the node, those that it keeps to itself included."""
        value = {"commandClass": int(command_class), "endpoint": 0, "property": name}
        answer = (await self._node_command(node, "get_value", valueId=value)).get("value")
        return answer if isinstance(answer, int) else None

    async def unanswered(self, node: Node) -> int:
        """Return how many questions to a node stayed without answer since the server started."""
        state = (await self._node_command(node, "get_state")).get("state") or {}
        count = (state.get("statistics") or {}).get("timeoutResponse")
        if not isinstance(count, int):
            raise NoAnswer("the server does not say how many answers of the lock it missed")
        return count

    async def _node_command(self, node: Node, command: str, **arguments: object) -> dict[str, Any]:
        return await self._ask(f"node.{command}", nodeId=node.node_id, **arguments) or {}

    async def endpoint_command(self, node: Node, command: str) -> dict[str, Any]:
        """Carry out a command of the server that concerns a node and needs no radio."""
        return await self._ask(f"endpoint.{command}", nodeId=node.node_id, endpoint=0) or {}

    async def server_command(self, command: str, **arguments: object) -> None:
        """Carry out a command of the server itself."""
        await self._ask(command, **arguments)

    async def _ask(self, command: str, **arguments: object) -> Any:  # noqa: ANN401 - as above
        failure: DriverError = AuthorityDown("there is no link to the Z-Wave server")
        if self._client is None:
            raise failure
        try:
            async with asyncio.timeout(COMMAND_TIMEOUT_S):
                return await self._client.ask(command, **arguments)
        except NotSent:
            pass
        except LinkBroke:
            failure = NoAnswer("the link to the Z-Wave server broke before the answer came")
        except TimeoutError:
            failure = NoAnswer(f"no answer within {COMMAND_TIMEOUT_S:.0f} s")
        except ServerRefused as refusal:
            failure = _in_our_words(refusal.zwave_code)
        raise failure  # out here, so that it carries no error of before with it


def _in_our_words(code: int | None) -> DriverError:
    """Return the domain's error. What is not known is taken as transient, as a lost answer is."""
    if code in {_MESSAGE_DROPPED, _NO_ACKNOWLEDGEMENT}:
        return LockUnreachable("the lock does not acknowledge what is sent to it")
    if code == _MESSAGE_TOO_LARGE:
        return TooLargeForNow(Refusal.OTHER, "the command is too long for one frame")
    if code == _ARGUMENT_INVALID:
        return Refused(Refusal.FORMAT, "the lock does not take this slot, or a code of this form")
    if code in _NOT_SUPPORTED:
        return Refused(Refusal.OTHER, "the lock does not offer this")
    return NoAnswer(
        f"the server answered with Z-Wave error {code}" if code else "the server did not carry it out"
    )
