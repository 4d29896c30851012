"""What the configuration may say about a TTLock. Imports no radio library."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from gateway.domain.lock import PinRules, Reach

LENGTHS = (4, 5, 6, 7, 8, 9)
"""Digits of a code."""


class TTLockSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The part of a lock's table that this family reads. Its keys are in the vault, from `pinsmith pair`."""

    reach: Literal["on_touch", "always"] = "on_touch"
    """`on_touch`: the lock answers only for some seconds after somebody touched it, as most models do.

    `always`: it can be reached at any time (models that are wired, or have that switched on)."""
    max_codes: Annotated[int, Meta(ge=1, le=1000)] = 100
    """Codes that fit. No lock of this family tells; its manual may. A full lock says so."""
    native_schedules: bool = True
    """Whether the lock may keep the start and the end of a code by its own clock."""
    answer_timeout_s: Annotated[float, Meta(gt=0, le=60)] = 6.0
    """Seconds to wait for an answer."""

    @property
    def when(self) -> Reach:
        """Return when the lock can be spoken to."""
        return Reach.ON_TOUCH if self.reach == "on_touch" else Reach.ALWAYS

    @property
    def pin_rules(self) -> PinRules:
        """Return which PINs the keypad takes; of two that begin alike it takes the shorter one."""
        return PinRules(lengths=LENGTHS, prefix_free=True)
