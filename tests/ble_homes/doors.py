"""A virtual lock of each family that knows the hub, and what people and the vendor's app do to it."""

import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Self, override
from zoneinfo import ZoneInfo

from drivers.ble.family import Configured
from drivers.ble.link import connect
from drivers.ble.nuki.commands import Registration
from drivers.ble.nuki.family import configured as nuki_configured
from drivers.ble.nuki.keys import NukiKeys
from drivers.ble.nuki.keys import encode as nuki_packed
from drivers.ble.nuki.records import Config
from drivers.ble.nuki.settings import NukiLockSettings
from drivers.ble.ttlock.configured import configured as ttlock_configured
from drivers.ble.ttlock.secret import Secret
from drivers.ble.ttlock.secret import encode_secret as ttlock_packed
from drivers.ble.ttlock.settings import TTLockSettings
from drivers.ble.yale.configured import configured as yale_configured
from drivers.ble.yale.keys import YaleKeys
from drivers.ble.yale.settings import YaleLockSettings
from gateway.domain.keyring import Keyring
from tests.ble_bed.nuki.brain import Brain
from tests.ble_bed.nuki.memory import Code as NukiCode
from tests.ble_bed.nuki.memory import User
from tests.ble_bed.nuki.on_air import NukiOnAir
from tests.ble_bed.peripheral import Advertised, Peripheral
from tests.ble_bed.radio import Air
from tests.ble_bed.ttlock.lock import VirtualLock
from tests.ble_bed.ttlock.on_air import LockOnAir, put_on
from tests.ble_bed.virtual import VirtualClock
from tests.ble_bed.yale.brain import Opcode
from tests.ble_bed.yale.lock import KEY, KEY_SLOT, MODEL, SERIAL, VirtualYale
from tests.ttlock.home import code as ttlock_code

DOOR = "door"
ADDRESS = "C0:00:00:00:0A:77"
ZONE = ZoneInfo("Europe/Berlin")
SELDOM_S = 10.0
"""Between advertisements: as rare as they may be, since each costs the computer time."""
PIN, WRONG_PIN = 2468, 1357
_USER = 7
_NUKI_KEY = bytes(range(32))
_ADMIN = (314159265, 271828182)


class Door(ABC):
    """One lock. `room` is how many codes the configuration says it holds."""

    sleeps = False
    """It listens only for some seconds after a touch."""

    def __init__(self, peripheral: Peripheral, clock: VirtualClock, room: int) -> None:
        """Use `hang_up`."""
        self.peripheral = peripheral
        self.clock = clock
        self.room = room

    @classmethod
    @abstractmethod
    async def hang_up(cls, air: Air, clock: VirtualClock, room: int) -> Self:
        """Hang up a lock that knows the hub and has no codes."""

    @abstractmethod
    def secret(self) -> bytes:
        """Return what pairing stored."""

    @abstractmethod
    def configured(self, keyring: Keyring) -> Configured:
        """Return the lock as the hub's configuration has it."""

    @abstractmethod
    def pins(self) -> list[str]:
        """Return the digits that are really in the lock, sorted; what is there twice is named twice."""

    @abstractmethod
    def changes(self) -> int:
        """Return how many commands to change a code came so far."""

    @abstractmethod
    def asked(self) -> list[int]:
        """Return the commands that came so far, in order."""

    @abstractmethod
    def open_with(self, digits: str) -> bool:
        """Type digits at the keypad; say whether the door opened. What is advertised stays as it is."""

    async def type_in(self, digits: str) -> bool:
        """Type digits at the keypad and have the lock advertise it; say whether the door opened."""
        opened = self.open_with(digits)
        await self.show_news()
        return opened

    @abstractmethod
    async def show_news(self) -> None:
        """Have the lock advertise that it was used, in its way."""

    @abstractmethod
    def app_adds(self, digits: str) -> None:
        """Store a code in the vendor's app."""

    @abstractmethod
    def app_changes(self, old: str, new: str) -> None:
        """Change the digits of a code in the vendor's app."""

    @abstractmethod
    def app_deletes(self, digits: str) -> None:
        """Delete a code in the vendor's app."""

    async def touch(self) -> None:
        """Wake it. One that does not sleep needs nothing."""
        assert not self.sleeps


