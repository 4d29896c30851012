"""The world: doors, hub, broker, weather. One seed decides everything."""

import asyncio
import hashlib
import random
import uuid
from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from msgspec.structs import replace

from drivers.simulated.lock import SimulatedLock
from drivers.simulated.models import MODELS, NATIVE, Model
from drivers.simulated.settings import ModelName
from gateway.domain.credential import Empty
from gateway.domain.driver import (
    AllCleared,
    AuthorityUp,
    ClockChecked,
    LockAlive,
    LockDead,
    LockSeen,
    Refused,
    SlotReported,
    SlotTouched,
)
from gateway.domain.lock import NativeWindows, Reach
from gateway.domain.timing import Timing
from storage.sqlite import open_database
from storage.vault import Vault
from tests.simulation.broker import SimBroker
from tests.simulation.clock import SimClock
from tests.simulation.doors import Door
from tests.simulation.fate import Fate
from tests.simulation.hub import Hub
from tests.simulation.people import People
from tests.simulation.radio import SimDriver
from tests.simulation.restores import Restores
from tests.simulation.rules import BrokenRule, Watch
from tests.simulation.touches import LAST_TOUCH_S, Touches
from tests.simulation.weather import Weather

MODEL_NAMES: tuple[ModelName, ...] = ("readable", "masked", "write_only", "native", "chooser", "tiny")
KNOWS_RESTORE = 40_000
"""From this seed on worlds restore backups; their locks show their digits."""
KNOWS_TOUCH = 20_000
"""From this seed on worlds may have locks that listen only after a touch; those before are as they were."""
TOUCH_MODELS: tuple[ModelName, ...] = ("readable", "masked", "native", "chooser")
TRAITS = ("recurring", "weekly", "one_time", "pool", "others", "release", "several", "rehearse", "contest")
"""What a world may know besides plain codes; each world draws its own."""
IN_HASTE = 0.3
"""In so many worlds guests stand at the door already when their code is written, most of them for one use."""
SMALL_OUTBOX = 0.3
"""In so many worlds the hub keeps few events for a broker that is away."""
FEW = 0.5
"""So many of the locks that choose their slots have few of them: a day of guests fills them."""
WEEKLY = replace(
    NATIVE,
    capabilities=replace(
        NATIVE.capabilities, native_windows=NativeWindows.DATES_AND_WEEKDAYS, schedule_zone="UTC"
    ),
)
"""A lock that keeps windows on weekdays by itself."""
EITHER = replace(
    WEEKLY, capabilities=replace(WEEKLY.capabilities, native_windows=NativeWindows.DATES_OR_WEEKDAYS)
)
"""One that keeps weekdays or dates of a code, and not both: the hub keeps the first day."""
CALM = timedelta(hours=50, seconds=30)
"""How long the calm lasts. Windows that come again begin and end at full minutes, and so does the work for
them: half a minute later all of it is done, and the verdict asks for nothing that cannot be done yet."""


