"""Runs in the guest as zwave-bed.service: the Z-Wave bed with one lock, on zwave-js-server's own port.

In the folder it is given, `codes.json` shows what is in the lock's slots, and keeps it over a reboot.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import NoReturn

from tests.hub_guest.nuki_bed import put
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import BedConfig, NodeConfig

NODE = 2
PORT = 3000
START_S = 300.0
"""An emulated machine that boots meanwhile has other things to do."""


async def _serve(folder: Path) -> NoReturn:
    kept = folder / "codes.json"
    held = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    codes = {int(slot): code for slot, code in held.items()}
    lock = NodeConfig(node_id=NODE, model="v2_s2", name="Front door", codes=codes)
    async with ZwaveBed.start(BedConfig(nodes=[lock], port=PORT), patience_s=START_S) as bed:
        print("zwave-js-server is there", flush=True)
        while True:
            found = {slot: one.code for slot, one in (await bed.slots(NODE)).items() if one.status == 1}
            if found != codes or not kept.exists():
                codes = found
                put(kept, json.dumps(found).encode())
            await asyncio.sleep(0.5)


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
