"""What a family of Bluetooth locks brings, and what it is given.

The driver scans, gives turns and opens connections at the right moment. A family knows the bytes: what an
advertisement of its locks says, and how to work with one of them once it is its turn.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from bleak.backends.device import BLEDevice
from msgspec import Struct

from gateway.domain.driver import LockEvent, LockSeen, PairingFailed, Progress, Session
from gateway.domain.lock import Reach


class Advert(Struct, frozen=True, kw_only=True):
    """One advertisement as it was heard. UUIDs are written out in full and in lower case."""

    address: str
    """Bluetooth address, upper case."""
    name: str | None
    rssi: int
    """Signal strength in dBm."""
    manufacturer: Mapping[int, bytes]
    """Data by company identifier, without the identifier itself."""
    services: tuple[str, ...]
    service_data: Mapping[str, bytes]


class Link(Protocol):
    """An open GATT connection. Every method raises LockUnreachable when the connection is gone."""

    @property
    def mtu(self) -> int:
        """Return the ATT MTU: a write without response or an indication carries three bytes less."""
        ...

    def has(self, characteristic: str) -> bool:
        """Say whether the lock offers a characteristic."""
        ...

    async def subscribe(self, characteristic: str, heard: Callable[[bytes], None]) -> None:
        """Have every notification or indication handed to `heard`; once per connection and characteristic."""
        ...

    async def write(self, characteristic: str, data: bytes, *, response: bool = True) -> None:
        """Write a value. The caller cuts it to what a characteristic takes."""
        ...

    def lost(self) -> asyncio.Event:
        """Return the event that is set once the connection is gone."""
        ...


type Connect = Callable[[BLEDevice], AbstractAsyncContextManager[Link]]
"""Opens a GATT connection; `drivers.ble.link` has it."""


def never() -> bool:
    """Ask nobody to stop."""
    return False


class LockSession(Session, Protocol):
    """One connection to one lock."""

    async def read_log(
        self, sink: Callable[[LockEvent], Awaitable[None]], asked_to_stop: Callable[[], bool] = never
    ) -> bool:
        """Hand on what the lock noted since last time, as events, one stored before the next.

        Ends early, where nothing gets lost or is told twice, once it is asked to stop; says whether it came
        to the end of the log. Where it is cut off, `sink` keeps what it was given last.
        """
        ...

    async def describe(self) -> LockSeen:
        """Return what the lock tells of itself; set its clock where that is due."""
        ...

    def lost(self) -> asyncio.Event | None:
        """Return the event that is set once the connection is gone.

        None where that is not told: such a connection ends with its session and does not wait for the next.
        """
        return None


class Hearing(Struct, frozen=True, kw_only=True):
    """What an advertisement says."""

    changed: bool | None = None
    """There is something new to look at (Nuki's bit, TTLock's log flag). None: this one does not say."""
    battery: float | None = None
    """The charge, 0 to 1."""


class FamilyLock(Protocol):
    """One configured lock; a family makes it of its settings, its keys, a clock and randomness."""

    device_id: str
    address: str
    """Bluetooth address, upper case."""
    reach: Reach

    def hears(self, advert: Advert) -> Hearing:
        """Return what an advertisement of this lock says."""
        ...

    def known(self) -> LockSeen | None:
        """Return what pairing stored; None where the lock must be asked once."""
        ...

    def held_off(self) -> str | None:
        """Return why the lock is not connected to for a while; None while it may be."""
        return None

    def refusal(self) -> str | None:
        """Return why the lock would refuse whatever a session is for; None where it may be asked."""
        return None

    def ask_again(self) -> None:
        """Try again what the lock refused, because a person asks; never what would shut everybody out."""
        ...

    async def save(self) -> None:
        """Store what is to outlive a restart and could not be stored when it was learned.

        Raises StorageFailed.
        """
        return

    def silenced_by_connecting(self) -> bool:
        """Say whether the lock takes its "changed" back when it is connected to, heard or not."""
        return False

    def trouble(self) -> str | None:
        """Return what a person should mend, in words; None while nothing is."""
        return self.held_off() or self.refusal()

    def open(self, device: BLEDevice) -> AbstractAsyncContextManager[LockSession]:
        """Connect, for one session. Entering may raise any `DriverError`."""
        ...


class Unfinished(PairingFailed):
    """Pairing did not come to its end, but what it yielded is kept; the message says how to go on."""

    has_keys = True

    def __init__(self, message: str, address: str, secret: bytes) -> None:
        """Keep `secret` of the lock at `address`."""
        super().__init__(message)
        self.address = address
        self.secret = secret


class Scan(Protocol):
    """The one scan of the adapter, for pairing."""

    async def find(self, fits: Callable[[Advert], bool], within_s: float) -> tuple[BLEDevice, Advert]:
        """Wait until something that fits is heard, and until it is our turn to connect.

        The turn lasts to the end of the pairing. Raises PairingFailed when nothing was heard in time.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Configured:
    """One lock of the configuration, paired or not: what its family does with its settings."""

    lock: Callable[[bytes], FamilyLock]
    """Make the lock from the secret that pairing yielded. Raises ValueError when that makes no sense."""
    pair: Callable[[Mapping[str, str], Scan, Progress], Awaitable[tuple[str, bytes]]]
    """Pair with what the operator has given; return Bluetooth address and secret.

    Raises PairingFailed, and Unfinished where the secret is to be kept even so.
    """
