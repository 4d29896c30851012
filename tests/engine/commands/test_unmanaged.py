"""Codes of others: shown, taken over, deleted by name, and nothing else (rule 1)."""

import pytest

from drivers.simulated.models import CHOOSER, MASKED, READABLE, WRITE_ONLY, Model
from gateway.domain.driver import NoAnswer, Refused
from gateway.domain.placement import Refusal
from tests.engine.bench import Bench
from tests.engine.build import DOOR, HOUR, MINUTE, SECOND
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
        """A write-only lock shows no codes of others at all."""
        bench = await hang(WRITE_ONLY)
        reply = await bench.ask("access_codes/unmanaged/delete", access_code_id="any")
        assert reply["error"]["type"] == "not_found"


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
