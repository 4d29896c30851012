"""The gateway at work on three simulated Z-Wave locks: `make demo-zwave`.

Driver and server are the real ones, only the air and the locks are simulated. Everything listens on loopback
and lives in a temporary folder; Ctrl-C ends and removes it all.
"""

import asyncio
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from gateway import logs
from gateway.config import Settings, load
from gateway.daemon import run_until_signalled, serve
from gateway.demo import embedded_broker
from tests.mqtt.broker import free_port
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import BedConfig, NodeConfig

LOCKS = {
    "front-door": (NodeConfig(2, "v2_s2", slots=8), "shows its codes, S2 with Supervision"),
    "garden-gate": (NodeConfig(3, "masked_s2", slots=8), "hides the digits of its codes"),
    "garage": (NodeConfig(4, "v1", slots=8), "old: no security, tells by V1 alarms"),
}
WATCH_EVERY_S = 0.5


def main() -> None:
    """Run until Ctrl-C or SIGTERM."""
    logs.set_up(os.environ)
    run_until_signalled(demonstrate())


async def demonstrate() -> None:
    """Start bed, broker and gateway, say what to type, and show what goes over the air."""
    print("Starting three Z-Wave locks; the first time this installs their driver ...", flush=True)
    with tempfile.TemporaryDirectory(prefix="pinsmith-demo-") as folder:
        async with ZwaveBed.start(BedConfig(tuple(node for node, _ in LOCKS.values()))) as bed:
            settings = configure(Path(folder), bed)
            async with embedded_broker(settings.mqtt.url), asyncio.TaskGroup() as group:
                print(first_steps(settings, bed), flush=True)
                group.create_task(serve(settings))
                group.create_task(show_radio(bed))


def configure(folder: Path, bed: ZwaveBed) -> Settings:
    """Write a configuration below `folder` and read it."""
    file = folder / "pinsmith.toml"
    lines = [
        "[gateway]",
        'id = "demo"',
        'time_zone = "Europe/Berlin"',
        'data_directory = "data"',
        "[mqtt]",
        f'url = "mqtt://127.0.0.1:{free_port()}"',
        "embedded_broker = true",
        "[clock]",
        'untrusted_policy = "run"',
        "[drivers.zwave]",
        f'url = "{bed.ws}"',
    ]
    for name, (node, _) in LOCKS.items():
        lines += [f"[locks.{name}]", 'driver = "zwave"', f"node = {node.node_id}"]
    file.write_text("\n".join(lines) + "\n")
    return load(file, {})


def first_steps(settings: Settings, bed: ZwaveBed) -> str:
    """Return what runs and what to type."""
    url = settings.mqtt.url
    installed = Path(sys.executable).with_name("pinsmith")
    program = str(installed) if installed.exists() else f"{sys.executable} -m gateway.cli.main"
    command = f"{program} --config {settings.file}"
    locks = "\n".join(f"  {name:<12} node {node.node_id}: {what}" for name, (node, what) in LOCKS.items())
    return f"""
Pinsmith runs on simulated Z-Wave locks:

{locks}

zwave-js-server is on {bed.ws}, the broker on {url.host}:{url.port}; topics are below {settings.topic_root}/.
In another terminal, in this folder:

  {command} codes create front-door --name Guest
  {command} codes list --show-pins
  {command} plan
  {command} events --follow

Be the person at the keypad; "report" may also be "notification", "v1_alarm" or "silent":

  curl -d '{{"node_id": 2, "slot": 8, "code": "123456", "report": "report"}}' {bed.control}/edit
  curl -d '{{"node_id": 2, "slot": 8}}' {bed.control}/unlock
  curl -d '{{"node_id": 2}}' {bed.control}/slots
  curl -d '{{"node_id": 2, "faults": {{"dead": true}}}}' {bed.control}/faults
  curl -d '{{"node_id": 2}}' {bed.control}/alive

What goes over the air to each lock is shown here. Ctrl-C ends it.
"""


async def show_radio(bed: ZwaveBed) -> None:
    """Print a line whenever a lock was spoken to, until cancelled."""
    for node, _ in LOCKS.values():
        await bed.reset_counters(node.node_id)  # what the driver asked when it first met them
    before: dict[str, dict[str, int]] = {name: {} for name in LOCKS}
    while True:
        for name, (node, _) in LOCKS.items():
            now = asdict(await bed.counters(node.node_id))
            news = [
                f"{kind} {count} (+{count - before[name].get(kind, 0)})"
                for kind, count in now.items()
                if count != before[name].get(kind, 0)
            ]
            if news:
                print(f"radio  {name:<12} {', '.join(news)}", flush=True)
            before[name] = now
        await asyncio.sleep(WATCH_EVERY_S)


if __name__ == "__main__":
    main()
