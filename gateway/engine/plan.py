"""What a plan consists of."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from gateway.domain.credential import Credential, SlotRef
from gateway.domain.issues import Issue


class ReadSlot(Struct, frozen=True, kw_only=True, tag="read"):
    """Ask the lock for one slot. `audit`: paid from the read budget."""

    slot: SlotRef
    why: str
    audit: bool = False


class ReadAll(Struct, frozen=True, kw_only=True, tag="list"):
    """List the slots of a lock that chooses them itself."""

    why: str
    audit: bool = False


class Probe(Struct, frozen=True, kw_only=True, tag="probe"):
    """Ask for the checksum over all slots."""

    why: str
    audit: bool = True


class WriteCode(Struct, frozen=True, kw_only=True, tag="write"):
    """Store what a code wants. `slot` None: the lock chooses."""

    access_code_id: str
    slot: SlotRef | None
    credential: Credential
    why: str


class ClearSlot(Struct, frozen=True, kw_only=True, tag="clear"):
    """Empty a slot of ours. `access_code_id` None: what is there belonged to a code that is gone already."""

    access_code_id: str | None
    slot: SlotRef
    why: str


type Step = ReadSlot | ReadAll | Probe | WriteCode | ClearSlot
type Wants = Mapping[str, Credential | None]
"""By code, what its slot should hold now. Codes with which nothing is left to do are not in it."""


class Plan(Struct, frozen=True, kw_only=True):
    """What to do on one lock now, what stands in the way, and when to look again."""

    steps: tuple[Step, ...]
    issues: tuple[Issue, ...]
    next_wake: datetime | None
    holds_removals: bool = False
    """A jump of the clock that nobody confirmed holds removals back."""
    wants: Wants = {}


def radio_commands(step: Step, *, supervised: bool, readable: bool) -> int:
    """Return about how many radio commands a step costs.

    An unsupervised write is looked at once; a schedule is written, and looked at, beside its code.
    """
    if not isinstance(step, WriteCode | ClearSlot):
        return 1
    commands = 2 if readable and not supervised else 1
    has_schedule = isinstance(step, WriteCode) and step.credential.schedule is not None
    return 2 * commands if has_schedule else commands
