"""Watches the numbered rules of the design while the world runs."""

import re
from collections import deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gateway.domain.credential import Credential
from gateway.domain.lock import Readback
from gateway.domain.timing import RECENT_READING
from storage.codec import to_ms
from tests.simulation.doors import NOTED, Door
from tests.simulation.ends import Ends
from tests.simulation.news import News
from tests.simulation.verdict import judge, judge_backups

if TYPE_CHECKING:
    from tests.simulation.wanted import Wanted
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
        self._recent: dict[str, deque[datetime]] = {}
        self._dead_tries: dict[str, deque[datetime]] = {}
        self._calm_at: datetime | None = None
        self._failure: BrokenRule | None = None
        self._rejections: dict[str, tuple[datetime, int]] = {}
        self._last_held: dict[tuple[str, str], str] = {}
        self._cleared: set[tuple[str, str]] = set()
        """Slots whose clear was answered well, and that were not written since."""
        self.ends = Ends(world, self)
        self.news = News(world, self)

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
        if (
            self._calm_at is not None
            and now - self._calm_at > timedelta(hours=30)
            and kind in {"read", "list", "probe"}
        ):
            self.news.reads[door.device_id, int((now - self._calm_at) / timedelta(hours=1))] += 1
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
        self.pins.add(pin)
        self._not_held(door)
        self._not_replaced(door)
        self._not_given_away(door)
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
            if wanted is not None and not wanted.unsure and wanted.has_window:
                self.broken(5, f"{door.device_id}: a window was opened while the clock was not trusted")
        if slot is not None:
            self._opens_nothing_untrusted(door, slot, credential)
            self._cleared.discard((door.device_id, slot))

    def before_clear(self, door: Door, slot: str) -> None:
        """Judge a clear as it goes out."""
        world = self._world
        self._not_held(door)
        self._not_replaced(door)
        self._not_foreign(door, slot)
        self._written.pop((door.device_id, slot), None)
        held = door.lock.slots.get(slot)
        if held is not None:
            self._last_held[door.device_id, slot] = held.pin.reveal()
        if held is None:
            blind = door.lock.model.capabilities.readback is Readback.NONE
            if self.is_late_calm() and slot not in door.held and not blind:
                self.broken(10, f"{door.device_id}: empty slot {slot} was cleared in the calm")
            return
        if not world.clock.synced and door.origin.get(slot) == "hub":
            wanted = self._wanted(door, held.pin.reveal())
            if wanted is None or not wanted.has_window or not wanted.is_settled or slot in door.lies:
                return
            is_late_write = (door.device_id, slot) in self._cleared
            if (wanted.ends_at is None or wanted.ends_at > world.now()) and not is_late_write:
                self.broken(5, f"{door.device_id}: a window was closed while the clock was not trusted")

    def _opens_nothing_untrusted(self, door: Door, slot: str, credential: Credential) -> None:
        """Rule 5: while the hub's clock is not trusted, nothing that is shut is made to open the door."""
        last, wanted = (
            self._written.get((door.device_id, slot)),
            self._wanted(door, credential.pin.reveal()),
        )
        if self._world.clock.synced or last is None or wanted is None:
            return
        if not wanted.is_settled or wanted.allowed or not wanted.has_window:
            return
        is_hub_kept = credential.enabled and credential.schedule is None
        if is_hub_kept and not _opens(last[0], self._world.now()) and last[0].pin == credential.pin:
            self.broken(5, f"{door.device_id}: slot {slot} was opened while the clock was not trusted")

    def known_slots(self, door: Door) -> dict[str, list[str]]:
        """Return the slots in which the hub knows its PINs to be."""
        known: dict[str, list[str]] = {}
        for (device_id, slot), (credential, _) in self._written.items():
            taken = door.lock.slots.get(slot)
            if device_id == door.device_id and taken is not None and taken.pin == credential.pin:
                known.setdefault(credential.pin.reveal(), []).append(slot)
        return known

    def cleared(self, door: Door, slot: str) -> None:
        """Take note of a clear that was answered well."""
        self._cleared.add((door.device_id, slot))
        held = self._last_held.pop((door.device_id, slot), None)
        if held is not None and self._world.clock.synced:
            self._asked_while_synced.discard(held)

    def _not_held(self, door: Door) -> None:
        if self._world.restores.held:
            self.broken(1, f"{door.device_id}: a lock was written before the restore was confirmed")

    def restored(self, above: int) -> None:
        """Forget what the hub has forgotten."""
        self._written.clear()
        self._rejections.clear()
        self._last_held.clear()
        self._cleared.clear()
        for door in self._world.doors.values():
            door.changes += 1
            self.trouble(door)
        self.trouble(None)
        self.news.restored(above)

    def _not_given_away(self, door: Door) -> None:
        since = door.given_away_at
        if since is not None and self._world.now() - since > timedelta(seconds=30):
            self.broken(1, f"{door.device_id}: a lock was written that is not in the hub's hands")

    def _not_replaced(self, door: Door) -> None:
        if door.replaced_at is not None and self._world.now() - door.replaced_at > timedelta(seconds=30):
            self.broken(15, f"{door.device_id}: another lock was written")

    def _not_foreign(self, door: Door, slot: str) -> None:
        """Rule 1: a slot that the hub has seen holding somebody else's code is not touched."""
        if door.origin.get(slot) != "person" or slot not in door.lock.slots or slot in door.named:
            return
        if slot in door.held and not door.seen_empty_twice(slot):
            return
        if door.may_be_own(slot):
            return
        typed = door.lock.slots[slot].pin.reveal()
        wanted = self._world.people.wanted.values()
        if any(w.device_id == door.device_id and w.pin == typed and not w.released for w in wanted):
            return  # somebody typed the PIN of a code of ours: it counts as ours
        filled = door.filled_at[slot]
        if any(at >= filled and not empty and door.noted(at) for at, empty in door.seen.get(slot, [])):
            self.broken(1, f"{door.device_id}: slot {slot} holds somebody else's code")

    def _read_before_first_use(self, door: Door, slot: str) -> None:
        if door.lock.model.capabilities.readback is Readback.NONE or slot in {*door.held, *door.named}:
            return  # a command that names a code takes its slot as it is
        readings = door.seen.get(slot, [])
        if readings and slot in self._world.restores.own.get(door.device_id, ()):
            return
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
            self.is_late_calm()
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
        at, changes = known
        if not self._world.clock.synced or self._world.clock_since > at:
            return  # the day after which it may be tried again may have passed by the hub's clock
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
        for door in self._world.doors.values():
            door.hub_forgot(now)
        self.trouble(None)

    def _doubt_journalled(self) -> None:
        """Forget what is certain about slots whose operation was journalled just before the hub died.

        It may not have gone out; the hub cannot know that.
        """
        world = self._world
        opened = world.connection.execute(
            "SELECT device_id, slot FROM intent WHERE closed_at IS NULL AND opened_at >= ?",
            (to_ms(world.clock.now() - NOTED),),
        )
        for device_id, slot in opened.fetchall():
            if slot is not None:
                self.doubt(world.doors[device_id], slot)

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
        self.news.wiped(door)

    def died(self) -> None:
        """Take note of the hub's death."""
        self.doubt_recent()
        self._doubt_journalled()
        self._dead_tries.clear()

    def calm_began(self) -> None:
        """Take note of the calm."""
        self._calm_at = self._world.now()
        for hours in (8, 12, 20):
            # Half a minute past a full one, see CALM.
            self._world.later(hours * 3600 + 630, lambda: judge_backups(self._world, self))

    def is_late_calm(self) -> bool:
        """Say whether the calm has lasted long enough for everything to be as it should."""
        return self._calm_at is not None and self._world.now() - self._calm_at > timedelta(hours=30)

    def _unsure(self, door: Door, slot: str) -> bool:
        return (door.device_id, slot) not in self._written and slot in door.uncertain

    def _wanted(self, door: Door, pin: str) -> "Wanted | None":
        """Return the code with this PIN: where it was given again after another code's end, the later one."""
        now = self._world.now()
        with_it = [
            wanted
            for wanted in self._world.people.wanted.values()
            if wanted.device_id == door.device_id
            and wanted.pin == pin
            and not (wanted.deleted or wanted.released)
        ]
        return max(
            with_it, key=lambda it: (it.ends_at is None or it.ends_at > now, it.pin_since), default=None
        )

    # What nobody may blame the hub for.

    def is_quiet(self, door: Door, quiet_for: timedelta) -> bool:
        """Say whether nothing stood in the way of work on this lock for a while."""
        now = self._world.now()
        trouble = self._trouble.get(door.device_id)
        return (
            self.is_hub_fine(timedelta(minutes=5))
            and not self._world.restores.is_doubted(door)
            and not door.dead
            and not door.refusing
            and self._world.authority_up
            and door.replaced_at is None
            and door.given_away_at is None
            and (trouble is None or now - trouble > quiet_for)
        )

    def was_idle(self, door: Door, at: datetime, seconds: int = 25) -> bool:
        """Say whether nothing was on the air of this lock in the last seconds before a moment."""
        recent = self._recent.get(door.device_id, ())
        return not any(at - timedelta(seconds=seconds) < moment < at for moment in recent)

    def is_hub_fine(self, fine_for: timedelta) -> bool:
        """Say whether the hub has lived, stored and known the time for a while."""
        world, now = self._world, self._world.now()
        if world.hub is None or not world.clock.synced:
            return False
        # The hub looks at its clock now and then only.
        clock_seen = timedelta(seconds=world.clock_period) + fine_for
        if now - world.hub_since < fine_for or now - world.clock_since < clock_seen:
            return False
        return self._hub_trouble is None or now - self._hub_trouble > fine_for

    async def run(self) -> None:
        """Judge the events as they arrive, and stop when a rule is broken."""
        await self.news.run()

    def no_pin(self, text: str, where: str) -> None:
        """Judge that a text holds no PIN (rule 9)."""
        if any(token in self.pins for token in _TOKEN.findall(text)):
            self.broken(9, f"a PIN in clear in {where}")

    def verdict(self) -> None:
        """Judge the world after the calm: everything is where it should be, and everything was told."""
        judge(self._world, self)
        self.stop_if_broken()

    def stop_if_broken(self) -> None:
        """Raise what was found so far."""
        if self._failure is not None:
            raise self._failure


def _opens(credential: Credential, at: datetime) -> bool:
    """Say whether a credential opens the door at a moment, by a lock whose clock is right."""
    schedule = credential.schedule
    if not credential.enabled or schedule is None:
        return credential.enabled
    inside = (schedule.starts_at is None or schedule.starts_at <= at) and (
        schedule.ends_at is None or at < schedule.ends_at
    )
    minute = at.hour * 60 + at.minute
    return inside and (
        not schedule.weekly
        or any(
            at.weekday() in w.weekdays and w.from_minute <= minute < w.until_minute for w in schedule.weekly
        )
    )
