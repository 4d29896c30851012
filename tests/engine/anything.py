"""Facts of one lock drawn from a seed: anything a store may hold, kept small so that facts collide.

Drawn by `random.Random` and not by hypothesis: a hundred times as many cases in the same time, and the
defects looked for here need several rare facts at once.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from random import Random
from typing import NamedTuple

from msgspec.structs import replace

from gateway.domain.clock import ClockStep, TimeView
from gateway.domain.code import AccessCode
from gateway.domain.credential import Credential, Empty, Evidence, Known, Reading, Schedule, Unreadable
from gateway.domain.lock import Capabilities, Device, NativeWindows, Reach
from gateway.domain.pin import Pin
from gateway.domain.placement import (
    Confirmed,
    Former,
    Intent,
    IntentKind,
    Placement,
    Refusal,
    Rejection,
    Slot,
    Snapshot,
)
from gateway.domain.recurrence import Recurrence
from gateway.engine.desire import desired
from gateway.engine.plan import Plan
from gateway.engine.planner import plan
from tests.engine.build import (
    CAN,
    CAN_BLIND,
    CAN_CHOOSE,
    CAN_MASKED,
    CAN_NATIVE,
    DAY,
    MARK,
    MINUTE,
    NOON,
    POLICY,
    SECOND,
    TIMING,
    code,
    device,
    held,
    outside,
    slot,
    view,
)

SLOTS = ("1", "2", "3", "4")
CODES = ("ana", "bo", "cy")
DIGITS = ("345678", "456789", "567891")
PINS = tuple(Pin(digits) for digits in (*DIGITS, "99"))
SMALL = tuple(replace(can, slots=SLOTS, max_codes=4) for can in (CAN, CAN_MASKED, CAN_BLIND, CAN_NATIVE))
ZONE = "Europe/Berlin"
WEEKLY = replace(SMALL[3], native_windows=NativeWindows.DATES_OR_WEEKDAYS, schedule_zone=ZONE)
KINDS = (
    *SMALL,
    replace(SMALL[3], reach=Reach.ON_TOUCH),
    WEEKLY,
    replace(WEEKLY, native_windows=NativeWindows.DATES_AND_WEEKDAYS, disabled_status=False, name_length=8),
    replace(SMALL[0], keypad=False),
    CAN_CHOOSE,
)
WINDOWS = tuple(
    Recurrence(cron=cron, minutes=minutes, time_zone=zone)
    for cron, minutes in (("0 9 * * MON-FRI", 480), ("0 14 * * *", 60), ("30 13 1 * *", 90))
    for zone in (ZONE, "UTC")
)
TIMES = tuple(NOON + n * SECOND for n in (-200_000, -3600, -600, -60, -20, 0, 20, 60, 600, 3600, 200_000))


class Case(NamedTuple):
    """Facts, a look at the time, and the plan that follows; a failure names `seed` and `number`."""

    seed: int
    number: int
    snap: Snapshot
    t: TimeView
    found: Plan


@cache
def cases(seed: int, count: int = 500) -> tuple[Case, ...]:
    """Return so many cases, drawn once for all who look at them."""
    anything = Anything(seed)
    drawn = ((anything.snapshot(), anything.view()) for _ in range(count))
    return tuple(Case(seed, number, snap, t, plan(snap, t, TIMING)) for number, (snap, t) in enumerate(drawn))


class Anything:
    """Draws facts. The same seed draws the same."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)

    def one[T](self, values: Sequence[T]) -> T:
        """Return one of these."""
        return self.rng.choice(values)

    def maybe[T](self, draw: Callable[[], T], chance: float = 0.5) -> T | None:
        """Return what is drawn, or None."""
        return draw() if self.rng.random() < chance else None

    def flag(self, chance: float = 0.5) -> bool:
        """Return yes or no."""
        return self.rng.random() < chance

    def time(self) -> datetime:
        """Return a moment around noon."""
        return self.one(TIMES)

    def view(self) -> TimeView:
        """Return a look at the time: trusted or not, after a jump or not."""
        step = self.maybe(lambda: ClockStep(NOON - DAY, NOON))
        return TimeView(now=NOON, trusted=self.flag(0.7), floor=self.time(), mark=MARK, step=step)

    def credential(self) -> Credential:
        """Return any content."""
        schedule = self.maybe(
            lambda: Schedule(starts_at=self.maybe(self.time), ends_at=self.maybe(self.time)), 0.3
        )
        return Credential(
            pin=self.one(PINS), enabled=self.flag(0.7), schedule=schedule, name=self.one([None, "A"])
        )

    def reading(self) -> Reading:
        """Return any answer."""
        shown = Known(self.credential())
        answers: list[Reading] = [Empty(), Unreadable(self.one([None, True, False])), shown, shown]
        return self.one(answers)

    def code(self, code_id: str) -> AccessCode:
        """Return any code."""
        return replace(
            code(code_id),
            pin=self.one(PINS),
            starts_at=self.maybe(self.time),
            ends_at=self.maybe(self.time),
            is_external_modification_allowed=self.flag(),
            prefer_native_scheduling=self.flag(),
            deleted_at=self.maybe(lambda: NOON - MINUTE, 0.3),
            revision=self.one([1, 2]),
            recurrence=self.maybe(lambda: self.one(WINDOWS), 0.25),
            is_one_time_use=self.flag(0.2),
            first_used_at=self.maybe(self.time, 0.3),
            backup=self.one([None, None, None, "waiting", "pulled"]),
            pulled_backup_access_code_id=self.maybe(lambda: self.one(CODES), 0.2),
        )

    def placement(self, code_id: str, where: str | None, *, chooses: bool) -> Placement:
        """Return anything that may be known of a code on its lock; only a lock that chooses hides where."""
        return Placement(
            access_code_id=code_id,
            slot=where,
            confirmed=self.maybe(
                lambda: Confirmed(
                    credential=self.credential(),
                    evidence=self.one(list(Evidence)),
                    at=self.time(),
                    revision=1,
                ),
                0.5 if chooses or where is not None else 0.0,
            ),
            outside=self.maybe(
                lambda: outside(
                    self.one(["modified", "removed"]),
                    honoured=self.flag(),
                    fields=self.one([("code",), ("enabled",)]),
                ),
                0.3,
            ),
            empty_since=self.maybe(self.time, 0.3),
            rewrite_due=self.flag(0.3),
            rejection=self.maybe(
                lambda: Rejection(
                    reason=self.one(list(Refusal)),
                    at=self.time(),
                    revision=self.one([1, 2]),
                    inventory_version=self.one([0, 1]),
                ),
                0.3,
            ),
            failures=self.one([0, 0, 1, 3]),
            retry_at=self.maybe(self.time, 0.3),
            removal_began=self.maybe(self.time, 0.3),
            lost=self.one([0, 0, 1, 4]),
            contested=self.one([0, 0, 2, 5]),
            contested_at=self.maybe(self.time, 0.3),
            cleared_at=self.maybe(self.time, 0.3),
            was_on_lock=self.flag(),
        )

    def slot(self, name: str, *, ours: bool) -> Slot:
        """Return anything that may be known of a slot; one of ours is nobody else's, nor asked to go."""
        unmanaged_id = None if ours else self.maybe(lambda: f"unmanaged {name}")
        return Slot(
            slot=name,
            reading=self.maybe(self.reading, 0.8),
            read_at=self.maybe(self.time, 0.8),
            empty_since=self.maybe(self.time, 0.3),
            check_at=self.maybe(self.time, 0.3),
            touched=self.flag(0.3),
            own_write_at=self.maybe(self.time, 0.3),
            unmanaged_id=unmanaged_id,
            doomed_at=self.maybe(self.time, 0.3) if unmanaged_id is not None else None,
            former=self.maybe(lambda: Former(pin=self.one(PINS), removed_at=self.time())),
            ghost=ours and self.flag(0.2),
            retry_at=self.maybe(self.time, 0.3),
        )

    def intent(self, code_id: str, where: str | None, number: int) -> Intent:
        """Return an open operation of a code."""
        kind = self.one(list(IntentKind)) if where is not None else IntentKind.SET
        return Intent(
            intent_id=f"intent {number}",
            access_code_id=code_id,
            revision=1,
            slot=where,
            kind=kind,
            target=self.credential() if kind is IntentKind.SET else None,
            before=self.maybe(self.reading),
            opened_at=self.one([time for time in TIMES if time <= NOON]),
        )

    def device(self, can: Capabilities | None = None) -> Device:
        """Return a lock, mostly one that may be worked on."""
        shut = self.flag(0.2)
        return device(
            can or self.one(KINDS),
            policy=replace(
                POLICY, managed_slots=self.one([None, ("2", "3")]), backup_pool=self.one([0, 0, 2])
            ),
            is_managed=self.flag(0.9),
            is_clock_right=self.one([None, True, False]),
            backup_pool_enabled=self.one([None, True, False]),
            reported_lengths=self.one([(), (), (6,), (2, 6)]),
            retiring=self.flag(0.1),
            audit_round=self.maybe(lambda: NOON - MINUTE),
            probe=self.one([None, "abcd"]),
            probed_at=self.maybe(self.time),
            read_budget=self.maybe(self.time),
            wipe_suspected_at=self.maybe(lambda: NOON - MINUTE, 0.2),
            wiped_at=self.maybe(self.time, 0.2),
            held_after_wipe=self.flag(),
            retry_at=self.time() if shut else None,
            paused_until=self.time() if shut else None,
            asleep_since=self.maybe(self.time, 0.2) if shut else None,
            authority_lost_at=self.maybe(self.time) if shut else None,
        )

    def snapshot(self, can: Capabilities | None = None) -> Snapshot:
        """Return facts as bookkeeping allows them: a slot has one owner at most, and none that is others'."""
        ids = [code_id for code_id in CODES if self.flag(0.7)]
        free = self.rng.sample(SLOTS, len(SLOTS))
        where = {code_id: free.pop() if self.flag(0.7) else None for code_id in ids}
        lock = self.device(can)
        chooses = lock.capabilities is not None and lock.capabilities.lock_chooses_slot
        return Snapshot(
            device=lock,
            codes={code_id: self.code(code_id) for code_id in ids},
            placements={code_id: self.placement(code_id, where[code_id], chooses=chooses) for code_id in ids},
            slots={n: self.slot(n, ours=n in where.values()) for n in SLOTS if self.flag(0.8)},
            intents=tuple(
                self.intent(code_id, where[code_id], number)
                for number, code_id in enumerate(ids * 2)
                if self.flag(0.25) and (chooses or where[code_id] is not None)
            ),
        )

    def converged(self) -> Snapshot:
        """Return a lock that holds what its codes want, as far as it shows it."""
        lock = device(self.one(KINDS), is_clock_right=self.one([None, True, False]))
        asked = {
            code_id: replace(self.code(code_id), pin=Pin(digits), deleted_at=None)
            for code_id, digits in zip(CODES, DIGITS, strict=True)
        }
        placed: dict[str, Placement] = {}
        states = {name: slot(name, Known(Credential(pin=Pin("999999")))) for name in SLOTS}
        for name, (code_id, wish) in zip(SLOTS, asked.items(), strict=False):
            so_far = Snapshot(device=lock, codes=asked, placements=placed, slots={}, intents=())
            want = desired(wish, so_far, view(), TIMING)
            if want is not None:
                placed[code_id] = held(code_id, name, want, self.one(list(Evidence)))
                shown = self.one([None, Known(want), Unreadable()])
                states[name] = replace(slot(name), reading=shown)
        return Snapshot(device=lock, codes=asked, placements=placed, slots=states, intents=())
