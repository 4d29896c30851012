"""Runs the gateway with a radio and three locks in its process: `python -m tests.ble_bed.daemon CONFIG FILE`.

It takes orders as lines of JSON on standard input and answers each on standard output: see `Orders`. What the
locks hold is kept in FILE, so that a gateway that is killed finds them as they were. The time passes by order
only as fast as it is told to. The product has no such switch: it is the product, with bleak on another radio.
"""

import asyncio
import json
import logging
import pickle
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from gateway import logs
from gateway.config import Settings, load
from gateway.daemon import run_until_signalled, serve
from tests.ble_bed.backend import bleak_on
from tests.ble_bed.doors import Door, hung_up
from tests.ble_bed.peripheral import Peripheral
from tests.ble_bed.radio import Air
from tests.e2e.clock import PassingClock


class Shelf:
    """Where locks and time are kept. A lock stores first and answers then."""

    def __init__(self, file: Path, clock: PassingClock, doors: Mapping[str, Door]) -> None:
        """Put everything back to what the file has, where there is one."""
        self._file, self._clock, self._doors = file, clock, doors
        if file.exists():
            kept = pickle.loads(file.read_bytes())  # noqa: S301 - our own
            clock._began, clock._passed = kept["began"], kept["passed"]
            for name, door in doors.items():
                door.state = kept[name]
        for door in doors.values():
            self._keep_before_answers(door.peripheral)

    def keep(self) -> None:
        """Store how everything stands."""
        kept = {name: door.state for name, door in self._doors.items()}
        new = self._file.with_suffix(".new")
        new.write_bytes(pickle.dumps({"began": self._clock._began, "passed": self._clock._passed} | kept))
        new.rename(self._file)

    def _keep_before_answers(self, peripheral: Peripheral) -> None:
        answer = peripheral.send

        async def send(characteristic: str, data: bytes) -> None:
            self.keep()
            await answer(characteristic, data)

        peripheral.send = send  # type: ignore[method-assign]


class Orders:
    """What a test may order: `{"do": name, "lock": name, ...}`; the methods are the names."""

    def __init__(self, air: Air, clock: PassingClock, doors: Mapping[str, Door]) -> None:
        self._air, self._clock, self._doors = air, clock, doors

    async def obey(self, order: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        """Carry out an order; return what is to be answered."""
        name = order.pop("do")
        if "lock" in order:
            order["door"] = self._doors[order.pop("lock")]
        return await getattr(self, name)(**order)

    async def hold_button(self, door: Door) -> None:
        await door.hold_button()

    async def touch(self, door: Door) -> None:
        await door.show()

    async def pins(self, door: Door) -> list[str]:
        return sorted(door.pins())

    async def add(self, door: Door, pin: str) -> None:
        door.add(pin)
        await door.show()

    async def edit(self, door: Door, old: str, new: str) -> None:
        door.edit(old, new)
        await door.show()

    async def remove(self, door: Door, pin: str) -> None:
        door.remove(pin)
        await door.show()

    async def enter(self, door: Door, pin: str) -> bool:
        opened = door.enter(pin)
        await door.show()
        return opened

    async def answers_writes(self, door: Door, *, yes: bool) -> None:
        door.answers_writes(yes=yes)

    async def break_link(self, door: Door, after: int) -> None:
        """Break the connection after so many more writes."""
        door.peripheral.lose_after = after

    async def writes(self, door: Door) -> int:
        return door.writes()

    async def connections(self, door: Door) -> int:
        return door.peripheral.connections

    async def secrets(self, door: Door) -> dict[str, str]:
        return door.secrets()

    async def unplug(self) -> None:
        await self._air.unplug()

    async def plug(self) -> None:
        self._air.plug()

    async def let_pass(self, seconds: float) -> None:
        self._clock.let_pass(timedelta(seconds=seconds))


async def _listen(orders: Orders, shelf: Shelf) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    async for line in reader:
        try:
            answer = {"answer": await orders.obey(json.loads(line))}
        except Exception as error:  # noqa: BLE001 - for the test to see
            answer = {"error": repr(error)}
        shelf.keep()
        print(json.dumps(answer), flush=True)  # noqa: T201 - this is how it answers


async def _live(settings: Settings, file: Path) -> None:
    air, clock = Air(), PassingClock()
    doors = await hung_up(air, clock.now)
    shelf = Shelf(file, clock, doors)
    for name in ("cellar", "attic"):
        await doors[name].show()
    with bleak_on(air):
        listening = asyncio.create_task(_listen(Orders(air, clock, doors), shelf))
        try:
            await serve(settings, clock=clock)
        finally:
            listening.cancel()


def main() -> None:
    """Run until signalled, and say in the log all that can be said."""
    config, file = map(Path, sys.argv[1:])
    logs.set_up({})
    logging.getLogger().setLevel(logging.DEBUG)
    logging.getLogger("bumble").setLevel(logging.ERROR)  # It is the air: what is in it is secret to nobody.
    run_until_signalled(_live(load(config, {}), file))


if __name__ == "__main__":
    main()
