"""Watches the numbered rules of the design while the world runs."""

import asyncio
import re
from collections import Counter, deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from gateway.domain.credential import Credential
from gateway.domain.lock import Readback
from gateway.domain.timing import EMPTY_TWICE, RECENT_READING
from storage.codec import to_ms
from tests.simulation.doors import NOTED, Door
from tests.simulation.verdict import judge

if TYPE_CHECKING:
    from tests.simulation.people import Wanted
    from tests.simulation.world import World

_TOKEN = re.compile(r"(?<![\w.-])[1-9]\d{5,7}(?![\w-])")
_FLOOD = 200
_SLACK = timedelta(minutes=1)


class BrokenRule(AssertionError):
    """The hub broke a rule."""

    def __init__(self, rule: int, what: str) -> None:
        """Name the rule and what happened."""
        super().__init__(f"rule {rule}: {what}")
        self.rule = rule


class Watch:
    """Those who watch the hub. They know the truth, which the hub does not."""

    def __init__(self, world: "World") -> None:
        """Watch `world`."""
        self._world = world
        self.pins: set[str] = set()
        self._written: dict[tuple[str, str], tuple[Credential, datetime]] = {}
        self._asked_while_synced: set[str] = set()
        self._trouble: dict[str, datetime] = {}
        self._hub_trouble: datetime | None = None
        self._last_operation: dict[str, datetime] = {}
        self._recent: dict[str, deque[datetime]] = {}
        self._dead_tries: dict[str, deque[datetime]] = {}
        self._calm_at: datetime | None = None
        self._reads: Counter[tuple[str, int]] = Counter()
        self._last_seq = 0
        self._alarms: dict[str, int] = {}
        self._failure: BrokenRule | None = None
        self._rejections: dict[str, tuple[datetime, int]] = {}
        self._lost_in_wipe: dict[str, set[str]] = {}

    def broken(self, rule: int, what: str) -> None:
        """Stop the world: a rule is broken."""
        self._world.note(f"RULE {rule} BROKEN: {what}")
        self._failure = self._failure or BrokenRule(rule, what)

    # What happens to locks.

    def trouble(self, door: Door | None) -> None:
        """Remember that something is wrong with a door, or with the hub."""
        if door is None:
            self._hub_trouble = self._world.now()
        else:
            self._trouble[door.device_id] = self._world.now()

    def operation(self, door: Door, kind: str) -> None:
        """Take note of a radio operation."""
        now = self._world.now()
        self._last_operation[door.device_id] = now
        if (
            self._calm_at is not None
            and now - self._calm_at > timedelta(hours=30)
            and kind in {"read", "list", "probe"}
        ):
            self._reads[door.device_id, int((now - self._calm_at) / timedelta(hours=1))] += 1
        recent = self._recent.setdefault(door.device_id, deque(maxlen=_FLOOD))
        recent.append(now)
        if len(recent) == _FLOOD and now - recent[0] < timedelta(minutes=10):
            self.broken(10, f"{door.device_id}: {_FLOOD} operations within ten minutes")
        if door.dead:
            tries = self._dead_tries.setdefault(door.device_id, deque())
            tries.append(now)
            while tries and now - tries[0] > timedelta(hours=1):
                tries.popleft()
            if len(tries) > 12:
                self.broken(13, f"{door.device_id} is dead and was tried {len(tries)} times within an hour")

    def before_write(self, door: Door, slot: str | None, credential: Credential) -> None:
        """Judge a write as it goes out."""
        world = self._world
        pin = credential.pin.reveal()
        self._not_replaced(door)
        self._not_rejected_before(door, credential)
        for other, taken in door.lock.slots.items():
            ours = door.origin.get(other) == "hub" and other not in door.lies
            if other != slot and ours and taken.pin == credential.pin and not self._unsure(door, other):
                self.broken(4, f"{door.device_id}: the PIN for slot {slot} already stands in slot {other}")
        if slot is not None:
            self._not_foreign(door, slot)
            self._read_before_first_use(door, slot)
            self._no_needless_rewrite(door, slot, credential)
        if world.clock.synced:
            self._asked_while_synced.add(pin)
        elif pin not in self._asked_while_synced and slot not in door.held:
            wanted = self._wanted(door, pin)
            if (
                wanted is not None
                and not wanted.unsure
                and (wanted.starts_at is not None or wanted.ends_at is not None)
            ):
                self.broken(5, f"{door.device_id}: a window was opened while the clock was not trusted")

    def before_clear(self, door: Door, slot: str) -> None:
        """Judge a clear as it goes out."""
        world = self._world
        self._not_replaced(door)
        self._not_foreign(door, slot)
        self._written.pop((door.device_id, slot), None)
        held = door.lock.slots.get(slot)
        if held is None:
            blind = door.lock.model.capabilities.readback is Readback.NONE
            if self._late_calm() and slot not in door.held and not blind:
                self.broken(10, f"{door.device_id}: empty slot {slot} was cleared in the calm")
            return
        if not world.clock.synced and door.origin.get(slot) == "hub":
            wanted = self._wanted(door, held.pin.reveal())
            open_end = wanted is not None and wanted.ends_at is not None and wanted.ends_at > world.now()
            if wanted is not None and open_end and not wanted.leaving and slot not in door.lies:
                self.broken(5, f"{door.device_id}: a window was closed while the clock was not trusted")

    def _not_replaced(self, door: Door) -> None:
        if door.replaced_at is not None and self._world.now() - door.replaced_at > timedelta(seconds=30):
            self.broken(15, f"{door.device_id}: another lock was written")

    def _not_foreign(self, door: Door, slot: str) -> None:
        """Rule 1: a slot that the hub has seen holding somebody else's code is not touched."""
        if door.origin.get(slot) != "person" or slot not in door.lock.slots:
            return
        if slot in door.held and not self._seen_empty_twice(door, slot):
            return
        typed = door.lock.slots[slot].pin.reveal()
        if any(w.device_id == door.device_id and w.pin == typed for w in self._world.people.wanted.values()):
            return  # somebody typed the PIN of a code of ours: it counts as ours
        filled = door.filled_at[slot]
        if any(at >= filled and not empty for at, empty in door.seen.get(slot, [])):
            self.broken(1, f"{door.device_id}: slot {slot} holds somebody else's code")

    def _seen_empty_twice(self, door: Door, slot: str) -> bool:
        """Say whether the hub could know that its code is gone from a slot; what comes after is foreign."""
        empties: list[datetime] = []
        for at, empty in door.seen.get(slot, []):
            if at < door.held[slot]:
                continue
            empties = [*empties, at] if empty else []
            if len(empties) > 1 and empties[-1] - empties[0] >= EMPTY_TWICE:
                return True
        return False

    def _read_before_first_use(self, door: Door, slot: str) -> None:
        if door.lock.model.capabilities.readback is Readback.NONE or slot in door.held:
            return
        readings = door.seen.get(slot, [])
        last = readings[-1][0] if readings else None
        if last is None or self._world.now() - last > RECENT_READING + _SLACK:
            self.broken(1, f"{door.device_id}: slot {slot} was used without a recent reading of it")

    def _no_needless_rewrite(self, door: Door, slot: str, credential: Credential) -> None:
        last = self._written.get((door.device_id, slot))
        unreadable = door.lock.model.masks_digits or door.lock.model.capabilities.readback is Readback.NONE
        if last is not None and unreadable and last[0].same_access(credential):
            self.broken(3, f"{door.device_id}: unreadable slot {slot} was rewritten for no reason")
        held = door.lock.slots.get(slot)
        if (
            self._late_calm()
            and held is not None
            and held.same_access(credential)
            and held.name == credential.name
        ):
            self.broken(10, f"{door.device_id}: slot {slot} was rewritten in the calm although it was right")

    def rejected(self, door: Door, credential: Credential) -> None:
        """Take note that a lock refused a PIN for good."""
        wanted = self._wanted(door, credential.pin.reveal())
        if wanted is not None:
            self._rejections[wanted.access_code_id] = (self._world.now(), door.changes)

    def _not_rejected_before(self, door: Door, credential: Credential) -> None:
        """Rule 11: what was refused for good is not tried again until something changes."""
        wanted = self._wanted(door, credential.pin.reveal())
        known = self._rejections.get(wanted.access_code_id) if wanted is not None else None
        if wanted is None or known is None or wanted.unsure:
            return
        if not self._world.clock.synced:
            return  # the day after which it may be tried again has passed by the hub's clock
        at, changes = known
        updated = wanted.changed_at is not None and wanted.changed_at >= at
        if door.changes == changes and not updated and self._world.now() - at < timedelta(hours=23):
            self.broken(11, f"{door.device_id}: a PIN that was refused for good was tried again")

    def written(self, door: Door, slot: str, credential: Credential) -> None:
        """Remember a write that was answered well."""
        self._written[door.device_id, slot] = (credential, self._world.now())
        door.held[slot] = self._world.now()

    def doubt(self, door: Door, slot: str | None) -> None:
        """Forget what is certain about a slot (None: about all of a door): a rewrite would have a reason."""
        for known in [key for key in self._written if key[0] == door.device_id and slot in (None, key[1])]:
            del self._written[known]

    def doubt_recent(self) -> None:
        """Forget what is certain about slots just written: the outcome may not have been noted."""
        now = self._world.now()
        for known, (_, at) in list(self._written.items()):
            if now - at < NOTED:
                del self._written[known]
        for code_id, (refused_at, _) in list(self._rejections.items()):
            if now - refused_at < NOTED:
                del self._rejections[code_id]
        self.trouble(None)

    def edited(self, door: Door, slot: str) -> None:
        """Take note of a person's change."""
        del slot
        door.changes += 1
        self.trouble(door)
        door.disturbed = True

    def edit_reported(self, door: Door, slot: str | None) -> None:
        """Take note that the lock told of a person's change."""
        self.doubt(door, slot)

    def wiped(self, door: Door) -> None:
        """Take note of a wipe."""
        self.trouble(door)
        door.disturbed = True
        self._lost_in_wipe[door.device_id] = {
            wanted.access_code_id
            for wanted in self._world.people.wanted.values()
            if wanted.device_id == door.device_id and not wanted.leaving and not wanted.allowed
        }
        self._alarms[door.device_id] = 0

    def died(self) -> None:
        """Take note of the hub's death."""
        self.doubt_recent()
        for door in self._world.doors.values():
            door.hub_died(self._world.now())
        self._dead_tries.clear()

    def calm_began(self) -> None:
        """Take note of the calm."""
        self._calm_at = self._world.now()

    def _late_calm(self) -> bool:
        return self._calm_at is not None and self._world.now() - self._calm_at > timedelta(hours=30)

    def _unsure(self, door: Door, slot: str) -> bool:
        return (door.device_id, slot) not in self._written and slot in door.uncertain

    def _wanted(self, door: Door, pin: str) -> "Wanted | None":
        for wanted in self._world.people.wanted.values():
            if wanted.device_id == door.device_id and wanted.pin == pin and not wanted.deleted:
                return wanted
        return None

    # Ends of windows.

    def expect_end(self, wanted: "Wanted") -> None:
        """Look at a code's slot shortly after its end, as it stands now."""
        ends_at = wanted.ends_at
        if ends_at is None or ends_at <= self._world.now():
            return
        seconds = (ends_at - self._world.now()).total_seconds()
        self._world.later(seconds + 8, lambda: self._removed_in_time(wanted, ends_at))
        self._world.later(seconds + 150, lambda: self._alarmed(wanted, ends_at))

    def _removed_in_time(self, wanted: "Wanted", ends_at: datetime) -> None:
        world, door = self._world, self._world.doors[wanted.device_id]
        if (
            wanted.ends_at != ends_at
            or wanted.leaving
            or wanted.unsure
            or not self._quiet(door, timedelta(minutes=40))
        ):
            return
        same_time = [
            w
            for w in world.people.wanted.values()
            if w.device_id == wanted.device_id
            and w.ends_at is not None
            and abs(w.ends_at - ends_at) < timedelta(minutes=1)
        ]
        if len(same_time) == 1 and self._ours(door, wanted) is not None:
            self.broken(6, f"{door.device_id}: a code was still there 8 s after its end, on a quiet lock")

    def _alarmed(self, wanted: "Wanted", ends_at: datetime) -> None:
        world, door = self._world, self._world.doors[wanted.device_id]
        if (
            wanted.ends_at != ends_at
            or wanted.leaving
            or wanted.unsure
            or not self._hub_fine(timedelta(minutes=5))
        ):
            return
        slot = self._ours(door, wanted)
        if slot is None or slot in door.lies or door.replaced_at is not None:
            return
        told = world.connection.execute(
            "SELECT 1 FROM event WHERE access_code_id = ? AND event_type = 'access_code.failed_to_expire'",
            (wanted.access_code_id,),
        ).fetchone()
        if told is None:
            self.broken(6, f"{door.device_id}: a code is there 150 s after its end and nobody was alarmed")

    def _ours(self, door: Door, wanted: "Wanted") -> str | None:
        for slot, taken in door.lock.slots.items():
            if taken.pin.reveal() != wanted.pin or door.origin.get(slot) != "hub" or not taken.enabled:
                continue
            if door.filled_at[slot] >= wanted.pin_since:
                return slot  # else it is another code's former PIN, which waits to be replaced
        return None

    def _quiet(self, door: Door, quiet_for: timedelta) -> bool:
        now = self._world.now()
        trouble = self._trouble.get(door.device_id)
        busy = self._last_operation.get(door.device_id)
        return (
            self._hub_fine(timedelta(minutes=5))
            and not door.dead
            and not door.refusing
            and self._world.authority_up
            and door.replaced_at is None
            and (trouble is None or now - trouble > quiet_for)
            and (busy is None or now - busy > timedelta(seconds=25) or now - busy < timedelta(seconds=8))
        )

    def _hub_fine(self, fine_for: timedelta) -> bool:
        world, now = self._world, self._world.now()
        if world.hub is None or not world.clock.synced:
            return False
        # The hub looks at its clock now and then only.
        clock_seen = timedelta(seconds=world.clock_period) + fine_for
        if now - world.hub_since < fine_for or now - world.clock_since < clock_seen:
            return False
        return self._hub_trouble is None or now - self._hub_trouble > fine_for

    # What reaches the broker.

    async def run(self) -> None:
        """Judge the events as they arrive, and stop when a rule is broken."""
        while True:
            await asyncio.sleep(60)
            for stored in self._world.broker.new:
                self._event(stored.seq, msgspec.json.encode(stored.event).decode(), stored.event.event_type)
                if stored.event.event_type == "access_code.deleted_external_to_gateway":
                    self._not_one_by_one(
                        stored.event.device_id, stored.event.access_code_id, stored.event.occurred_at
                    )
                    self._twice_empty(
                        stored.event.device_id, stored.event.access_code_id, stored.event.occurred_at
                    )
            self._world.broker.new.clear()
            for (device_id, hour), reads in self._reads.items():
                if reads > self._world.timing.reads_per_hour + 20:
                    self.broken(10, f"{device_id}: {reads} reads in hour {hour} of the calm")
            if self._failure is not None:
                raise self._failure

    def _event(self, seq: int, text: str, event_type: str) -> None:
        if seq <= self._last_seq:
            self.broken(8, f"event {seq} arrived after {self._last_seq}")
        if seq != self._last_seq + 1:
            self.broken(8, f"events between {self._last_seq} and {seq} are missing")
        self._last_seq = seq
        self.no_pin(text, f"event {event_type}")

    def no_pin(self, text: str, where: str) -> None:
        """Judge that a text holds no PIN (rule 9)."""
        if any(token in self.pins for token in _TOKEN.findall(text)):
            self.broken(9, f"a PIN in clear in {where}")

    def _not_one_by_one(self, device_id: str, code_id: str | None, at: datetime) -> None:
        """Rule 14: a wipe is one alarm and not one for every code."""
        lost = self._lost_in_wipe.get(device_id, set())
        if code_id in lost:
            lost.discard(code_id)
            filled = self._world.doors[device_id].filled_since_wipe
            if self._alarms[device_id] == 0 and filled is not None and filled < at:
                lost.clear()  # the hub had filled a slot before it noticed: not all were gone
                return
            self._alarms[device_id] += 1
            if self._world.doors[device_id].asked_in_vain_since_wipe_seen > 1:
                return  # the hub could not see in time that all were gone
            if self._alarms[device_id] > 1 and not self._world.doors[device_id].deleted_since_wipe:
                self.broken(14, f"{device_id}: a wipe was told as {self._alarms[device_id]} single removals")

    def _twice_empty(self, device_id: str, code_id: str | None, at: datetime) -> None:
        """Rule 2: two empty readings, at least 30 s apart, before "removed by somebody"."""
        row = self._world.connection.execute(
            "SELECT slot FROM intent WHERE access_code_id = ? AND kind = 'set' AND opened_at < ?"
            " ORDER BY opened_at DESC",
            (code_id, to_ms(at)),  # not the write that puts it back, which may stand in the same unit
        ).fetchone()
        door = self._world.doors[device_id]
        if row is None or row[0] is None or door.lock.model.capabilities.readback is Readback.NONE:
            return
        if not self._world.clock.synced or not self._world.clock_since < at < self._world.now():
            return  # the hub's times were not the true ones
        empties: list[datetime] = []
        for when, empty in door.seen.get(row[0], []):
            if when > at + timedelta(milliseconds=100):
                break
            empties = [*empties, when] if empty else []
        if len(empties) < 2 or empties[-1] - empties[0] < EMPTY_TWICE - timedelta(seconds=3):
            self.broken(
                2, f"{device_id}: slot {row[0]} was called removed after {len(empties)} empty readings"
            )

    def verdict(self) -> None:
        """Judge the world after the calm: everything is where it should be, and everything was told."""
        judge(self._world, self)
        if self._failure is not None:
            raise self._failure
