"""A paho client set up for one connection, with a network thread that also makes it.

paho's own thread keeps to itself why a connection failed, and ends without a word when it trips over a
malformed packet. Here `loop_start` connects too, off the event loop, and `ended` is called in every case.
"""

import contextlib
import logging
import socket
import ssl
from collections.abc import Callable

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.mqtt import link_state
from gateway.mqtt.link_errors import NotConnected
from gateway.mqtt.link_paho import MOST_PROPERTIES, understand_brokers, without_user_properties
from gateway.mqtt.link_settings import LinkSettings, TlsSettings
from gateway.mqtt.link_state import LinkState
from gateway.mqtt.tls import broker_context

understand_brokers()

_log = logging.getLogger(__name__)
_BESIDE_PAYLOAD = MOST_PROPERTIES + 70_000
"""Bytes of a packet kept beyond the largest payload: properties, and a topic that may have 64 KiB."""
_PIECE = 65_536
"""Bytes of a packet received at once."""
_WITH_WILL = 0x04
"""MQTT 5.0 section 3.14.2.1."""


class Unreadable(mqtt.MQTTMessage):
    """Stands for a message of which only the packet identifier could be read."""


class NetworkClient(mqtt.Client):
    """Connects once, when `loop_start` is called, and never again.

    `ended` is called in the network thread when it is over, with the reason if no connection came about.
    """

    def __init__(self, settings: LinkSettings, ended: Callable[[LinkState | None], None]) -> None:
        is_v5 = settings.version == "5"
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            clean_session=None if is_v5 else False,
            protocol=MQTTProtocolVersion.MQTTv5 if is_v5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self.will_set(settings.will.topic, settings.will.payload, qos=1, retain=True)
        self.on_socket_open = _without_delay
        self._settings = settings
        self._ended = ended
        self._abandoned = False
        self.cut_short = False
        """Whether less was kept of the message in hand than came. Only for its callback, in its thread."""

    def abandon(self, *, keep_will: bool = False) -> None:
        """Say goodbye if connected; if still connecting, make the thread end as soon as that returns.

        With `keep_will` the broker publishes the will all the same: a plain goodbye would have it forget it.
        """
        self._abandoned = True
        if not keep_will:
            self.disconnect()
        elif self._settings.version == "5":
            self.disconnect(ReasonCode(PacketTypes.DISCONNECT, identifier=_WITH_WILL))
        elif isinstance(opened := self.socket(), socket.socket):
            # MQTT 3.1.1 section 3.14: every goodbye takes the will back. Not through TLS: that is the network
            # thread's. One that is closed already is as good.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(opened, socket.SHUT_RDWR)

    def loop_forever(
        self,
        timeout: float = 1.0,
        retry_first_connection: bool = False,  # noqa: FBT001, FBT002, ARG002 - paho's signature
    ) -> MQTTErrorCode:
        """Run in the network thread: connect, then read and write until the connection ends."""
        why = None
        try:
            self._dial()
            # CONNECT is only queued so far; sent now it would push a newer connection of ours aside.
            if not self._abandoned:
                return super().loop_forever(timeout)
        except NotConnected as exc:
            why = exc.state
        except Exception as exc:  # noqa: BLE001 - whatever ends the thread, the link must hear of it
            # Not the text: it may repeat what was sent.
            _log.error("The MQTT network thread ended with %s", type(exc).__name__)
        finally:
            self._ended(why)
        return MQTTErrorCode.MQTT_ERR_CONN_LOST

    def _sock_recv(self, bufsize: int) -> bytes:
        """Receive the next piece of a packet, and let go of what came before but is too much to be held.

        Any client may send a quarter of a gigabyte. MQTT 5 could tell the broker not to pass it on, but with
        mosquitto 2.0.11 twenty of those fill the window, and nothing comes any more.
        """
        del self._in_packet["packet"][self._settings.max_payload_bytes + _BESIDE_PAYLOAD :]
        return super()._sock_recv(min(bufsize, _PIECE))

    def _handle_publish(self) -> MQTTErrorCode:
        """Take a message; hand over that there was one, even if paho cannot read it.

        It could not be acknowledged otherwise, and would come again and end every connection from now on.
        """
        packet, qos = self._in_packet["packet"], self._in_packet["command"] >> 1 & 0b11
        self.cut_short = len(packet) < self._in_packet["remaining_length"]
        try:
            if self._settings.version == "5":
                self._in_packet["packet"] = without_user_properties(packet, qos)
            return super()._handle_publish()
        except Exception as exc:  # paho raises what it likes over a packet that is not as it should be
            message = _identified(packet, qos)
            if message is None:
                raise
            _log.debug("A message could not be read: %s", type(exc).__name__)
        self._handle_on_message(message)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _dial(self) -> None:
        settings = self._settings
        if settings.username is not None:
            self.username_pw_set(settings.username, _password(settings))
        if settings.tls is not None:
            self.tls_set_context(_tls_context(settings.tls))
        try:
            if settings.version == "5":
                properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho leaves it so
                properties.SessionExpiryInterval = settings.session_expiry_s
                properties.ReceiveMaximum = settings.receive_maximum
                self.connect(
                    settings.host,
                    settings.port,
                    settings.keepalive_s,
                    clean_start=False,
                    properties=properties,
                )
            else:
                self.connect(settings.host, settings.port, settings.keepalive_s)
        except Exception as exc:  # noqa: BLE001 - resolver, socket and TLS raise a wide range
            raise NotConnected(link_state.not_reached(exc)) from None


def _identified(packet: bytearray, qos: int) -> Unreadable | None:
    """Read as little of a PUBLISH packet as its acknowledgement needs; None if not even that can be.

    MQTT 5.0 section 3.3: the topic behind its length, and the packet identifier.
    """
    at = 2 + int.from_bytes(packet[:2])
    if qos not in {0, 1} or len(packet) < at + 2 * qos:
        return None
    message = Unreadable(int.from_bytes(packet[at : at + 2]) if qos else 0)
    message.qos = qos
    return message


def _without_delay(_c: mqtt.Client, _: object, opened: object) -> None:
    """Send every packet at once: else one written behind another waits some 40 ms for the broker's TCP.

    Answering a command is an acknowledgement and a message, so each command would cost that much.
    """
    if isinstance(opened, socket.socket):
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class _TlsSocket(ssl.SSLSocket):
    """Closes itself when the handshake fails; paho leaves that to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - ssl's signature
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _password(settings: LinkSettings) -> str | None:
    try:
        return settings.password()
    except (OSError, ValueError):
        raise NotConnected(link_state.PASSWORD_FILE) from None


def _tls_context(tls: TlsSettings) -> ssl.SSLContext:
    try:
        context = broker_context(tls)
    except (OSError, ValueError):
        raise NotConnected(link_state.TLS_FILES) from None
    context.sslsocket_class = _TlsSocket
    return context
