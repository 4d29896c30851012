"""Pairing and unpairing: what a command began, carried out beside the workers, told as events.

Only the running process knows what was given for it (a security PIN, keys): a restart ends the attempt.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.domain.attempts import PAIRINGS, ActionAttempt
from gateway.domain.driver import KEEP_KEYS, Driver, DriverError, PairingFailed, Pairs, Progress
from gateway.domain.events import Event
from gateway.domain.pulse import Beat, Pulse
from gateway.domain.store import LastingFailure, StorageFailed, Tx
from gateway.domain.trouble import about
from gateway.engine.doubt import doubt
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


class _Failure(Struct, frozen=True):
    """Why it did not come to its end, in words that hold no secret."""

    words: str
    has_keys: bool


class Pairings:
    """Carries out pairings, one per lock at a time."""

    def __init__(
        self,
        shop: Shop,
        told: Callable[[str], None],
        woken: Callable[[str], None],
        drivers: Mapping[str, Driver],
        pulse: Pulse | None = None,
    ) -> None:
        """Take the driver of each lock, by device id; most have nothing to pair.

        `told` hears of news, `woken` of locks to look at; `pulse` takes the signs of life.
        """
        self._pulse = pulse or Pulse()
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

    def ask_again(self, device_id: str) -> None:
        """Have the driver try again what a lock refused to this hub."""
        if self.concerns(device_id):
            self._drivers[device_id].ask_again(device_id)

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
        with self._pulse.beating(f"pairing {job.device_id}") as beat:
            try:
                failure = await self._try(job, beat)
            finally:
                self.under_way.discard(job.device_id)
            if job.attempt is None:
                return
            await self._end(job, job.attempt, failure, beat)
        self._woken(job.device_id)

    async def _try(self, job: _Job, beat: Beat) -> _Failure | None:
        """Let the driver do it; return what went wrong."""
        has_keys = False
        driver = self._drivers[job.device_id]
        beat.on_radio()
        try:
            async with asyncio.timeout(LONGEST_S) as limit:
                if job.given is None:
                    await driver.unpair(job.device_id)
                else:
                    await driver.pair(job.device_id, job.given, self._progress(job, job.given, limit, beat))
        except TimeoutError:
            failure = "it took too long; begin again"
        except PairingFailed as error:
            failure, has_keys = str(error), error.has_keys
        except DriverError as error:
            failure = str(error)
        except Exception as error:  # noqa: BLE001 - a driver's mistake must not stop the hub
            _log.error(
                "%s: the driver failed: %s", job.device_id, place(error), extra=about(lock=job.device_id)
            )
            failure = "the driver failed in an unforeseen way; see the log"
        else:
            return None
        return _Failure(job.given.masked(failure) if job.given is not None else failure, has_keys)

    def _progress(self, job: _Job, given: Given, limit: asyncio.Timeout, beat: Beat) -> Progress:
        """Return what tells people how far it is, what to do at the door, and how long they have for it."""

        async def tell(words: str, seconds_left: float | None = None) -> None:
            message = given.masked(words)
            now = asyncio.get_running_loop().time()
            rest = max((limit.when() or now) - now, 0.0)
            left = round(rest if seconds_left is None else min(seconds_left, rest))
            news = "device.pairing_progress"
            await self._store(job, beat, lambda work: _tell(work, job, news, message, left))
            beat.on_radio()

        return tell

    async def _end(self, job: _Job, attempt: ActionAttempt, failure: _Failure | None, beat: Beat) -> None:
        """Note in one unit how it ended, and tell it."""

        def absorb(work: Work) -> None:
            if failure is not None:
                if failure.has_keys:
                    _begin_anew(work, job)
                _tell(work, job, "device.pairing_failed", failure.words)
            elif job.given is not None:
                _begin_anew(work, job)
                _tell(work, job, "device.paired")
            else:
                work.set_device(is_paired=False)
                _tell(work, job, "device.unpaired")

        words = failure.words if failure is not None else None
        await self._store(job, beat, absorb, lambda tx: tx.save_attempt(_ended(attempt, words, self._shop)))

    async def _store(
        self, job: _Job, beat: Beat, absorb: Absorb, first: Callable[[Tx], None] | None = None
    ) -> None:
        """Change and tell; a disk that is full or busy makes it wait."""
        while True:
            beat.on_memory()
            try:
                await self._shop.turn(job.device_id, absorb=absorb, first=first)
            except LastingFailure:
                return  # The store has told of it, and it stays so.
            except StorageFailed as error:
                words = "news of pairing wait for the database"
                _log.debug("%s: %s: %s", job.device_id, words, error, extra=about(lock=job.device_id))
                beat.asleep(STORAGE_PAUSE_S)
                await self._shop.clock.sleep(STORAGE_PAUSE_S)
            else:
                self._told(job.device_id)
                return


_INTERRUPTED = "the hub was restarted meanwhile: look whether the lock is paired, or begin again"


def end_interrupted(tx: Tx, device_id: str, now: datetime, new_id: Callable[[], str]) -> bool:
    """End what a restart cut off: what was given for it is known to nobody any more.

    Says whether the lock may have new keys, of which nothing was noted.
    """
    was_pairing = False
    for attempt in tx.pending_attempts(device_id):
        if attempt.action_type not in PAIRINGS:
            continue
        was_pairing |= attempt.action_type == "PAIR_DEVICE"
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
    return was_pairing


def _begin_anew(work: Work, job: _Job) -> None:
    """Work with a lock whose keys are new. It may be another lock, or the same after a reset.

    A reset lock numbers its codes from the beginning: what is in a slot of ours may be somebody else's.
    """
    work.set_device(
        is_paired=True,
        failures=0,
        retry_at=None,
        asleep_since=None,
        audit_at=work.now,
        audit_round=None,
        probe=None,
    )
    if job.given is None or KEEP_KEYS not in job.given:
        doubt(work)


def _tell(
    work: Work, job: _Job, event_type: str, message: str | None = None, seconds_left: int | None = None
) -> None:
    told: dict[str, Any] = {
        "action_attempt_id": job.attempt.action_attempt_id if job.attempt is not None else None,
        "message": message,
        "seconds_left": seconds_left,
    }
    work.tell(event_type, **{name: value for name, value in told.items() if value is not None})


def _ended(attempt: ActionAttempt, failure: str | None, shop: Shop) -> ActionAttempt:
    return replace(
        attempt,
        status="success" if failure is None else "error",
        error_type=None if failure is None else "pairing_failed",
        error_message=failure,
        finished_at=shop.guard.view().now,
    )
