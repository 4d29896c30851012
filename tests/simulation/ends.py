"""Watches the ends of windows (rule 6), what opens in them, and codes for one use."""

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from storage.codec import to_ms
from storage.sqlite import run_unit
from tests.simulation.doors import Door
from tests.simulation.verdict import EXCUSES
from tests.simulation.wanted import Times, Wanted

if TYPE_CHECKING:
    from tests.simulation.rules import Watch
    from tests.simulation.world import World

_QUIET = timedelta(minutes=40)
_BEFORE = timedelta(minutes=10)
"""Within the lead: what is there early is on its lock by then."""


class Ends:
    """Looks at the slot of a code when one of its windows has ended."""

    def __init__(self, world: "World", watch: "Watch") -> None:
        """Watch `world`, and tell `watch` of what is wrong."""
        self._world = world
        self._watch = watch

    def expect(self, wanted: Wanted) -> None:
        """Look at a code's slot shortly after its window ends, and after each one to come."""
        wanted.watches += 1
        self._expect(wanted, wanted.watches)

    def _expect(self, wanted: Wanted, watch: int) -> None:
        world, now, times = self._world, self._world.now(), wanted.times
        window = wanted.window(now)
        if watch != wanted.watches or window is None or window[1] is None or window[1] <= now:
            return
        starts_at, closes = window[0] or now, window[1]
        seconds = (closes - now).total_seconds()
        world.later(seconds + 8, lambda: self._removed_in_time(wanted, times, closes))
        world.later(seconds + 150, lambda: self._alarmed(wanted, times, closes))
        if wanted.starts_at is not None and wanted.starts_at - _BEFORE > now:
            early = wanted.starts_at - _BEFORE
            world.later((early - now).total_seconds(), lambda: self._shut_before_start(wanted, times))
        if wanted.recurrence is not None:
            middle = max(starts_at, now) + (closes - max(starts_at, now)) / 2
            world.later((middle - now).total_seconds(), lambda: self._opens(wanted, times))
            world.later(seconds + 1, lambda: self._expect(wanted, watch))

    def _shut_before_start(self, wanted: Wanted, times: Times) -> None:
        """A code waits disabled for its start where the lock can do that, or by the lock's own schedule."""
        world, door = self._world, self._world.doors[wanted.device_id]
        if wanted.times != times or not wanted.is_settled or not self._watch.is_quiet(door, _QUIET):
            return
        if door.sleeps or door.clock_off or not door.lock.model.capabilities.disabled_status:
            return
        world.fate.counts["start judged"] += 1
        for slot, taken in door.lock.slots.items():
            is_ours = door.origin.get(slot) == "hub" and slot not in door.lies
            if taken.pin.reveal() != wanted.pin or not is_ours or not taken.enabled:
                continue
            is_dated = taken.schedule is not None and taken.schedule.starts_at is not None
            if not is_dated and door.filled_at[slot] >= wanted.pin_since:
                self._watch.broken(6, f"{door.device_id}: a code is not shut ten minutes before its start")

    def _removed_in_time(self, wanted: Wanted, times: Times, closes: datetime) -> None:
        door = self._world.doors[wanted.device_id]
        if wanted.times != times or not wanted.is_settled or not self._watch.is_quiet(door, _QUIET):
            return
        if door.sleeps:
            return  # counted from the next touch
        if not self._watch.was_idle(door, closes):
            return  # the removal waits for what was on the air
        slot = self._ours(door, wanted, closes)
        if slot is not None and slot not in door.lies and self._end_together(wanted, closes) == 1:
            self._watch.broken(
                6, f"{door.device_id}: a code was still there 8 s after its end, on a quiet lock"
            )

    def _end_together(self, wanted: Wanted, closes: datetime) -> int:
        """Count the codes of the lock whose windows end in the same minute."""
        minute = timedelta(minutes=1)
        ends = [
            w.closes(closes - minute)
            for w in self._world.people.wanted.values()
            if w.device_id == wanted.device_id
        ]
        return sum(1 for end in ends if end is not None and abs(end - closes) < minute)

    def _alarmed(self, wanted: Wanted, times: Times, closes: datetime) -> None:
        world, door = self._world, self._world.doors[wanted.device_id]
        if wanted.times != times or not wanted.is_settled:
            return
        if not self._watch.is_hub_fine(timedelta(minutes=5)):
            return
        if world.restores.is_doubted(door):
            return
        slot = self._ours(door, wanted, closes)
        if slot is None or slot in door.lies or door.replaced_at is not None:
            return
        if door.sleeps:
            self._waits_for_touch(door, wanted, closes)
            if _ended_by_lock(door, slot, self._world.now()):
                return
        since = to_ms(closes) if wanted.recurrence is not None else 0
        told = world.connection.execute(
            "SELECT 1 FROM event WHERE access_code_id = ? AND event_type = 'access_code.failed_to_expire'"
            " AND occurred_at >= ?",
            (wanted.access_code_id, since),
        ).fetchone()
        if told is None and "failed_to_expire" not in self._issues(wanted):
            self._watch.broken(
                6, f"{door.device_id}: a code is there 150 s after its end and nobody was alarmed"
            )

    def _waits_for_touch(self, door: Door, wanted: Wanted, closes: datetime) -> None:
        """A code that stays because nobody touched the lock says so."""
        watch, touches = self._watch, self._world.touches
        slept = door.touched_at is None or door.touched_at < closes - timedelta(minutes=1)
        if not slept or not touches.is_asleep(door) or not watch.is_quiet(door, _QUIET):
            return
        self._world.fate.counts["removal waits for a touch"] += 1
        if "waiting_for_touch" not in self._issues(wanted):
            watch.broken(6, f"{door.device_id}: a code waits for a touch and nobody is told")

    def touched(self, door: Door) -> None:
        """Look, after a touch, at the codes whose end is past: from now on the lock can be reached."""
        now, watch = self._world.now(), self._watch
        ended = [w for w in self._world.people.wanted.values() if self._has_ended(w, door, now)]
        left = [(w, w.ends_at, slot) for w in ended if w.ends_at and (slot := self._ours(door, w, w.ends_at))]
        if not left or not watch.is_quiet(door, _QUIET):
            return
        self._world.fate.counts["touched with codes past their end"] += 1
        for wanted, closes, _ in left:
            look = partial(self._gone_after_touch, wanted, wanted.times, closes)
            self._world.later(5 + 6 * len(left), look)

    def _has_ended(self, wanted: Wanted, door: Door, now: datetime) -> bool:
        ends_at = wanted.ends_at
        return (
            wanted.device_id == door.device_id
            and ends_at is not None
            and ends_at < now - timedelta(minutes=1)
        )

    def _gone_after_touch(self, wanted: Wanted, times: Times, closes: datetime) -> None:
        door = self._world.doors[wanted.device_id]
        if wanted.times != times or not wanted.is_settled or not self._watch.is_quiet(door, _QUIET):
            return
        if self._ours(door, wanted, closes) is not None:
            self._watch.broken(6, f"{door.device_id}: a code past its end is there after a touch")
        if "waiting_for_touch" in self._issues(wanted):
            self._watch.broken(6, f"{door.device_id}: a code that is gone waits for a touch")

    def _opens(self, wanted: Wanted, times: Times) -> None:
        """Late in the calm, a code that comes again opens the door in the middle of its windows."""
        door = self._world.doors[wanted.device_id]
        if wanted.times != times or not wanted.is_settled or wanted.allowed or not self._watch.is_late_calm():
            return
        if self._issues(wanted) & EXCUSES or door.cannot_know or door.sleeps or self._is_held(door):
            return
        held = [slot for slot, taken in door.lock.slots.items() if taken.pin.reveal() == wanted.pin]
        if not any(door.lock.slots[slot].enabled for slot in held):
            self._watch.broken(12, f"{door.device_id}: a window is open and its code is not on the lock")

    def _is_held(self, door: Door) -> bool:
        snap = run_unit(self._world.connection, self._world.vault, lambda tx: tx.snapshot(door.device_id))
        return snap is None or snap.device.held_after_wipe or door.replaced_at is not None

    def _issues(self, wanted: Wanted) -> set[str]:
        issues = run_unit(self._world.connection, self._world.vault, lambda tx: tx.issues(wanted.device_id))
        return {issue.code for issue in issues if issue.access_code_id == wanted.access_code_id}

    def _ours(self, door: Door, wanted: Wanted, closes: datetime) -> str | None:
        is_last = wanted.recurrence is None or wanted.ends_at == closes
        for slot, taken in door.lock.slots.items():
            if taken.pin.reveal() != wanted.pin or door.origin.get(slot) != "hub" or not taken.enabled:
                continue
            if not is_last and taken.schedule is not None and taken.schedule.weekly:
                continue  # the lock itself keeps it shut
            if door.filled_at[slot] >= wanted.pin_since:
                return slot  # else it is another code's former PIN, which waits to be replaced
        return None

    # Codes for one use.

    def used(self, door: Door, wanted: Wanted, slot: str) -> None:
        """Look at a code for one use shortly after the lock reported its use."""
        pin, watch = wanted.pin, self._watch
        if self._must_count(door, wanted, slot):
            self._world.later(30, partial(self._counted, door, wanted, self._world.now()))
        certain = wanted.is_settled and watch.is_quiet(door, _QUIET)
        if certain and watch.was_idle(door, self._world.now()):
            self._world.later(15, lambda: self._gone_after_use(door, wanted, pin))

    def _must_count(self, door: Door, wanted: Wanted, slot: str) -> bool:
        """Say whether the hub is told of this use and knows whose it is, whatever else is under way."""
        world = self._world
        if world.hub is None or not world.authority_up or door.replaced_at is not None:
            return False
        if world.restores.is_doubted(door):
            return False
        if not _is_as_created(wanted) or world.clock_since > wanted.pin_since:
            return False
        if door.edited_at.get(slot, wanted.pin_since) > wanted.pin_since:
            return False  # it may have been another PIN, as far as the hub knows
        snap = run_unit(world.connection, world.vault, lambda tx: tx.snapshot(door.device_id))
        return snap is not None and snap.placement(wanted.access_code_id).slot == slot

    def _counted(self, door: Door, wanted: Wanted, at: datetime) -> None:
        """A use counts, however busy the lock was: else the code opens again."""
        world, watch = self._world, self._watch
        if not _is_as_created(wanted) or not door.noted(at) or not watch.is_hub_fine(timedelta(minutes=1)):
            return
        codes = run_unit(world.connection, world.vault, lambda tx: list(tx.codes()))
        world.fate.counts["use judged"] += 1
        pair = {wanted.access_code_id, wanted.backup_id}
        if any(
            code.first_used_at is None
            for code in codes
            if code.access_code_id in pair or code.pulled_backup_access_code_id == wanted.access_code_id
        ):
            watch.broken(6, f"{door.device_id}: a use of a code for one use did not count")

    def _gone_after_use(self, door: Door, wanted: Wanted, pin: str) -> None:
        if wanted.pin != pin or wanted.leaving or wanted.unsure or not self._watch.is_quiet(door, _QUIET):
            return
        codes = self._world.people.wanted.values()
        if any(other.pin == pin and other.device_id == door.device_id and not other.used for other in codes):
            return  # once it had ended, another code got its PIN
        if any(
            taken.pin.reveal() == pin and taken.enabled and door.origin.get(slot) == "hub"
            for slot, taken in door.lock.slots.items()
        ):
            self._watch.broken(6, f"{door.device_id}: a code for one use is there 15 s after its use")


def _is_as_created(wanted: Wanted) -> bool:
    """Say whether client and hub certainly agree on the code, and it has the PIN that it had at first."""
    gone = wanted.deleted or wanted.leaving or wanted.released
    return not (gone or wanted.unsure or wanted.former)


def _ended_by_lock(door: Door, slot: str, now: datetime) -> bool:
    """Say whether the lock keeps this end by its own clock: an alarm is not needed then."""
    schedule = door.lock.slots[slot].schedule
    return schedule is not None and schedule.ends_at is not None and schedule.ends_at <= now
