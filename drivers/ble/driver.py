"""The Bluetooth driver: the contract of `gateway.domain.driver` for the locks of all families."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import partial
from random import Random
from typing import NoReturn, override

from bleak.backends.device import BLEDevice

from drivers.ble.adapter import Adapter
from drivers.ble.background import Background
from drivers.ble.errands import Errands
from drivers.ble.family import Advert, Configured, LockSession, Unfinished
from drivers.ble.feed import Feed
from drivers.ble.giving_way import giving_way
from drivers.ble.guarded import GuardedSession
from drivers.ble.hold import KeysRefused
from drivers.ble.keys import UNSAVED, Keys
from drivers.ble.link import BROKEN_LINK, hang_up
from drivers.ble.lock import BleLock, Health
from drivers.ble.pairing import pairing_scan
from drivers.ble.settings import BleSettings
from drivers.ble.visit import Visit
from drivers.ble.waiting import within
from gateway.domain.clock import Clock
from gateway.domain.driver import (
    KEEP_KEYS,
    AuthorityDown,
    AuthorityLost,
    AuthorityUp,
    Driver,
    DriverError,
    EventSink,
    LockAlive,
    LockAsleep,
    LockDead,
    LockUnreachable,
    NoAnswer,
    PairingFailed,
    Progress,
    Refused,
    Session,
)
from gateway.domain.keyring import Keyring
from gateway.domain.placement import Refusal
from gateway.domain.pulse import Pulse
from gateway.domain.quiet import quieten
from gateway.domain.store import StorageFailed
from gateway.domain.trouble import about

_LOG = logging.getLogger(__name__)
_NAME = "driver ble"
"""Under which the signs of life are known."""
_TALKATIVE = ("bleak", "bleak_retry_connector", "yalexs_ble", "dbus_fast")
"""Third-party loggers that write frames, some of them decrypted, at DEBUG."""
LOG_TIMEOUT_S = 300.0
"""For reading a whole log, in which each record is stored before the next is asked for."""
SILENCE_CHECK_S = 30.0
"""Between looks at which locks are not heard any more."""
LONGEST_WAIT_S = 3600.0


class BleDriver(Driver):
    """The Bluetooth locks of one adapter."""

    def __init__(
        self,
        settings: BleSettings,
        locks: Mapping[str, Configured],
        *,
        clock: Clock,
        random: Random,
        keyring: Keyring,
        pulse: Pulse | None = None,
    ) -> None:
        """Know the locks by device id; keys are loaded and the adapter is looked for by `run`.

        `random` spreads attempts, `pulse` takes the signs of life.
        """
        self._settings = settings
        self._clock = clock
        self._pulse = pulse or Pulse()
        self._feed = Feed(clock)
        self._passing = Background()
        self._adapter = Adapter(
            settings,
            clock,
            random,
            up=self._up,
            down=self._down,
            unheard=self._unheard,
            beat=self._pulse.beat(_NAME),
        )
        self._locks = {
            name: BleLock(
                name,
                configured,
                settings,
                clock,
                Errands(clock, random, settings.log_every_s),
                self._feed.put,
            )
            for name, configured in locks.items()
        }
        self._keys = Keys(self._locks, keyring)

    @property
    def problems(self) -> Mapping[str, str]:
        """Return, by device id, why a lock is not managed at the moment, in words for people."""
        found = {
            name: lock.problem
            or (UNSAVED if lock.unsaved is not None else None)
            or (lock.family.trouble() if lock.family is not None else None)
            for name, lock in self._locks.items()
        }
        return {name: problem for name, problem in found.items() if problem is not None}

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what should be looked at but stops nothing, in words for people."""
        trouble = self._adapter.trouble
        return () if trouble is None else (f"there is no Bluetooth: {trouble}",)

    @property
    def health(self) -> Mapping[str, Health]:
        """Return, by device id, how well each lock is reached."""
        return {name: lock.health for name, lock in self._locks.items()}

    @override
    async def run(self, sink: EventSink) -> None:
        quieten(*_TALKATIVE)
        for lock in self._locks.values():
            await self._keys.load(lock)
        known = [lock.family.address for lock in self._locks.values() if lock.family is not None]
        await asyncio.gather(*map(hang_up, known))
        with self._pulse.beating(f"{_NAME} feed") as beat:
            async with asyncio.TaskGroup() as last:
                # Ends behind all who read logs: some locks have let go of what is on its way to the engine.
                feeding = last.create_task(self._feed.run(sink, beat))
                try:
                    with self._adapter.heard_by(self._heard):
                        async with asyncio.TaskGroup() as tasks:
                            tasks.create_task(self._adapter.run())
                            tasks.create_task(self._mind_silence())
                            for lock in self._locks.values():
                                tasks.create_task(self._attend(lock))
                finally:
                    await self._passing.end()
                    for lock in self._locks.values():
                        if lock.visit is not None:
                            await lock.visit.give_up()
                    feeding.cancel()

    @override
    @asynccontextmanager
    async def session(self, device_id: str) -> AsyncIterator[Session]:
        lock = self._locks.get(device_id)
        if lock is None:
            raise LockUnreachable("no such lock is configured")
        if lock.is_pairing:
            raise LockUnreachable("the lock is being paired")
        async with AsyncExitStack() as held:
            visit, guarded = await self._connected(lock, held)
            with closing(guarded):
                yield guarded
            if lock.errands.wants_something and not visit.broken:
                # Whoever had the session does not wait for this: a code that ends meanwhile must go.
                self._passing.create(self._in_passing(lock, visit, held.pop_all()))

    async def _connected(self, lock: BleLock, held: AsyncExitStack) -> tuple[Visit, GuardedSession]:
        """Return a connection with a session on it, ours for as long as `held` is open."""
        await held.enter_async_context(lock.turn)
        # What was left undone in it is due anew; connecting may have taken back what would tell of it.
        held.callback(lock.woken.set)
        await self._keys.save(lock)  # Before its family stores what it learns in this connection.
        visit = await self._visit(lock)
        held.callback(_leave, lock, visit)
        session = await self._opened(lock, visit)
        return visit, GuardedSession(session, visit, self._settings.operation_timeout_s)

    async def _in_passing(self, lock: BleLock, visit: Visit, held: AsyncExitStack) -> None:
        """Do what is due in a connection that somebody has left, for as long as nobody wants it."""
        async with held:
            await self._run_errands(lock, visit)

    async def pair(self, device_id: str, given: Mapping[str, str], progress: Progress) -> None:
        """Pair with a configured lock and manage it from now on; `given` is what its family asks for.

        Raises PairingFailed, or another DriverError when the lock stops answering.
        """
        lock = self._locks.get(device_id)
        if lock is None:
            raise PairingFailed("no such lock is configured")
        async with self._set_aside(lock):
            await self._end_visit(lock)
            await self._keys.save(lock)
            if KEEP_KEYS in given and lock.unsaved is not None:
                # Kept would be those before them.
                raise PairingFailed(f"{UNSAVED}. Give this again then")
            async with pairing_scan(self._adapter, self._clock, partial(self._keys.other_at, lock)) as scan:
                try:
                    address, secret = await lock.configured.pair(given, scan, progress)
                except BROKEN_LINK:
                    raise PairingFailed("the connection to the lock broke") from None
                except Unfinished as part:
                    await self._keys.take(lock, part.address, part.secret)
                    raise
            await self._keys.take(lock, address, secret)

    @asynccontextmanager
    async def _set_aside(self, lock: BleLock) -> AsyncIterator[None]:
        """Keep everybody else from a lock; afterwards end the waiting of those who were turned away."""
        async with lock.turn:
            lock.is_pairing = True
            try:
                yield
            finally:
                lock.is_pairing = False
                if lock.in_reach:
                    self._feed.put(LockAlive(device_id=lock.device_id))

    def ask_again(self, device_id: str) -> None:
        """Try again, at once, what a lock refused; one that is not paired has refused nothing."""
        lock = self._locks.get(device_id)
        if lock is not None and lock.family is not None:
            lock.family.ask_again()
            lock.errands.ask_again()
            lock.woken.set()

    async def unpair(self, device_id: str) -> None:
        """Forget the keys of a lock. The lock itself still knows them."""
        lock = self._locks.get(device_id)
        if lock is None:
            raise PairingFailed("no such lock is configured")
        async with lock.turn:
            await self._end_visit(lock)
            await self._keys.forget(lock)
            self._feed.put(LockDead(device_id=device_id))

    async def _visit(self, lock: BleLock) -> Visit:
        """Return a connection that is ours, the one that still stands or a new one."""
        if not self._adapter.up:
            raise AuthorityDown(f"there is no Bluetooth: {self._adapter.trouble}")
        if lock.problem is not None:
            raise LockUnreachable(lock.problem)
        if lock.visit is not None and lock.visit.take():
            return lock.visit
        await self._come_into_reach(lock)
        lock.visit = Visit(
            self._adapter.turn,
            lambda: self._open(lock),
            self._clock,
            connect_s=self._settings.connect_timeout_s,
            idle_s=self._settings.idle_s,
        )
        return lock.visit

    async def _come_into_reach(self, lock: BleLock) -> None:
        lock.check()
        if lock.in_reach:
            return
        if lock.sleeps:
            raise LockAsleep("the lock listens only when it is touched")
        if not await within(lock.heard, self._settings.find_timeout_s, self._clock):
            raise LockUnreachable("the lock is not heard")

    async def _opened(self, lock: BleLock, visit: Visit) -> LockSession:
        """Return the session once it stands; say rightly whose fault it is if it does not."""
        try:
            return await visit.session()
        except KeysRefused as refusal:
            # It was reached: its words are what helps, "check the batteries" is not.
            held_off = None if lock.family is None else lock.family.held_off()
            raise Refused(Refusal.OTHER, held_off or str(refusal)) from None
        except NoAnswer:
            lock.broke()
            raise
        except LockUnreachable:
            trouble = await self._adapter.absence()
            if trouble is not None:
                self._adapter.look()
                raise AuthorityDown(f"there is no Bluetooth: {trouble}") from None
            if lock.sleeps and not lock.in_reach:
                raise LockAsleep("the lock fell asleep before it was reached") from None
            lock.broke()
            raise

    @asynccontextmanager
    async def _open(self, lock: BleLock) -> AsyncIterator[LockSession]:
        if not self._adapter.up:
            raise AuthorityDown(f"there is no Bluetooth: {self._adapter.trouble}")
        if lock.family is None or lock.device is None:
            raise LockUnreachable(lock.problem or "the lock is not heard")
        lock.tried += 1
        async with lock.family.open(lock.device) as session:
            lock.connected()
            yield session

    async def _end_visit(self, lock: BleLock) -> None:
        if lock.visit is not None:
            await lock.visit.end()

    async def _run_errands(self, lock: BleLock, visit: Visit) -> None:
        """Do in this connection what is due; failures are no business of whoever asked for the session."""
        session = await visit.session()
        guarded = GuardedSession(session, visit, self._settings.operation_timeout_s)
        try:
            if lock.errands.wants_description:
                await self._describe(lock, session, guarded)
            if lock.errands.wants_log and await giving_way(
                lambda asked: guarded.call(session.read_log(self._feed.store, asked), LOG_TIMEOUT_S),
                lock.turn,
                self._adapter.turn,
                self._clock,
            ):
                lock.errands.log_read()
                lock.neglected.ends(f"{lock.device_id}: its log was read")
        except (DriverError, StorageFailed) as error:
            lock.neglected.begins(f"{lock.device_id}: its log was not read: {error}")
            lock.errands.failed()
        except Exception as error:  # noqa: BLE001 - as above: it must not undo what was asked for
            words = f"{lock.device_id}: its log was not read, by a mistake: {type(error).__name__}"
            _LOG.error("%s", words, extra=about(lock=lock.device_id))
            lock.errands.failed()

    async def _describe(self, lock: BleLock, session: LockSession, guarded: GuardedSession) -> None:
        try:
            self._feed.put(await guarded.call(session.describe()))
        except Refused as refusal:
            _LOG.info("%s: it does not tell what it is: %s", lock.device_id, refusal)
            lock.errands.description_refused()
        else:
            lock.errands.described()

    async def _attend(self, lock: BleLock) -> NoReturn:
        """Connect to a lock for what is due and does not wait for the engine."""
        with self._pulse.beating(f"{_NAME} {lock.device_id}") as beat:
            while True:
                lock.woken.clear()
                due_in = lock.errands.due_in()
                if due_in == 0 and self._adapter.up and lock.in_reach:
                    beat.on_radio()
                    await self._call_on(lock)
                    continue
                pause = LONGEST_WAIT_S if not due_in else min(due_in, LONGEST_WAIT_S)
                beat.asleep(pause)
                await within(lock.woken, pause, self._clock)

    async def _call_on(self, lock: BleLock) -> None:
        try:
            async with AsyncExitStack() as held:
                visit, _ = await self._connected(lock, held)
                await self._run_errands(lock, visit)
        except DriverError as error:
            lock.neglected.begins(f"{lock.device_id}: {error}")
            lock.errands.failed()
        except Exception as error:  # noqa: BLE001 - a mistake with one lock must not stop the others
            words = f"{lock.device_id}: a mistake of pinsmith: {type(error).__name__}"
            _LOG.error("%s", words, extra=about(lock=lock.device_id))
            lock.errands.failed()

    async def _mind_silence(self) -> NoReturn:
        with self._pulse.beating(f"{_NAME} silence") as beat:
            while True:
                beat.asleep(SILENCE_CHECK_S)
                await self._clock.sleep(SILENCE_CHECK_S)
                for lock in self._locks.values():
                    lock.mind_silence()
                    if not lock.turn.held:
                        beat.on_memory()
                        await self._keys.save(lock)

    def _heard(self, device: BLEDevice, advert: Advert) -> bool:
        return any(lock.takes(device, advert) for lock in self._locks.values())

    def _unheard(self) -> bool:
        return any(lock.is_unheard for lock in self._locks.values())

    def _up(self) -> None:
        self._feed.put(AuthorityUp(device_ids=tuple(self._locks)))
        for lock in self._locks.values():
            lock.listened_for(now=True)

    def _down(self) -> None:
        for lock in self._locks.values():
            lock.listened_for(now=False)
        self._feed.put(AuthorityLost(device_ids=tuple(self._locks)))


def _leave(lock: BleLock, visit: Visit) -> None:
    if visit.broken:
        lock.broke()
    visit.leave()
