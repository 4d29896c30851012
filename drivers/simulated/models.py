"""The kinds of simulated lock, each a stand-in for a family of real ones."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from drivers.simulated.settings import ModelName
from gateway.domain.lock import Capabilities, NativeWindows, PinRules, Readback


class Model(Struct, frozen=True, kw_only=True):
    """A kind of lock: what it can do, and what the planner is not told beforehand."""

    name: ModelName
    capabilities: Capabilities
    masks_digits: bool = False
    """A look at a taken slot shows no digits (Schlage BE469 answers ten asterisks)."""
    refuses_duplicates: bool = True
    """A PIN may stand in one slot only."""

    def with_slots(self, count: int) -> "Model":
        """Return the same kind of lock with room for `count` codes (1 or more)."""
        slots = () if self.capabilities.lock_chooses_slot else _numbered(count)
        return replace(self, capabilities=replace(self.capabilities, slots=slots, max_codes=count))


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(str(number) for number in range(1, count + 1))


READABLE = Model(  # Z-Wave, User Code version 2 under S2
    name="readable",
    capabilities=Capabilities(
        slots=_numbered(20),
        max_codes=20,
        supervised=True,
        disabled_status=True,
        probe=True,
        reports_use=True,
    ),
)

MASKED = Model(  # Z-Wave before S2, digits hidden
    name="masked",
    masks_digits=True,
    capabilities=Capabilities(slots=_numbered(20), max_codes=20, reports_use=True),
)

WRITE_ONLY = Model(  # takes every write and answers "available" to every look
    name="write_only",
    capabilities=Capabilities(slots=_numbered(20), max_codes=20, readback=Readback.NONE, reports_use=True),
)

NATIVE = Model(  # Z-Wave with year-day schedules; its checksum would not cover those, so it has none
    name="native",
    capabilities=Capabilities(
        slots=_numbered(20),
        max_codes=20,
        supervised=True,
        disabled_status=True,
        native_windows=NativeWindows.DATES,
        reports_use=True,
    ),
)

CHOOSER = Model(  # Nuki keypad
    name="chooser",
    capabilities=Capabilities(
        max_codes=100,
        pin_rules=PinRules(lengths=(6,), alphabet="123456789", constraints=("cannot_start_with_12",)),
        supervised=True,
        disabled_status=True,
        native_windows=NativeWindows.DATES_AND_WEEKDAYS,
        schedule_granularity=timedelta(seconds=1),
        name_length=20,
        reports_use=True,
    ),
)

TINY = Model(  # full in no time, and keeps to itself who came
    name="tiny",
    capabilities=Capabilities(
        slots=_numbered(2), max_codes=2, supervised=True, disabled_status=True, probe=True
    ),
)

MODELS: Mapping[ModelName, Model] = MappingProxyType(
    {model.name: model for model in (READABLE, MASKED, WRITE_ONLY, NATIVE, CHOOSER, TINY)}
)
"""Every model by name."""
