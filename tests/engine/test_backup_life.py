"""Backup codes beside their originals: named, not changed, out of the way, and out when there are no more."""

import pytest
from msgspec.structs import replace

from drivers.simulated.models import CHOOSER, READABLE, TINY
from gateway.domain.driver import LockAlive, LockUnreachable, NoAnswer
from gateway.engine.mutations import instant
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON, POLICY
from tests.engine.conftest import Hang

POOL = replace(POLICY, backup_pool=1)
UNTIL = {"ends_at": instant(NOON + DAY)}


async def test_the_original_is_still_set_after_its_backup_was_pulled(hang: Hang) -> None:
    """Both open the door then; both end together."""
    bench = await hang(READABLE, policy=POOL)
    await bench.settle()
    bench.driver.faults = [("before", NoAnswer("lost"))] * 3
    code_id = await bench.create("471134", **UNTIL)
    await bench.settle()
    done = await bench.do("access_codes/pull_backup_access_code", access_code_id=code_id)
    pulled = done["backup_access_code"]
    assert done["access_code"]["pulled_backup_access_code_id"] == pulled["access_code_id"]
    await bench.settle(HOUR)
    assert {"471134", pulled["code"]} < set(bench.on_lock().values())
    assert (await bench.shown(code_id))["status"] == "set"
    await bench.settle(DAY)
    assert not {"471134", pulled["code"]} & set(bench.on_lock().values())


async def test_a_forced_delete_of_the_original_takes_its_backup_off_the_lock(hang: Hang) -> None:
    """Who has the one must not come in with the other; what the forced one left is told as ever."""
    bench = await hang(READABLE, policy=POOL)
    await bench.settle()
    code_id = await bench.create("471134", **UNTIL)
    await bench.settle()
    done = await bench.do("access_codes/pull_backup_access_code", access_code_id=code_id)
    pulled = done["backup_access_code"]
    left = (await bench.do("access_codes/delete", access_code_id=code_id, force=True))["left_behind"]
    assert [one["access_code_id"] for one in left] == [code_id]
    await bench.settle(MINUTE)
    assert pulled["code"] not in bench.on_lock().values()
    assert pulled["access_code_id"] not in bench.snap().codes


async def test_a_backup_goes_when_its_original_is_given_out_of_the_hub_s_hands(hang: Hang) -> None:
    """It would be set for ever where the original has no end any more, and nobody would know for whom."""
    bench = await hang(READABLE, policy=POOL)
    await bench.settle()
    code_id = await bench.create("471134", **UNTIL)
    await bench.settle()
    done = await bench.do("access_codes/pull_backup_access_code", access_code_id=code_id)
    pulled = done["backup_access_code"]
    await bench.do("access_codes/update", access_code_id=code_id, type="ongoing")
    await bench.do("access_codes/update", access_code_id=code_id, is_managed=False)
    await bench.settle(MINUTE)
    assert "471134" in bench.on_lock().values()
    assert pulled["code"] not in bench.on_lock().values()
    assert pulled["access_code_id"] not in bench.snap().codes


async def test_one_that_was_given_out_is_a_guest_s_code_also_without_an_end(hang: Hang) -> None:
    """Its guest goes with all others, though the code that it stands in for has no end and stays."""
    bench = await hang(READABLE, policy=POOL)
    await bench.settle()
    code_id = await bench.create("471134", **UNTIL)
    await bench.settle()
    done = await bench.do("access_codes/pull_backup_access_code", access_code_id=code_id)
    pulled = done["backup_access_code"]["access_code_id"]
    await bench.do("access_codes/update", access_code_id=code_id, type="ongoing")
    gone = await bench.do("devices/remove_guest_codes", device_id=DOOR)
    assert gone["access_code_ids"] == [pulled]


async def test_none_is_available_while_the_pool_is_empty(hang: Hang) -> None:
    """It was given out, and the lock is out of reach for the next one."""
    bench = await hang(READABLE, policy=POOL)
    await bench.settle(MINUTE)
    one, two = await bench.create("471134", **UNTIL), await bench.create("582245", **UNTIL)
    await bench.settle()
    assert (await bench.shown(two))["is_backup_access_code_available"] is True
    bench.driver.closed = LockUnreachable("out of reach")
    await bench.do("access_codes/pull_backup_access_code", access_code_id=one)
    await bench.settle()
    assert (await bench.shown(two))["is_backup_access_code_available"] is False
    reply = await bench.ask("access_codes/pull_backup_access_code", access_code_id=two)
    assert reply["error"]["type"] == "backup_access_code_not_found"
    bench.driver.closed = None
    await bench.tell(LockAlive(device_id=DOOR))
    await bench.settle(HOUR)
    assert (await bench.shown(two))["is_backup_access_code_available"] is True


async def test_a_waiting_one_is_named_and_belongs_to_nobody(hang: Hang) -> None:
    """The lock shows what it is for; nobody may change it before it was pulled."""
    bench = await hang(CHOOSER, policy=POOL)
    await bench.settle(MINUTE)
    [(code_id, code)] = bench.snap().codes.items()
    assert code.name == f"Backup {code_id[:8]}"
    assert [credential.name for credential in bench.lock.slots.values()] == [code.name]
    reply = await bench.ask("access_codes/update", access_code_id=code_id, name="Mine")
    assert reply["error"]["type"] == "invalid_input"
    shown = await bench.shown(code_id)
    assert (shown["is_backup"], shown["type"], shown["status"]) == (True, "ongoing", "set")


async def test_locks_with_few_slots_are_said_to_have_no_pool(hang: Hang) -> None:
    """It would crowd out the guests; who configures one gets it nevertheless."""
    for model, supported in ((READABLE, True), (TINY, False)):
        bench = await hang(model)
        properties = (await bench.do("devices/get", device_id=DOOR))["device"]["properties"]
        assert properties["supports_backup_access_code_pool"] is supported
        assert properties["backup_access_code_pool_enabled"] is False


async def test_a_lock_out_of_the_hub_s_hands_has_no_pool(hang: Hang) -> None:
    """What waited on it is the hub's no more."""
    bench = await hang(READABLE, policy=POOL)
    await bench.settle(MINUTE)
    await bench.do("devices/update", device_id=DOOR, is_managed=False)
    await bench.settle(HOUR)
    assert [c for c in bench.snap().codes.values() if c.backup == "waiting" and c.deleted_at is None] == []


@pytest.mark.parametrize(
    ("configured", "said", "waiting"),
    [(1, None, 1), (1, False, 0), (0, True, 3)],
    ids=["configured", "turned off", "turned on"],
)
async def test_a_lock_that_is_taken_back_has_the_pool_that_it_had(
    hang: Hang, *, configured: int, said: bool | None, waiting: int
) -> None:
    """Giving it away empties the pool and is no word about it."""
    bench = await hang(READABLE, policy=replace(POLICY, backup_pool=configured))
    if said is not None:
        await bench.do("devices/update", device_id=DOOR, backup_access_code_pool_enabled=said)
    await bench.settle(MINUTE)
    assert len(bench.on_lock()) == waiting
    shown = (await bench.do("devices/update", device_id=DOOR, is_managed=False))["device"]
    assert shown["properties"]["backup_access_code_pool_enabled"] is False
    await bench.settle(HOUR)
    assert bench.on_lock() == {}
    await bench.do("devices/update", device_id=DOOR, is_managed=True)
    await bench.settle(HOUR)
    assert (len(bench.on_lock()), bench.issues()) == (waiting, set())
