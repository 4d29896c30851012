"""Keys that the lock has accepted and the disk had no room for."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest

from drivers.ble.driver import BleDriver
from drivers.ble.family import Unfinished
from drivers.ble.link import connect
from drivers.ble.nuki.family import configured
from drivers.ble.nuki.keys import NukiKeys, decode
from drivers.ble.nuki.lock import NukiLock
from drivers.ble.nuki.settings import NukiLockSettings
from drivers.ble.settings import BleSettings
from gateway.domain.driver import DriverError, PairingFailed, Refused
from tests.ble_bed.backend import bleak_on
from tests.ble_bed.keyring import MemoryKeyring
from tests.ble_bed.nuki.brain import Brain
from tests.ble_bed.nuki.on_air import NukiOnAir
from tests.ble_bed.radio import Air
from tests.ble_bed.virtual import VirtualClock, in_virtual_time
from tests.nuki.house import ADDRESS, known_to
from tests.simulated.running import Recorder

RIGHT, WRONG = "2468", "1357"


@dataclass(kw_only=True, repr=False)
class Hub:
    """A running driver, its vault, and the lock."""

    driver: BleDriver
    vault: MemoryKeyring
    brain: Brain
    lock: NukiOnAir

    async def pair(self, security_pin: str) -> None:
        """Hold the button, and pair."""
        self.brain.pairing = True
        await self.lock.advertise()
        try:
            await self.driver.pair("door", {"security_pin": security_pin}, nobody)
        finally:
            await self.lock.advertise()

    async def give_pin(self, security_pin: str) -> None:
        """Give another security PIN to a lock that was paired."""
        await self.driver.pair("door", {"security_pin": security_pin, "keep_keys": "yes"}, nobody)

    def used(self) -> NukiKeys:
        """Return the keys that the lock is worked with."""
        family = self.driver._locks["door"].family
        assert isinstance(family, NukiLock)
        return family._standing.keys

    def stored(self) -> NukiKeys:
        """Return the keys in the vault."""
        keys = decode(self.vault.secrets["door"])
        assert keys is not None
        return keys


async def nobody(_words: str, _seconds_left: float | None = None) -> None:
    """Listen to the words for people."""


@asynccontextmanager
async def running(*, known: bool = False) -> AsyncIterator[Hub]:
    """Run a driver; `known`: it has paired with the lock, which was reset since."""
    air, vault, dice = Air(), MemoryKeyring(), random.Random(7)
    clock = VirtualClock(asyncio.get_running_loop())
    brain = Brain(now=clock.now, random=dice.randbytes, pin=int(RIGHT))
    if known:
        vault.secrets["door"] = known_to(brain)
        brain.memory.users.clear()
    door = configured(
        "door", NukiLockSettings(), keyring=vault, clock=clock, random=dice.randbytes, connect=connect
    )
    driver = BleDriver(BleSettings(), {"door": door}, clock=clock, random=dice, keyring=vault)
    with bleak_on(air):
        lock = await NukiOnAir.hang_up(air, ADDRESS, brain)
        task = asyncio.create_task(driver.run(Recorder()))
        await asyncio.sleep(1)
        yield Hub(driver=driver, vault=vault, brain=brain, lock=lock)
        task.cancel()
        await asyncio.wait({task})


@pytest.mark.parametrize("known", [False, True])
@in_virtual_time
async def test_another_security_pin_is_put_to_keys_that_are_not_stored_yet(*, known: bool) -> None:
    """The vault has older ones, or none: they would take the place of the only copy of the new ones."""
    async with running(known=known) as hub:
        hub.vault.is_full = True
        with pytest.raises(Unfinished, match="--keep-keys"):
            await hub.pair(WRONG)
        new = hub.used().shared_key
        with pytest.raises(PairingFailed, match="disk full"):
            await hub.give_pin(RIGHT)
        assert hub.used().shared_key == new
        hub.vault.is_full = False
        await hub.give_pin(RIGHT)
        assert hub.used().shared_key == hub.stored().shared_key == new
        async with hub.driver.session("door") as session:
            assert await session.read_all() == {}
        assert hub.driver.problems == {}


@in_virtual_time
async def test_a_pin_refused_while_the_disk_is_full_is_stored_once_there_is_room() -> None:
    """Nothing is asked of the lock any more by then; a restart must not send the PIN again."""
    async with running() as hub:
        await hub.pair(RIGHT)
        hub.brain.pin = int(WRONG)
        hub.vault.is_full = True
        with pytest.raises(Refused):
            async with hub.driver.session("door") as session:
                await session.read_all()
        await asyncio.sleep(3600)  # Virtual time: by then nothing in hand could store it in passing.
        assert hub.used().pin_refused
        assert not hub.stored().pin_refused
        hub.vault.is_full = False
        await asyncio.sleep(60)
        assert hub.stored().pin_refused


@in_virtual_time
async def test_a_refused_pin_is_remembered_although_keys_waited_to_be_stored() -> None:
    """They are stored before the lock is worked with, and not over what it has taught by then."""
    async with running() as hub:
        hub.vault.is_unreadable = True
        await hub.pair(RIGHT)
        hub.vault.is_unreadable = False
        hub.brain.pin = int(WRONG)
        with suppress(DriverError):
            async with hub.driver.session("door") as session:
                await session.read_all()
        assert hub.used().pin_refused
        await asyncio.sleep(60)
        assert hub.stored().pin_refused
        assert hub.driver._locks["door"].unsaved is None
