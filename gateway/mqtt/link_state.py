"""How the link stands, in words for the person who has to mend it.

The words are ours alone: texts of foreign exceptions and reason strings sent by the broker are left out,
because they may repeat what was sent.
"""

import enum
import socket
import ssl
from dataclasses import dataclass


class LinkKind(enum.StrEnum):
    """What the link is doing, or why it is not connected."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    UNREACHABLE = "unreachable"
    TLS_FAILED = "tls_failed"
    NO_PASSWORD = "no_password"  # noqa: S105 - the name of a state
    REFUSED = "refused"
    SUBSCRIPTION_REFUSED = "subscription_refused"
    LOST = "lost"
    TAKEN_OVER = "taken_over"
    NOT_STORED = "not_stored"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class LinkState:
    """A kind for programs and a sentence for people: what is wrong and what to do."""

    kind: LinkKind
    message: str


CONNECTING = LinkState(LinkKind.CONNECTING, "Connecting to the broker.")
CONNECTED = LinkState(LinkKind.CONNECTED, "Connected to the broker.")
STOPPED = LinkState(LinkKind.STOPPED, "Left the broker.")
LOST = LinkState(LinkKind.LOST, "The connection to the broker broke. It is made again by itself.")
TAKEN_OVER = LinkState(
    LinkKind.TAKEN_OVER,
    "Another client connects with the same client id, and the broker drops the older one. "
    "Give each hub its own client id, and stop second copies of this daemon.",
)
TAKEN_OVER_PERHAPS = LinkState(
    LinkKind.TAKEN_OVER,
    "The broker keeps dropping the connection right after it is made. Most often another client uses the "
    "same client id: give each hub its own, and stop second copies of this daemon. The broker's log tells.",
)
NOT_STORED = LinkState(
    LinkKind.NOT_STORED,
    "A command could not be stored and stays with the broker, which will send it again. "
    "Check that the disk is not full or read-only.",
)
OVERFLOWED = LinkState(
    LinkKind.LOST,
    "The broker sent more at once than the hub takes in. The rest is fetched after reconnecting; "
    "with MQTT 3.1.1 set the broker's inflight window to 20 or less.",
)
SUBSCRIPTION_REFUSED = LinkState(
    LinkKind.SUBSCRIPTION_REFUSED,
    "The broker refuses the subscription for commands, or for the start of Home Assistant. Allow this "
    "user to read these topics in the broker's access list.",
)
CLOSED_EARLY = LinkState(
    LinkKind.UNREACHABLE,
    "The broker closed the connection before answering. Check that the port is the right one, whether it "
    "wants TLS, and that the broker speaks the configured MQTT version.",
)
CLOSED_EARLY_TLS = LinkState(
    LinkKind.TLS_FAILED,
    "The broker closed the encrypted connection before answering. Most often it wants a client certificate "
    "it trusts: check cert_file and key_file.",
)
SILENT = LinkState(
    LinkKind.UNREACHABLE,
    "The broker takes connections but does not answer. Check that it speaks the configured MQTT version, "
    "and whether it hangs.",
)
TLS_FILES = LinkState(
    LinkKind.TLS_FAILED,
    "A TLS file cannot be used. Check that ca_file, cert_file and key_file exist, can be read by this "
    "daemon's user, are PEM, and that the key is not encrypted and belongs to the certificate.",
)
PASSWORD_FILE = LinkState(
    LinkKind.NO_PASSWORD,
    "The password file cannot be read, so the broker is not asked. Check that password_file exists, can be "
    "read by this daemon's user, and is UTF-8 text. It is tried again by itself.",
)

_GIVEN_AT_START = "One that systemd hands over as a credential is renewed by a restart of the daemon only."

# MQTT 5.0 section 3.2.2.2; paho reports the return codes of 3.1.1 under these numbers too.
_REFUSALS = {
    0x84: "The broker does not speak the configured MQTT version. Set version to 3.1.1 or 5.",
    0x85: "The broker does not accept the client id. Choose another one.",
    0x86: f"The broker does not accept user name and password. Check both. {_GIVEN_AT_START}",
    0x87: "The broker does not let this user in. Check user name, password and the broker's access list. "
    f"{_GIVEN_AT_START}",
    0x88: "The broker says it is not available at the moment. It is tried again by itself.",
    0x89: "The broker says it is busy. It is tried again by itself.",
    0x8A: "The broker has banned this client. Lift the ban in the broker.",
    0x97: "The broker says a quota is exceeded. Check its limits.",
    0x9A: "The broker does not support retained messages. Use a broker that does.",
    0x9B: "The broker does not support QoS 1. Use a broker that does.",
    0x9F: "The broker says connections come too fast. It is tried again by itself.",
}

# Numbers of X509_verify_cert_error_string in OpenSSL.
_EXPIRED_OR_NOT_YET_VALID = (9, 10)
_WRONG_NAME = (62, 64)


def refused(reason_code: int) -> LinkState:
    """Say why the broker refused the connection; `reason_code` as in the MQTT 5 CONNACK."""
    told = _REFUSALS.get(reason_code, "The broker refused the connection. Its log says why.")
    return LinkState(LinkKind.REFUSED, f"{told} (code 0x{reason_code:02x})")


def not_reached(exc: Exception) -> LinkState:
    """Say why no connection came about; of `exc` only its type and numbers are used."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        if exc.verify_code in _EXPIRED_OR_NOT_YET_VALID:
            why = "The broker's certificate is expired or not yet valid. Check it, and this machine's clock."
        elif exc.verify_code in _WRONG_NAME:
            why = "The broker's certificate is for another name. Set host to the name in the certificate."
        else:
            why = "The broker's certificate is not trusted. Set ca_file to the authority that signed it."
        return LinkState(LinkKind.TLS_FAILED, why)
    # Nothing is sent before the handshake, so only a handshake can be answered with a reset.
    if isinstance(exc, ssl.SSLError | ConnectionResetError | BrokenPipeError):
        return LinkState(
            LinkKind.TLS_FAILED,
            "No encrypted connection comes about. Check that this port speaks TLS (often it is 8883).",
        )
    if isinstance(exc, socket.gaierror | UnicodeError):
        why = "The broker's name is not found. Check host and this machine's DNS."
    elif isinstance(exc, ConnectionRefusedError):
        why = "Nothing listens at the broker's address. Check host and port, and that the broker runs."
    elif isinstance(exc, TimeoutError):
        why = "The broker does not answer. Check host, port, the network and firewalls."
    else:
        why = f"The broker cannot be reached ({type(exc).__name__}). Check host, port and the network."
    return LinkState(LinkKind.UNREACHABLE, why)
