"""Puts the parts together. Nothing runs before `Gateway.run`."""

import asyncio
import random
import secrets
import uuid
from collections.abc import Callable, Iterable
from datetime import datetime

from gateway import logs
from gateway.config import Settings, left_out
from gateway.daemon.broker import link_settings
from gateway.daemon.description import bridge_info
from gateway.daemon.drivers import Drivers
from gateway.daemon.homeassistant import discovery, wanted
from gateway.daemon.takeover import restart_needed, usable_now
from gateway.domain.clock import Clock
from gateway.domain.pulse import Beat, Pulse
from gateway.domain.store import StorageFailed, Store, Tx
from gateway.engine.clock_guard import ClockGuard, ClockSettings
from gateway.engine.commands.desk import CommandDesk
from gateway.engine.engine import Engine
from gateway.engine.keyring import StoredKeys
from gateway.engine.turn import Rules
from gateway.engine.work import Chance
from gateway.mqtt.health import ConfigurationState, Health
from gateway.mqtt.homeassistant import HomeAssistant
from gateway.mqtt.intake import Intake
from gateway.mqtt.link import Link
from gateway.mqtt.link_connection import Incoming
from gateway.mqtt.link_log import LinkLog
from gateway.mqtt.link_state import LinkState
from gateway.mqtt.outbox import Outbox
from gateway.mqtt.own_events import OwnEvents
from gateway.mqtt.publisher import Publisher
from gateway.mqtt.topics import Topics
from gateway.schedule import next_audit

_MINUTE_S = 60.0
_DAY_S = 86_400.0


