"""A hub with one Bluetooth lock in virtual time: the real engine and driver, a virtual radio and lock."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import msgspec

from benchmarks.ble_doors import ADDRESS, DEVICE, Door, HangUp
from drivers.ble.driver import BleDriver
from drivers.ble.settings import BleSettings
from gateway.domain.lock import Device, LockPolicy
from gateway.domain.store import Tx
from gateway.domain.timing import Timing
from gateway.engine.clock_guard import ClockGuard, ClockSettings
from gateway.engine.commands.desk import CommandDesk
from gateway.engine.engine import Engine
from gateway.engine.keyring import StoredKeys
from gateway.engine.turn import Rules
from gateway.engine.work import Chance
from gateway.schedule import next_audit
from tests.ble_bed.backend import bleak_on
from tests.ble_bed.radio import Air
from tests.ble_bed.virtual import VirtualClock
from tests.engine.bench import MemoryStore

CLOCK_PERIOD_S = 60.0
_UTC = ZoneInfo("UTC")


class Hub:
    """What a measurement sees. `connections` since the last time they were asked for."""

    def __init__(self, air: Air, door: Door, clock: VirtualClock, store: MemoryStore) -> None:
        """Wire a hub together."""
        self._air = air
        self.door = door
        self._counted = 0
        self._numbers = itertools.count(1)
        self._store = store
        ids = itertools.count(1)
        driver = BleDriver(
            BleSettings(), {DEVICE: door.configured}, clock=clock, random=Random(1), keyring=StoredKeys(store)
        )
        self.engine = Engine(
            store=self._store,
            clock=clock,
            guard=ClockGuard(clock, ClockSettings()),
            rules=Rules(
                timing=Timing(),
                removals_after_step=3,
                next_audit=lambda cron, now: next_audit(cron, now, _UTC),
            ),
            chance=Chance(
                new_id=lambda: f"id-{next(ids)}", jitter=Random(2).random, randbelow=Random(3).randrange
            ),
            drivers={"ble": driver},
            policies={DEVICE: LockPolicy(name="Door", driver="ble")},
            told=lambda _: None,
            clock_period=CLOCK_PERIOD_S,
        )
        self._desk = CommandDesk(self.engine, lambda _: None)

    async def do(self, verb: str, **params: object) -> dict[str, Any]:
        """Give a command that must succeed; return its data."""
        body = msgspec.json.encode({"transaction": f"t-{next(self._numbers)}", **params})
        reply = msgspec.json.decode(await self._desk.execute("bench", verb, body))
        assert reply["status"] == "ok", reply["error"]
        data: dict[str, Any] = reply["data"]
        return data

    async def create(self, pin: str) -> str:
        """Ask for a code; return its id."""
        made = await self.do("access_codes/create", device_id=DEVICE, code=pin)
        return str(made["access_code"]["access_code_id"])

    def connections(self) -> int:
        """Return how many there were since the last time."""
        counted, self._counted = self._counted, self._air.connects.get(ADDRESS, 0)
        return self._counted - counted

    async def let_pass(self, seconds: float) -> None:
        """Let time pass, after a touch where the lock needs one."""
        if self.door.touch is not None:
            await self.door.touch()
        await asyncio.sleep(seconds)

    def close(self) -> None:
        """Give the memory back."""
        self._store.close()


@asynccontextmanager
async def at_work(hang_up: HangUp) -> AsyncIterator[Hub]:
    """Run a hub that found its lock, in a virtual loop."""
    clock, air, store = VirtualClock(asyncio.get_running_loop()), Air(), MemoryStore()
    # The library's pauses between commands go by the wall clock.
    with (
        patch("yalexs_ble.session.COOLDOWN_TIME", 0.0),
        bleak_on(air),
    ):
        door = await hang_up(air, clock, StoredKeys(store))
        store.do(lambda tx: _pair(tx, door))
        hub = Hub(air, door, clock, store)
        await hub.engine.start()
        task = asyncio.create_task(hub.engine.run())
        try:
            yield hub
        finally:
            task.cancel()
            await asyncio.wait({task})
            hub.close()


def _pair(tx: Tx, door: Door) -> None:
    """Store what pairing leaves behind."""
    tx.save_device(Device(device_id=DEVICE, policy=None))
    tx.save_secret(DEVICE, door.secret)
