"""What is kept of a paired lock in the vault. All of it is secret or belongs to a secret."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from drivers.ble.nuki.commands import Registration
from drivers.ble.nuki.frames import Randomness, Seal
from drivers.ble.nuki.records import Config


class PinHeld(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """That the security PIN was refused, not for good; kept, so that no restart sends it anew."""

    since: datetime
    """By the hub's wall clock."""
    locked_out: bool = False
    """The lock takes no PIN for a while. Otherwise somebody said, without proof, that ours is wrong: a person
    must ask for another attempt."""


class NukiKeys(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Keys, security PIN and what pairing learned. Printing shows nothing."""

    address: str
    """Bluetooth address, upper case."""
    shared_key: Annotated[bytes, Meta(min_length=32, max_length=32)]
    authorisation: int
    """The number that the lock knows us by."""
    registration: Registration
    pin: int
    """The lock's security PIN."""
    long_pin: bool = False
    """The PIN has six digits and four bytes (fifth generation)."""
    config: Config | None = None
    config_version: int | None = None
    pin_refused: bool = False
    """The lock said that the PIN is wrong. Kept, so that restarts do not try it again (lockout)."""
    pin_held: PinHeld | None = None
    log_index: int | None = None
    """The last record of the activity log that was told; None: none was."""

    def __repr__(self) -> str:
        """Show nothing."""
        return "NukiKeys(hidden)"

    def seal(self, random: Randomness) -> Seal:
        """Return what closes and opens frames for this lock."""
        return Seal(self.shared_key, self.authorisation, random)

    def pin_bytes(self) -> bytes:
        """Return the security PIN as commands carry it."""
        return self.pin.to_bytes(4 if self.long_pin else 2, "little")

    def with_pin(self, digits: str) -> "NukiKeys":
        """Return the same with another security PIN, which may be tried. Raises ValueError."""
        pin = pin_number(digits, long=self.long_pin)
        return msgspec.structs.replace(self, pin=pin, pin_refused=False, pin_held=None)


def pin_number(digits: str, *, long: bool) -> int:
    """Return a security PIN as a number. Raises ValueError, without the digits, for one of the wrong form."""
    wanted = 6 if long else 4
    if not (digits.isascii() and digits.isdecimal() and len(digits) == wanted):
        raise ValueError(f"the security PIN of this lock has {wanted} digits")
    return int(digits)


def encode(keys: NukiKeys) -> bytes:
    """Return what the keyring stores."""
    return msgspec.json.encode(keys)


def decode(secret: bytes) -> NukiKeys | None:
    """Return the keys; None for what is no keys of a Nuki lock."""
    try:
        return msgspec.json.decode(secret, type=NukiKeys)
    except msgspec.MsgspecError:
        return None
