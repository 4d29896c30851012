"""The link to the broker: always one connection or on the way to one.

Delivery is at least once in both directions. An incoming message is acknowledged when the handler returned,
so a crash before that makes the broker send it again; `publish` returns when the broker acknowledged.
"""

import asyncio
import logging
import random
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from gateway.domain.pulse import Beat
from gateway.mqtt import link_state
from gateway.mqtt.link_backoff import Backoff
from gateway.mqtt.link_breakers import Breakers
from gateway.mqtt.link_connection import Connection, Incoming
from gateway.mqtt.link_errors import LinkDown, NotConnected, NotStored
from gateway.mqtt.link_settings import LinkSettings
from gateway.mqtt.link_state import LinkState

_log = logging.getLogger(__name__)

# A connection that lived this long, in seconds, was a sound one.
SETTLED_S = 10.0
# MQTT 3.1.1 has no word for "taken over", and mosquitto 2.0.11 does not say it on MQTT 5 either when the
# session is resumed. Two clients with one id push each other out within seconds, again and again; with the
# back-off in between this many brief connections in a row fit into a minute.
BRIEF_CONNECTIONS = 3


@dataclass(slots=True)
class LinkCounters:
    """What happened since the link was made, for the health report."""

    taken_over: int = 0
    handler_failures: int = 0
    not_stored: int = 0
    too_large: int = 0
    dropped: int = 0
    overflows: int = 0


