"""What clients ask for besides single codes: backups, codes of others, several locks, rehearsals."""

from typing import TYPE_CHECKING, Any

from storage.sqlite import run_unit
from tests.simulation.doors import Door
from tests.simulation.wanted import Wanted, times_of

if TYPE_CHECKING:
    from tests.simulation.people import People
    from tests.simulation.world import World


class Wishes:
    """The rarer commands."""

    def __init__(self, world: "World", people: "People") -> None:
        """Ask on behalf of `people`."""
        self._world = world
        self._people = people
        self._rng = world.rng
        self.tried: set[str] = set()
        """Codes that a command would have made, had it not been a rehearsal."""
        self.given_up: set[tuple[str, str]] = set()
        """PINs that a client took out of the hub's hands: they may stay on the lock."""

    async def wish(self, living: list[Wanted]) -> bool:
        """Ask for something rare; False where this world knows no such wish."""
        kinds = [
            kind for kind in ("pool", "others", "release", "several", "rehearse") if self._world.has(kind)
        ]
        if not kinds:
            return False
        door = self._rng.choice(list(self._world.doors.values()))
        kind = self._rng.choice(kinds)
        if kind == "pool":
            await self._pool(door, living)
        elif kind == "others":
            await self._others(door)
        elif kind == "several":
            await self._several()
        elif kind == "rehearse":
            await self._rehearse(door, living)
        else:
            await self._release(door, living)
        return True

    # Backups.

    async def _pool(self, door: Door, living: list[Wanted]) -> None:
        ending = [w for w in living if w.ends_at is not None]
        if not ending or self._rng.random() < 0.3:
            enabled = self._rng.random() < 0.8
            body = {"device_id": door.device_id, "backup_access_code_pool_enabled": enabled}
            await self._people.ask("devices/update", body)
            return
        # Most stand at the door: none is given out before a code begins, or for one that comes again.
        now = self._world.now()
        there = [w for w in ending if w.recurrence is None and (w.starts_at is None or w.starts_at <= now)]
        if there and self._rng.random() < 0.8:
            ending = there
        first = self._rng.choice(ending)
        await self._pull(door, first)
        others = [w for w in ending if w.device_id == first.device_id and w is not first and w.is_settled]
        if others and self._rng.random() < 0.6:
            await self._pull(door, self._rng.choice(others))  # two guests in trouble at the same door

    async def _pull(self, door: Door, original: Wanted) -> None:
        reply = await self._people.ask(
            "access_codes/pull_backup_access_code", {"access_code_id": original.access_code_id}
        )
        if reply is None or reply["status"] != "ok":
            return
        shown = reply["data"]["backup_access_code"]
        known = self._people.wanted.get(shown["access_code_id"])
        if known is not None:
            if original.backup_id != shown["access_code_id"]:
                self._world.rules.broken(4, f"{door.device_id}: one backup was pulled for two guests")
            return
        self._world.fate.counts["backup pulled"] += 1
        original.backup_id = shown["access_code_id"]
        backup = self._people.promised(shown, times_of(shown), allowed=False, one_time=original.one_time)
        backup.unsure, backup.leaving = original.unsure, original.leaving

    # Codes of others.

    async def _others(self, door: Door) -> None:
        listed = await self._people.look("access_codes/unmanaged/list", {"device_id": door.device_id})
        theirs = listed["unmanaged_access_codes"] if listed is not None else []
        if not theirs:
            return
        shown = self._rng.choice(theirs)
        slot, body = shown["slot"], {"access_code_id": shown["access_code_id"]}
        door.named.add(slot)
        self._world.rules.doubt(door, slot)
        if self._rng.random() < 0.4:
            await self._people.ask("access_codes/unmanaged/delete", body)
            return
        taken = door.lock.slots.get(slot)
        if door.lock.model.masks_digits:
            body["code"] = taken.pin.reveal() if taken is not None else self._people.pin(door)
        before = self._people.wanted.get(body["access_code_id"])
        if before is not None:
            before.released, before.leaving = False, True
        reply = await self._people.ask("access_codes/unmanaged/convert_to_managed", body)
        if reply is None:
            door.held.setdefault(slot, self._world.now())  # It may be the hub's from now on.
            return
        if reply["status"] != "ok":
            if before is not None and reply["error"]["type"] != "not_found":
                before.released = True
            return
        self._world.fate.counts["code of others taken over"] += 1
        code = reply["data"]["access_code"]
        door.taken_over(slot, code["code"], self._world.now())
        self._people.promised(code, times_of(code), allowed=False)

    # Out of the hub's hands.

    async def _release(self, door: Door, living: list[Wanted]) -> None:
        choice = self._rng.random()
        if choice < 0.15 and not door.maybe_given_away:
            await self._give_lock_away(door)
        elif choice < 0.25:
            await self._remove_guests(door)
        elif living:
            await self._give_code_away(self._rng.choice(living))

    async def _give_code_away(self, wanted: Wanted) -> None:
        door = self._world.doors[wanted.device_id]
        wanted.leaving = True
        self.given_up |= {(wanted.device_id, pin) for pin in self._pins(wanted)}
        self._world.rules.trouble(door)
        body: dict[str, Any] = {"access_code_id": wanted.access_code_id}
        forced = self._rng.random() < 0.5
        backup = self._people.wanted.get(wanted.backup_id or "")
        if backup is not None:
            backup.leaving = True
        # What was written there is forgotten with the code, also where the reply gets lost: the next one may
        # have the same PIN.
        for pin in self._pins(wanted):
            for slot in self._world.rules.known_slots(door).get(pin, ()):
                self._world.rules.doubt(door, slot)
        if forced:
            reply = await self._people.ask("access_codes/delete", body | {"force": True})
        else:
            reply = await self._people.ask("access_codes/update", body | {"is_managed": False})
        if reply is None or reply["status"] != "ok":
            return
        self._world.fate.counts["code given up"] += 1
        wanted.deleted, wanted.released = forced, True
        if backup is not None:
            backup.deleted, backup.changed_at = True, self._world.now()
        for left in reply["data"].get("left_behind", []):
            taken = door.lock.slots.get(left["slot"])
            if taken is not None and taken.pin.reveal() in wanted.pins:
                door.given_up(left["slot"], self._world.now())

    def _pins(self, wanted: Wanted) -> set[str]:
        """Return every PIN by which a lock may hold a code, one given at the lock included."""
        code = run_unit(self._world.connection, self._world.vault, lambda tx: tx.code(wanted.access_code_id))
        return wanted.pins | ({code.pin.reveal()} if code is not None else set())

    async def _give_lock_away(self, door: Door) -> None:
        """Take a lock out of the hub's hands, with all its codes, and back some hours later."""
        door.maybe_given_away = True
        mine = [w for w in self._people.wanted.values() if w.device_id == door.device_id and not w.deleted]
        was_leaving = {w.access_code_id for w in mine if w.leaving}
        for wanted in mine:
            wanted.leaving = True
            self.given_up |= {(wanted.device_id, pin) for pin in self._pins(wanted)}
        # The hub has codes, too, whose client never got the reply.
        codes = run_unit(self._world.connection, self._world.vault, lambda tx: list(tx.codes()))
        self.given_up |= {(c.device_id, c.pin.reveal()) for c in codes if c.device_id == door.device_id}
        known = self._world.rules.known_slots(door)
        reply = await self._people.ask("devices/update", {"device_id": door.device_id, "is_managed": False})
        if reply is not None and reply["status"] == "ok":
            self._world.fate.counts["lock given away"] += 1
            self._world.note(f"{door.device_id} is out of the hub's hands")
            door.given_away_at = self._world.now()
            for wanted in mine:
                wanted.released = wanted.access_code_id not in was_leaving
                for slot in (slot for pin in wanted.pins for slot in known.get(pin, ())):
                    if wanted.released and slot in door.lock.slots:
                        door.given_up(slot, self._world.now())
        hours = self._rng.uniform(0.2, 8)
        self._world.later(hours * 3600, lambda: self._people.take_back(door))

    async def _remove_guests(self, door: Door) -> None:
        guests = [
            w
            for w in self._people.wanted.values()
            if w.device_id == door.device_id and not w.deleted and not w.released and not w.leaving
        ]
        for wanted in guests:
            wanted.leaving = True
        body = {"device_id": door.device_id, "include_ongoing": self._rng.random() < 0.3}
        reply = await self._people.ask("devices/remove_guest_codes", body)
        if reply is None or reply["status"] != "ok":
            return
        removed = set(reply["data"]["access_code_ids"])
        for wanted in guests:
            wanted.deleted = wanted.access_code_id in removed
            wanted.leaving, wanted.changed_at = wanted.deleted, self._world.now()

    # Several locks, and rehearsals.

    async def _several(self) -> None:
        people, rng = self._people, self._rng
        doors = [door for door in self._world.doors.values() if rng.random() < 0.7]
        if not doors:
            return
        asked, starts, ends, again = people.times()
        body = people.new_body(doors[0]) | asked
        body.pop("device_id")
        body.pop("is_one_time_use", None)
        if rng.random() < 0.6:
            body.pop("code", None)
        body["device_ids"] = [door.device_id for door in doors]
        body["behavior_when_code_cannot_be_shared"] = rng.choice(("throw", "create_random_code"))
        reply = await people.ask("access_codes/create_multiple", body)
        if reply is None or reply["status"] != "ok":
            return
        self._world.fate.counts["codes for several locks"] += 1
        for code in reply["data"]["access_codes"]:
            allowed = body["is_external_modification_allowed"]
            people.promised(code, (starts, ends, again), allowed=allowed)

    async def _rehearse(self, door: Door, living: list[Wanted]) -> None:
        """Try a command. It must change nothing: nobody notes it down as asked for."""
        people, rng = self._people, self._rng
        choices: list[tuple[str, dict[str, Any]]] = [
            ("access_codes/create", people.new_body(door) | people.times()[0]),
            ("devices/remove_guest_codes", {"device_id": door.device_id, "include_ongoing": True}),
            ("devices/update", {"device_id": door.device_id, "is_managed": False}),
        ]
        if living:
            code_id = {"access_code_id": rng.choice(living).access_code_id}
            choices += [
                ("access_codes/update", code_id | {"code": people.pin(door)}),
                ("access_codes/delete", code_id),
                ("access_codes/delete", code_id | {"force": True}),
                ("access_codes/update", code_id | {"is_managed": False}),
            ]
        verb, body = rng.choice(choices)
        told = await people.look(verb, body | {"dry_run": True})
        self._world.fate.counts["rehearsed command"] += 1
        if told is None or "would_reply" not in told:
            return
        if verb == "access_codes/create":
            code = told["would_reply"]["access_code"]
            self.tried.add(code["access_code_id"])
            self._world.rules.pins.add(code["code"])