class Gateway:
    """One hub: its engine, its way to the broker and what goes in and out."""

    def __init__(self, settings: Settings, store: Store, clock: Clock, pulse: Pulse | None = None) -> None:
        """Wire together; nothing is read or sent. `pulse` takes the signs of life of all tasks."""
        pulse = pulse or Pulse()
        self.heard: Callable[[str], None] = lambda _device_id: None
        """Called with every lock that has news; whoever wants to know sets it."""
        self._runs = settings
        self._store = store
        self._clock = clock
        topics = Topics(settings.topic_root)
        own_events = OwnEvents(settings.gateway.id, clock.now, _new_id)
        self._guard = ClockGuard(clock, _guarding(settings))
        self._drivers = drivers = Drivers(
            settings, clock, keyring=StoredKeys(store), view=self._guard.view, pulse=pulse
        )
        self._health = Health(clock, drivers.troubles, drivers.radio)
        self.engine = Engine(
            store=store,
            clock=clock,
            guard=self._guard,
            rules=_rules(settings),
            chance=Chance(_new_id, random.random, secrets.randbelow),
            drivers=drivers.by_name,
            policies=settings.policies,
            told=self._told,
            pulse=pulse,
        )
        self.engine.radio = drivers.radio
        self._link_log = LinkLog(clock.boot)
        wish = wanted(settings)
        self._link = Link(
            link_settings(settings.mqtt, settings.gateway.id, topics),
            [topics.requests, *wish.subscriptions],
            self._handle,
            self._link_changed,
            sleep=clock.sleep,
            clock=clock.boot,
            rng=random.Random(),  # noqa: S311 - spreads reconnecting, nothing more
            beat=pulse.beat("link"),
        )
        self._intake = Intake(
            self._link,
            CommandDesk(self.engine, self._told),
            store,
            topics,
            self._health,
            own_events=own_events,
            max_payload_bytes=settings.mqtt.max_payload_bytes,
            clock=clock.boot,
        )
        self._outbox = Outbox(
            self._link,
            store,
            topics,
            self._health,
            own_events=own_events,
            limit=settings.mqtt.outbox_limit,
            clock=clock,
            beat=pulse.beat("outbox"),
        )
        self._publisher = Publisher(
            self._link,
            store,
            topics,
            self._health,
            view=self._guard.view,
            timing=settings.timing,
            publish_names=settings.mqtt.publish_names,
            info=bridge_info(settings),
            clock=clock,
            beat=pulse.beat("publisher"),
        )
        self._homeassistant = HomeAssistant(
            self._link,
            store,
            self._health,
            discovery(settings, topics),
            wish,
            view=self._guard.view,
            timing=settings.timing,
            clock=clock,
            rng=random.Random(),  # noqa: S311 - spreads what is told again, nothing more
            beat=pulse.beat("Home Assistant"),
        )
        self._minute, self._day = pulse.beat("every minute"), pulse.beat("every day")

    @property
    def link_state(self) -> LinkState:
        """How the link to the broker is."""
        return self._link.state

    async def take_over(self, read: Settings, beat: Beat | None = None) -> ConfigurationState:
        """Go by another configuration, as far as that is possible while everything runs; say how far.

        The link to the broker stands meanwhile, and so does whatever reaches locks whose settings did not
        change. What cannot be taken over at the moment is refused as a whole, and so is a configuration
        without a lock that has codes. `beat` takes the signs of life while the database is waited for.
        """
        settings, now = usable_now(self._runs, read), self._guard.view().at
        try:
            missing = await self._store.run(lambda tx: left_out(read, tx, now))
        except StorageFailed as error:
            return self.refuse([f"whether a lock is missing that has codes cannot be looked up: {error}"])
        if missing:
            return self.refuse(map(str, missing))
        try:
            others = self._drivers.changed(settings)
        except Exception as error:  # noqa: BLE001 - what runs must not fall over what was meant to replace it
            return self.refuse([f"a driver could not be made: {logs.place(error)}"])
        hindrance = self.engine.hindrance(others.by_name, settings.policies)
        if hindrance is not None:
            return self.refuse([hindrance])
        self._runs = settings
        self._guard.follow(_guarding(settings))
        await self.engine.take_over(
            rules=_rules(settings), drivers=others.by_name, policies=settings.policies, beat=beat
        )
        self._drivers.use(others)
        self._publisher.take_over(timing=settings.timing, info=bridge_info(settings))
        self._homeassistant.take_over(settings.timing)
        state = ConfigurationState(restart_needed=restart_needed(settings, read))
        self._health.configuration(state)
        return state

    def refuse(self, mistakes: Iterable[str]) -> ConfigurationState:
        """Tell that a configuration was read again and cannot be used; the one before goes on."""
        state = ConfigurationState(mistakes=tuple(mistakes))
        self._health.configuration(state)
        return state

    async def run(self) -> None:
        """Run everything until cancelled; the engine must have been started."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._link.run(), name="link")
            group.create_task(self.engine.run(), name="engine")
            group.create_task(self._outbox.run(), name="outbox")
            group.create_task(self._publisher.run(), name="publisher")
            group.create_task(self._homeassistant.run(), name="Home Assistant")
            group.create_task(self._every_minute(), name="every minute")
            group.create_task(self._every_day(), name="every day")

    async def _every_minute(self) -> None:
        """Make room in the outbox and among the replies, and tell how the hub is."""
        while True:
            self._minute.on_memory()
            try:
                await self._outbox.trim()
                await self._intake.trim()
                if self._health.storage_fails:
                    # Nobody may have anything to store for hours.
                    await self._store.run(lambda tx: tx.save_meta("last_tried", str(self._guard.view().now)))
                    self._health.stored()
            except StorageFailed as error:
                self._health.storage_failed(error)
            # Whatever was stored without telling is noticed here at the latest.
            self._outbox.wake()
            self._publisher.tell_health()
            self._homeassistant.look()
            self._link_log.look()
            self._minute.asleep(_MINUTE_S)
            await self._clock.sleep(_MINUTE_S)

    async def _every_day(self) -> None:
        """Drop what is older than its retention, by a time that is certain."""
        while True:
            view = self._guard.view()
            # A jump that nobody has confirmed makes nothing old.
            certain = view.floor if view.step is not None else view.at
            self._day.on_memory()
            try:
                await self._store.run(self._pruning(certain))
            except StorageFailed as error:
                self._health.storage_failed(error)
            self._day.asleep(_DAY_S)
            await self._clock.sleep(_DAY_S)

    def _pruning(self, now: datetime) -> Callable[[Tx], None]:
        replies_before = now - self._runs.timing.command_retention
        events_before = now - self._runs.timing.event_retention
        return lambda tx: tx.prune(replies_before=replies_before, events_before=events_before)

    async def _handle(self, message: Incoming) -> None:
        if self._homeassistant.listens_to(message.topic):
            self._homeassistant.heard(message.payload)
            return
        await self._intake.handle(message)
        # A command may leave an event that belongs to no lock.
        self._outbox.wake()

    def _told(self, device_id: str) -> None:
        self._publisher.told(device_id)
        self._homeassistant.told(device_id)
        self._outbox.wake()
        self.heard(device_id)

    def _link_changed(self, state: LinkState) -> None:
        self._link_log.changed(state, self._link.failed)
        self._publisher.tell_health()
        self._homeassistant.look()


def _guarding(settings: Settings) -> ClockSettings:
    return ClockSettings(untrusted_policy=settings.clock.untrusted_policy, step=settings.clock.step)


def _rules(settings: Settings) -> Rules:
    zone = settings.gateway.time_zone
    return Rules(
        timing=settings.timing,
        removals_after_step=settings.clock.removals_after_step,
        next_audit=lambda cron, now: next_audit(cron, now, zone),
        time_zone=str(zone),
    )


def _new_id() -> str:
    return str(uuid.uuid4())