class World:
    """Everything there is."""

    def __init__(self, seed: int, loop: asyncio.AbstractEventLoop, *, storm_days: float) -> None:
        """Make a world of two to four doors."""
        self.seed = seed
        self.rng = random.Random(f"world {seed}")
        self.hub_rng = random.Random(f"hub {seed}")
        self.clock = SimClock(loop)
        self.fate = Fate(
            random.Random(f"fate {seed}"),
            radio_fault_rate=self.rng.choice((0.06, 0.1, 0.2)),
            crash_rate=self.rng.choice((0.0, 0.002, 0.01)),
        )
        self.timing = Timing()
        self.clock_policy: Literal["hold", "run"] = "hold"
        self.clock_period = 900.0
        self.storm = timedelta(days=storm_days)
        self.connection = open_database(":memory:")
        self.connection.execute("PRAGMA synchronous=OFF")
        key = hashlib.sha256(f"key {seed}".encode()).digest()
        nonces = random.Random(f"nonce {seed}")
        self.vault = Vault(key, lambda: nonces.randbytes(12))
        self.broker = SimBroker()
        self.broker_up = True
        self.authority_up = True
        self.traits = frozenset(trait for trait in TRAITS if self.rng.random() < 0.5)
        if seed >= KNOWS_RESTORE:
            self.traits |= {"restore"}
        elif seed >= KNOWS_TOUCH and self.rng.random() < 0.8:
            self.traits |= {"touch"}
        self._dice = random.Random(f"further {seed}")
        if self._dice.random() < IN_HASTE:
            self.traits |= {"haste", "one_time"}
        if self._dice.random() < SMALL_OUTBOX:
            self.traits |= {"small outbox"}
        self.doors: dict[str, Door] = {}
        for number in range(self.rng.randint(2, 4)):
            self._add_door(number)
        self.log: deque[str] = deque(maxlen=4000)
        self._hash = hashlib.sha256()
        self.operations: Counter[str] = Counter()
        self.coverage: Counter[tuple[str, str, str]] = Counter()
        self.rules = Watch(self)
        self.people = People(self)
        self.restores = Restores(self)
        self.touches = Touches(self)
        self.weather = Weather(self)
        self.hub: Hub | None = None
        self._loop = loop
        self._lives = 0
        self.hub_since = self.clock.true()
        self.clock_since = self.clock.true()

    def _add_door(self, number: int) -> None:
        name: ModelName = self.rng.choice(MODEL_NAMES)
        if self.has("restore") and name in {"masked", "write_only"}:
            name = "readable"
        model, kind = MODELS[name], str(name)
        sleeps = self.has("touch") and self.rng.random() < 0.6
        if sleeps:
            name = self.rng.choice(TOUCH_MODELS)
            model, kind = _on_touch(MODELS[name]), f"{name} on touch"
        elif self.has("weekly") and self.rng.random() < 0.3:
            # By dice of its own: worlds are otherwise as they were.
            model = random.Random(f"weekly {self.seed} {number}").choice((WEEKLY, EITHER))
            name, kind = "native", "weekly" if model is WEEKLY else "weekly or dates"
        if name not in {"tiny", "chooser"}:
            model = model.with_slots(self.rng.randint(4, 10))
        elif name == "chooser" and self._dice.random() < FEW:
            model, kind = model.with_slots(self._dice.randint(4, 10)), f"{kind}, few"
        door = Door(
            f"door-{number}",
            SimulatedLock(model),
            self.rng.choice(("report", "notification", "silent")),
            kind,
        )
        self.doors[door.device_id] = door

    def has(self, trait: str) -> bool:
        """Say whether this world knows something."""
        return trait in self.traits

    def new_id(self) -> str:
        """Return a UUID drawn from the seed."""
        return str(uuid.UUID(int=self.hub_rng.getrandbits(128), version=4))

    # What is written down.

    def trace(self, line: str) -> None:
        """Add a line to the history, which the hash is taken of."""
        text = f"{self.clock.true().isoformat(timespec='milliseconds')} {line}"
        self.log.append(text)
        self._hash.update(text.encode())

    note = trace

    @property
    def digest(self) -> str:
        """Return the hash of the history so far."""
        return self._hash.hexdigest()

    def count(self, door: Door, kind: str, fault: str | None) -> None:
        """Count one radio operation for the coverage table."""
        if fault is not None:
            self.rules.trouble(door)
        phase = "calm" if self.fate.calm else self.phase()
        self.operations[kind] += 1
        self.coverage[fault or "none", phase, door.kind] += 1
        self.rules.operation(door, kind)

    def phase(self) -> str:
        """Name what the world is going through."""
        if not self.clock.synced:
            return "clock lost"
        if not self.broker_up:
            return "broker away"
        return "storm"

    # The radio side.

    def introduce(self, driver: SimDriver) -> None:
        """Have a driver meet all locks, as after a connect."""
        driver.post(AuthorityUp(device_ids=tuple(self.doors)))
        for door in self.doors.values():
            driver.post(self.seen(door))
            if door.keeps_windows and not door.sleeps:
                driver.post(self.clock_of(door))
            if door.dead and not door.sleeps:
                driver.post(LockDead(device_id=door.device_id))

    def seen(self, door: Door) -> LockSeen:
        """Return what a driver tells of a lock it meets."""
        return LockSeen(
            device_id=door.device_id, identity=door.identity, capabilities=door.lock.model.capabilities
        )

    def clock_of(self, door: Door) -> ClockChecked:
        """Return what a driver tells of a lock's own clock."""
        return ClockChecked(device_id=door.device_id, off_by=door.clock_off)

    def tell(self, event: object) -> None:
        """Send a report to the hub, if one runs and the authority is up."""
        if self.hub is not None and self.authority_up:
            self.hub.driver.post(event)  # type: ignore[arg-type]

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Do something after a while."""
        self._loop.call_later(seconds, call)

    def quietly(self, effect: Callable[[], object]) -> None:
        """Let a late effect happen; a lock that refuses it refuses it."""
        try:
            effect()
        except Refused:
            return

    def kill(self, door: Door) -> None:
        """Make a lock fall silent for a while."""
        if door.dead:
            return
        door.dead = True
        self.rules.trouble(door)
        self.note(f"{door.device_id} is dead")
        if not door.sleeps:  # nobody misses what is silent anyway
            self.later(3, lambda: self.tell(LockDead(device_id=door.device_id)) if door.dead else None)
        self.later(self.rng.uniform(30, 4 * 3600), lambda: self.revive(door))

    def revive(self, door: Door) -> None:
        """Let a lock answer again."""
        if door.dead:
            door.dead = False
            self.rules.trouble(door)
            self.note(f"{door.device_id} is alive")
            if door.sleeps:
                return
            self.tell(LockAlive(device_id=door.device_id))
            if door.keeps_windows:
                self.tell(self.clock_of(door))

    def echo(self, door: Door, slot: str) -> None:
        """Let the lock report the hub's own change, late, doubled or not at all."""
        if door.reports == "silent" or self.fate.happens("echo_lost"):
            return
        delay = self.fate.rng.uniform(3, 8) if self.fate.happens("echo_late") else 0.1
        self.later(delay, lambda: self._report(door, slot))
        if self.fate.happens("echo_doubled"):
            self.later(delay + 0.2, lambda: self._report(door, slot))

    def report_edit(self, door: Door, slot: str) -> None:
        """Let the lock report what a person did, or not."""
        if door.reports == "silent" or door.dead or self.fate.happens("report_lost"):
            return
        self.rules.edit_reported(door, slot)
        self._report(door, slot)

    def _report(self, door: Door, slot: str) -> None:
        if door.dead or self.touches.is_asleep(door):
            return
        if door.lock.model.capabilities.lock_chooses_slot:
            self.tell(SlotTouched(device_id=door.device_id, slot=None))
        elif door.reports == "report":
            reading = door.lock.read(slot) if slot in door.lock.slots else Empty()
            door.reported.add(slot)
            self.tell(SlotReported(device_id=door.device_id, slot=slot, reading=reading))
        else:
            self.tell(SlotTouched(device_id=door.device_id, slot=slot))

    def wipe(self, door: Door) -> None:
        """Empty a lock."""
        self.note(f"{door.device_id} is wiped")
        door.wipe()
        if self.rng.random() < 0.7:
            self.later(self.rng.uniform(60, 900), lambda: self.people.have_a_look(door))
        self.rules.wiped(door)
        if door.reports != "silent" and not door.dead and not self.fate.happens("report_lost"):
            self.rules.edit_reported(door, None)
            self.tell(AllCleared(device_id=door.device_id))

    # The hub's life.

    async def live(self) -> None:
        """Run the whole history: storm, calm, verdict. Raises BrokenRule."""
        keeper = asyncio.ensure_future(self._keep_hub_running())
        weather = asyncio.ensure_future(self.weather.run())
        people = asyncio.ensure_future(self.people.run())
        watch = asyncio.ensure_future(self.rules.run())
        self.touches.begin()
        tasks = (keeper, weather, people, watch)
        try:
            storm = asyncio.ensure_future(asyncio.sleep(self.storm.total_seconds()))
            await asyncio.wait((storm, *tasks), return_when=asyncio.FIRST_COMPLETED)
            _raise_first(tasks)
            for task in (weather, people):
                task.cancel()
            self._clear_skies()
            calm = asyncio.ensure_future(asyncio.sleep(CALM.total_seconds()))
            self.later(CALM.total_seconds() - LAST_TOUCH_S, self.touches.touch_all)
            await asyncio.wait((calm, keeper, watch), return_when=asyncio.FIRST_COMPLETED)
            _raise_first((keeper, watch))
            self.rules.verdict()
        finally:
            for task in tasks:
                task.cancel()
            if self.hub is not None:
                self.hub.process.die()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _clear_skies(self) -> None:
        self.note("the calm begins")
        self.fate.calm = True
        self.restores.hurry()
        if not self.clock.synced:
            self.clock_since = self.now()
        self.clock.synced = True
        self.clock.offset = timedelta(0)
        self.weather.broker_back()
        for door in self.doors.values():
            door.refusing = False
            self.weather.set_clock(door, timedelta(0))
            self.people.take_back(door)
            if door.replaced_at is not None:
                self.people.accept_replacement(door)
            self.revive(door)
        if not self.authority_up:
            self.weather.authority_back()
        self.rules.calm_began()

    async def _keep_hub_running(self) -> None:
        while True:
            self._lives += 1
            self.hub = Hub(self, self._lives)
            self.hub_since = self.now()
            self.note(f"the hub starts, life {self._lives}")
            life = asyncio.ensure_future(self.hub.run())
            await self._until_death(life)
            self.note("the hub died")
            self.rules.died()
            self.hub = None
            await self.restores.swap()
            await asyncio.sleep(self.rng.choice((2.0, 20.0, 600.0)) if not self.fate.calm else 2.0)

    async def _until_death(self, life: "asyncio.Task[None]") -> None:
        hub = self.hub
        assert hub is not None
        gone = asyncio.ensure_future(hub.process.dead.wait())
        while hub.process.alive and not life.done():
            ahead = self.fate.rng.uniform(600, 40 * 3600)
            await asyncio.wait((life, gone), timeout=ahead, return_when=asyncio.FIRST_COMPLETED)
            if not self.fate.calm and not life.done() and self.fate.dies("at any moment"):
                hub.process.die()
        hub.process.die()
        gone.cancel()
        life.cancel()
        results = await asyncio.gather(life, return_exceptions=True)
        for error in results:
            if isinstance(error, Exception):
                raise error

    def now(self) -> datetime:
        """Return the true time."""
        return self.clock.true()


def _on_touch(model: Model) -> Model:
    """Return the same kind of lock, but one that listens only after a touch."""
    return replace(model, capabilities=replace(model.capabilities, reach=Reach.ON_TOUCH))


def _raise_first(tasks: tuple["asyncio.Future[None]", ...]) -> None:
    for task in tasks:
        if task.done() and not task.cancelled():
            error = task.exception()
            if error is not None:
                raise error
            raise BrokenRule(0, "a part of the world stopped")
