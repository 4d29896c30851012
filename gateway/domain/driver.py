"""The contract between the engine and the locks: one driver per protocol.

A driver runs for as long as the daemon does and keeps the link to its authority (a zwave-js server, a
Bluetooth adapter). It tells what it sees to an
`EventSink`, which has stored an event when `handle` returns: records that a lock forgets once read (popped
logs) are handed over one by one before the next is read.
The engine opens a `Session` on one lock to do a batch of work: on Bluetooth one connection, on Z-Wave simply
the lock's turns on the air.

Errors of a session, and what each means for the write that was under way::

    DriverError
    ├── AuthorityDown      server or adapter away      nothing was sent
    ├── LockAsleep         listens only when touched   nothing was sent
    ├── LockUnreachable    the lock did not react      may have been applied
    │   └── NotSent        connection gone before      nothing was sent
    ├── NoAnswer           sent, the answer got lost   may have been applied
    └── Refused            the lock said no            not applied: the slot is as before
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import ClassVar, Final, Literal, Protocol, runtime_checkable

from msgspec import Struct

from gateway.domain.credential import Credential, Evidence, Reading, SlotRef
from gateway.domain.lock import Capabilities, Identity
from gateway.domain.placement import Refusal


class DriverError(Exception):
    """An operation on a lock failed. The message is plain words of ours: no foreign text, no PIN."""

    may_have_been_applied: ClassVar[bool] = False


class AuthorityDown(DriverError):
    """Server or adapter is away. Nothing was sent; the driver tells when it is back."""


class LockAsleep(DriverError):
    """The lock listens only after somebody touches it, and nobody does. Nothing was sent.

    Mostly raised on entering a session. It is no failure: nothing is tried again before `LockAlive`, which
    the driver tells as soon as it hears the lock.
    """


class LockUnreachable(DriverError):
    """The lock did not react. A write may have been applied nevertheless: acknowledgements get lost too."""

    may_have_been_applied = True


class NotSent(LockUnreachable):
    """The connection was gone before anything of this operation went out."""

    may_have_been_applied = False


class NoAnswer(DriverError):
    """The operation went out and its answer got lost."""

    may_have_been_applied = True


class Refused(DriverError):
    """The lock said no, and the slot is as it was before."""

    def __init__(self, reason: Refusal, message: str) -> None:
        """Keep the reason for the planner and the message for people."""
        super().__init__(message)
        self.reason = reason


class PairingFailed(Exception):
    """Pairing with a lock did not come about. The message is plain words of ours for the operator."""

    has_keys: ClassVar[bool] = False
    """It did not come to its end, but what it yielded is kept, and the lock is worked with."""


class Written(Struct, frozen=True, kw_only=True):
    """A write or clear went out, and this is how well its effect is known.

    `reading` is the look the driver took afterwards, where it took one: it decides, whatever `evidence` says.
    """

    slot: SlotRef
    evidence: Evidence
    reading: Reading | None = None


class Session(Protocol):
    """Work on one lock. Every method may raise any `DriverError`."""

    async def read(self, slot: SlotRef) -> Reading:
        """Ask the lock itself for one slot; never a cache."""
        ...

    async def read_all(self) -> Mapping[SlotRef, Reading]:
        """List the taken slots of a lock that chooses them itself; slots not named are empty."""
        ...

    async def probe(self) -> str:
        """Return a checksum over all slots; only where `Capabilities.probe`."""
        ...

    async def write(
        self, slot: SlotRef | None, credential: Credential, *, replaces: Credential | None
    ) -> Written:
        """Store a credential.

        `slot` is None where the lock chooses; `replaces` is what we believe to be there.
        """
        ...

    async def clear(self, slot: SlotRef, *, holds: Credential | None) -> Written:
        """Empty a slot. `holds` is what we believe to be there, for locks that want the old PIN to delete."""
        ...


class LockSeen(Struct, frozen=True, kw_only=True):
    """The lock is known to the authority and ready: who it is and what it can do."""

    device_id: str
    identity: Identity
    capabilities: Capabilities
    battery: float | None = None
    keypad_off: str | None = None
    """As in `KeypadMode`."""
    heard: bool = True
    """False: the driver knows this from before, and whether the lock answers it does not know."""


class LockAlive(Struct, frozen=True, kw_only=True):
    """A sign of life: ends every waiting for this lock."""

    device_id: str


class LockDead(Struct, frozen=True, kw_only=True):
    """The authority says that the lock does not answer."""

    device_id: str


class AuthorityUp(Struct, frozen=True, kw_only=True):
    """The link to the authority stands; `LockSeen` of each lock follows."""

    device_ids: tuple[str, ...]


class AuthorityLost(Struct, frozen=True, kw_only=True):
    """The link to the authority broke."""

    device_ids: tuple[str, ...]


class SlotReported(Struct, frozen=True, kw_only=True):
    """The lock told the content of a slot unasked: an edit at the keypad, or the echo of a write."""

    device_id: str
    slot: SlotRef
    reading: Reading


class SlotTouched(Struct, frozen=True, kw_only=True):
    """The lock told that a slot changed, not to what. `slot` None: it did not say which."""

    device_id: str
    slot: SlotRef | None


class WriteRefused(Struct, frozen=True, kw_only=True):
    """The lock refused what it had accepted: told right after the write, which stood as done by then."""

    device_id: str
    slot: SlotRef
    reason: Refusal


class AllCleared(Struct, frozen=True, kw_only=True):
    """The lock told that all codes were deleted, or that it was included anew."""

    device_id: str


class CodeUsed(Struct, frozen=True, kw_only=True):
    """Somebody opened the door with the code in this slot."""

    device_id: str
    slot: SlotRef
    at: datetime | None = None
    """When, as the lock noted it; None: just now, or it noted nothing that can be believed."""


type Denial = Literal[
    "unknown_code",
    "outside_schedule",
    "blocklisted_code",
    "too_many_attempts",
    "blocked_by_privacy_mode",
    "credential_error",
]
"""Why a lock let nobody in. Names as in the access-code reference; `outside_schedule` is ours."""
DENIALS: dict[Denial, str] = {
    "unknown_code": "a code was typed that the lock does not know",
    "outside_schedule": "the code is not allowed at this time",
    "blocklisted_code": "the code is blocked on the lock",
    "too_many_attempts": "too many wrong codes: the keypad is off for a while",
    "blocked_by_privacy_mode": "the door is locked from the inside, or the keypad is switched off",
    "credential_error": "the lock did not accept what was typed or shown",
}
"""The same in words."""


class AccessDenied(Struct, frozen=True, kw_only=True):
    """Somebody was not let in. The digits typed are dropped in the driver."""

    device_id: str
    reason: Denial
    slot: SlotRef | None = None
    at: datetime | None = None
    """As in `CodeUsed`."""


class Tampered(Struct, frozen=True, kw_only=True):
    """The lock reports tampering, or that its administrator code changed."""

    device_id: str
    what: str


class KeypadMode(Struct, frozen=True, kw_only=True):
    """Whether the keypad takes codes. `off`: why it takes none, in words; None: it takes them."""

    device_id: str
    off: str | None


class BatteryLevel(Struct, frozen=True, kw_only=True):
    """The battery, 0 to 1."""

    device_id: str
    level: float


class ClockChecked(Struct, frozen=True, kw_only=True):
    """The driver set the lock's own clock and read it back. `off_by` None: it could not be read."""

    device_id: str
    off_by: timedelta | None
    lost: bool = False
    """Not read, and what was known of it before holds no longer: the lock may have been without power."""


