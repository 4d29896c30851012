"""Tells Home Assistant what there is, and takes back what is not there any more.

Which retained topics were published for it is remembered in the database before they are: whatever happens to
the hub, the configuration or the lock meanwhile, what should be gone is emptied at the next connection.
"""

import asyncio
import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from gateway.domain.clock import Clock, TimeView
from gateway.domain.events import StoredEvent
from gateway.domain.lock import Device
from gateway.domain.pulse import Beat
from gateway.domain.store import LastingFailure, StorageFailed, Store, Tx
from gateway.domain.timing import Timing
from gateway.engine.views import retained_states
from gateway.mqtt.emptied import emptied_lately, remember_emptied, still_kept
from gateway.mqtt.health import Health
from gateway.mqtt.homeassistant_payloads import Discovery
from gateway.mqtt.homeassistant_states import ERRORS, USES, LockNews, hub_state, lock_news
from gateway.mqtt.link import Link
from gateway.mqtt.retained import Retained, keep_publishing

COALESCE_S = 0.3
"""A lock at work changes many times in a row; that many updates are put into one."""
BIRTH_S = (1.0, 5.0)
"""Within these seconds of Home Assistant's start everything is told again: not by all devices at once."""
_REMEMBERED = "homeassistant.topics"
_EMPTIED = "homeassistant.emptied"


class Wish(Struct, frozen=True, kw_only=True):
    """How it is wanted. `drivers` are all that there may be, used or not."""

    enabled: bool
    status_topic: str
    arrival_notice: timedelta
    publish_names: bool
    drivers: tuple[str, ...]

    @property
    def subscriptions(self) -> list[str]:
        """Return the topics that are to be handed to `heard`."""
        return [self.status_topic] if self.enabled else []


class _Look(Struct, frozen=True, kw_only=True):
    """What one look at the memory found. `stale` topics were published once and are not wanted now.

    `emptied` ones the broker emptied before, but it may have forgotten that.
    """

    devices: Sequence[Device]
    unread: Collection[str]
    """Locks that do not open in memory."""
    news: Mapping[str, LockNews]
    stale: Sequence[str]
    emptied: Mapping[str, datetime]


