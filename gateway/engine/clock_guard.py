"""Decides what is known about the time (rule 5)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec
from msgspec import Struct

from gateway.domain.clock import Clock, ClockMark, ClockStep, TimeView
from gateway.domain.store import Tx

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FLOOR_KEY = "clock_floor"
_BOOT_KEY = "clock_floor_boot"
_JITTER = timedelta(seconds=2)
"""Two looks at both clocks differ by this much without meaning anything."""
_PERSIST_EVERY = timedelta(minutes=1)


class ClockSettings(Struct, frozen=True, kw_only=True):
    """What to do while the time is not known, and what counts as a jump."""

    untrusted_policy: Literal["hold", "run"] = "hold"
    step: timedelta = timedelta(seconds=60)
    """Smaller differences between two notions of the time are neither a jump nor a contradiction."""


class _BootPoint(Struct, frozen=True):
    """When, by the boot-time clock of one boot, the stored lower bound was noted."""

    boot_id: str
    boot: float
    known: bool
    """The bound was the time itself, not only less than it."""


class ClockGuard:
    """Keeps the lower bound of time and notices jumps.

    The clock is trusted when the kernel says that it is synchronised (unless it is behind the lower bound by
    a step: then one of the two is wrong), when the policy is `run`, or when somebody said so (`trust`). The
    lower bound rises only from a clock that is synchronised or was confirmed, with the boot-time clock in
    between, and survives restarts in the database.

    From such a moment until the machine starts anew the lower bound is the time itself: the boot-time clock
    errs by some seconds a week. So a time server that is away takes no trust away: the time is `carried`
    then, whatever the wall clock says.
    """

    def __init__(self, clock: Clock, settings: ClockSettings) -> None:
        """Start without any knowledge; `load` brings the lower bound of the last run."""
        self._clock = clock
        self._settings = settings
        self._floor = _EPOCH
        self._floor_boot = clock.boot()
        self._known = False
        self._persisted, self._persisted_known = self._floor, False
        self._told_trusted = False
        self._step: ClockStep | None = None
        self._last: tuple[datetime, float, bool] | None = None

    def load(self, tx: Tx) -> None:
        """Take over the lower bound that was stored."""
        stored, point = tx.meta(_FLOOR_KEY), tx.meta(_BOOT_KEY)
        if stored is None:
            return
        self._floor = self._persisted = datetime.fromisoformat(stored)
        boot = self._clock.boot()
        noted = msgspec.json.decode(point, type=_BootPoint) if point is not None else None
        if noted is not None and noted.boot_id == self._clock.boot_id() and noted.boot <= boot:
            self._floor_boot, self._known = noted.boot, noted.known
        else:
            self._floor_boot, self._known = boot, False
        self._persisted_known = self._known

    def persist(self, tx: Tx, *, now: bool) -> None:
        """Store the lower bound when it has risen by a minute, or, with `now`, by anything.

        Also when it became the time itself, or is no longer: the next start must know.
        """
        risen = self._current_floor() - self._persisted
        if risen >= _PERSIST_EVERY or (now and risen > timedelta(0)) or self._known != self._persisted_known:
            self._save(tx)

    def trust(self, tx: Tx) -> None:
        """Believe the wall clock from now on, because a person says so; a held jump is accepted."""
        self._told_trusted = True
        self._step = None
        self._floor, self._floor_boot = self._clock.now(), self._clock.boot()
        self._last = None
        self._known = True
        self._save(tx)

    def view(self) -> TimeView:
        """Look at the clocks."""
        now, boot = self._clock.now(), self._clock.boot()
        floor = self._current_floor()
        sure = self._is_sure(now, floor)
        believed = sure or self._settings.untrusted_policy == "run"
        self._notice_step(now, boot, trusted=believed)
        if sure and self._step is None:
            floor = max(now, floor)
            self._floor, self._floor_boot, self._known = floor, boot, True
        mark = ClockMark(self._clock.boot_id(), _whole(now - _EPOCH - timedelta(seconds=boot)))
        return TimeView(
            now=now,
            trusted=believed or self._known,
            carried=self._known and not believed,
            floor=floor,
            mark=mark,
            step=self._step,
        )

    def describe(self) -> dict[str, object]:
        """Return what a person wants to know about the time."""
        view = self.view()
        return {
            "now": view.now,
            "trusted": view.trusted,
            "synchronised": self._clock.synchronised(),
            "floor": view.floor,
            "policy": self._settings.untrusted_policy,
            "step_held": view.step is not None,
        }

    async def watch(self, period: float, changed: Callable[[], None]) -> None:
        """Look every `period` seconds; call `changed` after a jump or when trust came or went.

        Also after the machine slept: the timers of the event loop stood still meanwhile, and are late.
        """
        before = self.view()
        boot = self._clock.boot()
        while True:
            await self._clock.sleep(period)
            view, later = self.view(), self._clock.boot()
            passed = timedelta(seconds=later - boot)
            jumped = abs(view.now - before.now - passed) > _JITTER
            slept = passed - timedelta(seconds=period) > _JITTER
            known = (view.trusted, view.carried, view.step)
            if known != (before.trusted, before.carried, before.step) or jumped or slept:
                changed()
            before, boot = view, later

    def _current_floor(self) -> datetime:
        return self._floor_at(self._clock.boot())

    def _floor_at(self, boot: float) -> datetime:
        return self._floor + timedelta(seconds=boot - self._floor_boot)

    def _is_sure(self, now: datetime, floor: datetime) -> bool:
        """Say whether the wall clock is right: a person or a time server that nothing contradicts says so."""
        if self._told_trusted:
            return True
        if not self._clock.synchronised():
            return False
        if floor - now < self._settings.step:
            return True
        self._known = False  # one of the two is wrong, and nobody knows which
        return False

    def _save(self, tx: Tx) -> None:
        boot = self._clock.boot()
        point = _BootPoint(self._clock.boot_id(), boot, self._known)
        self._persisted, self._persisted_known = self._floor_at(boot), self._known
        tx.save_meta(_FLOOR_KEY, self._persisted.isoformat())
        tx.save_meta(_BOOT_KEY, msgspec.json.encode(point).decode())

    def _notice_step(self, now: datetime, boot: float, *, trusted: bool) -> None:
        """Note a forward jump of a clock that was trusted before: only that can close windows by mistake."""
        if self._last is not None:
            then, then_boot, was_trusted = self._last
            expected = then + timedelta(seconds=boot - then_boot)
            if was_trusted and trusted and now - expected >= self._settings.step:
                before = self._step.before if self._step is not None else expected
                self._step = ClockStep(before, now)
        self._last = (now, boot, trusted)


def _whole(offset: timedelta) -> timedelta:
    """Cut to seconds: smaller differences between the two clocks mean nothing."""
    return timedelta(seconds=round(offset / timedelta(seconds=1)))