class NukiDoor(Door):
    """A Nuki lock with a keypad, to which the hub is a bridge; the lock chooses slots."""

    kept_pin = PIN
    """The security PIN that the hub has."""

    def __init__(self, on_air: NukiOnAir, clock: VirtualClock, room: int) -> None:
        """Use `hang_up`."""
        super().__init__(on_air.peripheral, clock, room)
        self.on_air = on_air
        self.brain = on_air.brain
        self._dice = random.Random(11).randbytes

    @classmethod
    @override
    async def hang_up(cls, air: Air, clock: VirtualClock, room: int) -> Self:
        brain = Brain(now=clock.true, random=random.Random(7).randbytes, pin=PIN)
        brain.memory.users[_USER] = User(key=_NUKI_KEY, is_bridge=True, name=b"Pinsmith".ljust(32, b"\0"))
        on_air = await NukiOnAir.hang_up(air, ADDRESS, brain)
        await _seldom(on_air.peripheral)
        return cls(on_air, clock, room)

    @override
    def secret(self) -> bytes:
        config = Config(
            nuki_id=self.brain.nuki_id, firmware="3.8.2", hardware="6.0", device_type=4, has_keypad=True
        )
        keys = NukiKeys(
            address=ADDRESS,
            shared_key=_NUKI_KEY,
            authorisation=_USER,
            registration=Registration.BRIDGE,
            pin=self.kept_pin,
            config=config,
            config_version=self.brain.config_count,
            log_index=0,
        )
        return nuki_packed(keys)

    @override
    def configured(self, keyring: Keyring) -> Configured:
        settings = NukiLockSettings(max_codes=self.room)
        return nuki_configured(
            DOOR, settings, keyring=keyring, clock=self.clock, random=self._dice, connect=connect
        )

    @override
    def pins(self) -> list[str]:
        return sorted(str(code.pin) for code in self.brain.memory.codes.values())

    @override
    def changes(self) -> int:
        return sum(self.brain.heard.count(command) for command in (0x41, 0x46, 0x47))

    @override
    def asked(self) -> list[int]:
        return list(self.brain.heard)

    @override
    def open_with(self, digits: str) -> bool:
        return self.brain.type_code(int(digits))

    @override
    async def show_news(self) -> None:
        await self.on_air.advertise()

    @override
    def app_adds(self, digits: str) -> None:
        code = NukiCode(pin=int(digits), name=b"Anna".ljust(20, b"\0"), created=self.brain.clock())
        self.brain.memory.add(code)

    @override
    def app_changes(self, old: str, new: str) -> None:
        self.brain.memory.change(self._number(old), pin=int(new))

    @override
    def app_deletes(self, digits: str) -> None:
        del self.brain.memory.codes[self._number(digits)]

    def _number(self, digits: str) -> int:
        return next(n for n, code in self.brain.memory.codes.items() if code.pin == int(digits))


