"""A hub with one Bluetooth lock. It can be restarted and killed; what is stored, and the lock, live on."""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from drivers.ble.driver import BleDriver
from drivers.ble.settings import BleSettings
from gateway.domain.lock import Device, LockPolicy
from gateway.domain.placement import Snapshot
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
from tests.ble_homes.doors import ADDRESS, DOOR, Door
from tests.engine.bench import MemoryStore

CLOCK_PERIOD_S: Final = 60.0
SETTLED_S: Final = 1200.0
"""By then everything is done, looks at its results and waiting after failures included."""
_UTC: Final = ZoneInfo("UTC")
_POLICY: Final = LockPolicy(name="Door", driver="ble")


class Life:
    """One life of the hub's process: the store as it sees it. Nothing is stored after its end."""

    def __init__(self, store: MemoryStore) -> None:
        self.over = False
        self._store = store

    async def run[T](self, unit: Callable[[Tx], T]) -> T:
        if self.over:
            raise asyncio.CancelledError
        return await self._store.run(unit)


class Home:
    """The hub, the lock, and what is told."""

    def __init__(self, air: Air, door: Door, clock: VirtualClock) -> None:
        self.air = air
        self.door = door
        self.clock = clock
        self.store = MemoryStore()
        self.store.do(self._pair)
        self._numbers = itertools.count(1)
        self._counted = 0
        self._life: Life | None = None
        self._task: asyncio.Task[None] | None = None
        self._desk: CommandDesk | None = None

    def _pair(self, tx: Tx) -> None:
        """Store what pairing leaves behind."""
        tx.save_device(Device(device_id=DOOR, policy=None))
        tx.save_secret(DOOR, self.door.secret())

    async def boot(self) -> None:
        """Start the process on what is stored."""
        self._life = life = Life(self.store)
        keyring = StoredKeys(life)
        ble = BleDriver(
            BleSettings(),
            {DOOR: self.door.configured(keyring)},
            clock=self.clock,
            random=Random(1),
            keyring=keyring,
        )
        rules = Rules(
            timing=Timing(),
            removals_after_step=3,
            next_audit=lambda cron, now: next_audit(cron, now, _UTC),
        )
        chance = Chance(
            new_id=lambda: f"id-{next(self._numbers)}",
            jitter=Random(2).random,
            randbelow=Random(3).randrange,
        )
        engine = Engine(
            store=life,
            clock=self.clock,
            guard=ClockGuard(self.clock, ClockSettings()),
            rules=rules,
            chance=chance,
            drivers={"ble": ble},
            policies={DOOR: _POLICY},
            told=lambda _: None,
            clock_period=CLOCK_PERIOD_S,
        )
        self._desk = CommandDesk(engine, lambda _: None)
        await engine.start()
        self._task = asyncio.create_task(engine.run())

    def kill(self) -> None:
        """End the process in the middle of whatever it does: nothing is stored from here on."""
        if self._life is not None and self._task is not None:
            self._life.over = True
            self._task.cancel()

    async def bury(self) -> None:
        """Wait until nothing of a killed process is left; BlueZ ends its connections."""
        if self._task is not None:
            await asyncio.wait({self._task})
        await self.door.peripheral.drop()

    async def restart(self) -> None:
        """Kill the process and start it anew."""
        self.kill()
        await self.bury()
        await self.boot()

    @property
    def alive(self) -> bool:
        """Say whether the process runs."""
        return self._life is not None and not self._life.over

    async def settle(self, seconds: float = SETTLED_S) -> None:
        """Let time pass; a lock that sleeps is touched at the beginning and once a minute for ten minutes."""
        touches = 10 if self.door.sleeps else 0
        while touches and seconds >= CLOCK_PERIOD_S:
            await self.door.touch()
            await asyncio.sleep(CLOCK_PERIOD_S)
            seconds -= CLOCK_PERIOD_S
            touches -= 1
        await asyncio.sleep(seconds)

    async def away_until(self, moment: datetime) -> None:
        """Let time pass without a hub and without advertisements, which cost the computer more than that."""
        self.kill()
        await self.bury()
        await self.door.peripheral.hide()
        await self.until(moment)

    async def back(self) -> None:
        """Come back after `away_until`."""
        await self.door.peripheral.advertise()
        await self.boot()
        await asyncio.sleep(CLOCK_PERIOD_S)

    async def until(self, moment: datetime) -> None:
        """Let time pass until then."""
        await asyncio.sleep((moment - self.clock.true()) / timedelta(seconds=1))

    async def ask(self, verb: str, **params: object) -> dict[str, Any]:
        """Give a command; return the whole reply."""
        assert self._desk is not None
        body = msgspec.json.encode({"transaction": f"t-{next(self._numbers)}", **params})
        reply: dict[str, Any] = msgspec.json.decode(await self._desk.execute("me", verb, body))
        return reply

    async def do(self, verb: str, **params: object) -> dict[str, Any]:
        """Give a command that must succeed; return its data."""
        reply = await self.ask(verb, **params)
        assert reply["status"] == "ok", reply["error"]
        data: dict[str, Any] = reply["data"]
        return data

    async def create(self, pin: str, **params: object) -> str:
        """Ask for a code; return its id."""
        made = await self.do("access_codes/create", device_id=DOOR, code=pin, **params)
        return str(made["access_code"]["access_code_id"])

    async def update(self, code_id: str, **params: object) -> None:
        """Ask for a change of a code."""
        await self.do("access_codes/update", access_code_id=code_id, **params)

    async def delete(self, code_id: str) -> None:
        """Ask for a removal."""
        await self.do("access_codes/delete", access_code_id=code_id)

    async def sync(self) -> None:
        """Ask for a look at everything, and wait until it is judged."""
        await self.do("devices/sync", device_id=DOOR)
        await self.settle()

    async def shown(self, code_id: str) -> dict[str, Any]:
        """Return the access code object."""
        found: dict[str, Any] = (await self.do("access_codes/get", access_code_id=code_id))["access_code"]
        return found

    async def lock(self) -> dict[str, Any]:
        """Return the device object."""
        found: dict[str, Any] = (await self.do("devices/get", device_id=DOOR))["device"]
        return found

    async def errors(self, code_id: str) -> dict[str, dict[str, Any]]:
        """Return the errors of a code by their names."""
        return {error["error_code"]: error for error in (await self.shown(code_id))["errors"]}

    async def unmanaged(self) -> list[dict[str, Any]]:
        """Return the codes of others."""
        found = await self.do("access_codes/unmanaged/list", device_id=DOOR)
        codes: list[dict[str, Any]] = found["unmanaged_access_codes"]
        return codes

    def snap(self) -> Snapshot:
        """Return the facts."""
        found = self.store.do(lambda tx: tx.snapshot(DOOR))
        assert found is not None
        return found

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        """Return types and payloads of the events since the last call, in order."""
        stored = self.store.do(lambda tx: tx.undelivered(1000))
        self.store.do(lambda tx: tx.mark_delivered([event.seq for event in stored], self.clock.now()))
        return [(event.event.event_type, dict(event.event.payload)) for event in stored]

    def events(self) -> list[str]:
        """Return the types of the events since the last call, in order."""
        return [kind for kind, _ in self.told()]

    def connections(self) -> int:
        """Return how many connections there were since the last call."""
        counted, self._counted = self._counted, self.air.connects.get(ADDRESS, 0)
        return self._counted - counted

    async def end(self) -> None:
        """End it all."""
        self.kill()
        await self.bury()
        self.store.close()


@asynccontextmanager
async def at_home(door_type: type[Door], *, room: int = 10) -> AsyncIterator[Home]:
    """Run a hub that found its lock and has looked at all of it."""
    # It warns of packets that were on their way when a link ended.
    logging.getLogger("bumble").setLevel(logging.ERROR)
    clock, air = VirtualClock(asyncio.get_running_loop()), Air()
    with bleak_on(air):
        home = Home(air, await door_type.hang_up(air, clock, room), clock)
        await home.boot()
        try:
            await home.settle(2 * SETTLED_S)
            home.events()
            home.connections()
            yield home
        finally:
            await home.end()