type LockEvent = (
    LockSeen
    | LockAlive
    | LockDead
    | AuthorityUp
    | AuthorityLost
    | SlotReported
    | SlotTouched
    | WriteRefused
    | AllCleared
    | CodeUsed
    | AccessDenied
    | Tampered
    | KeypadMode
    | BatteryLevel
    | ClockChecked
)


class EventSink(Protocol):
    """Takes what drivers see."""

    async def handle(self, event: LockEvent) -> None:
        """Store the event and wake whom it concerns; durable on return.

        Raises StorageFailed: to be handed over again, see `gateway.domain.handing_over`.
        """
        ...


class Driver(Protocol):
    """One protocol's way to its locks."""

    async def run(self, sink: EventSink) -> None:
        """Keep the link and tell what is seen, until cancelled.

        Never ends by itself, whatever the authority does.
        """
        ...

    def session(self, device_id: str) -> AbstractAsyncContextManager[Session]:
        """Open the lock for a batch of work. Entering may raise any `DriverError`."""
        ...


class Progress(Protocol):
    """Takes plain words for people: "press the button for 5 seconds". They hold nothing that was given."""

    async def __call__(self, words: str, seconds_left: float | None = None, /) -> None:
        """Tell, with how long this step may take, where the driver gives up sooner than the engine."""
        ...


KEEP_KEYS: Final = "keep_keys"
"""May be given to `pair`, with whatever value, where a driver offers it: the stored keys are kept, and what
is given besides is put to them. So it is the lock of before, and was not reset."""


@runtime_checkable
class Pairs(Protocol):
    """What a driver has besides, whose locks must be paired before they can be reached."""

    async def pair(self, device_id: str, given: Mapping[str, str], progress: Progress) -> None:
        """Pair with a configured lock and manage it from now on; what pairing yields is kept on return.

        `given` is what the operator was asked for, by name: a security PIN, keys. Raises PairingFailed or
        DriverError; what was kept before is kept still, unless the failure says `has_keys`.
        """
        ...

    def ask_again(self, device_id: str) -> None:
        """Try again, next time, what the lock has refused to this hub: a person says that it was put right.

        Not what would make the lock shut everybody out (a wrong security PIN).
        """
        ...

    async def unpair(self, device_id: str) -> None:
        """Forget what pairing with a lock yielded; the lock itself may still know the hub."""
        ...
