"""Which Bluetooth adapters the kernel has. bleak does not tell whether the configured one is still there.

It says only whether there is any that is switched on; and an adapter that was pulled out and put back within
seconds looks to it like one that never went, though the scan on it is gone.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

SYSTEM: Final = Path("/sys/class/bluetooth")


def plugged(adapter: str | None, directory: Path = SYSTEM) -> Mapping[str, int] | None:
    """Return the adapters by name, or only `adapter`, each with a number that is another after a replug.

    None where the kernel does not tell, as in a container without this directory.
    """
    try:
        found = {
            entry.name: entry.lstat().st_ino
            for entry in directory.iterdir()
            if ":" not in entry.name  # connections stand there too
        }
    except OSError:
        return None
    return {name: number for name, number in found.items() if adapter in {None, name}}
