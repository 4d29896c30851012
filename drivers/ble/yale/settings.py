"""What the configuration may say about a Yale or August lock. Imports no radio library."""

from typing import Annotated

from msgspec import Meta, Struct

from gateway.domain.lock import PinRules

KEY, KEY_SLOT = "key", "key_slot"
"""What pairing must be given: the offline key in hexadecimal digits, and its number in the lock."""
MOST_SLOTS = 250
MOST_DIGITS = 14
"""What the seven bytes for a PIN can hold."""


class YaleLockSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is particular about one Yale lock: exactly one of `address` and `bluetooth_name`.

    Its offline key and the slot of that key are no settings: pairing asks for them and the vault keeps them.

    Raises:
        ValueError: both or none of the ways to find the lock were given.
    """

    address: Annotated[str, Meta(pattern=r"^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$")] | None = None
    """The Bluetooth address."""
    bluetooth_name: Annotated[str, Meta(min_length=1)] | None = None
    """The name under which the lock advertises: the first two and last five characters of its serial."""
    slots: Annotated[int, Meta(ge=1, le=MOST_SLOTS)] = 10
    """Places for codes, numbered from 1. No lock tells; ten is what the smallest one is said to have."""
    pin_lengths: Annotated[tuple[Annotated[int, Meta(ge=4, le=MOST_DIGITS)], ...], Meta(min_length=1)] = (6,)
    """How many digits the keypad takes. No lock tells; six is what all keypads we read about take."""
    activity_log: bool = True
    """Whether to read the lock's activity log, which says who came in. What is read is gone from the lock:
    the vendor's app and bridge do not see it any more."""

    def __post_init__(self) -> None:
        """Demand one way to find the lock, not two that may disagree."""
        if (self.address is None) == (self.bluetooth_name is None):
            raise ValueError("a Yale lock needs either address or bluetooth_name")

    @property
    def pin_rules(self) -> PinRules:
        """Return which PINs the keypad takes."""
        return PinRules(lengths=self.pin_lengths)
