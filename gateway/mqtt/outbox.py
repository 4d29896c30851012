"""Tells events: each at least once, first in the order of `seq`, across crashes and outages (rule 8)."""

import asyncio
import logging
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import msgspec

from gateway.domain.clock import Clock
from gateway.domain.events import StoredEvent
from gateway.domain.pulse import Beat
from gateway.domain.store import StorageFailed, Store, Tx
from gateway.domain.trouble import Trouble
from gateway.engine.mutations import instant
from gateway.mqtt.health import Health
from gateway.mqtt.link import Link
from gateway.mqtt.link_errors import LinkDown, PublishRefused
from gateway.mqtt.own_events import OwnEvents
from gateway.mqtt.topics import Topics

_log = logging.getLogger(__name__)
BATCH = 100
"""Events read and marked in one unit. The link lets only some of them be on their way at once."""
RETRY_S = 0.5
"""Pause before looking whether a broken connection is back."""
REFUSED_S = 60.0
"""Pause after the broker refused an event: only a person can change that."""
STORAGE_S = 10.0
"""Pause after the database failed."""
_ROOM = 10
"""When there are too many events, a tenth of the limit is made free, so that one gap event tells of many."""


class Outbox:
    """Brings what is stored to the broker."""

    def __init__(
        self,
        link: Link,
        store: Store,
        topics: Topics,
        health: Health,
        *,
        own_events: OwnEvents,
        limit: int,
        clock: Clock,
        beat: Beat | None = None,
    ) -> None:
        """Keep at most about `limit` events for a broker that is away."""
        self._link = link
        self._store = store
        self._topics = topics
        self._health = health
        self._own_events = own_events
        self._limit = limit
        self._clock = clock
        self._refused = Trouble(_log, "events_refused", clock.boot)
        self._woken = asyncio.Event()
        self._beat = beat or Beat()

    def wake(self) -> None:
        """Look for new events now."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver whenever there is something and a connection, until cancelled."""
        while True:
            self._woken.clear()
            self._beat.idle()
            await self._link.connected.wait()
            self._beat.on_broker()
            try:
                if not await self._deliver():
                    self._beat.idle()
                    await self._woken.wait()
            except LinkDown:
                await self._sleep(RETRY_S)
            except PublishRefused:
                self._health.count("events_refused")
                self._refused.begins("The broker refuses events: check its access list")
                await self._sleep(REFUSED_S)
            except StorageFailed as error:
                self._health.storage_failed(error)
                await self._sleep(STORAGE_S)

    async def _sleep(self, seconds: float) -> None:
        self._beat.asleep(seconds)
        await self._clock.sleep(seconds)

    async def trim(self) -> None:
        """Make room when too many events wait, and tell of the gap in their order.

        Raises StorageFailed.
        """
        dropped = await self._store.run(self._trim)
        if dropped:
            self.wake()

    def _trim(self, tx: Tx) -> int:
        if tx.undelivered_count() <= self._limit:
            return 0
        dropped, first = tx.trim_outbox(self._limit - max(self._limit // _ROOM, 1))
        tx.emit(self._own_events.make("gateway.gap", events_dropped=dropped, first_seq_dropped=first))
        return dropped

    async def _deliver(self) -> bool:
        """Deliver the oldest events; False if there was none.

        Only what the broker took before the connection broke counts as delivered: the rest is sent again, in
        order. While it refuses the oldest one, nothing else is sent: that would go past it, minute by minute.
        Raises LinkDown, PublishRefused and StorageFailed.
        """
        limit = 1 if self._refused.attempts else BATCH
        events = await self._store.run(lambda tx: tx.undelivered(limit))
        if not events:
            return False
        # Tasks begin in the order of creation, and the link keeps it.
        results = await asyncio.gather(*map(self._publish, events), return_exceptions=True)
        answered = takewhile(_is_answered, results)
        # Those that were on their way behind a refused one have gone past it: once is enough.
        told = [event for event, result in zip(events, answered, strict=False) if result is None]
        if told:
            await self._mark(told)
        failure = next((result for result in results if result is not None), None)
        if failure is not None:
            raise failure
        self._refused.ends("The broker takes events again")
        return True

    async def _publish(self, stored: StoredEvent) -> None:
        topic = self._topics.event(stored.event.device_id, stored.event.event_type)
        await self._link.publish(topic, msgspec.json.encode(content(stored)))

    async def _mark(self, told: Sequence[StoredEvent]) -> None:
        now = self._clock.now()
        await self._store.run(lambda tx: tx.mark_delivered([stored.seq for stored in told], now))
        self._health.stored()
        _log.debug("The broker has the events up to %d", told[-1].seq)


def _is_answered(result: BaseException | None) -> bool:
    return result is None or isinstance(result, PublishRefused)


def content(stored: StoredEvent) -> dict[str, Any]:
    """Return an event as it is published: the envelope, and the payload beside it."""
    event = stored.event
    return {
        "event_id": event.event_id,
        "seq": stored.seq,
        "event_type": event.event_type,
        "device_id": event.device_id,
        "access_code_id": event.access_code_id,
        "occurred_at": instant(event.occurred_at),
        "created_at": instant(event.created_at),
        **event.payload,
    }
