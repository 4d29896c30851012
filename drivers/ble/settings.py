"""What the configuration may say about the Bluetooth adapter. Imports no radio library."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

_Seconds = Annotated[float, Meta(ge=0, le=3600)]


class BleSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `[drivers.ble]`."""

    adapter: Annotated[str, Meta(pattern=r"^hci[0-9]+$")] | None = None
    """The adapter, as Linux numbers it; without it the first that is switched on."""
    scanning: Literal["auto", "passive", "active"] = "auto"
    """Whether locks are asked for more than they tell by themselves, which costs their batteries a little.

    `auto`: passive, where BlueZ offers it and every lock is heard that way; else active.
    """
    connect_timeout_s: Annotated[float, Meta(ge=5, le=300)] = 45.0
    """For a connection to a lock, its first exchange of keys included."""
    operation_timeout_s: Annotated[float, Meta(ge=2, le=300)] = 30.0
    """For one operation on a lock: its answer does not count after that. Looks and logs have more time."""
    find_timeout_s: _Seconds = 20.0
    """How long a lock that was not heard yet is waited for."""
    idle_s: _Seconds = 5.0
    """How long a connection stays for what may come next; it ends at once when another lock waits."""
    silent_after_s: Annotated[float, Meta(ge=30, le=86400)] = 600.0
    """A lock not heard for so long is told to be unreachable."""
    touch_s: Annotated[float, Meta(ge=2, le=300)] = 15.0
    """How long a lock that listens only when touched is taken to listen after it was heard."""
    log_every_s: Annotated[float, Meta(ge=0, le=604800)] = 93600.0
    """A lock whose log was not read for so long is connected to for it; 0: never.

    A little over a day, so that the daily look at the codes carries it along. Locks that tell in what they
    advertise that something is new are read at once and not by this.
    """
    restart_first_s: Annotated[float, Meta(ge=0.1, le=60)] = 1.0
    """Seconds before the first attempt after scanning failed; doubles with each failure."""
    restart_most_s: Annotated[float, Meta(ge=1, le=3600)] = 60.0
    """Seconds between attempts at most."""
