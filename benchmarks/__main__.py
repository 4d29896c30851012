"""Runs the topics asked for, all of them when none is."""

import argparse
import asyncio
import tempfile
from pathlib import Path

from benchmarks import ble, footprint, house, latency, machine, planning, radio_cost, rest, throughput
from tests.zwave_bed.bed import ZwaveBed

TOPICS = {
    "radio": "radio commands to Z-Wave locks, per thing done",
    "latency": "from a command to the slot in a Z-Wave lock",
    "throughput": "commands in a second, beside what the disk can sync",
    "footprint": "start, memory, processor and writing, at rest with the drivers of all families too",
    "planning": "one look at a lock: facts, plan, whole turn",
    "house": "lists, plans and a restart with a thousand codes",
    "ble": "connections to Bluetooth locks, per thing done",
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure on this machine; without a topic, all of them.",
        epilog="\n".join(["topics:", *(f"  {name:<12}{what}" for name, what in TOPICS.items())]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help="what to measure")
    topics = parser.parse_args().topics or list(TOPICS)
    if unknown := set(topics) - TOPICS.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(TOPICS)}")
    # Where TMPDIR says: what syncing costs depends on the disk.
    with tempfile.TemporaryDirectory(prefix="pinsmith-bench-") as folder:
        print(f"{machine.describe(Path(folder))}\n", flush=True)
        asyncio.run(_measure(topics, Path(folder)))


async def _measure(topics: list[str], folder: Path) -> None:
    for topic in topics:
        (folder / topic).mkdir()
    if "planning" in topics:
        print(await planning.measure(), flush=True)
    if "house" in topics:
        print(await house.measure(folder / "house"), flush=True)
    if "throughput" in topics:
        print(await throughput.measure(folder / "throughput"), flush=True)
    if "ble" in topics:
        print(await ble.measure(), flush=True)
    if "footprint" in topics:
        print(await rest.measure(folder / "footprint"), flush=True)
    if not {"radio", "latency", "footprint"} & set(topics):
        return
    async with ZwaveBed.start(radio_cost.BED) as bed:
        if "footprint" in topics:
            print(await footprint.measure(bed, folder / "footprint"), flush=True)
        if "latency" in topics:
            print(await latency.measure(bed, folder / "latency"), flush=True)
        if "radio" in topics:
            print(await radio_cost.measure(bed, folder / "radio"), flush=True)


if __name__ == "__main__":
    main()
