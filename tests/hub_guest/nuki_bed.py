"""Runs in the guest as nuki-bed.service: a virtual Nuki lock that real BlueZ finds through a virtual adapter.

The lock stands on a link of bumble's. The other end of the link is a controller that the kernel sees as an
adapter (hci_vhci), so that kernel, BlueZ, D-Bus and bleak's own backend are the real ones.

In the folder it is given: `pairing` is made by whoever presses the lock's button, `codes.json` shows what is
on its keypad, by the lock's numbers, and `memory` keeps that over a reboot of the hub, as a lock at the door
would.
"""

import asyncio
import json
import os
import pickle
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn

from bumble.controller import Controller
from bumble.hci import LeFeatureMask
from bumble.transport import open_transport

from gateway.system_clock import SystemClock
from tests.ble_bed.nuki.brain import Brain
from tests.ble_bed.nuki.memory import Memory
from tests.ble_bed.nuki.on_air import NukiOnAir
from tests.ble_bed.radio import Air

LEGACY = 31
"""Bytes in an advertisement."""
SELDOM_S = 2.0
"""Between advertisements: each costs an emulated machine time."""
ADDRESS = "C0:00:00:00:0A:01"
SECURITY_PIN = 2468
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


async def _serve(folder: Path) -> NoReturn:
    air, kept = Air(), folder / "memory"
    # What this program itself has written.
    memory = pickle.loads(kept.read_bytes()) if kept.exists() else Memory()  # noqa: S301
    async with _bluez(air):
        brain = Brain(now=SystemClock().now, random=os.urandom, pin=SECURITY_PIN, memory=memory)
        lock = await NukiOnAir.hang_up(air, ADDRESS, brain)
        lock.most = LEGACY
        lock.peripheral.interval_s = SELDOM_S
        await lock.advertise()
        written = b""
        while True:
            if (pairing := (folder / "pairing").exists()) != brain.pairing:
                brain.pairing = pairing
                await lock.advertise()
            if (now := pickle.dumps(memory)) != written:
                written = now
                put(kept, now)
                codes = {number: str(code.pin) for number, code in memory.codes.items() if code.enabled}
                put(folder / "codes.json", json.dumps(codes).encode())
            await asyncio.sleep(0.5)


def put(path: Path, content: bytes) -> None:
    """Replace a file, so that who reads it sees the old or the new one."""
    aside = path.with_suffix(".new")
    aside.write_bytes(content)
    aside.replace(path)


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
        print("BlueZ has its adapter", flush=True)
        yield


async def _run(command: list[str]) -> int:
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    return await process.wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
