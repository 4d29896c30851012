"""Codes of others: shown, taken over, deleted by name, and nothing else (rule 1)."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from drivers.simulated.lock import SimulatedLock
from drivers.simulated.models import CHOOSER, MASKED, NATIVE, READABLE, WRITE_ONLY, Model
from gateway.domain.credential import Schedule
from gateway.domain.driver import ClockChecked, LockAlive, LockUnreachable, NoAnswer, Refused
from gateway.domain.placement import Refusal
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON, SECOND
from tests.engine.commands.test_refusals_by_lock import BY_WEEKDAY, GRANTED, MONDAYS
from tests.engine.conftest import Hang

THEIRS = "998877"


async def found(bench: Bench) -> tuple[str, str]:
    """Put a code onto the lock at the keypad and let the hub find it; return its id and slot."""
    chooses = bench.lock.model.capabilities.lock_chooses_slot
    slot = bench.by_hand(None if chooses else "3", THEIRS)
    bench.clock.pass_by(MINUTE)
    await bench.do("devices/sync", device_id=DOOR)
    await bench.settle()
    [shown] = (await bench.do("access_codes/unmanaged/list"))["unmanaged_access_codes"]
    bench.events()
    bench.driver.taken()
    return str(shown["access_code_id"]), slot


async def flags(bench: Bench, code_id: str) -> set[str]:
    """Return what is said to be impossible with a code of others."""
    asked = await bench.do("access_codes/unmanaged/get", access_code_id=code_id)
    shown = {name: value for name, value in asked["unmanaged_access_code"].items() if "cannot" in name}
    assert set(shown.values()) <= {True}
    return set(shown)


class TestLooking:
    """Found, listed without PIN, shown with it to who asks for this one."""

    async def test_it_is_found_by_id_and_by_pin(self, hang: Hang) -> None:
        """Where the lock shows digits."""
        bench = await hang(READABLE)
        code_id, slot = await found(bench)
        by_id = (await bench.do("access_codes/unmanaged/get", access_code_id=code_id))[
            "unmanaged_access_code"
        ]
        by_pin = await bench.do("access_codes/unmanaged/get", device_id=DOOR, code=THEIRS)
        assert by_pin["unmanaged_access_code"] == by_id
        assert (by_id["code"], by_id["slot"], by_id["status"]) == (THEIRS, slot, "set")

    async def test_hidden_digits_stay_unknown(self, hang: Hang) -> None:
        """Null, not stars."""
        bench = await hang(MASKED)
        code_id, _ = await found(bench)
        shown = await bench.do("access_codes/unmanaged/get", access_code_id=code_id)
        assert shown["unmanaged_access_code"]["code"] is None

    async def test_what_is_impossible_with_it_is_said_before_it_is_asked_for(self, hang: Hang) -> None:
        """By the checks of the command; nothing is said of one that can be taken over and deleted."""
        bench = await hang(BY_WEEKDAY)
        bench.by_hand("3", THEIRS)
        bench.by_hand("4", "864209", schedule=MONDAYS)
        bench.by_hand("5", "753102", schedule=Schedule(starts_at=NOON - DAY, ends_at=NOON - HOUR))
        bench.clock.pass_by(MINUTE)
        await bench.do("devices/sync", device_id=DOOR)
        await bench.settle()
        listed = (await bench.do("access_codes/unmanaged/list"))["unmanaged_access_codes"]
        by_slot = {shown["slot"]: shown for shown in listed}
        said = {name: await flags(bench, shown["access_code_id"]) for name, shown in by_slot.items()}
        assert said == {"3": set(), "4": {"cannot_be_managed"}, "5": {"cannot_be_managed"}}
        assert "cannot_be_managed" in by_slot["4"]
        for shown in listed:
            asked = {"access_code_id": shown["access_code_id"], "dry_run": True}
            reply = await bench.ask("access_codes/unmanaged/convert_to_managed", **asked)
            assert (reply["status"] == "error") is ("cannot_be_managed" in shown)
        assert by_slot["4"]["weekly"] == [{"weekdays": [0], "from_minute": 540, "until_minute": 720}]
        assert "weekly" not in by_slot["3"]

    async def test_of_a_slot_that_is_not_granted_it_is_said_too(self, hang: Hang) -> None:
        """It can be deleted: that takes no slot."""
        bench = await hang(READABLE, policy=GRANTED)
        code_id, _ = await found(bench)
        assert await flags(bench, code_id) == {"cannot_be_managed"}


class TestConverting:
    """The PIN stays on the lock and is the hub's from now on."""

    @pytest.mark.parametrize("model", [READABLE, CHOOSER], ids=lambda m: m.name)
    async def test_a_readable_code_is_adopted_without_writing(self, hang: Hang, model: Model) -> None:
        """Under the same id."""
        bench = await hang(model)
        code_id, slot = await found(bench)
        done = await bench.do("access_codes/unmanaged/convert_to_managed", access_code_id=code_id)
        assert done["action_attempt"]["status"] == "success"
        await bench.settle(HOUR)
        assert bench.driver.taken("write", "clear") == []
        shown = await bench.shown(code_id)
        assert (shown["code"], shown["slot"], shown["status"], shown["name"]) == (
            THEIRS,
            slot,
            "set",
            "Access code",
        )
        assert "access_code.unmanaged.converted_to_managed" in bench.events()
        assert (await bench.do("access_codes/unmanaged/list"))["unmanaged_access_codes"] == []

    async def test_hidden_digits_are_typed_and_written_once(self, hang: Hang) -> None:
        """So that the hub knows what is there, right or wrong as the typed PIN may be."""
        bench = await hang(MASKED)
        code_id, slot = await found(bench)
        reply = await bench.ask("access_codes/unmanaged/convert_to_managed", access_code_id=code_id)
        assert reply["error"]["data"]["field"] == "code"
        await bench.do("access_codes/unmanaged/convert_to_managed", access_code_id=code_id, code="424242")
        await bench.settle(HOUR)
        assert bench.driver.taken("write") == [("write", slot)]
        assert bench.on_lock() == {slot: "424242"}
        assert (await bench.shown(code_id))["status"] == "set"

    async def test_a_code_with_a_pin_of_ours_is_not_taken_over(self, hang: Hang) -> None:
        """Two codes of one PIN would be on the lock (rule 4)."""
        bench = await hang(READABLE)
        code_id, _ = await found(bench)
        await bench.create(THEIRS)
        reply = await bench.ask("access_codes/unmanaged/convert_to_managed", access_code_id=code_id)
        assert reply["error"]["type"] == "duplicate_access_code"

    async def test_another_pin_than_the_lock_shows_is_refused(self, hang: Hang) -> None:
        """The lock knows better."""
        bench = await hang(READABLE)
        code_id, _ = await found(bench)
        reply = await bench.ask(
            "access_codes/unmanaged/convert_to_managed", access_code_id=code_id, code="424242"
        )
        assert reply["error"]["data"]["field"] == "code"