class HomeAssistant:
    """Keeps discovery and the values behind it equal to what is; with `enabled` off only cleans up."""

    def __init__(  # noqa: PLR0913 - all that it does not make itself
        self,
        link: Link,
        store: Store,
        health: Health,
        discovery: Discovery,
        wish: Wish,
        *,
        view: Callable[[], TimeView],
        timing: Timing,
        clock: Clock,
        rng: random.Random,
        beat: Beat | None = None,
    ) -> None:
        """Show states as seen at `view()`; `rng` spreads what is told again after a start."""
        self._link = link
        self._store = store
        self._health = health
        self._discovery = discovery
        self._wish = wish
        self._view = view
        self._timing = timing
        self._clock = clock
        self._rng = rng
        self._beat = beat or Beat()
        self._retained = Retained(link, health, clock, self._beat)
        self._generation = 0
        self._news: dict[str, LockNews] = {}
        self._dirty: set[str] = set()
        self._all_due = False
        self._is_clean = True
        """Whether nothing is left that the broker refused to take back, or may bring back."""
        self._woken = asyncio.Event()

    def listens_to(self, topic: str) -> bool:
        """Say whether a message is for `heard`, also one that an earlier subscription still brings."""
        return topic == self._wish.status_topic

    def heard(self, payload: bytes) -> None:
        """Take what Home Assistant says of itself: when it begins, it wants to be told everything."""
        if payload == b"online":
            self._all_due = True
            self.look()

    def take_over(self, timing: Timing) -> None:
        """Go by other times from now on, and look at everything again."""
        self._timing = timing
        self._all_due = True
        self.look()

    def told(self, device_id: str) -> None:
        """Look at a lock again."""
        self._dirty.add(device_id)
        self.look()

    def look(self) -> None:
        """Look at what time or the connection may have changed; to be called every minute too."""
        if self._wish.enabled or not self._is_clean:
            self._woken.set()

    async def run(self) -> None:
        """Publish whenever something changed and there is a connection, until cancelled."""
        await keep_publishing(self._link, self._clock, self._woken, self._round, COALESCE_S, self._beat)

    async def _round(self) -> None:
        """Publish all that is new. Raises LinkDown and StorageFailed; what was not done is done next time."""
        if self._all_due:
            pause = self._rng.uniform(*BIRTH_S)
            self._beat.asleep(pause)
            await self._clock.sleep(pause)
            self._beat.on_broker()
        generation, born = self._link.generation, self._all_due
        everything = born or generation != self._generation
        if everything:
            self._retained.forget()
        dirty, self._dirty = self._dirty, set()
        t = self._view()
        try:
            look = await self._look(t, None if everything else dirty)
            await self._empty(look, t)
            self._news = {
                device_id: news
                for device_id in (*(device.device_id for device in look.devices), *look.unread)
                if (news := look.news.get(device_id, self._news.get(device_id))) is not None
            }
            if self._wish.enabled:
                await self._retained.put(self._values(look.devices, t))
                await self._retained.put(self._discoveries(look.devices))
        except StorageFailed as error:
            self._dirty |= dirty
            self._health.storage_failed(error)
            raise
        except BaseException:
            self._dirty |= dirty
            raise
        self._generation = generation
        # Whoever is born while this goes on is told everything once more.
        self._all_due = self._all_due and not born

    async def _look(self, t: TimeView, dirty: Collection[str] | None) -> _Look:
        """Read these locks (None: all) and those whose time has come; remember what will be published."""
        known = dict(self._news)

        def unit(tx: Tx) -> _Look:
            remembered, emptied = _remembered(tx), emptied_lately(tx, _EMPTIED)
            if not self._wish.enabled:
                return _Look(devices=(), unread=(), news={}, stale=sorted(remembered), emptied=emptied)
            devices: list[Device] = []
            unread: list[str] = []
            news: dict[str, LockNews] = {}
            wanted = {self._discovery.hub_topic, self._discovery.hub_state_topic}
            for device_id in tx.device_ids():
                try:
                    with tx.part():
                        device = tx.device(device_id)
                        if dirty is None or device_id in dirty or _is_due(known.get(device_id), t.at):
                            news[device_id] = self._news_of(tx, device_id, t)
                except LastingFailure:
                    # It stays as it was told last: Home Assistant would forget it and how people named it.
                    unread.append(device_id)
                    wanted |= remembered & self._topics_of(device_id)
                else:
                    devices += [device] if device is not None else []
            wanted |= self._wanted(devices)
            if not wanted <= remembered:
                _remember(tx, remembered | wanted)
            if not wanted.isdisjoint(emptied):
                emptied = {topic: when for topic, when in emptied.items() if topic not in wanted}
                remember_emptied(tx, _EMPTIED, emptied)
            stale = sorted(remembered - wanted)
            return _Look(devices=devices, unread=unread, news=news, stale=stale, emptied=emptied)

        return await self._store.run(unit)

    def _news_of(self, tx: Tx, device_id: str, t: TimeView) -> LockNews:
        states = retained_states(tx, device_id, t, self._timing, publish_names=True, radio=self._health.radio)
        return lock_news(
            states.values(),
            [*_newest(tx, device_id, USES), *_newest(tx, device_id, ERRORS)],
            t.at,
            arrival_notice=self._wish.arrival_notice,
            publish_names=self._wish.publish_names,
        )

    def _wanted(self, devices: Iterable[Device]) -> set[str]:
        return {
            topic
            for device in devices
            if device.policy is not None
            for topic in self._topics_of(device.device_id)
        }

    def _topics_of(self, device_id: str) -> set[str]:
        return {self._discovery.lock_topic(device_id), self._discovery.lock_state_topic(device_id)}

    async def _empty(self, look: _Look, t: TimeView) -> None:
        """Take back topics, discovery first: entities go before they could see their values vanish.

        What the broker refuses to empty stays remembered, for the next connection.
        """
        refused = set[str]()
        going = [*look.stale, *look.emptied]
        for topics in (
            [topic for topic in going if topic.endswith("/config")],
            [topic for topic in going if not topic.endswith("/config")],
        ):
            refused |= await self._retained.put(dict.fromkeys(topics, b""), again=look.emptied)
        done = set(look.stale) - refused
        kept = still_kept(look.emptied, done, t.at)
        self._is_clean = not refused and not kept
        self._retained.forget(look.emptied.keys() - kept.keys())

        def unit(tx: Tx) -> None:
            _remember(tx, _remembered(tx) - done)
            remember_emptied(tx, _EMPTIED, kept)

        if done or kept != look.emptied:
            await self._store.run(unit)

    def _values(self, devices: Sequence[Device], t: TimeView) -> dict[str, bytes]:
        it = self._discovery
        values = {it.hub_state_topic: msgspec.json.encode(hub_state(devices, self._news, t))}
        for device in devices:
            if device.policy is not None:
                state = self._news[device.device_id].state
                values[it.lock_state_topic(device.device_id)] = msgspec.json.encode(state)
        return values

    def _discoveries(self, devices: Sequence[Device]) -> dict[str, bytes]:
        it = self._discovery
        drivers = {device.policy.driver for device in devices if device.policy is not None}
        found = {it.hub_topic: it.hub(drivers, self._wish.drivers)}
        for device in devices:
            if device.policy is not None:
                found[it.lock_topic(device.device_id)] = it.lock(self._news[device.device_id].shown)
        return {topic: msgspec.json.encode(payload) for topic, payload in found.items()}


def _is_due(news: LockNews | None, at: datetime) -> bool:
    return news is None or (news.look_again is not None and news.look_again <= at)


def _newest(tx: Tx, device_id: str, event_types: Collection[str]) -> Sequence[StoredEvent]:
    return tx.events(device_ids={device_id}, event_types=event_types, limit=1)


def _remembered(tx: Tx) -> set[str]:
    return msgspec.json.decode(tx.meta(_REMEMBERED) or "[]", type=set[str])


def _remember(tx: Tx, topics: Collection[str]) -> None:
    tx.save_meta(_REMEMBERED, msgspec.json.encode(sorted(topics)).decode())
