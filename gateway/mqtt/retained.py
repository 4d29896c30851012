"""Retained topics, held equal to what is wanted: what the broker acknowledged is not published again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping
from itertools import batched

from gateway.domain.clock import Clock
from gateway.domain.pulse import Beat
from gateway.domain.store import StorageFailed
from gateway.domain.trouble import Trouble
from gateway.mqtt.health import Health
from gateway.mqtt.link import Link
from gateway.mqtt.link_errors import LinkDown, PublishRefused
from gateway.mqtt.outbox import RETRY_S, STORAGE_S

_log = logging.getLogger(__name__)
_AT_ONCE = 20
"""States on their way at once: more would stand before events and answers."""


class Retained:
    """What the broker acknowledged of some topics on this connection."""

    def __init__(self, link: Link, health: Health, clock: Clock, beat: Beat) -> None:
        """Publish over `link`; what the broker refuses is counted in `health`, signs of life go to `beat`."""
        self._link = link
        self._health = health
        self._beat = beat
        self._refused = Trouble(_log, "states_refused", clock.boot)
        self._acknowledged: dict[str, bytes] = {}
        """What stands on the broker, or was refused: that is no more tried on this connection."""
        self._denied: set[str] = set()
        """Topics whose newest content it refused."""

    def forget(self, topics: Iterable[str] | None = None) -> None:
        """Publish these (None: all) again the next time, whatever the broker has."""
        if topics is None:
            # What it refused stays so until it is tried: the trouble is not over with every new connection.
            self._acknowledged.clear()
            return
        for topic in topics:
            self._acknowledged.pop(topic, None)
            self._denied.discard(topic)

    async def put(self, messages: Mapping[str, bytes], *, again: Container[str] = ()) -> set[str]:
        """Publish what the broker does not have yet; return when it has. Raises LinkDown.

        Returns the topics whose content it refused, now or before on this connection. Not those only emptied
        `again`: it took that before, and an access list need not allow what is below a former root.
        """
        new = [
            (topic, content)
            for topic, content in messages.items()
            if self._acknowledged.get(topic) != content
        ]
        for some in batched(new, _AT_ONCE):
            self._beat.on_broker()
            results = await asyncio.gather(
                *(self._put_one(*one, told=one[0] not in again) for one in some), return_exceptions=True
            )
            failure = next((result for result in results if result is not None), None)
            if failure is not None:
                raise failure
        if new and not self._denied:
            self._refused.ends("The broker takes retained states again")
        return self._denied & messages.keys()

    async def _put_one(self, topic: str, content: bytes, *, told: bool) -> None:
        try:
            await self._link.publish(topic, content, retain=True)
        except PublishRefused:
            # Tried again when it changes or on the next connection; until then it would be refused again.
            if told:
                self._health.count("states_refused")
                self._refused.begins("The broker refuses retained states: check its access list")
                self._denied.add(topic)
        else:
            self._denied.discard(topic)
        self._acknowledged[topic] = content


async def keep_publishing(
    link: Link,
    clock: Clock,
    woken: asyncio.Event,
    publish: Callable[[], Awaitable[None]],
    coalesce_s: float,
    beat: Beat,
) -> None:
    """Call `publish` when there is a connection and each time it is woken, until cancelled.

    Wakings within `coalesce_s` seconds are one. After LinkDown or StorageFailed it is tried again.
    """

    async def rest(seconds: float) -> None:
        beat.asleep(seconds)
        await clock.sleep(seconds)

    while True:
        woken.clear()
        beat.idle()
        await link.connected.wait()
        beat.on_broker()
        try:
            await publish()
        except LinkDown:
            await rest(RETRY_S)
        except StorageFailed:
            await rest(STORAGE_S)
        else:
            beat.idle()
            await woken.wait()
            await rest(coalesce_s)
