"""Decides what is known about the time (rule 5)."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gateway.domain.clock import Clock, ClockMark, ClockStep, TimeView
from gateway.domain.pulse import Beat
from gateway.domain.store import Tx
from gateway.domain.trouble import Trouble, lasted

_log = logging.getLogger(__name__)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FLOOR_KEY = "clock_floor"
_BOOT_KEY = "clock_floor_boot"
_STEP_KEY = "clock_step"
_JITTER = timedelta(seconds=2)
"""Two looks at both clocks differ by this much without meaning anything."""
_PERSIST_EVERY = timedelta(minutes=1)
_NO_STEP = "null"
_ACCEPTED_AFTER = timedelta(days=1)
"""A jump that holds nothing is believed after this time: the hub has gone by it all along."""


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


class _NotedStep(Struct, frozen=True):
    """A jump as it is stored: when, by the boot-time clock of one boot, it was `step.before`."""

    step: ClockStep
    boot_id: str
    boot: float


class ClockGuard:
    """Keeps the lower bound of time and notices jumps.

    The clock is trusted when the kernel says that it is synchronised (unless it is behind the lower bound by
    a step: then one of the two is wrong), when the policy is `run`, or when somebody said so (`trust`). The
    lower bound rises only from a clock that is synchronised or was confirmed, with the boot-time clock in
    between, and survives restarts in the database.

    From such a moment until the machine starts anew the lower bound is the time itself: the boot-time clock
    errs by some seconds a week. So a time server that is away takes no trust away: the time is `carried`
    then, whatever the wall clock says.

    A jump forward stays pending, over restarts too, until the clock is back, until a person accepts it, or
    for a day if it holds no removal. Meanwhile the lower bound does not follow the wall clock.
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
        self._noted: _NotedStep | None = None
        self._last: tuple[datetime, float] | None = None
        self._untrusted = Trouble(_log, "clock_untrusted", clock.boot, tried=False)
        self._jumped = Trouble(_log, "clock_jumped", clock.boot, tried=False)

    def load(self, tx: Tx) -> None:
        """Take over the lower bound that was stored, and a jump that is pending."""
        self._load_step(tx)
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

        Also when it became the time itself, or is no longer: the next start must know. The same goes for a
        jump.
        """
        self._save_step(tx)
        risen = self._current_floor() - self._persisted
        if risen >= _PERSIST_EVERY or (now and risen > timedelta(0)) or self._known != self._persisted_known:
            self._save(tx)

    def save_trust(self, tx: Tx) -> None:
        """Store what `trust` is going to do, which is to be called once this is durable."""
        point = _BootPoint(self._clock.boot_id(), self._clock.boot(), known=True)
        tx.save_meta(_FLOOR_KEY, self._clock.now().isoformat())
        tx.save_meta(_BOOT_KEY, msgspec.json.encode(point).decode())
        tx.save_meta(_STEP_KEY, _NO_STEP)

    def trust(self) -> None:
        """Believe the wall clock from now on, because a person says so; a pending jump is accepted."""
        self._told_trusted = True
        self._noted = None
        self._floor, self._floor_boot, self._known = self._clock.now(), self._clock.boot(), True
        self._persisted, self._persisted_known = self._floor, True
        self._last = None

    def hold(self, device_id: str) -> None:
        """Note that removals on a lock are held because of the pending jump."""
        noted = self._noted
        if noted is not None and device_id not in noted.step.held_on:
            self._noted = replace(noted, step=replace(noted.step, held_on=(*noted.step.held_on, device_id)))

    def view(self) -> TimeView:
        """Look at the clocks."""
        now, boot = self._clock.now(), self._clock.boot()
        floor = self._current_floor()
        sure = self._is_sure(now, floor)
        believed = sure or self._settings.untrusted_policy == "run"
        if believed:
            self._follow_step(now, boot, floor, sure=sure)
        if sure and self._noted is None:
            floor = max(now, floor)
            self._floor, self._floor_boot, self._known = floor, boot, True
        self._last = (now, boot) if believed else None
        carried = self._known and self._noted is None and not believed
        mark = ClockMark(self._clock.boot_id(), _whole(now - _EPOCH - timedelta(seconds=boot)))
        return TimeView(
            now=now,
            trusted=believed or carried,
            carried=carried,
            floor=floor,
            mark=mark,
            step=self._noted.step if self._noted is not None else None,
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

    def follow(self, settings: ClockSettings) -> None:
        """Go by other settings from now on."""
        self._settings = settings

    async def watch(self, period: float, changed: Callable[[], None], beat: Beat | None = None) -> None:
        """Look every `period` seconds; call `changed` after a jump or when trust came or went.

        Also after the machine slept: the timers of the event loop stood still meanwhile, and are late.
        """
        before = self.view()
        self._log(before)
        boot = self._clock.boot()
        beat = beat or Beat()
        while True:
            beat.asleep(period)
            await self._clock.sleep(period)
            view, later = self.view(), self._clock.boot()
            passed = timedelta(seconds=later - boot)
            jumped = abs(view.now - before.now - passed) > _JITTER
            slept = passed - timedelta(seconds=period) > _JITTER
            known = (view.trusted, view.carried, view.step)
            self._log(view)
            if known != (before.trusted, before.carried, before.step) or jumped or slept:
                changed()
            before, boot = view, later

    def _log(self, view: TimeView) -> None:
        """Say when the time is no longer known or has jumped, and when that is over."""
        if not view.trusted:
            self._untrusted.begins("The clock is not trusted: no window opens or closes", reason="untrusted")
        else:
            self._untrusted.ends("The clock is trusted again")
        if view.step is not None:
            ahead = lasted((view.step.after - view.step.before).total_seconds())
            self._jumped.begins(f"The clock jumped forward by {ahead}", reason="jumped")
        else:
            self._jumped.ends("The jump of the clock is over or accepted")

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

    def _follow_step(self, now: datetime, boot: float, floor: datetime, *, sure: bool) -> None:
        """Note a jump forward of a clock that is believed, and when a pending one is over.

        Only a jump forward can close windows by mistake.
        """
        if self._noted is not None and self._is_over(self._noted, now, boot):
            self._noted = None
            # What is believed without being sure says nothing of the lower bound.
            self._known = self._known and sure
            if sure:
                self._floor, self._floor_boot = max(now, floor), boot
            return
        expected = self._expected(boot, floor)
        if expected is None or now - expected < self._settings.step:
            return
        if self._noted is None:
            self._noted = _NotedStep(ClockStep(expected, now), self._clock.boot_id(), boot)
        else:
            self._noted = replace(self._noted, step=replace(self._noted.step, after=now))

    def _is_over(self, noted: _NotedStep, now: datetime, boot: float) -> bool:
        floor = self._current_floor()
        # Nothing ends by the jump alone any more: what was held was let go at its true end.
        holds_no_more = floor >= noted.step.after and floor - noted.step.before >= _ACCEPTED_AFTER
        if noted.boot_id != self._clock.boot_id():
            # What the time should be is not known any more; but this is not the clock that jumped.
            return now < noted.step.after or holds_no_more
        since = timedelta(seconds=boot - noted.boot)
        back = abs(now - noted.step.before - since) < self._settings.step
        return back or holds_no_more or (not noted.step.held_on and since >= _ACCEPTED_AFTER)

    def _expected(self, boot: float, floor: datetime) -> datetime | None:
        """Return what the wall clock should say; None where nothing tells."""
        if self._known and self._noted is None:
            return floor
        if self._last is None:
            return None
        then, then_boot = self._last
        return then + timedelta(seconds=boot - then_boot)

    def _load_step(self, tx: Tx) -> None:
        noted = msgspec.json.decode(tx.meta(_STEP_KEY) or _NO_STEP, type=_NotedStep | None)
        same_boot = noted is not None and noted.boot_id == self._clock.boot_id()
        self._noted = noted if noted is not None and (same_boot or noted.step.held_on) else None

    def _save_step(self, tx: Tx) -> None:
        noted = msgspec.json.encode(self._noted).decode()
        if noted != (tx.meta(_STEP_KEY) or _NO_STEP):
            tx.save_meta(_STEP_KEY, noted)


def _whole(offset: timedelta) -> timedelta:
    """Cut to seconds: smaller differences between the two clocks mean nothing."""
    return timedelta(seconds=round(offset / timedelta(seconds=1)))
