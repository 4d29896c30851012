"""Pairing and unpairing: what a command began, carried out beside the workers, told as events.

Only the running process knows what was given for it (a security PIN, keys): a restart ends the attempt.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from gateway.domain.attempts import PAIRINGS, ActionAttempt
from gateway.domain.driver import Driver, DriverError, PairingFailed, Pairs
from gateway.domain.events import Event
from gateway.domain.store import StorageFailed, Tx
from gateway.domain.trouble import about
from gateway.engine.mistakes import place
from gateway.engine.turn import Absorb
from gateway.engine.work import Work
from gateway.engine.worker import STORAGE_PAUSE_S, Shop

_log = logging.getLogger(__name__)
LONGEST_S = 900.0
"""Long enough to walk to a door twice. An attempt does not stay open for ever."""
_SHORTEST_SECRET = 3
"""Shorter values would mask parts of ordinary words and numbers."""
_OPEN = frozenset({"address"})
"""What is given for pairing and no secret."""


class Given(dict[str, str]):
    """What an operator gave for pairing, by name. Printing it shows the names only."""

    def __repr__(self) -> str:
        """Hide the values."""
        return f"Given({', '.join(sorted(self))})"

    __str__ = __repr__

    def masked(self, text: str) -> str:
        """Return a text without any of the secrets, should a driver repeat one."""
        for name, value in self.items():
            if name not in _OPEN and len(value) >= _SHORTEST_SECRET:
                text = text.replace(value, "***")
        return text


class _Job(Struct, frozen=True):
    """One lock to pair (with what is given) or to unpair; an attempt is told of where a command began it."""

    device_id: str
    given: Given | None
    attempt: ActionAttempt | None


class Pairings:
    """Carries out pairings, one per lock at a time."""

    def __init__(
        self,
        shop: Shop,
        told: Callable[[str], None],
        woken: Callable[[str], None],
        drivers: Mapping[str, Driver],
    ) -> None:
        """Take the driver of each lock, by device id; most have nothing to pair.

        `told` hears of news, `woken` of locks to look at.
        """
        self._shop = shop
        self._told = told
        self._woken = woken
        self._jobs: asyncio.Queue[_Job] = asyncio.Queue()
        self.under_way: set[str] = set()
        """The locks that are being paired or unpaired."""
        self.reach_through(drivers)

    def reach_through(self, drivers: Mapping[str, Driver]) -> None:
        """Take the driver of each lock, by device id, in place of those before."""
        self._drivers = {name: driver for name, driver in drivers.items() if isinstance(driver, Pairs)}

    def concerns(self, device_id: str) -> bool:
        """Say whether a lock must be paired before it can be reached."""
        return device_id in self._drivers

    def pair(self, attempt: ActionAttempt, given: Mapping[str, str]) -> None:
        """Begin what `attempt` stands for, which must be stored."""
        self._jobs.put_nowait(_Job(attempt.device_id, Given(given), attempt))

    def unpair(self, attempt: ActionAttempt) -> None:
        """Begin to forget the keys of a lock."""
        self._jobs.put_nowait(_Job(attempt.device_id, None, attempt))

    def drop(self, device_id: str) -> None:
        """Have the driver forget a lock whose keys are gone already."""
        if self.concerns(device_id):
            self._jobs.put_nowait(_Job(device_id, None, None))

    async def run(self) -> None:
        """Carry out what was begun, until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                job = await self._jobs.get()
                self.under_way.add(job.device_id)
                group.create_task(self._carry_out(job), name=f"pairing {job.device_id}")

    async def _carry_out(self, job: _Job) -> None:
        try:
            failure = await self._try(job)
        finally:
            self.under_way.discard(job.device_id)
        if job.attempt is None:
            return
        await self._end(job, job.attempt, failure)
        self._woken(job.device_id)

    async def _try(self, job: _Job) -> str | None:
        """Let the driver do it; return what went wrong, in words that hold no secret."""
        driver = self._drivers[job.device_id]
        try:
            async with asyncio.timeout(LONGEST_S):
                if job.given is None:
                    await driver.unpair(job.device_id)
                else:
                    await driver.pair(job.device_id, job.given, self._progress(job, job.given))
        except TimeoutError:
            failure = "it took too long; begin again"
        except (PairingFailed, DriverError) as error:
            failure = str(error)
        except Exception as error:  # noqa: BLE001 - a driver's mistake must not stop the hub
            _log.error(
                "%s: the driver failed: %s", job.device_id, place(error), extra=about(lock=job.device_id)
            )
            failure = "the driver failed in an unforeseen way; see the log"
        else:
            return None
        return job.given.masked(failure) if job.given is not None else failure

    def _progress(self, job: _Job, given: Given) -> Callable[[str], Awaitable[None]]:
        """Return what tells people how far it is, and what to do at the door."""

        async def tell(words: str) -> None:
            message = given.masked(words)
            await self._store(job, lambda work: _tell(work, job, "device.pairing_progress", message))

        return tell

    async def _end(self, job: _Job, attempt: ActionAttempt, failure: str | None) -> None:
        """Note in one unit how it ended, and tell it."""

        def absorb(work: Work) -> None:
            if failure is not None:
                _tell(work, job, "device.pairing_failed", failure)
            elif job.given is not None:
                # It may be another lock, or the same after a reset.
                work.set_device(
                    is_paired=True,
                    failures=0,
                    retry_at=None,
                    asleep_since=None,
                    audit_at=work.now,
                    audit_round=None,
                    probe=None,
                )
                _tell(work, job, "device.paired")
            else:
                work.set_device(is_paired=False)
                _tell(work, job, "device.unpaired")

        await self._store(job, absorb, lambda tx: tx.save_attempt(_ended(attempt, failure, self._shop)))

    async def _store(self, job: _Job, absorb: Absorb, first: Callable[[Tx], None] | None = None) -> None:
        """Change and tell; a disk that is full or busy makes it wait."""
        while True:
            try:
                await self._shop.turn(job.device_id, absorb=absorb, first=first)
            except StorageFailed as error:
                words = "news of pairing wait for the database"
                _log.debug("%s: %s: %s", job.device_id, words, error, extra=about(lock=job.device_id))
                await self._shop.clock.sleep(STORAGE_PAUSE_S)
            else:
                self._told(job.device_id)
                return


