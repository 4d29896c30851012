"""Boots two guests side by side: one lives the life of the service, one that of the package.

python -m tests.hub_guest IMAGE DEBS    IMAGE: where build.sh has put disk and kernel; DEBS: the package

Says how long each step took. With STEPS="start bluetooth deleted" it takes these steps only. With
HUB_GUEST_HOLD=1 a guest stays up after a step that failed, until Ctrl-C.
"""

import asyncio
import os
import sys
import time
import traceback
from contextlib import AsyncExitStack
from pathlib import Path

from tests.daemon.bed import somebody
from tests.hub_guest.common import Step
from tests.hub_guest.guest import Guest
from tests.hub_guest.hub import NODE, PATIENCE_S, Hub
from tests.hub_guest.life import LIFE
from tests.hub_guest.nuki_bed import NukiBed
from tests.hub_guest.package import PACKAGE
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import BedConfig, NodeConfig

LIMIT_S = 2400
"""Under emulation on two busy cores."""
GUESTS = {"service": LIFE, "package": PACKAGE}


async def main(image: Path, debs: Path) -> int:
    """Go through the steps of each guest; 0 when every one was passed."""
    began = time.monotonic()
    lives = (_guest(name, image, debs, steps) for name, steps in _asked_for().items())
    ended = await asyncio.gather(*lives, return_exceptions=True)
    for error in ended:
        if isinstance(error, BaseException):
            traceback.print_exception(error)
    passed = all(one is True for one in ended)
    print(f"{'passed' if passed else 'failed'} after {time.monotonic() - began:.0f} s")
    return 0 if passed else 1


async def _guest(name: str, image: Path, debs: Path, steps: list[Step]) -> bool:
    """Take the steps in a guest of their own, with locks of its own; say whether they were passed."""
    began = time.monotonic()
    lock = NodeConfig(node_id=NODE, model="v2_s2", name="Front door")
    async with AsyncExitStack() as stack:
        bed = await stack.enter_async_context(ZwaveBed.start(BedConfig(nodes=[lock])))
        nuki = await stack.enter_async_context(NukiBed.start())
        console = image / f"console-{name}.log"
        guest = await stack.enter_async_context(Guest.boot(image, debs, nuki.port, console))
        try:
            async with asyncio.timeout(LIMIT_S):
                outside = somebody(
                    guest.mqtt_port, "outside", user="outside", password="of-the-house", patience_s=PATIENCE_S
                )
                house = somebody(guest.mqtt_port, "house", user="homeassistant", password="of-home-assistant")
                clients = [await stack.enter_async_context(one) for one in (outside, house)]
                _say(name, time.monotonic() - began, "the guest has booted")
                await _take(name, Hub(guest, clients[0], clients[1], bed, nuki), steps)
        except Exception:  # noqa: BLE001 - whatever it is, it is the verdict
            traceback.print_exc()
            await _tell(guest)
            _say(name, time.monotonic() - began, "failed")
            return False
        _say(name, time.monotonic() - began, "passed, boot included")
        return True


async def _take(name: str, hub: Hub, steps: list[Step]) -> None:
    for step in steps:
        start = time.monotonic()
        await step(hub)
        words = (step.__doc__ or "").split("\n")[0]
        _say(name, time.monotonic() - start, f"{step.__name__}: {words}")


def _say(name: str, seconds: float, words: str) -> None:
    print(f"{name} {seconds:6.1f} s  {words}", flush=True)


def _asked_for() -> dict[str, list[Step]]:
    """Return the steps to take in each guest, in their order; no guest boots for none."""
    names = os.environ.get("STEPS", "").split()
    if unknown := set(names) - {step.__name__ for steps in GUESTS.values() for step in steps}:
        raise SystemExit(f"no such steps: {', '.join(sorted(unknown))}")
    wanted = {
        name: [step for step in steps if not names or step.__name__ in names]
        for name, steps in GUESTS.items()
    }
    return {name: steps for name, steps in wanted.items() if steps}


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
