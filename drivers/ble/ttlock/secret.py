"""What the vault keeps of a lock: its keys, and which code of it goes by which name.

All of it in one piece, encoded for the keyring. Nothing shows it.
"""

from datetime import datetime

import msgspec

from drivers.ble.ttlock.cipher import KEY_LENGTH
from drivers.ble.ttlock.commands import Feature
from drivers.ble.ttlock.frames import Version
from drivers.ble.ttlock.hidden import Hidden


class Held(Hidden, frozen=True, kw_only=True):
    """A code that goes by a name of ours; `drivers.ble.ttlock.slots` says why and how."""

    slot: str
    original: str
    current: str
    second: str = ""
    """Digits of another code that belongs to this slot too, until a change in two steps is done."""
    gone: bool = False
    """The lock did not list it the last time; kept for a while, because a list may have been wrong."""
    since: datetime | None = None
    """When we stored it, by the hub's clock."""


class Secret(Hidden, frozen=True, kw_only=True):
    """Everything that is known of a lock and is not for everybody's eyes."""

    address: str
    key: bytes
    admin_ps: int
    unlock_key: int
    flag_position: int = 0
    """Rises in the vendor's cloud when it takes keys back; a lock refuses lower ones than it has seen."""
    user_id: int = 0
    version: Version = Version()
    features: int = 0
    model: str = ""
    firmware: str = ""
    admin_passcode: str = ""
    """Opens at the keypad and sets the lock up there; in no slot."""
    half_set_up: bool = False
    """We made ourselves its administrator, and it has not confirmed the rest of its initialisation."""
    held: tuple[Held, ...] = ()
    log_next: int = 0
    """Number of the log record to read next; 0: not known."""
    log_told: tuple[bytes, ...] = ()
    """Marks of the newest records with nothing untold before them, the newest last.

    Not the records: these may have mistyped digits.
    """
    log_ahead: tuple[bytes, ...] = ()
    """Marks of records that were told while there may be untold ones before them."""
    log_since: datetime | None = None
    """While the log is read for the first time: what is older is history, and not told."""
    log_met: bool = False
    """The log was read to its end once."""

    def __post_init__(self) -> None:
        """Refuse a key that is none."""
        if len(self.key) != KEY_LENGTH:
            raise ValueError("a key has 16 bytes")

    def can(self, feature: Feature) -> bool:
        """Say whether the lock told that it is able to do something."""
        return bool(self.features >> feature & 1)


def encode_secret(secret: Secret) -> bytes:
    """Return the bytes for the keyring."""
    return msgspec.msgpack.encode(secret)


def decode_secret(data: bytes) -> Secret:
    """Return what the keyring kept. Raises ValueError, without showing anything, where it is none of ours."""
    try:
        return msgspec.msgpack.decode(data, type=Secret)
    except msgspec.MsgspecError:
        raise ValueError("the stored keys of this lock cannot be read") from None