class TestConvertingTimes:
    """A code that the lock itself keeps to two times."""

    async def dated(self, bench: Bench, begins: timedelta, lasts: timedelta | None) -> str:
        """Put such a code onto the lock at the keypad and let the hub find it; return its id."""
        starts_at = bench.clock.wall + begins
        ends_at = starts_at + lasts if lasts is not None else None
        bench.by_hand(None, THEIRS, schedule=Schedule(starts_at=starts_at, ends_at=ends_at))
        bench.clock.pass_by(MINUTE)
        await bench.do("devices/sync", device_id=DOOR)
        await bench.settle()
        [shown] = (await bench.do("access_codes/unmanaged/list"))["unmanaged_access_codes"]
        bench.driver.taken()
        return str(shown["access_code_id"])

    async def test_one_that_begins_later_stays_on_the_lock_until_then(self, hang: Hang) -> None:
        """Its guest comes in also when the lock is out of reach at that time."""
        bench = await hang(NATIVE)
        code_id = await self.dated(bench, 10 * DAY, 2 * DAY)
        done = await bench.do("access_codes/unmanaged/convert_to_managed", access_code_id=code_id)
        assert (done["access_code"]["status"], done["access_code"]["pending_mutations"]) == ("unset", [])
        assert done["access_code"]["is_scheduled_on_device"]
        await bench.settle(9 * DAY)
        assert bench.driver.taken("write", "clear") == []
        bench.driver.closed = LockUnreachable("out of reach")
        await bench.settle(DAY + HOUR)
        assert list(bench.on_lock().values()) == [THEIRS]
        bench.driver.closed = None
        await bench.tell(LockAlive(device_id=DOOR))
        assert (await bench.shown(code_id))["status"] == "set"
        await bench.settle(2 * DAY)
        assert bench.on_lock() == {}

    async def test_moved_to_later_it_goes_off_the_lock_until_nearer_its_start(self, hang: Hang) -> None:
        """Like any other code: the lock keeps other times than those wanted now."""
        bench = await hang(NATIVE)
        code_id = await self.dated(bench, 10 * DAY, 2 * DAY)
        await bench.do("access_codes/unmanaged/convert_to_managed", access_code_id=code_id)
        later = [instant(bench.clock.wall + days * DAY) for days in (20, 22)]
        await bench.do("access_codes/update", access_code_id=code_id, starts_at=later[0], ends_at=later[1])
        await bench.settle(HOUR)
        assert bench.on_lock() == {}
        await bench.settle(18 * DAY)
        assert list(bench.on_lock().values()) == [THEIRS]

    @pytest.mark.parametrize(
        ("begins", "lasts", "clock_off", "why"),
        [
            (-10 * DAY, 8 * DAY, 0 * DAY, "this code has ended"),
            (10 * DAY, None, 0 * DAY, "this code has not begun"),
            (10 * DAY, 2 * DAY, HOUR, "this code has not begun"),
        ],
        ids=["ended", "without an end", "on a lock whose clock is wrong"],
    )
    async def test_one_that_would_come_off_the_lock_at_once_is_refused(
        self, hang: Hang, begins: timedelta, lasts: timedelta | None, clock_off: timedelta, why: str
    ) -> None:
        """An ok would say that its PIN stays."""
        bench = await hang(NATIVE)
        await bench.tell(ClockChecked(device_id=DOOR, off_by=clock_off))
        code_id = await self.dated(bench, begins, lasts)
        reply = await bench.ask("access_codes/unmanaged/convert_to_managed", access_code_id=code_id)
        assert reply["error"]["type"] == "device_refused"
        assert reply["error"]["message"].startswith(why)
        await bench.settle(HOUR)
        assert list(bench.on_lock().values()) == [THEIRS]


