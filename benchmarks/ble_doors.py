"""A virtual lock of each Bluetooth family on the air, already paired, and what is really in it."""

import random
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC
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
from tests.ble_bed.nuki.memory import User
from tests.ble_bed.nuki.on_air import NukiOnAir
from tests.ble_bed.peripheral import Advertised, Peripheral
from tests.ble_bed.radio import Air
from tests.ble_bed.ttlock.lock import VirtualLock
from tests.ble_bed.ttlock.on_air import put_on
from tests.ble_bed.virtual import VirtualClock
from tests.ble_bed.yale.lock import KEY, KEY_SLOT, MODEL, SERIAL, VirtualYale

DEVICE = "door"
ADDRESS = "C0:00:00:00:0A:77"
_SEED = 7
INTERVAL_S = 10.0
_USER = 7


@dataclass(frozen=True, kw_only=True)
class Door:
    """One lock."""

    configured: Configured
    secret: bytes
    codes: Callable[[], AbstractSet[str]]
    """Return the PINs that are in it."""
    touch: Callable[[], Awaitable[None]] | None = None
    """Wake it, where it listens only when touched."""


type HangUp = Callable[[Air, VirtualClock, Keyring], Awaitable[Door]]


async def nuki(air: Air, clock: VirtualClock, keyring: Keyring) -> Door:
    """Hang up a Nuki lock with a keypad, to which the hub is a bridge."""
    dice = random.Random(_SEED).randbytes
    brain = Brain(now=clock.now, random=dice, pin=2468, fifth_generation=False)
    key = bytes(range(32))
    brain.memory.users[_USER] = User(key=key, is_bridge=True, name=b"Pinsmith".ljust(32, b"\0"))
    on_air = await NukiOnAir.hang_up(air, ADDRESS, brain)
    await _seldom(on_air.peripheral)
    facts = Config(nuki_id=brain.nuki_id, firmware="3.8.2", hardware="6.0", device_type=4, has_keypad=True)
    keys = NukiKeys(
        address=ADDRESS,
        shared_key=key,
        authorisation=_USER,
        registration=Registration.BRIDGE,
        pin=2468,
        config=facts,
        config_version=7,
        log_index=0,
    )
    return Door(
        configured=nuki_configured(
            DEVICE, NukiLockSettings(), keyring=keyring, clock=clock, random=dice, connect=connect
        ),
        secret=nuki_packed(keys),
        codes=lambda: {str(code.pin) for code in brain.memory.codes.values()},
    )


async def yale(air: Air, clock: VirtualClock, _: Keyring) -> Door:
    """Hang up a Yale lock with ten slots."""
    lock = await VirtualYale.create(air, clock.now, address=ADDRESS)
    await _seldom(lock.peripheral)
    await lock.advertise()
    keys = YaleKeys(key=KEY, key_slot=KEY_SLOT, address=ADDRESS, model=MODEL, serial=SERIAL)
    return Door(
        configured=yale_configured(DEVICE, YaleLockSettings(address=ADDRESS), clock),
        secret=keys.packed(),
        codes=lambda: set(lock.memory.content().values()),
    )


async def ttlock(air: Air, clock: VirtualClock, keyring: Keyring) -> Door:
    """Hang up a TTLock that listens only for some seconds after a touch."""
    lock = VirtualLock(
        now=lambda: clock.true().astimezone(UTC).replace(tzinfo=None), key=bytes(range(16)), admin=(1, 2)
    )
    on_air = await put_on(air, lock, ADDRESS)
    await _seldom(on_air.peripheral)
    known = Secret(address=ADDRESS, key=lock.key, admin_ps=1, unlock_key=2, features=lock.features)
    return Door(
        configured=ttlock_configured(
            DEVICE,
            TTLockSettings(),
            keyring=keyring,
            connect=connect,
            clock=clock,
            sure_time=clock.now,
            zone=ZoneInfo("UTC"),
            random=random.Random(_SEED).randbytes,
        ),
        secret=ttlock_packed(known),
        codes=lambda: {code.current for code in lock.codes},
        touch=on_air.touch,
    )


async def _seldom(peripheral: Peripheral) -> None:
    """Advertise as rarely as may be, since each time costs the simulation time."""
    peripheral.interval_s = INTERVAL_S
    if peripheral.advertised != Advertised():
        await peripheral.hide()
        await peripheral.advertise()


FAMILIES: dict[str, HangUp] = {"Nuki": nuki, "Yale": yale, "TTLock": ttlock}
