"""A home with one TTLock: the virtual lock, the radio, the driver, and what it told."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from drivers.ble.driver import BleDriver
from drivers.ble.link import connect
from drivers.ble.settings import BleSettings
from drivers.ble.ttlock.commands import Feature
from drivers.ble.ttlock.configured import configured
from drivers.ble.ttlock.secret import Secret, decode_secret, encode_secret
from drivers.ble.ttlock.settings import TTLockSettings
from gateway.domain.credential import Credential, Known, Reading, Schedule, SlotRef
from gateway.domain.driver import LockEvent, Session
from gateway.domain.pin import Pin
from gateway.domain.store import StorageFailed
from tests.ble_bed.backend import bleak_on
from tests.ble_bed.radio import Air
from tests.ble_bed.ttlock.keypad import Code
from tests.ble_bed.ttlock.lock import VirtualLock
from tests.ble_bed.ttlock.on_air import LockOnAir, put_on
from tests.ble_bed.virtual import VirtualClock

DOOR = "door"
ADDRESS = "C1:00:00:00:00:05"
ZONE = ZoneInfo("Europe/Berlin")
KEY = bytes(range(16))
ADMIN, UNLOCK = 314159265, 271828182
OPEN = (datetime(2000, 1, 1), datetime(2099, 12, 31, 23, 59))  # noqa: DTZ001 - local time of the lock


class Drawer:
    """A keyring in memory; `saves` is how often something was stored."""

    def __init__(self) -> None:
        self.secrets: dict[str, bytes] = {}
        self.saves = 0

    async def load(self, device_id: str) -> bytes | None:
        return self.secrets.get(device_id)

    async def save(self, device_id: str, secret: bytes) -> None:
        self.saves += 1
        self.secrets[device_id] = secret

    async def forget(self, device_id: str) -> None:
        self.secrets.pop(device_id, None)


class Told:
    """What the driver told."""

    def __init__(self) -> None:
        self.events: list[LockEvent] = []
        self.is_full = False

    async def handle(self, event: LockEvent) -> None:
        if self.is_full:
            raise StorageFailed("the disk is full")
        self.events.append(event)

    def of[T](self, kind: type[T]) -> list[T]:
        """Return the events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


@dataclass(kw_only=True)
class Home:
    """Everything at hand."""

    air: Air
    lock: VirtualLock
    on_air: LockOnAir
    clock: VirtualClock
    drawer: Drawer
    random: Random
    settings: TTLockSettings
    told: Told = field(default_factory=Told)
    knows_time: bool = True
    idle_s: float = 0.0
    driver: BleDriver = field(init=False)

    def __post_init__(self) -> None:
        self.driver = self.new_driver()

    def new_driver(self) -> BleDriver:
        """Make a driver that has nothing but the keyring to know the lock by."""
        door = configured(
            DOOR,
            self.settings,
            keyring=self.drawer,
            connect=connect,
            clock=self.clock,
            sure_time=lambda: self.clock.now() if self.knows_time else None,
            zone=ZONE,
            random=self.random.randbytes,
        )
        ble = BleSettings(idle_s=self.idle_s)
        return BleDriver(ble, {DOOR: door}, clock=self.clock, random=Random(1), keyring=self.drawer)

    @property
    def secret(self) -> Secret:
        """Return what the keyring has of the lock."""
        return decode_secret(self.drawer.secrets[DOOR])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the driver."""
        task = asyncio.ensure_future(self.driver.run(self.told))
        try:
            await asyncio.sleep(0.5)
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def restart(self) -> None:
        """Forget everything that is not in the keyring."""
        self.driver = self.new_driver()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """Open the lock, with a touch before."""
        await self.on_air.touch()
        await asyncio.sleep(0.3)
        async with self.driver.session(DOOR) as session:
            yield session
        await self.quiet()

    async def quiet(self) -> None:
        """Wait until the driver has done what it does in passing."""
        if tasks := set(self.driver._passing._tasks):
            await asyncio.wait(tasks)

    async def listed(self) -> Mapping[SlotRef, Reading]:
        """List the lock."""
        async with self.session() as session:
            return await session.read_all()

    async def slot_of(self, digits: str) -> SlotRef:
        """Return the slot of the code with these digits."""
        for slot, reading in (await self.listed()).items():
            if isinstance(reading, Known) and reading.credential.pin == Pin(digits):
                return slot
        raise AssertionError("no slot has such a code")

    def pins(self) -> list[str]:
        """Return the digits in the lock, sorted."""
        return sorted(code.current for code in self.lock.codes)


@asynccontextmanager
async def home(
    *,
    paired: bool = True,
    settings: TTLockSettings | None = None,
    mtu: int = 247,
    idle_s: float = 0.0,
    change: Callable[[VirtualLock], None] = lambda _: None,
) -> AsyncIterator[Home]:
    """Hang up a lock and start the driver; `change` makes it another lock before."""
    air = Air()
    clock = VirtualClock(asyncio.get_running_loop())

    def face() -> datetime:
        return clock.true().astimezone(ZONE).replace(tzinfo=None)

    lock = VirtualLock(now=face, key=KEY, admin=(ADMIN, UNLOCK) if paired else None)
    change(lock)
    on_air = await put_on(air, lock, ADDRESS, mtu=mtu)
    with bleak_on(air):
        made = Home(
            air=air,
            lock=lock,
            on_air=on_air,
            clock=clock,
            drawer=Drawer(),
            random=Random(7),
            idle_s=idle_s,
            settings=settings or TTLockSettings(answer_timeout_s=2.0),
        )
        if paired:
            known = Secret(
                address=ADDRESS, key=lock.key, admin_ps=ADMIN, unlock_key=UNLOCK, features=lock.features
            )
            made.drawer.secrets[DOOR] = encode_secret(known)
        async with made.running():
            yield made


def code(digits: str, *, kind: int = 1, window: tuple[datetime, datetime] = OPEN) -> Code:
    """Return a code as the vendor's app stores it."""
    return Code(kind=kind, current=digits, original=digits, start=window[0], end=window[1])


def wanted(digits: str, starts_at: datetime | None = None, days: float = 0) -> Credential:
    """Return a credential, with a window of some days where it has a start."""
    if starts_at is None:
        return Credential(pin=Pin(digits))
    return Credential(
        pin=Pin(digits), schedule=Schedule(starts_at=starts_at, ends_at=starts_at + timedelta(days=days))
    )


MODIFIES = 1 << Feature.MODIFY_PASSCODE


def without_modify(lock: VirtualLock) -> None:
    """Make it a lock that cannot change a code in place."""
    lock.features &= ~MODIFIES
