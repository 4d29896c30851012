"""Is there a Z-Wave server at an address, and which of its nodes are locks: one look, without any radio."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import aiohttp
from msgspec import Struct
from zwave_js_server.client import Client
from zwave_js_server.const import CommandClass
from zwave_js_server.exceptions import BaseZwaveJSServerError, InvalidServerVersion
from zwave_js_server.model.node import Node
from zwave_js_server.model.version import VersionInfo

from drivers.zwave.capabilities import (
    USER_CAPABILITIES,
    USER_CREDENTIAL,
    battery_of,
    identity_of,
    keeps_users,
    slots_of,
)
from gateway.domain.lock import Identity

TIMEOUT_S = 30.0
"""For the state of all nodes: some MB on a large network, from a small machine."""

_FOREIGN = (TimeoutError, BaseZwaveJSServerError, aiohttp.ClientError, OSError, ValueError, KeyError)


class NodeFacts(Struct, frozen=True, kw_only=True):
    """What the server knows of a node."""

    node_id: int
    name: str | None
    label: str | None
    """The product's name, where the server's database has it."""
    is_controller: bool
    status: str
    """`unknown`, `asleep`, `awake`, `dead` or `alive`."""
    ready: bool
    """Its interview is complete."""
    security: str | None
    """`S2_ACCESS_CONTROL`, ..., `NONE`; None where the server does not know yet."""
    has_user_code: bool
    has_user_credential: bool
    uses_user_credential: bool = False
    """It keeps its users by User Credential although it offers User Code too."""
    identity: Identity
    battery: float | None
    slots: int | None = None
    """Slots that may hold codes, from 1, as the server learned in the interview; None where it did not."""

    @property
    def is_lock(self) -> bool:
        """Say whether it offers codes in any way."""
        return not self.is_controller and (self.has_user_code or self.has_user_credential)


class ServerFacts(Struct, frozen=True, kw_only=True):
    """What the server said. `nodes` is empty where it was not reached or is of the wrong version."""

    failure: str | None = None
    """`name_not_found`, `nobody_listens`, `no_tls`, `no_server`, `silent`, `not_ready` or `wrong_version`."""
    driver_version: str | None = None
    server_version: str | None = None
    schemas: tuple[int, int] | None = None
    """Oldest and newest version of the protocol that it speaks."""
    nodes: Mapping[int, NodeFacts] = {}


async def survey(url: str, timeout_s: float = TIMEOUT_S) -> ServerFacts:
    """Look at the server at `url`. Never raises for what the server does."""
    failure = None
    nodes: Mapping[int, NodeFacts] = {}
    async with aiohttp.ClientSession() as http:
        client = Client(url, http)
        try:
            async with asyncio.timeout(timeout_s):
                await client.connect()
                nodes = await _nodes(client)
        except InvalidServerVersion:
            failure = "wrong_version"
        except _FOREIGN as error:
            failure = _failure(error, client.version)
    version = client.version
    if version is None:
        return ServerFacts(failure=failure)
    return ServerFacts(
        failure=failure,
        driver_version=version.driver_version,
        server_version=version.server_version,
        schemas=(version.min_schema_version, version.max_schema_version),
        nodes=nodes,
    )


async def _nodes(client: Client) -> Mapping[int, NodeFacts]:
    ready = asyncio.Event()
    listening = asyncio.create_task(client.listen(ready))
    waiting = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait({listening, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if client.driver is None:
            raise ConnectionResetError
        home_id = client.version.home_id if client.version is not None else 0
        nodes = client.driver.controller.nodes
        return {id_: _facts(node, home_id, await _users(node)) for id_, node in nodes.items()}
    finally:
        waiting.cancel()
        listening.cancel()
        with suppress(asyncio.CancelledError, BaseZwaveJSServerError, aiohttp.ClientError, OSError):
            await listening


async def _users(node: Node) -> Mapping[str, Any]:
    """Return what the server learned of a lock's users; nothing where it did not."""
    if not node.ready or all(info.id != CommandClass.USER_CODE for info in node.command_classes):
        return {}
    with suppress(BaseZwaveJSServerError):
        users = await node.endpoints[0].async_send_command(USER_CAPABILITIES, wait_for_result=True)
        return (users or {}).get("capabilities") or {}
    return {}


def _facts(node: Node, home_id: int, users: Mapping[str, Any]) -> NodeFacts:
    offered = {info.id for info in node.command_classes}
    security = node.highest_security_class
    return NodeFacts(
        node_id=node.node_id,
        name=node.name or None,
        label=node.device_config.description or node.data.get("label"),
        is_controller=node.is_controller_node,
        status=node.status.name.lower(),
        ready=bool(node.ready),
        security=None if security is None else security.name,
        has_user_code=CommandClass.USER_CODE in offered,
        has_user_credential=USER_CREDENTIAL in offered,
        uses_user_credential=keeps_users(users),
        identity=identity_of(node, home_id),
        battery=battery_of(node),
        slots=len(slots_of(node, users.get("maxUsers") or 0)) or None,
    )


def _failure(error: Exception, version: VersionInfo | None) -> str:
    cause = error.__cause__ or error
    if isinstance(error, TimeoutError):
        return "silent"
    if isinstance(cause, aiohttp.ClientConnectorDNSError):
        return "name_not_found"
    if isinstance(cause, aiohttp.ClientSSLError):
        return "no_tls"
    if isinstance(cause, aiohttp.ClientConnectorError):
        return "nobody_listens"
    if version is None and isinstance(cause, aiohttp.ClientError | ValueError | KeyError):
        return "no_server"
    # The server closes at once while its driver starts, and when the stick is gone.
    return "not_ready"
