"""One connection to the broker: paho on its own thread, bridged into asyncio.

Every connection gets a fresh paho client. A client that reconnects by itself would send what it still held
once more, behind whatever the outbox has sent by then; a fresh one holds nothing, while the session under the
same client id lives on in the broker, which sends again what was not acknowledged (MQTT 5.0 section 4.4).
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway.mqtt import link_state
from gateway.mqtt.link_client import NetworkClient, Unreadable
from gateway.mqtt.link_errors import LinkDown, LinkError, MessageTooLarge, NotConnected, PublishRefused
from gateway.mqtt.link_paho import PACKET_TOO_LARGE
from gateway.mqtt.link_settings import LinkSettings
from gateway.mqtt.link_state import LinkState

# How long leaving may take, in seconds, before the broker is left to notice by itself: systemd allows 90.
LEAVE_S = 3.0
# Messages on their way to the broker at once, less if an MQTT 5 broker says so in its Receive Maximum, to
# which paho pays no heed. Not more than paho's own window, so that paho queues nothing itself.
SEND_WINDOW = 20
# At most this many bytes of a packet are neither topic nor payload nor correlation data: type, length, packet
# identifier and the lengths of topic, properties and correlation data (MQTT 5.0 section 3.3).
_PACKET_FRAME = 17
# MQTT 5.0 section 3.14.2.1.
_SESSION_TAKEN_OVER = 0x8E
_KEEP_ALIVE_TIMEOUT = 0x8D


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message from the broker.

    `topic` is empty if the broker sent none that is valid UTF-8. `payload` is empty and `payload_too_large`
    true when more came than the settings allow. `retain`: it is on the broker, or (MQTT 5) was sent to be;
    MQTT 3.1.1 does not tell that of a message that comes while we listen. `response_topic` and
    `correlation_data` exist in MQTT 5 only. `unreadable`: nothing else is known of it. `unanswerable`: the
    connection broke again and again while it was handled; it is acknowledged, and will not come again.
    """

    topic: str
    payload: bytes
    retain: bool
    response_topic: str | None = None
    correlation_data: bytes | None = None
    payload_too_large: bool = False
    unreadable: bool = False
    unanswerable: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """An incoming message together with what its acknowledgement needs."""

    incoming: Incoming
    mid: int
    qos: int