class TestDeleting:
    """By name only, after a look."""

    @pytest.mark.parametrize("model", [READABLE, MASKED, CHOOSER], ids=lambda m: m.name)
    async def test_it_is_looked_at_and_then_removed(self, hang: Hang, model: Model) -> None:
        """One attempt, which ends well; told as gone."""
        bench = await hang(model)
        code_id, _ = await found(bench)
        bench.clock.pass_by(SECOND)
        done = await bench.do("access_codes/unmanaged/delete", access_code_id=code_id)
        assert done["action_attempt"]["status"] == "pending"
        await bench.settle(HOUR)
        assert bench.on_lock() == {}
        assert "access_code.unmanaged.removed" in bench.events()
        attempt_id = done["action_attempt"]["action_attempt_id"]
        ended = await bench.do("action_attempts/get", action_attempt_id=attempt_id)
        assert ended["action_attempt"]["status"] == "success"

    async def test_a_lost_answer_is_repeated(self, hang: Hang) -> None:
        """After another look."""
        bench = await hang(READABLE)
        code_id, _ = await found(bench)
        bench.clock.pass_by(SECOND)
        bench.driver.faults = [None, ("before", NoAnswer("lost"))]
        await bench.do("access_codes/unmanaged/delete", access_code_id=code_id)
        await bench.settle(HOUR)
        assert bench.on_lock() == {}

    @pytest.mark.parametrize("says_so", [True, False], ids=["refuses", "takes it and does nothing"])
    async def test_a_lock_that_does_not_delete_it_is_not_asked_for_ever(
        self, hang: Hang, monkeypatch: pytest.MonkeyPatch, *, says_so: bool
    ) -> None:
        """The attempt ends with an error, and the code can be asked for again."""
        supervised = replace(READABLE.capabilities, supervised=says_so)
        bench = await hang(replace(READABLE, capabilities=supervised))
        code_id, slot = await found(bench)
        bench.clock.pass_by(SECOND)

        def stay(_lock: SimulatedLock, _slot: str) -> None:
            if says_so:
                raise Refused(Refusal.OTHER, "not this one")

        with monkeypatch.context() as stubborn:
            stubborn.setattr(SimulatedLock, "clear", stay)
            done = await bench.do("access_codes/unmanaged/delete", access_code_id=code_id)
            await bench.settle(6 * HOUR)
        assert [kind for kind, _ in bench.driver.taken()] == ["read", "clear"] * 5
        attempt_id = done["action_attempt"]["action_attempt_id"]
        ended = (await bench.do("action_attempts/get", action_attempt_id=attempt_id))["action_attempt"]
        assert (ended["status"], ended["error"]["type"]) == ("error", "refused")
        assert bench.on_lock() == {slot: THEIRS}
        again = await bench.do("access_codes/unmanaged/delete", access_code_id=code_id)
        assert again["action_attempt"]["status"] == "pending"
        await bench.settle(HOUR)
        assert bench.on_lock() == {}

    async def test_another_code_in_its_slot_is_left_alone(self, hang: Hang) -> None:
        """Somebody was faster: the command named the code that was there."""
        bench = await hang(READABLE)
        code_id, slot = await found(bench)
        bench.clock.pass_by(SECOND)
        bench.by_hand(slot, "111222")
        done = await bench.do("access_codes/unmanaged/delete", access_code_id=code_id)
        await bench.settle(HOUR)
        assert bench.on_lock() == {slot: "111222"}
        attempt_id = done["action_attempt"]["action_attempt_id"]
        ended = (await bench.do("action_attempts/get", action_attempt_id=attempt_id))["action_attempt"]
        assert (ended["status"], ended["error"]["type"]) == ("error", "changed")

    async def test_another_code_put_there_after_a_lost_answer_is_left_alone(self, hang: Hang) -> None:
        """Nobody knows whether the deletion arrived; before the next look somebody types a code there."""
        bench = await hang(READABLE)
        code_id, slot = await found(bench)
        bench.clock.pass_by(SECOND)
        bench.driver.faults = [None, ("after", NoAnswer("lost"))]
        bench.driver.meanwhile["clear", slot] = lambda: bench.by_hand(slot, "111222")
        await bench.do("access_codes/unmanaged/delete", access_code_id=code_id)
        await bench.settle(HOUR)
        assert bench.on_lock() == {slot: "111222"}
        assert [kind for kind, _ in bench.driver.operations].count("clear") == 1

    async def test_where_nobody_can_look_it_is_refused(self, hang: Hang) -> None:
        """A write-only lock has codes of others only where the hub let go of one of its own."""
        bench = await hang(WRITE_ONLY)
        code_id = await bench.create("471134")
        await bench.settle(HOUR)
        await bench.do("access_codes/update", access_code_id=code_id, is_managed=False)
        assert await flags(bench, code_id) == {"cannot_delete_unmanaged_access_code"}
        bench.driver.taken()
        reply = await bench.ask("access_codes/unmanaged/delete", access_code_id=code_id)
        assert (reply["error"]["type"], reply["error"]["message"]) == (
            "device_refused",
            "this lock does not show what it holds, so nobody can make sure which code is deleted",
        )
        await bench.settle(HOUR)
        assert (bench.driver.taken(), list(bench.on_lock().values())) == ([], ["471134"])