_INTERRUPTED = "the hub was restarted meanwhile: look whether the lock is paired, or begin again"


def end_interrupted(tx: Tx, device_id: str, now: datetime, new_id: Callable[[], str]) -> None:
    """End what a restart cut off: what was given for it is known to nobody any more."""
    for attempt in tx.pending_attempts(device_id):
        if attempt.action_type not in PAIRINGS:
            continue
        ended = replace(
            attempt,
            status="error",
            error_type="interrupted",
            error_message=_INTERRUPTED,
            finished_at=now,
        )
        tx.save_attempt(ended)
        told = {"action_attempt_id": attempt.action_attempt_id, "message": _INTERRUPTED}
        tx.emit(
            Event(
                event_id=new_id(),
                event_type="device.pairing_failed",
                device_id=device_id,
                occurred_at=now,
                created_at=now,
                payload=told,
            )
        )


def _tell(work: Work, job: _Job, event_type: str, message: str | None = None) -> None:
    attempt_id = job.attempt.action_attempt_id if job.attempt is not None else None
    words = {} if message is None else {"message": message}
    work.tell(event_type, action_attempt_id=attempt_id, **words)


def _ended(attempt: ActionAttempt, failure: str | None, shop: Shop) -> ActionAttempt:
    return replace(
        attempt,
        status="success" if failure is None else "error",
        error_type=None if failure is None else "pairing_failed",
        error_message=failure,
        finished_at=shop.guard.view().now,
    )
