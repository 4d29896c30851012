"""A PIN that the lock still had after the hub removed it: refused, until the removal shows (rule 11)."""

from datetime import timedelta

import pytest

from drivers.simulated.models import READABLE
from gateway.domain.credential import Empty, Evidence, Reading
from gateway.domain.driver import SlotTouched, Written
from gateway.domain.placement import Former
from gateway.engine.outcomes import absorb_cleared
from tests.engine.bench import Bench
from tests.engine.build import DOOR, HOUR, MINUTE, NOON, clearing, credential, known, slot
from tests.engine.conftest import Hang
from tests.engine.working import working

PIN = "471134"


def keep(bench: Bench, place: str) -> None:
    """Let the lock acknowledge the next removal from a slot and not do it yet."""
    stays = bench.lock.slots[place]
    bench.driver.meanwhile["clear", place] = lambda: bench.lock.slots.update({place: stays})


async def refused_for_what_was_removed(bench: Bench) -> str:
    """Delete a code and create it anew; the lock acknowledges the removal and still has the PIN."""
    before = await bench.create(PIN)
    await bench.settle(10 * MINUTE)
    keep(bench, *bench.lock.slots)
    await bench.do("access_codes/delete", access_code_id=before)
    await bench.worker.reconcile()
    return await refused(bench)


async def refused(bench: Bench) -> str:
    """Create a code that the lock refuses as a duplicate."""
    code_id = await bench.create(PIN)
    await bench.worker.reconcile()
    [error] = (await bench.shown(code_id))["errors"]
    assert error["error_code"] == "duplicate_code_on_device"
    return code_id


async def assert_set_within(bench: Bench, code_id: str, span: timedelta) -> None:
    """Expect that the guest gets in soon."""
    await bench.settle(span)
    assert list(bench.on_lock().values()) == [PIN]
    assert (await bench.shown(code_id))["status"] == "set"


async def test_a_removal_that_took_effect_late_makes_room_for_the_same_pin(hang: Hang) -> None:
    """The second look finds the slot empty."""
    bench = await hang(READABLE)
    code_id = await refused_for_what_was_removed(bench)
    bench.lock.slots.clear()
    await assert_set_within(bench, code_id, 6 * MINUTE)


async def test_a_removal_without_effect_is_repeated_and_makes_room_then(hang: Hang) -> None:
    """The second look finds the old PIN, and the one after the next removal nothing."""
    bench = await hang(READABLE)
    code_id = await refused_for_what_was_removed(bench)
    await assert_set_within(bench, code_id, 11 * MINUTE)


async def test_a_code_of_others_that_a_command_removed_late_makes_room(hang: Hang) -> None:
    """As one of ours does."""
    bench = await hang(READABLE)
    bench.by_hand("3", PIN)
    await bench.tell(SlotTouched(device_id=DOOR, slot="3"))
    [theirs] = (await bench.do("access_codes/unmanaged/list", device_id=DOOR))["unmanaged_access_codes"]
    keep(bench, "3")
    await bench.do("access_codes/unmanaged/delete", access_code_id=theirs["access_code_id"])
    await bench.worker.reconcile()
    code_id = await refused(bench)
    bench.lock.slots.clear()
    await assert_set_within(bench, code_id, 6 * MINUTE)


async def test_a_lock_that_only_says_it_removes_gets_no_write_in_vain(hang: Hang) -> None:
    """Nothing has changed there as long as the PIN still shows."""
    bench = await hang(READABLE)
    await refused_for_what_was_removed(bench)
    bench.driver.taken()
    for _ in range(6):
        keep(bench, *bench.lock.slots)
        await bench.settle(5 * MINUTE)
    kinds = [kind for kind, _ in bench.driver.taken("write", "clear")]
    assert set(kinds) == {"clear"}


@pytest.mark.parametrize(("shown", "rise"), [(Empty(), 1), (known(), 0), (None, 0)])
def test_a_removal_that_shows_at_once_counts_at_once(shown: Reading | None, rise: int) -> None:
    """One that is only acknowledged waits for the second look."""
    removed = Former(pin=credential().pin, removed_at=NOON - HOUR)
    opened = clearing(None)
    work = working(slot("20", known(), former=removed, ghost=True), opened)
    absorb_cleared(work, opened, Written(slot="20", evidence=Evidence.SENT, reading=shown))
    assert work.device.inventory_version == rise
