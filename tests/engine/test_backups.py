"""The backup pool: filled by itself, given out once each, ends with the original, makes room for guests."""

import pytest
from msgspec.structs import replace

from drivers.simulated.models import MASKED, NATIVE, READABLE, TINY, WRITE_ONLY, Model
from gateway.domain.driver import BatteryLevel, LockAlive, LockUnreachable, NoAnswer
from gateway.domain.lock import PinRules
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON, POLICY
from tests.engine.conftest import Hang

POOL = replace(POLICY, backup_pool=2)
UNTIL = {"starts_at": instant(NOON - HOUR), "ends_at": instant(NOON + DAY)}


async def pulled(bench: Bench, code_id: str) -> dict[str, object]:
    """Pull a backup for a code; return it."""
    done = await bench.do("access_codes/pull_backup_access_code", access_code_id=code_id)
    found: dict[str, object] = done["backup_access_code"]
    return found


class TestFilling:
    """As many as wanted wait on the lock, and nobody sees them."""

    @pytest.mark.parametrize("model", [READABLE, MASKED, NATIVE], ids=lambda m: m.name)
    async def test_a_configured_pool_is_filled_and_hidden(self, hang: Hang, model: Model) -> None:
        """Not in lists, not on retained topics; counted on the lock."""
        bench = await hang(model, policy=POOL)
        await bench.settle()
        assert len(bench.on_lock()) == 2
        assert (await bench.do("access_codes/list"))["access_codes"] == []
        shown = (await bench.do("devices/get", device_id=DOOR))["device"]
        assert (shown["counts"]["backups_available"], shown["counts"]["access_codes"]) == (2, 0)
        assert shown["properties"]["backup_access_code_pool_enabled"] is True
        assert bench.issues() == set()

    async def test_the_first_code_that_asks_for_it_turns_it_on_for_the_lock(self, hang: Hang) -> None:
        """And a command turns it off again: what nobody pulled goes."""
        bench = await hang(READABLE)
        await bench.create("471134", use_backup_access_code_pool=True, **UNTIL)
        await bench.settle()
        assert len(bench.on_lock()) == 4
        await bench.do("devices/update", device_id=DOOR, backup_access_code_pool_enabled=False)
        await bench.settle(HOUR)
        assert list(bench.on_lock().values()) == ["471134"]

    async def test_a_lock_without_free_pins_goes_on_working(self, hang: Hang) -> None:
        """Its pool says that it is not full; codes still come and go."""
        can = replace(READABLE.capabilities, pin_rules=PinRules(lengths=(4,), alphabet="7"))
        bench = await hang(replace(READABLE, capabilities=can), policy=POOL)
        await bench.settle()
        assert list(bench.on_lock().values()) == ["7777"]
        assert bench.issues() == {"partial_backup_access_code_pool"}
        [backup] = bench.snap().codes
        await bench.do("devices/update", device_id=DOOR, backup_access_code_pool_enabled=False)
        await bench.settle()
        assert (backup in bench.snap().codes, bench.on_lock()) == (False, {})

    async def test_it_is_for_codes_with_an_end(self, hang: Hang) -> None:
        """A code without one never needs a replacement that ends with it."""
        bench = await hang(READABLE)
        reply = await bench.ask("access_codes/create", device_id=DOOR, use_backup_access_code_pool=True)
        assert reply["error"]["data"]["field"] == "use_backup_access_code_pool"

    async def test_a_guest_s_code_takes_the_place_of_a_backup(self, hang: Hang) -> None:
        """On a full lock; the pool says that it is not full any more, and is not filled again."""
        bench = await hang(TINY, policy=POOL)
        await bench.settle()
        assert len(bench.on_lock()) == 2
        await bench.create("471134")
        await bench.settle(HOUR)
        assert "471134" in bench.on_lock().values()
        assert len(bench.on_lock()) == 2
        assert "partial_backup_access_code_pool" in bench.issues()
        await bench.create("582245")
        await bench.settle(HOUR)
        assert sorted(bench.on_lock().values()) == ["471134", "582245"]
        assert "empty_backup_access_code_pool" in bench.issues()
        assert "no_space_for_access_code_on_device" not in bench.issues()

    async def test_only_as_many_make_room_as_there_are_guests(self, hang: Hang) -> None:
        """Also while other things happen before the lock has removed the one."""
        bench = await hang(TINY, policy=POOL)
        await bench.settle()
        await bench.create("471134")
        for level in (0.9, 0.8, 0.7):
            await bench.engine.handle(BatteryLevel(device_id=DOOR, level=level))
        assert sum(code.deleted_at is not None for code in bench.snap().codes.values()) == 1
        await bench.settle(HOUR)
        assert "471134" in bench.on_lock().values()
        assert len(bench.on_lock()) == 2

    async def test_a_lock_that_does_not_answer_has_an_empty_pool(self, hang: Hang) -> None:
        """Until it does; nothing is told of the single codes nobody knows."""
        bench = await hang(READABLE, policy=replace(POLICY, backup_pool=1))
        bench.lock.delete_all()
        bench.driver.closed = LockUnreachable("out of reach")
        assert bench.issues() == set() or "empty_backup_access_code_pool" in bench.issues()
        bench.driver.closed = None
        await bench.tell(LockAlive(device_id=DOOR))
        await bench.settle(HOUR)
        assert bench.issues() == set()


