"""One worker per lock: carries plans out, and nothing else.

A wake-up carries no information; the worker reads everything anew. Operations of one lock are serial, locks
are
independent of each other.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from gateway.domain.clock import Clock
from gateway.domain.driver import Driver, DriverError, LockAsleep, NoAnswer, Session
from gateway.domain.pulse import Beat
from gateway.domain.store import LastingFailure, StorageFailed, Store, Tx
from gateway.domain.trouble import Trouble, about
from gateway.engine.clock_guard import ClockGuard
from gateway.engine.meanwhile import telling_meanwhile
from gateway.engine.mistakes import place
from gateway.engine.outcomes import (
    absorb_answer,
    absorb_cleared,
    absorb_failure,
    absorb_probe,
    absorb_read_cost,
    absorb_written,
)
from gateway.engine.plan import ClearSlot, Probe, ReadAll, ReadSlot, Step, WriteCode
from gateway.engine.readings import absorb_list, absorb_reading
from gateway.engine.turn import Absorb, Rules, Turn, turn
from gateway.engine.work import Chance, Work

_log = logging.getLogger(__name__)
MISTAKE_PAUSE_S = 60.0
"""Pause of one lock after an exception that nobody foresaw, or whose rows do not open."""
_MISTAKE = "the driver failed in an unforeseen way; see the log"
REPEATS = 4
"""The same step so often in a row changes nothing: whatever the reason, it is a mistake of the planner."""
STORAGE_PAUSE_S = 10.0
"""Pause before the next try when the database could not be written."""
TICK_S = 0.001
"""Times are kept in milliseconds: sleep to the end of the one that is due."""
LONGEST_SLEEP_S = 3600.0
"""A worker looks at its lock at least this often: a safeguard, not a timer of anything."""


class Shop:
    """What every worker shares: memory, time, chance and settings."""

    def __init__(self, store: Store, clock: Clock, guard: ClockGuard, rules: Rules, chance: Chance) -> None:
        """Keep what was passed in."""
        self.store = store
        self.clock = clock
        self.guard = guard
        self.rules = rules
        self.chance = chance

    async def turn(
        self,
        device_id: str,
        *,
        absorb: Absorb | None = None,
        act: bool = False,
        first: Callable[[Tx], None] | None = None,
    ) -> Turn:
        """Carry out one unit on the facts of a lock; `first` is done in it before they are read."""
        view = self.guard.view()

        def unit(tx: Tx) -> Turn:
            if first is not None:
                first(tx)
            found = turn(tx, device_id, view, self.rules, self.chance, absorb=absorb, act=act)
            if found.holds_removals:
                self.guard.hold(device_id)
            self.guard.persist(tx, now=found.intent is not None)
            return found

        return await self.store.run(unit)


class Worker:
    """Brings one lock to where it should be, and keeps it there."""

    def __init__(
        self,
        device_id: str,
        shop: Shop,
        driver: Driver,
        told: Callable[[str], None],
        beat: Beat | None = None,
    ) -> None:
        """Work on `device_id`; `told` is called after every unit, because there may be news to publish."""
        self.planned = asyncio.Event()
        """Set once the first plan was made, or could not be."""
        self.driver = driver
        """What reaches the lock."""
        self._beat = beat or Beat()
        self._leaving = asyncio.Event()
        self._device_id = device_id
        self._shop = shop
        self._told = told
        self._woken = asyncio.Event()
        self._free_at = 0.0
        boot = shop.clock.boot
        self._failed, self._mistake, self._circles = (
            Trouble(_log, name, boot, level=logging.ERROR, lock=device_id)
            for name in ("driver_failed", "mistake", "plan_in_circles")
        )
        self._spacing = timedelta(0)

    def wake(self) -> None:
        """Look at the lock again, now."""
        self._woken.set()

    def leave(self) -> None:
        """End `run` after the operation in hand."""
        self._leaving.set()
        self.wake()

    async def run(self) -> None:
        """Reconcile whenever woken or due, until cancelled or told to leave."""
        while not self._leaving.is_set():
            self._woken.clear()
            self._beat.on_radio()
            try:
                pause = self._pause(await self.reconcile())
            except LastingFailure as error:
                self._debug(f"nothing is done on it: {error}")
                self._told(self._device_id)
                pause = MISTAKE_PAUSE_S
            except StorageFailed as error:
                self._debug(f"{error}; trying again in {STORAGE_PAUSE_S:.0f} s")
                pause = STORAGE_PAUSE_S
            except Exception as error:  # noqa: BLE001 - a mistake of ours on one lock must not stop the others
                self._mistake.begins(f"{self._device_id}: a mistake of pinsmith: {place(error)}")
                pause = MISTAKE_PAUSE_S
            else:
                self._mistake.ends(f"{self._device_id}: worked on without a mistake again")
            self.planned.set()
            self._beat.asleep(pause)
            if not self._leaving.is_set():
                await self._wait(pause)

    async def reconcile(self) -> datetime | None:
        """Carry out the plan step by step, planning anew after each; return when to look again."""
        failure: DriverError
        turned = await self._turn()
        self.planned.set()
        if turned.step is None or self._leaving.is_set():
            return turned.next_wake
        try:
            async with contextlib.AsyncExitStack() as stack:
                async with telling_meanwhile(self._look, self._pause(turned.next_wake)):
                    session = await self._open(stack)
                await self._space()
                turned = await self._turn(act=True)
                done: list[Step] = []
                while turned.step is not None:
                    done = [turned.step, *done[: REPEATS - 1]]
                    circling = done == [turned.step] * REPEATS
                    result = await self._perform(session, turned)
                    self._free_at = self._shop.clock.boot() + self._spacing.total_seconds()
                    # What comes next is journalled in the same unit, if it is to be done at once.
                    at_once = not self._spacing and not circling and not self._leaving.is_set()
                    turned = await self._turn(absorb=result, act=at_once)
                    if self._leaving.is_set():
                        break
                    if circling and turned.step == done[0]:
                        kind = type(turned.step).__name__
                        self._circles.begins(f"{self._device_id}: the plan goes in circles: {kind}")
                        return (await self._turn(absorb=_rest)).next_wake
                    if turned.step is not None and not at_once:
                        await self._space()
                        turned = await self._turn(act=True)
                self._circles.ends(f"{self._device_id}: the plan came to its end again")
                return turned.next_wake
        except DriverError as error:
            failure = error
        if isinstance(failure, LockAsleep) and self._woken.is_set():
            return turned.next_wake  # somebody touched it meanwhile: tried again at once
        return (await self._turn(absorb=lambda work: absorb_failure(work, None, failure))).next_wake

    async def _open(self, stack: contextlib.AsyncExitStack) -> Session:
        """Open a session for as long as `stack` lives."""
        try:
            return await stack.enter_async_context(self.driver.session(self._device_id))
        except DriverError:
            raise
        except Exception as error:  # noqa: BLE001 - a driver's mistake must not stop the lock's worker
            self._driver_failed(error)
            raise NoAnswer(_MISTAKE) from None

    async def _look(self) -> float:
        """Tell what has fallen due while the lock is waited for; return the seconds until the next look."""
        try:
            return self._pause((await self._turn()).next_wake)
        except StorageFailed:
            return STORAGE_PAUSE_S

    async def _turn(self, *, absorb: Absorb | None = None, act: bool = False) -> Turn:
        turned = await self._shop.turn(self._device_id, absorb=absorb, act=act)
        self._spacing = turned.spacing
        self._told(self._device_id)
        return turned

    async def _space(self) -> None:
        """Keep the pause that the lock wants between two operations."""
        ahead = self._free_at - self._shop.clock.boot()
        if ahead > 0:
            await self._shop.clock.sleep(ahead)

    async def _perform(self, session: Session, turned: Turn) -> Absorb:
        """Carry out one step; return how to take in what came of it."""
        step, intent, began = turned.step, turned.intent, self._shop.clock.now()
        self._beat.on_radio()
        try:
            absorb = await self._operate(session, turned)
        except DriverError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - a driver's mistake must not stop the lock's worker
            self._driver_failed(error)
            failure = NoAnswer(_MISTAKE)
        else:
            self._failed.ends(f"{self._device_id}: the driver works again")
            self._debug(f"{type(step).__name__} was carried out", code=_code(step))
            return absorb
        # What it means for people is an error or a warning, with a line of its own.
        self._debug(f"{type(step).__name__}: {failure}", code=_code(step))
        looked_at = step.slot if isinstance(step, ReadSlot) else None
        return lambda work: absorb_failure(work, intent, failure, began=began, looked_at=looked_at)

    async def _operate(self, session: Session, turned: Turn) -> Absorb:
        step, intent = turned.step, turned.intent
        if isinstance(step, ReadSlot):
            reading = await session.read(step.slot)
            return _answered(lambda work: absorb_reading(work, step.slot, reading), audit=step.audit)
        if isinstance(step, ReadAll):
            listed = await session.read_all()

            return _answered(lambda work: absorb_list(work, listed), audit=step.audit)
        if isinstance(step, Probe):
            checksum = await session.probe()
            return _answered(lambda work: absorb_probe(work, checksum), audit=True)
        if isinstance(step, WriteCode) and intent is not None:
            written = await session.write(step.slot, step.credential, replaces=turned.holds)
            return _answered(lambda work: absorb_written(work, intent, written), audit=False)
        if isinstance(step, ClearSlot) and intent is not None:
            cleared = await session.clear(step.slot, holds=turned.holds)
            return _answered(lambda work: absorb_cleared(work, intent, cleared), audit=False)
        raise AssertionError("a write without a journalled intent")

    def _driver_failed(self, error: Exception) -> None:
        self._failed.begins(f"{self._device_id}: the driver failed: {place(error)}")

    def _debug(self, words: str, *, code: str | None = None) -> None:
        of = f" {code}" if code is not None else ""
        _log.debug("%s%s: %s", self._device_id, of, words, extra=about(lock=self._device_id, code=code))

    def _pause(self, next_wake: datetime | None) -> float:
        if next_wake is None:
            return LONGEST_SLEEP_S
        ahead = (next_wake - self._shop.clock.now()) / timedelta(seconds=1)
        return min(max(ahead, 0.0) + TICK_S, LONGEST_SLEEP_S)

    async def _wait(self, seconds: float) -> None:
        """Sleep until due or woken."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()


def _code(step: Step | None) -> str | None:
    return step.access_code_id if isinstance(step, WriteCode | ClearSlot) else None


def _rest(work: Work) -> None:
    """Leave the lock alone for a while: a mistake of ours must not drain its battery."""
    work.set_device(retry_at=work.retry_after(1))


def _answered(absorb: Absorb, *, audit: bool) -> Absorb:
    def both(work: Work) -> None:
        absorb_answer(work)
        if audit:
            absorb_read_cost(work)
        absorb(work)

    return both
