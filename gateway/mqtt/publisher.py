"""Keeps the retained topics as they should be: what the hub, its locks and their codes look like now."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from gateway.domain.clock import Clock, TimeView
from gateway.domain.pulse import Beat
from gateway.domain.store import LastingFailure, StorageFailed, Store, Tx
from gateway.domain.timing import Timing
from gateway.engine.views import retained_states
from gateway.mqtt.emptied import emptied_lately, remember_emptied, still_kept
from gateway.mqtt.health import Health
from gateway.mqtt.link import Link
from gateway.mqtt.retained import Retained, keep_publishing
from gateway.mqtt.topics import Topics

ONLINE = b'{"state":"online"}'
OFFLINE = b'{"state":"offline"}'
"""The will."""
COALESCE_S = 0.1
"""A lock at work changes many times in a row; that many updates are put into one."""
_EMPTIED = "mqtt.emptied"
_ROOT = "mqtt.root"
_ROOT_OF = "mqtt.root_of"


class News:
    """What one look at the memory found to be published."""

    def __init__(
        self,
        tombstones: list[str],
        states: dict[str, bytes],
        events_waiting: int,
        *,
        emptied: dict[str, datetime],
        seen: Sequence[str],
        damaged: dict[str, str],
    ) -> None:
        """Keep topics below the root; of the locks `seen`, those `damaged` do not open, and why.

        `emptied` topics the broker emptied before, but it may have forgotten that.
        """
        self.emptied = emptied
        self.seen = seen
        self.damaged = damaged
        self.tombstones = tombstones
        self.states = states
        self.events_waiting = events_waiting


class Publisher:
    """Publishes what differs from what the broker acknowledged on this connection, and all on a new one."""

    def __init__(  # noqa: PLR0913 - all that the publisher does not make itself
        self,
        link: Link,
        store: Store,
        topics: Topics,
        health: Health,
        *,
        view: Callable[[], TimeView],
        timing: Timing,
        publish_names: bool,
        info: Mapping[str, Any],
        clock: Clock,
        beat: Beat | None = None,
    ) -> None:
        """Show states as seen at `view()`; `info` is the content of `bridge/info`."""
        self._link = link
        self._store = store
        self._topics = topics
        self._health = health
        self._view = view
        self._timing = timing
        self._publish_names = publish_names
        self._info = msgspec.json.encode(info)
        self._gateway_id = str(info["gateway_id"])
        self._clock = clock
        self._beat = beat or Beat()
        self._everything_due = False
        self._generation = 0
        self._retained = Retained(link, health, clock, self._beat)
        self._dirty: set[str] = set()
        self._health_due = True
        self._woken = asyncio.Event()
        health.changed = self.tell_health

    def told(self, device_id: str) -> None:
        """Look at a lock and its codes again."""
        self._dirty.add(device_id)
        self._woken.set()

    def tell_health(self) -> None:
        """Publish `bridge/health` again; also called after every change of the link."""
        self._health_due = True
        self._woken.set()

    def take_over(self, *, timing: Timing, info: Mapping[str, Any]) -> None:
        """Go by another configuration from now on, and publish all that looks different by it."""
        self._timing = timing
        self._info = msgspec.json.encode(info)
        self._everything_due = True
        self._woken.set()

    async def run(self) -> None:
        """Publish whenever something changed and there is a connection, until cancelled."""
        await keep_publishing(self._link, self._clock, self._woken, self._round, COALESCE_S, self._beat)

    async def _round(self) -> None:
        """Publish all that is new. Raises LinkDown and StorageFailed; what was not done is done next time."""
        generation = self._link.generation
        is_new = generation != self._generation
        if is_new:
            self._retained.forget()
        await self._retained.put({self._topics.bridge_state: ONLINE, self._topics.bridge_info: self._info})
        everything = is_new or self._everything_due
        self._everything_due = False
        dirty, self._dirty = self._dirty, set()
        waiting: int | None = None
        try:
            news = await self._look(None if everything else dirty)
            waiting = news.events_waiting
            self._health.looked_at(news.seen, news.damaged)
            await self._bury(news)
            await self._retained.put(news.states)
            if self._health_due or everything:
                await self._report(waiting)
            # Last: some brokers end the connection over a topic that the hub may not write.
            await self._bury_again(news)
        except StorageFailed as error:
            self._dirty |= dirty
            self._everything_due |= everything
            self._health.storage_failed(error)
            await self._report(waiting)
            raise
        except BaseException:
            self._dirty |= dirty
            self._everything_due |= everything
            raise
        self._generation = generation

    async def _report(self, events_waiting: int | None) -> None:
        """Publish `bridge/health`."""
        self._health_due = False
        report = self._health.report(self._link, events_waiting)
        await self._retained.put({self._topics.bridge_health: msgspec.json.encode(report)})

    async def _look(self, device_ids: set[str] | None) -> News:
        """Read what should be published for these locks (None: for all)."""
        t = self._view()

        def unit(tx: Tx) -> News:
            asked = tx.device_ids() if device_ids is None else sorted(device_ids)
            states: dict[str, bytes] = {}
            damaged: dict[str, str] = {}
            for device_id in asked:
                try:
                    with tx.part():
                        found = self._states(tx, device_id, t)
                except LastingFailure as error:
                    damaged[device_id] = str(error)
                else:
                    states |= found
            waiting = tx.undelivered_count()
            self._leave_former_root(tx, t.at)
            return News(
                list(tx.tombstones()),
                states,
                waiting,
                emptied=emptied_lately(tx, _EMPTIED),
                seen=asked,
                damaged=damaged,
            )

        return await self._store.run(unit)

    def _leave_former_root(self, tx: Tx, at: datetime) -> None:
        """Have codes, which may be shown with names, emptied below the root of before where that was another.

        Only codes: their ids are nobody else's, while another hub may use that root by now. Where the
        gateway's id is another one too this may be a copied card, and the hub of before goes on there.
        """
        former, root = tx.meta(_ROOT), self._topics.root
        if former == root:
            return
        if former is not None and tx.meta(_ROOT_OF) == self._gateway_id:
            gone = tx.tombstones()
            codes = [code_id for device_id in tx.device_ids() for code_id in tx.code_ids(device_id)]
            paths = [*gone, *(f"access_code/{code_id}/state" for code_id in codes)]
            emptied = dict.fromkeys((f"{former}/{path}" for path in paths), at)
            remember_emptied(tx, _EMPTIED, emptied_lately(tx, _EMPTIED) | emptied)
            for path in gone:
                tx.drop_tombstone(path)
        tx.save_meta(_ROOT, root)
        # Not when the id alone changes: under the old one somebody may go on below this root.
        tx.save_meta(_ROOT_OF, self._gateway_id)

    def _states(self, tx: Tx, device_id: str, t: TimeView) -> dict[str, bytes]:
        # How well a lock is reached changes all the time: that alone publishes no state.
        found = retained_states(
            tx, device_id, t, self._timing, publish_names=self._publish_names, radio=self._health.radio
        )
        return {self._topics.below(path): msgspec.json.encode(state) for path, state in found.items()}

    async def _bury(self, news: News) -> None:
        """Empty the topics of what is gone; each is remembered for a day after the broker acknowledged.

        One that it refuses comes again with the next connection, unless it is among the states by now. What
        was remembered for a day is forgotten, before a broker can end the connection over it once more.
        """
        paths = {self._topics.below(path): path for path in news.tombstones}
        refused = await self._retained.put(dict.fromkeys(paths, b"")) - news.states.keys()
        done = paths.keys() - refused
        kept = still_kept(news.emptied, done, self._view().at, used=news.states)
        self._retained.forget(done - kept.keys())

        def unit(tx: Tx) -> None:
            for topic in done:
                tx.drop_tombstone(paths[topic])
            remember_emptied(tx, _EMPTIED, kept)

        if done or kept != news.emptied:
            await self._store.run(unit)

    async def _bury_again(self, news: News) -> None:
        """Empty what the broker emptied before; that whose day is over for the last time."""
        again = news.emptied.keys() - news.states.keys()
        await self._retained.put(dict.fromkeys(again, b""), again=again)
        self._retained.forget(again - still_kept(news.emptied, (), self._view().at).keys())