class YaleDoor(Door):
    """A Yale lock; the hub chooses slots, and keeps windows."""

    def __init__(self, lock: VirtualYale, clock: VirtualClock, room: int) -> None:
        """Use `hang_up`."""
        super().__init__(lock.peripheral, clock, room)
        self.lock = lock

    @classmethod
    @override
    async def hang_up(cls, air: Air, clock: VirtualClock, room: int) -> Self:
        lock = await VirtualYale.create(air, clock.true, address=ADDRESS)
        lock.peripheral.interval_s = SELDOM_S
        await lock.advertise()
        return cls(lock, clock, room)

    @override
    def secret(self) -> bytes:
        return YaleKeys(key=KEY, key_slot=KEY_SLOT, address=ADDRESS, model=MODEL, serial=SERIAL).packed()

    @override
    def configured(self, keyring: Keyring) -> Configured:
        return yale_configured(DOOR, YaleLockSettings(address=ADDRESS, slots=self.room), self.clock)

    @override
    def pins(self) -> list[str]:
        return sorted(self.lock.memory.content().values())

    @override
    def changes(self) -> int:
        heard = self.lock.brain.heard
        return sum(heard.count(opcode) for opcode in (Opcode.SET, Opcode.COMMIT, Opcode.CLEAR))

    @override
    def asked(self) -> list[int]:
        return list(self.lock.brain.asked)

    @override
    def open_with(self, digits: str) -> bool:
        return self.lock.memory.enter(digits)

    @override
    async def type_in(self, digits: str) -> bool:
        # A wrong code moves no bolt.
        opened = self.open_with(digits)
        if opened:
            await self.show_news()
        return opened

    @override
    async def show_news(self) -> None:
        await self.lock.stir()

    @override
    def app_adds(self, digits: str) -> None:
        self.lock.memory.add(digits)

    @override
    def app_changes(self, old: str, new: str) -> None:
        self.lock.memory.edit(self._slot(old), new)

    @override
    def app_deletes(self, digits: str) -> None:
        self.lock.memory.erase(self._slot(digits))

    def _slot(self, digits: str) -> int:
        return next(slot for slot, held in self.lock.memory.content().items() if held == digits)


class TTLockDoor(Door):
    """A wired TTLock, reached at any time; it keeps dates by its own clock and chooses slots."""

    def __init__(self, on_air: LockOnAir, clock: VirtualClock, room: int) -> None:
        """Use `hang_up`."""
        super().__init__(on_air.peripheral, clock, room)
        self.on_air = on_air
        self.lock = on_air.lock
        self._dice = random.Random(11).randbytes

    @classmethod
    @override
    async def hang_up(cls, air: Air, clock: VirtualClock, room: int) -> Self:
        lock = VirtualLock(
            now=lambda: clock.true().astimezone(ZONE).replace(tzinfo=None), key=bytes(range(16)), admin=_ADMIN
        )
        on_air = await put_on(air, lock, ADDRESS)
        on_air.peripheral.interval_s = SELDOM_S
        if not cls.sleeps:
            await on_air.stay_awake()
        return cls(on_air, clock, room)

    @override
    def secret(self) -> bytes:
        secret = Secret(
            address=ADDRESS,
            key=self.lock.key,
            admin_ps=_ADMIN[0],
            unlock_key=_ADMIN[1],
            features=self.lock.features,
        )
        return ttlock_packed(secret)

    @override
    def configured(self, keyring: Keyring) -> Configured:
        settings = TTLockSettings(reach="on_touch" if self.sleeps else "always", max_codes=self.room)
        return ttlock_configured(
            DOOR,
            settings,
            keyring=keyring,
            connect=connect,
            clock=self.clock,
            sure_time=self.clock.now,
            zone=ZONE,
            random=self._dice,
        )

    @override
    def pins(self) -> list[str]:
        return sorted(code.current for code in self.lock.codes)

    @override
    def changes(self) -> int:
        return self.lock.asked.count(0x03)

    @override
    def asked(self) -> list[int]:
        return list(self.lock.asked)

    @override
    def open_with(self, digits: str) -> bool:
        return self.lock.type_in(digits)

    @override
    async def show_news(self) -> None:
        if self.sleeps:
            await self.on_air.touch()
        else:
            await self.on_air.stay_awake()

    @override
    def app_adds(self, digits: str) -> None:
        self.lock.store(ttlock_code(digits))

    @override
    def app_changes(self, old: str, new: str) -> None:
        self.lock.change(old, new)

    @override
    def app_deletes(self, digits: str) -> None:
        self.lock.forget(digits)


class SleepyTTLockDoor(TTLockDoor):
    """A TTLock that listens only for some seconds after a touch, as most do."""

    sleeps = True

    @override
    async def touch(self) -> None:
        await self.on_air.touch()


async def _seldom(peripheral: Peripheral) -> None:
    peripheral.interval_s = SELDOM_S
    if peripheral.advertised != Advertised():
        await peripheral.hide()
        await peripheral.advertise()


type HangUp = Callable[[Air, VirtualClock, int], Awaitable[Door]]