class Link:
    """Keeps a connection to the broker, hands on what comes in and publishes.

    `handler` gets one message at a time, in the order of arrival. When it returns the message is
    acknowledged; also when it raises, because a command that cannot be read must not come back for ever. If
    it raises NotStored, nothing more is taken in, and after a back-off the connection is made anew, whereupon
    the broker sends the message again. Before reconnecting the link waits for the handler in hand, so it must
    not wait for `connected`. A message over which the connection broke twice is acknowledged first and handed
    over as `unanswerable`. `on_change` is told each new state. `subscriptions` are topic filters,
    at least one, subscribed with QoS 1.

    `sleep` takes seconds, `clock` returns seconds that never go back, `rng` spreads the back-off.
    """

    def __init__(
        self,
        settings: LinkSettings,
        subscriptions: Sequence[str],
        handler: Callable[[Incoming], Awaitable[None]],
        on_change: Callable[[LinkState], None],
        *,
        sleep: Callable[[float], Awaitable[None]],
        clock: Callable[[], float],
        rng: random.Random,
        beat: Beat | None = None,
    ) -> None:
        self._beat = beat or Beat()
        self.connected = asyncio.Event()
        """Set while messages can be published and commands come in."""
        self.generation = 0
        """Grows by one with every connection: retained state is to be published again."""
        self.failed = 0
        """Attempts in a row that brought no connection; still there when the connection is told."""
        self.state = link_state.CONNECTING
        """The state told last."""
        self.counters = LinkCounters()
        self._settings = settings
        self._subscriptions = subscriptions
        self._handler = handler
        self._on_change = on_change
        self._sleep = sleep
        self._clock = clock
        self._connection: Connection | None = None
        self._backoff = Backoff(rng)
        self._storing_backoff = Backoff(rng)
        self._brief = 0
        self._breakers = Breakers()

    async def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        qos: int = 1,
        correlation_data: bytes | None = None,
    ) -> None:
        """Publish and return when the broker acknowledged (with QoS 0: when written to the socket).

        Nothing is queued for later: what raises LinkDown is to be published again by the caller, and may then
        arrive twice. Correlation data exist in MQTT 5 only and are left out on 3.1.1. Raises LinkDown (no
        connection, or lost before the acknowledgement), PublishRefused (the broker said no; MQTT 5 only,
        3.1.1 brokers drop such a message silently), ValueError (a topic with wildcards).
        """
        if self._connection is None:
            raise LinkDown("not connected to the broker")
        await self._connection.publish(
            topic, payload, retain=retain, qos=qos, correlation_data=correlation_data
        )

    async def run(self) -> None:
        """Connect, and connect again when that ends, until cancelled; then publish the will and leave."""
        try:
            while True:
                self._beat.on_broker()
                delay = await self._one_connection()
                if delay:
                    self._beat.asleep(delay)
                    await self._sleep(delay)
        finally:
            self._tell(link_state.STOPPED)

    async def _one_connection(self) -> float:
        """Serve one connection from beginning to end; return the seconds to wait before the next."""
        connection = Connection(self._settings, self._subscriptions, self._disconnected)
        try:
            granted = await connection.open()
        except NotConnected as exc:
            self.failed += 1
            self._brief = 0
            self._tell(exc.state)
            return self._backoff.next()
        except asyncio.CancelledError:
            connection.abandon()
            raise
        since = self._clock()
        self._connection = connection
        self.generation += 1
        self.connected.set()
        self._tell(link_state.CONNECTED if granted else link_state.SUBSCRIPTION_REFUSED)
        self.failed = 0
        try:
            stored = await self._consume(connection)
            if not stored:
                await self._pause(connection)
        finally:
            self._disconnected(connection)
            await connection.leave()
            self.counters.dropped += connection.dropped
        if connection.overflowed:
            self.counters.overflows += 1
            self._tell(link_state.OVERFLOWED)
            return 0
        return self._after_loss(connection, self._clock() - since) if stored else 0

    async def _consume(self, connection: Connection) -> bool:
        """Hand on messages until the connection ends (True) or one could not be stored (False)."""
        self._beat.idle()
        while (delivery := await connection.next()) is not None:
            self._beat.on_broker()
            message = delivery.incoming
            self.counters.too_large += message.payload_too_large
            given_up = self._breakers.given_up(message)
            if given_up:
                # First: what the handler sends may break the connection once more.
                self._breakers.answered_shortly(message)
                connection.done(delivery)
                message = replace(message, unanswerable=True, response_topic=None, correlation_data=None)
            try:
                await self._handler(message)
            except NotStored:
                self.counters.not_stored += 1
                return False
            except Exception as exc:  # noqa: BLE001 - a bad message must stop neither the link nor the next one
                self.counters.handler_failures += 1
                # Neither text nor traceback nor topic: any of them may repeat a PIN.
                _log.error("A message was given up: %s in %s", type(exc).__name__, _place(exc))
            self._storing_backoff.reset()
            if connection.ended.is_set() and not given_up:
                self._breakers.broke(message)
            elif not given_up:
                self._breakers.settled(message)
                connection.done(delivery)
            self._beat.idle()
        self._beat.on_broker()
        return True

    async def _pause(self, connection: Connection) -> None:
        """Stay connected, so that the trouble can be told, but take nothing in for a while."""
        self._tell(link_state.NOT_STORED)
        delay = self._storing_backoff.next()
        self._beat.asleep(delay)
        waits = {
            asyncio.ensure_future(self._sleep(delay)),
            asyncio.ensure_future(connection.ended.wait()),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _after_loss(self, connection: Connection, lived_s: float) -> float:
        settled = lived_s >= SETTLED_S
        self._brief = 0 if settled else self._brief + 1
        state = link_state.LOST
        if connection.taken_over:
            state = link_state.TAKEN_OVER
        elif self._brief >= BRIEF_CONNECTIONS:
            state = link_state.TAKEN_OVER_PERHAPS
        if state is not link_state.LOST:
            self.counters.taken_over += 1
            self._backoff.to_longest()
        elif settled:
            self._backoff.reset()
        self._tell(state)
        return self._backoff.next()

    def _disconnected(self, connection: Connection) -> None:
        # One that was left because it hung may end while its successor is at work.
        if self._connection is connection:
            self._connection = None
            self.connected.clear()

    def _tell(self, state: LinkState) -> None:
        if state != self.state:
            self.state = state
            self._on_change(state)


def _place(exc: Exception) -> str:
    """Name file and line where `exc` was raised, which its type alone does not tell."""
    frame = traceback.extract_tb(exc.__traceback__, limit=-1)[0]
    return f"{frame.filename}:{frame.lineno}"
