"""Those who use the hub: clients at the broker, and when they and the people at the doors act."""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from gateway.domain.recurrence import Recurrence
from gateway.engine.mutations import instant
from tests.simulation.crash import Died
from tests.simulation.doors import Door
from tests.simulation.hands import Hands
from tests.simulation.wanted import Times, Wanted, times_of
from tests.simulation.wishes import Wishes

if TYPE_CHECKING:
    from tests.simulation.world import World


class People:
    """Everybody outside the hub."""

    def __init__(self, world: "World") -> None:
        """Live in `world`."""
        self._world = world
        self._rng = world.rng
        self.wanted: dict[str, Wanted] = {}
        self.used_early: set[tuple[str, str]] = set()
        """Locks and PINs that were used before the reply which promised them was there."""
        self._transaction = 0
        self._replacing: dict[str, asyncio.Task[None]] = {}
        self._taking_back: dict[str, asyncio.Task[None]] = {}
        self._looking: set[asyncio.Task[object]] = set()
        self.hands = Hands(world)
        self.wishes = Wishes(world, self)

    async def run(self) -> None:
        """Act at random times."""
        while True:
            await asyncio.sleep(self._rng.expovariate(1 / 600))
            await self._world.restores.act()
            if self._rng.random() < 0.55:
                await self._command()
            else:
                self.hands.act(self._rng.choice(list(self._world.doors.values())))

    # Clients.

    async def _command(self) -> None:
        choice = self._rng.random()
        living = [w for w in self.wanted.values() if not (w.deleted or w.released)]
        if self._rng.random() < 0.2 and await self.wishes.wish(living):
            return
        if choice < 0.38 or not living:
            await self._create()
        elif choice < 0.58:
            await self._update(self._rng.choice(living))
        elif choice < 0.92:
            await self.delete(self._rng.choice(living))
        elif choice < 0.96:
            door = self._rng.choice(list(self._world.doors))
            verb = self._rng.choice(("devices/sync", "devices/resume", "devices/refill"))
            await self.ask(verb, {"device_id": door})
        else:
            garbage = self._rng.randbytes(self._rng.randint(0, 60))
            await self._send("access_codes/create", garbage)

    def window(self) -> tuple[datetime | None, datetime | None]:
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

    def recurrence(self) -> Recurrence | None:
        """Choose windows that come back within the storm; mostly none."""
        if not self._world.has("recurring") or self._rng.random() < 0.6:
            return None
        hours, minute = self._rng.choice((2, 2, 6)), self._rng.randrange(60)
        minutes = self._rng.choice((30, 45, 60))
        return Recurrence(cron=f"{minute} */{hours} * * *", minutes=minutes, time_zone="UTC")

    def times(self) -> tuple[dict[str, Any], datetime | None, datetime | None, Recurrence | None]:
        """Choose when a code opens, as parameters of a command and as what they mean."""
        starts, ends = self.window()
        again = self.recurrence()
        body = {"starts_at": instant(starts), "ends_at": instant(ends), "recurrence": again}
        return body, starts, ends, again

    def new_body(self, door: Door) -> dict[str, Any]:
        """Choose what a client asks for, apart from the times."""
        body: dict[str, Any] = {
            "device_id": door.device_id,
            "name": f"Guest {len(self.wanted)}",
            "is_external_modification_allowed": self._rng.random() < 0.2,
            "prefer_native_scheduling": self._rng.random() < 0.8,
        }
        if self._rng.random() < 0.7:
            body["code"] = self.pin(door)
        if self._world.has("one_time") and door.lock.model.capabilities.reports_use:
            body["is_one_time_use"] = self._rng.random() < (0.7 if self._world.has("haste") else 0.2)
        return body

    async def _create(self) -> None:
        world = self._world
        door = world.doors[self._rng.choice(list(world.doors))]
        times, starts, ends, again = self.times()
        body = self.new_body(door) | times
        if world.has("pool") and ends is not None:
            body["use_backup_access_code_pool"] = self._rng.random() < 0.4
        reply = await self.ask("access_codes/create", body)
        if reply is None or reply["status"] != "ok":
            return
        code = reply["data"]["access_code"]
        if code["access_code_id"] in self.wanted:
            world.rules.broken(7, "one id for two codes")
        self.promised(
            code,
            (starts, ends, again),
            allowed=body["is_external_modification_allowed"],
            one_time=body.get("is_one_time_use", False),
        )

    def promised(
        self, code: dict[str, Any], times: Times, *, allowed: bool, one_time: bool = False
    ) -> Wanted:
        """Remember a code that the hub has taken on, and watch that its PIN is nobody else's."""
        starts, ends, again = times
        wanted = Wanted(
            code["access_code_id"],
            code["device_id"],
            code["code"],
            starts,
            ends,
            self._world.now(),
            allowed=allowed,
            recurrence=again,
            one_time=one_time,
            used=one_time and (code["device_id"], code["code"]) in self.used_early,
        )
        if self._world.clock.synced and any(
            self._is_guest_of(other, wanted) for other in self.wanted.values()
        ):
            self._world.rules.broken(4, f"{wanted.device_id}: one PIN was given to two guests")
        self.wanted[wanted.access_code_id] = wanted
        self._world.rules.pins.add(wanted.pin)
        self._world.rules.ends.expect(wanted)
        return wanted

    def _is_guest_of(self, other: Wanted, new: Wanted) -> bool:
        """Say whether somebody else has the PIN of a new code."""
        return (
            (other.device_id, other.pin) == (new.device_id, new.pin)
            and other.access_code_id != new.access_code_id
            and other.is_settled
            and not other.allowed
            and other.closes_later(self._world.now())
        )

    async def _update(self, wanted: Wanted) -> None:
        door = self._world.doors[wanted.device_id]
        body: dict[str, Any] = {"access_code_id": wanted.access_code_id}
        times, pin = wanted.times, wanted.pin
        doubted = wanted.unsure
        if self._rng.random() < 0.5:
            pin = body["code"] = self.pin(door)
        if self._rng.random() < 0.6:
            asked, *_ = chosen = self.times()
            body, times = body | asked, chosen[1:]
        backup = self.wanted.get(wanted.backup_id or "")
        doubted_pair = backup is not None and backup.unsure
        for code in (wanted, backup):
            if code is not None:
                code.unsure = True
        reply = await self.ask("access_codes/update", body)
        if reply is None:
            return
        # A refusal tells nothing of an update before it that was never answered.
        is_done = reply["status"] == "ok"
        wanted.unsure = doubted and not is_done
        if backup is not None:
            backup.unsure = doubted_pair and not is_done
        if not is_done:
            return
        pin = pin if "code" in body else reply["data"]["access_code"]["code"]
        if doubted and "ends_at" not in body:
            times = times_of(reply["data"]["access_code"])  # an update before it was never answered
        moves_end = times[1] != wanted.ends_at
        wanted.changed_at = self._world.now()
        if pin != wanted.pin:
            wanted.pin_since = wanted.changed_at
            wanted.former.add(wanted.pin)
            self._world.restores.pin_changed(door, wanted.pin)
        wanted.pin = pin
        wanted.starts_at, wanted.ends_at, wanted.recurrence = times
        self._world.rules.pins.add(pin)
        self._world.rules.ends.expect(wanted)
        if (moves_end or doubted_pair) and backup is not None and not backup.leaving:
            await self._move_along(wanted, backup, doubted=doubted_pair)

    async def _move_along(self, wanted: Wanted, backup: Wanted, *, doubted: bool) -> None:
        """Note that the backup ends with its original now; one that has ended stays so."""
        shown = await self.look("access_codes/get", {"access_code_id": backup.access_code_id})
        if shown is None:
            backup.unsure = True
            return
        if doubted:  # how far it moved along before was never answered: it may have ended by that
            backup.ends_at = times_of(shown["access_code"])[1]
        moved = shown["access_code"]["ends_at"] == instant(wanted.ends_at)
        ended = backup.ends_at is not None and backup.ends_at <= self._world.now()
        if not moved and not ended and self._world.clock.synced:
            self._world.rules.broken(6, f"{backup.device_id}: a backup does not end with its original")
        if moved:
            backup.ends_at, backup.changed_at = wanted.ends_at, wanted.changed_at
            self._world.rules.ends.expect(backup)

    async def delete(self, wanted: Wanted) -> None:
        backup = self.wanted.get(wanted.backup_id or "")
        gone = [code for code in (wanted, backup) if code is not None]
        for code in gone:
            code.leaving = True
        reply = await self.ask("access_codes/delete", {"access_code_id": wanted.access_code_id})
        if reply is not None and (reply["status"] == "ok" or reply["error"]["type"] == "not_found"):
            for code in gone:
                code.deleted = code is wanted or reply["status"] == "ok"
                code.changed_at = self._world.now()

    def pin(self, door: Door) -> str:
        """Choose a PIN that this lock takes, now and then one that it already has."""
        taken = [credential.pin.reveal() for credential in door.lock.slots.values()]
        if taken and self._rng.random() < 0.08:
            return self._rng.choice(taken)
        rules = door.lock.model.capabilities.pin_rules
        length = 8 if 8 in rules.lengths else max(rules.lengths)
        return "9" + "".join(self._rng.choice(rules.alphabet) for _ in range(length - 1))

    async def ask(
        self, verb: str, body: dict[str, Any], *, before: Door | None = None
    ) -> dict[str, Any] | None:
        """Send a command until it is answered; the same transaction each time."""
        self._transaction += 1
        body["transaction"] = f"t{self._transaction}"
        sent = msgspec.json.encode(body)
        replies: list[bytes] = []
        known = self._world.restores.count
        wished = self._rng.choice((1, 1, 1, 2))
        for _ in range(60):
            if before is not None:
                before.replaced_at = None
                self._world.rules.doubt(before, None)
            restored = self._world.restores.count
            reply = await self._send(verb, sent)
            if reply is not None:
                if restored != known:
                    replies.clear()
                    known = restored
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
        if answer["status"] == "error":
            self._world.rules.no_pin(replies[0].decode(), f"a refusal of {verb}")
        await self._reuse(verb, sent)
        self._world.trace(f"{verb} {answer['status']} {(answer['error'] or {}).get('type', '')}")
        return answer

    async def _reuse(self, verb: str, sent: bytes) -> None:
        """Now and then send something else under the same transaction: it is refused (rule 7)."""
        if self._rng.random() >= 0.03:
            return
        reply = await self._send(verb, sent + b" ")
        if reply is None:
            return
        self._world.fate.counts["transaction used again"] += 1
        error = msgspec.json.decode(reply)["error"] or {}
        if error.get("type") != "transaction_reused":
            self._world.rules.broken(7, f"{verb}: a transaction was used for two commands")

    async def _send(self, verb: str, body: bytes) -> bytes | None:
        """Deliver one command; None: the hub died, its disk was full or the broker is away."""
        hub = self._world.hub
        if hub is None or not self._world.broker_up:
            return None
        try:
            reply = await hub.command(verb, body)
        except Died:
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
            reply = await self.ask("devices/replace", {"device_id": door.device_id}, before=door)
            if reply is None or reply["status"] != "ok":
                await asyncio.sleep(60)
        del self._replacing[door.device_id]

    async def look(self, verb: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Ask once for what changes nothing; None when no answer came."""
        self._transaction += 1
        sent = msgspec.json.encode(body | {"transaction": f"t{self._transaction}"})
        reply = await self._send(verb, sent)
        answer: dict[str, Any] | None = msgspec.json.decode(reply) if reply is not None else None
        return answer["data"] if answer is not None else None

    def take_back(self, door: Door) -> None:
        """Have somebody give the lock into the hub's hands again."""
        if door.maybe_given_away and door.device_id not in self._taking_back:
            self._taking_back[door.device_id] = asyncio.ensure_future(self._take_back(door))

    async def _take_back(self, door: Door) -> None:
        reply = None
        door.given_away_at = None
        while reply is None or reply["status"] != "ok":
            reply = await self.ask("devices/update", {"device_id": door.device_id, "is_managed": True})
        door.maybe_given_away = False
        self._world.rules.trouble(door)
        del self._taking_back[door.device_id]

    def have_a_look(self, door: Door) -> None:
        """Have somebody who was at the door tell the hub to look."""
        task = asyncio.ensure_future(self.ask("devices/sync", {"device_id": door.device_id}))
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)