class TestPulling:
    """One backup for one guest."""

    async def test_it_works_at_once_and_costs_no_radio(self, hang: Hang) -> None:
        """It begins now and ends with the original; the pool is filled up again."""
        bench = await hang(READABLE, policy=POOL)
        await bench.settle()
        bench.driver.faults = [("before", NoAnswer("lost"))] * 2
        code_id = await bench.create("471134", **UNTIL)
        await bench.settle()
        bench.driver.taken()
        assert (await bench.shown(code_id))["is_backup_access_code_available"] is True
        backup = await pulled(bench, code_id)
        assert bench.driver.taken() == []
        assert (backup["is_backup"], backup["status"], backup["type"]) == (True, "set", "time_bound")
        assert (backup["starts_at"], backup["ends_at"]) == (instant(NOON), UNTIL["ends_at"])
        assert backup["code"] in bench.on_lock().values()
        assert "access_code.backup_access_code_pulled" in bench.events()
        original = await bench.shown(code_id)
        assert original["pulled_backup_access_code_id"] == backup["access_code_id"]
        assert "using_backup_access_code" in [w["warning_code"] for w in original["warnings"]]

    async def test_asked_again_it_is_the_same_one(self, hang: Hang) -> None:
        """And another guest never gets it."""
        bench = await hang(READABLE, policy=POOL)
        await bench.settle()
        one, two = await bench.create("471134", **UNTIL), await bench.create("582245", **UNTIL)
        first = await pulled(bench, one)
        assert (await pulled(bench, one))["code"] == first["code"]
        assert (await pulled(bench, two))["code"] != first["code"]

    async def test_it_ends_with_the_original_also_when_that_is_moved_or_deleted(self, hang: Hang) -> None:
        """Later or earlier."""
        bench = await hang(READABLE, policy=POOL)
        await bench.settle()
        code_id = await bench.create("471134", **UNTIL)
        backup = await pulled(bench, code_id)
        await bench.do("access_codes/update", access_code_id=code_id, ends_at=instant(NOON + 2 * HOUR))
        assert (await bench.shown(str(backup["access_code_id"])))["ends_at"] == instant(NOON + 2 * HOUR)
        await bench.settle(3 * HOUR)
        assert backup["code"] not in bench.on_lock().values()
        again = await bench.create("693356", ends_at=instant(NOON + DAY))
        backup = await pulled(bench, again)
        await bench.do("access_codes/delete", access_code_id=again)
        await bench.settle(MINUTE)
        assert backup["code"] not in bench.on_lock().values()

    async def test_an_end_of_its_own_stays_while_that_of_the_original_does(self, hang: Hang) -> None:
        """A new PIN of the original is no word about when the guest leaves."""
        bench = await hang(READABLE, policy=POOL)
        await bench.settle()
        code_id = await bench.create("471134", **UNTIL)
        backup_id = str((await pulled(bench, code_id))["access_code_id"])
        await bench.do("access_codes/update", access_code_id=backup_id, ends_at=instant(NOON + 2 * HOUR))
        await bench.do("access_codes/update", access_code_id=code_id, code="693356")
        assert (await bench.shown(backup_id))["ends_at"] == instant(NOON + 2 * HOUR)

    async def test_without_one_ready_it_is_refused(self, hang: Hang) -> None:
        """Nothing is invented that the lock does not have."""
        bench = await hang(WRITE_ONLY)
        code_id = await bench.create("471134", **UNTIL)
        reply = await bench.ask("access_codes/pull_backup_access_code", access_code_id=code_id)
        assert reply["error"]["type"] == "backup_access_code_not_found"

    async def test_a_code_without_an_end_has_no_backup(self, hang: Hang) -> None:
        """It would never end."""
        bench = await hang(READABLE, policy=POOL)
        code_id = await bench.create("471134")
        reply = await bench.ask("access_codes/pull_backup_access_code", access_code_id=code_id)
        assert reply["error"]["type"] == "access_code_not_time_bound"

    async def test_many_pulled_ones_make_the_lock_suspect(self, hang: Hang) -> None:
        """Three at once."""
        bench = await hang(READABLE, policy=replace(POLICY, backup_pool=3))
        await bench.settle()
        for pin in ("471134", "582245", "693356"):
            await pulled(bench, await bench.create(pin, **UNTIL))
        assert "many_active_backup_codes" in bench.issues()
