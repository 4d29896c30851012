"""What the configuration may say about a Nuki lock. Imports no radio library."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from gateway.domain.lock import PinRules


class NukiLockSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is particular about one Nuki lock. Its address and keys come from pairing."""

    register_as: Literal["bridge", "app"] = "bridge"
    """How pairing introduces the hub. Only a bridge makes the lock take its "something changed" bit back, and
    a lock knows only one: `app` where a Nuki Bridge or the lock's own Wi-Fi or Thread is in use. A fifth
    generation lock (Ultra, Go, Pro) is always told "app"."""
    max_codes: Annotated[int, Meta(ge=1, le=1000)] | None = None
    """How many keypad codes the lock holds; None: 100 for the first two generations, 200 for later ones."""
    answer_s: Annotated[float, Meta(ge=1, le=60)] = 10.0
    """Seconds to wait for each message of an answer."""

    @property
    def pin_rules(self) -> PinRules:
        """Return which PINs a Nuki keypad takes."""
        return PinRules(lengths=(6,), alphabet="123456789", constraints=("no_zeros", "cannot_start_with_12"))
