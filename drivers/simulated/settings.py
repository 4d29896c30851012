"""What the configuration says about simulated locks. Imports nothing heavy."""

from typing import Literal

from msgspec import Struct

type ModelName = Literal["readable", "masked", "write_only", "native", "chooser", "tiny"]
"""The kinds of lock there are; `drivers.simulated.models` says what each can do."""

type Reports = Literal["report", "notification", "silent"]
"""What a lock tells of a change made by hand:

the new content of the slot, only that it changed, or nothing.
"""

MOST_SLOTS = 250
"""As many as the largest Z-Wave keypads have (Yale)."""


class SimulatedSettings(Struct, frozen=True, kw_only=True):
    """The table `[drivers.simulated]`.

    `directory` holds one file per lock; a relative path starts at the data directory.
    """

    directory: str = "simulated"


class SimulatedLockSettings(Struct, frozen=True, kw_only=True):
    """The part of a lock's table that this driver reads.

    `slots` is how many codes fit, 1 to 250; None is what the model comes with.
    Raises ValueError when out of range.
    """

    model: ModelName = "readable"
    slots: int | None = None
    reports: Reports = "notification"

    def __post_init__(self) -> None:
        if self.slots is not None and not 1 <= self.slots <= MOST_SLOTS:
            raise ValueError(f"slots must be from 1 to {MOST_SLOTS}")
