"""Boots the guest, has the hub in it go through all that may happen to one, and says how long each step took.

python -m tests.hub_guest IMAGE DEBS    IMAGE: where build.sh has put disk and kernel; DEBS: the package

With STEPS="start bluetooth deleted" it takes these steps only. With HUB_GUEST_HOLD=1 the guest stays up after
a step that failed, until Ctrl-C.
"""

import asyncio
import os
import sys
import time
import traceback
from contextlib import AsyncExitStack
from pathlib import Path

from tests.daemon.bed import somebody
from tests.hub_guest.guest import Guest
from tests.hub_guest.hub import NODE, PATIENCE_S, Hub
from tests.hub_guest.nuki_bed import NukiBed
from tests.hub_guest.steps import STEPS, Step
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import BedConfig, NodeConfig

LIMIT_S = 2400
"""Under emulation on two busy cores; on two idle ones it takes seven minutes."""


async def main(image: Path, debs: Path) -> int:
    """Go through the steps; 0 when every one was passed."""
    steps = _asked_for()
    lock = NodeConfig(node_id=NODE, model="v2_s2", name="Front door")
    async with ZwaveBed.start(BedConfig(nodes=[lock])) as bed, NukiBed.start() as nuki:
        return await _in_guest(image, debs, bed, nuki, steps)


async def _in_guest(image: Path, debs: Path, bed: ZwaveBed, nuki: NukiBed, steps: list[Step]) -> int:
    began = time.monotonic()
    async with Guest.boot(image, debs, nuki.port, image / "console.log") as guest:
        try:
            async with asyncio.timeout(LIMIT_S):
                await _all(guest, bed, nuki, steps, began)
        except Exception:  # noqa: BLE001 - whatever it is, it is the verdict
            traceback.print_exc()
            await _tell(guest)
            print(f"failed after {time.monotonic() - began:.0f} s")
            return 1
    print(f"passed; the guest ran for {time.monotonic() - began:.0f} s")
    return 0


async def _all(guest: Guest, bed: ZwaveBed, nuki: NukiBed, steps: list[Step], began: float) -> None:
    async with AsyncExitStack() as stack:
        port = guest.mqtt_port
        outside = somebody(port, "outside", user="outside", password="of-the-house", patience_s=PATIENCE_S)
        house = somebody(port, "house", user="homeassistant", password="of-home-assistant")
        hub = Hub(
            guest, await stack.enter_async_context(outside), await stack.enter_async_context(house), bed, nuki
        )
        print(f"{time.monotonic() - began:6.1f} s  the guest has booted")
        for step in steps:
            start = time.monotonic()
            await step(hub)
            words = (step.__doc__ or "").split("\n")[0]
            print(f"{time.monotonic() - start:6.1f} s  {step.__name__}: {words}", flush=True)


def _asked_for() -> list[Step]:
    """Return the steps to take, in their order."""
    names = os.environ.get("STEPS", "").split()
    if unknown := set(names) - {step.__name__ for step in STEPS}:
        raise SystemExit(f"no such steps: {', '.join(sorted(unknown))}")
    return [step for step in STEPS if not names or step.__name__ in names]


async def _tell(guest: Guest) -> None:
    """Print what helps to find the cause, and wait if somebody wants to look."""
    try:
        print(await guest.order("systemctl --failed; journalctl -b -n 150 --no-pager"))
    except Exception as error:  # noqa: BLE001 - the guest may be down
        print(f"the guest says nothing more: {type(error).__name__}")
    if os.environ.get("HUB_GUEST_HOLD"):
        print(f"orders are taken at {guest.orders_port}, MQTT at {guest.mqtt_port}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())))