class Connection:
    """One connection, used from the event loop that made it; once ended it never comes back.

    At most `receive_maximum` messages are held. MQTT 5 brokers are told so and keep to it. Where a 3.1.1
    broker sends more, the surplus is let go unacknowledged and `overflowed` set: `next` then ends after the
    messages held, and a new connection makes the broker send the surplus again, in order. Surplus QoS 0
    messages, for which nobody promises anything, are dropped and counted in `dropped`.
    """

    def __init__(
        self, settings: LinkSettings, subscriptions: Sequence[str], on_ended: Callable[["Connection"], None]
    ) -> None:
        self.taken_over = False
        self.overflowed = False
        self.dropped = 0
        self.ended = asyncio.Event()
        self._settings = settings
        self._subscriptions = subscriptions
        self._on_ended = on_ended
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[bool] = self._loop.create_future()
        self._why: LinkState | None = None
        self._unacknowledged: dict[int, asyncio.Future[None]] = {}
        self._deliveries: asyncio.Queue[Delivery | None] = asyncio.Queue()
        self._window = asyncio.Semaphore(SEND_WINDOW)
        self._largest_packet: int | None = None
        self._room = threading.BoundedSemaphore(settings.receive_maximum)
        self._client: NetworkClient | None = None

    async def open(self) -> bool:
        """Connect and subscribe; return whether the broker granted all subscriptions.

        Names are resolved and sockets connected in the network thread, so that a slow one delays nobody.
        Raises NotConnected.
        """
        self._client = self._make_client()
        self._client.loop_start()
        return await self._opened

    async def next(self) -> Delivery | None:
        """Wait for the oldest message not handed out yet; None when there will be no more."""
        return await self._deliveries.get()

    def done(self, delivery: Delivery) -> None:
        """Acknowledge a message: the broker forgets it."""
        self._room.release()
        if self._client is not None:
            self._client.ack(delivery.mid, delivery.qos)

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool, qos: int, correlation_data: bytes | None = None
    ) -> None:
        """Publish and wait until the broker acknowledged (with QoS 0: until it was written to the socket).

        Raises LinkDown, PublishRefused, and ValueError for a topic with wildcards.
        """
        size = len(topic.encode()) + len(payload) + len(correlation_data or b"") + _PACKET_FRAME
        if self._largest_packet is not None and size > self._largest_packet:
            # Sent all the same it would end the connection, and do so again whenever it is repeated.
            raise MessageTooLarge(f"the broker takes at most {self._largest_packet} bytes")
        properties = None
        if self._settings.version == "5" and correlation_data is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho leaves it so
            properties.CorrelationData = correlation_data
        window = self._window
        await window.acquire()
        acknowledged: asyncio.Future[None] = self._loop.create_future()

        def answered(done: asyncio.Future[None]) -> None:
            window.release()
            # Whoever stopped waiting does not ask for it, and asyncio would log that nobody did.
            if not done.cancelled():
                done.exception()

        # Not when the caller stops waiting: the broker counts the message until it has answered.
        acknowledged.add_done_callback(answered)
        try:
            mid = self._send(topic, payload, qos, properties, retain=retain)
        except BaseException:
            acknowledged.cancel()
            raise
        self._unacknowledged[mid] = acknowledged
        await asyncio.shield(acknowledged)

    def _send(
        self, topic: str, payload: bytes, qos: int, properties: Properties | None, *, retain: bool
    ) -> int:
        if self._client is not None:
            info = self._client.publish(topic, payload, qos, retain, properties)
            if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
                return info.mid
        raise LinkDown("the connection to the broker broke before the message was sent")

    async def leave(self) -> None:
        """Publish the will, say goodbye and wait for the end; after LEAVE_S the broker has to publish it."""
        will = self._settings.will
        try:
            async with asyncio.timeout(LEAVE_S):
                await self.publish(will.topic, will.payload, retain=True, qos=1)
                self._let_go(keep_will=False)
                await self.ended.wait()
        except (LinkError, TimeoutError):
            pass
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Ask the network thread to end, without waiting for it; the broker publishes the will."""
        self._let_go(keep_will=True)

    def _let_go(self, *, keep_will: bool) -> None:
        # The client's callbacks hold this object: letting go of it closes paho's sockets without a collector.
        client, self._client = self._client, None
        if client is not None:
            client.abandon(keep_will=keep_will)

    def _make_client(self) -> NetworkClient:
        client = NetworkClient(self._settings, self._thread_ended)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        return client

    # In the network thread: these may touch only what is safe there, and post the rest to the loop.

    def _post(self, call: Callable[..., None], *args: object) -> None:
        # A closed loop means that the process is on its way out; nobody is left to be told.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call, *args)

    def _thread_ended(self, why: LinkState | None) -> None:
        self._post(self._end, why)

    def _on_connect(
        self,
        _c: mqtt.Client,
        _: object,
        _flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        window = min(SEND_WINDOW, getattr(properties, "ReceiveMaximum", SEND_WINDOW))
        largest = getattr(properties, "MaximumPacketSize", None)
        self._post(self._connected, reason.value if reason.is_failure else None, window, largest)

    def _on_disconnect(
        self,
        _c: mqtt.Client,
        _: object,
        flags: mqtt.DisconnectFlags,
        reason: ReasonCode,
        _p: object,
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self.taken_over = reason.value == _SESSION_TAKEN_OVER
        elif reason.value == _KEEP_ALIVE_TIMEOUT:
            self._post(self._explain, link_state.SILENT)

    def _on_subscribe(
        self, _c: mqtt.Client, _: object, _mid: int, reasons: list[ReasonCode], _p: object
    ) -> None:
        self._post(self._ready, not any(reason.is_failure for reason in reasons))

    def _on_publish(self, _c: mqtt.Client, _: object, mid: int, reason: ReasonCode, _p: object) -> None:
        self._post(self._acknowledged, mid, reason.value if reason.is_failure else None)

    def _on_message(self, client: mqtt.Client, _: object, message: mqtt.MQTTMessage) -> None:
        if self.overflowed and message.qos > 0:
            return
        # Counted here and not in the loop: a busy loop would let the messages pile up on the way to it.
        if not self._room.acquire(blocking=False):
            if message.qos == 0:
                self.dropped += 1
            else:
                self.overflowed = True
                self._post(self._deliveries.put_nowait, None)
            return
        self._post(
            self._deliveries.put_nowait,
            self._delivery(message, cut_short=isinstance(client, NetworkClient) and client.cut_short),
        )

    def _delivery(self, message: mqtt.MQTTMessage, *, cut_short: bool) -> Delivery:
        if isinstance(message, Unreadable):
            return Delivery(Incoming("", b"", retain=False, unreadable=True), message.mid, message.qos)
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        too_large = cut_short or len(message.payload) > self._settings.max_payload_bytes
        incoming = Incoming(
            topic=topic,
            payload=b"" if too_large else bytes(message.payload),
            retain=message.retain,
            response_topic=getattr(message.properties, "ResponseTopic", None),
            correlation_data=getattr(message.properties, "CorrelationData", None),
            payload_too_large=too_large,
        )
        return Delivery(incoming, message.mid, message.qos)

    # In the loop.

    def _explain(self, why: LinkState) -> None:
        self._why = why

    def _connected(self, error: int | None, window: int, largest_packet: int | None) -> None:
        self._window = asyncio.Semaphore(window)
        self._largest_packet = largest_packet
        if error is not None:
            self._why = link_state.refused(error)
        elif self._client is not None:
            self._subscribe(self._client)

    def _subscribe(self, client: NetworkClient) -> None:
        """Subscribe, with MQTT 5 to the retain flag as the sender set it.

        Otherwise the broker takes it off for those who listen already (MQTT 5.0 section 3.8.3.1).
        """
        if self._settings.version == "5":
            wish = SubscribeOptions(qos=1, retainAsPublished=True)
            client.subscribe([(topic, wish) for topic in self._subscriptions])
        else:
            client.subscribe([(topic, 1) for topic in self._subscriptions])

    def _ready(self, granted: bool) -> None:  # noqa: FBT001 - posted positionally
        if not self._opened.done():
            self._opened.set_result(granted)

    def _acknowledged(self, mid: int, error: int | None) -> None:
        waiting = self._unacknowledged.pop(mid, None)
        if waiting is None:
            return
        if error is None:
            waiting.set_result(None)
        elif error == PACKET_TOO_LARGE:
            waiting.set_exception(MessageTooLarge("the broker says that the message is too large"))
        else:
            waiting.set_exception(PublishRefused(f"the broker refused the message (code 0x{error:02x})"))

    def _end(self, why: LinkState | None) -> None:
        self._client = None  # As in abandon.
        if not self._opened.done():
            early = link_state.CLOSED_EARLY_TLS if self._settings.tls else link_state.CLOSED_EARLY
            self._opened.set_exception(NotConnected(why or self._why or early))
        for waiting in self._unacknowledged.values():
            waiting.set_exception(LinkDown("the connection broke before the broker acknowledged"))
        self._unacknowledged.clear()
        # What was not begun comes again with the next connection.
        while not self._deliveries.empty():
            self._deliveries.get_nowait()
        self._deliveries.put_nowait(None)
        self.ended.set()
        self._on_ended(self)
