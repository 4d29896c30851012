"""What the configuration may say about the Z-Wave server and its locks. Imports no radio library."""

from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct

MAX_NODE_ID = 4000
"""Z-Wave has nodes 1 to 232, Z-Wave Long Range 256 to 4000."""


class ZwaveSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `[drivers.zwave]`.

    The server's own configuration should carry `interview.queryAllUserCodes = true`: without it zwave-js
    erases a lock in its first interview. The driver sets the option on every connection, but a server that
    starts alone knows only its own configuration.

    Raises:
        ValueError: PINs would go over the network in clear and that was not allowed.
    """

    url: Annotated[str, Meta(pattern=r"^wss?://[^\s/]+")] = "ws://127.0.0.1:3000"
    """Address of the zwave-js server."""
    allow_plaintext: bool = False
    """PINs travel in clear over `ws://`; to another machine only if this says so."""
    reconnect_first_s: Annotated[float, Meta(ge=0.1, le=60)] = 1.0
    """Seconds before the first attempt after the link broke; doubles with each failure."""
    reconnect_most_s: Annotated[float, Meta(ge=1, le=3600)] = 60.0
    """Seconds between attempts at most."""

    def __post_init__(self) -> None:
        """Refuse to send PINs in clear to another machine by accident."""
        if self.in_clear and not self.allow_plaintext:
            raise ValueError(
                "PINs would travel to another machine in clear: use wss:// or set allow_plaintext = true"
            )

    @property
    def in_clear(self) -> bool:
        """Say whether PINs cross the network unencrypted."""
        address = urlsplit(self.url)
        return address.scheme == "ws" and not _is_loopback(address.hostname or "")


class ZwaveLockSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is particular about one lock on a Z-Wave network: exactly one of `node` and `node_name`.

    Raises:
        ValueError: both or none of them were given.
    """

    node: Annotated[int, Meta(ge=1, le=MAX_NODE_ID)] | None = None
    """The node id in the Z-Wave network."""
    node_name: Annotated[str, Meta(min_length=1)] | None = None
    """The name that the node has in the server, exactly as written there."""
    readback: Literal["auto", "none"] = "auto"
    """`none` for locks that answer "available" whatever they hold: they are never read."""
    native_schedules: bool = False
    """Whether the lock may keep the windows of codes by itself, where it has Schedule Entry Lock (78).

    To be allowed for each lock: on some models (Kwikset 914) a schedule changes what kind of user a slot has,
    and no lock tells whether a schedule is in force.
    """

    def __post_init__(self) -> None:
        """Demand one way to find the lock, not two that may disagree."""
        if (self.node is None) == (self.node_name is None):
            raise ValueError("a Z-Wave lock needs either node or node_name")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
