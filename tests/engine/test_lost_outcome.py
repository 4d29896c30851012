"""An operation on a slot of others whose outcome was never noted: a full disk, or a hub that was killed."""

import pytest
from msgspec.structs import replace

from drivers.simulated.models import MASKED, READABLE
from gateway.domain.driver import SlotTouched
from gateway.domain.store import StorageFailed
from tests.engine.bench import Bench
from tests.engine.build import DOOR, HOUR, MINUTE, POLICY
from tests.engine.commands.test_unmanaged import found
from tests.engine.conftest import Hang

PIN, STRANGE = "471134", "314159"


async def loses_outcome(bench: Bench, place: str, *, is_killed: bool) -> None:
    """Fill the disk while a slot is cleared; then there is room again, or the hub is started anew."""

    def fill() -> None:
        bench.store.failing = True

    bench.driver.meanwhile["clear", place] = fill
    with pytest.raises(StorageFailed):
        await bench.settle()
    bench.store.failing = False
    if is_killed:
        bench.clock.reboot(bench.clock.wall + MINUTE)
        bench.boot()
        await bench.start()
    await bench.settle(HOUR)


@pytest.mark.parametrize("is_killed", [False, True])
async def test_what_happens_in_a_slot_after_a_deletion_is_noticed(hang: Hang, *, is_killed: bool) -> None:
    """It counted as an echo of that deletion for ever: who overwrote the guest's code there was not seen."""
    bench = await hang(MASKED, policy=replace(POLICY, managed_slots=("3",)))
    theirs, place = await found(bench)
    await bench.do("access_codes/unmanaged/delete", access_code_id=theirs)
    await loses_outcome(bench, place, is_killed=is_killed)
    assert bench.on_lock() == {}
    guest = await bench.create(PIN)
    await bench.settle(HOUR)
    assert bench.on_lock() == {place: PIN}
    bench.events()
    bench.by_hand(place, STRANGE)
    await bench.tell(SlotTouched(device_id=DOOR, slot=place))
    await bench.settle(MINUTE)
    assert "access_code.modified_external_to_gateway" in bench.events()
    assert (await bench.shown(guest))["status"] == "set"
    assert bench.on_lock() == {place: PIN}


async def test_a_removal_that_is_made_again_by_itself_blinds_no_slot_either(hang: Hang) -> None:
    """A write of ours that took effect late is cleared without any command."""
    bench = await hang(READABLE)
    guest = await bench.create(PIN)
    await bench.settle(HOUR)
    slot = (await bench.shown(guest))["slot"]
    await bench.do("access_codes/delete", access_code_id=guest)
    await bench.settle(MINUTE)
    bench.by_hand(slot, PIN)
    await bench.engine.handle(SlotTouched(device_id=DOOR, slot=slot))
    await loses_outcome(bench, slot, is_killed=False)
    assert (bench.on_lock(), bench.snap().intents) == ({}, ())
