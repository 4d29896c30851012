"""Watches what reaches the broker: its order (rule 8), its secrecy (rule 9), and what it claims (2, 14)."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gateway.domain.credential import SlotRef
from gateway.domain.lock import Readback
from gateway.domain.timing import EMPTY_TWICE
from storage.codec import to_ms
from tests.simulation.broker import Arrived
from tests.simulation.doors import Door

if TYPE_CHECKING:
    from tests.simulation.rules import Watch
    from tests.simulation.world import World

_TWICE = EMPTY_TWICE - timedelta(seconds=3)


class News:
    """Judges events as they arrive."""

    def __init__(self, world: "World", watch: "Watch") -> None:
        """Listen at the broker of `world`, and tell `watch` of what is wrong."""
        self._world = world
        self._watch = watch
        self.reads: Counter[tuple[str, int]] = Counter()
        """Reads of each lock in each hour of the late calm."""
        self._last_seq = 0
        self._leap = 0
        self._missing = self._dropped = 0
        self._alarms: dict[str, int] = {}
        self._lost_in_wipe: dict[str, set[str]] = {}

    async def run(self) -> None:
        """Judge the events as they arrive, and stop when a rule is broken."""
        while True:
            await asyncio.sleep(60)
            self._take_in()
            for (device_id, hour), reads in self.reads.items():
                if reads > self._world.timing.reads_per_hour + 20:
                    self._watch.broken(10, f"{device_id}: {reads} reads in hour {hour} of the calm")
            self._watch.stop_if_broken()

    def _take_in(self) -> None:
        for event, text in self._world.broker.new:
            self._event(event, text)
            if event.event_type == "access_code.deleted_external_to_gateway":
                self._not_one_by_one(event.device_id, event.access_code_id, event.occurred_at)
                self._twice_empty(event.device_id, event.access_code_id, event.occurred_at)
        self._world.broker.new.clear()

    def _event(self, event: Arrived, text: str) -> None:
        # Dropped for want of room, and still in the backup.
        is_from_backup = event.seq < self._leap
        if event.seq <= self._last_seq and not is_from_backup:
            self._watch.broken(8, f"event {event.seq} arrived after {self._last_seq}")
        if event.seq >= self._leap > self._last_seq:
            self._missing = min(self._missing, self._dropped)
        elif not is_from_backup:
            self._missing += event.seq - self._last_seq - 1
        self._dropped += event.events_dropped
        self._last_seq = max(event.seq, self._last_seq)
        self._watch.no_pin(text, f"event {event.event_type}")

    def all_told(self) -> None:
        """Judge in the end that each event arrived, or was said to have been dropped."""
        self._take_in()
        if self._world.broker.numbered_twice:
            self._watch.broken(8, "two events have one number")
        # More may be said to be dropped than is missing: of some the acknowledgement got lost.
        if self._missing > self._dropped:
            self._watch.broken(
                8, f"{self._missing} events are missing, {self._dropped} were said to be dropped"
            )

    def restored(self, above: int) -> None:
        """Expect numbers above this one: what was not told yet is lost."""
        self._take_in()
        self._leap = above
        self._missing = min(self._missing, self._dropped)
        self._lost_in_wipe.clear()
        self._alarms.clear()

    def wiped(self, door: Door) -> None:
        """Remember which codes a wipe took away."""
        self._lost_in_wipe[door.device_id] = {
            wanted.access_code_id
            for wanted in self._world.people.wanted.values()
            if wanted.device_id == door.device_id
            and not wanted.leaving
            and not wanted.allowed
            and wanted.pins & door.wiped
        }
        self._alarms[door.device_id] = 0

    def _not_one_by_one(self, device_id: str, code_id: str | None, at: datetime) -> None:
        """Rule 14: a wipe is one alarm and not one for every code."""
        lost = self._lost_in_wipe.get(device_id, set())
        if code_id in lost:
            lost.discard(code_id)
            filled = self._world.doors[device_id].filled_since_wipe
            was_filled = filled is not None and (filled < at or not self._is_true(at))
            if self._alarms[device_id] == 0 and was_filled:
                lost.clear()  # the hub had filled a slot before it noticed: not all were gone
                return
            self._alarms[device_id] += 1
            if self._world.doors[device_id].asked_in_vain_since_wipe_seen > 1:
                return  # the hub could not see in time that all were gone
            if self._alarms[device_id] > 1 and not self._world.doors[device_id].deleted_since_wipe:
                self._watch.broken(
                    14, f"{device_id}: a wipe was told as {self._alarms[device_id]} single removals"
                )

    def _twice_empty(self, device_id: str, code_id: str | None, at: datetime) -> None:
        """Rule 2: two empty readings, at least 30 s apart, before "removed by somebody"."""
        if self._world.restores.count:
            return
        slots = self._may_have_lain_in(code_id, at)
        door = self._world.doors[device_id]
        if not slots or None in slots or door.lock.model.capabilities.readback is Readback.NONE:
            return
        if not self._is_true(at):
            return
        seen = [_empty_before(at, door.seen.get(slot, [])) for slot in slots if slot is not None]
        if not any(len(times) > 1 and times[-1] - times[0] >= _TWICE for times in seen):
            told = f"{device_id}: slot {slots[-1]} was called removed after {len(seen[-1])} empty readings"
            self._watch.broken(2, told)

    def _may_have_lain_in(self, code_id: str | None, at: datetime) -> list[SlotRef | None]:
        """Return the slots in which a code may have lain that was called removed at `at`, likeliest last.

        A write opened since then puts it back, and may stand in the same unit; or it was opened before, by a
        clock that was ahead.
        """
        slots: list[SlotRef | None] = []
        for slot, is_later in self._world.connection.execute(
            "SELECT slot, opened_at BETWEEN ? AND ? FROM intent WHERE access_code_id = ? AND kind = 'set'"
            " ORDER BY number DESC",
            (to_ms(at), to_ms(self._world.now()), code_id),
        ):
            slots.append(slot)
            if not is_later:
                break
        return slots

    def _is_true(self, at: datetime) -> bool:
        """Say whether a time that the hub told is surely by the right clock."""
        return self._world.clock.synced and self._world.clock_since < at < self._world.now()


def _empty_before(at: datetime, seen: list[tuple[datetime, bool]]) -> list[datetime]:
    """Return when a slot was seen empty, with nothing else in between, before something was told at `at`."""
    empties: list[datetime] = []
    for when, empty in seen:
        if when > at + timedelta(milliseconds=100):
            break
        empties = [*empties, when] if empty else []
    return empties
