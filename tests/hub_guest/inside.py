"""What runs inside the guest: pair, add, list and remove on a virtual Nuki lock through real BlueZ.

The lock stands on a link of bumble's. The other end of the link is a controller that the kernel sees as an
adapter (hci_vhci), so that kernel, BlueZ, D-Bus and bleak's own backend are the real ones.
"""

import asyncio
import random
import subprocess
import time
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bumble.controller import Controller
from bumble.hci import LeFeatureMask
from bumble.transport import open_transport

from drivers.ble.driver import BleDriver
from drivers.ble.link import connect
from drivers.ble.nuki.family import configured
from drivers.ble.nuki.settings import NukiLockSettings
from drivers.ble.settings import BleSettings
from gateway.domain.credential import Credential, Empty, Known, Schedule
from gateway.domain.driver import AuthorityUp, LockEvent, LockSeen
from gateway.domain.pin import Pin
from gateway.system_clock import SystemClock
from tests.ble_bed.keyring import MemoryKeyring
from tests.ble_bed.nuki.brain import Brain
from tests.ble_bed.nuki.on_air import NukiOnAir
from tests.ble_bed.radio import Air

VERDICT = Path("/results/verdict")
LEGACY = 31
"""Bytes in an advertisement."""
ADDRESS = "C0:00:00:00:0A:01"
_POWER_ON = [
    "busctl",
    "set-property",
    "org.bluez",
    "/org/bluez/hci0",
    "org.bluez.Adapter1",
    "Powered",
    "b",
    "true",
]


class Ledger:
    """Takes the driver's events."""

    def __init__(self) -> None:
        self.events: list[LockEvent] = []
        self._news = asyncio.Event()

    async def handle(self, event: LockEvent) -> None:
        _say(f"event {type(event).__name__}")
        self.events.append(event)
        self._news.set()

    async def until(self, kind: type[LockEvent]) -> None:
        """Wait for an event of a kind."""
        async with asyncio.timeout(120):
            while not any(isinstance(event, kind) for event in self.events):
                self._news.clear()
                await self._news.wait()


def main() -> None:
    """Leave "passed" as the verdict, or what went wrong."""
    try:
        asyncio.run(_whole())
    except BaseException as error:  # whatever it is, it is the verdict
        traceback.print_exc()
        VERDICT.write_text(f"failed: {type(error).__name__}\n", encoding="utf-8")
        raise
    VERDICT.write_text("passed\n", encoding="utf-8")


async def _whole() -> None:
    air, dice, clock = Air(), random.Random(7), SystemClock()
    async with _bluez(air):
        brain = Brain(now=clock.now, random=dice.randbytes, pin=2468)
        lock = await NukiOnAir.hang_up(air, ADDRESS, brain)
        lock.most = LEGACY
        vault, ledger = MemoryKeyring(), Ledger()
        door = configured(
            "door", NukiLockSettings(), keyring=vault, clock=clock, random=dice.randbytes, connect=connect
        )
        driver = BleDriver(BleSettings(), {"door": door}, clock=clock, random=dice, keyring=vault)
        running = asyncio.create_task(driver.run(ledger))
        try:
            await ledger.until(AuthorityUp)
            brain.pairing = True
            await lock.advertise()
            await driver.pair("door", {"security_pin": "2468"}, _progress)
            brain.pairing = False
            await lock.advertise()
            await ledger.until(LockSeen)
            before = lock.peripheral.connections
            await _codes(driver, brain)
            # None where the one in which the lock told of itself still stands.
            assert lock.peripheral.connections <= before + 1
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        _say(f"connections to the lock: {lock.peripheral.connections}")


async def _codes(driver: BleDriver, brain: Brain) -> None:
    """Add two codes, list them, change one, remove it: all in one connection."""
    stay = Schedule(starts_at=datetime(2031, 7, 1, tzinfo=UTC), ends_at=datetime(2031, 7, 4, tzinfo=UTC))
    first, second = Credential(pin=Pin("345678"), name="Anna"), Credential(pin=Pin("456789"), schedule=stay)
    began = time.monotonic()
    async with driver.session("door") as session:
        one = (await session.write(None, first, replaces=None)).slot
        two = (await session.write(None, second, replaces=None)).slot
        _say("two codes are added")
        listed = await session.read_all()
        assert set(listed) == {one, two}
        found = listed[one]
        assert isinstance(found, Known)
        assert found.credential.pin == first.pin
        await session.write(one, Credential(pin=Pin("567891"), name="Anna"), replaces=first)
        _say("one is changed")
        await session.clear(two, holds=second)
        assert set(await session.read_all()) == {one}
        assert await session.read(two) == Empty()
    assert len(brain.memory.codes) == 1
    _say(f"list, add, change, remove took {timedelta(seconds=time.monotonic() - began)}")


@asynccontextmanager
async def _bluez(air: Air) -> AsyncIterator[None]:
    """Show the kernel an adapter on `air`, and wait until BlueZ has switched it on."""
    async with await open_transport("vhci") as transport:
        controller = Controller("hci0", host_source=transport.source, host_sink=transport.sink, link=air.link)
        # With either of them BlueZ scans in ways that bumble's controller does not know (bumble issue 841).
        controller.le_features &= ~(LeFeatureMask.LL_PRIVACY | LeFeatureMask.LE_EXTENDED_ADVERTISING)
        await asyncio.to_thread(subprocess.run, ["systemctl", "start", "bluetooth"], check=True)
        for _ in range(240):
            if await _run(_POWER_ON) == 0:
                break
            await asyncio.sleep(0.5)  # until BlueZ has seen it
        _say("BlueZ has its adapter")
        yield


async def _run(command: list[str]) -> int:
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    return await process.wait()


async def _progress(words: str) -> None:
    _say(f"pairing: {words}")


def _say(words: str) -> None:
    uptime = Path("/proc/uptime").read_text(encoding="ascii").split()[0]
    print(f"{uptime:>8} s  {words}", flush=True)


if __name__ == "__main__":
    main()
