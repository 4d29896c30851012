"""Those who use the hub: clients at the broker, and people at the doors."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from gateway.domain.credential import Schedule
from gateway.domain.driver import CodeUsed, Refused
from gateway.domain.pin import Pin
from gateway.domain.store import StorageFailed
from gateway.engine.mutations import instant
from tests.simulation.crash import Died
from tests.simulation.doors import Door

if TYPE_CHECKING:
    from tests.simulation.world import World


@dataclass
class Wanted:
    """What a client was told the hub has taken on."""

    access_code_id: str
    device_id: str
    pin: str
    starts_at: datetime | None
    ends_at: datetime | None
    pin_since: datetime
    """When the code got the PIN that it has."""
    allowed: bool
    deleted: bool = False
    leaving: bool = False
    """A delete went out; whether it arrived is not known."""
    unsure: bool = False
    """An update went out that was never answered."""
    changed_at: datetime | None = None


class People:
    """Everybody outside the hub."""

    def __init__(self, world: "World") -> None:
        """Live in `world`."""
        self._world = world
        self._rng = world.rng
        self.wanted: dict[str, Wanted] = {}
        self._transaction = 0
        self._replacing: dict[str, asyncio.Task[None]] = {}
        self._looking: set[asyncio.Task[object]] = set()

    async def run(self) -> None:
        """Act at random times."""
        while True:
            await asyncio.sleep(self._rng.expovariate(1 / 600))
            if self._rng.random() < 0.55:
                await self._command()
            else:
                self._at_the_door(self._rng.choice(list(self._world.doors.values())))

    # Clients.

    async def _command(self) -> None:
        choice = self._rng.random()
        living = [w for w in self.wanted.values() if not w.deleted]
        if choice < 0.38 or not living:
            await self._create()
        elif choice < 0.58:
            await self._update(self._rng.choice(living))
        elif choice < 0.92:
            await self._delete(self._rng.choice(living))
        elif choice < 0.96:
            door = self._rng.choice(list(self._world.doors))
            verb = self._rng.choice(("devices/sync", "devices/resume", "devices/refill"))
            await self._ask(verb, {"device_id": door})
        else:
            body = self._rng.randbytes(self._rng.randint(0, 60))
            await self._send("access_codes/create", body)

    def _window(self) -> tuple[datetime | None, datetime | None]:
        """Choose times around now, so that windows open and close during the storm."""
        now = self._world.now()
        kind = self._rng.random()
        if kind < 0.35:
            return None, None
        starts = now + timedelta(minutes=self._rng.choice((-60, 5, 45, 300, 1500)))
        ends = max(starts, now) + timedelta(minutes=self._rng.choice((10, 60, 600, 2000)))
        if kind < 0.45:
            return starts, None
        if kind < 0.6:
            return None, ends
        return starts, ends

    async def _create(self) -> None:
        world = self._world
        door = world.doors[self._rng.choice(list(world.doors))]
        starts, ends = self._window()
        allowed = self._rng.random() < 0.2
        body: dict[str, Any] = {
            "device_id": door.device_id,
            "name": f"Guest {len(self.wanted)}",
            "starts_at": instant(starts),
            "ends_at": instant(ends),
            "is_external_modification_allowed": allowed,
        }
        if self._rng.random() < 0.7:
            body["code"] = self.pin(door)
        reply = await self._ask("access_codes/create", body)
        if reply is not None and reply["status"] == "ok":
            code = reply["data"]["access_code"]
            code_id = code["access_code_id"]
            if code_id in self.wanted:
                world.rules.broken(7, "one id for two codes")
            self.wanted[code_id] = Wanted(
                code_id, door.device_id, code["code"], starts, ends, world.now(), allowed=allowed
            )
            world.rules.pins.add(code["code"])
            world.rules.expect_end(self.wanted[code_id])

    async def _update(self, wanted: Wanted) -> None:
        door = self._world.doors[wanted.device_id]
        body: dict[str, Any] = {"access_code_id": wanted.access_code_id}
        starts, ends, pin = wanted.starts_at, wanted.ends_at, wanted.pin
        if self._rng.random() < 0.5:
            pin = body["code"] = self.pin(door)
        if self._rng.random() < 0.6:
            starts, ends = self._window()
            body |= {"starts_at": instant(starts), "ends_at": instant(ends)}
        wanted.unsure = True
        reply = await self._ask("access_codes/update", body)
        if reply is not None:
            wanted.unsure = False
        if reply is not None and reply["status"] == "ok":
            pin = pin if "code" in body else reply["data"]["access_code"]["code"]
            wanted.changed_at = self._world.now()
            if pin != wanted.pin:
                wanted.pin_since = wanted.changed_at
            wanted.starts_at, wanted.ends_at, wanted.pin = starts, ends, pin
            self._world.rules.pins.add(pin)
            self._world.rules.expect_end(wanted)

    async def _delete(self, wanted: Wanted) -> None:
        wanted.leaving = True
        reply = await self._ask("access_codes/delete", {"access_code_id": wanted.access_code_id})
        if reply is not None and (reply["status"] == "ok" or reply["error"]["type"] == "not_found"):
            wanted.deleted = True
            wanted.changed_at = self._world.now()

    def pin(self, door: Door) -> str:
        """Choose a PIN that this lock takes, now and then one that it already has."""
        taken = [credential.pin.reveal() for credential in door.lock.slots.values()]
        if taken and self._rng.random() < 0.08:
            return self._rng.choice(taken)
        rules = door.lock.model.capabilities.pin_rules
        length = 8 if 8 in rules.lengths else max(rules.lengths)
        return "9" + "".join(self._rng.choice(rules.alphabet) for _ in range(length - 1))

    async def _ask(
        self, verb: str, body: dict[str, Any], *, before: Door | None = None
    ) -> dict[str, Any] | None:
        """Send a command until it is answered; the same transaction each time."""
        self._transaction += 1
        body["transaction"] = f"t{self._transaction}"
        sent = msgspec.json.encode(body)
        replies: list[bytes] = []
        wished = self._rng.choice((1, 1, 1, 2))
        for _ in range(60):
            if before is not None:
                before.replaced_at = None
                self._world.rules.doubt(before, None)
            reply = await self._send(verb, sent)
            if reply is not None:
                replies.append(reply)
                if len(replies) >= wished:
                    break
            else:
                await asyncio.sleep(30)
        if not replies:
            return None
        if any(reply != replies[0] for reply in replies):
            self._world.rules.broken(7, f"{verb}: a repeated transaction got another reply")
        answer: dict[str, Any] = msgspec.json.decode(replies[0])
        self._world.trace(f"{verb} {answer['status']} {(answer['error'] or {}).get('type', '')}")
        return answer

    async def _send(self, verb: str, body: bytes) -> bytes | None:
        """Deliver one command; None: the hub died, its disk was full or the broker is away."""
        hub = self._world.hub
        if hub is None or not self._world.broker_up:
            return None
        try:
            reply = await hub.desk.execute("client", verb, body)
            hub.process.check()
        except (Died, StorageFailed):
            return None
        if self._rng.random() < 0.05 and not self._world.fate.calm:
            return None
        return reply

    def accept_replacement(self, door: Door) -> None:
        """Have somebody tell the hub that the other lock is meant."""
        if door.replaced_at is not None and door.device_id not in self._replacing:
            self._replacing[door.device_id] = asyncio.ensure_future(self._replace(door))

    async def _replace(self, door: Door) -> None:
        reply = None
        while reply is None or reply["status"] != "ok":
            reply = await self._ask("devices/replace", {"device_id": door.device_id}, before=door)
            if reply is None or reply["status"] != "ok":
                await asyncio.sleep(60)
        del self._replacing[door.device_id]

    def have_a_look(self, door: Door) -> None:
        """Have somebody who was at the door tell the hub to look."""
        task = asyncio.ensure_future(self._ask("devices/sync", {"device_id": door.device_id}))
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    # At the door.

    def _at_the_door(self, door: Door) -> None:
        world, rng = self._world, self._rng
        slots = list(door.lock.slots)
        what = rng.choice(("add", "edit", "delete", "use", "use", "disable"))
        try:
            if what == "add":
                self._add(door)
            elif slots and what == "edit":
                self._edit(door, rng.choice(slots))
            elif slots and what == "delete":
                slot = rng.choice(slots)
                world.note(f"a person deletes slot {slot} of {door.device_id}")
                door.lock.delete(slot)
                door.deleted_since_wipe = True
                door.origin.pop(slot, None)
                world.rules.edited(door, slot)
                world.report_edit(door, slot)
            elif slots and what == "use":
                self._use(door, rng.choice(slots))
            elif slots and what == "disable" and door.lock.model.capabilities.disabled_status:
                slot = rng.choice(slots)
                was = door.lock.slots[slot]
                world.note(f"a person disables slot {slot} of {door.device_id}")
                door.lock.set_code(slot, was.pin, enabled=False, schedule=was.schedule, name=was.name)
                world.rules.edited(door, slot)
                world.report_edit(door, slot)
        except Refused:
            return

    def _add(self, door: Door) -> None:
        world = self._world
        slot = door.lock.set_code(None, Pin(self.pin(door)))
        world.note(f"a person adds slot {slot} of {door.device_id}")
        door.by_person(slot, world.now())
        world.rules.edited(door, slot)
        world.report_edit(door, slot)

    def _edit(self, door: Door, slot: str) -> None:
        world = self._world
        schedule: Schedule | None = None
        world.note(f"a person edits slot {slot} of {door.device_id}")
        door.lock.set_code(slot, Pin(self.pin(door)), schedule=schedule)
        door.by_person(slot, world.now())
        world.rules.edited(door, slot)
        world.report_edit(door, slot)

    def _use(self, door: Door, slot: str) -> None:
        world = self._world
        opened = door.lock.open_door(door.lock.slots[slot].pin, world.now())
        if opened is not None and door.lock.model.capabilities.reports_use and not door.dead:
            world.tell(CodeUsed(device_id=door.device_id, slot=opened))
