"""What the link must know before it can connect."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Files for TLS, all PEM.

    `ca_file`: whom to believe about the broker's certificate; None means the system's list.
    `cert_file`, `key_file`: the hub's own certificate, for brokers that ask for one; both or neither, and
    the key not encrypted (nobody is there to type a passphrase).
    """

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    def __post_init__(self) -> None:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together: give both or neither")


@dataclass(frozen=True, slots=True)
class Will:
    """The retained QoS 1 message that tells others the hub is gone.

    The broker publishes it when the connection breaks; the link publishes it itself before it leaves.
    """

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Where the broker is and how to speak with it.

    `client_id` must be fixed: the broker keeps the session (subscriptions and unacknowledged messages)
    under it. `keepalive_s` (seconds, 5 to 65535) also bounds how long a silent broker goes unnoticed: at
    most twice that. `session_expiry_s` (seconds) is told to MQTT 5 brokers; on 3.1.1 the broker decides.
    `receive_maximum` (1 to 65535) bounds the messages held unacknowledged. `max_payload_bytes` is the largest
    payload handed over; of a larger one only the fact is. `password` is asked for every connection, in a
    thread of its own, and raises OSError or ValueError where it cannot be read: so a renewed one is taken up,
    and nothing holds it that may be printed. Raises ValueError for values out of range.
    """

    host: str
    port: int
    client_id: str
    will: Will
    tls: TlsSettings | None = None
    username: str | None = None
    password: Callable[[], str | None] = lambda: None
    version: Literal["3.1.1", "5"] = "5"
    keepalive_s: int = 30
    session_expiry_s: int = 7 * 86_400
    receive_maximum: int = 20
    max_payload_bytes: int = 65_536

    def __post_init__(self) -> None:
        if not self.host or not self.client_id:
            raise ValueError("host and client_id must not be empty")
        ranges = {
            "port": (self.port, 1, 65_535),
            "keepalive_s": (self.keepalive_s, 5, 65_535),
            "session_expiry_s": (self.session_expiry_s, 0, 2**32 - 1),
            "receive_maximum": (self.receive_maximum, 1, 65_535),
            "max_payload_bytes": (self.max_payload_bytes, 1, 268_435_455),
        }
        for name, (value, low, high) in ranges.items():
            if not low <= value <= high:
                raise ValueError(f"{name} must be from {low} to {high}")
