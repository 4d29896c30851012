"""Is there a Z-Wave server at an address, and which of its nodes are locks: one look, without any radio."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from msgspec import Struct

from drivers.zwave.capabilities import (
    USER_CAPABILITIES,
    battery_of,
    identity_of,
    keeps_users,
    slots_of,
)
from drivers.zwave.client import Client, opened
from drivers.zwave.messages import LinkBroke, LinkFailed, NotSent, ServerRefused, Version
from drivers.zwave.node import Node
from drivers.zwave.numbers import SECURITY_CLASSES, CommandClass
from gateway.domain.lock import Identity

TIMEOUT_S = 30.0
"""For the state of all nodes: some MB on a large network, from a small machine."""


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
    failure: str | None = None
    nodes: Mapping[int, NodeFacts] = {}
    version: Version | None = None
    try:
        async with asyncio.timeout(timeout_s), opened(url) as client:
            version = client.version
            nodes = await _nodes(client)
    except TimeoutError:
        failure = "silent"
    except LinkFailed as error:
        failure = error.failure.value
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
    listening = asyncio.create_task(client.listen(ready.set))
    waiting = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait({listening, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not ready.is_set():
            await listening  # raises what kept it from the state
        home_id, nodes = client.version.home_id, client.nodes.by_id
        return {id_: _facts(node, home_id, await _users(client, node)) for id_, node in nodes.items()}
    finally:
        listening.cancel()
        waiting.cancel()
        await asyncio.gather(listening, waiting, return_exceptions=True)


async def _users(client: Client, node: Node) -> Mapping[str, Any]:
    """Return what the server learned of a lock's users; nothing where it did not."""
    if not node.ready or CommandClass.USER_CODE not in node.command_classes:
        return {}
    with suppress(ServerRefused, NotSent, LinkBroke):
        users = await client.ask(f"endpoint.{USER_CAPABILITIES}", nodeId=node.node_id, endpoint=0)
        return (users or {}).get("capabilities") or {}
    return {}


def _facts(node: Node, home_id: int, users: Mapping[str, Any]) -> NodeFacts:
    return NodeFacts(
        node_id=node.node_id,
        name=node.name or None,
        label=node.label,
        is_controller=node.is_controller_node,
        status=node.status.name.lower(),
        ready=node.ready,
        security=SECURITY_CLASSES.get(node.security),
        has_user_code=CommandClass.USER_CODE in node.command_classes,
        has_user_credential=CommandClass.USER_CREDENTIAL in node.command_classes,
        uses_user_credential=keeps_users(users),
        identity=identity_of(node, home_id),
        battery=battery_of(node),
        slots=len(slots_of(node, users.get("maxUsers") or 0)) or None,
    )
