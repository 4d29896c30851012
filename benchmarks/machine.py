"""What the figures were measured on and with."""

import json
import os
import platform
import re
import shutil
import sqlite3
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("msgspec", "paho-mqtt", "websockets", "cryptography")
_BED = Path(__file__).parents[1] / "tests" / "zwave_bed" / "package.json"


def describe(folder: Path) -> str:
    """Return the command line, the machine, the versions, and what `folder` is stored on."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    bed = json.loads(_BED.read_text())["dependencies"]
    lines = {
        "command": " ".join(["python -m benchmarks", *sys.argv[1:]]),
        "machine": f"{_processor()}, {len(os.sched_getaffinity(0))} cores, {platform.system()}, "
        f"load before {os.getloadavg()[0]:.1f}",
        "files": f"{_file_system(folder)}",
        "Python": f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}",
        "libraries": libraries,
        "Z-Wave bed": f"Node {_says('node', '--version')}, zwave-js {bed['zwave-js']}, "
        f"@zwave-js/server {bed['@zwave-js/server']}",
        "broker": _says("mosquitto", "-h"),
    }
    return "\n".join(f"- {name}: {value}" for name, value in lines.items())


def _processor() -> str:
    found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    # ARM kernels name no model.
    return found[1] if found is not None else platform.machine()


def _file_system(folder: Path) -> str:
    """Return the kind of file system: on one in memory, syncing costs nothing."""
    device = folder.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, kind = line.partition(" - ")
        if fields.split()[2] == number:
            return kind.split()[0]
    return "unknown"


def _says(tool: str, question: str) -> str:
    """Return the first line of what a tool says of itself."""
    # Debian keeps daemons out of an ordinary user's PATH.
    found = shutil.which(tool, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        return f"no {tool}"
    # mosquitto ends with an error after its help.
    ended = subprocess.run([found, question], capture_output=True, text=True, check=False)  # noqa: S603 - a tool by its name
    return next(iter(ended.stdout.splitlines()), "unknown")
