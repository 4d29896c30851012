"""Keeps the clocks of locks right that open the door by schedules of their own.

zwave-js sets a lock's clock in the interview only. It sends the hub's time, in the time zone of the server's
process where the lock keeps local time.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from drivers.zwave.clock_face import local_off_by, utc_off_by
from drivers.zwave.local_time import change_between
from drivers.zwave.lock import ZwaveLock
from drivers.zwave.node import Node
from drivers.zwave.numbers import CommandClass, NodeStatus
from drivers.zwave.radio import Radio
from gateway.domain.clock import Clock
from gateway.domain.driver import ClockChecked, DriverError, LockEvent
from gateway.domain.pulse import Beat
from gateway.domain.trouble import about

_LOG = logging.getLogger(__name__)

DAILY = timedelta(days=1)
RETRY = timedelta(hours=1)
"""After an attempt that failed: it may have cost the lock three wake-ups for nothing."""
ONCE_MORE = timedelta(minutes=1)
"""After the first attempt that failed with a clock that may have stopped: the codes of a lock are rewritten
when its clock counts as lost, and one lost answer is no reason for that."""
UNSURE = timedelta(minutes=1)
"""While the hub does not know the time itself; costs no radio."""
AT_MOST_EVERY = timedelta(minutes=10)
"""For locks that come and go."""
_AFTER_CHANGE = timedelta(seconds=1)


class SureTime:
    """The time, once the hub knows it: a wrong one on a lock opens the windows of others."""

    def __init__(self, clock: Clock) -> None:
        """Take the wall clock while it is synchronised.

        When it is no longer synchronised, the boot-time clock goes on from where it was.
        """
        self._clock = clock
        self._known: tuple[datetime, float] | None = None

    def now(self) -> datetime | None:
        """Return the time; None while it is not known."""
        now, boot = self._clock.now(), self._clock.boot()
        if self._clock.synchronised():
            self._known = (now, boot)
        if self._known is None:
            return None
        then, then_boot = self._known
        return then + timedelta(seconds=boot - then_boot)


class Clocks:
    """Sets the clocks of locks with schedules: when seen, daily, and when the zone changes its offset."""

    def __init__(
        self, radio: Radio, clock: Clock, time: SureTime, zone: ZoneInfo, tell: Callable[[LockEvent], None]
    ) -> None:
        """Wait by `clock`, set by `time`; locks show the local time of `zone`."""
        self._radio = radio
        self._clock = clock
        self._time = time
        self._zone = zone
        self._tell = tell
        self._due: dict[ZwaveLock, float] = {}
        self._done: dict[ZwaveLock, float] = {}
        self._failing: set[ZwaveLock] = set()
        """Those of which the log says that their clock may be wrong."""
        self._missed: set[ZwaveLock] = set()
        """Those that gave no answer although their clock may have stopped."""
        self._right: dict[ZwaveLock, timedelta | None] = {}
        """The offset from UTC with which a clock was set last; not there once the clock is doubted."""
        self._woken = asyncio.Event()

    def doubt(self, lock: ZwaveLock) -> None:
        """Set the clock of a lock soon: it may have been without power."""
        if lock.room is None:
            return
        self._right.pop(lock, None)
        self._missed.discard(lock)
        now = self._clock.boot()
        soon = max(now, self._done.get(lock, now - _seconds(AT_MOST_EVERY)) + _seconds(AT_MOST_EVERY))
        self._due[lock] = min(soon, self._due.get(lock, soon))
        self._woken.set()

    async def run(self, beat: Beat | None = None) -> NoReturn:
        """Set clocks whenever they are due, until cancelled. `beat` takes the signs of life."""
        beat = beat or Beat()
        while True:
            self._woken.clear()
            for lock in [lock for lock, due in self._due.items() if due <= self._clock.boot()]:
                beat.on_radio()
                await self._attend(lock)
            await self._rest(beat)

    async def _rest(self, beat: Beat) -> None:
        """Sleep until the next lock is due, or one is doubted."""
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._woken.wait())]
        beat.idle()
        if self._due:
            pause = max(min(self._due.values()) - self._clock.boot(), 0.0)
            beat.asleep(pause)
            waits.append(asyncio.ensure_future(self._clock.sleep(pause)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _attend(self, lock: ZwaveLock) -> None:
        async with lock.turn:
            if lock.node is None or lock.capabilities is None or lock.room is None or lock.dead:
                del self._due[lock]  # whatever brings it back has its clock doubted
                return
            now = self._time.now()
            try:
                off_by = await self._set(lock.node) if now is not None else None
            except DriverError:
                off_by = None
            except Exception as error:  # noqa: BLE001 - an answer nobody foresaw must not end the driver
                words = f"the clock of {lock.device_id}: a mistake of pinsmith: {type(error).__name__}"
                _LOG.error("%s", words, extra=about(lock=lock.device_id))
                off_by = None
        if now is None:
            self._due[lock] = self._clock.boot() + _seconds(UNSURE)
            self._report(lock, None, sure=False)
            return
        offset = now.astimezone(self._zone).utcoffset()
        if off_by is not None:
            self._right[lock] = offset
        stopped = lock not in self._right or self._right[lock] != offset
        lost = stopped and lock in self._missed
        if stopped:
            self._missed.add(lock)
        else:
            self._missed.discard(lock)
        self._plan(lock, now, DAILY if off_by is not None else ONCE_MORE if stopped and not lost else RETRY)
        self._report(lock, off_by, lost=lost)

    def _plan(self, lock: ZwaveLock, now: datetime, pause: timedelta) -> None:
        """Note when the lock is due again: after a while, or when clocks change."""
        change = change_between(self._zone, now, now + pause)
        pause = pause if change is None else change + _AFTER_CHANGE - now
        self._due[lock] = self._clock.boot() + _seconds(pause)

    def _report(
        self, lock: ZwaveLock, off_by: timedelta | None, *, sure: bool = True, lost: bool = False
    ) -> None:
        if off_by is not None:
            self._done[lock] = self._clock.boot()
            if lock in self._failing:
                words = f"the clock of {lock.device_id} could be set and read"
                _LOG.info("%s", words, extra=about(lock=lock.device_id, trouble="lock_clock", state="ends"))
            self._failing.discard(lock)
        elif lock in self._failing:
            if not sure:
                return  # nothing was tried, and that nothing is known was told
        else:
            self._failing.add(lock)
            why = "it could not be set and read" if sure else "the hub does not know the time"
            words = f"the clock of {lock.device_id} may be wrong: {why}; trying again"
            extra = about(lock=lock.device_id, trouble="lock_clock", state="begins")
            _LOG.warning("%s", words, extra=extra)
        self._tell(ClockChecked(device_id=lock.device_id, off_by=off_by, lost=lost))

    async def _set(self, node: Node) -> timedelta | None:
        """Set the clock and read it back; return how much it is ahead, None where it cannot be read."""
        taken = await self._radio.node_command(node, "set_date_and_time", self._date)
        if not taken.get("success") and node.status == NodeStatus.DEAD:
            return None
        # Whether or not the lock says that it took the time: what it shows counts.
        shown = (await self._radio.node_command(node, "get_date_and_time")).get("dateAndTime") or {}
        if CommandClass.TIME_PARAMETERS not in node.command_classes:
            return local_off_by(shown, self._now(), self._zone)
        off_by = utc_off_by(shown, self._now())
        if off_by is None:
            return None
        where = _zone_class(node.command_classes)
        if where is None:
            return off_by
        offsets = await self._radio.on_air(node, where, "getTimezone")
        if not isinstance(offsets, dict):
            return None
        return off_by + self._zone_off_by(offsets)

    def _zone_off_by(self, offsets: Mapping[str, Any]) -> timedelta:
        """Return how much the lock's offset from UTC is too large.

        It has two, that of winter and that of summer, and does not tell which one is in force. One that our
        zone never has shows that it is another zone, although they may agree at the moment.
        """
        theirs = [timedelta(minutes=offsets[name]) for name in ("standardOffset", "dstOffset")]
        months = (self._now() + timedelta(days=30 * month) for month in range(13))
        now, *later = (month.astimezone(self._zone).utcoffset() or timedelta() for month in months)
        nearest = min((offset - now for offset in theirs), key=abs)
        ours = {now, *later}
        if nearest or ours.issuperset(theirs):
            return nearest
        return max(min(theirs) - min(ours), max(theirs) - max(ours), key=abs)

    def _date(self) -> Mapping[str, object]:
        return {"date": self._now().isoformat()}

    def _now(self) -> datetime:
        now = self._time.now()
        if now is None:
            raise AssertionError("once known, the time stays known")
        return now


def _zone_class(versions: Mapping[int, int]) -> CommandClass | None:
    """Return by which class the server tells a lock its time zone; None where by none."""
    if versions.get(CommandClass.TIME, 0) > 1:
        return CommandClass.TIME
    if versions.get(CommandClass.SCHEDULE_ENTRY_LOCK, 0) > 1:
        return CommandClass.SCHEDULE_ENTRY_LOCK
    return None


def _seconds(span: timedelta) -> float:
    return span.total_seconds()
