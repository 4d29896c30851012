"""What a lock is and can do, and what the hub remembers of it."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from gateway.domain.clock import ClockMark
from gateway.domain.credential import SlotRef

type ConstraintType = Literal[
    "no_zeros",
    "cannot_start_with_12",
    "no_triple_consecutive_ints",
    "no_ascending_or_descending_sequence",
    "at_least_three_unique_digits",
    "no_all_same_digits",
    "unique_first_four_digits",
    "cannot_contain_089",
    "cannot_contain_0789",
]
"""Rules that some keypads put on PINs; names as in the access-code reference, section 8.2."""


class PinRules(Struct, frozen=True, kw_only=True):
    """Which PINs a lock takes: a set of lengths (not a range), the characters, further rules."""

    lengths: tuple[int, ...] = (4, 5, 6, 7, 8)
    alphabet: str = "0123456789"
    constraints: tuple[ConstraintType, ...] = ()
    prefix_free: bool = False
    """The keypad takes a code as soon as its digits are complete, so that none may begin with another one."""


class Readback(StrEnum):
    """What a look at a slot is worth on this lock."""

    DIGITS = "digits"
    """Readings tell; a slot may still come back `Unreadable` where the lock masks digits."""
    NONE = "none"
    """The lock answers "available" whatever it holds: readings prove nothing and are not made."""


class Reach(StrEnum):
    """When a lock can be spoken to."""

    ALWAYS = "always"
    ON_TOUCH = "on_touch"
    """Only for some seconds after somebody touches it: everything is preloaded at creation."""


class NativeWindows(StrEnum):
    """What schedules the lock keeps by itself."""

    NONE = "none"
    DATES = "dates"
    DATES_OR_WEEKDAYS = "dates_or_weekdays"
    """One kind at a time for one code (Z-Wave Schedule Entry Lock)."""
    DATES_AND_WEEKDAYS = "dates_and_weekdays"


class Capabilities(Struct, frozen=True, kw_only=True):
    """What differs between locks, as far as the planner must know.

    `slots` are the places the hub may choose from, lowest first; empty where the lock chooses (`max_codes`
    counts).
    """

    slots: tuple[SlotRef, ...] = ()
    max_codes: int
    pin_rules: PinRules = PinRules()
    readback: Readback = Readback.DIGITS
    supervised: bool = False
    disabled_status: bool = False
    native_windows: NativeWindows = NativeWindows.NONE
    schedule_granularity: timedelta = timedelta(minutes=1)
    schedule_zone: str | None = None
    """IANA zone of the lock's own clock, where it keeps local time; None: it keeps UTC.

    Schedules handed to a driver lie on the lock's grid already (`gateway.domain.schedules`)."""
    fence: timedelta | None = None
    """The lock can end a code by itself, but not at a time that is known well enough to rely on: what the hub
    opens and closes itself is given an end this much later, in case the hub fails. None: it cannot."""
    probe: bool = False
    """One cheap request answers a checksum over all slots."""
    name_length: int = 0
    """Characters the lock can store as a name; 0 where it stores none."""
    reports_use: bool = False
    reach: Reach = Reach.ALWAYS
    spacing: timedelta = timedelta(0)
    """Pause between two operations on this lock."""
    keypad: bool | None = None
    """A keypad is there; False: the lock could hold codes but nobody can type them; None: not known."""

    @property
    def lock_chooses_slot(self) -> bool:
        """Say whether the lock assigns slots (Nuki) rather than the hub (Z-Wave)."""
        return not self.slots


class Identity(Struct, frozen=True, kw_only=True):
    """Who a lock is: pinned at first sight, so that another lock behind the same address is noticed."""

    network: str
    manufacturer: str
    product: str | None
    """None where the lock did not tell it yet: a word in its place would be another product."""
    serial: str | None = None
    dsk: str | None = None
    """The key of its own with which it was included (Z-Wave S2); forgotten with the server's memory."""

    def contradicts(self, seen: "Identity") -> bool:
        """Say whether `seen` is certainly another lock.

        A product, serial or key that one side does not know contradicts nothing.
        """
        if (self.network, self.manufacturer) != (seen.network, seen.manufacturer):
            return True
        told = ((self.product, seen.product), (self.serial, seen.serial), (self.dsk, seen.dsk))
        return any(mine is not None and theirs is not None and mine != theirs for mine, theirs in told)

    def completed(self, other: "Identity") -> "Identity":
        """Return this with what only `other` knows, which is of the same lock."""
        return replace(
            self,
            product=other.product if self.product is None else self.product,
            serial=other.serial if self.serial is None else self.serial,
            dsk=other.dsk if self.dsk is None else self.dsk,
        )


class Link(StrEnum):
    """How the hub stands with a lock."""

    UNKNOWN = "unknown"
    ONLINE = "online"
    UNREACHABLE = "unreachable"
    """The authority (server, adapter) is there and says that the lock does not answer."""


class OnWipe(StrEnum):
    """What to do with the codes of a lock found empty all at once."""

    REFILL = "refill"
    HOLD = "hold"


class LockPolicy(Struct, frozen=True, kw_only=True):
    """What the configuration says about one lock."""

    name: str
    driver: str
    managed_slots: tuple[SlotRef, ...] | None = None
    on_wipe: OnWipe = OnWipe.REFILL
    audit: str = "17 3 * * *"
    pin_length: int | None = None
    backup_pool: int = 0
    """Backup codes to keep ready on the lock; 0: none, until somebody asks for the pool."""
    pin_rules: PinRules | None = None
    """What the driver says of all locks of this kind, until this one was seen. Not to be configured."""


