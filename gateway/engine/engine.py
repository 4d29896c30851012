"""Holds the workers together: takes what drivers see, wakes whom it concerns."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from gateway.domain.clock import Clock
from gateway.domain.driver import AuthorityLost, AuthorityUp, Driver, LockEvent
from gateway.domain.lock import Device, Link, LockPolicy
from gateway.domain.pulse import Beat, Pulse
from gateway.domain.store import LastingFailure, StorageFailed, Store, Tx, spared
from gateway.domain.trouble import Trouble
from gateway.engine.clock_guard import ClockGuard
from gateway.engine.crew import Crew
from gateway.engine.doubt import doubt
from gateway.engine.lock_views import RadioOf, no_radio
from gateway.engine.observations import absorb_event
from gateway.engine.pairing import Pairings, end_interrupted
from gateway.engine.rebase import rebase
from gateway.engine.turn import Rules
from gateway.engine.work import Chance, Work
from gateway.engine.worker import STORAGE_PAUSE_S, Shop

_log = logging.getLogger(__name__)


class Engine:
    """The locks of this hub and the drivers that reach them. It is the drivers' `EventSink`."""

    def __init__(  # noqa: PLR0913 - what the engine does not make itself
        self,
        *,
        store: Store,
        clock: Clock,
        guard: ClockGuard,
        rules: Rules,
        chance: Chance,
        drivers: Mapping[str, Driver],
        policies: Mapping[str, LockPolicy],
        told: Callable[[str], None],
        clock_period: float = 1.0,
        pulse: Pulse | None = None,
    ) -> None:
        """Wire together.

        `drivers` by name, `policies` by device id; `told` hears of every lock with news; `clock_period` is
        the number of seconds between two looks at the clock; `pulse` takes the tasks' signs of life.
        """
        self.radio: RadioOf = no_radio
        """How well a lock is reached; whoever makes drivers that tell it sets it."""
        self._clock_period = clock_period
        self.shop = Shop(store, clock, guard, rules, chance)
        self._drivers = drivers
        self._policies = policies
        self._told = told
        pulse = pulse or Pulse()
        self._beat = pulse.beat("clock")
        self._crew = Crew(self.shop, told, self, pulse)
        self._group: asyncio.TaskGroup | None = None
        self.pairings = Pairings(self.shop, told, self.wake, _by_lock(drivers, policies), pulse)

    async def start(self) -> None:
        """Bring memory in line with the configuration. The locks count as away until their driver tells.

        One that does not open in memory is left as it is.
        """
        now = self.shop.guard.view().now

        def unit(tx: Tx) -> None:
            self.shop.guard.load(tx)
            for device_id in sorted({*tx.device_ids(), *self._policies}):
                with spared(tx):
                    device = tx.device(device_id) or Device(device_id=device_id, policy=None)
                    device = replace(device, is_paired=self._is_paired(tx, device_id))
                    tx.save_device(_configured(device, self._policies.get(device_id), now))
                with spared(tx):
                    self._end_cut_off(tx, device_id, now)
                with spared(tx):
                    _drop_keys_of_retired(tx, device_id)

        await self.shop.store.run(unit)
        self._crew.hire(_by_lock(self._drivers, self._policies))
        for device_id in await self._orphans():
            with suppress(LastingFailure):
                await self.shop.turn(device_id)
            self._told(device_id)

    def _end_cut_off(self, tx: Tx, device_id: str, now: datetime) -> None:
        """End a pairing that a restart cut off and doubt what the lock holds: both, or neither."""
        if not end_interrupted(tx, device_id, now, self.shop.chance.new_id):
            return
        snap = tx.snapshot(device_id)
        if snap is not None:
            work = Work(snap, self.shop.guard.view(), self.shop.rules.timing, self.shop.chance)
            rebase(work)
            doubt(work)
            work.save(tx)

    async def run(self) -> None:
        """Run drivers, workers and the watch over the clock until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._crew.start(group, self._drivers.values())
            group.create_task(self.pairings.run(), name="pairing")
            group.create_task(
                self.shop.guard.watch(self._clock_period, self.wake_all, self._beat), name="clock"
            )

    async def planned(self) -> None:
        """Wait until the first plan of every lock was made, or could not be."""
        for worker in self._crew:
            await worker.planned.wait()

    def hindrance(self, drivers: Mapping[str, Driver], policies: Mapping[str, LockPolicy]) -> str | None:
        """Return in words why these cannot be taken over at the moment; None where nothing is in the way."""
        wanted = _by_lock(drivers, policies)
        for device_id in sorted(self.pairings.under_way):
            worker = self._crew.worker(device_id)
            if worker is not None and wanted.get(device_id) is not worker.driver:
                return f"the lock {device_id} is being paired; reload again when that has ended"
        return None

    async def take_over(
        self,
        *,
        rules: Rules,
        drivers: Mapping[str, Driver],
        policies: Mapping[str, LockPolicy],
        beat: Beat | None = None,
    ) -> None:
        """Go by another configuration, while `run` runs.

        Locks that keep their driver notice nothing but their new policy. The others end the operation in
        hand; then they are as after a start. `beat` takes the signs of life while the database is waited for.
        """
        beat = beat or Beat()
        if self._group is None:
            raise RuntimeError("nothing runs yet")
        wanted = _by_lock(drivers, policies)
        await self._crew.dismiss(wanted)
        self.shop.rules, self._drivers, self._policies = rules, drivers, policies
        self.pairings.reach_through(wanted)
        concerned = await self._once_stored(self._reconfigure, beat)
        self._crew.hire(wanted)
        self._crew.start(self._group, drivers.values())
        for device_id in concerned:
            with suppress(LastingFailure):
                await self._once_stored(partial(self.shop.turn, device_id), beat)
            self._told(device_id)
        self.wake_all()

    async def _reconfigure(self) -> list[str]:
        """Bring memory in line with another configuration; return the locks that are not as before."""
        now = self.shop.guard.view().now

        def unit(tx: Tx) -> list[str]:
            concerned = []
            for device_id in sorted({*tx.device_ids(), *self._policies}):
                with spared(tx):
                    known, policy = tx.device(device_id), self._policies.get(device_id)
                    device = known or Device(device_id=device_id, policy=None)
                    if device_id in self._crew:
                        changed = _with_policy(device, policy)
                    elif policy is None and device.policy is None:
                        continue
                    else:
                        is_paired = self._is_paired(tx, device_id)
                        changed = replace(_configured(device, policy, now), is_paired=is_paired)
                    if changed != known:
                        tx.save_device(changed)
                        concerned.append(device_id)
                with spared(tx):
                    _drop_keys_of_retired(tx, device_id)
            return concerned

        return await self.shop.store.run(unit)

    async def _once_stored[T](self, attempt: Callable[[], Awaitable[T]], beat: Beat) -> T:
        """Carry out a part of taking over; a disk that is full or busy makes it wait."""
        waits = Trouble(_log, "configuration_waits", self.shop.clock.boot, level=logging.ERROR)
        while True:
            beat.on_memory()
            try:
                done = await attempt()
            except LastingFailure:
                raise
            except StorageFailed as error:
                waits.begins(f"The new configuration waits for the database: {error}")
                beat.asleep(STORAGE_PAUSE_S)
                await self.shop.clock.sleep(STORAGE_PAUSE_S)
            else:
                waits.ends("The new configuration is stored")
                return done

    def _is_paired(self, tx: Tx, device_id: str) -> bool | None:
        """Say whether there are keys for a lock; None for one that needs none."""
        if not self.pairings.concerns(device_id):
            return None
        try:
            return tx.secret(device_id) is not None
        except LastingFailure:
            return False  # They are lost, and to pair it anew is all that helps.

    async def handle(self, event: LockEvent) -> None:
        """Store what a driver saw and wake the lock's worker; durable on return.

        Raises StorageFailed, and then it is to be handed over again: whether a server is there may be told
        twice to a lock, everything else concerns one lock only. One that does not open keeps no other from
        hearing of it.
        """
        if isinstance(event, AuthorityUp | AuthorityLost):
            device_ids = event.device_ids
        else:
            device_ids = (event.device_id,)

        def absorb(work: Work) -> None:
            absorb_event(work, event)

        lasting: LastingFailure | None = None
        for device_id in device_ids:
            try:
                await self.shop.turn(device_id, absorb=absorb)
            except LastingFailure as error:
                lasting = error
            self._told(device_id)
            self.wake(device_id)
        if lasting is not None:
            raise lasting

    def wake(self, device_id: str) -> None:
        """Have a lock looked at now."""
        worker = self._crew.worker(device_id)
        if worker is not None:
            worker.wake()

    def wake_all(self) -> None:
        """Have every lock looked at now."""
        for worker in self._crew:
            worker.wake()

    async def _orphans(self) -> list[str]:
        """Return the locks that are remembered and no longer configured."""
        known = await self.shop.store.run(lambda tx: tx.device_ids())
        return [device_id for device_id in known if device_id not in self._policies]


def _drop_keys_of_retired(tx: Tx, device_id: str) -> None:
    """Forget the keys of a lock that was given away: retired, empty, and no longer configured.

    Until then they are needed, to take codes off it or to unpair it.
    """
    device = tx.device(device_id)
    if device is None or device.policy is not None or not device.retiring:
        return
    snap = tx.snapshot(device_id)
    if snap is not None and not any(snap.may_hold(code_id) for code_id in snap.codes):
        tx.drop_secret(device_id)


def _configured(device: Device, policy: LockPolicy | None, now: datetime) -> Device:
    """Return the lock as a fresh start finds it: configured so, and away until its driver tells.

    What was away before is away since then: nothing was heard of it meanwhile.
    """
    return replace(
        _with_policy(device, policy),
        link=device.link if device.link is Link.UNREACHABLE else Link.UNKNOWN,
        authority_lost_at=(device.authority_lost_at or now) if policy is not None else None,
        unseen_since=now if device.capabilities is not None else None,
        retry_at=None,
        # Nobody could look meanwhile: the time to prove or drop the suspicion begins anew.
        wipe_suspected_at=now if device.wipe_suspected_at is not None else None,
    )


def _with_policy(device: Device, policy: LockPolicy | None) -> Device:
    changed_audit = device.policy is None or policy is None or device.policy.audit != policy.audit
    return replace(device, policy=policy, audit_at=None if changed_audit else device.audit_at)


def _by_lock(drivers: Mapping[str, Driver], policies: Mapping[str, LockPolicy]) -> dict[str, Driver]:
    return {device_id: drivers[policy.driver] for device_id, policy in policies.items()}
