"""What a zwave-js server says: the parts of its messages that the driver needs, in its versions 49 and 50.

Of what it does not need nothing is looked at, so that a message with news in it is still understood.
"""

import logging
from enum import StrEnum
from typing import Any

from msgspec import Raw, Struct, ValidationError, field
from msgspec.json import Decoder

from drivers.zwave.numbers import NodeStatus

_LOG = logging.getLogger(__name__)

OLDEST_SCHEMA = 49
NEWEST_SCHEMA = 50
"""The versions of the protocol that were tried: that of @zwave-js/server 3.10 and the one before."""


class Failure(StrEnum):
    """Why there is no link to a server."""

    NAME_NOT_FOUND = "name_not_found"
    NOBODY_LISTENS = "nobody_listens"
    NO_TLS = "no_tls"
    NO_SERVER = "no_server"
    NOT_READY = "not_ready"
    """It closes at once while its driver starts, and when the stick is gone."""
    WRONG_VERSION = "wrong_version"


class LinkFailed(Exception):
    """There is no link to the server, or none any more."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.value)
        self.failure = failure


class NotSent(Exception):
    """There was no link: the command did not go out."""


class LinkBroke(Exception):
    """The link broke before the answer came: the command may have been carried out."""


class ServerRefused(Exception):
    """The server did not carry out a command. Its words are left out: they may quote the command."""

    def __init__(self, zwave_code: int | None) -> None:
        """Carry the number of zwave-js (ZWaveErrorCodes); None where the server itself refused."""
        super().__init__("the server did not carry it out")
        self.zwave_code = zwave_code


class Version(Struct, frozen=True, rename="camel"):
    """The first message of a server."""

    driver_version: str
    server_version: str
    home_id: int = 0
    min_schema_version: int = 0
    max_schema_version: int = 0


class Message(Struct, frozen=True, rename="camel"):
    """Any later message: the result of a command, or an event."""

    type: str
    message_id: str = ""
    success: bool = False
    result: Raw = Raw(b"null")
    zwave_error_code: int | None = None
    event: dict[str, Any] | None = None


class ValueData(Struct, frozen=True, rename="camel"):
    """One value of a node. Most are of no interest, so hardly anything is asked of their form."""

    command_class: int
    name: Any = field(name="property")
    endpoint: int | None = None
    property_key: Any = None
    value: Any = None
    metadata: Any = None

    @property
    def states(self) -> dict[str, str]:
        """Return the names of its numbers."""
        states = self.metadata.get("states") if isinstance(self.metadata, dict) else None
        return states if isinstance(states, dict) else {}


class ClassData(Struct, frozen=True):
    """A command class that is offered."""

    id: int
    version: int = 0


class EndpointData(Struct, frozen=True, rename="camel"):
    """A part of a node; 0 is the node itself."""

    index: int
    command_classes: tuple[ClassData, ...] = ()


class DeviceConfig(Struct, frozen=True):
    """What the database of zwave-js says of a product."""

    description: str | None = None


class NodeData(Struct, frozen=True, rename="camel"):
    """All that is known of a node."""

    node_id: int
    status: NodeStatus = NodeStatus.UNKNOWN
    ready: bool = False
    is_controller_node: bool = False
    name: str | None = None
    label: str | None = None
    manufacturer_id: int | None = None
    product_type: int | None = None
    product_id: int | None = None
    dsk: str | None = None
    highest_security_class: int | None = None
    device_config: DeviceConfig = DeviceConfig()
    endpoints: tuple[EndpointData, ...] = ()
    values: tuple[ValueData, ...] = ()


class State(Struct, frozen=True):
    """All that is known of the network. Each node is decoded for itself: see `nodes_in`."""

    nodes: tuple[Raw, ...]


class Listening(Struct, frozen=True):
    """The answer to the question for all that is known."""

    state: State


_NODE = Decoder(NodeData)


def nodes_in(state: State) -> tuple[NodeData, ...]:
    """Return the nodes without those that are not understood: a lamp must not take all locks with it."""
    nodes = []
    for raw in state.nodes:
        try:
            nodes.append(_NODE.decode(raw))
        except ValidationError:
            _LOG.warning("the Z-Wave server tells of a node that is not understood")
    return tuple(nodes)