class TestLettingGo:
    """The other way round: the hub's codes become somebody else's."""

    async def test_a_code_let_go_stays_on_the_lock_and_is_never_touched(self, hang: Hang) -> None:
        """`is_managed: false`."""
        bench = await hang(READABLE)
        code_id = await bench.create("471134")
        await bench.settle(HOUR)
        bench.events()
        bench.driver.taken()
        done = await bench.do("access_codes/update", access_code_id=code_id, is_managed=False)
        assert [left["slot"] for left in done["left_behind"]] == ["20"]
        await bench.settle(24 * HOUR)
        assert bench.on_lock() == {"20": "471134"}
        assert bench.driver.taken("write", "clear") == []
        [theirs] = (await bench.do("access_codes/unmanaged/list"))["unmanaged_access_codes"]
        assert theirs["access_code_id"] == code_id

    async def test_a_forced_delete_says_what_it_leaves_behind(self, hang: Hang) -> None:
        """For a lock that will never answer again."""
        bench = await hang(READABLE)
        code_id = await bench.create("471134")
        await bench.settle()
        bench.events()
        done = await bench.do("access_codes/delete", access_code_id=code_id, force=True)
        assert done["left_behind"] == [{"access_code_id": code_id, "slot": "20"}]
        assert "access_code.deleted" in bench.events()
        assert (await bench.ask("access_codes/get", access_code_id=code_id))["error"]["type"] == "not_found"

    async def test_what_a_forced_delete_left_is_in_the_way_of_its_pin(self, hang: Hang) -> None:
        """Before anybody has looked at it too (rule 4); once it is gone the PIN is free."""
        bench = await hang(replace(READABLE, refuses_duplicates=False))
        code_id = await bench.create("471134")
        await bench.settle(HOUR)
        await bench.do("access_codes/delete", access_code_id=code_id, force=True)
        again = await bench.create("471134")
        await bench.settle()
        assert bench.on_lock() == {"20": "471134"}
        [left] = (await bench.do("access_codes/unmanaged/list"))["unmanaged_access_codes"]
        [error] = (await bench.shown(again))["errors"]
        assert error["unmanaged_access_code_id"] == left["access_code_id"]
        bench.clock.pass_by(SECOND)
        await bench.do("access_codes/unmanaged/delete", access_code_id=left["access_code_id"])
        await bench.settle(HOUR)
        assert (await bench.shown(again))["status"] == "set"

    async def test_where_nobody_can_look_what_was_left_is_in_nobody_s_way(self, hang: Hang) -> None:
        """No look would ever take it back: its slot is written again."""
        bench = await hang(WRITE_ONLY)
        code_id = await bench.create("471134")
        await bench.settle(HOUR)
        await bench.do("access_codes/delete", access_code_id=code_id, force=True)
        again = await bench.create("471134")
        await bench.settle(HOUR)
        assert bench.on_lock() == {"20": "471134"}
        assert (await bench.shown(again))["slot"] == "20"

    async def test_a_lock_taken_out_of_the_hub_s_hands_keeps_its_codes(self, hang: Hang) -> None:
        """And taken back, they are still somebody else's: each is converted by name."""
        bench = await hang(READABLE)
        await bench.create("471134")
        await bench.settle(HOUR)
        await bench.do("devices/update", device_id=DOOR, is_managed=False)
        bench.lock.delete("20")
        bench.by_hand("20", "555555")
        await bench.settle(24 * HOUR)
        assert bench.on_lock() == {"20": "555555"}
        assert "device_not_managed" in bench.issues()
        [theirs] = (await bench.do("access_codes/unmanaged/list"))["unmanaged_access_codes"]
        for verb in ("access_codes/unmanaged/convert_to_managed", "access_codes/unmanaged/delete"):
            reply = await bench.ask(verb, access_code_id=theirs["access_code_id"])
            assert reply["error"]["type"] == "device_refused"
        await bench.do("devices/update", device_id=DOOR, is_managed=True)
        await bench.settle(HOUR)
        assert "device_not_managed" not in bench.issues()
        assert (await bench.do("access_codes/list"))["access_codes"] == []

    async def test_a_lock_out_of_the_hub_s_hands_gets_no_new_code(self, hang: Hang) -> None:
        """Also while codes of before are still being removed from it: only that goes on."""
        bench = await hang(READABLE)
        leaving = await bench.create("471134")
        await bench.settle(HOUR)
        await bench.do("access_codes/delete", access_code_id=leaving)
        await bench.do("devices/update", device_id=DOOR, is_managed=False)
        await bench.create("582245")
        bench.driver.faults = [("before", Refused(Refusal.BUSY, "busy"))]
        await bench.settle(HOUR)
        assert bench.on_lock() == {}
        await bench.do("devices/update", device_id=DOOR, is_managed=True)
        await bench.settle(HOUR)
        assert list(bench.on_lock().values()) == ["582245"]
