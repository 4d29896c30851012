"""A paho client set up for one connection, with a network thread that also makes it.

paho's own thread keeps to itself why a connection failed, and ends without a word when it trips over a
malformed packet. Here `loop_start` connects too, off the event loop, and `ended` is called in every case.
"""

import logging
import socket
import ssl
from collections.abc import Callable

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.mqtt import link_state
from gateway.mqtt.link_errors import NotConnected
from gateway.mqtt.link_settings import LinkSettings, TlsSettings
from gateway.mqtt.link_state import LinkState
from gateway.mqtt.tls import broker_context

_log = logging.getLogger(__name__)


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
        if settings.username is not None:
            self.username_pw_set(settings.username, settings.password.value if settings.password else None)
        self.on_socket_open = _without_delay
        self._settings = settings
        self._ended = ended
        self._abandoned = False

    def abandon(self) -> None:
        """Say goodbye if connected; if still connecting, make the thread end as soon as that returns."""
        self._abandoned = True
        self.disconnect()

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

    def _dial(self) -> None:
        settings = self._settings
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


def _tls_context(tls: TlsSettings) -> ssl.SSLContext:
    try:
        context = broker_context(tls)
    except (OSError, ValueError):
        raise NotConnected(link_state.TLS_FILES) from None
    context.sslsocket_class = _TlsSocket
    return context
