"""A hub and a virtual Nuki lock within reach of each other."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bleak import BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from msgspec.structs import replace

from drivers.ble.family import Advert, Configured, Unfinished
from drivers.ble.link import connect
from drivers.ble.nuki.commands import Registration
from drivers.ble.nuki.family import configured
from drivers.ble.nuki.keys import NukiKeys, decode, encode
from drivers.ble.nuki.lock import NukiLock
from drivers.ble.nuki.records import Config
from drivers.ble.nuki.session import NukiSession
from drivers.ble.nuki.settings import NukiLockSettings
from gateway.domain.driver import LockEvent, PairingFailed
from tests.ble_bed.backend import bleak_on
from tests.ble_bed.keyring import MemoryKeyring
from tests.ble_bed.nuki.brain import Brain
from tests.ble_bed.nuki.memory import User
from tests.ble_bed.nuki.on_air import NukiOnAir
from tests.ble_bed.radio import Air

ADDRESS = "C0:00:00:00:0A:01"
_KEY = bytes(range(32))
NOON = datetime(2031, 7, 1, 12, 0, tzinfo=UTC)


class HandClock:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.passed = timedelta(0)
        self.off = timedelta(0)
        """How wrong the wall clock is."""
        self.synced = True

    def now(self) -> datetime:
        return NOON + self.passed + self.off

    def boot(self) -> float:
        return self.passed.total_seconds()

    def boot_id(self) -> str:
        return "boot"

    def synchronised(self) -> bool:
        return self.synced

    async def sleep(self, seconds: float) -> None:
        self.passed += timedelta(seconds=seconds)


class Ear:
    """The scan of the adapter, for pairing."""

    def __init__(self, patience_s: float = 20.0) -> None:
        self._patience_s = patience_s

    async def find(self, fits: Callable[[Advert], bool], within_s: float) -> tuple[BLEDevice, Advert]:
        found: list[Advert] = []

        def matches(device: BLEDevice, heard: AdvertisementData) -> bool:
            advert = as_advert(device, heard)
            if fits(advert):
                found.append(advert)
            return bool(found)

        device = await BleakScanner.find_device_by_filter(matches, timeout=min(within_s, self._patience_s))
        if device is None:
            raise PairingFailed("nothing was heard")
        return device, found[0]


def as_advert(device: BLEDevice, heard: AdvertisementData) -> Advert:
    """Return an advertisement as the connection layer hands it on."""
    return Advert(
        address=device.address.upper(),
        name=heard.local_name,
        rssi=heard.rssi,
        manufacturer=heard.manufacturer_data,
        services=tuple(heard.service_uuids),
        service_data=heard.service_data,
    )


@dataclass
class House:
    """The hub's side is `configured`; the lock's side is `lock`, with its `brain`."""

    air: Air
    lock: NukiOnAir
    clock: HandClock
    configured: Configured
    vault: MemoryKeyring = field(default_factory=MemoryKeyring)
    said: list[str] = field(default_factory=list)
    events: list[LockEvent] = field(default_factory=list)
    known: NukiLock | None = None
    patience_s: float = 20.0
    """How long a lock in pairing mode is listened for."""

    @property
    def brain(self) -> Brain:
        return self.lock.brain

    async def pair(self, security_pin: str = "2468", **given: str) -> None:
        """Hold the button and pair; keep what came of it."""
        self.brain.pairing = True
        await self.lock.advertise()
        await self.pair_without_button(security_pin, **given)
        await self.lock.advertise()

    async def pair_without_button(self, security_pin: str = "2468", **given: str) -> None:
        try:
            address, secret = await self.configured.pair(
                {"security_pin": security_pin, **given}, Ear(self.patience_s), self._progress
            )
        except Unfinished as part:
            self.vault.secrets["door"] = part.secret
            self.restart()
            raise
        assert address == ADDRESS
        self.vault.secrets["door"] = secret
        self.restart()

    def restart(self) -> None:
        """Start the hub anew with what the vault holds."""
        lock = self.configured.lock(self.vault.secrets["door"])
        assert isinstance(lock, NukiLock)
        self.known = lock

    def known_without_config(self) -> None:
        """Start the hub with a lock that it paired with and could not look at."""
        keys = decode(self.vault.secrets["door"])
        assert keys is not None
        self.vault.secrets["door"] = encode(replace(keys, config=None))
        self.restart()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[NukiSession]:
        """Open a session."""
        assert self.known is not None
        async with self.known.open(BLEDevice(ADDRESS, "Nuki", {})) as session:
            yield session

    async def read_log(self) -> list[LockEvent]:
        """Read the log in a session of its own; return the events."""
        self.events.clear()
        async with self.session() as session:
            await session.read_log(self.take)
        return self.events

    async def take(self, event: LockEvent) -> None:
        self.events.append(event)

    async def handle(self, event: LockEvent) -> None:
        """Take an event as the engine does."""
        self.events.append(event)

    async def _progress(self, words: str, _seconds_left: float | None = None) -> None:
        self.said.append(words)


def known_to(brain: Brain, kind: Registration = Registration.BRIDGE) -> bytes:
    """Have a lock know the hub already; return what the hub keeps of that. The log is read to its end."""
    brain.memory.users[7] = User(
        key=_KEY, is_bridge=kind is Registration.BRIDGE, name=b"Pinsmith".ljust(32, b"\0")
    )
    keys = NukiKeys(
        address=ADDRESS,
        shared_key=_KEY,
        authorisation=7,
        registration=kind,
        pin=brain.pin,
        config=Config(
            nuki_id=brain.nuki_id, firmware="3.8.2", hardware="6.0", device_type=4, has_keypad=True
        ),
        config_version=brain.config_count,
        log_index=0,
    )
    return encode(keys)


@asynccontextmanager
async def house(
    *,
    pin: int = 2468,
    fifth_generation: bool = False,
    mtu: int = 247,
    settings: NukiLockSettings | None = None,
    clock: HandClock | None = None,
) -> AsyncIterator[House]:
    """Hang up a lock that nobody knows yet."""
    air, clock = Air(), clock or HandClock()
    dice = random.Random(7)
    brain = Brain(now=clock.now, random=dice.randbytes, pin=pin, fifth_generation=fifth_generation)
    with bleak_on(air):
        lock = await NukiOnAir.hang_up(air, ADDRESS, brain, mtu=mtu)
        vault = MemoryKeyring()
        found = configured(
            "door",
            settings or NukiLockSettings(answer_s=30.0),
            keyring=vault,
            clock=clock,
            random=dice.randbytes,
            connect=connect,
        )
        yield House(air=air, lock=lock, clock=clock, configured=found, vault=vault)


@asynccontextmanager
async def paired(
    *,
    mtu: int = 247,
    kind: Registration = Registration.BRIDGE,
    clock: HandClock | None = None,
    settings: NukiLockSettings | None = None,
) -> AsyncIterator[House]:
    """Hang up a lock that was paired with before, and whose log was read to its end."""
    async with house(mtu=mtu, clock=clock, settings=settings) as home:
        home.vault.secrets["door"] = known_to(home.brain, kind)
        home.restart()
        yield home