type BatteryStatus = Literal["critical", "low", "good", "full"]
LOW_BATTERY = 0.2
"""Level below which the battery is called low; the reference publishes no figures."""


def battery_status(level: float) -> BatteryStatus:
    """Return the word for a charge from 0 to 1."""
    if level < LOW_BATTERY / 2:
        return "critical"
    if level < LOW_BATTERY:
        return "low"
    return "good" if level < 1 - LOW_BATTERY else "full"


USUAL_POOL = 3
"""Backup codes of a pool whose size nobody chose; the reference advises five on locks with many slots."""


class Device(Struct, frozen=True, kw_only=True):
    """What the hub remembers of one lock. `policy` is None once the lock is gone from the configuration."""

    device_id: str
    policy: LockPolicy | None
    capabilities: Capabilities | None = None
    identity: Identity | None = None
    seen_identity: Identity | None = None
    clock: ClockMark | None = None
    """The clock by which the times here and on slots and placements were noted."""
    link: Link = Link.UNKNOWN
    link_since: datetime | None = None
    authority_lost_at: datetime | None = None
    silent_since: datetime | None = None
    """The lock as a whole does not answer since then; None: it does, as far as is known."""
    returns: int = 0
    """How often it came back out of a silence, each that began soon after the one before."""
    returned_at: datetime | None = None
    keypad_off: str | None = None
    """Why the keypad takes no codes, in words; None: it takes them, as far as the lock tells."""
    battery: float | None = None
    asleep_since: datetime | None = None
    """The lock did not listen then, as it does until somebody touches it; None: it was heard since."""
    is_paired: bool | None = None
    """Whether the hub has the keys that reach the lock; None: it needs none."""
    is_managed: bool = True
    """False: somebody gave the lock's codes out of the hub's hands; nothing is written or judged."""
    is_clock_right: bool | None = None
    """The lock's own clock, by which it opens and closes native windows; None: not known."""
    clock_off_by: timedelta | None = None
    clock_unread: bool = False
    """The driver asked for the lock's clock in vain the last time."""
    reported_lengths: tuple[int, ...] = ()
    """PIN lengths that an operator says this lock takes; empty: those the driver knows."""
    backup_pool_enabled: bool | None = None
    """What a command said about the backup pool; None: the configuration decides."""
    paused_until: datetime | None = None
    retiring: bool = False
    held_for_restore: bool = False
    restored_from: datetime | None = None
    """A backup was restored that knew the lock until then at least; None: every slot was looked at since."""
    doubted_since: datetime | None = None
    """What the lock held is doubted since then: a restore was confirmed, or it was paired anew."""
    failures: int = 0
    """Unanswered operations in a row; drives the back-off of rule 13."""
    retry_at: datetime | None = None
    looks_refused: int = 0
    """Looks in a row that the lock refused, at whatever slots."""
    look_retry_at: datetime | None = None
    """No slot is looked at before this; writes and removals are not held back."""
    inventory_version: int = 0
    """Rises whenever a slot is found different; a rejected code is tried again when it rose."""
    probe: str | None = None
    """Checksum that belongs to the readings we have; None after own writes, because they change it."""
    unseen_since: datetime | None = None
    """The driver connected then and has not told of this lock since: it may be another one by now."""
    probe_open: str | None = None
    """Checksum from before the readings of the audit under way; None after own writes."""
    probe_opened_at: datetime | None = None
    audit_at: datetime | None = None
    """When the next audit is due; None: at once."""
    audit_round: datetime | None = None
    """Start of the audit under way."""
    probed_at: datetime | None = None
    """Last comparison of the checksum, or last listing of a lock that chooses its slots."""
    read_budget: datetime | None = None
    """Virtual time up to which the read budget is spent (rule 10)."""
    wipe_suspected_at: datetime | None = None
    wiped_at: datetime | None = None
    held_after_wipe: bool = False
    """The lock was found wiped and its policy says that a person decides about filling it again."""

    @property
    def replaced(self) -> bool:
        """Say whether another lock answers than the one that was pinned (rule 15)."""
        return (
            self.identity is not None
            and self.seen_identity is not None
            and self.identity.contradicts(self.seen_identity)
        )

    @property
    def keeps_time(self) -> bool:
        """Say whether windows may be left to the lock's clock: it was read and is right.

        A lock that is told windows in UTC (Nuki) is taken at its word: no driver reads the clock of one.
        """
        is_read = self.capabilities is not None and self.capabilities.schedule_zone is not None
        return self.is_clock_right is True or (self.is_clock_right is None and not is_read)

    @property
    def backup_pool_size(self) -> int:
        """Return how many backup codes are to wait on the lock: none while it is out of the hub's hands."""
        if not self.is_managed:
            return 0
        configured = self.policy.backup_pool if self.policy is not None else 0
        if self.backup_pool_enabled is None:
            return configured
        return (configured or USUAL_POOL) if self.backup_pool_enabled else 0

    @property
    def managed_slots(self) -> tuple[SlotRef, ...]:
        """Return the slots that the hub may use, lowest first."""
        if self.capabilities is None or self.policy is None:
            return ()
        granted = self.policy.managed_slots
        return tuple(slot for slot in self.capabilities.slots if granted is None or slot in granted)
